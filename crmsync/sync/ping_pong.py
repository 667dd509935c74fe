"""Ping-pong: a field that something else changes back each time. It is stopped for that contact, and the other fields go on.

What counts is how often the side that is written to changes, within an hour, by writes without a person behind them. A tag, a note or a
task counts by itself; what is stopped is the contact's tags, notes or tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.utils import timezone

from crmsync.engine.base import Base
from crmsync.engine.mapping import FieldMap, Policy
from crmsync.engine.plan import Plan, plan
from crmsync.engine.records import Aspect, ItemKind, Record, Side
from crmsync.engine.values import fold_tag
from crmsync.engine.write import Write, WriteKind
from crmsync.models import Contact

WITHIN = timedelta(hours=1)
ASPECTS = {"tags": Aspect.TAGS, "notes": Aspect.NOTES, "tasks": Aspect.TASKS}
NAME_OF_KIND = {ItemKind.NOTE: "notes", ItemKind.TASK: "tasks"}

Thing = tuple[str, str]
"""What goes to and fro: a field by its name, one tag, one note or task."""


def to_and_fro(contact: Contact, writes: Sequence[Write]) -> list[str]:
    """Names of what these writes would have change sides once too often."""
    now = timezone.now()
    if contact.written_at is None or contact.written_at < now - WITHIN:
        return []
    since = max(now - WITHIN, contact.let_go_at or now - WITHIN)
    refs = {
        (side, str(remote_id)): str(pk)
        for pk, *ids in contact.items.values_list("pk", "ghl_id", "centralstation_id")
        for side, remote_id in zip(Side, ids, strict=True)
    }
    last: dict[Thing, Side] = {}
    turns: dict[Thing, int] = {}
    rows = contact.changes.by_itself(since).order_by("pk").values("side", "kind", "remote_id", "before", "after")
    for row in rows:
        side = Side(row["side"])
        for thing in _things(WriteKind(row["kind"]), row["before"], row["after"], refs.get((side, row["remote_id"]), "")):
            turns[thing] = turns.get(thing, 0) + (last.get(thing, side) is not side)
            last[thing] = side
    names = {
        _name(write, thing)
        for write in writes
        for thing in _things(write.kind, write.before, write.after, str(write.pair.ref) if write.pair else "")
        if turns.get(thing, 0) + (last.get(thing, write.side) is not write.side) > contact.sync.ping_pong_after
    }
    return sorted(names)


def _things(kind: WriteKind, before: Mapping[str, Any], after: Mapping[str, Any], item: str) -> Iterator[Thing]:
    match kind:
        case WriteKind.UPDATE:
            yield from (("field", name) for name in before.keys() | after.keys())
        case WriteKind.ADD_TAGS | WriteKind.REMOVE_TAGS:
            yield from (("tag", fold_tag(tag)) for values in (before, after) for tag in values.get("tags", ()))
        case WriteKind.UPDATE_ITEM:
            yield "item", item
        case WriteKind.CREATE_ITEM | WriteKind.DELETE_ITEM:
            shown = before or after
            yield "content", f"{shown.get('title') or ''}\n{shown.get('text') or ''}"
        case WriteKind.CREATE:
            return


def _name(write: Write, thing: Thing) -> str:
    if write.item is not None:
        return NAME_OF_KIND[write.item.kind]
    return thing[1] if thing[0] == "field" else "tags"


def plan_without(
    stopped: Sequence[str], base: Base, ghl: Record | None, centralstation: Record | None, mapping: Sequence[FieldMap], policy: Policy
) -> Plan:
    """The plan with what is stopped left out, and its base kept as it is."""
    if not stopped:
        return plan(base, ghl, centralstation, mapping, policy)
    aspects = policy.aspects
    for name in stopped:
        aspects &= ~ASPECTS.get(name, Aspect(0))
    made = plan(base, ghl, centralstation, [row for row in mapping if row.name not in stopped], replace(policy, aspects=aspects))
    fields = {name: pair for name, pair in base.fields.items() if name in stopped}
    sent = {name: one for name, one in base.sent.items() if name in stopped}
    return replace(made, base=replace(made.base, fields={**fields, **made.base.fields}, sent={**sent, **made.base.sent}))
