"""What staff can press on many contacts at once: which of those chosen each is for, what it will do in numbers, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from crmsync.models import BulkAction, Canary, Contact, RunKind, Status, Sync
from crmsync.models.contact import ContactQuerySet
from crmsync.sync.bulk import AT_ONCE, VERBS
from crmsync.sync.canary import AT_WORK
from crmsync.sync.prices import MANY, Price, price
from dashboard.access import RESOLVE, RETRY
from dashboard.issues import Told, told_of
from dashboard.verbs import Text

SHOWN_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class BulkVerb:
    """A button above the list, or what else is carried out as a bulk action: `name` is that of crmsync.sync.bulk.VERBS."""

    name: str
    label: Text
    icon: str
    permission: str
    will: Callable[[int], str]
    hint: Text = field(default="", kw_only=True)
    done: Callable[[int], str]

    @property
    def asks(self) -> bool:
        """Whether both CRMs are asked for it, which costs requests."""
        return VERBS[self.name].asks

    def takes(self, chosen: ContactQuerySet) -> ContactQuerySet:
        """Of those chosen, the ones it makes sense for."""
        return VERBS[self.name].takes(chosen)


BULK = {
    verb.name: verb
    for verb in (
        BulkVerb(
            name="retry",
            label=_lazy("Retry"),
            icon="refresh",
            permission=RETRY,
            will=lambda n: _number(ngettext("%(n)s contact will be tried again.", "%(n)s contacts will be tried again.", n), n),
            hint=_lazy("Of those that the same cause holds up, one goes first. If the cause comes back, the others are not sent."),
            done=lambda n: _number(ngettext("%(n)s contact will be tried again now.", "%(n)s contacts will be tried again now.", n), n),
        ),
        BulkVerb(
            name="sync-now",
            label=_lazy("Sync now"),
            icon="refresh",
            permission=RETRY,
            will=lambda n: _number(ngettext("%(n)s contact will be compared.", "%(n)s contacts will be compared.", n), n),
            done=lambda n: _number(ngettext("%(n)s contact will be compared now.", "%(n)s contacts will be compared now.", n), n),
        ),
        BulkVerb(
            name="exclude",
            label=_lazy("Exclude"),
            icon="ban",
            permission=RESOLVE,
            will=lambda n: _number(
                ngettext(
                    "%(n)s contact will be left alone: neither CRM is written to until it is included again.",
                    "%(n)s contacts will be left alone: neither CRM is written to until they are included again.",
                    n,
                ),
                n,
            ),
            done=lambda n: _number(
                ngettext("%(n)s contact is left alone from now on.", "%(n)s contacts are left alone from now on.", n), n
            ),
        ),
    )
}

LABELS: dict[str, Text] = {
    **{verb.name: verb.label for verb in BULK.values()},
    "approve": _lazy("Approve a held batch"),
    "reject": _lazy("Reject a held batch"),
}


def _number(text: str, n: int) -> str:
    return text % {"n": f"{n:,}"}


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a button would do to the contacts chosen, told before it does."""

    verb: BulkVerb
    statuses: list[tuple[Status, int]]
    taken: int
    chosen: int
    price: Price | None

    @property
    def sentence(self) -> str:
        return self.verb.will(self.taken)

    @property
    def is_long(self) -> bool:
        """Whether it goes on in the background."""
        return self.taken > AT_ONCE

    @property
    def left_out(self) -> str:
        """Those of the chosen that it makes no sense for; "" where there is none."""
        n = self.chosen - self.taken
        text = ngettext(
            "%(n)s of those chosen is left as it is: not in a state for this, excluded, or held in a batch that waits for a yes or no.",
            "%(n)s of those chosen are left as they are: not in a state for this, excluded, or held in a batch that waits for a yes or no.",
            n,
        )
        return _number(text, n) if n else ""


def prospect(verb: BulkVerb, chosen: ContactQuerySet) -> Prospect:
    taken = verb.takes(chosen)
    counts = dict(taken.order_by().values_list("status").annotate(Count("pk")))
    n = sum(counts.values())
    return Prospect(verb, [(status, counts[status]) for status in Status if status in counts], n, chosen.count(), _price(verb, taken, n))


def _price(verb: BulkVerb, taken: ContactQuerySet, n: int) -> Price | None:
    """What asking about them all costs, where they are many and of one sync."""
    if not verb.asks or n < MANY:
        return None
    syncs = Sync.objects.select_related("ghl__budget", "centralstation__budget").filter(Exists(taken.filter(sync=OuterRef("pk"))))[:2]
    return price(syncs[0], RunKind.RETRY, contacts=n) if len(syncs) == 1 else None


@dataclass(frozen=True)
class BulkProgress:
    """How far a bulk action is: first its contacts are taken, then, where both CRMs are asked, each is looked at."""

    action: BulkAction

    @property
    def label(self) -> Text:
        return LABELS.get(self.action.verb, self.action.verb)

    @property
    def is_taking(self) -> bool:
        return self.action.ended_at is None

    @cached_property
    def counts(self) -> dict[str, int]:
        """The contacts taken, by the status that they have by now; one that another bulk action took since isn't among them."""
        return dict(Contact.objects.filter(asked_in=self.action.pk).order_by().values_list("status").annotate(Count("pk")))

    @property
    def statuses(self) -> list[tuple[Status, int]]:
        return [(status, n) for status in Status if (n := self.counts.get(status, 0))]

    @cached_property
    def pending(self) -> int:
        """Those that it is still for: what makes one pending later is another's business."""
        return Contact.objects.filter(asked_in=self.action.pk, status=Status.PENDING).exclude(asked_cause="").count()

    @cached_property
    def canaries(self) -> list[Canary]:
        """Where one of a cause went first, and there were others."""
        return list(self.action.canaries.filter(others__gt=0).select_related("issue", "contact"))

    @property
    def waiting(self) -> int:
        """How many wait for what becomes of the one that went first, or for their turn after it."""
        return sum(max(0, canary.others - canary.done) for canary in self.canaries if canary.state in AT_WORK)

    @property
    def unsent(self) -> int:
        """How many weren't sent, because their cause came back."""
        return sum(canary.others for canary in self.canaries if canary.state == Canary.State.FAILED_AGAIN)

    @property
    def told(self) -> list[tuple[Canary, Told]]:
        """What became of each that went first."""
        return [(canary, told_of(canary, 0)) for canary in self.canaries]

    @property
    def is_over(self) -> bool:
        return not self.is_taking and not self.pending and not self.waiting

    @property
    def done(self) -> int:
        """How many are through."""
        return max(0, self.action.taken - self.pending - self.waiting - self.unsent)

    @property
    def left(self) -> int:
        total = self.action.total if self.is_taking else self.action.taken
        return max(0, total - self.done - self.unsent)

    @property
    def total(self) -> int:
        return self.done + self.left

    @property
    def phase(self) -> str:
        values = {"done": f"{self.done:,}", "total": f"{self.total:,}"}
        return ngettext("%(done)s of %(total)s contact done", "%(done)s of %(total)s contacts done", self.total) % values

    @property
    def sentence(self) -> str:
        """How it stands."""
        stopped = self.action.state == BulkAction.State.STOPPED
        values = {"phase": self.phase, "n": f"{self.pending:,}", "taken": f"{self.action.taken:,}", "unsent": f"{self.unsent:,}"}
        if stopped:
            text = ngettext("Stopped after %(taken)s contact.", "Stopped after %(taken)s contacts.", self.action.taken)
        elif self.is_over and self.unsent:
            text = _("%(phase)s, %(unsent)s not sent: their cause came back.")
        elif self.is_over:
            text = ngettext("All done: %(taken)s contact.", "All done: %(taken)s contacts.", self.action.taken)
        else:
            text = _("%(phase)s.")
        if self.pending:
            text += " " + ngettext("%(n)s is pending.", "%(n)s are pending.", self.pending)
        return text % values

    @property
    def ends_at(self) -> datetime | None:
        """When it will be through, at the pace that it has kept up so far; None while that can't be told."""
        if self.is_over or not self.done:
            return None
        now = timezone.now()
        return now + (now - self.action.begun_at) / self.done * self.left


def under_way() -> list[BulkProgress]:
    """What has been begun in the last days and isn't through."""
    pending = Exists(Contact.objects.filter(asked_in=OuterRef("pk"), status=Status.PENDING).exclude(asked_cause=""))
    first = Exists(Canary.objects.filter(asked_in=OuterRef("pk"), state__in=AT_WORK))
    lately: QuerySet[BulkAction] = BulkAction.objects.filter(begun_at__gt=timezone.now() - SHOWN_FOR)
    return [BulkProgress(action) for action in lately.filter(Q(ended_at=None) | pending | first).select_related("by")[:5]]
