"""Reports per day, week and month: on a page that prints well, and as CSV."""

import csv
from dataclasses import dataclass
from datetime import date

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from crmsync.models import Every, Sync
from crmsync.sync.periods import Period, Report, period, report
from dashboard.access import VIEW, StaffRequest, needs
from dashboard.charts import lag_chart, volume_chart


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: a period, and one sync or all."""

    period: Period
    syncs: list[Sync]
    chosen: Sync | None

    @property
    def reported(self) -> list[Sync]:
        return [self.chosen] if self.chosen else self.syncs

    def address(self, every: Every, day: date, sync: Sync | None) -> str:
        """The query of another report."""
        query = QueryDict(mutable=True)
        query.update({"every": every.value, "day": day.isoformat(), **({"sync": str(sync.pk)} if sync else {})})
        return f"?{query.urlencode()}"


def _asked(request: StaffRequest) -> Asked:
    """What isn't understood is the week that is."""
    wanted = request.GET.get("every", "")
    every = Every(wanted) if wanted in Every.values else Every.WEEK
    today = timezone.localdate()
    try:
        day = date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        day = today
    syncs = list(Sync.objects.all())
    chosen = next((sync for sync in syncs if str(sync.pk) == request.GET.get("sync")), None)
    earliest, latest = date(2020, 1, 1), today
    return Asked(period(every, min(max(day, earliest), latest)), syncs, chosen)


@require_safe
@needs(VIEW)
def reports(request: StaffRequest) -> HttpResponse:
    asked = _asked(request)
    found, of, today = report(asked.reported, asked.period), asked.period, timezone.localdate()
    context = {
        "report": found,
        "period": of,
        "chosen": asked.chosen,
        "query": asked.address(of.every, of.first, asked.chosen),
        "spans": [(every, asked.address(every, of.first, asked.chosen), every == of.every) for every in Every],
        "choices": [(sync, asked.address(of.every, of.first, sync), sync == asked.chosen) for sync in (None, *asked.syncs)],
        "earlier": asked.address(of.every, of.previous.first, asked.chosen),
        "later": asked.address(of.every, of.following.first, asked.chosen) if of.after <= today else "",
        "is_over": of.after <= today,
        "charts": [volume_chart(found.slots, of.unit), lag_chart(found.slots, found.whole, of.unit)],
    }
    return render(request, "reports/page.html", context)


COLUMNS = ("begins_at", "written", "verified", "failed", "lag_p50_s", "lag_p95_s")


@require_safe
@needs(VIEW)
def report_csv(request: StaffRequest) -> HttpResponse:
    """One line an hour or day, and when it began."""
    asked = _asked(request)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="crmsync-{asked.period.every}-{asked.period.first}.csv"'
    lines = csv.writer(response)
    lines.writerow(COLUMNS)
    lines.writerows(_csv_rows(report(asked.reported, asked.period)))
    return response


def _csv_rows(found: Report) -> list[tuple[object, ...]]:
    return [
        (timezone.localtime(moment).isoformat(), one.written, one.results["verified"], one.failed, one.lag(0.5), one.lag(0.95))
        for moment, one in found.slots.items()
    ]
