"""The name of a saved view, and who sees it."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from crmsync.models import SavedView


class SavedViewForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = SavedView
        fields = ["name", "is_shared"]
        labels = {"name": _("Name"), "is_shared": _("Share it with everybody who uses crmsync")}
