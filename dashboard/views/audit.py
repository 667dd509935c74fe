"""The audit log: who did what, when, before and after, and taking it back; for administrators."""

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crmsync.models import AuditEntry
from crmsync.sync.setup import COMPARED_ANEW
from crmsync.sync.taking_back import offers
from dashboard import costs
from dashboard.access import PEOPLE, StaffRequest, needs
from dashboard.acts import changes_of, csv_lines, shown
from dashboard.answers import act
from dashboard.forms.audit import AuditFilter
from dashboard.paging import page_of


@require_safe
@needs(PEOPLE)
def audit(request: StaffRequest) -> HttpResponse:
    form = AuditFilter(request.GET)
    page = page_of(form.entries(), request.GET)
    context = {"filter": form, "page": page, "acts": [shown(entry) for entry in page.rows], "offers": offers(page.rows)}
    return render(request, "audit/page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(PEOPLE)
def take_back(request: StaffRequest, pk: int) -> HttpResponse:
    """Show what would be put back, then put it back. A mapping has a page of its own for that, which shows each row."""
    entry = get_object_or_404(AuditEntry, pk=pk)
    offer = offers([entry]).get(pk)
    if offer is None:
        messages.error(request, _("There is nothing to take back: it is so already, or what it was about is gone."))
        return redirect("audit")
    if offer.revision:
        return redirect("mapping_restore", offer.revision.sync_id, offer.revision.number)
    if request.method == "POST":
        act(request, lambda: offer.call(request.user), _("It is as it was before."))
        return redirect("audit")
    changes = changes_of(entry.object_kind, offer.now, offer.then)
    further = costs.of_change(offer.sync) if offer.sync and offer.then.keys() & COMPARED_ANEW else []
    return render(request, "audit/take_back.html", {"act": shown(entry), "changes": changes, "further": further})


@require_safe
@needs(PEOPLE)
def export(request: StaffRequest) -> HttpResponse:
    """All that is asked for, newest first, as a CSV file."""
    entries = AuditFilter(request.GET).entries().iterator(chunk_size=2000)
    response = StreamingHttpResponse(csv_lines(entries), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response  # type: ignore[return-value]  # `needs` speaks of pages
