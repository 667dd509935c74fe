"""Who may sign in, and as what."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from crmsync.accounts import Role
from dashboard.forms.typed import checked, person_email

ROLES = [
    (Role.VIEWER, _("viewer: sees everything, presses nothing")),
    (Role.OPERATOR, _("operator: also retries, decides and runs")),
    (Role.ADMINISTRATOR, _("administrator: also connections, mappings and people")),
]


NAMES = [(Role.VIEWER, _("viewer")), (Role.OPERATOR, _("operator")), (Role.ADMINISTRATOR, _("administrator"))]


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=NAMES)


class InviteForm(forms.Form):
    email = forms.EmailField(label=_("E-mail address"), help_text=_("The person gets a link, to choose a password."))
    role = forms.ChoiceField(label=_("Role"), choices=ROLES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        checked(self.fields["email"], "email")

    def clean_email(self) -> str:
        return person_email(self.cleaned_data["email"])


class NewPersonForm(InviteForm):
    email = forms.EmailField(label=_("E-mail address"))
    password = forms.CharField(
        label=_("First password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Type one and tell the person, not by e-mail. It must be replaced at the first sign-in."),
    )

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("email", ""), self.cleaned_data.get("password")
        if password:
            try:
                validate_password(password, User(username=email, email=email))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return self.cleaned_data
