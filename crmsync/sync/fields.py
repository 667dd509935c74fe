"""The real fields of both accounts, to choose from when mapping, and what is wrong with a pair of them."""

from __future__ import annotations

from django.core.cache import cache
from django.utils.translation import gettext as _
from pydantic import TypeAdapter

from crmsync.models import Connection, Sync
from crmsync.sync.session import open_system
from crmsync.systems.base import FieldInfo
from crmsync.systems.errors import NAMES

KEEP_S = 300
_FIELDS = TypeAdapter(list[FieldInfo])


def fields_of(connection: Connection) -> list[FieldInfo]:
    """All fields of an account, its custom ones included; remembered for some minutes. Raises `CrmError`."""
    key = f"fields-{connection.pk}"
    if (known := cache.get(key)) is not None:
        return _FIELDS.validate_json(known)
    system = open_system(connection)
    try:
        fields = system.fields()
    finally:
        system.close()
    cache.set(key, _FIELDS.dump_json(fields), KEEP_S)
    return fields


def check_mapping(sync: Sync, ghl_field: str, centralstation_field: str) -> list[str]:
    """What is wrong with mapping these two, in plain words; [] when nothing is. Raises `CrmError`."""
    wrong = []
    for connection, key in ((sync.ghl, ghl_field), (sync.centralstation, centralstation_field)):
        if all(field.key != key for field in fields_of(connection)):
            wrong.append(_("%(crm)s has no field “%(field)s”.") % {"crm": NAMES[connection.side], "field": key})
    return wrong


def type_of(sync: Sync, ghl_field: str, centralstation_field: str) -> str:
    """How a pair of existing fields is compared: as what they have in common, else as text."""
    pairs = ((sync.ghl, ghl_field), (sync.centralstation, centralstation_field))
    types = {field.type for connection, key in pairs for field in fields_of(connection) if field.key == key}
    return types.pop() if len(types) == 1 else "text"
