"""What a person wants to be told without looking."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from crmsync.models import AlertKind, Every
from crmsync.sync import posting


class ReportsForm(forms.Form):
    every = forms.MultipleChoiceField(
        label=_("E-mail me the report of each"), choices=Every.choices, required=False, widget=forms.CheckboxSelectMultiple
    )


class AlertsForm(forms.Form):
    kinds = forms.MultipleChoiceField(
        label=_("Tell me when"), choices=AlertKind.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    backlog_minutes = forms.IntegerField(label=_("“Too long” is more than (minutes)"), min_value=1, max_value=10_080, initial=30)
    by_email = forms.BooleanField(label=_("By e-mail"), required=False, initial=True)
    webhook_url = forms.CharField(
        label=_("By webhook, to this address"),
        required=False,
        max_length=500,
        help_text=_("A signed JSON message is posted there by https."),
        widget=forms.URLInput,
    )

    def clean_webhook_url(self) -> str:
        url: str = self.cleaned_data["webhook_url"]
        if url:
            try:
                posting.check_address(url)
            except (posting.NotDelivered, ValueError) as error:
                told = str(error) if isinstance(error, posting.NotDelivered) else _g("This is no address.")
                raise forms.ValidationError(told) from error
        return url

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("kinds") and not values.get("by_email") and not values.get("webhook_url") and not self.errors:
            self.add_error("by_email", _("Choose at least one way to be told."))
        return values
