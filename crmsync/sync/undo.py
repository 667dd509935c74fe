"""What undoing some changes would come to: which previous values go back, and what is left as it is and why. Writes nothing.

Only what is still ours is touched: a value goes back where both sides still show the one that was written. What both had agreed on before
goes back on both: one side is written here, and the reconcile that follows carries it over like any edit. What the other side had before
the two were first compared stays there: only the copy goes, and the difference is agreed on.

Entry: `plan_undo`, pure, for a contact as it was read; `expected`, the same for a contact as it was last known, to show before anybody
presses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from django.utils.translation import gettext as _

from crmsync.engine.base import Base, ItemBase
from crmsync.engine.items import FIELDS, same_of, value_of
from crmsync.engine.mapping import FieldMap, Policy
from crmsync.engine.merge import Same, on, pair_of
from crmsync.engine.records import SIDES, Item, ItemKind, Record, Side, Value
from crmsync.engine.values import fold_tag
from crmsync.engine.write import Write, WriteKind
from crmsync.models import Change, Contact, Result
from crmsync.models import Item as ItemRow
from crmsync.sync.state import base_of, mapping_of, policy_of
from crmsync.systems.errors import NAMES

UNDOABLE = (Result.ACCEPTED, Result.VERIFIED)
"""Results of writes that took effect: of the others nothing is there to be undone."""

Records = Mapping[Side, Record]


@dataclass(frozen=True, slots=True)
class Kept:
    """What isn't undone: where, what, and why in one sentence."""

    side: Side
    name: str
    why: str


@dataclass(slots=True)
class Undo:
    """`writes` in order; `base` is what both sides agree on besides, to be stored before them. `deletes` are sides where the contact itself
    was created, and goes; `kept` is what stays as it is, `apart` what goes on this side alone, since the other had it all along."""

    base: Base
    writes: list[Write] = field(default_factory=list)
    deletes: list[Side] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    apart: list[Kept] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.writes and not self.deletes


@dataclass(frozen=True, slots=True)
class Step:
    """What one change did to one value. `agreed`: both sides had agreed on `before`, so that it was an edit that was carried over."""

    side: Side
    before: Value
    after: Value
    agreed: bool


@dataclass(slots=True)
class Trail:
    """One value followed backwards through the changes: what it would be by now, on which side it is to be written, and whether the other
    side keeps what it has (`apart`)."""

    now: Value
    back: Value
    side: Side
    apart: bool = False


@dataclass(frozen=True)
class Undoing:
    """One contact's changes, newest first, held against what both sides show. `base` is what they agree on, as just compared."""

    changes: Sequence[Change]
    records: Records
    base: Base
    mapping: Sequence[FieldMap]
    policy: Policy

    def plan(self) -> Undo:
        undo = Undo(self.base)
        for change in self.changes:
            if change.kind == WriteKind.CREATE:
                self._created(Side(change.side), undo)
        self._profile(undo)
        self._tags(undo)
        self._items(undo)
        undo.kept = list(dict.fromkeys(undo.kept))
        undo.writes = [write for write in undo.writes if write.side not in undo.deletes]
        return undo

    def _created(self, side: Side, undo: Undo) -> None:
        """What we created goes where it is still as we left it, and nobody has put notes or tasks of their own there."""
        record, region = self.records[side], self.policy.region
        agreed_tags = self.base.tags or frozenset()
        has_tags = bool(self.policy.kept_same(record, agreed_tags) - agreed_tags)
        ours = {base.id(side) for base in self.base.items}
        if any(item.id not in ours for kind in ItemKind for item in record.items(kind) or ()):
            undo.kept.append(Kept(side, _("contact"), _("It has notes or tasks of its own there by now.")))
        elif has_tags or any(not row.same(record.profile.get(row.key(side)), self._agreed(row.name, side), region) for row in self.mapping):
            undo.kept.append(Kept(side, _("contact"), _changed_in(side)))
        elif side not in undo.deletes:
            undo.deletes.append(side)

    def _agreed(self, name: str, side: Side) -> Value:
        pair = self.base.fields.get(name)
        return on(pair, side) if pair else None

    # The profile

    def _profile(self, undo: Undo) -> None:
        rows = {row.name: row for row in self.mapping}
        found: dict[Side, dict[str, Trail]] = {side: {} for side in SIDES}
        for name, steps in _steps([change for change in self.changes if change.kind == WriteKind.UPDATE]).items():
            row = rows.get(name)
            if row is None:
                undo.kept.append(Kept(steps[0].side, name, _("The field isn't mapped any more.")))
                continue
            current = {side: self.records[side].profile.get(row.key(side)) for side in SIDES}
            agreed = {side: self._agreed(name, side) for side in SIDES}
            trail = _follow(name, steps, current, agreed, partial(row.same, region=self.policy.region), undo)
            if trail is not None:
                found[trail.side][name] = trail
                if trail.apart:
                    undo.apart.append(Kept(trail.side, name, _stays(trail.side.other)))
                    pair = pair_of(trail.side, trail.back, current[trail.side.other])
                    undo.base = replace(undo.base, fields={**undo.base.fields, name: pair})
        for side, trails in found.items():
            if trails:
                before, after = _before_and_after(trails)
                changes = {rows[name].key(side): value for name, value in after.items()}
                undo.writes.append(Write(side=side, kind=WriteKind.UPDATE, before=before, after=after, changes=changes))

    # Tags

    def _tags(self, undo: Undo) -> None:
        steps: dict[str, list[Step]] = {}
        for change in self.changes:
            if change.kind not in (WriteKind.ADD_TAGS, WriteKind.REMOVE_TAGS):
                continue
            for tag in change.before.get("tags", ()):
                steps.setdefault(fold_tag(tag), []).append(Step(Side(change.side), tag, None, agreed="tags" in change.agreed))
            for tag in change.after.get("tags", ()):
                steps.setdefault(fold_tag(tag), []).append(Step(Side(change.side), None, tag, agreed="tags" in change.agreed))
        found: dict[tuple[Side, WriteKind], list[str]] = {}
        for folded, one in steps.items():
            current = {side: next((tag for tag in self.records[side].tags if fold_tag(tag) == folded), None) for side in SIDES}
            agreed = dict.fromkeys(SIDES, folded if folded in (self.base.tags or ()) else None)
            trail = _follow(_("tag %(tag)s") % {"tag": folded}, one, current, agreed, _same_tag, undo)
            if trail is not None and trail.apart:  # a tag is agreed on by both or by none: removed here, it would be removed there
                undo.kept.append(Kept(trail.side, _("tag %(tag)s") % {"tag": folded}, _was_there(trail.side.other)))
            elif trail is not None:
                kind = WriteKind.REMOVE_TAGS if trail.back is None else WriteKind.ADD_TAGS
                found.setdefault((trail.side, kind), []).append(str(trail.back or trail.now))
        for (side, kind), tags in found.items():
            shown: dict[str, Value] = {"tags": tuple(tags)}
            is_removal = kind is WriteKind.REMOVE_TAGS
            write = Write(side=side, kind=kind, before=shown if is_removal else {}, after={} if is_removal else shown, tags=tuple(tags))
            undo.writes.append(write)

    # Notes and tasks

    def _items(self, undo: Undo) -> None:
        taken: set[int | None] = set()
        for change in self.changes:
            if change.kind == WriteKind.CREATE_ITEM:
                self._item_created(change, taken, undo)
            elif change.kind == WriteKind.DELETE_ITEM:
                self._item_deleted(change, undo)
        edits = [change for change in self.changes if change.kind == WriteKind.UPDATE_ITEM]
        for base in self.base.items:
            mine = [change for change in edits if change.remote_id == base.id(Side(change.side))]
            if mine and base.ref not in taken:
                self._item_edited(base, mine, undo)
        known = {base.id(side) for base in self.base.items for side in SIDES}
        undo.kept += [Kept(Side(one.side), _("note or task"), _("It isn't there any more.")) for one in edits if one.remote_id not in known]

    def _item_created(self, change: Change, taken: set[int | None], undo: Undo) -> None:
        """The log doesn't tell the id of what was created: it is the linked one that is as it was written."""
        side = Side(change.side)
        for base in self.base.items:
            item = self._item(base, side)
            if base.ref in taken or item is None or base.id(side.other) is None or not self._shows(item, change.after):
                continue
            taken.add(base.ref)
            before = {name: value_of(item, name) for name in FIELDS[base.kind]}
            undo.writes.append(Write(side=side, kind=WriteKind.DELETE_ITEM, before=before, item=item, pair=base))
            return
        undo.kept.append(Kept(side, _("note or task"), _("It was changed or deleted since.")))

    def _item_deleted(self, change: Change, undo: Undo) -> None:
        """Created again, unless one with the same content is there."""
        side = Side(change.side)
        kind = ItemKind.NOTE if "text" in change.before else ItemKind.TASK
        if any(self._shows(item, change.before) for item in self.records[side].items(kind) or ()):
            return
        was = {name: _value(value) for name, value in change.before.items()}
        item = Item(
            kind=kind, title=_text(was.get("title")), text=_text(was.get("text")), due=_text(was.get("due")), done=bool(was.get("done"))
        )
        half = next((base for base in self.base.items if base.id(side) is None and self._is_half(base, side.other, change)), None)
        undo.writes.append(Write(side=side, kind=WriteKind.CREATE_ITEM, after=was, item=item, pair=half))

    def _is_half(self, base: ItemBase, side: Side, change: Change) -> bool:
        """Whether this is what the deleted one was a copy of, left alone on its side since."""
        item = self._item(base, side)
        return item is not None and self._shows(item, change.before)

    def _shows(self, item: Item, after: Mapping[str, object]) -> bool:
        names = FIELDS[item.kind]
        return set(after) <= set(names) and all(same_of(name, self.policy)(value_of(item, name), _value(after.get(name))) for name in names)

    def _item(self, base: ItemBase, side: Side) -> Item | None:
        return next((item for item in self.records[side].items(base.kind) or () if item.id == base.id(side)), None)

    def _item_edited(self, base: ItemBase, changes: Sequence[Change], undo: Undo) -> None:
        items = {side: self._item(base, side) for side in SIDES}
        found: dict[Side, dict[str, Trail]] = {side: {} for side in SIDES}
        fields = dict(base.fields)
        for name, steps in _steps(changes).items():
            current = {side: value_of(item, name) if (item := items[side]) else None for side in SIDES}
            agreed = {side: on(base.fields[name], side) if name in base.fields else None for side in SIDES}
            trail = _follow(f"{base.kind} {name}", steps, current, agreed, same_of(name, self.policy), undo)
            if trail is not None:
                found[trail.side][name] = trail
                if trail.apart:
                    undo.apart.append(Kept(trail.side, f"{base.kind} {name}", _stays(trail.side.other)))
                    fields[name] = pair_of(trail.side, trail.back, current[trail.side.other])
        pair = replace(base, fields=fields)
        undo.base = replace(undo.base, items=tuple(pair if one == base else one for one in undo.base.items))
        for side, trails in found.items():
            if trails and (item := items[side]):
                before, after = _before_and_after(trails)
                undo.writes.append(Write(side=side, kind=WriteKind.UPDATE_ITEM, before=before, after=after, item=item, pair=pair))


def _steps(changes: Sequence[Change]) -> dict[str, list[Step]]:
    """What these did to each field, newest first."""
    steps: dict[str, list[Step]] = {}
    for change in changes:
        for name, after in change.after.items():
            step = Step(Side(change.side), _value(change.before.get(name)), _value(after), name in change.agreed)
            steps.setdefault(name, []).append(step)
    return steps


def _follow(
    name: str, steps: Sequence[Step], current: Mapping[Side, Value], agreed: Mapping[Side, Value], is_same: Same, undo: Undo
) -> Trail | None:
    """Back through `steps`, newest first, as far as each wrote what was there. None where nothing goes back."""
    for side in SIDES:
        if not is_same(current[side], agreed[side]):
            undo.kept.append(Kept(side, name, _changed_in(side)))
            return None
    first = steps[0].side
    trail = Trail(current[first], current[first], first)
    for number, step in enumerate(steps):
        if is_same(step.before, trail.back) and not is_same(step.after, trail.back):
            continue  # the same step back, on the other side
        if not is_same(step.after, trail.back):
            undo.kept.append(Kept(step.side, name, _("It was changed again after crmsync wrote it.")))
            break
        if not step.agreed and number:
            undo.kept.append(Kept(step.side, name, _was_there(step.side.other)))
            break
        trail.back, trail.side, trail.apart = step.before, step.side, not step.agreed
        if trail.apart:
            break
    trail.now = current[trail.side]
    return None if is_same(trail.now, trail.back) else trail


def _before_and_after(trails: Mapping[str, Trail]) -> tuple[dict[str, Value], dict[str, Value]]:
    return {name: trail.now for name, trail in trails.items()}, {name: trail.back for name, trail in trails.items()}


def plan_undo(changes: Sequence[Change], records: Records, base: Base, mapping: Sequence[FieldMap], policy: Policy) -> Undo:
    """What goes back of `changes` (of one contact, newest first), by what both sides show and agree on; of those that took effect."""
    return Undoing([change for change in changes if change.result in UNDOABLE], records, base, mapping, policy).plan()


def expected(contact: Contact, changes: Sequence[Change]) -> Undo:
    """The same by what was last known of the contact, without asking a CRM: both sides are read again before anything is written."""
    rows = [row for row in contact.items.all() if not row.gone]
    base, mapping = base_of(contact, rows), mapping_of(contact.sync)
    records = {side: _last_known(contact, side, base, mapping, rows) for side in SIDES}
    return plan_undo(changes, records, base, mapping, policy_of(contact.sync, {}))


def _last_known(contact: Contact, side: Side, base: Base, mapping: Sequence[FieldMap], rows: Sequence[ItemRow]) -> Record:
    place = SIDES.index(side)
    profile = {row.key(side): seen[place] if (seen := contact.seen.get(row.name)) else _on(base, row, side) for row in mapping}
    items = {kind: tuple(_item_of(row, side, place) for row in rows if row.kind == kind and _id(row, side)) for kind in ItemKind}
    return Record(
        side=side,
        id=contact.remote_id(side) or "",
        profile={key: _value(value) for key, value in profile.items()},
        tags=tuple(base.tags or ()),
        notes=items[ItemKind.NOTE],
        tasks=items[ItemKind.TASK],
    )


def _on(base: Base, row: FieldMap, side: Side) -> Value:
    pair = base.fields.get(row.name)
    return on(pair, side) if pair else None


def _id(row: ItemRow, side: Side) -> str | None:
    return row.ghl_id if side is Side.GHL else row.centralstation_id


def _item_of(row: ItemRow, side: Side, place: int) -> Item:
    shown = {name: pair[place] for name, pair in row.base.items()}
    return Item(
        kind=ItemKind(row.kind),
        id=_id(row, side) or "",
        title=shown.get("title"),
        text=shown.get("text"),
        due=shown.get("due"),
        done=bool(shown.get("done")),
    )


def _value(stored: object) -> Value:
    """A value as the engine has it: the log keeps lists."""
    if isinstance(stored, (list, tuple)):
        return tuple(str(one) for one in stored)
    return None if stored is None else str(stored)


def _same_tag(one: Value, other: Value) -> bool:
    return fold_tag(str(one or "")) == fold_tag(str(other or ""))


def _changed_in(side: Side) -> str:
    return _("It was changed in %(crm)s since crmsync wrote it.") % {"crm": NAMES[side]}


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def _stays(side: Side) -> str:
    return _("%(crm)s had it before the two were first compared, and keeps it.") % {"crm": NAMES[side]}


def _was_there(side: Side) -> str:
    return _("%(crm)s had it before the two were first compared, and would lose it.") % {"crm": NAMES[side]}
