"""The value to write in place of a refused one: typed, or one of the field's choices."""

from __future__ import annotations

from django import forms
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from dashboard.fixing import FixBox


class FixForm(forms.Form):
    """`seen` is the value that the page showed: another one isn't overwritten."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    value = forms.CharField(label=_lazy("Value to write"), required=False, max_length=2_000, strip=True)

    def __init__(self, box: FixBox, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        first = box.first
        self.initial = {"seen": box.value, "value": first.value if first else box.value}
        self.fields["value"].label = _("%(field)s in %(crm)s") % {"field": box.name.capitalize(), "crm": box.crm}
        self.fields["value"].help_text = escape(first.what) if first else ""  # it quotes what somebody typed
        self.fields["value"].required = all(one.value for one in box.offered)
        if box.offer.options:
            choices = [(option, option) for option in box.offer.options]
            self.fields["value"].widget = forms.Select(choices=choices, attrs={"class": "form-select"})
