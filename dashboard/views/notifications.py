"""What a person is told without looking: reports by e-mail. Each chooses for themselves."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crmsync.models import ReportSubscription
from crmsync.sync import mailing
from dashboard.access import VIEW, StaffRequest, needs
from dashboard.answers import show_form
from dashboard.forms.notifications import ReportsForm


@require_http_methods(["GET", "HEAD", "POST"])
@needs(VIEW)
def notifications(request: StaffRequest) -> HttpResponse:
    chosen = list(ReportSubscription.objects.filter(user=request.user).values_list("every", flat=True))
    form = ReportsForm(request.POST if request.method == "POST" else None, initial={"every": chosen})
    if form.is_valid():
        mailing.subscribe(request.user, form.cleaned_data["every"], timezone.now())
        messages.success(request, _("Saved."))
        return redirect("notifications")
    return show_form(request, "notifications/page.html", form, has_email=bool(settings.EMAIL_URL))
