"""A contact as both sides show it: from a page's copy where that will do, else asked for; and what is absent, confirmed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.utils import timezone

from crmsync.engine.base import ItemBase
from crmsync.engine.records import SIDES, Aspect, Item, ItemKind, Record, Side
from crmsync.models import Contact, PageCopy
from crmsync.models import Item as ItemRow
from crmsync.sync.intake import CONTACT
from crmsync.sync.session import Session
from crmsync.sync.state import ITEM, RECORD
from crmsync.systems.errors import NotFound

FRESH_FOR = timedelta(seconds=30)
"""An older copy is read again before a write that replaces a value."""

INDEX_LAG = timedelta(seconds=20)
"""GHL's lists lag behind writes by a few seconds (ghl.md, section 3): what they tell so soon after a write of ours isn't believed."""


@dataclass(slots=True)
class Reading:
    """What is known of one contact, by side: the record (None: not there) and when it was read.

    `indexed`: sides known from a list only, whose records may lack fields that a single read shows."""

    records: dict[Side, Record | None] = field(default_factory=dict)
    read_at: dict[Side, datetime] = field(default_factory=dict)
    indexed: set[Side] = field(default_factory=set)
    missing: set[Side] = field(default_factory=set)

    def is_fresh(self, side: Side) -> bool:
        return timezone.now() - self.read_at[side] <= FRESH_FOR


def read(session: Session, contact: Contact, aspects: Aspect, *, fresh: bool) -> Reading:
    """Read the sides `contact` is on."""
    reading = Reading()
    for side in SIDES:
        read_into(reading, session, contact, side, aspects, fresh=fresh)
    return reading


def read_into(reading: Reading, session: Session, contact: Contact, side: Side, aspects: Aspect, *, fresh: bool) -> None:
    """Read one side. Copies are used up by that, whether they served or not: they tell of the past."""
    remote_id = contact.remote_id(side)
    record = None
    if remote_id is not None:
        record = None if fresh else _copy(session, contact, side, remote_id, aspects, reading)
        PageCopy.objects.filter(sync=session.sync, side=side, remote_id=remote_id).delete()
        record = record or read_side(session, reading, side, remote_id, aspects)
    reading.records[side] = record
    if len(reading.records) == len(SIDES) and all(reading.records.values()):
        confirm_absent_items(session, contact, reading)


def read_side(session: Session, reading: Reading, side: Side, remote_id: str, aspects: Aspect) -> Record | None:
    """One side, fresh. A contact that isn't there is asked for once more before that is believed: a 404 may pass."""
    for _ in range(2):
        reading.read_at[side] = timezone.now()
        reading.indexed.discard(side)
        try:
            return session.systems[side].read(remote_id, aspects | Aspect.PROFILE | Aspect.TAGS)
        except NotFound:
            continue
    reading.missing.add(side)
    return None


def _copy(session: Session, contact: Contact, side: Side, remote_id: str, aspects: Aspect, reading: Reading) -> Record | None:
    """The record from pages, completed by what pages don't tell; None where there is no copy that can be believed."""
    copies = list(PageCopy.objects.filter(sync=session.sync, side=side, remote_id=remote_id))
    whole = next((copy for copy in copies if copy.kind == CONTACT), None)
    if whole is None or not _is_believable(whole, contact):
        return None
    record = RECORD.validate_python(whole.payload)
    if record.rows.get("names_folded"):
        return None
    reading.read_at[side] = whole.read_at
    if not whole.direct:
        reading.indexed.add(side)
    unread = Aspect(0)
    for kind in ItemKind:
        if kind.aspect in aspects:
            listed = _listed(session, contact, side, kind, copies)
            record = _with_items(record, kind, _union(listed, record.items(kind)))
            unread |= kind.aspect if record.items(kind) is None else Aspect(0)
    return _complete(session, record, unread) if unread else record


def _is_believable(copy: PageCopy, contact: Contact) -> bool:
    if contact.written_at is None:
        return True
    return copy.read_at > contact.written_at + (timedelta(0) if copy.direct else INDEX_LAG)


def _union(listed: tuple[Item, ...] | None, included: tuple[Item, ...] | None) -> tuple[Item, ...] | None:
    """What two lists tell together; None where neither tells."""
    if listed is None or included is None:
        return included if listed is None else listed
    return tuple({item.id: item for item in (*listed, *included)}.values())


def _listed(session: Session, contact: Contact, side: Side, kind: ItemKind, copies: list[PageCopy]) -> tuple[Item, ...] | None:
    """The items of a kind that this session's run has listed in bulk; None where it hasn't, or where we have written to the contact since
    it began: the list is older than the contact's own page, and tells neither what was created nor what was deleted by that."""
    progress = session.run.progress if session.run else {}
    if not progress.get(f"{side}.{kind}", {}).get("done"):
        return None
    if contact.written_at is not None and contact.written_at >= datetime.fromisoformat(progress["began"]):
        return None
    return tuple(ITEM.validate_python(copy.payload) for copy in copies if copy.kind == kind)


def _complete(session: Session, record: Record, aspects: Aspect) -> Record:
    """Read only the notes or tasks that are still unknown."""
    told = session.systems[record.side].read(record.id, aspects)
    for kind in ItemKind:
        if kind.aspect in aspects:
            record = _with_items(record, kind, told.items(kind))
    return record


def _with_items(record: Record, kind: ItemKind, items: tuple[Item, ...] | None) -> Record:
    return replace(record, notes=items) if kind is ItemKind.NOTE else replace(record, tasks=items)


def with_item(record: Record, item: Item) -> Record:
    """`record` with this item in place of the one with the same id, or besides the others."""
    others = tuple(other for other in record.items(item.kind) or () if other.id != item.id)
    return _with_items(record, item.kind, (*others, item))


def no_longer_fresh(items: Iterable[ItemBase], reading: Reading) -> tuple[ItemBase, ...]:
    """The bases with those no longer `fresh` that are read where they were created."""
    return tuple(replace(base, fresh=None) if base.fresh and _shows(reading.records[base.fresh], base) else base for base in items)


def _shows(record: Record | None, base: ItemBase) -> bool:
    return any(item.id == base.id(base.fresh) for item in (record and record.items(base.kind)) or ()) if base.fresh else False


def with_known_items(record: Record, known: Record | None) -> Record:
    """`record` with the notes and tasks of `known` where it tells none itself."""
    if known is None:
        return record
    return replace(
        record,
        notes=known.notes if record.notes is None else record.notes,
        tasks=known.tasks if record.tasks is None else record.tasks,
    )


def without_item(record: Record, item: Item) -> Record:
    return _with_items(record, item.kind, tuple(other for other in record.items(item.kind) or () if other.id != item.id))


def confirm_absent_items(session: Session, contact: Contact, reading: Reading) -> None:
    """Ask directly for each linked item that a list lacks: lists have been wrong before, and an absent item is deleted over there."""
    for row in ItemRow.objects.filter(contact=contact, gone=False):
        for side in SIDES:
            record, item_id = reading.records[side], row.ghl_id if side is Side.GHL else row.centralstation_id
            kind = ItemKind(row.kind)
            if record is None or item_id is None or record.items(kind) is None:
                continue
            if all(item.id != item_id for item in record.items(kind) or ()):
                try:
                    item = session.systems[side].read_item(kind, record.id, item_id)
                except NotFound:
                    continue
                reading.records[side] = with_item(record, item)
