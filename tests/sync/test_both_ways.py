"""One contact, both ways: profile and tags, what only one side can hold, and no echo."""

from __future__ import annotations

from typing import Any

import pytest

from crmsync.models import Contact, RunStatus
from crmsync.sandbox.centralstation import kinds
from tests.sync.kit import ADA, GRACE, Live
from tests.sync.seen import GHL_KEYS

WHOLE_GHL = ADA | {
    "companyName": "Analytical Engines GmbH",
    "address1": "Lindenstraße 5",
    "postalCode": "10969",
    "city": "Berlin",
    "state": "Berlin",
    "country": "DE",
    "website": "https://engines.example.org",
    "dateOfBirth": "1815-12-10",
    "tags": ["kunde", "messe"],
}
WHOLE_CENTRAL: dict[str, Any] = GRACE | {
    "company": "Flotte AG",
    "addr": {"street": "Hafenweg 1", "zip": "20457", "city": "Hamburg", "state_code": "HH", "country_code": "DE"},
    "homepages": ["https://flotte.example.org"],
    "birthday": "1906-12-09",
    "tags": ["Kundin", "Messe"],
}
COMPARED = ("first name", "last name", "email", "phone", "company", "street", "postal code", "city", "website", "birthday")


def test_a_contact_of_ghl_appears_in_centralstation_with_all_it_has(live: Live) -> None:
    live.ghl.add_contact(**WHOLE_GHL)
    assert live.run().status == RunStatus.DONE
    there, here = live.in_central(live.contact()), live.in_ghl(live.contact())
    assert {name: there.fields[name] for name in COMPARED} == {name: here.fields[name] for name in COMPARED}
    assert (there.fields["state"], there.tags) == ("BE", ["kunde", "messe"])
    assert live.statuses() == ["in_sync"]


def test_a_person_of_centralstation_appears_in_ghl_with_all_there_is(live: Live) -> None:
    live.central.add_contact(**WHOLE_CENTRAL)
    assert live.run().status == RunStatus.DONE
    there, here = live.in_ghl(live.contact()), live.in_central(live.contact())
    assert {name: there.fields[name] for name in COMPARED} == {name: here.fields[name] for name in COMPARED}
    assert there.tags == ["kundin", "messe"]
    assert live.statuses() == ["in_sync"]


CHANGES = {
    "first name": "Augusta",
    "last name": "King",
    "email": "augusta@example.org",
    "phone": "+4940555666",
    "company": "King & Co. KG",
    "street": "Am Wall 9",
    "postal code": "28195",
    "city": "Bremen",
    "website": "https://king.example.org",
    "birthday": "1816-01-01",
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_field_changed_in_ghl_changes_in_centralstation_and_nothing_else_does(live: Live, field: str) -> None:
    contact = whole(live)
    before = live.in_central(contact)
    live.edit_in_ghl(contact, **{(GHL_KEYS | {"birthday": "dateOfBirth"})[field]: CHANGES[field]})
    live.run()
    assert live.in_central(contact).fields == {**before.fields, field: CHANGES[field]}
    assert live.statuses() == ["in_sync"]


@pytest.mark.parametrize("field", CHANGES)
def test_a_field_changed_in_centralstation_changes_in_ghl_and_nothing_else_does(live: Live, field: str) -> None:
    contact = whole(live)
    before = live.in_ghl(contact)
    change_in_central(live, contact, field, CHANGES[field])
    live.run()
    assert live.in_ghl(contact).fields == {**before.fields, field: CHANGES[field]}
    assert live.statuses() == ["in_sync"]


@pytest.mark.parametrize("field", ["phone", "email", "company", "city", "website", "birthday"])
def test_a_field_cleared_in_ghl_is_cleared_in_centralstation(live: Live, field: str) -> None:
    contact = whole(live)
    live.edit_in_ghl(contact, **{(GHL_KEYS | {"birthday": "dateOfBirth"})[field]: None})
    live.run()
    assert live.in_central(contact).fields[field] is None
    assert live.statuses() == ["in_sync"]


def test_a_phone_typed_in_another_form_is_no_change(live: Live, ada: Contact) -> None:
    change_in_central(live, ada, "phone", "030 / 12345678")
    with live.nothing_written():
        live.run()
    assert live.statuses() == ["in_sync"]


def test_what_was_typed_is_kept(live: Live) -> None:
    live.central.add_contact(**GRACE | {"tels": ["030 / 98 76 54-0"]})
    live.run()
    live.run(full=True)
    assert live.central.overview()[0]["tels"][0]["name"] == "030 / 98 76 54-0"
    assert live.in_ghl(live.contact()).fields["phone"] == "+49309876540"


# Tags


def test_a_tag_added_in_ghl_is_added_in_centralstation(live: Live) -> None:
    contact = whole(live)
    live.ghl.add_tags(str(contact.ghl_id), "vip")
    live.run()
    assert live.in_central(contact).tags == ["kunde", "messe", "vip"]


def test_a_tag_added_in_centralstation_is_added_in_ghl(live: Live) -> None:
    contact = whole(live)
    live.central.add_tags(str(contact.centralstation_id), "VIP")
    live.run()
    assert live.in_ghl(contact).tags == ["kunde", "messe", "vip"]
    assert live.in_central(contact).tags == ["VIP", "kunde", "messe"]


def test_a_tag_removed_on_one_side_is_removed_on_the_other_and_the_others_stay(live: Live) -> None:
    contact = whole(live)
    live.central.remove_tags(str(contact.centralstation_id), "kunde")
    live.ghl.add_tags(str(contact.ghl_id), "neu")
    live.run()
    assert (live.in_ghl(contact).tags, live.in_central(contact).tags) == (["messe", "neu"], ["messe", "neu"])


def test_tags_of_both_sides_are_joined_when_they_meet_first(live: Live) -> None:
    live.ghl.add_contact(**ADA, tags=["kunde", "messe"])
    live.central.add_contact(first_name="Ada", name="Lovelace", emails=["ada@example.org"], tags=["Messe", "Buch"])
    live.run()
    assert live.in_ghl(live.contact()).tags == ["buch", "kunde", "messe"]
    assert live.in_central(live.contact()).tags == ["Buch", "Messe", "kunde"]


# What only one side can hold


def test_second_rows_survive_every_round_trip_with_ids_order_and_types(live: Live) -> None:
    rows: dict[str, Any] = {
        "emails": [{"name": "grace@example.org", "atype": "office"}, {"name": "gh@navy.example", "atype": "private"}],
        "tels": [{"name": "+493087654321", "atype": "mobile"}, {"name": "+491701234567", "atype": "private"}],
    }
    id = live.central.add_contact(first_name="Grace", name="Hopper", addr={"street": "Hafenweg 1", "city": "Hamburg"}, **rows)
    live.central.edit_contact(id, addrs_attributes=[{"street": "Nebenstraße 2", "city": "Kiel", "atype": "private"}])
    before = spares(live, id)
    live.run()
    contact = live.contact()
    live.edit_in_ghl(contact, phone="+4940555666", email="g@example.org", city="Lübeck")
    live.run()
    after = spares(live, id)
    assert [after[group][1:] for group in after] == [before[group][1:] for group in before]
    assert [row["id"] for row in after["tels"]] == [row["id"] for row in before["tels"]]
    assert [after[group][0]["name"] for group in ("emails", "tels")] == ["g@example.org", "+4940555666"]
    assert (after["addrs"][0]["city"], after["addrs"][0]["street"]) == ("Lübeck", "Hafenweg 1")


def test_the_next_e_mail_moves_up_when_the_first_is_cleared_in_ghl(live: Live) -> None:
    live.central.add_contact(first_name="Grace", name="Hopper", emails=["grace@example.org", "gh@navy.example"])
    live.run()
    contact = live.contact()
    live.edit_in_ghl(contact, email=None)
    live.run()
    assert (live.in_ghl(contact).fields["email"], live.in_central(contact).fields["email"]) == ("gh@navy.example",) * 2
    assert live.statuses() == ["in_sync"]


def test_a_last_name_that_was_made_up_does_not_flow_back(live: Live) -> None:
    live.ghl.add_contact(firstName="Ada", email="ada@example.org")
    live.run()
    contact = live.contact()
    stand_in = live.in_central(contact).fields["last name"]
    for full in (False, True, False):
        live.run(full=full)
    assert stand_in
    assert live.in_ghl(contact).fields["last name"] is None
    assert live.in_central(contact).fields["last name"] == stand_in
    assert live.statuses() == ["in_sync"]


def test_the_stand_in_for_a_last_name_can_be_set(live: Live) -> None:
    live.sync.last_name_stand_in = "(unbekannt)"
    live.sync.save()
    live.ghl.add_contact(firstName="Ada", email="ada@example.org")
    live.run()
    live.run(full=True)
    assert (live.in_central(live.contact()).fields["last name"], live.in_ghl(live.contact()).fields["last name"]) == ("(unbekannt)", None)


def test_a_real_last_name_given_over_there_does_flow_back(live: Live) -> None:
    live.ghl.add_contact(firstName="Ada", email="ada@example.org")
    live.run()
    contact = live.contact()
    live.edit_in_central(contact, name="Lovelace")
    live.run()
    assert live.in_ghl(contact).fields["last name"] == "Lovelace"


def test_a_made_up_last_name_gives_way_to_a_real_one(live: Live) -> None:
    live.ghl.add_contact(firstName="Ada", email="ada@example.org")
    live.run()
    contact = live.contact()
    live.edit_in_ghl(contact, lastName="Lovelace")
    live.run()
    assert live.in_central(contact).fields["last name"] == "Lovelace"


# No echo


@pytest.mark.parametrize("full", [False, True])
def test_a_second_run_writes_nothing(live: Live, full: bool) -> None:
    live.ghl.add_contact(**WHOLE_GHL)
    live.central.add_contact(**WHOLE_CENTRAL)
    live.run()
    give_items(live)
    live.run(full=True)
    with live.nothing_written():
        live.run(full=full)
    assert live.statuses() == ["in_sync", "in_sync"]


def give_items(live: Live) -> None:
    for contact in live.sync.contacts.all():
        live.ghl.add_note(str(contact.ghl_id), "<p>She rang.</p><p>All is well.</p>")
        live.central.add_note(str(contact.centralstation_id), "Besuch\nam Montag", name="Termin", format="plaintext")
        live.ghl.add_task(str(contact.ghl_id), "Send the offer", dueDate="2026-12-01T09:00:00Z")
        live.central.add_task(str(contact.centralstation_id), "Anrufen", precise_time="2026-12-02T09:00:00")


def whole(live: Live) -> Contact:
    """Ada with all there is, in both CRMs and in sync."""
    live.ghl.add_contact(**WHOLE_GHL)
    live.run()
    return live.contact()


def spares(live: Live, id: int) -> dict[str, list[dict[str, Any]]]:
    person = live.central.contact(id) or {}
    kept = ("id", "atype", "name", "street", "city")
    return {group: [{key: row.get(key) for key in kept} for row in person[group]] for group in ("emails", "tels", "addrs")}


def change_in_central(live: Live, contact: Contact, field: str, value: str) -> None:
    """As a person does it there: the row that is shown first gets another value."""
    id = contact.centralstation_id
    assert id is not None
    rows = {"email": "emails", "phone": "tels", "website": "homepages"}
    address = {"street": "street", "postal code": "zip", "city": "city"}
    person = live.central.contact(id) or {}
    match field:
        case "first name" | "last name":
            live.central.edit_contact(id, **{"first_name" if field == "first name" else "name": value})
        case "company":
            live.central.delete_child(kinds.POSITION, live.central.row("positions", person["positions"][0]["id"]))
            live.central.add_child(kinds.POSITION, ("Person", int(id)), {"company_name": value, "primary_function": True})
        case "birthday":
            live.central.edit_child(kinds.EVENT, live.central.row("historic_events", person["historic_events"][0]["id"]), {"name": value})
        case "street" | "postal code" | "city":
            live.central.edit_contact(id, addrs_attributes=[{"id": person["addrs"][0]["id"], address[field]: value}])
        case _:
            live.central.edit_contact(id, **{f"{rows[field]}_attributes": [{"id": person[rows[field]][0]["id"], "name": value}]})
