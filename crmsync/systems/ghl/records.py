"""GoHighLevel's records in the engine's words, and back: contacts to `Record`, changes to the body of a write (ghl.md, section 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from crmsync.engine.records import FieldKey, Record, Side, Value
from crmsync.systems.ghl.answers import Contact
from crmsync.systems.ghl.fields import CUSTOM, STANDARD_KEYS, CustomFieldTypes, birthday, read_custom, written, written_custom
from crmsync.systems.ghl.refusals import refused

NAMES_FOLDED = "names_folded"
"""Set in `Record.rows` where a list showed the names in lower case only: read the contact itself before believing their case."""


def record_of(contact: Contact, types: CustomFieldTypes, *, is_listed: bool = False) -> Record:
    """`is_listed`: from a list or a search, whose names may be in lower case."""
    first, is_first_folded = _name(contact.firstName, contact.firstNameRaw, contact.firstNameLowerCase)
    last, is_last_folded = _name(contact.lastName, contact.lastNameRaw, contact.lastNameLowerCase)
    return Record(
        side=Side.GHL,
        id=contact.id,
        profile={**_standard(contact), "firstName": first, "lastName": last, **_custom(contact, types)},
        tags=tuple(contact.tags or ()),
        created_at=contact.dateAdded,
        updated_at=contact.dateUpdated,
        rows={NAMES_FOLDED: True} if is_listed and (is_first_folded or is_last_folded) else {},
    )


def _name(shown: str | None, raw: str | None, folded: str | None) -> tuple[str | None, bool]:
    """The name as typed, as far as the answer tells, and whether it may be a lower-case copy of that."""
    if raw:
        return raw, False
    name = shown or folded
    return name, name is not None and name != name.upper() and name == name.lower()


def _standard(contact: Contact) -> dict[FieldKey, Value]:
    profile: dict[FieldKey, Value] = {key: getattr(contact, key) for key in STANDARD_KEYS if key != "dateOfBirth"}
    return {**profile, "address1": contact.address1 or contact.address, "dateOfBirth": birthday(contact.dateOfBirth)}


def _custom(contact: Contact, types: CustomFieldTypes) -> dict[FieldKey, Value]:
    return {CUSTOM + row.id: read_custom(row.value, types.get(row.id)) for row in contact.customFields}


def body_of(changes: Mapping[FieldKey, Value], types: CustomFieldTypes) -> dict[str, JsonValue]:
    """The body of a write that sets `changes`: nothing else, since GoHighLevel refuses what it doesn't know.

    Raises `Refused` for a key that is none of ours."""
    body: dict[str, JsonValue] = {}
    custom: list[JsonValue] = []
    for key, value in changes.items():
        if key.startswith(CUSTOM):
            field_id = key.removeprefix(CUSTOM)
            custom.append({"id": field_id, "field_value": written_custom(value, types.get(field_id))})
        elif key in STANDARD_KEYS:
            body[key] = written(key, value)
        else:
            raise refused("it has no such field", field=key)
    return {**body, "customFields": custom} if custom else body


def new_body(profile: Mapping[FieldKey, Value], tags: Sequence[str], location_id: str, types: CustomFieldTypes) -> dict[str, JsonValue]:
    """The body of a create: what has a value, and the tags in the same call."""
    body = body_of({key: value for key, value in profile.items() if value}, types)
    return {"locationId": location_id, **body, **({"tags": list(tags)} if tags else {})}
