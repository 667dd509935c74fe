"""People: who may sign in, inviting, roles, taking access away, removing. Nobody changes their own account here."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crmsync.accounts import Role
from crmsync.sync import people as accounts
from crmsync.sync.actions import ActionError
from dashboard import first_password
from dashboard.access import PEOPLE, StaffRequest, needs
from dashboard.answers import accepted, act, show_form
from dashboard.forms.people import InviteForm, NewPersonForm, RoleForm

require_form = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@needs(PEOPLE)
def people(request: StaffRequest) -> HttpResponse:
    users = User.objects.prefetch_related("groups").order_by("-is_active", "email")
    return render(request, "people/page.html", {"people": [_person(user) for user in users]})


def _person(user: User) -> dict[str, Any]:
    """Roles come from the prefetched groups: one query for all."""
    names = {group.name for group in user.groups.all()}
    role = next((role for role in reversed(Role) if role in names), None)
    form = RoleForm(initial={"role": role}, prefix=str(user.pk))
    is_invited = user.is_active and user.last_login is None and not user.has_usable_password()
    return {"user": user, "role": role, "form": form, "is_new": first_password.GROUP in names, "is_invited": is_invited}


@never_cache
@require_form
@needs(PEOPLE)
def invite(request: StaffRequest) -> HttpResponse:
    form = InviteForm(request.POST or None)
    if form.is_valid():
        email, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])
        if user := accepted(form, lambda: accounts.invite(email, role, request.user)):
            return _invited(request, user, accounts.send_invitation(user))
    return show_form(request, "people/invite.html", form)


@sensitive_variables("link")
def _invited(request: StaffRequest, user: User, is_sent: bool) -> HttpResponse:
    """Where no e-mail could be sent, the link is in the answer itself: in no address, session or message that is kept."""
    if not is_sent:
        link = accounts.invitation(user)
        return render(request, "people/invited.html", {"person": user, "link": link})
    messages.success(request, _("%(email)s gets an e-mail with a link to choose a password.") % {"email": user.email})
    return redirect("people")


@never_cache
@require_POST
@needs(PEOPLE)
def resend(request: StaffRequest, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    try:
        return _invited(request, user, accounts.resend(user, request.user))
    except ActionError as error:
        messages.error(request, _("Nothing was done. %s") % error.message)
        return redirect("people")


@require_form
@sensitive_post_parameters("password")
@needs(PEOPLE)
def add(request: StaffRequest) -> HttpResponse:
    form = NewPersonForm(request.POST or None)
    if form.is_valid():
        email, role, password = form.cleaned_data["email"], Role(form.cleaned_data["role"]), form.cleaned_data["password"]
        if user := accepted(form, lambda: accounts.add(email, role, password, request.user)):
            first_password.mark(user)
            messages.success(request, _("%(email)s can sign in now.") % {"email": user.email})
            return redirect("people")
    return show_form(request, "people/add.html", form)


@require_POST
@needs(PEOPLE)
def role(request: StaffRequest, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    form = RoleForm(request.POST, prefix=str(pk))
    if user == request.user:
        messages.error(request, _("Nothing was done. Another administrator can change your role."))
    elif form.is_valid():
        wanted = Role(form.cleaned_data["role"])
        done = _("%(email)s has another role now.") % {"email": user.email}
        act(request, lambda: accounts.change_role(user, wanted, request.user), done)
    return redirect("people")


@require_POST
@needs(PEOPLE)
def access(request: StaffRequest, pk: int) -> HttpResponse:
    """Take access away, at once and in all browsers, or give it back."""
    user = get_object_or_404(User, pk=pk)
    if user == request.user:
        messages.error(request, _("Nothing was done. Another administrator can take your access away."))
        return redirect("people")
    is_active = not user.is_active
    said = _("%(email)s can sign in again.") if is_active else _("%(email)s can no longer sign in.")
    act(request, lambda: accounts.set_access(user, is_active=is_active, by=request.user), said % {"email": user.email})
    return redirect("people")


@require_form
@needs(PEOPLE)
def remove(request: StaffRequest, pk: int) -> HttpResponse:
    """Say what it means, then delete the account."""
    user = get_object_or_404(User, pk=pk)
    if user == request.user:
        messages.error(request, _("Nothing was done. Another administrator can remove you."))
        return redirect("people")
    if request.method != "POST":
        return render(request, "people/remove.html", {"person": user})
    email = user.email
    act(request, lambda: accounts.remove(user, request.user), _("%(email)s is removed.") % {"email": email})
    return redirect("people")
