"""Notes and tasks: paired by link, else adopted by content, else created; edited, completed and deleted where the other side was.

The lists given here are complete: that an item is absent has been confirmed by asking for it directly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from crmsync.engine.base import ItemBase, Sent
from crmsync.engine.mapping import Pair, Policy
from crmsync.engine.merge import Agreed, Ask, NotKept, Same, Take, merge, on, pair_of, settle_sent
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Contested:
    """A field of one pair of notes or tasks that both sides changed to different values; `now` is what they show."""

    kind: ItemKind
    ghl: str
    centralstation: str
    name: str
    now: Pair


def decision_name(kind: ItemKind, name: str, ref: int | None) -> str:
    """Under which name a person's choice for one field of one item is kept: `note text 41`."""
    return f"{kind} {name} {ref}"


@dataclass(slots=True, kw_only=True)
class ItemsPart:
    """What one kind of items adds to a plan: writes, pairs as far as they are agreed, and by plain name what is in conflict or not kept."""

    writes: list[Write] = field(default_factory=list)
    bases: list[ItemBase] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    contested: list[Contested] = field(default_factory=list)
    not_kept: list[tuple[Side, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ItemsMerge:
    """All notes, or all tasks, of one contact on both sides, held against their bases. Entry: `part()`.

    `decisions`: the side a person chose where both changed, by `decision_name` for one item, or by `note text`, `task due` and the like
    for all items of the contact."""

    kind: ItemKind
    bases: Sequence[ItemBase]
    records: Mapping[Side, Record]
    policy: Policy
    decisions: Mapping[str, Side]

    def part(self) -> ItemsPart:
        part = ItemsPart()
        left = {side: {item.id: item for item in sorted(self.records[side].items(self.kind) or (), key=_age)} for side in SIDES}
        for base in self.bases:
            here = {side: left[side].pop(base.id(side) or "", None) for side in SIDES}
            match here[Side.GHL], here[Side.CENTRALSTATION]:
                case Item() as ghl, Item() as central:
                    self._both(base, ghl, central, part)
                case Item(), None if base.centralstation is None:
                    part.bases.append(base)  # its copy there was undone: it stays on this side alone
                case None, Item() if base.ghl is None:
                    part.bases.append(base)
                case Item() as there, None:
                    self._absent(base, Side.CENTRALSTATION, there, left, part)
                case None, Item() as there:
                    self._absent(base, Side.GHL, there, left, part)
        for ghl, central in self._adopted(left):
            self._both(ItemBase(kind=self.kind, ghl=ghl.id, centralstation=central.id), ghl, central, part)
        for side in SIDES:
            part.writes += [self._create(item, side.other) for item in left[side].values() if _has_content(item)]
        return part

    def _absent(self, base: ItemBase, gone_on: Side, there: Item, left: Mapping[Side, dict[str, Item]], part: ItemsPart) -> None:
        """One half of a pair is gone: so goes the other, unless it has changed meanwhile. Then it is an item like any unlinked one.

        A create that proves not kept (`fresh`) isn't repeated, nor is a delete that was accepted while the item is still shown (`gone`):
        CentralStation is known for that."""
        if self._has_changed(base, gone_on.other, there):
            left[gone_on.other][there.id] = there
            return
        part.bases.append(base)
        if base.gone:
            part.not_kept.append((gone_on.other, f"deleted {self.kind}"))
        elif base.fresh is gone_on:
            part.not_kept.append((gone_on, self.kind))
        else:
            before = {name: value_of(there, name) for name in FIELDS[self.kind]}
            part.writes.append(Write(side=gone_on.other, kind=WriteKind.DELETE_ITEM, before=before, item=there, pair=base))

    def _has_changed(self, base: ItemBase, side: Side, item: Item) -> bool:
        """Whether `item` is on `side` other than what both last agreed on, or what was last carried from it or to it."""
        agreed = {name: on(pair, side) for name, pair in base.fields.items()}
        carried = {name: sent.value if sent.side is side else sent.source for name, sent in base.sent.items() if sent.kept}
        return differs(item, agreed | carried, self.policy)

    def _both(self, base: ItemBase, ghl: Item, central: Item, part: ItemsPart) -> None:
        items = {Side.GHL: ghl, Side.CENTRALSTATION: central}
        fields: dict[str, Pair] = {}
        open_: dict[str, Sent] = {}
        takes: dict[Side, list[str]] = {side: [] for side in SIDES}
        for name in FIELDS[self.kind]:
            same, now, agreed = same_of(name, self.policy), (value_of(ghl, name), value_of(central, name)), base.fields.get(name)
            known = now if self._shows_form(name, items) else settle_sent(base.sent.get(name), agreed, now, same)
            if isinstance(known, NotKept):
                open_[name] = known.sent
                part.not_kept.append((known.sent.side, f"{self.kind} {name}"))
                known = agreed
            else:
                decision = self.decisions.get(decision_name(self.kind, name, base.ref)) or self.decisions.get(f"{self.kind} {name}")
                match merge(known, now, same, self.policy.conflict, self._changed_at(items), decision=decision):
                    case Agreed(pair):
                        known = pair
                    case Take(to, _):
                        takes[to].append(name)
                    case Ask():
                        part.conflicts.append(f"{self.kind} {name}")
                        part.contested.append(Contested(kind=self.kind, ghl=ghl.id, centralstation=central.id, name=name, now=now))
            if known is not None:
                fields[name] = known
        kept = replace(base, fields=fields, sent=open_, gone=False)
        part.bases.append(kept)
        part.writes += [self._update(side, takes[side], items, kept) for side in SIDES if takes[side]]

    def _update(self, side: Side, names: Sequence[str], items: Mapping[Side, Item], base: ItemBase) -> Write:
        item, source = items[side], items[side.other]
        form = self.policy.form(side, source)
        return Write(
            side=side,
            kind=WriteKind.UPDATE_ITEM,
            before={name: value_of(item, name) for name in names},
            after={name: value_of(form, name) for name in names},
            item=item,
            pair=base,
            source=source,
            sent={name: _sent(side, name, form, item, source) for name in names},
        )

    def _create(self, source: Item, side: Side) -> Write:
        form = replace(self.policy.form(side, source), id="")
        nothing = Item(kind=self.kind)
        after = {name: value_of(form, name) for name in FIELDS[self.kind]}
        sent = {name: _sent(side, name, form, nothing, source) for name in after}
        return Write(side=side, kind=WriteKind.CREATE_ITEM, after=after, item=form, source=source, sent=sent)

    def _shows_form(self, name: str, items: Mapping[Side, Item]) -> bool:
        """Whether a side shows just what it would be given for the other's value, which it can't hold as it is: cut, or a stand-in."""
        for side in SIDES:
            source, form = value_of(items[side.other], name), value_of(self.policy.form(side, items[side.other]), name)
            if form != source and same_of(name, self.policy)(form, value_of(items[side], name)):
                return True
        return False

    def _changed_at(self, items: Mapping[Side, Item]) -> tuple[datetime | None, datetime | None]:
        """When each was changed; the contact's own time stands in for an item's where the CRM doesn't tell (GHL's notes and tasks)."""
        ghl, central = (items[side].updated_at or self.records[side].updated_at for side in SIDES)
        return ghl, central

    def _adopted(self, left: Mapping[Side, dict[str, Item]]) -> Iterator[tuple[Item, Item]]:
        """Pairs of unlinked items that are the same, closest and oldest first; taken out of `left`."""
        contents = {side: [(item, self._content(item)) for item in left[side].values() if _has_content(item)] for side in SIDES}
        by_gist: dict[str, list[tuple[Item, Content]]] = {}
        for central, content in contents[Side.CENTRALSTATION]:
            by_gist.setdefault(content.gist, []).append((central, content))
        pairs = [
            (closeness, ghl, central)
            for ghl, content in contents[Side.GHL]
            for central, other in by_gist.get(content.gist, ())
            if (closeness := content.closeness(other))
        ]
        for _, ghl, central in sorted(pairs, key=lambda pair: -pair[0]):
            if ghl.id in left[Side.GHL] and central.id in left[Side.CENTRALSTATION]:
                del left[Side.GHL][ghl.id], left[Side.CENTRALSTATION][central.id]
                yield ghl, central

    def _content(self, item: Item) -> Content:
        """What is compared when items are adopted: in the form that remains when an item has passed through both CRMs."""
        form = self.policy.form(Side.CENTRALSTATION, self.policy.form(Side.GHL, item))
        if self.kind is ItemKind.NOTE:
            return Content(gist=note_text(form.text), detail=_words(form.title), has_detail=bool(_words(item.title)))
        return Content(gist=_words(form.title), detail=_day(form.due, self.policy.zone), has_detail=item.due is not None, done=form.done)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What makes two unlinked items the same: a note's text and title, a task's title and day."""

    gist: str
    detail: str | None
    has_detail: bool
    done: bool = False

    def closeness(self, other: Content) -> int:
        """3 the same, 2 the same but for being done, 1 where one adds what the other lacks, 0 where adopting would lose something."""
        if self.detail == other.detail:
            return 3 if self.done == other.done else 2
        return 0 if self.has_detail and other.has_detail else 1


def _sent(side: Side, name: str, form: Item, before: Item, source: Item) -> Sent:
    return Sent(side=side, value=value_of(form, name), before=value_of(before, name), source=value_of(source, name))


def same_of(name: str, policy: Policy) -> Same:
    """How a field of an item is compared."""
    match name:
        case "text":
            return _same_text
        case "due":
            return lambda one, other: due_same(one, other, policy.zone)
        case _:
            return lambda one, other: same(one, other, FieldType.TEXT)


def differs(item: Item, agreed: Mapping[str, Value], policy: Policy) -> bool:
    """Whether `item` shows anything but what was agreed on for each of its fields."""
    return any(name not in agreed or not same_of(name, policy)(agreed[name], value_of(item, name)) for name in FIELDS[item.kind])


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
        moment = datetime.fromisoformat(due).replace(microsecond=0)
    except ValueError:
        return due
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


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
