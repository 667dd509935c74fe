"""What connecting GoHighLevel by OAuth asks for."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crmsync.sync.authorisation import AUTHORIZE_ROOT, ROOT, WHITE_LABEL_ROOT
from dashboard.forms.connections import secret
from dashboard.forms.typed import checked

A_PAGE = 20
"""So many locations GoHighLevel lists at once."""


class GhlOAuthForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What you call this account here, such as “Marketing Berlin”."))
    client_id = forms.CharField(
        label=_("Client id"), max_length=200, help_text=_("In GoHighLevel’s marketplace: your app, Advanced settings, Auth, client keys.")
    )
    client_secret = secret(_("Client secret"), _("Shown there once, when the client key is made."))
    root = forms.URLField(
        label=_("API address"), initial=ROOT, assume_scheme="https", help_text=_("Another one only for staging or a simulator.")
    )
    authorize_root = forms.URLField(
        label=_("Address of the authorisation page"),
        initial=AUTHORIZE_ROOT,
        assume_scheme="https",
        help_text=_("For a white-label app: %s") % WHITE_LABEL_ROOT,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        checked(self.fields["name"], "connection-name")
        checked(self.fields["root"], "address")
        checked(self.fields["authorize_root"], "address")


class LocationForm(forms.Form):
    """A choice where GoHighLevel told the agency's locations, else the id by hand; also where it may have told some of them only."""

    location_id = forms.CharField(
        label=_("Location id"),
        max_length=100,
        help_text=_("In GoHighLevel under Settings, Business Profile; also in the address of every page."),
    )

    def __init__(self, *args: Any, choices: list[list[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if 0 < len(choices) < A_PAGE:
            self.fields["location_id"] = forms.ChoiceField(label=_("Location"), choices=[(id, name) for id, name in choices])


class ClientSecretForm(forms.Form):
    client_secret = secret(_("New client secret"), _("In GoHighLevel’s marketplace: your app, Advanced settings, Auth, client keys."))
