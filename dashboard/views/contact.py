"""One contact: both sides of it, what happened to it, and what to press."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from crmsync.engine.records import SIDES, ItemKind, Side
from crmsync.models import Contact, HeldBatch, Status
from crmsync.sync import actions, reports
from crmsync.sync.origins import origins
from crmsync.systems.errors import NAMES
from dashboard.access import RESOLVE, VIEW, StaffRequest, needs
from dashboard.answers import act, back, show, show_form
from dashboard.fixing import fix_box
from dashboard.forms.contacts import ExcludeForm, are_many_syncs
from dashboard.looks import STATUS
from dashboard.paging import page_of
from dashboard.queues import why_not
from dashboard.verbs import VERB_BY_NAME, Verb, verbs_for

SHOWN = (HeldBatch.State.HELD, HeldBatch.State.REJECTED)
"""Batches that keep a contact back by somebody's word."""


@require_safe
@needs(VIEW)
def contact(request: StaffRequest, pk: int) -> HttpResponse:
    found = _contact(pk)
    places = [(side, found.remote_id(side), reports.open_url(found, side)) for side in SIDES]
    known = origins(found)
    held_by = found.held_by if found.held_by and found.held_by.state in SHOWN else None
    items = [item for kind in ItemKind for item in reports.items_of(found, kind)]
    context = {
        "contact": found,
        "advice": _advice(found),
        "held_by": held_by,
        "held": found.held_writes.filter(batch=held_by) if held_by else [],
        "box": fix_box(found),
        "duplicates": _duplicates(found),
        "next_try": found.due_at if found.status == Status.FAILED and found.due_at and found.due_at > timezone.now() else None,
        "verbs": verbs_for(found, request.user),
        "places": places,
        "urls": {side: url for side, _id, url in places},
        "origins": known,
        "fields": reports.sides(found),
        "may_differ": found.is_linked and found.status != Status.QUARANTINED,
        "tags": [{"name": tag, "origin": known.get(f"tag:{tag}")} for tag in reports.tags_of(found)],
        "item_conflicts": reports.item_conflicts(found, items),
        "items": items,
        "candidates": _candidates(found),
        "page": page_of(found.changes.select_related("by"), request.GET, size=20),
        "is_moving": found.status == Status.PENDING or found.lease_until > timezone.now(),
    }
    return show(request, "contact/page.html", "contact/_live.html", context)


def _contact(pk: int) -> Contact:
    found = get_object_or_404(Contact.objects.select_related("sync__ghl", "sync__centralstation", "issue", "held_by"), pk=pk)
    if found.issue:
        found.issue.sync = found.sync
    return found


def _advice(found: Contact) -> str:
    """What to do: what its issue says, which is about this very cause, else what goes for the status."""
    if found.status != Status.PENDING and found.issue and not found.issue.closed_at:
        return found.issue.what_to_do
    if found.status == Status.WAITING and found.held_by:
        return _("It waits with others for a yes or no. Retry lets this one through.")
    return str(STATUS[Status(found.status)].advice)


def _duplicates(found: Contact) -> list[tuple[Contact, Side, str | None]]:
    """Who has the e-mail or phone that this one can't have for that, with where to open it."""
    if found.status != Status.FAILED or not found.issue or found.issue.code != "duplicate":
        return []
    side, others = Side(found.issue.side), actions.candidates_of(found).select_related("sync__ghl", "sync__centralstation")
    return [(other, side, reports.open_url(other, side)) for other in others]


def _candidates(found: Contact) -> list[dict[str, Any]]:
    """Who may be the same person, each with its fields, while somebody has to say."""
    if found.status != Status.REVIEW:
        return []
    others = actions.candidates_of(found).exclude(pk=found.pk).select_related("sync__ghl")
    return [{"contact": other, "fields": _own_fields(other), "why_not": why_not(found, other)} for other in others]


def _own_fields(other: Contact) -> list[tuple[str, str]]:
    """(label, value) of what is filled in."""
    return [(row.label, row.ghl or row.centralstation) for row in reports.sides(other) if row.ghl or row.centralstation]


@require_http_methods(["GET", "HEAD", "POST"])
@needs(VIEW)
def do(request: StaffRequest, pk: int, name: str) -> HttpResponse:
    """Do what a verb says; first, for what can't be undone, say what will happen. Each verb has a permission of its own."""
    found = _contact(pk)
    if name not in VERB_BY_NAME:
        raise Http404
    verb = VERB_BY_NAME[name].spoken_of(found)
    if not request.user.has_perm(verb.permission):
        raise PermissionDenied
    if request.method != "POST":
        return render(request, "contact/confirm.html", {"contact": found, "verb": verb, "warning": verb.warning})
    done = act(request, lambda: _guarded(verb, found, request), "" if request.htmx else str(verb.done))
    return _after(request, found, done)


def _guarded(verb: Verb, found: Contact, request: StaffRequest) -> None:
    if not verb.makes_sense_for(found):
        raise actions.ActionError(_("The contact is not in that state any more."))
    verb.call(found, request.user)


def _after(request: StaffRequest, found: Contact, done: bool) -> HttpResponse:
    """htmx gets the row that the button was in, anybody else the page; a refusal is a message, so the page is loaded again."""
    if not Contact.objects.filter(pk=found.pk).exists():
        return redirect("contacts")
    if not request.htmx:
        return back(request, "contact", found.pk)
    if not done:
        return HttpResponseClientRefresh()
    context = {"contact": _contact(found.pk), "is_watched": True, "is_choosable": "choose" in request.GET, "with_sync": are_many_syncs()}
    return render(request, "contacts/_row.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RESOLVE)
def exclude(request: StaffRequest, pk: int) -> HttpResponse:
    found, form = _contact(pk), ExcludeForm(request.POST or None)
    if form.is_valid():
        act(request, lambda: actions.exclude(found, form.cleaned_data["reason"], request.user), _("The contact is left alone from now on."))
        return redirect("contact", pk)
    return show_form(request, "contact/exclude.html", form, contact=found)


@require_POST
@needs(RESOLVE)
def decide(request: StaffRequest, pk: int) -> HttpResponse:
    """A field in conflict: the value of which side is right."""
    found, field, side = _contact(pk), request.POST.get("field", ""), request.POST.get("side", "")
    if side not in SIDES:
        raise Http404
    act(
        request,
        lambda: actions.decide_conflict(found, field, Side(side), request.user),
        _("The value of %(system)s will be written to the other side.") % {"system": NAMES[Side(side)]},
    )
    return redirect("contact", pk)


@require_POST
@needs(RESOLVE)
def link(request: StaffRequest, pk: int, other: int) -> HttpResponse:
    """A review: these two are the same person."""
    found, partner = _contact(pk), _contact(other)
    act(request, lambda: actions.link(found, partner, request.user), _("The two are linked and will be compared now."))
    return redirect("contact", pk)
