"""What staff can press on many contacts at once: which of those chosen each is for, what it will do in numbers, and what is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Count
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crmsync.models import RunKind, Status, Sync
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import bulk
from crmsync.sync.prices import Price, price
from dashboard.access import RESOLVE, RETRY
from dashboard.verbs import RETRYABLE

MOST = 5_000
"""So many at once, for a button has to answer; a full comparison is the way to look at more."""

MANY = 50
"""Fewer cost too little to speak of."""


@dataclass(frozen=True, slots=True)
class BulkVerb:
    name: str
    label: str | Promise
    icon: str
    permission: str
    statuses: tuple[Status, ...]
    call: Callable[[ContactQuerySet, User, str], int]
    will: Callable[[int], str]
    done: Callable[[int], str]
    asks: bool = True
    """Whether both CRMs are asked for it, which costs requests."""

    def takes(self, chosen: ContactQuerySet) -> ContactQuerySet:
        """Of those chosen, the ones it makes sense for. What the brake holds is approved or rejected as a whole, or retried one by one."""
        return chosen.filter(status__in=self.statuses, exclusion="", held_by=None)


BULK = {
    verb.name: verb
    for verb in (
        BulkVerb(
            name="retry",
            label=_("Retry"),
            icon="refresh",
            permission=RETRY,
            statuses=RETRYABLE,
            call=lambda contacts, by, _reason: bulk.retry(contacts, by),
            will=lambda n: ngettext("%d contact will be tried again.", "%d contacts will be tried again.", n) % n,
            done=lambda n: ngettext("%d contact will be tried again now.", "%d contacts will be tried again now.", n) % n,
        ),
        BulkVerb(
            name="sync-now",
            label=_("Sync now"),
            icon="refresh",
            permission=RETRY,
            statuses=(Status.IN_SYNC, Status.PENDING, Status.FAILED, Status.WAITING, Status.CONFLICT, Status.REVIEW),
            call=lambda contacts, by, _reason: bulk.sync_now(contacts, by),
            will=lambda n: ngettext("%d contact will be compared.", "%d contacts will be compared.", n) % n,
            done=lambda n: ngettext("%d contact will be compared now.", "%d contacts will be compared now.", n) % n,
        ),
        BulkVerb(
            name="exclude",
            label=_("Exclude"),
            icon="ban",
            permission=RESOLVE,
            statuses=tuple(status for status in Status if status != Status.EXCLUDED),
            call=lambda contacts, by, reason: bulk.exclude(contacts, reason, by),
            will=lambda n: (
                ngettext(
                    "%d contact will be left alone: neither CRM is written to until it is included again.",
                    "%d contacts will be left alone: neither CRM is written to until they are included again.",
                    n,
                )
                % n
            ),
            done=lambda n: ngettext("%d contact is left alone from now on.", "%d contacts are left alone from now on.", n) % n,
            asks=False,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a button would do to the contacts chosen, told before it does."""

    verb: BulkVerb
    statuses: list[tuple[Status, int]]
    taken: int
    chosen: int
    price: Price | None

    @property
    def is_too_many(self) -> bool:
        return self.taken > MOST

    @property
    def is_possible(self) -> bool:
        return 0 < self.taken <= MOST

    @property
    def most(self) -> int:
        return MOST

    @property
    def sentence(self) -> str:
        return self.verb.will(self.taken)

    @property
    def left_out(self) -> str:
        """Those of the chosen that it makes no sense for; "" where there is none."""
        n = self.chosen - self.taken
        text = ngettext(
            "%d of those chosen is left as it is: not in a state for this, excluded, or held in a batch that waits for a yes or no.",
            "%d of those chosen are left as they are: not in a state for this, excluded, or held in a batch that waits for a yes or no.",
            n,
        )
        return text % n if n else ""


def prospect(verb: BulkVerb, chosen: ContactQuerySet) -> Prospect:
    taken = verb.takes(chosen)
    counts = dict(taken.order_by().values_list("status").annotate(Count("pk")))
    n = sum(counts.values())
    return Prospect(verb, [(status, counts[status]) for status in Status if status in counts], n, chosen.count(), _price(verb, taken, n))


def _price(verb: BulkVerb, taken: ContactQuerySet, n: int) -> Price | None:
    """What asking about them all costs, where they are many and of one sync."""
    if not verb.asks or not MANY <= n <= MOST:
        return None
    syncs = Sync.objects.select_related("ghl__budget", "centralstation__budget").filter(pk__in=taken.order_by().values("sync"))
    return price(syncs[0], RunKind.RETRY, contacts=n) if len(syncs) == 1 else None
