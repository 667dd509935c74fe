"""An audit entry as staff read it: each thing that changed, with its plain name, before and after; and as lines of a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.translation import gettext as _

from crmsync.models import AuditEntry, SavedView
from dashboard.forms.contacts import ContactFilter

HEAD = ("at", "by", "act", "object", "name", "before", "after")


@dataclass(frozen=True, slots=True)
class ShownAct:
    """`changes`: what, before, after."""

    entry: AuditEntry
    who: str
    changes: list[tuple[str, str, str]]


def shown(entry: AuditEntry) -> ShownAct:
    changes = list(changes_of(entry.object_kind, entry.before, entry.after))
    return ShownAct(entry, entry.by_name or _("the command line"), changes)


def changes_of(kind: str, before_all: Mapping[str, Any], after_all: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What, before, after: in words, of an object of this kind."""
    for name in dict.fromkeys([*before_all, *after_all]):
        before, after = before_all.get(name), after_all.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            differing = [key for key in after if before.get(key) != after[key]]
            before, after = ({key: values.get(key) for key in differing} for values in (before, after))
        column = _column(kind, name)
        yield _label(column, name), _text(before, column), _text(after, column)


Column: TypeAlias = "models.Field[Any, Any] | None"


def _column(kind: str, name: str) -> Column:
    """The column of this name, for its words on forms; None where it is none."""
    try:
        found = apps.get_model("crmsync", kind)._meta.get_field(name)
    except (FieldDoesNotExist, LookupError):
        return None
    return found if isinstance(found, models.Field) else None


def _label(column: Column, name: str) -> str:
    return str(column.verbose_name) if column else name.replace("_", " ")


def _text(value: Any, column: Column) -> str:
    match value:
        case None:
            return ""
        case bool():
            return _("yes") if value else _("no")
        case str() if column and column.model is SavedView and column.name == "query":
            return ", ".join(chip.text for chip in ContactFilter.of(value).words) or _("all contacts")
        case list():
            return ", ".join(map(str, value))
        case dict():  # a row of a mapping
            columns = {key: _column("fieldmapping", key) for key in value}
            return "; ".join(f"{_label(columns[key], key)}: {_text(one, columns[key])}" for key, one in value.items() if one)
        case _:
            return str(dict(column.flatchoices).get(value, value)) if column else str(value)


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """One line a thing that changed; an act that changed nothing named has one, too."""
    writer = csv.writer(_Echo())
    yield writer.writerow(HEAD)
    for entry in entries:
        one = shown(entry)
        for what, before, after in one.changes or [("", "", "")]:
            name = f"{entry.object_name} ({what})" if what else entry.object_name
            row = (entry.at.isoformat(), one.who, entry.act, entry.object_kind, name, before, after)
            yield writer.writerow([_harmless(cell) for cell in row])


def _harmless(cell: str) -> str:
    """A spreadsheet takes what begins so for a formula, and runs it."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
