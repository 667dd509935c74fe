"""What is done with many contacts at once: what it will do, said first; how far it is; stopping it."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crmsync.models import BulkAction, Contact, Status
from crmsync.sync import bulk
from dashboard.access import RETRY, VIEW, StaffRequest, needs
from dashboard.answers import back, show
from dashboard.bulk import BULK, BulkProgress, prospect
from dashboard.forms.contacts import Choice, ContactFilter
from dashboard.paging import page_of


@require_POST
@needs(RETRY)
def press(request: StaffRequest, name: str) -> HttpResponse:
    """Say in numbers what a button above the list will do; begin it when that was confirmed."""
    if (verb := BULK.get(name)) is None:
        raise Http404
    if not request.user.has_perm(verb.permission):
        raise PermissionDenied
    asked, choice = ContactFilter(request.POST), Choice(request.POST)
    selection = choice.selection(asked)
    coming = prospect(verb, selection.contacts())
    told = int(request.POST["told"]) if request.POST.get("told", "").isdecimal() else coming.taken
    reason, is_confirmed = request.POST.get("reason", "").strip()[:300], "confirmed" in request.POST
    if is_confirmed and coming.taken and (reason or verb.asks):
        action = bulk.begin(name, selection, request.user, total=min(coming.taken, told), detail={} if verb.asks else {"reason": reason})
        return _begun(request, action)
    context = {"asked": asked, "choice": choice, "verb": verb, "prospect": coming, "is_unreasoned": is_confirmed}
    return render(request, "bulk/confirm.html", context, status=422 if is_confirmed else 200)


def _begun(request: StaffRequest, action: BulkAction) -> HttpResponse:
    """A few are done by now, and the list shows them; of many, or where one goes first, the page tells how far it is."""
    if action.ended_at is None or action.canaries.filter(others__gt=0).exists():
        return redirect("bulk_action", action.pk)
    messages.success(request, BULK[action.verb].done(action.taken))
    return back(request, "contacts")


@require_safe
@needs(VIEW)
def bulk_action(request: StaffRequest, pk: int) -> HttpResponse:
    """How far it is, and what became of the contacts that it took."""
    found = get_object_or_404(BulkAction.objects.select_related("by"), pk=pk)
    taken = Contact.objects.filter(asked_in=found)
    status = request.GET.get("status", "")
    if status in Status.values:
        taken = taken.filter(status=status)
    context = {
        "progress": BulkProgress(found),
        "action": found,
        "status": status,
        "page": page_of(taken, request.GET, size=25),
        "may_stop": found.verb in BULK and request.user.has_perm(BULK[found.verb].permission),
    }
    return show(request, "bulk/page.html", "bulk/_live.html", context)


@require_POST
@needs(RETRY)
def stop(request: StaffRequest, pk: int) -> HttpResponse:
    """Take no more contacts. A held batch, once decided, is decided for all."""
    found = get_object_or_404(BulkAction, pk=pk, verb__in=BULK)
    if not request.user.has_perm(BULK[found.verb].permission):
        raise PermissionDenied
    if bulk.stop(found, request.user):
        messages.success(request, _("Stopped. What was done to the contacts taken stays done."))
    else:
        messages.info(request, _("It was over already."))
    return redirect("bulk_action", pk)
