"""Rows of a mapping: which field goes where, in which direction, and who wins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crmsync.engine.values import FieldType
from crmsync.models import FieldMapping, Sync
from crmsync.models.sync import Conflict
from crmsync.sync import fields
from crmsync.systems.base import FieldInfo
from crmsync.systems.errors import CrmError

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
    """A new row. `known` are the real fields of both accounts; which exist and fit is for crmsync.sync to say."""

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
        fields = ["ghl_field", "centralstation_field", "name", "type", "direction", "conflict"]

    def __init__(self, sync: Sync, known: tuple[list[FieldInfo], list[FieldInfo]], data: Any = None) -> None:
        super().__init__(data, instance=FieldMapping(sync=sync, position=sync.mappings.count()))
        self._sync = sync
        self._label_by_key = {field.key: field.label for field in known[0]}
        for name, side_fields in zip(("ghl_field", "centralstation_field"), known, strict=True):
            taken = set(sync.mappings.values_list(name, flat=True))
            self.fields[name].widget = forms.Select(choices=_choices([field for field in side_fields if field.key not in taken]))

    def clean(self) -> dict[str, Any]:
        super().clean()
        ghl, central = self.cleaned_data.get("ghl_field", ""), self.cleaned_data.get("centralstation_field", "")
        if ghl and central:
            try:
                self._check(ghl, central)
            except CrmError as error:
                self.add_error(None, error.message)
        return self.cleaned_data

    def _check(self, ghl: str, central: str) -> None:
        """What is wrong with the pair, and, for what was left empty, its name and type. Raises `CrmError`."""
        for wrong in fields.check_mapping(self._sync, ghl, central):
            self.add_error(None, wrong)
        self.cleaned_data["name"] = self.cleaned_data.get("name") or self._label_by_key.get(ghl, ghl)
        self.cleaned_data["type"] = self.cleaned_data.get("type") or fields.type_of(self._sync, ghl, central)
        for name in ("ghl_field", "centralstation_field", "name"):
            if self._sync.mappings.filter(**{name: self.cleaned_data[name]}).exists():
                self.add_error(name, _("“%(value)s” is in the mapping already.") % {"value": self.cleaned_data[name]})


def _choices(known: Sequence[FieldInfo]) -> list[Any]:
    """Standard fields first, then the account's own; each with its label."""
    standard = [(field.key, field.label) for field in known if not field.custom]
    custom = [(field.key, field.label) for field in known if field.custom]
    groups = [(_("Standard fields"), standard), (_("Custom fields"), custom)]
    return [("", _("Choose a field")), *((label, options) for label, options in groups if options)]
