"""CentralStation's client against the simulated CRM, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmsync.engine.records import Aspect, Item, ItemKind, Record
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.settings import DEMO_API_KEY
from crmsync.systems.centralstation import CentralStationSystem
from crmsync.systems.errors import CredentialsRefused, NotFound, Refused, Unanswered
from tests.systems.wire import OpenBudget

FULL = {
    "first_name": "Ada",
    "name": "Beispiel",
    "email": "ada@example.org",
    "tel": "+49 221 123456",
    "homepage": "https://example.org",
    "street": "Weg 1",
    "zip": "50667",
    "city": "Köln",
    "state_code": "NW",
    "country_code": "DE",
    "company_name": "ACME GmbH",
    "birthday": "1985-11-27",
    "background": "Met in Cologne",
}


@pytest.fixture
def crm(centralstation_sandbox: CentralStation) -> CentralStation:
    return centralstation_sandbox


@pytest.fixture
def connect() -> Iterator[Callable[..., CentralStationSystem]]:
    """A client for a simulated account, closed when the test ends."""
    with ExitStack() as stack:

        def connect(crm: CentralStation, api_key: str = DEMO_API_KEY) -> CentralStationSystem:
            return stack.enter_context(closing(CentralStationSystem(crm.url, api_key, OpenBudget())))

        yield connect


@pytest.fixture
def system(crm: CentralStation, connect: Callable[..., CentralStationSystem]) -> CentralStationSystem:
    return connect(crm)


def operations_of(system: CentralStationSystem) -> list[str]:
    """The names of what is sent from now on."""
    sent: list[str] = []
    system.on_call = lambda name, _code: sent.append(name)
    return sent


def read(system: CentralStationSystem, number: int | str) -> Record:
    return system.read(str(number), Aspect.ALL)


def update(system: CentralStationSystem, number: int | str, changes: dict[str, Any]) -> Record:
    """What the person is like afterwards."""
    system.update(read(system, number), changes)
    return read(system, number)


# Creating


def test_a_person_is_created_in_two_calls_with_all_that_was_given(system: CentralStationSystem) -> None:
    system.create({"name": "First", "company_name": "ACME GmbH"}, [])
    sent = operations_of(system)
    record = system.create(FULL, ["VIP", "vip", "t" * 61])
    assert {key: record.profile[key] for key in FULL} == FULL
    assert (record.tags, sent) == (("VIP",), ["create_person", "create_historic_event"])


def test_what_a_create_answers_is_what_is_there(system: CentralStationSystem) -> None:
    record = system.create(FULL, ["VIP"])
    again = read(system, record.id)
    assert (again.profile, again.tags) == (record.profile, record.tags)


def test_a_person_without_a_last_name_is_created_all_the_same(system: CentralStationSystem) -> None:
    assert system.create({"email": "info@example.org", "zip": "50667"}, []).profile["name"] == "info"


def test_a_custom_field_is_written_with_the_person(crm: CentralStation, system: CentralStationSystem) -> None:
    key = f"custom_fields.{crm.add_custom_field_type('Revenue', 'decimal')}"
    assert system.create({"name": "Beispiel", key: "12,5"}, []).profile[key] == "12.5"


def test_a_person_whose_phone_was_dropped_gets_it_by_its_own_route(crm: CentralStation, system: CentralStationSystem) -> None:
    crm.fault("field_dropped", field="tels_attributes", times=1)
    assert system.create(FULL, []).profile["tel"] == FULL["tel"]


def test_a_create_whose_answer_is_lost_may_exist(crm: CentralStation, system: CentralStationSystem) -> None:
    crm.fault("answer_lost", path="/api/people$", method="POST")
    with pytest.raises(Unanswered):
        system.create({"name": "Beispiel", "email": "ada@example.org"}, [])
    assert [record.profile["name"] for record in system.find(emails=["ADA@example.org"])] == ["Beispiel"]


# Updating


@pytest.mark.parametrize("changes", [{key: value} for key, value in FULL.items()])
def test_each_field_can_be_set_on_an_empty_person(crm: CentralStation, system: CentralStationSystem, changes: dict[str, str]) -> None:
    if changes.keys() & {"street", "zip", "state_code"}:
        changes |= {"country_code": "DE"}
    after = update(system, crm.add_contact(name="Beispiel"), changes)
    assert {key: after.profile[key] for key in changes} == changes


@pytest.mark.parametrize(
    "changes",
    [
        {"first_name": "Eva"},
        {"email": "eva@example.org"},
        {"tel": "+49 30 999999"},
        {"street": "Allee 2"},
        {"city": "Wien", "country_code": "AT", "state_code": "9", "zip": "1010"},
        {"company_name": "Umbrella AG"},
        {"birthday": "1990-01-02"},
        {"background": None},
        {"email": None},
        {"tel": None},
        {"state_code": None},
        {"company_name": None},
        {"birthday": None},
        {"street": None, "zip": None, "city": None, "state_code": None, "country_code": None},
    ],
)
def test_a_change_changes_nothing_else(system: CentralStationSystem, changes: dict[str, str | None]) -> None:
    before = system.create(FULL, ["VIP"])
    after = update(system, before.id, changes)
    assert after.profile == {**before.profile, **changes}
    assert after.tags == before.tags


def test_a_new_value_keeps_the_kind_of_its_row(crm: CentralStation, system: CentralStationSystem) -> None:
    number = crm.add_contact(name="Beispiel", tels=[{"name": "+49 171 1234567", "atype": "mobile"}])
    update(system, number, {"tel": "+49 171 7654321"})
    assert [(row["name"], row["atype"]) for row in crm.contact(number)["tels"]] == [("+49 171 7654321", "mobile")]  # type: ignore[index]


def test_a_value_that_is_there_already_moves_up_instead_of_being_doubled(crm: CentralStation, system: CentralStationSystem) -> None:
    number = crm.add_contact(name="Beispiel", emails=[{"name": "a@x.de", "primary": True}, "b@x.de", "c@x.de"])
    after = update(system, number, {"email": "B@x.de"})
    assert after.profile["email"] == "b@x.de"
    assert after.spares["email"] == ({"email": "a@x.de"}, {"email": "c@x.de"})


def test_a_cleared_value_lets_the_next_move_up(crm: CentralStation, system: CentralStationSystem) -> None:
    number = crm.add_contact(name="Beispiel", emails=["a@x.de", {"name": "b@x.de", "primary": True}, "c@x.de"])
    before = read(system, number)
    after = update(system, number, {"email": None})
    assert {"email": after.profile["email"]} == before.spares["email"][0]


def test_a_cleared_last_name_gets_a_stand_in(crm: CentralStation, system: CentralStationSystem) -> None:
    assert update(system, crm.add_contact(name="Beispiel", emails=["info@x.de"]), {"name": None}).profile["name"] == "info"


def test_an_address_left_without_place_gets_the_home_country(crm: CentralStation, system: CentralStationSystem) -> None:
    number = crm.add_contact(name="Beispiel", addr={"street": "Weg 1", "city": "Köln"})
    assert update(system, number, {"city": None}).profile["country_code"] == "DE"


def test_an_ended_position_stays_as_a_former_one(system: CentralStationSystem, crm: CentralStation) -> None:
    record = system.create(FULL, [])
    update(system, record.id, {"company_name": None})
    assert [row["former"] for row in crm.contact(record.id)["positions"]] == [True]  # type: ignore[index]
    assert update(system, record.id, {"company_name": "ACME GmbH"}).profile["company_name"] == "ACME GmbH"


def test_companies_are_not_made_twice(system: CentralStationSystem, crm: CentralStation) -> None:
    crm.company_named("ACME GmbH")
    for _ in range(3):
        system.create({"name": "Beispiel", "company_name": " ACME  GmbH "}, [])
    assert [company["name"] for company in crm.table("companies").all()] == ["ACME GmbH"]


def test_two_threads_that_miss_a_company_make_one(system: CentralStationSystem, crm: CentralStation) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda place: system.create({"name": f"Person {place}", "company_name": "ACME GmbH"}, []), range(16)))
    assert [company["name"] for company in crm.table("companies").all()] == ["ACME GmbH"]


def test_an_update_that_only_adds_rows_needs_no_reading_back(system: CentralStationSystem, crm: CentralStation) -> None:
    record = system.update(read(system, crm.add_contact(name="Beispiel")), {"email": "a@x.de", "birthday": "1985-11-27"})
    assert record is not None
    assert (record.profile["email"], record.profile["birthday"], record.tasks) == ("a@x.de", "1985-11-27", ())


def test_a_refused_value_is_told_by_its_plain_name(system: CentralStationSystem, crm: CentralStation) -> None:
    record = read(system, crm.add_contact(name="Beispiel", addr={"city": "Köln", "country_code": "DE"}))
    with pytest.raises(Refused, match="Postal code") as caught:
        system.update(record, {"zip": "1" * 21})
    assert caught.value.field == "zip"


# Tags


def test_tags_are_added_once_and_removed_by_folded_name(system: CentralStationSystem, crm: CentralStation) -> None:
    record = read(system, crm.add_contact(name="Beispiel", tags=["VIP", "Kunde"]))
    record = system.add_tags(record, ["vip", "Neu"])
    assert record.tags == ("VIP", "Kunde", "Neu")
    assert system.remove_tags(record, ["KUNDE", "unknown"]).tags == ("VIP", "Neu")
    assert crm.tags_of(record.id) == ["VIP", "Neu"]


def test_a_tag_that_is_refused_as_present_is_no_failure(serve_centralstation: Any, connect: Any) -> None:
    crm = serve_centralstation(repeated_tags=False)
    system = connect(crm)
    stale = read(system, crm.add_contact(name="Beispiel"))
    crm.add_tags(stale.id, "VIP")
    assert system.add_tags(stale, ["VIP"]).tags == ("VIP",)


# Notes and tasks


@pytest.mark.parametrize("text", ["Called back.", "<p>Called <b>back</b></p>", "One\nTwo\n\nThree", "a < b"])
@pytest.mark.parametrize("title", [None, "Phone call"])
def test_a_note_survives_the_round_trip(system: CentralStationSystem, crm: CentralStation, title: str | None, text: str) -> None:
    number = str(crm.add_contact(name="Beispiel"))
    made = system.create_item(number, Item(kind=ItemKind.NOTE, title=title, text=text))
    assert system.read_item(ItemKind.NOTE, number, made.id) == made
    assert (made.title, made.text) == (title, text)


def test_a_changed_note_has_no_title_it_had_not_before(system: CentralStationSystem, crm: CentralStation) -> None:
    number = str(crm.add_contact(name="Beispiel"))
    crm.add_note(number, "Old text", name="Old text")
    (note,) = read(system, number).notes or ()
    system.update_item(number, note, {"text": "New text\nin two lines"})
    assert [(one.title, one.text) for one in read(system, number).notes or ()] == [(None, "New text\nin two lines")]


def test_a_note_of_two_people_is_only_taken_from_one(system: CentralStationSystem, crm: CentralStation) -> None:
    one, other = crm.add_contact(name="Eins"), crm.add_contact(name="Zwei")
    crm.add_note(one, "Both", person_ids=[one, other])
    (note,) = read(system, one).notes or ()
    system.delete_item(str(one), note)
    assert (note.shared, read(system, one).notes, len(read(system, other).notes or ())) == (True, (), 1)


def test_a_deleted_item_may_be_deleted_again(system: CentralStationSystem, crm: CentralStation) -> None:
    number = str(crm.add_contact(name="Beispiel"))
    for item in (Item(kind=ItemKind.NOTE, text="x"), Item(kind=ItemKind.TASK, title="x")):
        made = system.create_item(number, item)
        for _ in range(2):
            system.delete_item(number, made)
        with pytest.raises(NotFound):
            system.read_item(item.kind, number, made.id)


def test_notes_are_complete_over_all_pages(system: CentralStationSystem, crm: CentralStation) -> None:
    number = crm.add_contact(name="Beispiel")
    for place in range(251):
        crm.add_note(number, f"Note {place}")
    assert len(read(system, number).notes or ()) == 251


def test_notes_of_all_people_are_listed_newest_first(system: CentralStationSystem, crm: CentralStation) -> None:
    people = [str(crm.add_contact(name=name)) for name in ("Eins", "Zwei")]
    for person in people:
        crm.add_note(person, f"For {person}")
    page = system.item_page(ItemKind.NOTE)
    assert ([owners for _, owners in page.items], page.next) == ([(people[1],), (people[0],)], None)


@pytest.mark.parametrize("due", [None, "2026-11-27", "2026-11-27T08:00:00+00:00"])
def test_a_task_survives_the_round_trip(system: CentralStationSystem, crm: CentralStation, due: str | None) -> None:
    number = str(crm.add_contact(name="Beispiel"))
    made = system.create_item(number, Item(kind=ItemKind.TASK, title="Send offer", due=due))
    system.update_item(number, made, {"done": True, "title": "Send it"})
    (task,) = read(system, number).tasks or ()
    assert (task.title, task.due, task.done, made.done) == ("Send it", due, True, False)


# Reading in bulk


def test_pages_tell_profile_tags_and_tasks_of_everybody(system: CentralStationSystem, crm: CentralStation) -> None:
    for place in range(251):
        number = crm.add_contact(name=f"Person {place}", tags=["VIP"])
    crm.add_task(number, "Call")
    first = system.page()
    second = system.page(first.next)
    (last,) = second.records
    assert (len(first.records), second.next) == (250, None)
    assert (last.tags, [task.title for task in last.tasks or ()], last.notes) == (("VIP",), ["Call"], None)


def test_what_changed_is_found_by_time_and_by_stream(serve_centralstation: Any, connect: Any) -> None:
    crm = serve_centralstation(children_move_person=False)
    system = connect(crm)
    old = datetime.now(UTC) - timedelta(days=2)
    numbers = [str(crm.add_contact(name=name, created_at=old)) for name in ("Edited", "Noted", "Untouched")]
    crm.edit_contact(numbers[0], first_name="Eva")
    crm.add_note(numbers[1], "New")
    since, found, after = datetime.now(UTC) - timedelta(hours=1), set[str](), None
    while True:
        page = system.changed(since, after)
        found |= {record.id for record in page.records}
        after = page.next
        if after is None:
            break
    assert found == set(numbers[:2])


def test_many_are_read_by_one_filter(system: CentralStationSystem, crm: CentralStation) -> None:
    numbers = [str(crm.add_contact(name=f"Person {place}")) for place in range(3)]
    sent = operations_of(system)
    assert {record.id for record in system.read_many([*numbers[:2], "999"])} == set(numbers[:2])
    assert sent == ["list_people"]


@pytest.mark.parametrize(
    "query", [{"emails": ["ADA@example.org"]}, {"phones": ["0221 123456"]}, {"name": "ada beispiel"}, {"emails": ["ada2@example.org"]}]
)
def test_a_person_is_found_by_each_key(system: CentralStationSystem, crm: CentralStation, query: dict[str, Any]) -> None:
    number = crm.add_contact(first_name="Ada", name="Beispiel", emails=["ada@example.org", "ada2@example.org"], tels=["+49 221 123456"])
    crm.add_contact(first_name="Ada", name="Beispielhaft", emails=["ada@example.org.uk"], tels=["+49 221 1234567"])
    assert [record.id for record in system.find(**query)] == [str(number)]


def test_the_total_is_counted(system: CentralStationSystem, crm: CentralStation) -> None:
    crm.add_contact(name="Beispiel")
    assert system.total() == 1


def test_a_deleted_person_is_not_found(system: CentralStationSystem, crm: CentralStation) -> None:
    number = str(crm.add_contact(name="Beispiel"))
    for _ in range(2):
        system.delete(number)
    with pytest.raises(NotFound):
        system.read(number, Aspect.PROFILE)


# The connection


def test_the_check_names_the_account_and_its_user(system: CentralStationSystem) -> None:
    account = system.check()
    assert (account.name, account.default_user_id, account.missing_scopes) == ("Sandbox GmbH", "4711", {})


def test_a_wrong_key_is_refused(crm: CentralStation, connect: Any) -> None:
    with pytest.raises(CredentialsRefused):
        connect(crm, "wrong").check()


def test_custom_fields_can_be_mapped(system: CentralStationSystem, crm: CentralStation) -> None:
    crm.add_custom_field_type("Size", "select", ["S", "L"])
    crm.add_custom_field_type("Branch", category="Company")
    assert [(field.label, field.type, field.options) for field in system.fields() if field.custom] == [("Size", "choice", ("S", "L"))]
