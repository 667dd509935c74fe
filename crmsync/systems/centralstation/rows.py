"""CentralStation's answers as typed rows: the border at which a missing or odd field is noticed and named.

Lists wrap their objects (`{"person": {...}}`), includes don't, and notes are wrapped by their kind: `unwrap()` accepts all
(centralstationcrm.md, sections 1 and 6). Unknown fields are fine; "" is nothing, as null is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator

from crmsync.systems.border import Shape

BERLIN = ZoneInfo("Europe/Berlin")
"""Times without an offset are German ones (centralstationcrm.md, section 1.3)."""

GROUPS = ("tags", "emails", "tels", "homepages", "addrs", "custom_fields", "historic_events", "positions")
"""The includes that make up a profile; a person read without one of them is not complete."""


def unwrap(value: Any) -> Any:
    """The object inside its envelope, whatever its key, which is kept as `envelope`; what has none comes back as it is."""
    if isinstance(value, dict) and len(value) == 1:
        ((envelope, inner),) = value.items()
        if isinstance(inner, dict):
            return {**inner, "envelope": envelope}
    return value


def is_message(value: Any) -> bool:
    """Whether this is a text such as `{"message": "task updated"}` in the place of an object."""
    return isinstance(value, dict) and "id" not in value and not value.keys().isdisjoint(("message", "error", "description"))


def unwrap_rows(value: Any) -> Any:
    """Rows without envelopes; a row that isn't shown to the key's user is an error object among the others (section 1.2)."""
    if not isinstance(value, list):
        return value
    return [row for row in map(unwrap, value) if not is_message(row)]


def _filled(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _utc(value: datetime) -> datetime:
    return (value if value.tzinfo else value.replace(tzinfo=BERLIN)).astimezone(UTC)


Id = str
"""Integers for most types, text for some: always text here."""
Text = Annotated[str | None, BeforeValidator(_filled)]
Time = Annotated[datetime, AfterValidator(_utc)]
T = TypeVar("T")
Rows = Annotated[tuple[T, ...] | None, BeforeValidator(unwrap_rows)]
"""Included rows; None where the answer hasn't got them."""


class Row(Shape):
    """Anything with an id."""

    id: Id
    updated_at: Time | None = None

    @property
    def age(self) -> tuple[int, str]:
        """Sorts by id: the oldest first. Ids are integers but for types not met here."""
        return (int(self.id) if self.id.isdecimal() else 0, self.id)


class Detail(Row):
    """An e-mail, a phone or a homepage (section 3): lists that mix them tell which by the envelope, or by `type`."""

    envelope: Text = None
    type: Text = None
    atype: Text = None
    name: Text = None
    primary: bool | None = None

    @property
    def kind(self) -> str:
        return (self.envelope or self.type or "").lower()


class Addr(Row):
    atype: Text = None
    primary: bool | None = None
    street: Text = None
    zip: Text = None
    city: Text = None
    state_code: Text = None
    country_code: Text = None


class HistoricEvent(Row):
    """A date such as the birthday; `name` is the date itself (section 4)."""

    atype: Text = None
    name: Text = None


class Company(Row):
    name: Text = None


class Position(Row):
    """A person's place in a company; `name` is the job title (section 11)."""

    company_id: Id | None = None
    company_name: Text = None
    company: Annotated[Company | None, BeforeValidator(unwrap)] = None
    primary_function: bool | None = None
    former: bool | None = None


class CustomField(Row):
    """A custom field's value, which is called `name` (section 10)."""

    custom_fields_type_id: Id
    name: Text = None


class CustomFieldsType(Row):
    name: str
    category: str
    ftype: str = "string"
    options: tuple[Id, ...] | None = None


class Tag(Row):
    """A tagging: one word on one person (section 5)."""

    name: str


class Task(Row):
    name: Text = None
    precise_time: Text = None
    fuzzy: bool | None = None
    finished: bool | None = None
    attachable_type: Text = None
    attachable_id: Id | None = None
    created_at: Time | None = None


class Protocol(Row):
    """A note, an e-mail, a file: `type` tells (section 6)."""

    type: str
    name: Text = None
    content: Text = None
    confidential: bool | None = None
    person_ids: tuple[Id, ...] | None = None
    person_id: Id | None = None
    created_at: Time | None = None

    @property
    def people(self) -> tuple[str, ...]:
        """Whose note it is; `person_id` is a shortcut to the first."""
        return self.person_ids or ((self.person_id,) if self.person_id else ())


class Person(Row):
    """A person with the included rows (section 2). `country_code` is a language and not read."""

    first_name: Text = None
    name: Text = None
    salutation: Text = None
    title: Text = None
    background: Text = None
    created_at: Time | None = None
    stream_updated_at: Time | None = None
    tags: Rows[Tag] = None
    emails: Rows[Detail] = None
    tels: Rows[Detail] = None
    homepages: Rows[Detail] = None
    addrs: Rows[Addr] = None
    custom_fields: Rows[CustomField] = None
    historic_events: Rows[HistoricEvent] = None
    positions: Rows[Position] = None
    companies: Rows[Company] = None
    tasks: Rows[Task] = None


class Login(Row):
    """A user of the CRM (section 12)."""

    first: Text = None
    last: Text = None
    name: Text = None
    login: Text = None
    timezone: Text = None
    current_account: dict[str, Any] | str | int | None = None


class Totals(Shape):
    """How many people there are: two names are known (section 2)."""

    total_entries: int | None = None
    total_size: int | None = None
