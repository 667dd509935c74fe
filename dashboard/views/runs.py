"""Runs: the list, and one with its progress and what it wrote."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from crmsync.models import Run, RunStatus, Sync
from crmsync.sync import reports
from dashboard.access import VIEW, StaffRequest, needs
from dashboard.answers import show
from dashboard.paging import page_of
from dashboard.progress import TELLING, RunProgress


@require_safe
@needs(VIEW)
def runs(request: StaffRequest) -> HttpResponse:
    syncs = list(Sync.objects.all())
    chosen = next((sync for sync in syncs if str(sync.pk) == request.GET.get("sync")), None)
    found = Run.objects.select_related("sync", "by")
    if chosen:
        found = found.filter(sync=chosen)
    shows_all = "all" in request.GET
    page = page_of(found if shows_all else found.filter(TELLING), request.GET)
    is_moving = any(run.status == RunStatus.RUNNING for run in page.rows)
    context = {
        "page": page,
        "syncs": syncs,
        "chosen": chosen,
        "shows_all": shows_all,
        "is_quiet": not page.rows and found.exists(),
        "is_moving": is_moving,
    }
    return show(request, "runs/page.html", "runs/_list.html", context)


@require_safe
@needs(VIEW)
def run(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Run.objects.select_related("sync", "by"), pk=pk)
    context = {
        "progress": RunProgress(found, reports.overview(found.sync)),
        "page": page_of(found.changes.select_related("by"), request.GET),
    }
    return show(request, "runs/run.html", "runs/_live.html", context)
