"""What a person is told without looking: alerts, and reports by e-mail. Each chooses for themselves."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from crmsync.models import AlertChoice, AlertMessage, ReportSubscription
from crmsync.sync import alerts, mailing
from dashboard.access import VIEW, StaffRequest, needs
from dashboard.answers import show_form
from dashboard.forms.notifications import AlertsForm, ReportsForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@needs(VIEW)
def notifications(request: StaffRequest) -> HttpResponse:
    form = ReportsForm(request.POST if request.method == "POST" else None, initial={"every": _subscribed(request)})
    if form.is_valid():
        mailing.subscribe(request.user, form.cleaned_data["every"], timezone.now(), str(timezone.get_current_timezone()))
        messages.success(request, _("Saved."))
        return redirect("notifications")
    return _page(request, form, alerts_form=AlertsForm(initial=_chosen(request)), reports_form=form)


@never_cache
@require_POST
@needs(VIEW)
def alerts_save(request: StaffRequest) -> HttpResponse:
    form = AlertsForm(request.POST)
    if form.is_valid():
        had_webhook = bool(_chosen(request).get("webhook_url"))
        choice = alerts.choose(request.user, timezone.now(), **form.cleaned_data)
        if choice.webhook_url and not had_webhook:
            return _secret(request)
        messages.success(request, _("Saved. You are told of what changes from now on."))
        return redirect("notifications")
    return _page(request, form, alerts_form=form, reports_form=ReportsForm(initial={"every": _subscribed(request)}))


@require_POST
@needs(VIEW)
def alerts_test(request: StaffRequest) -> HttpResponse:
    alerts.send_test(request.user, timezone.now())
    messages.success(request, _("Started: what becomes of the test is shown below in a moment."))
    return redirect("notifications")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@needs(VIEW)
def alerts_secret(request: StaffRequest) -> HttpResponse:
    """Say what a new secret means, then make one and show it this once."""
    if not _chosen(request).get("webhook_url"):
        messages.error(request, _("There is no webhook to sign. Enter an address first."))
        return redirect("notifications")
    return _secret(request) if request.method == "POST" else render(request, "notifications/renew.html")


@sensitive_variables("secret")
def _secret(request: StaffRequest) -> HttpResponse:
    """The secret is in the answer itself: in no address, session or message that is kept."""
    secret = alerts.renew_secret(request.user)
    return render(request, "notifications/secret.html", {"secret": secret})


def _page(request: StaffRequest, form: BaseForm, **forms: BaseForm) -> HttpResponse:
    """`form` is the one that was sent; the page has both."""
    choice = AlertChoice.objects.filter(user=request.user).first()
    sent = AlertMessage.objects.filter(choice=choice)[:10] if choice else []
    return show_form(request, "notifications/page.html", form, choice=choice, sent=sent, has_email=bool(settings.EMAIL_URL), **forms)


def _subscribed(request: StaffRequest) -> list[str]:
    return list(ReportSubscription.objects.filter(user=request.user).values_list("every", flat=True))


def _chosen(request: StaffRequest) -> dict[str, Any]:
    fields = ("kinds", "backlog_minutes", "by_email", "webhook_url")
    return AlertChoice.objects.filter(user=request.user).values(*fields).first() or {}
