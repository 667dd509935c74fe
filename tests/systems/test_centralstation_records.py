"""What counts as a person's value, a note's title, a task's due date in CentralStation."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crmsync.engine.records import Item, ItemKind
from crmsync.systems.centralstation.fields import address_parts, can_hold, stand_ins
from crmsync.systems.centralstation.records import (
    derived_title,
    note_fields,
    note_item,
    record_of,
    repeats_beginning,
    sendable,
    task_fields,
    task_item,
)
from crmsync.systems.centralstation.rows import Person, Protocol, Task, unwrap


def person(**rows: Any) -> Person:
    return Person.model_validate({"id": 1, "name": "Beispiel", **rows})


def record(**rows: Any) -> Any:
    return record_of(person(**rows), name_of_company=lambda company_id: f"Company {company_id}")


def detail(id: int, name: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "atype": "office", "name": name, "primary": None, **more}


def test_the_primary_email_is_the_value_and_the_others_are_spares() -> None:
    found = record(emails=[detail(1, "a@x.de"), detail(2, "b@x.de", primary=True), detail(3, "c@x.de")])
    assert found.profile["email"] == "b@x.de"
    assert found.spares["email"] == ({"email": "a@x.de"}, {"email": "c@x.de"})


def test_without_a_primary_row_the_lowest_id_counts() -> None:
    assert record(emails=[detail(20, "b@x.de"), detail(3, "a@x.de")]).profile["email"] == "a@x.de"


def test_a_fax_number_is_the_phone_only_where_there_is_no_other() -> None:
    fax, mobile = detail(1, "+49 30 1", atype="fax"), detail(2, "+49 171 2", atype="mobile")
    assert record(tels=[fax, mobile]).profile["tel"] == "+49 171 2"
    assert record(tels=[fax]).profile["tel"] == "+49 30 1"


def test_the_persons_language_is_not_its_country() -> None:
    assert record(country_code="de", addrs=[]).profile["country_code"] is None


def test_an_address_is_read_part_by_part_and_empty_parts_are_nothing() -> None:
    found = record(addrs=[{"id": 1, "street": "", "zip": 50667, "city": "Köln", "state_code": "NW", "country_code": "DE"}])
    expected = {"street": None, "zip": "50667", "city": "Köln", "state_code": "NW", "country_code": "DE"}
    assert {key: found.profile[key] for key in expected} == expected


def test_a_spare_address_tells_all_its_parts() -> None:
    found = record(addrs=[{"id": 1, "city": "Köln"}, {"id": 2, "city": "Bonn", "zip": ""}])
    assert found.spares["addr"] == ({"street": None, "zip": None, "city": "Bonn", "state_code": None, "country_code": None},)


def test_a_former_position_is_no_company() -> None:
    former = {"id": 1, "company_id": 7, "company_name": "Old", "former": True, "primary_function": True}
    assert record(positions=[former]).profile["company_name"] is None
    assert record(positions=[former, {"id": 2, "company_id": 8, "company_name": "New"}]).profile["company_name"] == "New"


@pytest.mark.parametrize(
    ("position", "companies", "name"),
    [
        ({"company_name": "Told"}, [], "Told"),
        ({"company": {"id": 7, "name": "Nested"}}, [], "Nested"),
        ({"company": {"company": {"id": 7, "name": "Wrapped"}}}, [], "Wrapped"),
        ({}, [{"id": 7, "name": "Included"}], "Included"),
        ({}, [], "Company 7"),
    ],
)
def test_a_companys_name_is_found_wherever_the_answer_has_it(position: dict[str, Any], companies: list[dict[str, Any]], name: str) -> None:
    found = record(positions=[{"id": 1, "company_id": 7, **position}], companies=companies)
    assert found.profile["company_name"] == name


def test_a_birthday_is_one_of_several_dates() -> None:
    events = [{"id": 1, "atype": "first_met", "name": "2020-01-01"}, {"id": 2, "atype": "birthday", "name": "1985-11-27"}]
    assert record(historic_events=events).profile["birthday"] == "1985-11-27"


def test_a_custom_field_is_keyed_by_its_type() -> None:
    assert record(custom_fields=[{"id": 5, "custom_fields_type_id": 1004, "name": "abc"}]).profile["custom_fields.1004"] == "abc"


def test_included_rows_may_be_wrapped_or_not() -> None:
    assert record(tags=[{"tag": {"id": 2, "name": "B"}}, {"id": 1, "name": "A"}]).tags == ("A", "B")


def test_a_record_holds_its_rows_as_plain_json() -> None:
    found = record(emails=[detail(1, "a@x.de")], tags=[{"id": 1, "name": "A"}])
    assert record_of(Person.model_validate(dict(found.rows)), name_of_company=lambda company_id: None).profile == found.profile


def test_a_task_that_may_not_be_seen_is_left_out() -> None:
    tasks = [{"description": "not found", "error": "not found"}, {"id": 90, "name": "Call", "finished": True}]
    assert [(task.title, task.done) for task in record(tasks=tasks).tasks] == [("Call", True)]


# Tasks


@pytest.mark.parametrize(
    ("precise_time", "fuzzy", "due"),
    [
        ("2026-11-27T09:00:00.000+01:00", False, "2026-11-27T08:00:00+00:00"),
        ("2026-11-27T00:30:00.000+01:00", True, "2026-11-27"),
        ("2026-11-27T09:00:00", False, "2026-11-27T08:00:00+00:00"),
        ("2026-11-27", None, "2026-11-27"),
        (None, None, None),
    ],
)
def test_a_due_date_is_a_german_day_or_a_moment(precise_time: str | None, fuzzy: bool | None, due: str | None) -> None:
    assert task_item(Task(id="1", name="Call", precise_time=precise_time, fuzzy=fuzzy)).due == due


@pytest.mark.parametrize("due", ["2026-11-27", "2026-07-01", "2026-11-27T08:00:00+00:00", None])
def test_a_due_date_survives_the_round_trip(due: str | None) -> None:
    fields = task_fields({"due": due})
    assert task_item(Task.model_validate({"id": 1, **fields})).due == due


def test_a_mere_date_is_sent_as_noon_in_berlin() -> None:
    assert task_fields({"due": "2026-07-01"}) == {"precise_time": "2026-07-01T12:00:00+02:00", "fuzzy": True}


# Notes


@pytest.mark.parametrize(
    ("title", "text", "repeats"),
    [
        ("Called back.", "Called back.", True),
        ("Called back.", "Called back.\nWants an offer.", True),
        ("x" * 60, "x" * 200, True),
        ("A long way to say that…", "A long way to say that nothing happened", True),
        ("A long way...", "A long way to say", True),
        ("Hello there, you", "<p>Hello <b>there</b>, you</p>", True),
        ("Call", "Call back tomorrow", False),
        ("From GHL", "Called back, wants an offer.", False),
        (None, "Text", False),
        ("Title", None, False),
    ],
)
def test_a_headline_made_of_the_text_is_no_title(title: str | None, text: str | None, repeats: bool) -> None:
    assert repeats_beginning(title, text) is repeats


@pytest.mark.parametrize("text", ["Short", "First line\nSecond line", "w" * 300, "word " * 60, "<p>Hallo <b>Welt</b></p><p>Zeile</p>"])
def test_the_headline_we_derive_is_never_read_as_a_title(text: str) -> None:
    assert note_item(Protocol(id="1", type="ProtocolObjectNote", name=derived_title(text), content=text)).title is None


def test_a_changed_text_takes_its_derived_headline_along() -> None:
    untitled = Item(kind=ItemKind.NOTE, id="1", text="Old")
    assert note_fields(untitled, {"text": "New\ntext"}) == {"content": "New\ntext", "format": "plaintext", "name": "New"}


def test_a_title_stays_when_only_the_text_changes() -> None:
    titled = Item(kind=ItemKind.NOTE, id="1", title="Title", text="Old")
    assert note_fields(titled, {"text": "<p>New</p>"}) == {"content": "<p>New</p>", "format": "html"}


def test_a_note_of_two_people_is_shared() -> None:
    assert note_item(Protocol(id="1", type="ProtocolObjectNote", person_ids=("1", "2"))).shared


def test_what_is_sent_is_cut_where_centralstation_ends() -> None:
    assert len(sendable(Item(kind=ItemKind.TASK, title="t" * 300, text="lost")).title or "") == 255
    assert sendable(Item(kind=ItemKind.TASK, title="t", text="lost")).text is None
    assert len(sendable(Item(kind=ItemKind.NOTE, title="t" * 300, text="x")).title or "") == 100
    assert sendable(Item(kind=ItemKind.TASK)).title == "(no title)"


def test_unwrap_keeps_the_envelope() -> None:
    assert unwrap({"tel": {"id": 1}}) == {"id": 1, "envelope": "tel"}


# Stand-ins and what has no place


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ({"email": "ada.b@x.de", "company_name": "ACME"}, "ada.b"),
        ({"company_name": "ACME", "first_name": "Ada"}, "ACME"),
        ({"first_name": "Ada", "tel": "+49 1"}, "Ada"),
        ({"tel": "+49 1"}, "+49 1"),
        ({}, "(no last name)"),
    ],
)
def test_a_person_without_a_last_name_gets_a_sensible_one(profile: dict[str, str], name: str) -> None:
    assert stand_ins(profile, "DE") == {"name": name}


@pytest.mark.parametrize(
    ("address", "needs_country"),
    [
        ({"zip": "1"}, True),
        ({"city": "Köln"}, False),
        ({"city": "Köln", "state_code": "NW"}, True),
        ({"country_code": "AT"}, False),
        ({}, False),
    ],
)
def test_an_address_without_city_and_country_gets_the_home_country(address: dict[str, str], needs_country: bool) -> None:
    assert ("country_code" in stand_ins({"name": "x", **address}, "DE")) is needs_country


def test_a_state_is_sent_as_its_code_or_not_at_all() -> None:
    assert address_parts({"state_code": "Bayern", "country_code": "de"}, "DE") == {"state_code": "BY", "country_code": "DE"}
    assert address_parts({"state_code": "California", "country_code": "US"}, "DE") == {"country_code": "US"}


@pytest.mark.parametrize(
    ("key", "value", "country", "holds"),
    [
        ("state_code", "Bayern", "DE", True),
        ("state_code", "Bayern", "AT", False),
        ("country_code", "Germany", "DE", False),
        ("birthday", "27.11.1985", "DE", False),
        ("tags", "t" * 61, "DE", False),
        ("tags", "t" * 60, "DE", True),
        ("state_code", None, "DE", True),
    ],
)
def test_what_has_no_place_is_known_beforehand(key: str, value: str | None, country: str, holds: bool) -> None:
    assert can_hold(value, key, country, {}) is holds


def test_times_are_utc() -> None:
    found = record(updated_at="2022-12-14T15:53:43.000+01:00", created_at="2012-01-01T10:00:00Z")
    assert found.updated_at == datetime(2022, 12, 14, 14, 53, 43, tzinfo=UTC)
