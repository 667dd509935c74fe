"""CentralStation's rows as the engine's records and items, and items as rows. Pure.

Where a person has many rows of a kind, the *head* is the value: the primary one, else the oldest; the others are spares
(centralstationcrm.md, sections 3, 4 and 11).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import TypeVar

from pydantic import JsonValue

from crmsync.engine.records import FieldKey, Item, ItemKind, Record, Side, Value
from crmsync.engine.values import is_html, note_text
from crmsync.systems.centralstation.fields import ADDRESS_FIELDS, DETAIL_GROUPS, PERSON_FIELDS, custom_key
from crmsync.systems.centralstation.rows import (
    BERLIN,
    GROUPS,
    Addr,
    CustomField,
    Detail,
    HistoricEvent,
    Person,
    Position,
    Protocol,
    Row,
    Task,
)

NOTE_TYPES = frozenset({"ProtocolObjectNote", "ProtocolUserNote"})
NOTE_TITLE_LENGTH = 100
TASK_NAME_LENGTH = 255
NO_TITLE = "(no title)"

R = TypeVar("R", bound=Row)
Fields = Mapping[FieldKey, Value]


# Which rows count


def ranked_details(rows: Iterable[Detail] | None) -> list[Detail]:
    """E-mails, phones or homepages, the head first. A fax number is a phone only where nothing else is."""
    filled = (row for row in rows or () if row.name)
    return sorted(filled, key=lambda row: (row.primary is not True, row.atype == "fax", row.age))


def ranked_addrs(rows: Iterable[Addr] | None) -> list[Addr]:
    filled = (row for row in rows or () if address(row))
    return sorted(filled, key=lambda row: (row.primary is not True, row.age))


def ranked_positions(rows: Iterable[Position] | None) -> list[Position]:
    held = (row for row in rows or () if not row.former)
    return sorted(held, key=lambda row: (row.primary_function is not True, row.age))


def birthday_row(rows: Iterable[HistoricEvent] | None) -> HistoricEvent | None:
    return min((row for row in rows or () if row.atype == "birthday"), key=lambda row: row.age, default=None)


def custom_rows(rows: Iterable[CustomField] | None) -> dict[FieldKey, CustomField]:
    """The value row of each custom field; the oldest, should one have two."""
    oldest_last = sorted(rows or (), key=lambda row: row.age, reverse=True)
    return {custom_key(row.custom_fields_type_id): row for row in oldest_last}


# People


def record_of(person: Person, name_of_company: Callable[[str], str | None]) -> Record:
    """The person as a record; `name_of_company` is asked by id where the position doesn't tell the company's name."""
    names = {company.id: company.name for company in person.companies or ()}

    def company_name(position: Position) -> str | None:
        if position.company_name or not position.company_id:
            return position.company_name
        nested = position.company.name if position.company else None
        return nested or names.get(position.company_id) or name_of_company(position.company_id)

    groups = _groups(person, company_name)
    return Record(
        side=Side.CENTRALSTATION,
        id=person.id,
        profile=_own_fields(person) | {key: value for rows in groups.values() for key, value in (rows[0] if rows else {}).items()},
        spares={group: tuple(rows[1:]) for group, rows in groups.items() if len(rows) > 1},
        tags=tuple(tag.name for tag in sorted(person.tags or (), key=lambda tag: tag.age)),
        tasks=None if person.tasks is None else tasks_of(person.tasks),
        created_at=person.created_at,
        updated_at=_changed_at(person),
        rows=person.model_dump(mode="json", exclude={"tasks"}),
    )


def _changed_at(person: Person) -> datetime | None:
    """When the person, a row of theirs or their stream was changed last: which of them moves another isn't known (section 14)."""
    rows = (row for group in GROUPS for row in getattr(person, group) or ())
    stamps = (person.stream_updated_at, *(row.updated_at for row in (person, *rows)))
    return max((stamp for stamp in stamps if stamp), default=None)


def _own_fields(person: Person) -> dict[FieldKey, Value]:
    nothing = dict.fromkeys((*DETAIL_GROUPS, *ADDRESS_FIELDS, "company_name"))
    birthday = birthday_row(person.historic_events)
    return {
        **nothing,
        **{key: getattr(person, key) for key in PERSON_FIELDS},
        "birthday": birthday.name if birthday else None,
        **{key: row.name for key, row in custom_rows(person.custom_fields).items()},
    }


def _groups(person: Person, company_name: Callable[[Position], str | None]) -> dict[str, list[Fields]]:
    """The rows of each group as fields, the head first; an address with all its parts, since it is the whole that moves up."""
    groups: dict[str, list[Fields]] = {
        key: [{key: row.name} for row in ranked_details(getattr(person, group))] for key, group in DETAIL_GROUPS.items()
    }
    groups["addr"] = [{key: getattr(row, key) for key in ADDRESS_FIELDS} for row in ranked_addrs(person.addrs)]
    groups["position"] = [{"company_name": company_name(row)} for row in ranked_positions(person.positions)]
    return groups


def address(row: Addr) -> dict[FieldKey, Value]:
    """The parts that an address has."""
    return {key: getattr(row, key) for key in ADDRESS_FIELDS if getattr(row, key)}


# Tasks


def tasks_of(rows: Sequence[Task]) -> tuple[Item, ...]:
    by_id = {row.id: row for row in rows}
    return tuple(task_item(row) for row in sorted(by_id.values(), key=lambda row: row.age))


def task_item(row: Task) -> Item:
    return Item(
        kind=ItemKind.TASK,
        id=row.id,
        title=row.name,
        due=_due(row),
        done=bool(row.finished),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _due(row: Task) -> str | None:
    """A date where the time of day means nothing, else the moment in UTC (centralstationcrm.md, sections 1.3 and 8)."""
    if row.precise_time is None:
        return None
    moment = datetime.fromisoformat(row.precise_time)
    if len(row.precise_time) == 10:
        return moment.date().isoformat()
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=BERLIN)
    return moment.astimezone(BERLIN).date().isoformat() if row.fuzzy else moment.astimezone(UTC).isoformat(timespec="seconds")


def task_fields(changes: Mapping[str, object]) -> dict[str, JsonValue]:
    """A task's title, due and done as the row takes them; a mere date is noon in Berlin, so that no zone moves the day."""
    fields: dict[str, JsonValue] = {}
    if "title" in changes:
        fields["name"] = str(changes["title"] or NO_TITLE)[:TASK_NAME_LENGTH]
    if "due" in changes:
        fields |= _due_fields(changes["due"])
    if "done" in changes:
        fields["finished"] = bool(changes["done"])
    return fields


def _due_fields(due: object) -> dict[str, JsonValue]:
    if not due:
        return {"precise_time": None}
    text = str(due)
    if len(text) == 10:
        return {"precise_time": datetime.combine(date.fromisoformat(text), time(12), BERLIN).isoformat(), "fuzzy": True}
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return {"precise_time": moment.astimezone(BERLIN).isoformat(timespec="seconds"), "fuzzy": False}


# Notes


def is_note(row: Protocol) -> bool:
    """Whether it is a note for both CRMs: e-mails and files are not, and a confidential one is not for everybody."""
    return row.type in NOTE_TYPES and not row.confidential


def note_item(row: Protocol) -> Item:
    return Item(
        kind=ItemKind.NOTE,
        id=row.id,
        title=None if repeats_beginning(row.name, row.content) else row.name,
        text=row.content,
        shared=len(row.people) > 1,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def note_fields(item: Item, changes: Mapping[str, object]) -> dict[str, JsonValue]:
    """The changed title and text as the row takes them; the format goes with each text.

    A note without a title of its own had one made of its text; left alone that would outlive the text, and read as a title."""
    fields: dict[str, JsonValue] = {}
    text = str(changes.get("text", item.text) or "")
    title = str(changes.get("title", item.title) or "")
    if "text" in changes:
        fields |= {"content": text, "format": "html" if is_html(text) else "plaintext"}
    if "title" in changes or not title:
        fields["name"] = title[:NOTE_TITLE_LENGTH] or derived_title(text)
    return fields


def derived_title(text: str) -> str:
    """The beginning of a note's text, as CentralStation makes a headline of it (centralstationcrm.md, section 6)."""
    first_line, _, _ = note_text(text).partition("\n")
    return first_line[:60].strip()


def repeats_beginning(title: str | None, text: str | None) -> bool:
    """Whether a title is no more than its text's first line or words, cut off: then nobody typed it.

    A short title that the text merely happens to begin with ("Call": "Call back tomorrow") is a title."""
    if not title or not text:
        return False
    start = title.rstrip().removesuffix("...").removesuffix("…")
    is_cut = start != title.rstrip() or len(title) >= 55
    if is_cut and text.startswith(start):
        return True
    words, content = _one_line(note_text(start)), note_text(text)
    return words in (_one_line(content), content.partition("\n")[0]) or (is_cut and _one_line(content).startswith(words))


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def sendable(item: Item) -> Item:
    """`item` as a create sends it: cut where CentralStation ends, a task without text and with a title."""
    if item.kind is ItemKind.TASK:
        return replace(item, title=(item.title or NO_TITLE)[:TASK_NAME_LENGTH], text=None)
    title = (item.title or "")[:NOTE_TITLE_LENGTH] or None
    return replace(item, title=None if repeats_beginning(title, item.text) else title, due=None, done=False)
