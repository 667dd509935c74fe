"""The shapes the engine speaks of: sides, aspects, and a contact as one CRM shows it.

Everything here is plain data. A `Record` is keyed by the CRM's *own* field keys (`firstName`, `emails`, `custom_fields.7`);
the mapping joins the keys of the two sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntFlag, StrEnum


class Side(StrEnum):
    """One of the two CRMs. Neither is source nor target: both are both."""

    GHL = "ghl"
    CENTRALSTATION = "centralstation"

    @property
    def other(self) -> Side:
        return Side.CENTRALSTATION if self is Side.GHL else Side.GHL


SIDES = (Side.GHL, Side.CENTRALSTATION)


class Aspect(IntFlag):
    """The parts of a contact that are read, compared and written apart from each other."""

    PROFILE = 1
    TAGS = 2
    NOTES = 4
    TASKS = 8

    ALL = 15


class ItemKind(StrEnum):
    NOTE = "note"
    TASK = "task"

    @property
    def aspect(self) -> Aspect:
        return Aspect.NOTES if self is ItemKind.NOTE else Aspect.TASKS


FieldKey = str
"""A field in one CRM's own words, such as `firstName` or `custom_fields.1004`."""

Value = str | tuple[str, ...] | None
"""A field's value as the CRM shows it. Dates are `YYYY-MM-DD`; nothing is `None`, never `""`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A note or a task of a contact, as one CRM shows it.

    A note has `title` and `text`; a task has `title`, `due` and `done`. `due` is a date or a date with a time, UTC (`2026-11-27` or
    `2026-11-27T08:00:00+00:00`). `shared` means that it belongs to other contacts, too. `created_at` and `updated_at` are None where
    the CRM doesn't tell.
    """

    kind: ItemKind
    id: str = ""
    title: str | None = None
    text: str | None = None
    due: str | None = None
    done: bool = False
    shared: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A contact as one CRM shows it. `notes` and `tasks` are None when they were not read (which is not the same as none).

    `profile` holds, by field key, what counts as *the* value: where the CRM keeps many rows (CentralStation's e-mails, phones,
    addresses) that is the primary one. `spares` holds the other rows, by row group, in the CRM's order: they have no place in the
    other CRM, are never touched, and the first moves up when the primary row is cleared. `rows` is the package's own note
    of ids behind the values (opaque here).
    """

    side: Side
    id: str
    profile: Mapping[FieldKey, Value] = field(default_factory=dict)
    spares: Mapping[str, tuple[Mapping[FieldKey, Value], ...]] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    notes: tuple[Item, ...] | None = None
    tasks: tuple[Item, ...] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    rows: Mapping[str, object] = field(default_factory=dict)

    def items(self, kind: ItemKind) -> tuple[Item, ...] | None:
        return self.notes if kind is ItemKind.NOTE else self.tasks
