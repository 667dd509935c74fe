"""Connections: how they fare, adding, testing, renaming, a new credential, deleting."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import ProtectedError, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crmsync.engine.records import Side
from crmsync.models import Connection, Health, Sync
from crmsync.sync import actions, hooks, outcome, scopes, setup
from crmsync.sync.connection_report import ConnectionReport
from crmsync.systems.errors import CrmError
from dashboard.access import CONNECTIONS, RUN, VIEW, StaffRequest, needs
from dashboard.answers import accepted, back, show_form
from dashboard.forms.connections import CentralStationForm, CredentialForm, EditForm, GhlEditForm, GhlForm

require_form = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@needs(VIEW)
def connections(request: StaffRequest) -> HttpResponse:
    rows = Connection.objects.select_related("budget").without_secrets()
    return render(request, "connections/page.html", {"connections": rows})


@require_safe
@needs(VIEW)
def connection(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Connection.objects.select_related("budget").without_secrets(), pk=pk)
    report = ConnectionReport(found, timezone.now())
    context = {"connection": found, "report": report, "syncs": _syncs_of(found), "permissions": scopes.permissions(found)}
    return render(request, "connections/connection.html", context)


def _syncs_of(found: Connection) -> list[Sync]:
    return list(Sync.objects.filter(Q(ghl=found) | Q(centralstation=found)))


@require_form
@sensitive_post_parameters("token")
@needs(CONNECTIONS)
def add_ghl(request: StaffRequest) -> HttpResponse:
    form = GhlForm(request.POST or None)
    if form.is_valid():
        values = {name: value for name, value in form.cleaned_data.items() if value}
        if added := accepted(form, lambda: setup.add_ghl_connection(**values, by=request.user)):
            return _added(request, added)
    return show_form(request, "connections/add_ghl.html", form)


@require_form
@sensitive_post_parameters("api_key")
@needs(CONNECTIONS)
def add_centralstation(request: StaffRequest) -> HttpResponse:
    form = CentralStationForm(request.POST or None)
    if form.is_valid() and (added := accepted(form, lambda: setup.add_centralstation_connection(**form.cleaned_data, by=request.user))):
        return _added(request, added)
    return show_form(request, "connections/add_centralstation.html", form)


def _added(request: StaffRequest, added: Connection) -> HttpResponse:
    messages.success(request, _("Connected to %(account)s.") % {"account": added.account_name or added.name})
    return redirect("connection", added.pk)


@require_form
@needs(CONNECTIONS)
def edit(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Connection.objects.without_secrets(), pk=pk)
    form = (GhlEditForm if found.side is Side.GHL else EditForm)(request.POST or None, instance=found)
    if form.is_valid():
        setup.save_connection(form.save(commit=False), form.columns, request.user)
        messages.success(request, _("Saved."))
        return redirect("connection", pk)
    return show_form(request, "connections/edit.html", form, pk=pk)


@require_form
@sensitive_post_parameters("credential")
@needs(CONNECTIONS)
def credential(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Connection, pk=pk)
    if found.is_oauth:
        return redirect("connection_client_secret", pk)
    form = CredentialForm(request.POST or None)
    if form.is_valid():
        accepted(form, lambda: setup.replace_credential(found, form.cleaned_data["credential"], request.user))
        if form.is_valid():
            messages.success(request, _("The new credential works and is stored."))
            return redirect("connection", pk)
    return show_form(request, "connections/credential.html", form, connection=found)


@require_POST
@needs(CONNECTIONS)
def test(request: StaffRequest, pk: int) -> HttpResponse:
    tested = setup.test_connection(get_object_or_404(Connection, pk=pk))
    if tested.health == Health.OK:
        messages.success(request, _("%(name)s works.") % {"name": tested.name})
    else:
        messages.warning(request, tested.health_reason or str(tested.get_health_display()))
    return back(request, "connection", pk)


@require_form
@needs(RUN)
def pause(request: StaffRequest, pk: int) -> HttpResponse:
    """Say what it means, then do it."""
    found = get_object_or_404(Connection.objects.without_secrets(), pk=pk)
    if request.method != "POST":
        return render(request, "connections/pause.html", {"connection": found, "syncs": _syncs_of(found)})
    actions.pause_connection(found, request.user)
    messages.success(request, _("%(name)s is paused.") % {"name": found.name})
    return redirect("connection", pk)


@require_POST
@needs(RUN)
def resume(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Connection.objects.without_secrets(), pk=pk)
    actions.resume_connection(found, request.user)
    messages.success(request, _("%(name)s goes on. What changed meanwhile is caught up now.") % {"name": found.name})
    return back(request, "connection", pk)


HOOKS: dict[str, tuple[Callable[[Connection, User], object], str | Promise]] = {
    "register": (hooks.register, _lazy("The webhooks are registered, and looked after from now on.")),
    "repair": (hooks.repair, _lazy("The webhooks are in order.")),
    "remove": (hooks.remove, _lazy("The webhooks are removed. Changes are found by looking for them, later.")),
}


@require_POST
@needs(CONNECTIONS)
def hooks_do(request: StaffRequest, pk: int, verb: str) -> HttpResponse:
    """Ask CentralStationCRM to register, repair or remove its hooks, and say what came of it."""
    found = get_object_or_404(Connection, pk=pk, system=Side.CENTRALSTATION)
    if verb not in HOOKS:
        raise Http404
    call, done = HOOKS[verb]
    try:
        call(found, request.user)
    except CrmError as error:
        messages.error(request, found.hooks_notice or outcome.explain(error)[0])
    else:
        if found.hooks_notice:
            messages.warning(request, found.hooks_notice)
        else:
            messages.success(request, str(done))
    return redirect("connection", pk)


@require_form
@needs(CONNECTIONS)
def delete(request: StaffRequest, pk: int) -> HttpResponse:
    """Say what will happen, then do it; a connection that a sync uses stays."""
    found = get_object_or_404(Connection.objects.without_secrets(), pk=pk)
    if request.method != "POST":
        return render(request, "connections/delete.html", {"connection": found})
    try:
        setup.delete_connection(found, request.user)
    except ProtectedError:
        names = ", ".join(sync.name for sync in _syncs_of(found))
        messages.error(request, _("The connection stays: it is in use by %(syncs)s.") % {"syncs": names})
        return redirect("connection", pk)
    messages.success(request, _("%(name)s is deleted. The CRM itself is untouched.") % {"name": found.name})
    return redirect("connections")
