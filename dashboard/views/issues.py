"""Failures by cause: the list, one cause with all that it holds up, and its retry, one contact first."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crmsync.engine.records import Side
from crmsync.models import SECRETS, Issue
from crmsync.sync import actions
from crmsync.sync.correcting import subject_of
from crmsync.sync.prices import MANY
from dashboard import costs
from dashboard.access import RETRY, VIEW, StaffRequest, needs
from dashboard.answers import act, back, show
from dashboard.fixing import fix_box
from dashboard.issues import IssueCard, issues_in
from dashboard.paging import page_of


@require_safe
@needs(VIEW)
def issues(request: StaffRequest) -> HttpResponse:
    is_open = request.GET.get("state") != "closed"
    open_count, closed_count = (Issue.objects.filter(closed_at__isnull=is_null).count() for is_null in (True, False))
    context = {
        "is_open": is_open,
        "open_count": open_count,
        "closed_count": closed_count,
        "page": page_of(issues_in(is_open=is_open), request.GET, size=25),
    }
    return show(request, "issues/page.html", "issues/_list.html", context)


@require_safe
@needs(VIEW)
def issue(request: StaffRequest, pk: int) -> HttpResponse:
    found = issue_by_id(pk)
    page = page_of(found.contacts.select_related("sync"), request.GET, size=25)
    subject = subject_of(found)
    boxes = {row.pk: fix_box(row, subject) for row in page.rows} if subject else {}
    card = IssueCard(found, request.user)
    priced = costs.of_retry(found.sync, card.retryable) if card.retryable >= MANY else []
    context = {"card": card, "issue": found, "page": page, "costs": priced, "subject": subject, "boxes": boxes}
    return show(request, "issues/issue.html", "issues/_live.html", context)


@require_POST
@needs(RETRY)
def retry(request: StaffRequest, pk: int) -> HttpResponse:
    """Try one of those that it holds up; a job lets the others follow, or stay."""
    found = issue_by_id(pk)
    act(request, lambda: actions.retry_all(found, request.user), _("Started: one contact is tried first."))
    return back(request, "issue", found.pk)


def issue_by_id(pk: int) -> Issue:
    """With its sync and both connections, without their secrets."""
    secrets = [f"sync__{side}__{name}" for side in Side for name in SECRETS]
    return get_object_or_404(Issue.objects.select_related("sync__ghl__budget", "sync__centralstation__budget").defer(*secrets), pk=pk)
