"""One field, merged: the table of merge.py, line by line, and what becomes of a value that was sent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crmsync.engine.base import Sent
from crmsync.engine.mapping import ConflictRule, Direction, FieldMap, Pair
from crmsync.engine.merge import Agreed, Ask, NotKept, Outcome, Take, merge, settle_sent
from crmsync.engine.records import Side, Value

GHL, CENTRAL = Side.GHL, Side.CENTRALSTATION
EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
Rule = ConflictRule


def same(one: Value, other: Value) -> bool:
    return one == other


def merged(
    base: Pair | None,
    now: Pair,
    rule: Rule = Rule.ASK,
    changed_at: tuple[datetime | None, datetime | None] = (None, None),
    decision: Side | None = None,
) -> Outcome:
    return merge(base, now, same, rule, changed_at, decision=decision)


@pytest.mark.parametrize(
    ("base", "now", "outcome"),
    [
        (("a", "a"), ("a", "a"), Agreed(("a", "a"))),
        (("a", "b"), ("a", "b"), Agreed(("a", "b"))),
        (("a", "a"), ("b", "a"), Take(CENTRAL, "b")),
        (("a", "a"), ("a", "b"), Take(GHL, "b")),
        (("a", "a"), (None, "a"), Take(CENTRAL, None)),
        (("a", "a"), ("b", "b"), Agreed(("b", "b"))),
        (("a", "a"), ("b", "c"), Ask()),
        (None, ("a", "a"), Agreed(("a", "a"))),
        (None, ("a", None), Take(CENTRAL, "a")),
        (None, (None, "a"), Take(GHL, "a")),
        (None, (None, None), Agreed((None, None))),
        (None, ("a", "b"), Ask()),
    ],
)
def test_the_table(base: Pair | None, now: Pair, outcome: Outcome) -> None:
    assert merged(base, now) == outcome


@pytest.mark.parametrize("base", [None, ("a", "a")])
@pytest.mark.parametrize(
    ("rule", "changed_at", "outcome"),
    [
        (Rule.GHL, (EARLY, LATE), Take(CENTRAL, "b")),
        (Rule.CENTRALSTATION, (LATE, EARLY), Take(GHL, "c")),
        (Rule.NEWEST, (EARLY, LATE), Take(GHL, "c")),
        (Rule.NEWEST, (LATE, EARLY), Take(CENTRAL, "b")),
        (Rule.NEWEST, (LATE, LATE), Take(CENTRAL, "b")),
        (Rule.NEWEST, (None, EARLY), Take(GHL, "c")),
        (Rule.NEWEST, (EARLY, None), Take(CENTRAL, "b")),
        (Rule.NEWEST, (None, None), Take(CENTRAL, "b")),
        (Rule.ASK, (EARLY, LATE), Ask()),
    ],
)
def test_two_different_values_follow_the_rule(
    base: Pair | None, rule: Rule, changed_at: tuple[datetime | None, datetime | None], outcome: Outcome
) -> None:
    assert merged(base, ("b", "c"), rule, changed_at) == outcome


def test_a_persons_decision_stands_in_for_the_rule() -> None:
    assert merged(("a", "a"), ("b", "c"), Rule.GHL, decision=CENTRAL) == Take(GHL, "c")


def test_a_decision_about_an_older_conflict_does_not_undo_a_later_change() -> None:
    assert merged(("b", "b"), ("b", "c"), decision=GHL) == Take(GHL, "c")


@pytest.mark.parametrize(
    ("direction", "rule"), [(Direction.BOTH, Rule.ASK), (Direction.TO_GHL, Rule.CENTRALSTATION), (Direction.TO_CENTRALSTATION, Rule.GHL)]
)
def test_where_values_go_one_way_only_the_side_they_come_from_wins(direction: Direction, rule: Rule) -> None:
    assert FieldMap(name="city", ghl="city", centralstation="city", direction=direction).rule(Rule.ASK) == rule


def test_a_rows_own_rule_wins_over_the_syncs() -> None:
    assert FieldMap(name="city", ghl="city", centralstation="city", conflict=Rule.GHL).rule(Rule.ASK) == Rule.GHL


# Sent


SENT = Sent(side=CENTRAL, value="b", before="a", source="b")
NOT_KEPT = Sent(side=CENTRAL, value="b", before="a", source="b", kept=False, shown="a")
CLEARED = Sent(side=CENTRAL, value=None, before="a", source=None)


@pytest.mark.parametrize(
    ("sent", "now", "known"),
    [
        (None, ("b", "a"), ("a", "a")),
        (SENT, ("b", "b"), ("a", "a")),
        (SENT, ("c", "b"), ("b", "b")),
        (SENT, ("c", "a"), ("a", "a")),
        (SENT, ("b", "a"), NotKept(NOT_KEPT)),
        (NOT_KEPT, ("b", "a"), NotKept(NOT_KEPT)),
        (NOT_KEPT, ("c", "a"), ("a", "a")),
        (NOT_KEPT, ("b", "c"), ("a", "a")),
        (CLEARED, (None, "a"), NotKept(Sent(side=CENTRAL, value=None, before="a", source=None, kept=False, shown="a"))),
        (CLEARED, (None, "b"), None),
    ],
    ids=[
        "nothing was sent",
        "both show it: the merge agrees by itself",
        "it shows, and the source changed since: that is a change",
        "the source changed since: sent again",
        "it doesn't show: not kept",
        "not kept, and nothing changed: said again, not sent again",
        "not kept, and the source changed",
        "not kept, and a person entered something over there",
        "a clearing that wasn't kept",
        "another row moved up in place of what was cleared: nothing is agreed on that",
    ],
)
def test_what_was_sent_is_held_against_what_shows(sent: Sent | None, now: Pair, known: Pair | NotKept | None) -> None:
    assert settle_sent(sent, ("a", "a"), now, same) == known


def test_a_value_that_was_cut_or_rewritten_counts_as_not_kept() -> None:
    assert isinstance(settle_sent(SENT, ("a", "a"), ("b", "b, rewritten"), same), NotKept)
