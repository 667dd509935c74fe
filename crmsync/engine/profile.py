"""The profile of a contact: merged where it is on both sides, written whole where it is on one side only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from crmsync.engine.base import Base, Sent
from crmsync.engine.mapping import FieldMap, Pair, Policy
from crmsync.engine.merge import Agreed, Ask, NotKept, Outcome, Take, merge, pair_of, settle_sent
from crmsync.engine.records import SIDES, FieldKey, Record, Side, Value
from crmsync.engine.values import fold_tag
from crmsync.engine.write import Write, WriteKind

Mapped = Sequence[FieldMap]


@dataclass(slots=True, kw_only=True)
class Part:
    """What one aspect adds to a plan: writes, and by name what is agreed, still open, in conflict or not kept."""

    writes: list[Write] = field(default_factory=list)
    agreed: dict[str, Pair] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    not_kept: list[tuple[Side, str]] = field(default_factory=list)


def translated(record: Record, mapping: Mapped) -> dict[FieldKey, Value]:
    """The mapped values of `record` under the other side's keys."""
    return {row.key(record.side.other): record.profile.get(row.key(record.side)) for row in mapping}


@dataclass(frozen=True, slots=True)
class ProfileMerge:
    """One contact's profile on both sides, held against its base. Entry: `part()`."""

    base: Base
    records: Mapping[Side, Record]
    mapping: Mapped
    policy: Policy
    read_back: bool

    def part(self) -> Part:
        part = Part(agreed={row.name: self.base.fields[row.name] for row in self.mapping if row.name in self.base.fields})
        takes: dict[Side, dict[str, Value]] = {side: {} for side in SIDES}
        for row in self.mapping:
            match self._outcome(row):
                case Agreed(pair):
                    part.agreed[row.name] = pair
                case Take(to, value):
                    if self._may_write(row, to, value):
                        takes[to][row.name] = value
                    else:
                        part.agreed[row.name] = self._now(row)
                case Ask():
                    part.conflicts.append(row.name)
                case NotKept(sent):
                    part.sent[row.name] = sent
                    part.not_kept.append((sent.side, row.name))
        for side in SIDES:
            self._move_spares_up(side, takes)
        part.writes = [self._update(side, takes[side]) for side in SIDES if takes[side]]
        return part

    def _now(self, row: FieldMap) -> Pair:
        return self.records[Side.GHL].profile.get(row.ghl), self.records[Side.CENTRALSTATION].profile.get(row.centralstation)

    def _outcome(self, row: FieldMap) -> Outcome:
        def same(one: Value, other: Value) -> bool:
            return row.same(one, other, self.policy.region)

        now = self._now(row)
        if same(*now):
            return Agreed(now)
        known = settle_sent(self.base.sent.get(row.name), self.base.fields.get(row.name), now, same, read_back=self.read_back)
        if isinstance(known, NotKept):
            return known
        if known is None and self._is_stand_in(row):
            return Agreed(now)
        changed_at = (self.records[Side.GHL].updated_at, self.records[Side.CENTRALSTATION].updated_at)
        decision = self.base.decisions.get(row.name)
        return merge(known, now, same, row.conflict or self.policy.conflict, changed_at, decision=decision)

    def _is_stand_in(self, row: FieldMap) -> bool:
        """Whether a side shows just what it would be given for lack of a value on the other: that is no value of its own."""
        for side, limits in self.policy.limits.items():
            source = translated(self.records[side.other], self.mapping)
            there = self.records[side].profile.get(row.key(side))
            if there is not None and source[row.key(side)] is None:
                stand_in = limits.stand_ins(source).get(row.key(side))
                return stand_in is not None and row.same(there, stand_in, self.policy.region)
        return False

    def _may_write(self, row: FieldMap, to: Side, value: Value) -> bool:
        limits = self.policy.limits.get(to)
        source = translated(self.records[to.other], self.mapping)
        return row.direction.allows(to) and (value is None or limits is None or limits.can_hold(row.key(to), value, source))

    def _move_spares_up(self, side: Side, takes: Mapping[Side, dict[str, Value]]) -> None:
        """Where `side` has further rows (a second e-mail) and the first is cleared, the next becomes the value of both sides.

        The other side is written first (`_update` order doesn't matter for that: a plan cut off here finds the spare again)."""
        rows_by_key = {row.key(side): row for row in self.mapping}
        for spares in self.records[side].spares.values():
            group = [rows_by_key[key] for key in spares[0] if key in rows_by_key] if spares else []
            if not any(row.name in takes[side] for row in group):
                continue
            if all(takes[side].get(row.name, self.records[side].profile.get(row.key(side))) is None for row in group):
                for row in group:
                    takes[side.other][row.name] = spares[0][row.key(side)]

    def _update(self, side: Side, values: Mapping[str, Value]) -> Write:
        rows = [row for row in self.mapping if row.name in values]
        before = {row.name: self.records[side].profile.get(row.key(side)) for row in rows}
        sources = {row.name: self.records[side.other].profile.get(row.key(side.other)) for row in rows}
        return Write(
            side=side,
            kind=WriteKind.UPDATE,
            before=before,
            after=dict(values),
            changes={row.key(side): values[row.name] for row in rows},
            sent={row.name: Sent(side=side, value=values[row.name], before=before[row.name], source=sources[row.name]) for row in rows},
        )


def plan_create(source: Record, mapping: Mapped, policy: Policy, *, with_tags: bool) -> Write:
    """The write that brings a contact, which is on one side only, to the other: profile and tags in one."""
    side = source.side.other
    limits = policy.limits.get(side)
    whole = translated(source, mapping)
    rows = [
        row
        for row in mapping
        if row.direction.allows(side)
        and whole[row.key(side)] is not None
        and (limits is None or limits.can_hold(row.key(side), whole[row.key(side)], whole))
    ]
    tags = tuple(tag for tag in _distinct(source.tags) if limits is None or limits.can_hold("tags", tag, {})) if with_tags else ()
    after = {row.name: whole[row.key(side)] for row in rows}
    sent = {name: Sent(side=side, value=value, before=None, source=value) for name, value in after.items()}
    return Write(
        side=side,
        kind=WriteKind.CREATE,
        after=after | ({"tags": tags} if tags else {}),
        changes={row.key(side): after[row.name] for row in rows},
        tags=tags,
        sent=sent,
    )


def after_create(base: Base, source: Record, created: Record, mapping: Mapped, sent: Mapping[str, Sent]) -> Base:
    """The base of a contact just created: what wasn't sent is agreed on as the new record shows it (its stand-ins and defaults)."""
    fields = dict(base.fields)
    for row in mapping:
        if row.name not in sent:
            there = created.profile.get(row.key(created.side))
            fields[row.name] = pair_of(created.side, there, source.profile.get(row.key(source.side)))
    return replace(base, fields=fields, sent={**base.sent, **sent})


def _distinct(tags: Sequence[str]) -> list[str]:
    return list({fold_tag(tag): tag for tag in reversed(tags)}.values())[::-1]
