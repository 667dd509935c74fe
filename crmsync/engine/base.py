"""What both sides last agreed on, and what was sent and not yet seen: the memory that makes a three-way comparison possible.

A base is a *pair* a field: what GHL shows and what CentralStation shows for what counts as the same. So a stand-in (a last name that
CentralStation wanted), a title cut to length and a value the other CRM can't hold are agreed on as they are, and never flow back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crmsync.engine.mapping import Pair
from crmsync.engine.records import ItemKind, Side, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A value that `side` accepted and hasn't shown yet. `before` is what it showed then, `source` what the other side showed.

    `shown` is what it shows instead, once a read-back has proved that the value wasn't kept; until then `kept` is True."""

    side: Side
    value: Value
    before: Value
    source: Value
    kept: bool = True
    shown: Value = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemBase:
    """A pair of notes or tasks. `fields` maps title, text, due, done to pairs. `fresh`, `gone`: see crmsync.models.Item.

    One that is None on a side stays on the other alone: its copy was undone."""

    kind: ItemKind
    ghl: str | None
    centralstation: str | None
    fields: Mapping[str, Pair] = field(default_factory=dict)
    sent: Mapping[str, Sent] = field(default_factory=dict)
    fresh: Side | None = None
    gone: bool = False
    ref: int | None = None

    def id(self, side: Side) -> str | None:
        return self.ghl if side is Side.GHL else self.centralstation


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """`fields` by mapping name; `tags` folded, as both had them, None before the first agreement; `sent` by mapping name or `tag:NAME`.

    `decisions`: the side a person chose for a field in conflict, by mapping name."""

    fields: Mapping[str, Pair] = field(default_factory=dict)
    tags: frozenset[str] | None = None
    items: tuple[ItemBase, ...] = ()
    sent: Mapping[str, Sent] = field(default_factory=dict)
    decisions: Mapping[str, Side] = field(default_factory=dict)
