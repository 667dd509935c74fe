"""What a person wants to be told without looking."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from crmsync.models import Every


class ReportsForm(forms.Form):
    every = forms.MultipleChoiceField(
        label=_("E-mail me the report of each"), choices=Every.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
