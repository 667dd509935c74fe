"""Syncs: the list, one with its settings, making and changing them, running, pausing, going live."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crmsync.engine.records import SIDES
from crmsync.models import SECRETS, MatchBy, Mode, RunKind, Sync
from crmsync.models.sync import SyncQuerySet
from crmsync.sync import actions, prices, setup
from crmsync.sync.outcome import explain
from crmsync.sync.runs import kind_of_next_run
from crmsync.systems.errors import CrmError
from dashboard import costs
from dashboard.access import MAPPINGS, RUN, VIEW, StaffRequest, needs
from dashboard.answers import accepted, act, back, show_form
from dashboard.batches import decided_batches
from dashboard.cards import SyncCard, sync_cards
from dashboard.forms.syncs import NewSyncForm, SyncForm

require_form = require_http_methods(["GET", "HEAD", "POST"])


def _syncs() -> SyncQuerySet:
    secrets = [f"{side}__{column}" for side in SIDES for column in SECRETS]
    return Sync.objects.select_related("ghl", "centralstation").defer(*secrets)


@require_safe
@needs(VIEW)
def syncs(request: StaffRequest) -> HttpResponse:
    return render(request, "syncs/page.html", {"cards": sync_cards()})


@require_safe
@needs(VIEW)
def sync(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(_syncs(), pk=pk)
    aspects = [(found.sync_tags, _("tags")), (found.sync_notes, _("notes")), (found.sync_tasks, _("tasks"))]
    context = {
        "sync": found,
        "card": SyncCard(found),
        "decided": decided_batches(found),
        "mappings": found.mappings.all(),
        "match_by": " → ".join(str(MatchBy(key).label) for key in found.match_by),
        "aspects": ", ".join(label for is_on, label in aspects if is_on),
    }
    return render(request, "syncs/sync.html", context)


@require_form
@needs(MAPPINGS)
def add(request: StaffRequest) -> HttpResponse:
    form = NewSyncForm(request.POST or None)
    if form.is_valid() and (made := accepted(form, lambda: setup.create_sync(**form.settings(), by=request.user))):
        messages.success(request, _("The sync is there, with the usual mapping of fields. Look at it, then run it."))
        return redirect("sync", made.pk)
    return show_form(request, "syncs/add.html", form)


@require_form
@needs(MAPPINGS)
def edit(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(_syncs(), pk=pk)
    form = SyncForm(request.POST or None, instance=found)
    if form.is_valid():
        found.match_by = form.cleaned_data["match_by"]
        setup.change_sync(found, list(form.settings()), request.user)
        messages.success(request, _("Saved."))
        return redirect("sync", pk)
    return show_form(request, "syncs/edit.html", form, pk=pk, costs=costs.of_change(found))


@require_form
@needs(RUN)
def run(request: StaffRequest, pk: int) -> HttpResponse:
    """Begin a run. One that reads everything has a page before it that tells what it costs."""
    found, full = get_object_or_404(_syncs(), pk=pk), "full" in request.POST or "full" in request.GET
    if request.method != "POST":
        return render(request, "syncs/run.html", _price_of(found, full=full))
    done = _("The full comparison begins.") if full else _("The sync begins.")
    act(request, lambda: actions.start_run(found, full=full, by=request.user), done)
    return back(request, "sync", pk)


def _price_of(found: Sync, *, full: bool) -> dict[str, object]:
    kind = kind_of_next_run(found, full=full)
    is_first = kind == RunKind.FIRST_SYNC
    try:
        priced = prices.price(found, kind, totals=prices.totals(found) if is_first else None)
        further = [priced.sentence, *priced.warnings]
    except CrmError as error:
        further = [_("What it costs can't be told now: %(reason)s") % {"reason": explain(error)[0]}]
    match kind:
        case RunKind.FIRST_SYNC:
            heading, warning = (
                _("Run the first sync"),
                _("Both accounts are read, their contacts matched, and what differs is brought together."),
            )
        case RunKind.FULL:
            heading, warning = _("Full comparison"), _("Every contact is read again on both sides, with its notes and tasks, and compared.")
        case _:
            heading, warning, further = _("Run now"), _("What changed in either account is taken in."), []
    return {"sync": found, "heading": heading, "warning": warning, "further": further, "submit": _("Begin")}


@require_POST
@needs(RUN)
def pause(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(_syncs(), pk=pk)
    act(request, lambda: actions.pause(found, request.user), _("Paused. Nothing is read or written until it is resumed."))
    return back(request, "sync", pk)


@require_POST
@needs(RUN)
def resume(request: StaffRequest, pk: int) -> HttpResponse:
    """Not for a draft: going live is an administrator's decision."""
    found = get_object_or_404(_syncs().exclude(mode=Mode.DRAFT), pk=pk)
    act(request, lambda: actions.resume(found, request.user), _("Resumed. What changed meanwhile is taken in now."))
    return back(request, "sync", pk)


@require_form
@needs(MAPPINGS)
def go_live(request: StaffRequest, pk: int) -> HttpResponse:
    """From draft to live, after saying what that means."""
    found = get_object_or_404(_syncs(), pk=pk)
    if request.method != "POST":
        return render(request, "syncs/go_live.html", {"sync": found})
    act(request, lambda: actions.resume(found, request.user), _("The sync is live."))
    return redirect("sync", pk)
