"""Which field goes where, and what to do when both sides changed: the settings of a sync, as the engine takes them."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from crmsync.engine.records import Aspect, FieldKey, Item, Record, Side, Value
from crmsync.engine.values import FieldType, fold_tag, same

Pair = tuple[Value, Value]
"""A field's value on both sides: (GHL, CentralStation)."""


class ConflictRule(StrEnum):
    """Who wins where both sides changed the same field to different values. On the first meeting, any two values are such a change."""

    NEWEST = "newest"
    GHL = "ghl"
    CENTRALSTATION = "centralstation"
    ASK = "ask"

    def winner(self, changed_at: tuple[datetime | None, datetime | None]) -> Side | None:
        """The side that wins; None where a person must say. GHL wins a tie, and the side that tells a time wins over one that doesn't."""
        match self:
            case ConflictRule.ASK:
                return None
            case ConflictRule.GHL:
                return Side.GHL
            case ConflictRule.CENTRALSTATION:
                return Side.CENTRALSTATION
            case ConflictRule.NEWEST:
                ghl, central = changed_at
                return Side.CENTRALSTATION if central and (ghl is None or central > ghl) else Side.GHL


class Direction(StrEnum):
    BOTH = "both"
    TO_GHL = "to_ghl"
    TO_CENTRALSTATION = "to_centralstation"

    def allows(self, side: Side) -> bool:
        """Whether values may be written to `side`."""
        return self is Direction.BOTH or self == f"to_{side}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMap:
    """One row of the mapping. `name` is the plain word for it, in reasons and pages: `phone`, `last name`."""

    name: str
    ghl: FieldKey
    centralstation: FieldKey
    type: FieldType = FieldType.TEXT
    direction: Direction = Direction.BOTH
    conflict: ConflictRule | None = None

    def key(self, side: Side) -> FieldKey:
        return self.ghl if side is Side.GHL else self.centralstation

    def same(self, one: Value, other: Value, region: str) -> bool:
        return same(one, other, self.type, region)

    def rule(self, default: ConflictRule) -> ConflictRule:
        """Who wins in this row: where values go one way only, the side they come from."""
        match self.direction:
            case Direction.TO_GHL:
                return ConflictRule.CENTRALSTATION
            case Direction.TO_CENTRALSTATION:
                return ConflictRule.GHL
            case Direction.BOTH:
                return self.conflict or default


DEFAULT_MAPPING = (
    FieldMap(name="first name", ghl="firstName", centralstation="first_name"),
    FieldMap(name="last name", ghl="lastName", centralstation="name"),
    FieldMap(name="email", ghl="email", centralstation="email", type=FieldType.EMAIL),
    FieldMap(name="phone", ghl="phone", centralstation="tel", type=FieldType.PHONE),
    FieldMap(name="company", ghl="companyName", centralstation="company_name"),
    FieldMap(name="street", ghl="address1", centralstation="street"),
    FieldMap(name="postal code", ghl="postalCode", centralstation="zip"),
    FieldMap(name="city", ghl="city", centralstation="city"),
    FieldMap(name="state", ghl="state", centralstation="state_code", type=FieldType.STATE),
    FieldMap(name="country", ghl="country", centralstation="country_code", type=FieldType.COUNTRY),
    FieldMap(name="website", ghl="website", centralstation="homepage", type=FieldType.URL),
    FieldMap(name="birthday", ghl="dateOfBirth", centralstation="birthday", type=FieldType.DATE),
)
"""The mapping a person would draw first."""


class Limits(Protocol):
    """What a CRM requires and what it can't hold; both systems answer these (crmsync.systems.base.System)."""

    def stand_ins(self, profile: MappingOf[FieldKey, Value]) -> MappingOf[FieldKey, Value]: ...

    def item_stand_ins(self, item: Item) -> Item: ...

    def can_hold(self, key: FieldKey, value: Value, profile: MappingOf[FieldKey, Value]) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a sync decides. `create_on`: sides where missing contacts are created. `zone`: the IANA zone in which a due time has its day.

    `created_tag`: put on contacts that are created in GHL, so that automations can skip them; it stays there and isn't brought over."""

    conflict: ConflictRule = ConflictRule.NEWEST
    create_on: frozenset[Side] = frozenset(Side)
    aspects: Aspect = Aspect.ALL
    region: str = "DE"
    zone: str = "Europe/Berlin"
    limits: MappingOf[Side, Limits] = field(default_factory=dict)
    created_tag: str = ""

    def kept_same(self, record: Record, agreed: Collection[str]) -> set[str]:
        """The folded tags of `record`, without the one that marks what we created in GHL where only GHL has it."""
        tags = {fold_tag(tag) for tag in record.tags}
        return tags if record.side is not Side.GHL or fold_tag(self.created_tag) in agreed else tags - {fold_tag(self.created_tag)}

    def stand_ins(self, side: Side, profile: MappingOf[FieldKey, Value]) -> MappingOf[FieldKey, Value]:
        """What `side` would be given besides `profile`, because it requires it."""
        limits = self.limits.get(side)
        return limits.stand_ins(profile) if limits else {}

    def form(self, side: Side, item: Item) -> Item:
        """`item` as `side` would hold it: cut to length, with what it requires."""
        limits = self.limits.get(side)
        return limits.item_stand_ins(item) if limits else item

    def can_hold(self, side: Side, key: FieldKey, value: Value, profile: MappingOf[FieldKey, Value]) -> bool:
        """Whether `side` has a place for `value`. `profile` (in its keys) is what goes along with it."""
        limits = self.limits.get(side)
        return value is None or limits is None or limits.can_hold(key, value, profile)
