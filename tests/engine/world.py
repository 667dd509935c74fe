"""Both CRMs in memory, as peculiar as they are in reality, and one contact in them that is kept the same by plans.

GHL has one e-mail and phone, folds the case of e-mails and tags, shows phones as E.164 and rewrites notes. CentralStation has many rows a
kind, insists on a last name, cuts titles and knows states by code. What a side can't hold is asked of the product itself."""

from __future__ import annotations

import html
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from crmsync.engine.base import Base, ItemBase
from crmsync.engine.items import changes_of, linked
from crmsync.engine.mapping import DEFAULT_MAPPING, ConflictRule, FieldMap, Limits, Policy
from crmsync.engine.plan import Plan, plan
from crmsync.engine.profile import after_create
from crmsync.engine.records import SIDES, FieldKey, Item, ItemKind, Record, Side, Value
from crmsync.engine.values import fold_tag, is_html, phone_e164, same
from crmsync.engine.write import Write, WriteKind
from crmsync.systems.centralstation.fields import ADDRESS_FIELDS, STANDARD, address_parts
from crmsync.systems.centralstation.fields import can_hold as centralstation_can_hold
from crmsync.systems.centralstation.fields import stand_ins as centralstation_stand_ins
from crmsync.systems.centralstation.records import repeats_beginning, sendable
from crmsync.systems.ghl.fields import can_hold as ghl_can_hold
from crmsync.systems.ghl.items import stand_ins as ghl_item_stand_ins

GHL, CENTRAL = Side.GHL, Side.CENTRALSTATION
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
DETAILS = {"email": "emails", "tel": "tels", "homepage": "homepages"}
TYPES = {one.key: one.type for one in STANDARD}
BY_NAME = {row.name: row for row in DEFAULT_MAPPING}


class GhlLimits:
    def stand_ins(self, profile: Mapping[FieldKey, Value]) -> Mapping[FieldKey, Value]:
        return {}

    def item_stand_ins(self, item: Item) -> Item:
        return ghl_item_stand_ins(item)

    def can_hold(self, key: FieldKey, value: Value, profile: Mapping[FieldKey, Value]) -> bool:
        return ghl_can_hold(key, value, None)


class CentralLimits:
    def stand_ins(self, profile: Mapping[FieldKey, Value]) -> Mapping[FieldKey, Value]:
        return centralstation_stand_ins(profile, "DE")

    def item_stand_ins(self, item: Item) -> Item:
        return sendable(item)

    def can_hold(self, key: FieldKey, value: Value, profile: Mapping[FieldKey, Value]) -> bool:
        return centralstation_can_hold(value, key, str(profile.get("country_code") or "DE"), {})


LIMITS: Mapping[Side, Limits] = {GHL: GhlLimits(), CENTRAL: CentralLimits()}


def policy(conflict: ConflictRule = ConflictRule.NEWEST, **more: Any) -> Policy:
    return Policy(conflict=conflict, limits=LIMITS, **more)


class Crm(Protocol):
    """What both simulated contacts can do. `updated_at` moves with a person's edits only, so that a cut-off plan meets the same times."""

    side: Side
    updated_at: datetime
    items: dict[str, Item]

    def record(self) -> Record: ...
    def set(self, changes: Mapping[FieldKey, Value]) -> None: ...
    def add_tags(self, tags: tuple[str, ...]) -> None: ...
    def remove_tags(self, tags: tuple[str, ...]) -> None: ...
    def stored(self, item: Item) -> Item: ...


@dataclass
class GhlContact:
    """`drops`: keys it accepts and doesn't keep. `rewrites`: notes are turned into HTML."""

    fields: dict[FieldKey, Value] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    items: dict[str, Item] = field(default_factory=dict)
    drops: set[FieldKey] = field(default_factory=set)
    rewrites: bool = False
    updated_at: datetime = LONG_AGO
    side: Side = GHL

    def record(self) -> Record:
        return Record(side=GHL, id="g", profile=dict(self.fields), tags=tuple(self.tags), updated_at=self.updated_at, **_lists(self.items))

    def set(self, changes: Mapping[FieldKey, Value]) -> None:
        for key, value in changes.items():
            if key not in self.drops:
                self.fields[key] = self._kept(key, value)

    def _kept(self, key: FieldKey, value: Value) -> Value:
        if not isinstance(value, str):
            return value
        match key:
            case "email":
                return value.strip().lower()
            case "phone":
                return phone_e164(value, "DE") or value
            case _:
                return value.strip()

    def add_tags(self, tags: tuple[str, ...]) -> None:
        self.tags += [fold_tag(tag) for tag in tags if fold_tag(tag) not in self.tags and "tags" not in self.drops]

    def remove_tags(self, tags: tuple[str, ...]) -> None:
        self.tags = [tag for tag in self.tags if tag not in {fold_tag(one) for one in tags}]

    def stored(self, item: Item) -> Item:
        item = ghl_item_stand_ins(item)
        if item.kind is ItemKind.TASK:
            return replace(item, due=item.due if "T" in str(item.due) else f"{item.due}T12:00:00+00:00", text=None)
        if not self.rewrites or is_html(item.text or ""):
            return item
        return replace(item, text="<p>" + "<br />".join(html.escape(line) for line in str(item.text).splitlines()) + "</p>")


@dataclass
class Person:
    """`rows` by include name, the head first; each with an id, a type and its fields."""

    fields: dict[FieldKey, Value] = field(default_factory=lambda: {"name": "Lovelace"})
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"emails": [], "tels": [], "homepages": [], "addrs": []})
    tags: list[str] = field(default_factory=list)
    items: dict[str, Item] = field(default_factory=dict)
    drops: set[FieldKey] = field(default_factory=set)
    rewrites: bool = False
    updated_at: datetime = LONG_AGO
    side: Side = CENTRAL
    made: int = 0

    def record(self) -> Record:
        groups = {key: [{key: row["name"]} for row in self.rows[group]] for key, group in DETAILS.items()}
        groups["addr"] = [{key: row.get(key) for key in ADDRESS_FIELDS} for row in self.rows["addrs"]]
        heads = {key: value for rows in groups.values() for key, value in (rows[0] if rows else {}).items()}
        return Record(
            side=CENTRAL,
            id="7",
            profile={**self.fields, **heads},
            spares={group: tuple(rows[1:]) for group, rows in groups.items() if len(rows) > 1},
            tags=tuple(self.tags),
            updated_at=self.updated_at,
            **_lists(self.items),
        )

    def add_row(self, group: str, atype: str = "office", **fields: Any) -> None:
        self.made += 1
        self.rows[group].append({"id": self.made, "atype": atype, **fields})

    def set(self, changes: Mapping[FieldKey, Value]) -> None:
        changes = {key: value for key, value in changes.items() if key not in self.drops}
        for key, value in changes.items():
            if key in DETAILS:
                self._set_detail(key, str(value or "").strip())
            elif key not in ADDRESS_FIELDS:
                self.fields[key] = value.strip() if isinstance(value, str) else value
        if not self.fields.get("name"):
            self.fields["name"] = "(refused: no last name)"
        if parts := {key: value for key, value in changes.items() if key in ADDRESS_FIELDS}:
            self._set_address(parts)

    def _set_detail(self, key: FieldKey, text: str) -> None:
        rows = self.rows[DETAILS[key]]
        spare = next((row for row in rows[1:] if text and same(row["name"], text, TYPES[key])), None)  # type: ignore[arg-type]
        if spare is not None:
            rows.remove(spare)
            rows.insert(0, spare)
        elif text and rows:
            rows[0]["name"] = text
        elif text:
            self.add_row(DETAILS[key], name=text)
        elif rows:
            del rows[0]

    def _set_address(self, changes: Mapping[FieldKey, Value]) -> None:
        rows = self.rows["addrs"]
        old = {key: value for key, value in (rows[0] if rows else {}).items() if key in ADDRESS_FIELDS}
        parts = {key: part or None for key, part in address_parts({**old, **changes}, "DE").items() if key in changes}
        left = {**old, **parts}
        if not any(left.values()):
            del rows[:1]
            return
        if not rows:
            self.add_row("addrs", "work_hq")
        if not (left.get("city") or left.get("country_code")):
            parts["country_code"] = "DE"
        rows[0].update(parts)

    def add_tags(self, tags: tuple[str, ...]) -> None:
        self.tags += [tag for tag in tags if "tags" not in self.drops]

    def remove_tags(self, tags: tuple[str, ...]) -> None:
        self.tags = [tag for tag in self.tags if fold_tag(tag) not in {fold_tag(one) for one in tags}]

    def stored(self, item: Item) -> Item:
        if item.kind is ItemKind.TASK:
            return replace(item, title=(item.title or "(no title)")[:255], text=None)
        title = (item.title or "")[:100] or None
        return replace(item, title=None if repeats_beginning(title, item.text) else title, due=None, done=False)


def _lists(items: Mapping[str, Item]) -> dict[str, Any]:
    return {f"{kind}s": tuple(item for item in items.values() if item.kind is kind) for kind in ItemKind}


@dataclass
class World:
    """One contact on both sides (or on one, the other None), and what is remembered of it."""

    ghl: GhlContact | None = field(default_factory=GhlContact)
    central: Person | None = field(default_factory=Person)
    base: Base = field(default_factory=Base)
    policy: Policy = field(default_factory=policy)
    mapping: tuple[FieldMap, ...] = DEFAULT_MAPPING
    ticks: int = 0

    def crm(self, side: Side) -> Crm:
        crm = self.ghl if side is GHL else self.central
        assert crm is not None
        return crm

    def copy(self) -> World:
        return deepcopy(self)

    # A person at work

    def edit(self, side: Side, **values: Value) -> None:
        """Set fields by their plain names (`last_name`)."""
        self.crm(side).set({BY_NAME[name.replace("_", " ")].key(side): value for name, value in values.items()})
        self.crm(side).updated_at = self._now()

    def add_item(self, side: Side, item: Item) -> str:
        now = self._now()
        stored = replace(self.crm(side).stored(replace(item, created_at=now)), id=f"{side}-{self.ticks}")
        self.crm(side).items[stored.id] = stored if side is GHL else replace(stored, updated_at=now)
        return stored.id

    def edit_item(self, side: Side, item_id: str, **values: Any) -> None:
        items = self.crm(side).items
        items[item_id] = self.crm(side).stored(replace(items[item_id], **values))
        if side is CENTRAL:
            items[item_id] = replace(items[item_id], updated_at=self._now())

    def _now(self) -> datetime:
        self.ticks += 1
        return LONG_AGO + timedelta(minutes=self.ticks)

    # crmsync at work

    def plan(self) -> Plan:
        self.base = replace(self.base, items=tuple(self._read(base) for base in self.base.items))
        ghl, central = (crm.record() if crm else None for crm in (self.ghl, self.central))
        return plan(self.base, ghl, central, self.mapping, self.policy)

    def _read(self, base: ItemBase) -> ItemBase:
        return replace(base, fresh=None) if base.fresh and base.id(base.fresh) in self.crm(base.fresh).items else base

    def reconcile(self, *, cut_after: int | None = None, forgets: int = 0) -> Plan:
        """Plan once and send the writes: all, or the first few; of the last `forgets` of them nothing is remembered."""
        planned = self.plan()
        self.base = planned.base
        writes = planned.writes[:cut_after]
        for number, write in enumerate(writes):
            self._send(write, remembers=number < len(writes) - forgets)
        return planned

    def settle(self) -> Plan:
        """Reconcile until there is nothing left to write. The last plan."""
        for _ in range(5):
            if not self.reconcile().writes:
                return self.plan()
        raise AssertionError(f"never ends: {self.plan().writes}")

    def _send(self, write: Write, *, remembers: bool) -> None:
        before = self.base
        match write.kind:
            case WriteKind.CREATE:
                self._create(write)
            case WriteKind.UPDATE:
                self.crm(write.side).set(write.changes)
            case WriteKind.ADD_TAGS:
                self.crm(write.side).add_tags(write.tags)
            case WriteKind.REMOVE_TAGS:
                self.crm(write.side).remove_tags(write.tags)
            case _:
                self._send_item(write)
        if write.item is None and write.kind is not WriteKind.CREATE:
            self.base = replace(self.base, sent={**self.base.sent, **write.sent})
        if not remembers:
            self.base = before

    def _create(self, write: Write) -> None:
        source = self.crm(write.side.other).record()
        wanted = {**write.changes, **self.policy.stand_ins(write.side, write.changes)}
        if write.side is GHL:
            self.ghl = GhlContact()
        else:
            self.central = Person(fields={})
        self.crm(write.side).set(wanted)
        self.crm(write.side).add_tags(write.tags)
        created = self.crm(write.side).record()
        base = after_create(self.base, source, created, self.mapping, write.sent)
        self.base = replace(base, tags=frozenset(map(fold_tag, created.tags)) & frozenset(map(fold_tag, source.tags)))

    def _send_item(self, write: Write) -> None:
        assert write.item is not None
        crm, pair = self.crm(write.side), write.pair and _as_stored(self.base, write.pair)
        match write.kind:
            case WriteKind.CREATE_ITEM:
                new = linked(write, crm.items[self.add_item(write.side, write.item)])
                self.base = replace(self.base, items=(*self.base.items, new))
                return
            case WriteKind.UPDATE_ITEM:
                assert pair is not None
                values: dict[str, Any] = dict(changes_of(write.after))
                crm.items[write.item.id] = crm.stored(replace(crm.items[write.item.id], **values))
                new = replace(pair, sent={**pair.sent, **write.sent})
            case _:
                assert pair is not None
                del crm.items[write.item.id]
                new = replace(pair, gone=True)
        self.base = replace(self.base, items=tuple(new if base is pair else base for base in self.base.items))

    # Looking

    def value(self, side: Side, name: str) -> Value:
        return self.crm(side).record().profile.get(BY_NAME[name].key(side))

    def values(self, name: str) -> tuple[Value, Value]:
        return self.value(GHL, name), self.value(CENTRAL, name)

    def items(self, side: Side, kind: ItemKind) -> list[Item]:
        return list(self.crm(side).record().items(kind) or ())

    def tags(self, side: Side) -> list[str]:
        return sorted(set(map(fold_tag, self.crm(side).record().tags)))


def _as_stored(base: Base, pair: ItemBase) -> ItemBase:
    return next(one for one in base.items if (one.kind, one.ghl, one.centralstation) == (pair.kind, pair.ghl, pair.centralstation))


def note(text: str | None, title: str | None = None) -> Item:
    return Item(kind=ItemKind.NOTE, text=text, title=title)


def task(title: str, due: str | None = "2026-12-01", *, done: bool = False) -> Item:
    return Item(kind=ItemKind.TASK, title=title, due=due, done=done)


def in_sync(conflict: ConflictRule = ConflictRule.NEWEST, **values: Value) -> World:
    """A contact on both sides that agrees: Ada Lovelace, with these values besides."""
    world = World(policy=policy(conflict))
    world.edit(GHL, first_name="Ada", last_name="Lovelace", **values)
    world.settle()
    return world


__all__ = ["CENTRAL", "GHL", "SIDES", "GhlContact", "Person", "World", "in_sync", "note", "policy", "task"]
