"""Undo: first what will be written back and what can't be, then how far it is and what was left."""

from typing import Any

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crmsync.models import Change, Contact, NotUndone, Run, RunKind, Sync
from crmsync.sync import actions
from crmsync.sync.undoing import changes_of
from dashboard.access import RESOLVE, VIEW, StaffRequest, needs
from dashboard.answers import act, back, show
from dashboard.paging import page_of
from dashboard.undoing import UndoProgress, contacts_of, deletions, in_numbers, previews

MODELS = {"change": Change, "contact": Contact, "run": Run}


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RESOLVE)
def undo(request: StaffRequest, what: str, pk: int) -> HttpResponse:
    """Undo one change, one contact or one run; first, say what will happen."""
    if what not in MODELS:
        raise Http404
    found = get_object_or_404(MODELS[what]._default_manager.select_related("sync__ghl", "sync__centralstation"), pk=pk)
    if request.method != "POST":
        return render(request, "undo/confirm.html", _before(found, what, request.GET))
    started: list[Run] = []
    if not act(request, lambda: started.append(actions.undo(_sync(found), what, pk, request.user)), _("The undo has started.")):
        return back(request, "undo", what, pk)
    return redirect("undone", started[0].pk)


def _sync(found: Any) -> Sync:
    return found.sync  # type: ignore[no-any-return]


AT_ONCE = 10
"""So many contacts of a run are shown on a page: what each comes to is planned."""


def _before(found: Any, kind: str, asked: QueryDict) -> dict[str, Any]:
    """What the page says before: each value that goes back and what doesn't, and of a run numbers besides."""
    changes = changes_of(kind, found.pk)
    contact = found if kind == "contact" else found.contact if kind == "change" else None
    context = {"found": found, "kind": kind, "contact": contact, "is_known": changes.exists(), "sync": found.sync}
    if kind == "run":
        page = page_of(contacts_of(changes).select_related("sync"), asked, size=AT_ONCE)
        numbers = {"sentences": in_numbers(changes), "deletions": deletions(changes)}
        return {**context, **numbers, "page": page, "previews": previews(page.rows, changes)}
    [preview] = previews([contact], changes) if contact else [None]
    if preview is None or preview.planned is None:
        return {**context, "is_apart": True}
    planned = preview.planned
    return {**context, "planned": planned, "sentences": preview.deletions, "deletions": len(planned.deletes)}


@require_safe
@needs(VIEW)
def undone(request: StaffRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(Run.objects.select_related("sync", "by").filter(kind=RunKind.UNDO), pk=pk)
    context = {
        "undo": UndoProgress(run),
        "written": run.changes.count(),
        "page": page_of(NotUndone.objects.filter(run=run).select_related("contact"), request.GET),
    }
    return show(request, "undo/page.html", "undo/_live.html", context)
