"""A sync's settings."""

from __future__ import annotations

from typing import Any

import phonenumbers
from django import forms
from django.utils.translation import gettext_lazy as _

from crmsync.models import Connection, MatchBy, Mode, Sync

ORDER = ("match_first", "match_second", "match_third")
MATCH_CHOICES = [("", _("nothing more")), *MatchBy.choices]


def _match_field(label: Any, *, required: bool = False, help_text: Any = "") -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=required, choices=MatchBy.choices if required else MATCH_CHOICES, help_text=help_text)


class SyncForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    match_first = _match_field(
        _("The same person is found by"), required=True, help_text=_("Tried in this order; the first that finds anybody decides.")
    )
    match_second = _match_field(_("then by"))
    match_third = _match_field(_("then by"))

    class Meta:
        model = Sync
        fields = [
            "name",
            "conflict",
            *("create_in_ghl", "create_in_centralstation"),
            *("sync_tags", "sync_notes", "sync_tasks"),
            *("region", "last_name_stand_in", "poll_every_s"),
        ]
        help_texts = {
            "conflict": _("For fields without a rule of their own in the mapping."),
            "region": _(
                "Two letters, such as DE. Completes numbers without a country code. Empty: the country of the GoHighLevel location."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, key in zip(ORDER, self.instance.match_by, strict=False):
            self.fields[name].initial = key

    def clean_region(self) -> str:
        region: str = self.cleaned_data["region"].upper()
        if region and region not in phonenumbers.SUPPORTED_REGIONS:
            raise forms.ValidationError(
                _("There is no country “%(region)s”. Two letters, such as DE, AT, CH, GB or US."), params={"region": region}
            )
        return region

    def clean(self) -> dict[str, Any]:
        super().clean()
        chosen = [key for name in ORDER if (key := self.cleaned_data.get(name))]
        if len(set(chosen)) < len(chosen):
            self.add_error("match_second", _("Name each way of finding a person once."))
        self.cleaned_data["match_by"] = chosen
        return self.cleaned_data

    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The fields under headings, in the order of the page."""
        named = {name: self[name] for name in self.fields}
        parts = [
            (_("Sync"), ("name", "ghl", "centralstation", "mode", "conflict")),
            (_("Finding the same person"), ORDER),
            (_("Missing contacts"), ("create_in_ghl", "create_in_centralstation", "last_name_stand_in")),
            (_("What is kept the same besides the fields"), ("sync_tags", "sync_notes", "sync_tasks")),
            (_("Details"), ("region", "poll_every_s")),
        ]
        return [(heading, [named[name] for name in names if name in named]) for heading, names in parts]

    def settings(self) -> dict[str, Any]:
        """The model's values that were typed."""
        return {name: value for name, value in self.cleaned_data.items() if name not in ORDER}


class ConnectionChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def __init__(self, side: str, label: Any) -> None:
        super().__init__(Connection.objects.filter(system=side).defer("credential"), label=label, empty_label=_("Choose an account"))


class NewSyncForm(SyncForm):
    ghl = ConnectionChoice("ghl", _("GoHighLevel account"))
    centralstation = ConnectionChoice("centralstation", _("CentralStationCRM account"))
    mode = forms.ChoiceField(
        label=_("Begin as"),
        choices=[
            (Mode.DRAFT, _("draft: nothing runs until it goes live")),
            (Mode.LIVE, _("live: both accounts are kept the same from now on")),
        ],
    )
