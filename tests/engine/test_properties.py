"""What always holds, whatever people do on both sides: plans end, both sides agree, nothing is lost, doubled or touched without need."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from operator import attrgetter

from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine.items import FIELDS, same_of, value_of
from crmsync.engine.mapping import DEFAULT_MAPPING
from crmsync.engine.records import Item, ItemKind, Value
from crmsync.engine.values import note_text
from tests.engine.strategies import (
    ADDRESS,
    Edit,
    add_spares,
    days,
    do_all,
    edits,
    field_edits,
    friends,
    note_edits,
    rows_of,
    rules,
    strangers,
    tag_edits,
    task_edits,
)
from tests.engine.world import CENTRAL, GHL, SIDES, World, policy

TAKES_STAND_INS = ("last name", "country")


def disagreeing(world: World) -> list[str]:
    """Mapped fields in which the sides differ, but for stand-ins and what the other side can't hold."""
    found = []
    for row in DEFAULT_MAPPING:
        ghl, central = world.values(row.name)
        has_stand_in = row.name in TAKES_STAND_INS and ghl is None
        if not row.same(ghl, central, "DE") and not has_stand_in and row.name != "state":
            found.append(row.name)
    return found


def items_of(world: World, kind: ItemKind) -> tuple[Counter[tuple[str, bool]], ...]:
    """By side, what a person sees of its items; titles as far as both sides can hold them."""
    return tuple(Counter(map(seen, world.items(side, kind))) for side in SIDES)


def seen(item: Item) -> tuple[str, bool]:
    title = (item.title or "")[: 100 if item.kind is ItemKind.NOTE else 255]
    return (note_text(item.text) or title if item.kind is ItemKind.NOTE else title), item.done


def assert_agreed(world: World) -> None:
    assert disagreeing(world) == []
    assert world.tags(GHL) == world.tags(CENTRAL)
    for kind in ItemKind:
        ghl, central = items_of(world, kind)
        assert ghl == central
        for base in world.base.items:
            for name in FIELDS[base.kind]:
                pair = [value_of(world.crm(side).items[str(base.id(side))], name) for side in SIDES]
                agreed = base.fields[name]
                assert all(same_of(name, world.policy)(one, other) for one, other in zip(pair, agreed, strict=True))


def state(world: World) -> object:
    """All that both CRMs show, without ids and order of creation."""
    return (
        [[_plain(world.value(side, row.name), row.name) for row in DEFAULT_MAPPING] for side in SIDES],
        [world.tags(side) for side in SIDES],
        [items_of(world, kind) for kind in ItemKind],
        {group: sorted(content for _, _, content in rows) for group, rows in rows_of(world).items()},
    )


def _plain(value: Value, name: str) -> Value:
    return value.casefold() if isinstance(value, str) and name == "email" else value


# One plan is enough


@given(strangers())
def test_a_first_meeting_leaves_nothing_to_do(world: World) -> None:
    world.reconcile()
    assert world.plan().writes == ()


@given(friends(), days)
def test_after_a_plan_is_applied_planning_again_is_empty(world: World, day: list[Edit]) -> None:
    do_all(world, day)
    world.reconcile()
    planned = world.plan()
    assert (planned.writes, planned.not_kept, planned.conflicts) == ((), (), ())


@given(friends(), days)
def test_the_sides_agree_on_everything_that_is_mapped(world: World, day: list[Edit]) -> None:
    do_all(world, day)
    world.reconcile()
    world.settle()
    assert_agreed(world)


@given(strangers())
def test_the_same_input_gives_the_same_plan(world: World) -> None:
    assert world.plan() == world.copy().plan()


@given(friends())
def test_where_nothing_changed_nothing_is_written(world: World) -> None:
    assert world.plan().writes == ()


# What nobody touched


@given(friends(), st.lists(field_edits(), max_size=3))
def test_no_untouched_value_changes(world: World, day: list[Edit]) -> None:
    touched = {edit.touches[0] for edit in day}
    touched |= set(ADDRESS) if touched & set(ADDRESS) else set()  # a cleared address makes room for the next, a street asks for a country
    before = {row.name: world.values(row.name) for row in DEFAULT_MAPPING if row.name not in touched}
    do_all(world, day)
    world.settle()
    assert {name: world.values(name) for name in before} == before


@given(friends(), days, st.integers(1, 2))
def test_spare_rows_survive_with_order_and_type(world: World, day: list[Edit], number: int) -> None:
    add_spares(world, number)
    world.settle()
    before = rows_of(world)
    do_all(world, [edit for edit in day if edit.side is GHL])
    world.settle()
    for group, rows in rows_of(world).items():
        spares = before[group][1:]
        left = [row for row in rows if row in spares]
        assert set(spares) <= set(rows)
        assert left in (spares, [*left[:1], *(row for row in spares if row != left[0])])  # one may have moved up


# Cut off


@given(friends(), days, st.integers(0, 6), st.booleans())
def test_a_plan_cut_off_and_planned_anew_ends_in_the_same_state(world: World, day: list[Edit], cut_after: int, forgets: bool) -> None:
    if forgets and world.central:
        world.central.rows = {group: rows[:1] for group, rows in world.central.rows.items()}
    do_all(world, day)
    uncut = world.copy()
    uncut.settle()
    world.reconcile(cut_after=cut_after, forgets=int(forgets))
    world.settle()
    assert state(world) == state(uncut)


@given(strangers(), st.integers(0, 8))
def test_a_first_meeting_of_which_nothing_was_remembered_ends_in_the_same_state(world: World, cut_after: int) -> None:
    uncut, base = world.copy(), world.base
    uncut.settle()
    world.reconcile(cut_after=cut_after)
    world.base = base
    world.settle()
    assert state(world) == state(uncut)


@given(st.lists(st.one_of(field_edits(), tag_edits, note_edits, task_edits), max_size=8), st.sampled_from(SIDES), st.booleans())
def test_a_contact_is_created_once_with_all_it_has(day: list[Edit], side: object, forgets: bool) -> None:
    world = World(policy=policy())
    do_all(world, [Edit(edit.touches, GHL if side is GHL else CENTRAL, edit.value) for edit in day])
    if side is GHL:
        world.central = None
    else:
        world.ghl = None
    uncut = world.copy()
    uncut.settle()
    world.reconcile(forgets=int(forgets))
    world.settle()
    assert state(world) == state(uncut)
    assert_agreed(world)


# In any order


def _apart(day: list[Edit]) -> list[Edit]:
    """Of the edits that touch the same, the first."""
    by_touch = sorted(day, key=attrgetter("touches"))
    return [next(group) for _, group in groupby(by_touch, key=attrgetter("touches"))]


adding = st.one_of(field_edits(clears=False), tag_edits, note_edits.filter(lambda edit: edit.touches[1] == -1))


@given(rules, st.lists(adding, max_size=5).map(_apart).flatmap(lambda day: st.tuples(st.just(day), st.permutations(day))), st.data())
def test_events_in_any_order_end_the_same(rule: object, orders: tuple[list[Edit], list[Edit]], data: st.DataObject) -> None:
    ends = []
    for day in orders:
        world = World(policy=policy())
        world.edit(GHL, first_name="Grace", city="Ulm", country="DE")
        world.settle()
        for edit in day:
            edit.do(world)
            if data.draw(st.booleans()):
                world.reconcile()
        world.settle()
        ends.append(state(world))
    assert ends[0] == ends[1]


@given(strangers(), st.lists(st.lists(edits, max_size=3), max_size=6))
def test_many_days_never_double_an_item(world: World, weeks: list[list[Edit]]) -> None:
    for day in [[], *weeks]:
        do_all(world, day)
        world.settle()
    assert_agreed(world)
    assert len(world.items(GHL, ItemKind.NOTE)) == len(world.items(CENTRAL, ItemKind.NOTE))
