"""*Why?*: whoever is pasted, explained in one sentence, with the trail that leads there; and one field of a contact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from crmsync.models import Contact, Status
from crmsync.sync import asking, pasted
from crmsync.sync.asking import Answer
from crmsync.sync.trail import trail, way_out
from crmsync.sync.why import explain
from crmsync.sync.why_field import choices, explain_field
from dashboard.access import RETRY, VIEW, StaffRequest, needs
from dashboard.answers import show
from dashboard.forms.contacts import are_many_syncs
from dashboard.forms.why import WhyForm
from dashboard.verbs import verbs_for


@require_safe
@needs(VIEW)
def why(request: StaffRequest) -> HttpResponse:
    """The box, and who is meant; where that is one contact, the address is its own, and holds nothing of what was pasted."""
    form = WhyForm(request.GET if "q" in request.GET else None)
    if not form.text:
        return render(request, "why/page.html", {"form": form})
    asked = pasted.read(form.text)
    found = pasted.contacts(asked)
    if len(found) == 1:
        return redirect("why_contact", found[0].pk)
    return render(request, "why/page.html", {"form": form, **_found(asked, found)})


def _found(asked: pasted.Pasted, found: Sequence[Contact], answers: Sequence[Answer] = ()) -> dict[str, Any]:
    return {
        "asked": asked,
        "found": explain(found[: pasted.MOST]),
        "are_more": len(found) > pasted.MOST,
        "most": pasted.MOST,
        "unknown": "" if found else asking.unknown(asked),
        "can_ask": not answers and asking.can_ask(asked),
        "answers": answers,
        "looks": [] if found else list(asking.last_looks()),
        "with_sync": are_many_syncs(),
    }


@require_POST
@needs(RETRY)
def ask(request: StaffRequest) -> HttpResponse:
    """Look the person up in both CRMs, and take in whom they have."""
    form = WhyForm(request.POST)
    if not form.text:
        return render(request, "why/page.html", {"form": form}, status=422)
    asked = pasted.read(form.text)
    answers = asking.ask(asked) if asking.can_ask(asked) else []
    return render(request, "why/page.html", {"form": form, **_found(asked, pasted.contacts(asked), answers)})


@require_safe
@needs(VIEW)
def of_contact(request: StaffRequest, pk: int) -> HttpResponse:
    known = Contact.objects.select_related("sync__ghl", "sync__centralstation", "issue", "held_by__by", "asked_by")
    contact = get_object_or_404(known.prefetch_related("sync__mappings"), pk=pk)
    [why] = explain([contact])
    mapped, unmapped = choices(contact)
    facts = trail(why)
    name = request.GET.get("field", "").strip()[:80]
    context = {
        "why": why,
        "contact": contact,
        "verbs": [verb for verb in verbs_for(contact, request.user) if verb.name != "separate"],  # helps with nothing that is asked here
        "trail": facts,
        "way_out": way_out(facts),
        "mapped": mapped,
        "unmapped": unmapped,
        "field": explain_field(why, name) if name else None,
        "is_moving": contact.status == Status.PENDING or contact.lease_until > timezone.now(),
    }
    return show(request, "why/contact.html", "why/_answer.html", context)
