"""Where what both sides agree on came from: the change log read backwards, field by field and tag by tag. Asks no CRM."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from crmsync.engine.merge import on
from crmsync.engine.records import Side, Value
from crmsync.engine.values import fold_tag
from crmsync.engine.write import WriteKind
from crmsync.models import Cause, Change, Contact, Result
from crmsync.sync.state import base_of, mapping_of

LOOK_BACK = 200
"""So many changes of a contact are read: its page stays quick, and what is older is older than anybody asks."""

WRITTEN = (Result.ACCEPTED, Result.VERIFIED)


@dataclass(frozen=True, slots=True)
class Origin:
    """`side` had the value first; `change` carried it to the other one. An undo wrote a value back that was there before (`is_undo`)."""

    side: Side
    change: Change

    @property
    def is_undo(self) -> bool:
        return self.change.cause == Cause.UNDO


def origins(contact: Contact) -> dict[str, Origin]:
    """By mapping name, and `tag:` with the folded tag: the last change that wrote what is agreed on now. What is equal since the two were
    first compared, or was edited on both sides, has none."""
    base, mapping = base_of(contact, ()), {row.name: row for row in mapping_of(contact.sync)}
    kinds = (WriteKind.CREATE, WriteKind.UPDATE, WriteKind.ADD_TAGS)
    changes = contact.changes.filter(kind__in=kinds, result__in=WRITTEN).select_related("by").order_by("-id")[:LOOK_BACK]
    last: dict[str, tuple[Change, Value]] = {}
    for change in changes:
        for name, value in _written(change):
            last.setdefault(name, (change, value))
    found = {}
    for name, (change, value) in last.items():
        side, row, agreed = Side(change.side), mapping.get(name), base.fields.get(name)
        is_tag = name.removeprefix("tag:") in (base.tags or ()) and name.startswith("tag:")
        if is_tag or (row and agreed and row.same(on(agreed, side), value, contact.sync.home_region)):
            found[name] = Origin(side.other, change)
    return found


def _written(change: Change) -> Iterable[tuple[str, Value]]:
    for name, value in change.after.items():
        if name == "tags":
            yield from ((f"tag:{fold_tag(tag)}", tag) for tag in value)
        else:
            yield name, tuple(value) if isinstance(value, list) else value
