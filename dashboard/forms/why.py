"""What is pasted into *Why?*, and which field of a contact is asked about."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class WhyForm(forms.Form):
    q = forms.CharField(
        label=_("Name, e-mail, phone, id or address"),
        max_length=500,
        error_messages={"max_length": _("The text is too long: paste one name, e-mail, phone number, id or address.")},
    )

    @property
    def text(self) -> str:
        """What was pasted, as far as it can be looked for."""
        return str(self.cleaned_data["q"]) if self.is_valid() else ""
