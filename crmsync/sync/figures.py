"""What was done in a span of time, in numbers: changes and their lag by hour or day. Reads tables only, in one query a question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Trunc
from django.utils import timezone

from crmsync.engine.records import SIDES, ItemKind, Side
from crmsync.engine.write import WriteKind
from crmsync.models import Change, Result, Run, RunKind, Status, Sync
from crmsync.sync.fewest import Account, Done, account
from crmsync.sync.state import aspects_of

FAILED = (Result.FAILED, Result.NOT_KEPT)
"""Refused, or accepted and not there afterwards."""


class Unit(StrEnum):
    HOUR = "hour"
    DAY = "day"

    def begin(self, moment: datetime) -> datetime:
        """When the hour or day of this moment began, in the current time zone."""
        start = timezone.localtime(moment).replace(minute=0, second=0, microsecond=0)
        return start if self is Unit.HOUR else start.replace(hour=0, fold=0)

    def after(self, beginning: datetime) -> datetime:
        """When the next one begins. A day lasts 23 to 25 hours where the clocks change."""
        if self is Unit.HOUR:
            return timezone.localtime(beginning.astimezone(UTC) + timedelta(hours=1))
        return beginning + timedelta(days=1)


@dataclass(slots=True)
class Figures:
    """What was written: how many changes by result, and how many by their lag in seconds."""

    results: Counter[str] = field(default_factory=Counter)
    lags: Counter[float] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.results.total()

    @property
    def failed(self) -> int:
        """Refused, or accepted and not kept."""
        return self.results[Result.FAILED] + self.results[Result.NOT_KEPT]

    @property
    def written(self) -> int:
        return self.total - self.failed

    def lag(self, share: float) -> float | None:
        """The lag that this share (0 to 1) of the changes didn't exceed, in seconds; None where none has one."""
        rank, seen = ceil(share * self.lags.total()), 0
        for lag_s in sorted(self.lags):
            seen += self.lags[lag_s]
            if seen >= rank:
                return lag_s
        return None


def figures(syncs: Iterable[Sync], start: datetime, end: datetime, unit: Unit) -> dict[datetime, Figures]:
    """What was written by each hour or day of the current time zone, from `start` to before `end`, empty ones too, in order. Keys are the
    beginnings, in UTC: in a zone where the clocks change an hour can come twice."""
    slots = {moment.astimezone(UTC): Figures() for moment in _moments(start, end, unit)}
    found = Change.objects.filter(sync__in=syncs, at__gte=unit.begin(start), at__lt=end)
    rows = found.order_by().annotate(slot=Trunc("at", unit.value)).values_list("slot", "result", "lag_s").annotate(n=Count("pk"))
    for moment, result, lag_s, n in rows:
        slot = slots.get(moment.astimezone(UTC)) or slots[max(one for one in slots if one <= moment)]  # clocks may change by half an hour
        slot.results[result] += n
        if lag_s is not None and result in (Result.ACCEPTED, Result.VERIFIED):
            slot.lags[lag_s] += n
    return slots


def together(slots: Mapping[datetime, Figures]) -> Figures:
    whole = Figures()
    for one in slots.values():
        whole.results.update(one.results)
        whole.lags.update(one.lags)
    return whole


class Subject(StrEnum):
    """What a change is about."""

    CONTACTS = "contacts"
    TAGS = "tags"
    ITEMS = "items"


class Deed(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    REMOVED = "removed"


_MEANING = {
    WriteKind.CREATE: (Subject.CONTACTS, Deed.CREATED),
    WriteKind.UPDATE: (Subject.CONTACTS, Deed.UPDATED),
    WriteKind.ADD_TAGS: (Subject.TAGS, Deed.CREATED),
    WriteKind.REMOVE_TAGS: (Subject.TAGS, Deed.REMOVED),
    WriteKind.CREATE_ITEM: (Subject.ITEMS, Deed.CREATED),
    WriteKind.UPDATE_ITEM: (Subject.ITEMS, Deed.UPDATED),
    WriteKind.DELETE_ITEM: (Subject.ITEMS, Deed.REMOVED),
}


@dataclass(slots=True)
class Line:
    """The changes of one subject in one CRM: how many by deed, and how many failed (whatever they were to do). `unchanged`: how many were
    compared and left as they were; None where nothing was compared, as over a span of time."""

    subject: Subject
    side: Side
    done: Counter[Deed] = field(default_factory=Counter)
    failed: int = 0
    unchanged: int | None = None


def lines(changes: QuerySet[Change]) -> list[Line]:
    """What these changes did, by subject and CRM; only those that occur."""
    found = {(subject, side): Line(subject, side) for subject in Subject for side in SIDES}
    for kind, side, result, n in changes.order_by().values_list("kind", "side", "result").annotate(n=Count("pk")):
        # a person's "delete" is of no plan, and so no WriteKind
        subject, deed = _MEANING[WriteKind(kind)] if kind in _MEANING else (Subject.CONTACTS, Deed.REMOVED)
        line = found[subject, Side(side)]
        if result in FAILED:
            line.failed += n
        else:
            line.done[deed] += n
    return [line for line in found.values() if line.failed or line.done]


ITEMS = "items"
"""`Run.counts` has under this name, by side, how many notes and tasks a run looked at."""


def lines_of_run(run: Run) -> list[Line]:
    """What a run did, and how much it found equal as it was."""
    equal = run.counts.get(Status.IN_SYNC, 0)
    found = {(line.subject, line.side): line for line in lines(run.changes.all())}
    written_to = _contacts_written_to(run)
    for subject in Subject:
        for side in SIDES:
            line = found.setdefault((subject, side), Line(subject, side))
            if subject is Subject.ITEMS:
                unchanged = run.counts.get(f"{side}.{ITEMS}", 0) - line.done[Deed.UPDATED] - line.done[Deed.REMOVED] - line.failed
            else:
                unchanged = (equal if subject is Subject.CONTACTS or run.sync.sync_tags else 0) - written_to[subject, side]
            line.unchanged = max(0, unchanged)
    in_order = [found[subject, side] for subject in Subject for side in SIDES]
    return [line for line in in_order if line.failed or line.done or line.unchanged]


def _contacts_written_to(run: Run) -> dict[tuple[Subject, Side], int]:
    """How many contacts were written to, by what was written and where: one query."""
    kinds = {
        Subject.CONTACTS: [WriteKind.CREATE, WriteKind.UPDATE],
        Subject.TAGS: [WriteKind.CREATE, WriteKind.ADD_TAGS, WriteKind.REMOVE_TAGS],  # a new contact brings its tags along
    }
    groups = [(subject, side) for subject in kinds for side in SIDES]
    wanted = {
        f"{subject}_{side}": Count("contact", filter=Q(side=side, kind__in=kinds[subject]), distinct=True) for subject, side in groups
    }
    found = run.changes.exclude(result__in=FAILED).aggregate(**wanted)
    return {(subject, side): found[f"{subject}_{side}"] for subject, side in groups}


def requests_of_run(run: Run) -> dict[Side, Account]:
    """What a run has asked of each CRM, and what it could have done with."""
    aspects, lists_all = aspects_of(run.sync), run.kind in (RunKind.FIRST_SYNC, RunKind.FULL)
    compared = sum(run.counts.get(status, 0) for status in Status if status != Status.PENDING) + int(run.progress.get("done", 0))
    changed = run.changes.filter(side=Side.CENTRALSTATION, kind__in=[WriteKind.UPDATE, WriteKind.ADD_TAGS, WriteKind.REMOVE_TAGS])
    changed_by_side = {Side.CENTRALSTATION: changed.exclude(contact=None).aggregate(n=Count("contact", distinct=True))["n"]}
    found = {}
    for side in SIDES:
        listed = {name: run.progress.get(f"{side}.{name}", {}).get("count", 0) for name in ("contacts", *ItemKind)}
        done = Done(listed=listed if lists_all else None, compared=compared, aspects=aspects, changed=changed_by_side.get(side, 0))
        found[side] = account(side, run.calls, done)
    return found


def oldest_unsynced(sync: Sync) -> datetime | None:
    """Since when the change is known that waits longest to be written; None where none waits."""
    waiting = sync.contacts.wanted().filter(dirty__gt=0, status__in=[Status.PENDING, Status.FAILED, Status.WAITING])
    found: datetime | None = waiting.aggregate(at=Min("dirty_since"))["at"]
    return found


def _moments(start: datetime, end: datetime, unit: Unit) -> Iterable[datetime]:
    moment = unit.begin(start)
    while moment < end:
        yield moment
        moment = unit.after(moment)
