"""People: who may sign in, adding, roles, and taking access away. Nobody changes their own account here, so an administrator remains."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crmsync.accounts import Role, add_account
from dashboard import first_password
from dashboard.access import PEOPLE, StaffRequest, needs
from dashboard.answers import show_form
from dashboard.forms.people import NewPersonForm, RoleForm


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
    return {"user": user, "role": role, "form": form, "is_new": first_password.GROUP in names}


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@needs(PEOPLE)
def add(request: StaffRequest) -> HttpResponse:
    form = NewPersonForm(request.POST or None)
    if form.is_valid():
        user = add_account(form.cleaned_data["email"], Role(form.cleaned_data["role"]), form.cleaned_data["password"])
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
        user.groups.remove(*Group.objects.filter(name__in=list(Role)))
        user.groups.add(Group.objects.get(name=form.cleaned_data["role"]))
        messages.success(request, _("%(email)s has another role now.") % {"email": user.email})
    return redirect("people")


@require_POST
@needs(PEOPLE)
def access(request: StaffRequest, pk: int) -> HttpResponse:
    """Take access away, at once and in all browsers, or give it back."""
    user = get_object_or_404(User, pk=pk)
    if user == request.user:
        messages.error(request, _("Nothing was done. Another administrator can take your access away."))
        return redirect("people")
    user.is_active = not user.is_active
    user.save(update_fields=["is_active"])
    if user.is_active:
        messages.success(request, _("%(email)s can sign in again.") % {"email": user.email})
    else:
        messages.success(request, _("%(email)s can no longer sign in.") % {"email": user.email})
    return redirect("people")
