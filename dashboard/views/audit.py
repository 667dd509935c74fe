"""The audit log: who did what, when, before and after; for administrators."""

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dashboard.access import PEOPLE, StaffRequest, needs
from dashboard.acts import csv_lines, shown
from dashboard.forms.audit import AuditFilter
from dashboard.paging import page_of


@require_safe
@needs(PEOPLE)
def audit(request: StaffRequest) -> HttpResponse:
    form = AuditFilter(request.GET)
    page = page_of(form.entries(), request.GET)
    return render(request, "audit/page.html", {"filter": form, "page": page, "acts": [shown(entry) for entry in page.rows]})


@require_safe
@needs(PEOPLE)
def export(request: StaffRequest) -> HttpResponse:
    """All that is asked for, newest first, as a CSV file."""
    entries = AuditFilter(request.GET).entries().iterator(chunk_size=2000)
    response = StreamingHttpResponse(csv_lines(entries), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response  # type: ignore[return-value]  # `needs` speaks of pages
