"""Accounts: where they are and how we prove who we are. A secret is typed once and never shown again."""

import re
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from crmsync.models import Connection
from crmsync.systems.ghl.webhooks import read_key
from dashboard.forms.typed import checked


def secret(label: Any, help_text: Any) -> forms.CharField:
    """A field for a secret: hidden while typed, not kept by the browser, not sent back with an error."""
    return forms.CharField(label=label, help_text=help_text, widget=forms.PasswordInput(attrs={"autocomplete": "off"}), max_length=2000)


class GhlForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What you call this account here, such as “Marketing Berlin”."))
    location_id = forms.CharField(
        label=_("Location id"),
        max_length=100,
        help_text=_("In GoHighLevel under Settings, Business Profile; also in the address of every page."),
    )
    token = secret(_("Private integration token"), _("In GoHighLevel under Settings, Private Integrations. It begins with “pit-”."))
    root = forms.URLField(
        label=_("Address"), required=False, assume_scheme="https", help_text=_("Only for a test system. Empty: GoHighLevel itself.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        checked(self.fields["name"], "connection-name")
        checked(self.fields["root"], "address")


class CentralStationForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What you call this account here, such as “Office”."))
    root = forms.URLField(
        label=_("Address of the account"),
        assume_scheme="https",
        help_text=_("As in your browser: https://your-company.centralstationcrm.net"),
    )
    api_key = secret(_("API key"), _("In CentralStationCRM under Account, API. An administrator there can make one."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        checked(self.fields["name"], "connection-name")
        checked(self.fields["root"], "address")


class EditForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = Connection
        fields = ["name", "default_user_id"]
        help_texts = {
            "default_user_id": _("Id of the user that gets tasks which have nobody over there. Empty: whom the credential belongs to.")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        checked(self.fields["name"], "connection-name", self.instance.pk)

    @property
    def columns(self) -> list[str]:
        """What of the connection was asked for."""
        return list(self.fields)


class GhlEditForm(EditForm):
    """With its addresses, and keys of one's own for webhooks, which a simulator or a proxy signs with."""

    class Meta(EditForm.Meta):
        fields = ["name", "client_id", "root", "authorize_root", "web_root", "default_user_id"]

    root = forms.URLField(
        label=_("Address"), max_length=300, assume_scheme="https", help_text=_("Of GoHighLevel itself, or of a test system.")
    )
    authorize_root = forms.URLField(
        label=_("Address of the authorisation page"),
        max_length=300,
        assume_scheme="https",
        help_text=_("Where Connect and Reconnect lead. For a white label: https://marketplace.leadconnectorhq.com"),
    )
    web_root = forms.URLField(
        label=_("Address in the browser"),
        required=False,
        max_length=300,
        assume_scheme="https",
        help_text=_("Where contacts are opened. For a white label: the address at which you sign in. Empty: https://app.gohighlevel.com"),
    )
    keys = forms.CharField(
        label=_("Public keys of webhooks"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text=_("PEM, Ed25519 or RSA, one below the other. Empty: the keys that GoHighLevel has published, as is usual."),
    )

    def __init__(self, posted: QueryDict | None, instance: Connection) -> None:
        super().__init__(posted, instance=instance, initial={"keys": "".join(instance.webhook_keys)})
        checked(self.fields["root"], "address")
        checked(self.fields["web_root"], "address")
        self.fields["client_id"].required = True
        if not instance.is_oauth:
            del self.fields["client_id"], self.fields["authorize_root"]

    @property
    def columns(self) -> list[str]:
        return ["webhook_keys" if name == "keys" else name for name in self.fields]

    def clean_root(self) -> str:
        return str(self.cleaned_data["root"]).rstrip("/")

    def clean_authorize_root(self) -> str:
        return str(self.cleaned_data["authorize_root"]).rstrip("/")

    def clean_web_root(self) -> str:
        """The page is found below it, whichever page the address was copied from."""
        parts = urlsplit(str(self.cleaned_data["web_root"]))
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    def clean_keys(self) -> list[str]:
        blocks = [block for block in re.split(r"(?<=-----END PUBLIC KEY-----)", self.cleaned_data["keys"]) if block.strip()]
        return [self._key(number, block) for number, block in enumerate(blocks, start=1)]

    def _key(self, number: int, block: str) -> str:
        try:
            return read_key(block)
        except ValueError as error:
            raise forms.ValidationError(_("Key %(number)s can't be used: %(fault)s."), params={"number": number, "fault": error}) from error

    def save(self, commit: bool = True) -> Any:
        self.instance.webhook_keys = self.cleaned_data["keys"]
        return super().save(commit)


class CredentialForm(forms.Form):
    credential = secret(_("New credential"), _("It is tested first; only one that works replaces the old one."))
