"""Tags merge as sets: what one side adds or removes, the other adds or removes, whatever their case."""

from __future__ import annotations

import pytest

from crmsync.engine.base import Base
from crmsync.engine.records import Aspect, Side
from crmsync.engine.write import WriteKind
from tests.engine.world import CENTRAL, GHL, SIDES, World, in_sync, policy


def tagged(*tags: str) -> World:
    """A contact with these tags on both sides."""
    world = World()
    world.crm(GHL).add_tags(tags)
    world.settle()
    return world


def test_without_a_base_all_tags_of_both_sides_are_added() -> None:
    world = World()
    world.crm(GHL).add_tags(("a", "b"))
    world.crm(CENTRAL).add_tags(("B", "C"))
    world.settle()
    assert world.tags(GHL) == world.tags(CENTRAL) == ["a", "b", "c"]


@pytest.mark.parametrize("side", SIDES)
def test_an_added_tag_is_added_over_there(side: Side) -> None:
    world = tagged("a")
    world.crm(side).add_tags(("b",))
    (write,) = world.plan().writes
    assert (write.side, write.kind, write.tags, write.after) == (side.other, WriteKind.ADD_TAGS, ("b",), {"tags": ("b",)})


@pytest.mark.parametrize("side", SIDES)
def test_a_removed_tag_is_removed_over_there(side: Side) -> None:
    world = tagged("a", "b")
    world.crm(side).remove_tags(("b",))
    (write,) = world.plan().writes
    assert (write.side, write.kind, write.tags, write.before) == (side.other, WriteKind.REMOVE_TAGS, ("b",), {"tags": ("b",)})


def test_adding_here_and_removing_there_do_not_meet() -> None:
    world = tagged("a", "b")
    world.crm(GHL).add_tags(("c",))
    world.crm(CENTRAL).remove_tags(("a",))
    world.settle()
    assert world.tags(GHL) == world.tags(CENTRAL) == ["b", "c"]


def test_a_tag_in_another_case_is_the_same_and_keeps_its_case() -> None:
    world = World()
    world.crm(CENTRAL).add_tags(("Kunde VIP",))
    world.settle()
    assert (world.crm(GHL).record().tags, world.crm(CENTRAL).record().tags) == (("kunde vip",), ("Kunde VIP",))


def test_a_tag_is_removed_as_the_side_writes_it() -> None:
    world = World()
    world.crm(CENTRAL).add_tags(("VIP",))
    world.settle()
    world.crm(GHL).remove_tags(("vip",))
    assert world.plan().writes[0].tags == ("VIP",)


def test_a_tag_too_long_for_centralstation_stays_in_ghl() -> None:
    world = tagged("x" * 61)
    assert (world.tags(GHL), world.tags(CENTRAL), world.plan().writes) == (["x" * 61], [], ())


def test_tags_are_left_alone_where_the_sync_leaves_them_out() -> None:
    world = in_sync()
    world.policy = policy(aspects=Aspect.PROFILE)
    world.crm(GHL).add_tags(("a",))
    assert world.plan().writes == ()


@pytest.mark.parametrize("side", SIDES)
def test_a_tag_that_was_not_kept_is_told_and_not_repeated(side: Side) -> None:
    world = tagged("a")
    world.crm(side).drops = {"tags"}  # type: ignore[attr-defined]
    world.crm(side.other).add_tags(("b",))
    world.reconcile()
    for _ in range(2):
        planned = world.reconcile()
        assert (planned.writes, planned.not_kept) == ((), ((side, "tag b"),))


def test_a_removal_that_was_not_kept_is_repeated_on_request_and_never_added_back() -> None:
    world = tagged("a")
    world.crm(GHL).remove_tags(("a",))
    world.reconcile()
    world.crm(CENTRAL).add_tags(("a",))
    assert world.reconcile().not_kept == ((CENTRAL, "tag a"),)
    world.base = Base(fields=world.base.fields, tags=world.base.tags)
    assert [(write.side, write.kind) for write in world.plan().writes] == [(CENTRAL, WriteKind.REMOVE_TAGS)]


def test_a_tag_taken_off_again_before_its_adding_was_seen_is_taken_off_over_there() -> None:
    world = tagged()
    world.crm(GHL).add_tags(("a",))
    world.reconcile()
    world.crm(GHL).remove_tags(("a",))
    world.settle()
    assert (world.tags(GHL), world.tags(CENTRAL)) == ([], [])
