"""What pages and commands show of the tables: counts, and one contact side by side. Reads only, and asks no CRM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Count
from django.utils.translation import gettext as _

from crmsync.engine.base import Base
from crmsync.engine.items import FIELDS, decision_name
from crmsync.engine.mapping import FieldMap, Pair
from crmsync.engine.records import SIDES, FieldKey, ItemKind, Side, Value
from crmsync.models import LOCKED_OUT, Contact, HeldBatch, PageCopy, Status, Sync
from crmsync.models import Item as ItemRow
from crmsync.sync.intake import CONTACT
from crmsync.sync.session import open_system
from crmsync.sync.state import RECORD, base_of, mapping_of
from crmsync.systems.errors import NAMES

MANY, KEPT_FOR_S = 50_000, 10
"""So many contacts are not counted anew for each look at a page: a count of them is kept for so long."""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of one contact: what each side showed last, and what they agreed on (two texts where they differ and may).

    `differs`: they aren't the same and that isn't agreed on. `is_open`: both changed, and nobody has said yet which value is right. `note`
    tells of a value that was sent and isn't seen yet."""

    name: str
    label: str
    ghl: str
    agreed: str
    centralstation: str
    differs: bool
    is_open: bool
    note: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """A note or task, paired: where it is, and its fields as last agreed on. `contested`: what both sides changed to different values."""

    kind: str
    ghl_id: str | None
    centralstation_id: str | None
    title: str
    text: str
    due: str
    done: bool
    contested: list[ContestedField]


@dataclass(frozen=True, slots=True)
class ContestedField:
    """One field of a note or task to choose for: `decision` names the choice for `sync.actions.decide_conflict`."""

    name: str
    ghl: str
    centralstation: str
    decision: str


def overview(sync: Sync) -> dict[str, int]:
    """How many contacts have each status; all statuses are there. Where they are many, up to `KEPT_FOR_S` ago."""
    name = f"crmsync-overview-{sync.pk}"
    if (kept := cache.get(name)) is not None:
        return dict(kept)
    found = dict(sync.contacts.order_by().values_list("status").annotate(n=Count("pk")))
    counts = {str(status): found.get(status, 0) for status in Status.values}
    if sum(counts.values()) >= MANY:
        cache.set(name, counts, KEPT_FOR_S)
    return counts


def standstill(sync: Sync) -> list[str]:
    """Why a live sync doesn't go on, wholly or in part: an account that is paused or doesn't let us in, what waits for a person's yes."""
    found = []
    for connection in (sync.ghl, sync.centralstation):
        if connection.paused_at is not None:
            found.append(_("“%(name)s” is paused: the sync stands still until it is resumed.") % {"name": connection.name})
        elif connection.health in LOCKED_OUT:
            values = {"name": connection.name, "reason": connection.health_reason}
            found.append(_("“%(name)s” doesn't let us in, so the sync stands still: %(reason)s") % values)
    return found + [str(batch) for batch in sync.held_batches.filter(state=HeldBatch.State.HELD)]


def calls_used(sync: Sync) -> dict[str, int]:
    return {str(Side.GHL): sync.ghl.budget.calls, str(Side.CENTRALSTATION): sync.centralstation.budget.calls}


def sides(contact: Contact) -> list[FieldRow]:
    """The contact's mapped fields side by side, in the mapping's order."""
    base, mapping, region = base_of(contact, ()), mapping_of(contact.sync), contact.sync.home_region
    seen = contact.seen or (_listed(contact, mapping) if not base.fields else {})
    open_ = open_choices(contact)
    return [_field_row(mapped, base, seen.get(mapped.name), region, is_open=mapped.name in open_) for mapped in mapping]


def open_choices(contact: Contact) -> set[str]:
    """The plain names that a person must still choose for; while the contact is pending, because one was decided, the others stay open."""
    is_open = contact.status in (Status.CONFLICT, Status.PENDING)
    return set(contact.conflicts) - set(contact.decisions) if is_open else set()


def _listed(contact: Contact, mapping: Sequence[FieldMap]) -> dict[str, list[Value]]:
    """What pages told of a contact that hasn't been compared yet."""
    profiles: list[Mapping[FieldKey, Value]] = []
    for side in SIDES:
        copies = PageCopy.objects.filter(sync=contact.sync, side=side, remote_id=contact.remote_id(side) or "", kind=CONTACT)
        copy = copies.first()
        profiles.append(RECORD.validate_python(copy.payload).profile if copy else {})
    return {row.name: [profile.get(row.key(side)) for side, profile in zip(SIDES, profiles, strict=True)] for row in mapping}


def _field_row(mapped: FieldMap, base: Base, seen: list[Any] | None, region: str, *, is_open: bool) -> FieldRow:
    agreed = base.fields.get(mapped.name)
    ghl, central = seen or agreed or (None, None)
    is_agreed = agreed is not None and mapped.same(agreed[0], ghl, region) and mapped.same(agreed[1], central, region)
    sent = base.sent.get(mapped.name)
    return FieldRow(
        name=mapped.name,
        label=mapped.name.capitalize(),
        ghl=_shown(ghl),
        agreed=_agreed(agreed, mapped, region),
        centralstation=_shown(central),
        differs=not is_agreed and not mapped.same(ghl, central, region),
        is_open=is_open,
        note=_("Sent to %(crm)s, not seen there: %(value)s") % {"crm": NAMES[sent.side], "value": _shown(sent.value)} if sent else "",
    )


def _agreed(pair: Pair | None, mapped: FieldMap, region: str) -> str:
    if pair is None:
        return ""
    return _shown(pair[0]) if mapped.same(*pair, region) else f"{_shown(pair[0]) or '–'} / {_shown(pair[1]) or '–'}"


def item_conflicts(contact: Contact, items: Sequence[ItemView]) -> list[str]:
    """What of notes and tasks is to be chosen for all items at once, such as `note text`: where it isn't known which items it is about."""
    fields = {mapped.name for mapped in mapping_of(contact.sync)}
    by_item = {field.decision.rpartition(" ")[0] for item in items for field in item.contested}
    decided = {name.rpartition(" ")[0] for name in contact.decisions}
    return sorted(open_choices(contact) - fields - by_item - decided)


def tags_of(contact: Contact) -> list[str]:
    return sorted(contact.base.get("tags") or ())


def items_of(contact: Contact, kind: ItemKind) -> list[ItemView]:
    return [_item_view(contact, kind, row) for row in contact.items.filter(kind=kind).order_by("pk")]


def _item_view(contact: Contact, kind: ItemKind, row: ItemRow) -> ItemView:
    values = {name: next((value for value in row.base.get(name) or () if value), None) or "" for name in FIELDS[kind]}
    is_open = contact.status in (Status.CONFLICT, Status.PENDING)
    contested = [
        ContestedField(name, _shown(ghl), _shown(central), decision)
        for name, (ghl, central) in row.contested.items()
        if is_open and (decision := decision_name(kind, name, row.pk)) not in contact.decisions
    ]
    return ItemView(
        kind=kind,
        ghl_id=row.ghl_id,
        centralstation_id=row.centralstation_id,
        title=values.get("title", ""),
        text=values.get("text", ""),
        due=values.get("due", ""),
        done=bool(values.get("done")),
        contested=contested,
    )


def open_url(contact: Contact, side: Side) -> str | None:
    """Where a person opens the contact in that CRM; None where it isn't, or the address isn't known."""
    remote_id = contact.remote_id(side)
    if remote_id is None:
        return None
    system = open_system(contact.sync.ghl if side is Side.GHL else contact.sync.centralstation)
    try:
        return system.url(remote_id)
    finally:
        system.close()


def _shown(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(str(part) for part in value)
    return "" if value is None else str(value)
