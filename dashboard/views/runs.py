"""Runs: the list, and one with its progress and what it wrote."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from crmsync.models import Run, RunStatus, Sync
from crmsync.sync import reports
from dashboard.access import VIEW, StaffRequest, needs
from dashboard.answers import show
from dashboard.paging import page_of
from dashboard.progress import RunProgress


@require_safe
@needs(VIEW)
def runs(request: StaffRequest) -> HttpResponse:
    syncs = list(Sync.objects.all())
    chosen = next((sync for sync in syncs if str(sync.pk) == request.GET.get("sync")), None)
    found = Run.objects.select_related("sync", "by")
    page = page_of(found.filter(sync=chosen) if chosen else found, request.GET)
    is_moving = any(run.status == RunStatus.RUNNING for run in page.rows)
    return show(request, "runs/page.html", "runs/_list.html", {"page": page, "syncs": syncs, "chosen": chosen, "is_moving": is_moving})


@require_safe
@needs(VIEW)
def run(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Run.objects.select_related("sync", "by"), pk=pk)
    context = {
        "progress": RunProgress(found, reports.overview(found.sync)),
        "page": page_of(found.changes.select_related("by"), request.GET),
    }
    return show(request, "runs/run.html", "runs/_live.html", context)
