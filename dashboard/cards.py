"""The overview's card of a sync: how its contacts stand in one sentence, what holds them up, what runs now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from django.contrib.auth.models import User
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from crmsync.engine.records import Side
from crmsync.models import SECRETS, Connection, Issue, Run, RunStatus, Status, Sync
from crmsync.sync import reports
from dashboard.access import CONNECTIONS, MAPPINGS
from dashboard.batches import BatchCard, held_batches
from dashboard.looks import ATTENTION
from dashboard.progress import LARGE, TELLING, RunProgress
from dashboard.verbs import Text


@dataclass(frozen=True)
class Share:
    """A status with its number of contacts, and its piece of the bar in percent: where it begins, how wide it is."""

    status: Status
    count: int
    start: float
    width: float


DECISIONS: dict[Status, tuple[Text, Text]] = {
    Status.REVIEW: (_lazy("Who is the same person isn't certain."), _lazy("Open each contact and say who it is.")),
    Status.CONFLICT: (_lazy("Both sides changed a field to different values."), _lazy("Open each contact and take the right value.")),
    Status.QUARANTINED: (
        _lazy("Deleted in one of the CRMs."),
        _lazy("Open each contact and decide: restore it, delete it in the other CRM too, or keep and unlink it."),
    ),
}


@dataclass(frozen=True)
class Undecided:
    """Contacts of one status that only a person gets on: how many, why, and what to do."""

    status: Status
    count: int
    what: Text
    what_to_do: Text


@dataclass(frozen=True)
class SyncCard:
    sync: Sync

    @cached_property
    def counts(self) -> dict[str, int]:
        return reports.overview(self.sync)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @cached_property
    def shares(self) -> list[Share]:
        """The statuses that occur, in the order of the set."""
        shares, start = [], 0.0
        for status in Status:
            if count := self.counts.get(status, 0):
                width = 100 * count / self.total
                shares.append(Share(status, count, start, width))
                start += width
        return shares

    @property
    def attention(self) -> int:
        """How many contacts don't get on by themselves, or not soon."""
        return sum(self.counts.get(status, 0) for status in ATTENTION)

    @property
    def sentence(self) -> str:
        numbers = {"total": self.total, "fine": self.counts.get(Status.IN_SYNC, 0), "attention": self.attention}
        if not self.total:
            return _("No contacts yet.")
        if numbers["fine"] == self.total:
            return ngettext("The only contact is in sync.", "All %(total)d contacts are in sync.", self.total) % numbers
        if not self.attention:
            return _("%(fine)d of %(total)d contacts are in sync; for the others there is nothing to do.") % numbers
        return (
            ngettext(
                "%(fine)d of %(total)d contacts are in sync, one needs a look.",
                "%(fine)d of %(total)d contacts are in sync, %(attention)d need a look.",
                self.attention,
            )
            % numbers
        )

    @cached_property
    def last_run(self) -> Run | None:
        return self.sync.runs.first()

    @cached_property
    def runs(self) -> list[Run]:
        """The latest that tell something, newest first."""
        return list(self.sync.runs.filter(TELLING).select_related("by")[:5])

    @cached_property
    def running(self) -> RunProgress | None:
        under_way = next((run for run in self.runs if run.status == RunStatus.RUNNING), None)
        return RunProgress(under_way, self.counts) if under_way else None

    @property
    def is_comparing(self) -> bool:
        """Whether all contacts are being compared just now: no other run begins meanwhile."""
        return self.running is not None and self.running.run.kind in LARGE

    @property
    def undecided(self) -> list[Undecided]:
        """What waits for a person's decision."""
        return [Undecided(status, n, *texts) for status, texts in DECISIONS.items() if (n := self.counts.get(status))]

    @cached_property
    def batches(self) -> list[BatchCard]:
        """What the brake holds."""
        return held_batches(self.sync)

    @cached_property
    def issues(self) -> list[Issue]:
        return list(open_issues(self.sync))

    @property
    def is_moving(self) -> bool:
        """Whether a look in two seconds will show something new."""
        return self.running is not None or bool(self.counts.get(Status.PENDING))


def open_issues(sync: Sync) -> QuerySet[Issue]:
    """Issues that hold up contacts now; `held_up` is how many."""
    return sync.issues.filter(closed_at=None).annotate(held_up=Count("contacts")).order_by("-held_up", "-last_seen")


def sync_cards() -> list[SyncCard]:
    secrets = [f"{side}__{name}" for side in Side for name in SECRETS]
    syncs = Sync.objects.select_related("ghl", "centralstation").defer(*secrets)
    return [SyncCard(sync) for sync in syncs]


@dataclass(frozen=True)
class Step:
    """One of the steps from an empty installation to the first sync. `is_next`: the first that isn't done."""

    label: str
    url_name: str
    is_allowed: bool
    is_done: bool
    is_next: bool = False


def first_steps(user: User) -> list[Step]:
    """For an installation without a sync."""
    systems = set(Connection.objects.values_list("system", flat=True))
    may_connect, may_join = user.has_perm(CONNECTIONS), user.has_perm(MAPPINGS)
    steps = [
        Step(_("Connect GoHighLevel"), "connection_add_ghl", may_connect, Side.GHL in systems),
        Step(_("Connect CentralStationCRM"), "connection_add_centralstation", may_connect, Side.CENTRALSTATION in systems),
        Step(_("Create a sync that joins the two"), "sync_add", may_join and len(systems) == len(Side), False),
        Step(_("Set it live and run it: its card with the button is here then"), "syncs", False, False),
    ]
    following = next(step for step in steps if not step.is_done)
    return [replace(step, is_next=step is following) for step in steps]
