"""The profile: compared by meaning, written as typed; stand-ins, spare rows, and what can't be held or isn't kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crmsync.engine.base import Base
from crmsync.engine.mapping import ConflictRule, Direction, FieldMap
from crmsync.engine.records import Side, Value
from crmsync.engine.values import FieldType
from crmsync.engine.write import WriteKind
from tests.engine.strategies import add_spares
from tests.engine.world import BY_NAME, CENTRAL, GHL, SIDES, GhlContact, Person, World, in_sync, policy


def test_what_a_user_typed_is_written_as_typed() -> None:
    world = in_sync()
    world.edit(CENTRAL, phone="030 / 12 34 56")
    assert world.plan().writes[0].changes == {"phone": "030 / 12 34 56"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email", "ADA@example.org"),
        ("phone", "030/123456"),
        ("website", "https://www.ada.example/"),
        ("state", "Bayern"),
        ("city", " Ulm "),
    ],
)
def test_another_spelling_is_no_change(name: str, value: str) -> None:
    world = in_sync(email="ada@example.org", phone="+4930123456", website="ada.example", state="BY", city="Ulm", country="DE")
    world.edit(CENTRAL, **{name: value})
    assert world.plan().writes == ()


def test_a_plan_names_only_the_fields_that_change_before_and_after() -> None:
    world = in_sync(city="Ulm", company="Acme")
    world.edit(GHL, city="Köln")
    (write,) = world.plan().writes
    assert (write.before, write.after, write.changes) == ({"city": "Ulm"}, {"city": "Köln"}, {"city": "Köln"})


def test_filling_an_empty_field_replaces_nothing() -> None:
    world = in_sync()
    world.edit(GHL, company="Acme")
    assert not world.plan().writes[0].replaces


def test_both_sides_can_change_at_once() -> None:
    world = in_sync(city="Ulm", company="Acme")
    world.edit(GHL, city="Köln")
    world.edit(CENTRAL, company="Beta")
    world.settle()
    assert (world.values("city"), world.values("company")) == (("Köln", "Köln"), ("Beta", "Beta"))


def test_a_conflict_is_left_alone_and_named_while_other_fields_go_on() -> None:
    world = in_sync(ConflictRule.ASK, city="Ulm", company="Acme")
    world.edit(GHL, city="Köln", company="Beta")
    world.edit(CENTRAL, city="Bonn")
    planned = world.settle()
    assert planned.conflicts == ("city",)
    assert (world.values("city"), world.values("company")) == (("Köln", "Bonn"), ("Beta", "Beta"))


@pytest.mark.parametrize("side", SIDES)
def test_a_persons_choice_settles_the_conflict(side: Side) -> None:
    world = in_sync(ConflictRule.ASK, city="Ulm")
    world.edit(GHL, city="Köln")
    world.edit(CENTRAL, city="Bonn")
    world.base = replace(world.base, decisions={"city": side})
    world.settle()
    assert set(world.values("city")) == {"Köln" if side is GHL else "Bonn"}


def test_a_rows_own_rule_settles_what_the_sync_would_ask() -> None:
    world = in_sync(ConflictRule.ASK, city="Ulm")
    world.mapping = (replace(BY_NAME["city"], conflict=ConflictRule.CENTRALSTATION),)
    world.edit(GHL, city="Köln")
    world.edit(CENTRAL, city="Bonn")
    world.settle()
    assert world.values("city") == ("Bonn", "Bonn")


def test_a_field_mapped_one_way_is_not_written_the_other_way() -> None:
    world = in_sync(city="Ulm")
    world.mapping = (replace(BY_NAME["city"], direction=Direction.TO_CENTRALSTATION),)
    world.edit(CENTRAL, city="Bonn")
    assert world.plan().writes == ()


def test_a_mapping_that_is_new_is_a_first_meeting_of_that_field() -> None:
    world = in_sync()
    world.crm(GHL).set({"customFields.c1": ("A", "B")})
    world.mapping = (*world.mapping, FieldMap(name="likes", ghl="customFields.c1", centralstation="custom_fields.7", type=FieldType.LIST))
    world.settle()
    assert world.crm(CENTRAL).record().profile["custom_fields.7"] == ("A", "B")


# Created


def test_a_contact_is_created_with_profile_and_tags_in_one_write() -> None:
    world = World(central=None)
    world.edit(GHL, first_name="Ada", last_name="Lovelace", email="ada@example.org")
    world.crm(GHL).add_tags(("VIP",))
    (write,) = world.plan().writes
    assert (write.kind, write.side, write.tags) == (WriteKind.CREATE, CENTRAL, ("vip",))
    assert write.changes == {"first_name": "Ada", "name": "Lovelace", "email": "ada@example.org"}


@pytest.mark.parametrize("side", SIDES)
def test_nothing_is_created_where_creating_is_off(side: Side) -> None:
    world = World(ghl=None if side is GHL else GhlContact(), central=None if side is CENTRAL else Person())
    world.policy = policy(create_on=frozenset({side.other}))
    assert world.plan().writes == ()


def test_what_the_new_contact_cannot_hold_is_left_out_of_it() -> None:
    world = World(central=None)
    world.edit(GHL, last_name="Lovelace", state="Nowhere")
    world.crm(GHL).add_tags(("x" * 61, "vip"))
    (write,) = world.plan().writes
    assert (write.after, write.tags) == ({"last name": "Lovelace", "tags": ("vip",)}, ("vip",))


# Stand-ins


def nameless() -> World:
    """Created in CentralStation, which insisted on a last name: the e-mail's local part stands in."""
    world = World(central=None)
    world.edit(GHL, first_name="Ada", email="a.l@example.org")
    world.settle()
    assert world.values("last name") == (None, "a.l")
    return world


def test_a_stand_in_does_not_flow_back() -> None:
    assert nameless().plan().writes == ()


def test_a_stand_in_does_not_flow_back_without_a_base() -> None:
    world = nameless()
    world.base = Base()
    assert world.plan().writes == ()


def test_a_stand_in_stays_what_it_is_when_what_it_was_made_of_changes() -> None:
    world = nameless()
    world.edit(GHL, email="king@example.org")
    world.settle()
    assert (world.values("last name"), world.values("email")) == ((None, "a.l"), ("king@example.org", "king@example.org"))


@pytest.mark.parametrize("side", SIDES)
def test_a_real_value_takes_a_stand_ins_place(side: Side) -> None:
    world = nameless()
    world.edit(side, last_name="Lovelace")
    world.settle()
    assert world.values("last name") == ("Lovelace", "Lovelace")


@pytest.mark.parametrize("forgets", [0, 1])
def test_a_last_name_that_is_cleared_gets_a_stand_in_that_does_not_flow_back(forgets: int) -> None:
    world = in_sync(email="a.l@example.org")
    world.edit(GHL, last_name=None)
    world.reconcile(forgets=forgets)
    assert world.settle().not_kept == ()
    assert world.values("last name") == (None, "a.l")


def test_a_country_that_only_an_address_without_city_needed_does_not_flow_back() -> None:
    world = World(central=None)
    world.edit(GHL, last_name="Lovelace", street="Weg 1")
    world.settle()
    assert world.values("country") == (None, "DE")


def test_a_country_that_somebody_entered_does() -> None:
    world = World()
    world.edit(CENTRAL, street="Weg 1", city="Ulm", country="DE")
    world.settle()
    assert world.values("country") == ("DE", "DE")


# Spare rows


def test_the_next_row_moves_up_on_both_sides_when_the_first_is_cleared() -> None:
    world = in_sync(email="ada@example.org")
    add_spares(world, 1)
    world.edit(GHL, email=None)
    world.reconcile()
    assert world.values("email") == ("spare0@example.org", "spare0@example.org")
    assert [row["name"] for row in world.central.rows["emails"]] == ["spare0@example.org", "spare1@example.org"]  # type: ignore[union-attr]


def test_clearing_all_parts_of_an_address_moves_the_next_one_up_as_a_whole() -> None:
    world = in_sync(street="Weg 1", city="Ulm", country="DE")
    add_spares(world, 1)
    world.edit(GHL, street=None, city=None, country=None)
    world.reconcile()
    assert (world.values("street"), world.values("city")) == (("Spare 0", "Spare 0"), ("Bonn", "Bonn"))


def test_clearing_one_part_of_an_address_moves_nothing() -> None:
    world = in_sync(street="Weg 1", city="Ulm", country="DE")
    add_spares(world, 1)
    world.edit(GHL, street=None)
    world.settle()
    assert (world.values("street"), world.values("city")) == ((None, None), ("Ulm", "Ulm"))


def test_a_spare_that_ghl_refuses_is_offered_again_and_clears_nothing_more() -> None:
    world = in_sync(email="ada@example.org")
    add_spares(world, 1)
    world.settle()
    world.edit(GHL, email=None)
    world.reconcile(cut_after=1)
    (write,) = world.plan().writes
    assert (write.side, write.after) == (GHL, {"email": "spare0@example.org"})


def test_a_row_that_moved_up_stays_out_of_ghl_where_it_may_not_be_written() -> None:
    world = in_sync(email="ada@example.org")
    world.mapping = (replace(BY_NAME["email"], direction=Direction.TO_CENTRALSTATION),)
    add_spares(world, 1)
    world.edit(GHL, email=None)
    world.settle()
    assert world.values("email") == (None, "spare0@example.org")


# What can't be held, what isn't kept


def test_a_state_without_a_code_stays_in_ghl() -> None:
    world = in_sync(country="DE", city="Ulm")
    world.edit(GHL, state="Nowhere")
    assert world.settle().not_kept == ()
    assert world.values("state") == ("Nowhere", None)


def dropping(side: Side, name: str, value: Value) -> World:
    world = in_sync(city="Ulm")
    world.crm(side).drops = {BY_NAME[name].key(side)}  # type: ignore[attr-defined]
    world.edit(side.other, **{name: value})
    world.reconcile()
    return world


@pytest.mark.parametrize("side", SIDES)
def test_what_was_not_kept_is_told_and_not_repeated(side: Side) -> None:
    world = dropping(side, "company", "Acme")
    for _ in range(3):
        planned = world.reconcile()
        assert (planned.writes, planned.not_kept) == ((), ((side, "company"),))


def test_it_is_sent_again_when_the_value_changes() -> None:
    world = dropping(GHL, "company", "Acme")
    world.reconcile()
    world.edit(CENTRAL, company="Beta")
    assert world.plan().writes[0].after == {"company": "Beta"}


def test_it_is_over_when_somebody_enters_it_over_there() -> None:
    world = dropping(GHL, "company", "Acme")
    world.reconcile()
    world.crm(GHL).drops = set()  # type: ignore[attr-defined]
    world.edit(GHL, company="Acme")
    assert world.settle().not_kept == ()


def test_a_clearing_that_was_not_kept_is_told() -> None:
    world = dropping(GHL, "city", None)
    assert world.settle().not_kept == ((GHL, "city"),)


def test_a_change_made_while_a_sent_value_is_not_seen_yet_is_carried_over_also_after_a_crash() -> None:
    world = in_sync(ConflictRule.CENTRALSTATION, city="Ulm")
    world.edit(GHL, city="Köln")
    world.reconcile()
    world.edit(GHL, city="Bonn")
    world.reconcile(cut_after=0)
    world.settle()
    assert world.values("city") == ("Bonn", "Bonn")
