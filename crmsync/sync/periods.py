"""Reports: what was done in a day, a week or a month, how well, and what stood in the way. Reads tables only. Entry: `report()`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.db.models import Case, Count, F, When
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.models import Change, Every, Result, Sync
from crmsync.sync.figures import Figures, Line, Unit, figures, lines, together

TOP = 10
"""So many causes of failure a report names."""


@dataclass(frozen=True, slots=True)
class Period:
    """A day, a week (from Monday) or a month in the current time zone: from `first` to before `after`."""

    every: Every
    first: date
    after: date

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time(), timezone.get_current_timezone())

    @property
    def end(self) -> datetime:
        return datetime.combine(self.after, time(), timezone.get_current_timezone())

    @property
    def last(self) -> date:
        return self.after - timedelta(days=1)

    @property
    def unit(self) -> Unit:
        return Unit.HOUR if self.every == Every.DAY else Unit.DAY

    @property
    def previous(self) -> Period:
        return period(self.every, self.first - timedelta(days=1))

    @property
    def following(self) -> Period:
        return period(self.every, self.after)


def period(every: Every, day: date) -> Period:
    """The day, week or month that this day is in."""
    match every:
        case Every.DAY:
            return Period(every, day, day + timedelta(days=1))
        case Every.WEEK:
            monday = day - timedelta(days=day.weekday())
            return Period(every, monday, monday + timedelta(days=7))
        case Every.MONTH:
            first = day.replace(day=1)
            return Period(every, first, (first + timedelta(days=31)).replace(day=1))


class FailureCause(NamedTuple):
    """Why changes failed, and how many. `issue_id` is the issue's; None for what none was opened for, which is told in the CRM's words."""

    text: str
    n: int
    issue_id: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """`contacts`: how many were written to; `causes`: those of what failed, most frequent first."""

    period: Period
    slots: Mapping[datetime, Figures]
    whole: Figures
    contacts: int
    lines: Sequence[Line]
    causes: Sequence[FailureCause]

    @property
    def failure_rate(self) -> float | None:
        """The share (0 to 1) of changes that failed; None where there were none."""
        return self.whole.failed / self.whole.total if self.whole.total else None

    @property
    def half_within(self) -> float | None:
        """Seconds within which half of what was written was there (p50); None where no delay is known."""
        return self.whole.lag(0.5)

    @property
    def most_within(self) -> float | None:
        """The same of 95 % (p95)."""
        return self.whole.lag(0.95)

    @property
    def verified_share(self) -> float | None:
        """The share (0 to 1) of written changes that were seen in the CRM afterwards; None where nothing was written."""
        return self.whole.results[Result.VERIFIED] / self.whole.written if self.whole.written else None


def report(syncs: Sequence[Sync], of: Period) -> Report:
    """Four queries, whatever the period."""
    changes = Change.objects.filter(sync__in=syncs, at__gte=of.start, at__lt=of.end)
    failed = changes.filter(result__in=[Result.FAILED, Result.NOT_KEPT]).order_by()
    words = Case(When(issue=None, then=F("reason")), default=F("issue__explanation"))
    causes = failed.annotate(text=words).values_list("text", "issue").annotate(n=Count("pk")).order_by("-n", "text", "issue")[:TOP]
    slots = figures(syncs, of.start, of.end, of.unit)
    return Report(
        period=of,
        slots=slots,
        whole=together(slots),
        contacts=changes.aggregate(n=Count("contact", distinct=True))["n"],
        lines=lines(changes),
        causes=[FailureCause(text or _("accepted by the CRM, and not there afterwards"), n, issue) for text, issue, n in causes],
    )
