"""The list of contacts: found by what is typed and chosen, as a page or as a file, and what can be done with many at once."""

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from crmsync.models import Contact, Issue, Status
from dashboard.access import VIEW, StaffRequest, needs
from dashboard.answers import show
from dashboard.bulk import BULK, under_way
from dashboard.forms.contacts import CAUSES, WHICH, ContactFilter, are_many_syncs
from dashboard.found import counts, csv_lines
from dashboard.looks import STATUS
from dashboard.paging import page_of
from dashboard.saved import Tabs


@require_safe
@needs(VIEW)
def contacts(request: StaffRequest) -> HttpResponse:
    asked = ContactFilter(request.GET)
    page = page_of(asked.with_status().select_related("sync"), request.GET, order=asked.order)
    total, statuses = counts(asked)
    context = {
        "filter": asked,
        "tabs": Tabs(request.user, asked),
        "with_sync": are_many_syncs(),
        "nothing": _nothing(asked),
        "chosen": asked.cleaned_data,
        "page": page,
        "shown": ",".join(str(contact.pk) for contact in page.rows),
        "statuses": statuses,
        "total": total,
        "causes": Issue.objects.filter(closed_at=None)[:CAUSES],
        "bulk": [verb for verb in BULK.values() if request.user.has_perm(verb.permission)],
        "which": WHICH.items(),
    }
    if not request.htmx:
        context["under_way"] = under_way()
    return show(request, "contacts/page.html", "contacts/_list.html", context)


def _nothing(asked: ContactFilter) -> str:
    """What to say where there is no contact of the status chosen, "" where more was asked for than a status."""
    status = asked.cleaned_data.get("status")
    return str(STATUS[Status(status)].none) if status and not asked.asked.keys() - {"status", "sync", "sort"} else ""


@require_safe
@needs(VIEW)
def export(request: StaffRequest) -> HttpResponseBase:
    """What the filter finds, as a file that begins to arrive at once."""
    lines = csv_lines(ContactFilter(request.GET).with_status())
    return StreamingHttpResponse(
        lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": 'attachment; filename="contacts.csv"'}
    )


@require_safe
@needs(VIEW)
def contact_row(request: StaffRequest, pk: int) -> HttpResponse:
    """One row, for one that refreshes itself while its contact is being worked on."""
    row = get_object_or_404(Contact.objects.select_related("sync"), pk=pk)
    context = {"contact": row, "is_watched": True, "is_choosable": "choose" in request.GET, "with_sync": are_many_syncs()}
    return render(request, "contacts/_row.html", context)
