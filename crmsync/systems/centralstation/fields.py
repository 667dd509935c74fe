"""The fields of a CentralStation person that can be mapped, and what each can hold.

A key names what counts as *the* value: `email` is the head row of all e-mails, `city` a part of the head address. The person's own
`country_code` is a language (centralstationcrm.md, section 2) and not among them; ours is the address's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from crmsync.engine.places import state_code
from crmsync.engine.records import FieldKey, Value
from crmsync.engine.values import FieldType, day
from crmsync.systems.base import FieldInfo
from crmsync.systems.centralstation.rows import CustomFieldsType

PERSON_FIELDS = ("first_name", "name", "salutation", "title", "background")
ADDRESS_FIELDS = ("street", "zip", "city", "state_code", "country_code")
DETAIL_GROUPS = {"email": "emails", "tel": "tels", "homepage": "homepages"}
"""Field key -> include of the rows it stands for."""

CUSTOM = "custom_fields."
TAG_LENGTH = 60
CUSTOM_LENGTH = 255

STANDARD = (
    FieldInfo(key="first_name", label="First name", type=FieldType.TEXT, capacity=60),
    FieldInfo(key="name", label="Last name", type=FieldType.TEXT, capacity=80),
    FieldInfo(key="email", label="E-mail", type=FieldType.EMAIL, group="email", capacity=250),
    FieldInfo(key="tel", label="Phone", type=FieldType.PHONE, group="tel", capacity=250),
    FieldInfo(key="homepage", label="Website", type=FieldType.URL, group="homepage", capacity=250),
    FieldInfo(key="street", label="Street", type=FieldType.TEXT, group="addr"),
    FieldInfo(key="zip", label="Postal code", type=FieldType.TEXT, group="addr", capacity=20),
    FieldInfo(key="city", label="City", type=FieldType.TEXT, group="addr", capacity=120),
    FieldInfo(key="state_code", label="State", type=FieldType.STATE, group="addr", capacity=10),
    FieldInfo(key="country_code", label="Country", type=FieldType.COUNTRY, group="addr", capacity=2),
    FieldInfo(key="company_name", label="Company", type=FieldType.TEXT, group="position", capacity=80),
    FieldInfo(key="birthday", label="Birthday", type=FieldType.DATE),
    FieldInfo(key="background", label="Background", type=FieldType.TEXT),
    FieldInfo(key="salutation", label="Salutation", type=FieldType.TEXT, capacity=80),
    FieldInfo(key="title", label="Title", type=FieldType.TEXT, capacity=60),
)
"""Lengths: centralstationcrm.md, sections 2 to 4 and 11; the smaller one where the sources differ."""

_TYPES = {"select": FieldType.CHOICE, "decimal": FieldType.NUMBER, "date": FieldType.DATE, "url": FieldType.URL}


def custom_key(type_id: str) -> FieldKey:
    return f"{CUSTOM}{type_id}"


def custom_fields(types: Iterable[CustomFieldsType]) -> list[FieldInfo]:
    """The account's own fields for people (centralstationcrm.md, section 10)."""
    return [
        FieldInfo(
            key=custom_key(one.id),
            label=one.name,
            type=_TYPES.get(one.ftype, FieldType.TEXT),
            custom=True,
            capacity=CUSTOM_LENGTH if one.ftype in ("string", "url") else None,
            options=one.options or (),
        )
        for one in types
        if one.category == "Person"
    ]


def text_of(value: object) -> str:
    """A value as CentralStation takes it: one line of text for a list, "" for nothing."""
    if isinstance(value, tuple):
        return ", ".join(value)
    return "" if value is None else str(value).strip()


def custom_text(value: Value, field_type: FieldType | str) -> str:
    """A custom value in the form that is safe to write: ISO dates and point decimals (centralstationcrm.md, section 15)."""
    text = text_of(value)
    if field_type == FieldType.DATE:
        return day(text) or text
    if field_type == FieldType.NUMBER and re.fullmatch(r"-?\d+,\d+", text):
        return text.replace(",", ".")
    return text


def address_parts(values: Mapping[FieldKey, Value], default_country: str) -> dict[str, str]:
    """The address in `values` as a row takes it: states by their code, cleared parts as "", a state that isn't known left out."""
    parts = {key: text_of(values[key]) for key in ADDRESS_FIELDS if key in values}
    if "country_code" in parts:
        parts["country_code"] = parts["country_code"].upper()
    if state := parts.get("state_code"):
        code = state_code(state, text_of(values.get("country_code")) or default_country)
        if code:
            parts["state_code"] = code
        else:
            del parts["state_code"]
    return parts


def stand_ins(profile: Mapping[FieldKey, Value], default_country: str) -> dict[FieldKey, Value]:
    """What CentralStation requires and `profile` hasn't: a last name, and a country where an address has neither that nor a city.

    A state is checked against its country, so that one gets the default country, too (centralstationcrm.md, sections 2 and 4)."""
    missing: dict[FieldKey, Value] = {}
    if not text_of(profile.get("name")):
        missing["name"] = _last_name(profile)
    parts = address_parts(profile, default_country)
    if any(parts.values()) and not parts.get("country_code") and (parts.get("state_code") or not parts.get("city")):
        missing["country_code"] = default_country
    return missing


def _last_name(profile: Mapping[FieldKey, Value]) -> str:
    local_part = text_of(profile.get("email")).partition("@")[0]
    others = (text_of(profile.get(key)) for key in ("company_name", "first_name", "tel"))
    return next((name[:80] for name in (local_part, *others) if name), "(no last name)")


def can_hold(value: Value, key: FieldKey, country: str, custom: Mapping[FieldKey, FieldInfo]) -> bool:
    """Whether CentralStation has a place for `value` at all. `country` is the one it goes along with."""
    text = text_of(value)
    if not text:
        return True
    if key == "state_code":
        return state_code(text, country) is not None
    if key == "country_code":
        return re.fullmatch(r"[A-Za-z]{2}", text) is not None
    if key == "birthday":
        return day(text) is not None
    if key == "tags":
        return all(len(tag) <= TAG_LENGTH for tag in ([value] if isinstance(value, str) else value or ()))
    options = custom[key].options if key in custom else ()
    return not options or text in options
