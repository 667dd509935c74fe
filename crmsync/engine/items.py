"""Notes and tasks: paired by link, else adopted by content, else created; edited, completed and deleted where the other side was.

The lists given here are complete: that an item is absent has been confirmed by asking for it directly.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from crmsync.engine.base import ItemBase, Sent
from crmsync.engine.mapping import Policy
from crmsync.engine.merge import Agreed, Ask, NotKept, Take, merge, on, pair_of, settle_sent
from crmsync.engine.records import SIDES, Item, ItemKind, Record, Side, Value
from crmsync.engine.values import FieldType, note_text, same
from crmsync.engine.write import Write, WriteKind

FIELDS = {ItemKind.NOTE: ("title", "text"), ItemKind.TASK: ("title", "due", "done")}
"""What of an item is kept the same. A task's text has no home in CentralStation and stays in GHL."""


def value_of(item: Item, name: str) -> Value:
    """A field of an item as a value; `done` is "yes" or None."""
    match name:
        case "title":
            return item.title
        case "text":
            return item.text
        case "due":
            return item.due
        case _:
            return "yes" if item.done else None


def changes_of(values: Mapping[str, Value]) -> dict[str, object]:
    """Values as `System.update_item` takes them."""
    return {name: value is not None if name == "done" else value for name, value in values.items()}


@dataclass(slots=True, kw_only=True)
class ItemsPart:
    writes: list[Write] = field(default_factory=list)
    bases: list[ItemBase] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    not_kept: list[tuple[Side, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ItemsMerge:
    """All notes, or all tasks, of one contact on both sides, held against their bases. Entry: `part()`."""

    kind: ItemKind
    bases: Sequence[ItemBase]
    records: Mapping[Side, Record]
    policy: Policy
    read_back: bool

    def part(self) -> ItemsPart:
        part = ItemsPart()
        left = {side: {item.id: item for item in self.records[side].items(self.kind) or ()} for side in SIDES}
        for base in self.bases:
            self._linked(
                base, left[Side.GHL].pop(base.ghl or "", None), left[Side.CENTRALSTATION].pop(base.centralstation or "", None), part
            )
        for ghl, central in self._adopted(left):
            self._both(ItemBase(kind=self.kind, ghl=ghl.id, centralstation=central.id), ghl, central, part)
        for side in SIDES:
            part.writes += [self._create(item, side.other, None) for item in left[side].values() if _has_content(item)]
        return part

    def _linked(self, base: ItemBase, ghl: Item | None, central: Item | None, part: ItemsPart) -> None:
        if base.gone:
            self._tombstone(base, ghl, central, part)
        elif ghl is not None and central is not None:
            self._both(base, ghl, central, part)
        elif (there := ghl or central) is not None:
            self._absent(base, Side.CENTRALSTATION if ghl else Side.GHL, there, part)

    def _tombstone(self, base: ItemBase, ghl: Item | None, central: Item | None, part: ItemsPart) -> None:
        """Deleted, accepted, and still shown: CentralStation is known for it. Said once, never repeated."""
        if ghl is not None or central is not None:
            part.bases.append(base)
            part.not_kept.append((Side.GHL if ghl else Side.CENTRALSTATION, f"deleted {self.kind}"))

    def _absent(self, base: ItemBase, gone_on: Side, there: Item, part: ItemsPart) -> None:
        part.bases.append(base)
        if base.fresh is gone_on:
            part.not_kept.append((gone_on, self.kind))
        elif self._unchanged(base, gone_on.other, there):
            before = {name: value_of(there, name) for name in FIELDS[self.kind]}
            part.writes.append(Write(side=gone_on.other, kind=WriteKind.DELETE_ITEM, before=before, item=there, pair=base))
        else:
            part.writes.append(self._create(there, gone_on, base))

    def _unchanged(self, base: ItemBase, side: Side, item: Item) -> bool:
        """Whether `item` is on `side` what it was when both last agreed."""
        agreed = {name: on(pair, side) for name, pair in base.fields.items()}
        return all(name in agreed and self._same(name)(agreed[name], value_of(item, name)) for name in FIELDS[self.kind])

    def _both(self, base: ItemBase, ghl: Item, central: Item, part: ItemsPart) -> None:
        items = {Side.GHL: ghl, Side.CENTRALSTATION: central}
        fields, sent = dict(base.fields), {}
        takes: dict[Side, dict[str, Value]] = {side: {} for side in SIDES}
        for name in FIELDS[self.kind]:
            now = (value_of(ghl, name), value_of(central, name))
            known = settle_sent(base.sent.get(name), base.fields.get(name), now, self._same(name), read_back=self.read_back)
            if isinstance(known, NotKept):
                sent[name] = known.sent
                part.not_kept.append((known.sent.side, f"{self.kind} {name}"))
                continue
            if known is None and self._is_stand_in(name, items):
                known = now
            match merge(known, now, self._same(name), self.policy.conflict, self._changed_at(items)):
                case Agreed(pair):
                    fields[name] = pair
                case Take(to, value):
                    takes[to][name] = value
                case Ask():
                    part.conflicts.append(f"{self.kind} {name}")
        kept = replace(base, fields=fields, sent=sent)
        part.bases.append(kept)
        part.writes += [self._update(side, takes[side], items, kept) for side in SIDES if takes[side]]

    def _update(self, side: Side, values: Mapping[str, Value], items: Mapping[Side, Item], base: ItemBase) -> Write:
        before = {name: value_of(items[side], name) for name in values}
        whole = self._form(replace(items[side.other], **changes_of(values)), side)  # type: ignore[arg-type]
        cut = {name: value_of(whole, name) if value is not None else None for name, value in values.items()}
        sent = {
            name: Sent(side=side, value=value, before=before[name], source=value_of(items[side.other], name)) for name, value in cut.items()
        }
        return Write(
            side=side,
            kind=WriteKind.UPDATE_ITEM,
            before=before,
            after=cut,
            item=items[side],
            pair=base,
            source=items[side.other],
            sent=sent,
        )

    def _create(self, source: Item, side: Side, base: ItemBase | None) -> Write:
        item = replace(self._form(source, side), id="")
        names = FIELDS[self.kind]
        sent = {name: Sent(side=side, value=value_of(item, name), before=None, source=value_of(source, name)) for name in names}
        after = {name: value_of(item, name) for name in names}
        return Write(side=side, kind=WriteKind.CREATE_ITEM, after=after, item=item, pair=base, source=source, sent=sent)

    def _form(self, item: Item, side: Side) -> Item:
        """`item` as `side` would hold it: cut to length, with what it requires."""
        limits = self.policy.limits.get(side)
        return limits.item_stand_ins(item) if limits else item

    def _is_stand_in(self, name: str, items: Mapping[Side, Item]) -> bool:
        for side in SIDES:
            source, there = items[side.other], value_of(items[side], name)
            form = value_of(self._form(source, side), name)
            if form != value_of(source, name) and self._same(name)(form, there):
                return True
        return False

    def _changed_at(self, items: Mapping[Side, Item]) -> tuple[datetime | None, datetime | None]:
        """When each was changed; the contact's own time stands in for an item's where the CRM doesn't tell (GHL's notes and tasks)."""
        ghl, central = (items[side].updated_at or self.records[side].updated_at for side in SIDES)
        return ghl, central

    def is_same(self, name: str, agreed: Value, item: Item) -> bool:
        """Whether `item` shows for `name` what was agreed on."""
        return self._same(name)(agreed, value_of(item, name))

    def _same(self, name: str) -> Callable[[Value, Value], bool]:
        match name:
            case "text":
                return _same_text
            case "due":
                return lambda one, other: due_same(one, other, self.policy.zone)
            case _:
                return lambda one, other: same(one, other, FieldType.TEXT)

    def _adopted(self, left: Mapping[Side, dict[str, Item]]) -> Iterable[tuple[Item, Item]]:
        """Pairs of unlinked items with the same content, closest first; taken out of `left`."""
        for closeness in (3, 2, 1):
            waiting: dict[Hashable, list[Item]] = {}
            for central in sorted(left[Side.CENTRALSTATION].values(), key=_age):
                waiting.setdefault(self._content(central, closeness), []).append(central)
            for ghl in sorted(left[Side.GHL].values(), key=_age):
                forms = (ghl, self._form(ghl, Side.CENTRALSTATION))
                match_ = next((found for form in forms if (found := waiting.get(self._content(form, closeness)))), None)
                if match_ and _has_content(ghl):
                    central = match_.pop(0)
                    del left[Side.GHL][ghl.id], left[Side.CENTRALSTATION][central.id]
                    yield ghl, central

    def _content(self, item: Item, closeness: int) -> Hashable:
        """What two items share when they are the same: the more `closeness`, the more of it."""
        if self.kind is ItemKind.NOTE:
            text, title = note_text(item.text or item.title), _words(item.title)
            return (text, title) if closeness > 1 else (text,)
        words = (_words(item.title), _day(item.due, self.policy.zone), item.done)
        return words[:closeness]


def _has_content(item: Item) -> bool:
    return bool(_words(item.title) or note_text(item.text))


def _words(text: str | None) -> str:
    return " ".join((text or "").split())


def _age(item: Item) -> tuple[datetime, str]:
    return item.created_at or datetime.max.replace(tzinfo=UTC), item.id


def _same_text(one: Value, other: Value) -> bool:
    return one == other or note_text(str(one or "")) == note_text(str(other or ""))


def due_same(one: Value, other: Value, zone: str) -> bool:
    """Due dates compared at the resolution of the coarser side: a date alone is the same as any time on that day in `zone`."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return one == other
    if len(one) == 10 or len(other) == 10:
        return _day(one, zone) == _day(other, zone)
    return _instant(one) == _instant(other)


def _instant(due: str) -> datetime | str:
    try:
        return datetime.fromisoformat(due).astimezone(UTC).replace(microsecond=0)
    except ValueError:
        return due


def _day(due: str | None, zone: str) -> str | None:
    if due is None or len(due) == 10:
        return due
    instant = _instant(due)
    return instant.astimezone(ZoneInfo(zone)).date().isoformat() if isinstance(instant, datetime) else due


def linked(write: Write, created: Item) -> ItemBase:
    """The base of an item just created by `write`, to be stored at once: both ids, and what was sent as not yet seen."""
    assert write.source is not None
    ghl, central = pair_of(write.side, created.id, write.source.id)
    return ItemBase(kind=created.kind, ghl=str(ghl), centralstation=str(central), sent=write.sent, fresh=write.side)
