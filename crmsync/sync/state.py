"""Between the tables and the engine: a contact's base, a sync's mapping and policy, a page's records, to and fro."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import TypeAdapter

from crmsync.engine.base import Base, ItemBase, Sent
from crmsync.engine.items import Contested
from crmsync.engine.mapping import ConflictRule, Direction, FieldMap, Limits, Pair, Policy
from crmsync.engine.records import Aspect, Item, ItemKind, Record, Side, Value
from crmsync.engine.values import FieldType
from crmsync.models import Contact, FieldMapping, Sync
from crmsync.models import Item as ItemRow

RECORD = TypeAdapter(Record)
ITEM = TypeAdapter(Item)
_PAIRS = TypeAdapter(dict[str, Pair])
_SENT = TypeAdapter(dict[str, Sent])


def mapping_of(sync: Sync) -> tuple[FieldMap, ...]:
    return tuple(map(field_map, sync.mappings.all()))


def field_map(row: FieldMapping) -> FieldMap:
    return FieldMap(
        name=row.name,
        ghl=row.ghl_field,
        centralstation=row.centralstation_field,
        type=FieldType(row.type),
        direction=Direction(row.direction),
        conflict=ConflictRule(row.conflict) if row.conflict else None,
    )


def aspects_of(sync: Sync) -> Aspect:
    """What of its contacts a sync keeps the same."""
    aspects = Aspect.PROFILE
    for wanted, aspect in ((sync.sync_tags, Aspect.TAGS), (sync.sync_notes, Aspect.NOTES), (sync.sync_tasks, Aspect.TASKS)):
        aspects |= aspect if wanted else Aspect(0)
    return aspects


def policy_of(sync: Sync, limits: Mapping[Side, Limits]) -> Policy:
    create_on = {Side.GHL: sync.create_in_ghl, Side.CENTRALSTATION: sync.create_in_centralstation}
    return Policy(
        conflict=ConflictRule(sync.conflict),
        create_on=frozenset(side for side, wanted in create_on.items() if wanted),
        aspects=aspects_of(sync),
        region=sync.home_region,
        zone=sync.ghl.timezone or "Europe/Berlin",
        limits=limits,
        created_tag=sync.created_tag.strip(),
    )


def base_of(contact: Contact, items: Iterable[ItemRow]) -> Base:
    stored = contact.base
    tags = stored.get("tags")
    return Base(
        fields=_PAIRS.validate_python(stored.get("fields", {})),
        tags=None if tags is None else frozenset(tags),
        items=item_bases(items),
        sent=_SENT.validate_python(contact.sent),
        decisions={name: Side(side) for name, side in contact.decisions.items()},
    )


def stored_base(base: Base) -> dict[str, object]:
    """`Contact.base` for a base, without its items (rows of their own) and what was sent (a column of its own)."""
    return {"fields": _PAIRS.dump_python(dict(base.fields), mode="json"), "tags": None if base.tags is None else sorted(base.tags)}


def stored_sent(sent: Mapping[str, Sent]) -> dict[str, object]:
    stored: dict[str, object] = _SENT.dump_python(dict(sent), mode="json")
    return stored


def item_bases(rows: Iterable[ItemRow]) -> tuple[ItemBase, ...]:
    return tuple(_item_base(row) for row in rows)


def _item_base(row: ItemRow) -> ItemBase:
    return ItemBase(
        kind=ItemKind(row.kind),
        ghl=row.ghl_id,
        centralstation=row.centralstation_id,
        fields=_PAIRS.validate_python(row.base),
        sent=_SENT.validate_python(row.sent),
        fresh=Side(row.fresh) if row.fresh else None,
        gone=row.gone,
        ref=row.pk,
    )


def item_row(contact_id: int, base: ItemBase) -> ItemRow:
    return ItemRow(
        pk=base.ref,
        contact_id=contact_id,
        kind=base.kind.value,
        ghl_id=base.ghl,
        centralstation_id=base.centralstation,
        base=_PAIRS.dump_python(dict(base.fields), mode="json"),
        sent=stored_sent(base.sent),
        fresh=base.fresh.value if base.fresh else "",
        gone=base.gone,
    )


def store_contested(contact_id: int, contested: Iterable[Contested]) -> None:
    """Keep which fields of notes and tasks a person must choose for, and between what; those of before are over."""
    found: dict[tuple[str, str, str], dict[str, Pair]] = {}
    for one in contested:
        found.setdefault((one.kind, one.ghl, one.centralstation), {})[one.name] = one.now
    ItemRow.objects.filter(contact=contact_id).exclude(contested={}).update(contested={})
    for (kind, ghl, central), fields in found.items():
        rows = ItemRow.objects.filter(contact=contact_id, kind=kind, ghl_id=ghl, centralstation_id=central)
        rows.update(contested=_PAIRS.dump_python(fields, mode="json"))


def store_items(contact_id: int, before: Iterable[ItemBase], after: Iterable[ItemBase]) -> None:
    """Write what differs between two sets of a contact's item bases: changed, new and dropped ones."""
    known = {base.ref: base for base in before}
    kept = [base for base in after if base.ref in known]
    rows = [item_row(contact_id, base) for base in kept if base != known[base.ref]]
    if rows:
        ItemRow.objects.bulk_update(rows, ["ghl_id", "centralstation_id", "base", "sent", "fresh", "gone"])
    if new := [item_row(contact_id, base) for base in after if base.ref is None]:
        ItemRow.objects.bulk_create(new)
    refs = {base.ref for base in kept}
    if dropped := [ref for ref in known if ref is not None and ref not in refs]:
        ItemRow.objects.filter(pk__in=dropped).delete()


def plain(values: Mapping[str, Value]) -> dict[str, object]:
    """The values of a write as a JSON column keeps them, for staff to read."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
