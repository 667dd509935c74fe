"""Rows of a mapping: which field goes where, in which direction, and who wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from crmsync.engine.records import SIDES, Value
from crmsync.engine.values import FieldType
from crmsync.models import FieldMapping, Sync
from crmsync.models.sync import Conflict
from crmsync.sync.fields import Example
from crmsync.systems.base import FieldInfo

TYPES = [
    (FieldType.TEXT, _("text")),
    (FieldType.EMAIL, _("e-mail address")),
    (FieldType.PHONE, _("phone number")),
    (FieldType.DATE, _("date")),
    (FieldType.CHOICE, _("choice")),
    (FieldType.LIST, _("several choices")),
    (FieldType.URL, _("web address")),
    (FieldType.NUMBER, _("number")),
    (FieldType.COUNTRY, _("country")),
    (FieldType.STATE, _("state")),
]
CONFLICTS = [("", _("as the sync says")), *Conflict.choices]


class RowForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What can be changed on a row that is there."""

    conflict = forms.ChoiceField(label=_("When both changed"), required=False, choices=CONFLICTS)

    class Meta:
        model = FieldMapping
        fields = ["direction", "conflict"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The fields stand in table cells of their own, outside the row's form.
        for field in self.fields.values():
            field.widget.attrs["form"] = f"row-{self.instance.pk}"


class NewRowForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A new row. `known` are the real fields of both accounts, each shown with its value in `example`; which exist and fit is for
    crmsync.sync to say."""

    ghl_field = forms.CharField(label=_("GoHighLevel field"))
    centralstation_field = forms.CharField(label=_("CentralStationCRM field"))
    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=80,
        help_text=_("The plain word for it, in reasons and lists. Empty: the name in GoHighLevel."),
    )
    type = forms.ChoiceField(
        label=_("Compared as"),
        required=False,
        choices=[("", _("as the field is")), *TYPES],
        help_text=_("Two spellings of one phone number are equal."),
    )
    conflict = forms.ChoiceField(label=_("When both changed"), required=False, choices=CONFLICTS)

    class Meta:
        model = FieldMapping
        fields = ["ghl_field", "centralstation_field", "direction", "conflict", "name", "type"]

    def __init__(
        self, sync: Sync, known: tuple[list[FieldInfo], list[FieldInfo]], example: Example | None = None, data: Any = None
    ) -> None:
        super().__init__(data, instance=FieldMapping(sync=sync))
        mapped = list(sync.mappings.values_list("ghl_field", "centralstation_field"))
        for number, side in enumerate(SIDES):
            taken = {row[number] for row in mapped}
            values = example.values[side] if example else {}
            free = [field for field in known[number] if field.key not in taken]
            self.fields[f"{side}_field"].widget = forms.Select(choices=_choices(free, values))


def _choices(known: Sequence[FieldInfo], values: Mapping[str, Value]) -> list[Any]:
    """Standard fields first, then the account's own; each with its label, and what a real contact has in it."""
    standard = [(field.key, _option(field, values)) for field in known if not field.custom]
    custom = [(field.key, _option(field, values)) for field in known if field.custom]
    groups = [(_("Standard fields"), standard), (_("Custom fields"), custom)]
    return [("", _("Choose a field")), *((label, options) for label, options in groups if options)]


def _option(field: FieldInfo, values: Mapping[str, Value]) -> str:
    value = values.get(field.key)
    text = ", ".join(value) if isinstance(value, tuple) else value or ""
    return f"{field.label}: {shortened(text)}" if text else field.label


def shortened(text: str) -> str:
    return Truncator(text).chars(40)


class PairForm(forms.Form):
    """What is chosen so far, to be checked while choosing."""

    ghl_field = forms.CharField(max_length=120)
    centralstation_field = forms.CharField(max_length=120)
    direction = forms.ChoiceField(choices=FieldMapping.Direction.choices)


class ComparedForm(forms.Form):
    """Which revision another one is compared with, by its number."""

    to = forms.IntegerField(min_value=1, label=_("Compared with revision"))
