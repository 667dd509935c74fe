"""The real fields of both accounts, to choose from when mapping, and what is wrong with a pair of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

from django.core.cache import cache
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from pydantic import TypeAdapter

from crmsync.engine.mapping import Direction
from crmsync.engine.records import SIDES, Aspect, Side, Value
from crmsync.engine.values import FieldType
from crmsync.models import Connection, Contact, Sync
from crmsync.sync.session import open_system
from crmsync.systems.base import FieldInfo
from crmsync.systems.centralstation import fields as centralstation_fields
from crmsync.systems.errors import NAMES, CrmError
from crmsync.systems.ghl import fields as ghl_fields

KEEP_S, SILENT_S = 300, 60
_FIELDS = TypeAdapter(list[FieldInfo])


def fields_of(connection: Connection) -> list[FieldInfo]:
    """All fields of an account, its custom ones included; remembered for some minutes. Raises `CrmError`."""
    if (known := cache.get(_key(connection))) is not None:
        return _FIELDS.validate_json(known)
    system = open_system(connection)
    try:
        fields = system.fields()
    finally:
        system.close()
    remember(connection, fields)
    return fields


def remember(connection: Connection, fields: list[FieldInfo]) -> None:
    """Don't ask the CRM for its fields for some minutes: they are these."""
    cache.set(_key(connection), _FIELDS.dump_json(fields), KEEP_S)


def _key(connection: Connection) -> str:
    return f"fields-{connection.pk}"


def known_field(connection: Connection, key: str) -> FieldInfo | None:
    """What a field is and takes. An account is asked for its own fields only; None where it has no such field, or doesn't answer."""
    standard = ghl_fields.STANDARD if connection.side is Side.GHL else centralstation_fields.STANDARD
    if found := next((field for field in standard if field.key == key), None):
        return found
    silent = f"{_key(connection)}-silent"
    if cache.get(silent):  # or each look at a page would wait for it
        return None
    try:
        return next((field for field in fields_of(connection) if field.key == key), None)
    except CrmError:
        cache.set(silent, True, SILENT_S)
        return None


def label_of(connection: Connection, key: str) -> str:
    """A field's name in its CRM, its key where it has none. Raises `CrmError`."""
    return next((field.label for field in fields_of(connection) if field.key == key), key)


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether two fields can be mapped. `wrong`: the form's field to correct, and why; `notes`: what can't be brought over all the same."""

    wrong: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


_TEXTS = (FieldType.EMAIL, FieldType.PHONE, FieldType.URL, FieldType.STATE, FieldType.LIST)
"""What a text may be brought to: what isn't of that form is refused contact by contact, and said there."""

_HELD = {
    FieldType.TEXT: _lazy("texts"),
    FieldType.EMAIL: _lazy("e-mail addresses"),
    FieldType.PHONE: _lazy("phone numbers"),
    FieldType.DATE: _lazy("dates"),
    FieldType.CHOICE: _lazy("one of its choices"),
    FieldType.LIST: _lazy("several choices"),
    FieldType.URL: _lazy("web addresses"),
    FieldType.NUMBER: _lazy("numbers"),
    FieldType.COUNTRY: _lazy("countries"),
    FieldType.STATE: _lazy("states"),
}


def fit(sync: Sync, ghl_field: str, centralstation_field: str, direction: str) -> Fit:
    """What is wrong with mapping these two in this direction, in plain words. Raises `CrmError`."""
    keys = ((Side.GHL, sync.ghl, ghl_field), (Side.CENTRALSTATION, sync.centralstation, centralstation_field))
    found = {side: next((field for field in fields_of(account) if field.key == key), None) for side, account, key in keys}
    unknown = [
        (f"{side}_field", _("%(crm)s has no field “%(field)s”.") % {"crm": NAMES[side], "field": key})
        for side, _account, key in keys
        if found[side] is None
    ]
    known = {side: field for side, field in found.items() if field is not None}
    if unknown:
        return Fit(tuple(unknown))
    ways = [side for side in SIDES if Direction(direction).allows(side)]
    wrong = [(f"{side}_field", fault) for side in ways if (fault := _fault(known, side))]
    if len(ways) > len(wrong) == 1:
        way = next(side for side in ways if not _fault(known, side))
        advice = _("It can go to %(crm)s only: choose that direction.") % {"crm": NAMES[way]}
        wrong = [(field, f"{fault} {advice}") for field, fault in wrong]
    return Fit(tuple(wrong), () if wrong else tuple(note for side in ways for note in _notes(known, side)))


def _fault(known: Mapping[Side, FieldInfo], to: Side) -> str:
    """Why nothing of the other side's field can be brought to this one; "" where it can."""
    there, here = known[to], known[to.other]
    names = {"to": there.label, "crm": NAMES[to], "from": here.label, "other": NAMES[to.other]}
    if not _takes(FieldType(there.type), FieldType(here.type)):
        kinds = {"kind": _HELD[FieldType(there.type)], "other_kind": _HELD[FieldType(here.type)]}
        return _("“%(to)s” in %(crm)s takes %(kind)s only, and “%(from)s” in %(other)s holds %(other_kind)s.") % {**names, **kinds}
    if there.options and here.options and not _options(there) & _options(here):
        return _("“%(to)s” in %(crm)s and “%(from)s” in %(other)s have no choice in common.") % names
    return ""


def _takes(there: FieldType, here: FieldType) -> bool:
    if there in (FieldType.TEXT, here) or (there, here) == (FieldType.LIST, FieldType.CHOICE):
        return True
    return here is FieldType.TEXT and there in _TEXTS


def _options(field: FieldInfo) -> set[str]:
    return {option.strip().casefold() for option in field.options}


def _notes(known: Mapping[Side, FieldInfo], to: Side) -> Iterator[str]:
    there, here = known[to], known[to.other]
    names = {"to": there.label, "crm": NAMES[to], "from": here.label}
    missing = [option for option in here.options if option.strip().casefold() not in _options(there)] if there.options else []
    if missing:
        yield _("“%(to)s” in %(crm)s lacks these choices, which can't be brought over: %(choices)s.") % {
            **names,
            "choices": ", ".join(missing),
        }
    if here.type == FieldType.TEXT and there.type in _TEXTS:
        kind = _HELD[FieldType(there.type)]
        yield _("“%(to)s” in %(crm)s takes %(kind)s: any other text of “%(from)s” can't be brought over.") % {**names, "kind": kind}
    elif there.capacity and there.type == here.type == FieldType.TEXT and (here.capacity or there.capacity + 1) > there.capacity:
        yield _("“%(to)s” in %(crm)s holds %(n)s characters at most: a longer text can't be brought over.") % {**names, "n": there.capacity}


@dataclass(frozen=True, slots=True)
class Example:
    """A real contact as both sides show it now: values by the CRM's own field."""

    label: str
    values: Mapping[Side, Mapping[str, Value]]


def example_contact(sync: Sync) -> Contact | None:
    """A linked contact with much in it, to show values of."""
    latest = sync.contacts.filter(ghl_id__isnull=False, centralstation_id__isnull=False, missing_on="").order_by("-pk")[:20]
    return max(latest, key=lambda one: sum(any(pair) for pair in one.base.get("fields", {}).values()), default=None)


def example(sync: Sync) -> Example | None:
    """Two requests; what they bring is kept nowhere. None without a linked contact. Raises `CrmError`."""
    if (contact := example_contact(sync)) is None:
        return None
    profiles = {}
    for connection in (sync.ghl, sync.centralstation):
        with closing(open_system(connection)) as system:
            profiles[connection.side] = system.read(str(contact.remote_id(connection.side)), Aspect.PROFILE).profile
    return Example(str(contact), profiles)


def type_of(sync: Sync, ghl_field: str, centralstation_field: str) -> str:
    """How a pair of existing fields is compared: as what they have in common, else as text."""
    pairs = ((sync.ghl, ghl_field), (sync.centralstation, centralstation_field))
    types = {field.type for connection, key in pairs for field in fields_of(connection) if field.key == key}
    return types.pop() if len(types) == 1 else "text"
