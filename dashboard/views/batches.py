"""What the brake holds: one batch with its contacts, and the yes or no."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crmsync.models import HeldBatch
from crmsync.sync import actions
from dashboard.access import RUN, VIEW, StaffRequest, needs
from dashboard.answers import act
from dashboard.batches import BatchCard
from dashboard.paging import page_of


def _card(pk: int) -> BatchCard:
    shown = HeldBatch.objects.exclude(state=HeldBatch.State.GATHERING).select_related(
        "sync__ghl__budget", "sync__centralstation__budget", "by"
    )
    batch = get_object_or_404(shown, pk=pk)
    return BatchCard(batch, batch.contacts.count())


@require_safe
@needs(VIEW)
def batch(request: StaffRequest, pk: int) -> HttpResponse:
    card = _card(pk)
    page = page_of(card.contacts, request.GET, size=25)
    context = {"batch": card, "page": page, "held": card.held_contacts(page.rows)}
    return render(request, "batches/batch.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RUN)
def decide(request: StaffRequest, pk: int, word: str) -> HttpResponse:
    """Approve or reject; first, say in numbers what will happen."""
    if word not in ("approve", "reject"):
        raise Http404
    card = _card(pk)
    if request.method != "POST":
        return render(request, "batches/decide.html", _confirm(card, word))
    if word == "approve":
        act(request, lambda: actions.approve(card.held, request.user), _("Approved. What was held is done now."))
    else:
        act(request, lambda: actions.reject(card.held, request.user), _("Rejected. Nothing of it is written."))
    return redirect("sync", card.held.sync_id)


def _confirm(card: BatchCard, word: str) -> dict[str, object]:
    is_yes = word == "approve"
    priced = card.price() if is_yes and card.count else None
    return {
        "batch": card,
        "heading": (_("Approve: %s") if is_yes else _("Reject: %s")) % card.title,
        "warning": card.will(word),
        "sentences": card.sentences if is_yes else [],
        "further": [priced.sentence, *priced.warnings] if priced else [],
        "submit": _("Approve") if is_yes else _("Reject"),
        "is_danger": is_yes and card.deletes,
    }
