"""The overview's card of a sync: how its contacts stand in one sentence, what holds them up, what runs now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from django.contrib.auth.models import User
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext, ngettext_lazy

from crmsync.engine.records import Side
from crmsync.models import SECRETS, Connection, Issue, Mode, Run, RunStatus, Status, Sync
from crmsync.sync import reports
from crmsync.sync.figures import oldest_unsynced
from dashboard.access import CONNECTIONS, MAPPINGS
from dashboard.batches import BatchCard, held_batches
from dashboard.progress import LARGE, TELLING, RunProgress
from dashboard.verbs import Text
from dashboard.waiting import Wait, waits


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


PARTS: dict[Status, Text] = {
    Status.PENDING: ngettext_lazy("%(shown)s pending", "%(shown)s pending", "n"),
    Status.WAITING: ngettext_lazy("%(shown)s waiting", "%(shown)s waiting", "n"),
    Status.FAILED: ngettext_lazy("%(shown)s failed", "%(shown)s failed", "n"),
    Status.CONFLICT: ngettext_lazy("%(shown)s conflict", "%(shown)s conflicts", "n"),
    Status.REVIEW: ngettext_lazy("%(shown)s to review", "%(shown)s to review", "n"),
    Status.QUARANTINED: ngettext_lazy("%(shown)s quarantined", "%(shown)s quarantined", "n"),
    Status.EXCLUDED: ngettext_lazy("%(shown)s excluded", "%(shown)s excluded", "n"),
}
"""What the sentence says of each status, for one contact and for several."""

VERIFIED_WITHIN = timedelta(hours=24)


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

    @cached_property
    def verified(self) -> int:
        """How many that are in sync were read on both sides and found equal within the last 24 hours."""
        since = timezone.now() - VERIFIED_WITHIN
        return self.sync.contacts.filter(status=Status.IN_SYNC, verified_at__gte=since).count()

    @cached_property
    def oldest(self) -> datetime | None:
        """Since when the change is known that waits longest to be written; None where none waits."""
        return oldest_unsynced(self.sync)

    @property
    def sentence(self) -> str:
        """How the sync stands, to be forwarded as it is."""
        if not self.total:
            return _("No contacts yet.")
        text = ngettext("%(total)s contact: %(parts)s", "%(total)s contacts: %(parts)s", self.total)
        text %= {"total": f"{self.total:,}", "parts": ", ".join(self._parts())}
        if not self.oldest:
            return f"{text}."
        age = timezone.now() - self.oldest
        oldest = timesince(self.oldest, depth=1) if age >= timedelta(minutes=1) else _("less than a minute")
        return _("%(standing)s; oldest unsynced change %(age)s.") % {"standing": text, "age": oldest.replace("\xa0", " ")}

    def _parts(self) -> Iterator[str]:
        fine = self.counts.get(Status.IN_SYNC, 0)
        values = {"n": f"{fine:,}", "verified": f"{self.verified:,}"}
        if fine and self.verified >= fine:
            yield _("%(n)s in sync and verified equal in the last 24 h") % values
        else:
            yield _("%(n)s in sync (%(verified)s verified equal in the last 24 h)") % values if fine else _("none in sync")
        for status, text in PARTS.items():
            if n := self.counts.get(status, 0):
                yield text % {"n": n, "shown": f"{n:,}"}

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
    def waits(self) -> list[Wait]:
        """What contacts wait for by somebody's word, or by the clock."""
        return waits(self.sync, timezone.now()) if self.counts.get(Status.WAITING) else []

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


MODES = (Mode.LIVE, Mode.PAUSED, Mode.DRAFT)
"""In this order syncs are shown: first those in which something happens."""


def sync_cards() -> list[SyncCard]:
    secrets = [f"{side}__{name}" for side in Side for name in SECRETS]
    syncs = Sync.objects.select_related("ghl", "centralstation").defer(*secrets)
    return [SyncCard(sync) for sync in sorted(syncs, key=lambda sync: MODES.index(Mode(sync.mode)))]


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
