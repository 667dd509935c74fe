"""Notes and tasks: paired by link, else adopted by content, else created; edited, completed and deleted where the other side was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine.base import Base
from crmsync.engine.items import FIELDS, due_same
from crmsync.engine.mapping import ConflictRule
from crmsync.engine.records import SIDES, Aspect, Item, ItemKind, Side
from crmsync.engine.values import note_text
from crmsync.engine.write import WriteKind
from tests.engine.world import CENTRAL, GHL, World, in_sync, note, policy, task

NOTE, TASK = ItemKind.NOTE, ItemKind.TASK
TEXT = "She rang back.\n\nAll is well."


def with_items(*items: Item, side: Side = GHL, conflict: ConflictRule = ConflictRule.NEWEST, rewrites: bool = False) -> World:
    """A contact that has these on both sides; they were made on `side`."""
    world = World(policy=policy(conflict))
    world.ghl.rewrites = rewrites  # type: ignore[union-attr]
    for item in items:
        world.add_item(side, item)
    world.settle()
    return world


def texts(world: World, side: Side) -> list[str | None]:
    return sorted((item.text for item in world.items(side, NOTE)), key=str)


def only(world: World, side: Side, kind: ItemKind = NOTE) -> Item:
    (item,) = world.items(side, kind)
    return item


def unlink(world: World) -> World:
    """Everything crmsync remembered of its items is gone."""
    world.base = Base()
    return world


# Created


@pytest.mark.parametrize("side", SIDES)
def test_a_note_is_created_over_there_as_it_is(side: Side) -> None:
    world = with_items(note(TEXT, "Call"), side=side)
    there = only(world, side.other)
    assert (there.title, there.text) == ("Call", TEXT)


@pytest.mark.parametrize("side", SIDES)
def test_a_task_is_created_over_there_with_title_day_and_state(side: Side) -> None:
    world = with_items(task("Offer", "2026-12-01", done=True), side=side)
    there = only(world, side.other, TASK)
    assert (there.title, str(there.due)[:10], there.done) == ("Offer", "2026-12-01", True)


def test_items_are_created_in_the_order_they_were_made() -> None:
    world = in_sync()
    for text in ("first", "second", "third"):
        world.add_item(GHL, note(text))
    world.crm(GHL).items = dict(reversed(world.crm(GHL).items.items()))
    assert [write.after["text"] for write in world.plan().writes] == ["first", "second", "third"]


def test_an_item_without_any_content_is_left_alone() -> None:
    world = in_sync()
    world.add_item(CENTRAL, note("<p> </p>"))
    assert world.plan().writes == ()


def test_notes_that_were_not_read_are_left_alone() -> None:
    world = with_items(note("Hello"))
    world.policy = replace(world.policy, aspects=Aspect.PROFILE)
    before = world.base.items
    world.crm(GHL).items.clear()
    assert (world.plan().writes, world.plan().base.items) == ((), before)


def test_a_title_too_long_is_cut_over_there_and_whole_here() -> None:
    world = with_items(task("t" * 300))
    assert [len(str(only(world, side, TASK).title)) for side in SIDES] == [300, 255]
    assert world.plan().writes == ()


@pytest.mark.parametrize("forgets", [0, 1])
def test_a_title_that_was_cut_does_not_flow_back_also_when_it_was_forgotten(forgets: int) -> None:
    world = with_items(task("t"), conflict=ConflictRule.CENTRALSTATION)
    world.edit_item(GHL, only(world, GHL, TASK).id, title="u" * 300)
    world.reconcile(forgets=forgets)
    world.settle()
    assert [len(str(only(world, side, TASK).title)) for side in SIDES] == [300, 255]


def test_a_note_with_a_title_only_gets_it_as_its_text_in_ghl_and_stays_so() -> None:
    world = with_items(note(None, "Only a title"), side=CENTRAL)
    assert [(only(world, side).title, only(world, side).text) for side in SIDES] == [
        ("Only a title", "Only a title"),
        ("Only a title", None),
    ]
    assert unlink(world).plan().writes == ()


def test_a_task_without_a_due_date_gets_a_stand_in_that_does_not_flow_back() -> None:
    world = with_items(task("Offer", None), side=CENTRAL)
    assert only(world, GHL, TASK).due is not None
    assert only(world, CENTRAL, TASK).due is None
    unlink(world).settle()
    assert only(world, CENTRAL, TASK).due is None


@pytest.mark.parametrize("forgets", [0, 1])
def test_a_due_date_that_is_taken_off_does_not_come_back_from_its_stand_in(forgets: int) -> None:
    world = with_items(task("Offer", "2026-12-01"), side=CENTRAL)
    world.edit_item(CENTRAL, only(world, CENTRAL, TASK).id, due=None)
    world.reconcile(forgets=forgets)
    assert world.settle().not_kept == ()
    assert only(world, CENTRAL, TASK).due is None


# Edited


EDITS = [(NOTE, "text", "He rang."), (NOTE, "title", "Visit"), (TASK, "title", "Contract"), (TASK, "done", True)]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("kind", "name", "value"), EDITS)
def test_an_edit_is_carried_over_and_nothing_else(side: Side, kind: ItemKind, name: str, value: object) -> None:
    world = with_items(note(TEXT, "Call"), task("Offer", "2026-12-01T09:00:00+00:00"))
    world.edit_item(side, only(world, side, kind).id, **{name: value})
    (write,) = world.plan().writes
    assert (write.side, write.kind, list(write.after)) == (side.other, WriteKind.UPDATE_ITEM, [name])
    world.settle()
    assert getattr(only(world, side.other, kind), name) == value


@pytest.mark.parametrize("side", SIDES)
def test_another_due_time_is_carried_over(side: Side) -> None:
    world = with_items(task("Offer", "2026-12-01T09:00:00+00:00"))
    world.edit_item(side, only(world, side, TASK).id, due="2026-12-24T10:00:00+00:00")
    world.settle()
    assert [only(world, one, TASK).due for one in SIDES] == ["2026-12-24T10:00:00+00:00"] * 2


def test_a_task_that_was_done_by_mistake_is_opened_again() -> None:
    world = with_items(task("Offer", done=True))
    world.edit_item(CENTRAL, only(world, CENTRAL, TASK).id, done=False)
    world.settle()
    assert not only(world, GHL, TASK).done


def test_the_sides_may_edit_different_fields_of_one_note() -> None:
    world = with_items(note(TEXT, "Call"))
    world.edit_item(GHL, only(world, GHL).id, title="Visit")
    world.edit_item(CENTRAL, only(world, CENTRAL).id, text="He came.")
    world.settle()
    assert [(only(world, side).title, only(world, side).text) for side in SIDES] == [("Visit", "He came.")] * 2


def test_a_note_edited_on_both_sides_asks_where_the_sync_asks() -> None:
    world = with_items(note(TEXT), conflict=ConflictRule.ASK)
    for side in SIDES:
        world.edit_item(side, only(world, side).id, text=f"edited in {side}")
    planned = world.settle()
    assert planned.conflicts == ("note text",)
    assert [only(world, side).text for side in SIDES] == ["edited in ghl", "edited in centralstation"]


def test_a_persons_choice_settles_a_note_that_both_sides_edited() -> None:
    world = with_items(note(TEXT), conflict=ConflictRule.ASK)
    for side in SIDES:
        world.edit_item(side, only(world, side).id, text=f"edited in {side}")
    world.base = replace(world.base, decisions={"note text": CENTRAL})
    world.settle()
    assert [only(world, side).text for side in SIDES] == ["edited in centralstation"] * 2


# Round trips


BODIES = (TEXT, "<p>One</p><p>Two<br>Three</p>", "a < b & c\n\n- d", "One<div>Two</div>", "<ul><li>One</li><li>Two</li></ul>")


@given(st.sampled_from(BODIES), st.sampled_from(SIDES), st.booleans(), st.lists(st.sampled_from(SIDES), max_size=6))
def test_a_note_survives_many_round_trips(body: str, side: Side, rewrites: bool, editors: list[Side]) -> None:
    world = with_items(note(body), side=side, rewrites=rewrites)
    for number, editor in enumerate(editors):
        item = only(world, editor)
        world.edit_item(editor, item.id, text=str(item.text).replace("One", f"Number {number}"), title=f"Title {number}")
        world.settle()
        unlink(world).settle()
    ghl, central = (note_text(only(world, one).text) for one in SIDES)
    assert ghl == central
    assert len(ghl.splitlines()) == len(note_text(body).splitlines())
    assert len(str(only(world, side).text)) <= len(body) + 120


def test_a_plain_note_that_ghl_rewrote_stays_plain_in_centralstation() -> None:
    world = with_items(note("a < b\nc"), side=CENTRAL, rewrites=True)
    assert (only(world, GHL).text, only(world, CENTRAL).text) == ("<p>a &lt; b<br />c</p>", "a < b\nc")
    assert world.plan().writes == ()


def test_a_text_that_ghl_changed_in_keeping_it_is_told_and_does_not_flow_back() -> None:
    world = World()
    world.add_item(CENTRAL, note("One\nTwo"))
    world.reconcile()
    world.edit_item(GHL, only(world, GHL).id, text="One")
    planned = world.settle()
    assert planned.not_kept == ((GHL, "note text"),)
    assert only(world, CENTRAL).text == "One\nTwo"


# Adopted


@pytest.mark.parametrize(
    ("ghl", "central"),
    [
        (note("<p>Hello</p>"), note("Hello")),
        (note("Hello", "Call"), note("Hello", " Call ")),
        (note("Hello", "Call"), note("Hello")),
        (note("Hello", "Hello"), note("Hello")),
        (note("Hello", "x" * 120), note("Hello", "x" * 100)),
        (task("Offer", "2026-12-01T09:00:00+00:00"), task("Offer", "2026-12-01")),
        (task("Offer", "2026-11-30T23:30:00+00:00"), task("Offer", "2026-12-01")),
        (task("Offer", done=True), task("Offer")),
        (task("Offer", "2026-12-24"), task("Offer", None)),
        (task("t" * 300), task("t" * 255)),
    ],
)
def test_items_with_the_same_content_are_adopted_not_doubled(ghl: Item, central: Item) -> None:
    world = World()
    world.add_item(GHL, ghl)
    world.add_item(CENTRAL, central)
    world.settle()
    assert [len(world.items(side, ghl.kind)) for side in SIDES] == [1, 1]


@pytest.mark.parametrize(
    ("ghl", "central"),
    [
        (note("Hello"), note("Hello there")),
        (note("ok", "Call"), note("ok", "Visit")),
        (task("Invoice", "2026-12-01"), task("Invoice", "2027-01-01")),
        (task("Offer"), task("Contract")),
    ],
)
def test_items_that_would_lose_something_by_it_are_not_adopted(ghl: Item, central: Item) -> None:
    world = World()
    world.add_item(GHL, ghl)
    world.add_item(CENTRAL, central)
    world.settle()
    assert [len(world.items(side, ghl.kind)) for side in SIDES] == [2, 2]


def test_what_one_adopted_half_lacks_it_gets_from_the_other() -> None:
    world = World()
    world.add_item(GHL, note("Hello", "Call"))
    world.add_item(CENTRAL, note("Hello"))
    world.settle()
    assert only(world, CENTRAL).title == "Call"


@given(st.integers(0, 3), st.integers(0, 3))
def test_of_identical_notes_each_is_adopted_once(ghl: int, central: int) -> None:
    world = World()
    for side, number in ((GHL, ghl), (CENTRAL, central)):
        for _ in range(number):
            world.add_item(side, note("ok"))
    world.settle()
    assert [len(world.items(side, NOTE)) for side in SIDES] == [max(ghl, central)] * 2


def test_the_closest_is_adopted_first() -> None:
    world = World()
    world.add_item(CENTRAL, task("Offer", None))
    dated = world.add_item(CENTRAL, task("Offer", "2026-12-24"))
    ghl = world.add_item(GHL, task("Offer", "2026-12-24"))
    world.reconcile()
    assert (ghl, dated) in {(base.ghl, base.centralstation) for base in world.base.items}


# Deleted


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("item", [note(TEXT, "Call"), task("Offer")])
def test_what_is_deleted_here_is_deleted_there(side: Side, item: Item) -> None:
    world = with_items(item)
    world.crm(side).items.clear()
    world.settle()
    assert world.items(side.other, item.kind) == []
    assert world.base.items == ()


CHANGES: list[tuple[Item, dict[str, object]]] = [(note(TEXT), {"text": "Edited"}), (task("Offer"), {"done": True})]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("item", "edit"), CHANGES)
@pytest.mark.parametrize("forgets", [0, 1])
def test_what_was_changed_there_meanwhile_is_brought_back_once(side: Side, item: Item, edit: dict[str, object], forgets: int) -> None:
    world = with_items(item)
    world.edit_item(side.other, only(world, side.other, item.kind).id, **edit)
    world.crm(side).items.clear()
    world.reconcile(forgets=forgets)
    world.settle()
    for one in SIDES:
        assert {name: getattr(only(world, one, item.kind), name) for name in edit} == edit


def test_what_is_deleted_on_both_sides_is_forgotten() -> None:
    world = with_items(note(TEXT))
    for side in SIDES:
        world.crm(side).items.clear()
    assert (world.reconcile().writes, world.base.items) == ((), ())


def test_of_identical_notes_the_partner_of_the_deleted_one_goes() -> None:
    world = with_items(note("ok"), note("ok"))
    pair = world.base.items[0]
    del world.crm(GHL).items[str(pair.ghl)]
    (write,) = world.plan().writes
    assert write.item is not None
    assert write.item.id == pair.centralstation


def test_an_edit_that_was_carried_over_before_the_deletion_does_not_bring_it_back() -> None:
    world = with_items(note(TEXT))
    world.edit_item(GHL, only(world, GHL).id, text="Edited")
    world.reconcile()
    world.crm(CENTRAL).items.clear()
    world.settle()
    assert world.items(GHL, NOTE) == []


def deleted_in_vain() -> World:
    """Deleted in GHL; CentralStation said yes to the deletion and shows the note still."""
    world = with_items(note(TEXT))
    there = dict(world.crm(CENTRAL).items)
    world.crm(GHL).items.clear()
    world.reconcile()
    world.crm(CENTRAL).items = there
    return world


def test_a_deletion_that_was_not_kept_is_told_and_not_repeated() -> None:
    world = deleted_in_vain()
    for _ in range(2):
        planned = world.reconcile()
        assert (planned.writes, planned.not_kept) == ((), ((CENTRAL, "deleted note"),))


def test_what_is_shown_after_a_deletion_and_then_edited_is_brought_back() -> None:
    world = deleted_in_vain()
    world.reconcile()
    world.edit_item(CENTRAL, only(world, CENTRAL).id, text="Edited")
    world.settle()
    assert texts(world, GHL) == ["Edited"]


# Not kept


def created_in_vain(kind: ItemKind = NOTE) -> World:
    """Created in CentralStation, with an id in the answer, and never there."""
    world = World()
    world.add_item(GHL, note(TEXT) if kind is NOTE else task("Offer"))
    world.reconcile()
    world.crm(CENTRAL).items.clear()
    return world


@pytest.mark.parametrize("kind", ItemKind)
def test_an_item_that_was_not_kept_is_told_not_repeated_and_not_taken_for_deleted(kind: ItemKind) -> None:
    world = created_in_vain(kind)
    for _ in range(2):
        planned = world.reconcile()
        assert (planned.writes, planned.not_kept) == ((), ((CENTRAL, kind),))


def test_an_item_that_was_not_kept_is_sent_again_when_it_changes() -> None:
    world = created_in_vain()
    world.reconcile()
    world.edit_item(GHL, only(world, GHL).id, text="Edited")
    world.settle()
    assert texts(world, CENTRAL) == ["Edited"]


def test_an_item_that_was_not_kept_is_forgotten_when_it_is_deleted() -> None:
    world = created_in_vain()
    world.crm(GHL).items.clear()
    assert (world.settle().not_kept, world.base.items) == ((), ())


CHANGED: dict[str, tuple[Item, Callable[[World], None]]] = {
    "note text": (note(TEXT), lambda world: world.edit_item(GHL, only(world, GHL).id, text="Edited")),
    "task title": (task("Offer"), lambda world: world.edit_item(GHL, only(world, GHL, TASK).id, title="Edited")),
}


@pytest.mark.parametrize("name", CHANGED)
def test_an_edit_that_was_not_kept_is_told_with_its_field_and_not_repeated(name: str) -> None:
    item, edit = CHANGED[name]
    world = with_items(item)
    there = dict(world.crm(CENTRAL).items)
    edit(world)
    world.reconcile()
    world.crm(CENTRAL).items = there
    for _ in range(2):
        planned = world.reconcile()
        assert (planned.writes, planned.not_kept) == ((), ((CENTRAL, name),))


# Due


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2026-12-01", "2026-12-01T09:00:00+00:00", True),
        ("2026-12-01", "2026-11-30T23:30:00+00:00", True),
        ("2026-12-01", "2026-12-01T23:30:00+00:00", False),
        ("2026-12-01T09:00:00+00:00", "2026-12-01T10:00:00.500+01:00", True),
        ("2026-12-01T09:00:00", "2026-12-01T09:00:00Z", True),
        ("2026-12-01T09:00:00+00:00", "2026-12-01T09:30:00+00:00", False),
        ("2026-12-01", None, False),
        ("soon", "soon", True),
    ],
)
def test_due_dates_are_compared_at_the_resolution_of_the_coarser_side(one: str, other: str | None, is_same: bool) -> None:
    assert due_same(one, other, "Europe/Berlin") is is_same


def test_a_task_has_no_text_and_a_note_no_due_date_to_keep_the_same() -> None:
    assert FIELDS == {NOTE: ("title", "text"), TASK: ("title", "due", "done")}
