"""A sync's settings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crmsync.models import Connection, MatchBy, Mode, Sync
from dashboard.forms.typed import checked, region

ORDER = ("match_first", "match_second", "match_third")
BRAKE = (
    *("hold_deletions", "hold_deletions_share", "hold_creates", "hold_changes", "hold_changes_share"),
    *("creates_per_hour", "created_tag", "quiet_from", "quiet_until", "ping_pong_after"),
)
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
            *BRAKE,
        ]
        widgets = {name: forms.TimeInput(attrs={"type": "time"}, format="%H:%M") for name in ("quiet_from", "quiet_until")}
        help_texts = {
            "conflict": _("For fields without a rule of their own in the mapping."),
            "region": _(
                "Two letters, such as DE. Completes numbers without a country code. Empty: the country of the GoHighLevel location."
            ),
            "hold_deletions": _(
                "So many notes and tasks may be deleted by themselves within 10 minutes. What would be more waits for a yes."
            ),
            "hold_deletions_share": _("The same for the share of contacts that lose notes or tasks. Five contacts are never too many."),
            "hold_creates": _("So many contacts may be created by themselves within 10 minutes."),
            "hold_changes": _("Changes wait for a yes when they concern more contacts than these within 10 minutes, and at the same time…"),
            "hold_changes_share": _("…more than this share of all contacts."),
            "creates_per_hour": _("By themselves; the others wait their turn. Empty: as many as come."),
            "quiet_from": _("From then on nothing is written by itself, by the clock of the GoHighLevel location. Empty: no quiet hours."),
            "quiet_until": _("What waited goes on then. It may be the next morning."),
            "created_tag": _(
                "Set in the same request that creates a contact in GoHighLevel, so that automations can leave it out. It isn't brought "
                "over to CentralStationCRM. If you change it later, contacts that have the old one keep it as a usual tag."
            ),
            "ping_pong_after": _("Something else changes it back each time. It is left alone for that contact, and you are told."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, key in zip(ORDER, self.instance.match_by, strict=False):
            self.fields[name].initial = key
        checked(self.fields["name"], "sync-name", self.instance.pk)
        checked(self.fields["region"], "region")

    def clean_region(self) -> str:
        return region(self.cleaned_data["region"])

    def clean(self) -> dict[str, Any]:
        super().clean()
        chosen = [key for name in ORDER if (key := self.cleaned_data.get(name))]
        if len(set(chosen)) < len(chosen):
            self.add_error("match_second", _("Name each way of finding a person once."))
        self.cleaned_data["match_by"] = chosen
        if (self.cleaned_data.get("quiet_from") is None) != (self.cleaned_data.get("quiet_until") is None):
            self.add_error("quiet_until", _("Quiet hours have a beginning and an end: give both, or neither."))
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
            (_("The brake: what happens by itself and is too much at once is held until somebody says yes"), BRAKE[:5]),
            (_("Creating and writing with care"), BRAKE[5:]),
        ]
        return [(heading, [named[name] for name in names if name in named]) for heading, names in parts]

    def settings(self) -> dict[str, Any]:
        """The model's values that were typed."""
        return {name: value for name, value in self.cleaned_data.items() if name not in ORDER}


class ConnectionChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def __init__(self, side: str, label: Any) -> None:
        super().__init__(Connection.objects.filter(system=side).without_secrets(), label=label, empty_label=_("Choose an account"))


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
