"""The fields of a GoHighLevel contact that can be mapped, and how their values are read and written (ghl.md, sections 3 and 4)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from threading import Lock

from pydantic import JsonValue

from crmsync.engine.records import FieldKey, Value
from crmsync.engine.values import FieldType, day
from crmsync.systems.base import FieldInfo
from crmsync.systems.errors import PermissionMissing
from crmsync.systems.ghl.answers import CustomField

CUSTOM = "customFields."

STANDARD = (
    FieldInfo(key="firstName", label="First name", type=FieldType.TEXT),
    FieldInfo(key="lastName", label="Last name", type=FieldType.TEXT),
    FieldInfo(key="email", label="E-mail", type=FieldType.EMAIL),
    FieldInfo(key="phone", label="Phone", type=FieldType.PHONE),
    FieldInfo(key="companyName", label="Company", type=FieldType.TEXT),
    FieldInfo(key="address1", label="Street", type=FieldType.TEXT),
    FieldInfo(key="postalCode", label="Postal code", type=FieldType.TEXT),
    FieldInfo(key="city", label="City", type=FieldType.TEXT),
    FieldInfo(key="state", label="State", type=FieldType.STATE),
    FieldInfo(key="country", label="Country", type=FieldType.COUNTRY, capacity=2),
    FieldInfo(key="website", label="Website", type=FieldType.URL),
    FieldInfo(key="dateOfBirth", label="Birthday", type=FieldType.DATE),
)
STANDARD_KEYS = tuple(field.key for field in STANDARD)

HARD_TO_CLEAR: dict[FieldKey, JsonValue] = {"postalCode": "", "country": None}
"""What may clear the fields that aren't nullable; neither is verified (ghl.md, section 6)."""

_TYPES = {
    "NUMERICAL": FieldType.NUMBER,
    "FLOAT": FieldType.NUMBER,
    "MONETORY": FieldType.NUMBER,
    "PHONE": FieldType.PHONE,
    "DATE": FieldType.DATE,
    "SINGLE_OPTIONS": FieldType.CHOICE,
    "RADIO": FieldType.CHOICE,
    "MULTIPLE_OPTIONS": FieldType.LIST,
    "CHECKBOX": FieldType.LIST,
}
_NOT_TEXT = ("FILE_UPLOAD", "SIGNATURE", "TEXTBOX_LIST")
"""Kinds whose values are objects: no other CRM can take them, so they can't be mapped."""


class CustomFieldTypes:
    """The location's custom fields by id, loaded when the first is met and again, at most once a minute, when an unknown one is."""

    def __init__(self, load: Callable[[], list[CustomField]]) -> None:
        self._load = load
        self._lock = Lock()
        self._by_id: dict[str, CustomField] = {}
        self._loaded_at: float | None = None

    def get(self, field_id: str) -> CustomField | None:
        with self._lock:
            if field_id not in self._by_id and (self._loaded_at is None or time.monotonic() - self._loaded_at > 60):
                self._refresh()
            return self._by_id.get(field_id)

    def all(self) -> list[CustomField]:
        """All of them, asked for anew; none where the token lacks the scope."""
        with self._lock:
            self._refresh()
            return list(self._by_id.values())

    def _refresh(self) -> None:
        try:
            self._by_id = {one.id: one for one in self._load()}
        except PermissionMissing:
            self._by_id = {}
        self._loaded_at = time.monotonic()


def info(field: CustomField) -> FieldInfo | None:
    """A custom field as one that can be mapped, None for kinds that can't."""
    if field.dataType in _NOT_TEXT or field.model not in (None, "contact"):
        return None
    return FieldInfo(key=CUSTOM + field.id, label=field.name or field.id, type=type_of(field), custom=True, options=_options(field))


def type_of(field: CustomField | None) -> FieldType:
    return _TYPES.get(field.dataType, FieldType.TEXT) if field else FieldType.TEXT


def _options(field: CustomField) -> tuple[str, ...]:
    return tuple(str(one) for one in field.picklistOptions if isinstance(one, str | int | float))


def birthday(value: str | int | float | None) -> str | None:
    """`YYYY-MM-DD` from a date, an ISO time or epoch milliseconds; what is none of these stays as it is."""
    if isinstance(value, int | float):
        return day(f"{int(value):010d}")  # day() takes ten digits and more for milliseconds, and short ones are early 1970
    return (day(value) or value) if value else None


def read_custom(value: JsonValue, field: CustomField | None) -> Value:
    """A custom field's value: a tuple where many can be chosen, a date as `YYYY-MM-DD`, anything else as text."""
    if isinstance(value, list):
        chosen = tuple(_text(one) for one in value if one not in (None, ""))
        return chosen[0] if len(chosen) == 1 and field and type_of(field) != FieldType.LIST else chosen or None
    if value is None or value == "" or isinstance(value, dict):
        return None
    if type_of(field) == FieldType.DATE:
        return birthday(value)
    return (_text(value),) if type_of(field) == FieldType.LIST else _text(value)


def _text(value: JsonValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def written(key: FieldKey, value: Value) -> JsonValue:
    """A standard field's value as GoHighLevel takes it. null clears, but for the fields that aren't nullable."""
    if not value:
        return HARD_TO_CLEAR.get(key)
    text = ", ".join(value) if isinstance(value, tuple) else value
    match key:
        case "dateOfBirth":
            return day(text) or text
        case "country":
            return text.strip().upper()
        case _:
            return text


def written_custom(value: Value, field: CustomField | None) -> JsonValue:
    """A custom field's value as GoHighLevel takes it: a list where many can be chosen, a number as one; "" and [] clear."""
    if type_of(field) == FieldType.LIST or (field is None and isinstance(value, tuple)):
        return list(value) if isinstance(value, tuple) else ([value] if value else [])
    text = ", ".join(value) if isinstance(value, tuple) else value or ""
    if type_of(field) == FieldType.NUMBER:
        return _as_number(text)
    return (day(text) or text) if type_of(field) == FieldType.DATE else text


def _as_number(text: str) -> JsonValue:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def can_hold(key: FieldKey, value: Value, field: CustomField | None) -> bool:
    """Whether GoHighLevel has a place for `value`: a country of two letters, a real date, a number, a choice that is offered.

    What it would refuse for another reason (an e-mail that is none) is sent, so that the refusal is seen and not a silent gap."""
    text = ", ".join(value) if isinstance(value, tuple) else (value or "").strip()
    if not text:
        return True
    kind = type_of(field) if key.startswith(CUSTOM) else next((one.type for one in STANDARD if one.key == key), "")
    match kind:
        case FieldType.COUNTRY:
            return re.fullmatch(r"[A-Za-z]{2}", text) is not None
        case FieldType.DATE:
            return day(text) is not None
        case FieldType.NUMBER:
            return not isinstance(_as_number(text), str)
        case FieldType.CHOICE | FieldType.LIST:
            return _is_offered(value, field)
        case _:
            return True


def _is_offered(value: Value, field: CustomField | None) -> bool:
    if field is None or field.isAllowedCustomOption or not field.picklistOptions:
        return True
    chosen = value if isinstance(value, tuple) else (value or "",)
    return {one.strip().casefold() for one in chosen} <= {one.strip().casefold() for one in _options(field)}
