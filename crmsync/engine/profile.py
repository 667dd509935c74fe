"""The profile of a contact: merged where it is on both sides, written whole where it is on one side only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from crmsync.engine.base import Base, Sent
from crmsync.engine.mapping import FieldMap, Pair, Policy
from crmsync.engine.merge import Agreed, Ask, NotKept, Same, Take, merge, on, pair_of, settle_sent
from crmsync.engine.records import SIDES, FieldKey, Record, Side, Value
from crmsync.engine.values import FieldType, fold_tag
from crmsync.engine.write import Write, WriteKind

Mapped = Sequence[FieldMap]

HELD_IN_PART = frozenset({FieldType.STATE})
"""CentralStation has states for three countries only: what is none of them stays where it is, and is agreed on so. Any other value that
a side has no place for is told, and a person decides."""
Takes = Mapping[Side, dict[str, Value]]
"""What each side is to be given, by mapping name."""


@dataclass(slots=True, kw_only=True)
class Part:
    """What the profile adds to a plan: writes, and by name what is agreed, in conflict or not kept (`sent`: what wasn't)."""

    writes: list[Write] = field(default_factory=list)
    agreed: dict[str, Pair] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    not_kept: list[tuple[Side, str]] = field(default_factory=list)
    unheld: list[tuple[Side, str]] = field(default_factory=list)


def translated(record: Record, mapping: Mapped) -> dict[FieldKey, Value]:
    """The mapped values of `record` under the other side's keys."""
    return {row.key(record.side.other): record.profile.get(row.key(record.side)) for row in mapping}


def sendable(source: Record, mapping: Mapped, policy: Policy) -> dict[str, Value]:
    """What of `source` the other side may be given and can hold, by mapping name."""
    side, whole = source.side.other, translated(source, mapping)
    return {
        row.name: value
        for row in mapping
        if (value := whole[row.key(side)]) is not None and row.direction.allows(side) and policy.can_hold(side, row.key(side), value, whole)
    }


@dataclass(frozen=True)
class ProfileMerge:
    """One contact's profile on both sides, held against its base. Entry: `part()`."""

    base: Base
    records: Mapping[Side, Record]
    mapping: Mapped
    policy: Policy

    def part(self) -> Part:
        part = Part()
        takes: Takes = {side: {} for side in SIDES}
        for row in self.mapping:
            self._merge(row, part, takes)
        moving = {side: self._moving_up(side.other, takes) for side in SIDES}
        for side in SIDES:
            takes[side].update(moving[side])
        clearing_first = sorted(SIDES, key=lambda side: bool(moving[side]))
        part.writes = [self._update(side, takes[side], moving[side]) for side in clearing_first if takes[side]]
        return part

    def _merge(self, row: FieldMap, part: Part, takes: Takes) -> None:
        """One field: what is agreed goes into `part`, what is to be written into `takes`."""
        now, same, agreed = self._now(row), self._same(row), self.base.fields.get(row.name)
        known = now if self._shows_stand_in(row) else settle_sent(self.base.sent.get(row.name), agreed, now, same)
        if isinstance(known, NotKept):
            part.sent[row.name] = known.sent
            part.not_kept.append((known.sent.side, row.name))
            known = agreed
        else:
            decision = self.base.decisions.get(row.name)
            match merge(known, now, same, row.rule(self.policy.conflict), self._changed_at, decision=decision):
                case Agreed(pair):
                    known = pair
                case Take(to, value):
                    if self._may_write(row, to, value):
                        takes[to][row.name] = value
                    elif row.direction.allows(to) and row.type not in HELD_IN_PART:
                        part.unheld.append((to, row.name))
                        known = agreed
                    else:
                        known = now
                case Ask():
                    part.conflicts.append(row.name)
        if known is not None:
            part.agreed[row.name] = known

    @property
    def _changed_at(self) -> tuple[datetime | None, datetime | None]:
        return self.records[Side.GHL].updated_at, self.records[Side.CENTRALSTATION].updated_at

    def _now(self, row: FieldMap) -> Pair:
        return self.records[Side.GHL].profile.get(row.ghl), self.records[Side.CENTRALSTATION].profile.get(row.centralstation)

    def _same(self, row: FieldMap) -> Same:
        return lambda one, other: row.same(one, other, self.policy.region)

    def _may_write(self, row: FieldMap, to: Side, value: Value) -> bool:
        whole = translated(self.records[to.other], self.mapping)
        return row.direction.allows(to) and self.policy.can_hold(to, row.key(to), value, whole)

    def _shows_stand_in(self, row: FieldMap) -> bool:
        """Whether a side shows just what it would be given for lack of a value on the other, and needs it still: that is no value."""
        return any(self._is_stand_in(side, row.key(side), row) for side in SIDES)

    def _is_stand_in(self, side: Side, key: FieldKey, row: FieldMap) -> bool:
        stand_in, profile = self._stand_ins[side].get(key), self.records[side].profile
        if stand_in is None or not self._same(row)(profile.get(key), stand_in):
            return False
        return key in self.policy.stand_ins(side, {**profile, key: None})

    @cached_property
    def _stand_ins(self) -> Mapping[Side, Mapping[FieldKey, Value]]:
        """What each side would be given in place of what the other hasn't."""
        stand_ins = {}
        for side in SIDES:
            values = sendable(self.records[side.other], self.mapping, self.policy)
            stand_ins[side] = self.policy.stand_ins(side, {row.key(side): values.get(row.name) for row in self.mapping})
        return stand_ins

    def _moving_up(self, side: Side, takes: Takes) -> dict[str, Value]:
        """Where `side` has further rows (a second e-mail) and its first is to be cleared: the next one's values, for the other side.

        Cleared first: then a plan cut off in between finds the next row in place of what was cleared, which is a value of its own."""
        moving: dict[str, Value] = {}
        for spares in self.records[side].spares.values():
            group = [row for row in self.mapping if spares and row.key(side) in spares[0]]
            left = {row.name: takes[side].get(row.name, on(self._now(row), side)) for row in group}
            if left.keys() & takes[side].keys() and not any(left.values()):
                moving |= {row.name: value for row in group if self._moves(row, side.other, value := spares[0][row.key(side)])}
        return moving

    def _moves(self, row: FieldMap, to: Side, value: Value) -> bool:
        return not self._same(row)(on(self._now(row), to), value) and self._may_write(row, to, value)

    def _update(self, side: Side, values: Mapping[str, Value], moving: Mapping[str, Value]) -> Write:
        """What is cleared gets the stand-in that `side` requires. Of what moves up, the clearing alone is remembered as sent."""
        rows = [row for row in self.mapping if row.name in values]
        after = {row.name: values[row.name] or self._stand_ins[side].get(row.key(side)) for row in rows}
        before = {row.name: on(self._now(row), side) for row in rows}
        sent = {
            row.name: Sent(side=side, value=after[row.name], before=before[row.name], source=on(self._now(row), side.other))
            for row in rows
            if row.name not in moving
        }
        changes = {row.key(side): after[row.name] for row in rows}
        return Write(side=side, kind=WriteKind.UPDATE, before=before, after=after, changes=changes, sent=sent)


def plan_create(source: Record, mapping: Mapped, policy: Policy, *, with_tags: bool) -> Write:
    """The write that brings a contact, which is on one side only, to the other: profile and tags in one."""
    side = source.side.other
    after = sendable(source, mapping, policy)
    tags = tuple(tag for tag in _distinct(source.tags) if policy.can_hold(side, "tags", tag, {})) if with_tags else ()
    if side is Side.GHL and policy.created_tag and fold_tag(policy.created_tag) not in map(fold_tag, tags):
        tags += (policy.created_tag,)
    return Write(
        side=side,
        kind=WriteKind.CREATE,
        after=after | ({"tags": tags} if tags else {}),
        changes={row.key(side): after[row.name] for row in mapping if row.name in after},
        tags=tags,
        sent={name: Sent(side=side, value=value, before=None, source=value) for name, value in after.items()},
    )


def after_create(base: Base, source: Record, created: Record, mapping: Mapped, sent: Mapping[str, Sent]) -> Base:
    """The base of a contact just created: what wasn't sent is agreed on as the new record shows it (its stand-ins and defaults)."""
    fields = dict(base.fields)
    for row in mapping:
        if row.name not in sent:
            there, value = created.profile.get(row.key(created.side)), source.profile.get(row.key(source.side))
            if there is not None or value is None or row.type in HELD_IN_PART:
                fields[row.name] = pair_of(created.side, there, value)
    return replace(base, fields=fields, sent={**base.sent, **sent})


def _distinct(tags: Sequence[str]) -> list[str]:
    return list({fold_tag(tag): tag for tag in reversed(tags)}.values())[::-1]
