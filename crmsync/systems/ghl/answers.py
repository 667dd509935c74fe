"""GoHighLevel's answers as typed records: the shapes of ghl.md, sections 3 and 4, and the forms that were reported besides.

Only the fields crmsync looks at, under GoHighLevel's own names; what may be missing is None.
"""

# ruff: noqa: N815

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field, JsonValue

from crmsync.systems.border import Shape


def _nothing(value: object) -> object:
    return value if value != "" else None


def _none_as_empty(value: object) -> object:
    return [] if value is None else value


def _instant(value: object) -> object:
    """A time from ISO text or epoch milliseconds; without a zone it is UTC (ghl.md, section 1)."""
    if value is None or value == "":
        return None
    if isinstance(value, int | float) or (isinstance(value, str) and value.lstrip("-").isdecimal()):
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    if not isinstance(value, str):
        raise ValueError("not a time")
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _due(value: object) -> object:
    """`2026-11-27T08:00:00+00:00`, or `2026-11-27` where that is all there is."""
    if isinstance(value, str) and len(value) == len("2026-11-27"):
        return datetime.fromisoformat(value).date().isoformat()
    moment = _instant(value)
    return moment.replace(microsecond=0).isoformat() if isinstance(moment, datetime) else None


Text = Annotated[str | None, BeforeValidator(_nothing)]
Moment = Annotated[datetime | None, BeforeValidator(_instant)]
Due = Annotated[str | None, BeforeValidator(_due)]
Id = Annotated[str, Field(validation_alias=AliasChoices("id", "_id"), min_length=1)]


class CustomValue(Shape):
    """A custom field's value on a contact. It is read as `value`; `field_value` and `fieldValue` are reported."""

    id: Id
    value: JsonValue = Field(default=None, validation_alias=AliasChoices("value", "field_value", "fieldValue"))


class Contact(Shape):
    """A contact from a direct read, a list, a search, or the answer to a write."""

    id: Id
    firstName: Text = None
    lastName: Text = None
    firstNameRaw: Text = None
    lastNameRaw: Text = None
    firstNameLowerCase: Text = None
    lastNameLowerCase: Text = None
    email: Text = None
    phone: Text = None
    companyName: Text = None
    address1: Text = None
    address: Text = None
    city: Text = None
    state: Text = None
    postalCode: Text = None
    country: Text = None
    website: Text = None
    dateOfBirth: str | int | float | None = None
    tags: list[str] | None = None
    customFields: Annotated[list[CustomValue], BeforeValidator(_none_as_empty)] = []
    dateAdded: Moment = None
    dateUpdated: Moment = None
    searchAfter: list[JsonValue] | None = None


class OneContact(Shape):
    contact: Contact


class MaybeContact(Shape):
    contact: Contact | None = None


class FoundContacts(Shape):
    contacts: list[Contact]
    total: int | None = None


class ListMeta(Shape):
    total: int | None = None
    startAfter: JsonValue = None
    startAfterId: Text = None


class ListedContacts(Shape):
    contacts: list[Contact]
    meta: ListMeta = ListMeta()


class Tags(Shape):
    tags: list[str] | None = None


class Note(Shape):
    id: Id
    title: Text = None
    body: Text = Field(default=None, validation_alias=AliasChoices("body", "bodyText"))
    dateAdded: Moment = None


class Notes(Shape):
    notes: list[Note]


class OneNote(Shape):
    note: Note


class Task(Shape):
    id: Id
    title: Text = None
    dueDate: Due = None
    completed: Annotated[bool, BeforeValidator(lambda value: value or False)] = False
    contactId: Text = None
    dateAdded: Moment = None


class Tasks(Shape):
    tasks: list[Task]


class OneTask(Shape):
    task: Task


class Location(Shape):
    id: Text = None
    name: Text = None
    country: Text = None
    timezone: Text = None


class OneLocation(Shape):
    location: Location


class CustomField(Shape):
    id: Id
    name: Text = None
    dataType: str = "TEXT"
    picklistOptions: Annotated[list[JsonValue], BeforeValidator(_none_as_empty)] = []
    isAllowedCustomOption: bool | None = None
    model: Text = None


class CustomFields(Shape):
    customFields: list[CustomField]
