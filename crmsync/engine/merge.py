"""Three-way merge of one field: the base pair and the pair as it is now in, an `Outcome` out. How a conflict is settled is here.

GHL changed   CentralStation changed   outcome
no            no                       agreed (also where the two differ in a way that was agreed on)
yes           no                       take GHL's
no            yes                      take CentralStation's
both, to the same                      agreed
both, to different values              the conflict rule
no base       equal                    agreed
no base       one is nothing           take the value
no base       two different values     the conflict rule
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from crmsync.engine.base import Sent
from crmsync.engine.mapping import ConflictRule, Pair
from crmsync.engine.records import Side, Value

Same = Callable[[Value, Value], bool]


@dataclass(frozen=True, slots=True)
class Agreed:
    """Nothing to write: `pair` is the new base."""

    pair: Pair


@dataclass(frozen=True, slots=True)
class Take:
    """Write `value` to `to`."""

    to: Side
    value: Value


@dataclass(frozen=True, slots=True)
class Ask:
    """A person must choose."""


@dataclass(frozen=True, slots=True)
class NotKept:
    """A write that was accepted isn't there. It is not repeated until one of the two values changes."""

    sent: Sent


Outcome = Agreed | Take | Ask | NotKept


def on(pair: Pair, side: Side) -> Value:
    return pair[0] if side is Side.GHL else pair[1]


def pair_of(side: Side, value: Value, other: Value) -> Pair:
    """`value` on `side`, `other` on the other side."""
    return (value, other) if side is Side.GHL else (other, value)


def merge(
    base: Pair | None,
    now: Pair,
    same: Same,
    rule: ConflictRule,
    changed_at: tuple[datetime | None, datetime | None],
    *,
    decision: Side | None = None,
) -> Outcome:
    """Merge one field. `changed_at` is when each side last changed, as far as it tells; `decision` is a person's, in place of the rule."""
    ghl, central = now
    winner = decision or rule.winner(changed_at)
    if same(ghl, central):
        return Agreed(now)
    if base is None:
        return _first_meeting(now, same, winner)
    match not same(base[0], ghl), not same(base[1], central):
        case False, False:
            return Agreed(now)
        case True, False:
            return _take(Side.GHL, now)
        case False, True:
            return _take(Side.CENTRALSTATION, now)
        case _:
            return _take(winner, now)


def _first_meeting(now: Pair, same: Same, winner: Side | None) -> Outcome:
    ghl, central = now
    if same(central, None):
        return _take(Side.GHL, now)
    if same(ghl, None):
        return _take(Side.CENTRALSTATION, now)
    return _take(winner, now)


def _take(winner: Side | None, now: Pair) -> Take | Ask:
    return Ask() if winner is None else Take(winner.other, on(now, winner))


def settle_sent(sent: Sent | None, base: Pair | None, now: Pair, same: Same) -> Pair | NotKept | None:
    """The base that `now`, read after `sent` was accepted, is to be held against; or `NotKept`.

    A third value, neither the one before nor the one sent, counts as not kept: CRMs cut and rewrite what they are given, and that must
    not flow back. Only in place of what was cleared it is a value of its own: another row moved up, or somebody typed it."""
    if sent is None or same(*now):
        return base
    there, source = on(now, sent.side), on(now, sent.side.other)
    if not sent.kept:
        return NotKept(sent) if same(there, sent.shown) and same(source, sent.source) else base
    if same(there, sent.value):
        return pair_of(sent.side, there, sent.source)
    if same(sent.value, None) and not same(there, sent.before):
        return None
    if same(source, sent.source):
        return NotKept(replace(sent, kept=False, shown=there))
    return base
