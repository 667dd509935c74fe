"""Working off what only a person can decide: one contact after the other, by button or by key."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from crmsync.engine.records import SIDES, Side
from crmsync.models import Contact, Decision, Status
from crmsync.sync import deciding
from crmsync.sync.actions import ActionError
from crmsync.sync.deciding import Choice, Word
from dashboard.access import RESOLVE, VIEW, StaffRequest, needs
from dashboard.answers import act
from dashboard.queues import KINDS, lengths, turn_of


@require_safe
@needs(VIEW)
def first_queue(request: StaffRequest) -> HttpResponse:
    """The first queue in which somebody waits."""
    found = lengths()
    return redirect("queue", next((kind for kind, _label, n in found if n), found[0][0]).value)


@require_safe
@needs(VIEW)
def queue(request: StaffRequest, kind: str) -> HttpResponse:
    status = _status(kind)
    after = _key(request.GET)
    all_ = lengths()
    context = {
        "kind": status,
        "label": KINDS[status],
        "queues": all_,
        "count": next(n for one, _label, n in all_ if one == status),
        "after": after,
        "turn": turn_of(status, after),
        "last": deciding.last_decision(request.user),
    }
    return render(request, "queues/page.html", context)


@require_POST
@needs(RESOLVE)
def decide(request: StaffRequest, kind: str, pk: int) -> HttpResponse:
    """Do what was pressed, and show the next one."""
    status = _status(kind)
    contact = get_object_or_404(Contact.objects.select_related("sync__ghl", "sync__centralstation"), pk=pk)
    for_alike = "alike" in request.POST
    done: list[int] = []
    act(request, lambda: done.append(deciding.decide(contact, _choice(request.POST), request.user, for_alike=for_alike)))
    if done and for_alike:
        messages.success(request, ngettext("Decided for %d contact.", "Decided for %d contacts.", done[0]) % done[0])
    return _next(status, _key(request.POST))


@require_POST
@needs(RESOLVE)
def undo(request: StaffRequest, kind: str, pk: int) -> HttpResponse:
    """Take the last decision back."""
    found = Decision.objects.filter(pk=pk, by=request.user).first()
    if found is not None:
        act(request, lambda: deciding.undo(found, request.user), _("Taken back: %s is as it was.") % found)
    return _next(_status(kind), _key(request.POST))


def _next(status: Status, after: int) -> HttpResponse:
    address = reverse("queue", args=[status.value])
    return redirect(f"{address}?after={after}" if after else address)


def _status(kind: str) -> Status:
    found = next((status for status in KINDS if status == kind), None)
    if found is None:
        raise Http404
    return found


def _key(asked: QueryDict) -> int:
    text = asked.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _choice(posted: QueryDict) -> Choice:
    """What the form says. Raises `ActionError` for what no button says."""
    word, _colon, further = posted.get("decision", "").partition(":")
    if word not in list(Word):
        raise ActionError(_("Choose what to do first."))
    sides = {name.removeprefix("side:"): Side(side) for name, side in posted.items() if name.startswith("side:") and side in list(SIDES)}
    other = Contact.objects.filter(pk=int(further)).first() if word == Word.LINK and further.isdigit() else None
    every = Side(further) if word == Word.TAKE and further in list(SIDES) else None
    return Choice(Word(word), sides=sides, every=every, other=other)
