"""The list of contacts, found by sync, status and what is typed, and Retry for what it shows."""

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from crmsync.models import Contact, RunKind, Status, Sync
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import actions
from crmsync.sync.prices import Price, price
from dashboard.access import RETRY, VIEW, StaffRequest, needs
from dashboard.answers import act, back, show
from dashboard.forms.contacts import ContactFilter, are_many_syncs
from dashboard.looks import STATUS
from dashboard.paging import page_of
from dashboard.verbs import RETRYABLE

MANY = 50
"""Retrying fewer costs too little to speak of."""


@require_safe
@needs(VIEW)
def contacts(request: StaffRequest) -> HttpResponse:
    asked = ContactFilter(request.GET)
    counts = dict(asked.contacts().order_by().values_list("status").annotate(Count("pk")))
    retryable = _retryable(asked).count() if request.user.has_perm(RETRY) else 0
    context = {
        "filter": asked,
        "with_sync": are_many_syncs(),
        "nothing": _nothing(asked),
        "chosen": asked.cleaned_data,
        "page": page_of(asked.with_status().select_related("sync"), request.GET),
        "statuses": [(status, counts[status]) for status in Status if status in counts],
        "total": sum(counts.values()),
        "retryable": retryable,
        "price": _price(asked, retryable),
    }
    return show(request, "contacts/page.html", "contacts/_found.html", context)


def _nothing(asked: ContactFilter) -> str:
    """What to say where there is no contact of the status chosen, "" where more was asked for than a status."""
    chosen = asked.cleaned_data
    status = chosen.get("status")
    return "" if not status or chosen.get("q") or chosen.get("issue") else str(STATUS[Status(status)].none)


def _price(asked: ContactFilter, n: int) -> Price | None:
    """What retrying them all costs, where they are many and of one sync."""
    if n < MANY:
        return None
    chosen = asked.cleaned_data.get("sync")
    syncs = Sync.objects.select_related("ghl__budget", "centralstation__budget").filter(**({"pk": chosen.pk} if chosen else {}))
    return price(syncs[0], RunKind.RETRY, contacts=n) if len(syncs) == 1 else None


def _retryable(asked: ContactFilter) -> ContactQuerySet:
    """What the brake holds is approved or rejected as a whole, or retried one by one."""
    return asked.with_status().filter(status__in=RETRYABLE, held_by=None)


@require_POST
@needs(RETRY)
def retry_found(request: StaffRequest) -> HttpResponse:
    """Retry what the list showed: its filter is in the form."""
    return _retry(request, _retryable(ContactFilter(request.POST)))


def _retry(request: StaffRequest, which: ContactQuerySet) -> HttpResponse:
    count = which.count()
    act(
        request,
        lambda: actions.retry(which, request.user),
        ngettext("%d contact will be tried again now.", "%d contacts will be tried again now.", count) % count,
    )
    return back(request, "contacts")


@require_safe
@needs(VIEW)
def contact_row(request: StaffRequest, pk: int) -> HttpResponse:
    """One row, for one that refreshes itself while its contact is being worked on."""
    row = get_object_or_404(Contact.objects.select_related("sync"), pk=pk)
    return render(request, "contacts/_row.html", {"contact": row, "is_watched": True, "with_sync": are_many_syncs()})
