"""Connecting GoHighLevel by OAuth: the app's credentials, the way to GoHighLevel's page and back, an agency's location.

What a person brings back is taken only in the browser session that sent them, once: `state` says so.
"""

import secrets
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from crmsync.models import Connection, Health
from crmsync.sync import authorisation
from crmsync.sync.setup import SetupError
from dashboard.access import CONNECTIONS, StaffRequest, needs
from dashboard.answers import accepted, show_form
from dashboard.forms.authorisation import ClientSecretForm, GhlOAuthForm, LocationForm

require_form = require_http_methods(["GET", "HEAD", "POST"])

UNDER_WAY = "ghl_authorisations"
"""In the session: what was begun, by its state."""

AT_ONCE = 5
LOCATIONS = "ghl_locations"
"""In the session: an agency's locations to choose among, by the connection's id."""


@require_form
@sensitive_post_parameters("client_secret")
@needs(CONNECTIONS)
def add(request: StaffRequest) -> HttpResponse:
    form = GhlOAuthForm(request.POST or None)
    if form.is_valid():
        values = {name: value for name, value in form.cleaned_data.items() if value}
        if added := accepted(form, lambda: authorisation.add(**values, by=request.user)):
            return redirect("connection_connect", added.pk)
    return show_form(request, "connections/add_ghl_oauth.html", form, redirect_uri=authorisation.redirect_uri())


@never_cache
@require_safe
@needs(CONNECTIONS)
def connect(request: StaffRequest, pk: int) -> HttpResponse:
    """What is asked for and why, and the link to GoHighLevel's page: a link, for our policy lets no form lead elsewhere."""
    found = get_object_or_404(Connection, pk=pk)
    if not found.is_oauth:
        messages.info(request, _("%(name)s has a token or key of its own: replace that instead.") % {"name": found.name})
        return redirect("connection", pk)
    for_agency = request.GET.get("agency", "1" if found.company_id else "0") == "1"
    context = {
        "connection": found,
        "for_agency": for_agency,
        "scopes": authorisation.scopes(for_agency=for_agency),
        "redirect_uri": authorisation.redirect_uri(),
        "address": authorisation.address(found, _begin(request, pk, for_agency=for_agency), for_agency=for_agency),
    }
    return render(request, "connections/connect.html", context)


def _begin(request: StaffRequest, pk: int, *, for_agency: bool) -> str:
    """A new state, remembered in this browser's session only. A page left open in another tab keeps its own."""
    state = secrets.token_urlsafe(32)
    others = list(request.session.get(UNDER_WAY, {}).items())[1 - AT_ONCE :]
    request.session[UNDER_WAY] = {**dict(others), state: {"connection": pk, "agency": for_agency}}
    return state


def _begun(request: StaffRequest) -> dict[str, Any] | None:
    """What this answer belongs to, once; None for one that nobody in this browser asked for."""
    under_way = request.session.get(UNDER_WAY, {})
    found: dict[str, Any] | None = under_way.pop(request.GET.get("state", ""), None)
    request.session[UNDER_WAY] = under_way
    return found


@never_cache
@require_safe
@needs(CONNECTIONS)
def callback(request: StaffRequest) -> HttpResponse:
    """Back from GoHighLevel, with a code or a no."""
    begun = _begun(request)
    found = Connection.objects.filter(pk=begun["connection"]).first() if begun else None
    if begun is None or found is None:
        messages.error(
            request,
            _(
                "This answer of GoHighLevel doesn't belong to anything that was begun in this browser, or was taken already. Nothing was "
                "changed: press Connect on the connection's page."
            ),
        )
        return redirect("connections")
    if not (code := request.GET.get("code", "")):
        messages.warning(request, _no(request))
        return redirect("connection_connect", found.pk)
    try:
        choices = authorisation.finish(found, code, for_agency=begun["agency"], by=request.user)
    except SetupError as error:
        messages.error(request, error.message)
        return redirect("connection", found.pk)
    if not found.account_id and found.health != Health.RECONNECT:
        request.session[LOCATIONS] = {str(found.pk): [[choice.id, choice.name] for choice in choices]}
        return redirect("connection_location", found.pk)
    return _connected(request, found)


def _no(request: StaffRequest) -> str:
    if request.GET.get("error") == "access_denied":
        return _("GoHighLevel says that access was denied. Nothing was changed: go there again to say yes.")
    return _("GoHighLevel sent no code. Nothing was changed: check client id, scopes and redirect address in the app, and go there again.")


def _connected(request: StaffRequest, found: Connection) -> HttpResponse:
    names = {"account": found.account_name or found.name, "reason": found.health_reason}
    match found.health:
        case Health.OK:
            messages.success(request, _("Connected to %(account)s.") % names)
        case Health.LIMITED:
            messages.warning(request, _("Connected to %(account)s, with permissions missing. %(reason)s") % names)
        case _:
            messages.error(request, _("The authorisation is stored, but %(account)s doesn't work yet. %(reason)s") % names)
    return redirect("connection", found.pk)


@require_form
@needs(CONNECTIONS)
def location(request: StaffRequest, pk: int) -> HttpResponse:
    """Which of an agency's locations the connection is for."""
    found = get_object_or_404(Connection, pk=pk)
    if not found.company_id or found.account_id:
        messages.info(request, _("There is no location to choose for %(name)s.") % {"name": found.name})
        return redirect("connection", pk)
    form = LocationForm(request.POST or None, choices=request.session.get(LOCATIONS, {}).get(str(pk), []))
    if form.is_valid() and _chosen(form, found, request):
        request.session.pop(LOCATIONS, None)
        return _connected(request, found)
    return show_form(request, "connections/location.html", form, connection=found)


def _chosen(form: LocationForm, found: Connection, request: StaffRequest) -> bool:
    return accepted(form, lambda: authorisation.choose_location(found, form.cleaned_data["location_id"], request.user)) is not None


@require_form
@sensitive_post_parameters("client_secret")
@needs(CONNECTIONS)
def client_secret(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Connection, pk=pk)
    if not found.is_oauth:
        return redirect("connection_credential", pk)
    form = ClientSecretForm(request.POST or None)
    if (
        form.is_valid()
        and accepted(form, lambda: authorisation.replace_client_secret(found, form.cleaned_data["client_secret"], request.user)) is not None
    ):
        messages.success(request, _("The new client secret is stored. It is used from the next renewal on, and by Reconnect."))
        return redirect("connection", pk)
    return show_form(request, "connections/client_secret.html", form, connection=found)
