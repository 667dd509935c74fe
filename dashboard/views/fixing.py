"""Fix it here: another value in place of a refused one, for one contact or for all that look the same."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crmsync.engine.mends import Way
from crmsync.models import Contact
from crmsync.sync import fixing
from crmsync.sync.actions import ActionError
from dashboard.access import RESOLVE, StaffRequest, needs
from dashboard.answers import act, back, show_form
from dashboard.fixing import Prospect, fix_box
from dashboard.forms.fixing import FixForm
from dashboard.paging import page_of
from dashboard.views.issues import issue_by_id


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RESOLVE)
def fix(request: StaffRequest, pk: int) -> HttpResponse:
    """Write another value where it comes from, and try the contact again; without one, ask for it."""
    found = get_object_or_404(Contact.objects.select_related("sync__ghl", "sync__centralstation", "issue"), pk=pk)
    if found.issue:
        found.issue.sync = found.sync
    box = fix_box(found)
    if box is None or box.offer.why_not:
        messages.error(request, box.offer.why_not if box else _("Nothing was done. The contact isn't held up by a value any more."))
        return back(request, "contact", pk)
    form = FixForm(box, request.POST or None)
    if form.is_valid():
        try:
            fixing.fix(found, form.cleaned_data["seen"], form.cleaned_data["value"], request.user)
        except ActionError as error:
            form.add_error("value", error.message)
        else:
            messages.success(request, _("Started: the value is written to %(crm)s, then the contact is tried again.") % {"crm": box.crm})
            return back(request, "contact", pk)
    return show_form(request, "contact/fix.html", form, contact=found, box=box)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RESOLVE)
def fix_alike(request: StaffRequest, pk: int, way: str) -> HttpResponse:
    """Show what is written for all that look the same; do it when that was confirmed, one first."""
    if way not in Way.__members__.values():
        raise Http404
    found = issue_by_id(pk)
    if request.method == "POST":
        act(request, lambda: fixing.fix_alike(found, Way(way), request.user), _("Started: one contact is corrected first."))
        return redirect("issue", pk)
    prospect = Prospect(found, Way(way))
    page = page_of(prospect.contacts, request.GET, size=25)
    return render(
        request, "issues/fix_alike.html", {"issue": found, "prospect": prospect, "page": page, "boxes": prospect.boxes(page.rows)}
    )
