"""How GoHighLevel's answers become records and changes become bodies: the forms of ghl.md, section 3."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import JsonValue

from crmsync.engine.records import Item, ItemKind, Record, Value
from crmsync.systems.errors import PermissionMissing, Refused
from crmsync.systems.ghl import fields, items, records
from crmsync.systems.ghl.answers import Contact, CustomField, Task
from crmsync.systems.ghl.operations import GET_CONTACT
from crmsync.systems.ghl.refusals import permission_missing

TYPES = [
    CustomField(id="date", dataType="DATE"),
    CustomField(id="many", dataType="MULTIPLE_OPTIONS", picklistOptions=["Red", "Blue"]),
    CustomField(id="one", dataType="RADIO", picklistOptions=["Yes", "No"]),
    CustomField(id="number", dataType="NUMERICAL"),
    CustomField(id="file", dataType="FILE_UPLOAD"),
    CustomField(id="text", name="Shoe size"),
]


def types() -> fields.CustomFieldTypes:
    return fields.CustomFieldTypes(lambda: TYPES)


def record(is_listed: bool = False, **answer: Any) -> Record:
    return records.record_of(Contact.model_validate({"id": "c1", **answer}), types(), is_listed=is_listed)


def custom(field_id: str, value: JsonValue) -> Value:
    return record(customFields=[{"id": field_id, "value": value}]).profile[f"customFields.{field_id}"]


@pytest.mark.parametrize("shown", ["1990-09-25", "1990-09-25T00:00:00.000Z", 654220800000, "654220800000"])
def test_a_date_of_birth_is_a_day_in_every_form_ghl_shows(shown: str | int) -> None:
    assert record(dateOfBirth=shown).profile["dateOfBirth"] == "1990-09-25"


@pytest.mark.parametrize(("shown", "day"), [(0, "1970-01-01"), (-86_400_000, "1969-12-31"), (-1_000_000_000_000, "1938-04-24")])
def test_a_birthday_in_milliseconds_may_be_around_or_before_1970(shown: int, day: str) -> None:
    assert record(dateOfBirth=shown).profile["dateOfBirth"] == day


def test_the_street_of_a_search_is_the_street() -> None:
    assert record(address="Domstr. 1").profile["address1"] == "Domstr. 1"


def test_empty_text_is_nothing() -> None:
    assert record(city="", email=None).profile["city"] is None


def test_a_list_prefers_names_as_typed() -> None:
    found = record(True, firstName="anna", firstNameRaw="Anna", lastName="mcfly", lastNameRaw="McFly")
    assert (found.profile["firstName"], found.profile["lastName"], dict(found.rows)) == ("Anna", "McFly", {})


@pytest.mark.parametrize("names", [{"firstName": "anna"}, {"lastNameLowerCase": "mcfly"}])
def test_a_list_with_nothing_but_lower_case_names_is_not_to_be_believed(names: dict[str, str]) -> None:
    assert record(True, **names).rows == {"names_folded": True}


@pytest.mark.parametrize("name", ["Anna", "李"])
def test_a_listed_name_that_cannot_be_a_lower_case_copy_is_believed(name: str) -> None:
    assert not record(True, firstName=name).rows


def test_a_direct_read_is_believed() -> None:
    assert not record(firstName="anna").rows


@pytest.mark.parametrize("moment", ["2021-07-02T05:18:26.704Z", 1625203106704])
def test_times_are_utc_whatever_their_form(moment: str | int) -> None:
    assert record(dateUpdated=moment).updated_at == datetime(2021, 7, 2, 5, 18, 26, 704000, UTC)


@pytest.mark.parametrize(
    ("field_id", "shown", "value"),
    [
        ("date", 654220800000, "1990-09-25"),
        ("date", "1990-09-25T00:00:00.000Z", "1990-09-25"),
        ("many", ["Red", "Blue"], ("Red", "Blue")),
        ("many", "Red", ("Red",)),
        ("many", [], None),
        ("one", ["Yes"], "Yes"),
        ("number", 5.0, "5"),
        ("number", 1234567.25, "1234567.25"),
        ("text", "", None),
        ("text", "654220800000", "654220800000"),
        ("file", {"x": {"url": "http://…"}}, None),
        ("unheard-of", ["a", "b"], ("a", "b")),
    ],
)
def test_a_custom_value_is_read_by_the_fields_kind(field_id: str, shown: JsonValue, value: Value) -> None:
    assert custom(field_id, shown) == value


def test_the_custom_fields_of_the_location_are_asked_for_once() -> None:
    asked: list[int] = []
    kinds = fields.CustomFieldTypes(lambda: asked.append(1) or TYPES)  # type: ignore[func-returns-value]
    for field_id in ("text", "date", "unheard-of", "unheard-of"):
        kinds.get(field_id)
    assert len(asked) == 1


def test_without_the_scope_for_custom_fields_their_values_are_text() -> None:
    def refuse() -> list[CustomField]:
        raise permission_missing(GET_CONTACT)

    kinds = fields.CustomFieldTypes(refuse)
    assert kinds.get("date") is None
    assert kinds.all() == []


def test_a_body_holds_what_changes_in_the_form_ghl_takes_and_nothing_else() -> None:
    changes: dict[str, Value] = {"firstName": None, "postalCode": None, "country": "de", "dateOfBirth": "1990-09-25", "city": " Köln"}
    assert records.body_of(changes, types()) == {
        "firstName": None,
        "postalCode": "",
        "country": "DE",
        "dateOfBirth": "1990-09-25",
        "city": " Köln",
    }


@pytest.mark.parametrize(
    ("field_id", "value", "sent"),
    [
        ("many", ("Red",), ["Red"]),
        ("many", "Red", ["Red"]),
        ("many", None, []),
        ("text", None, ""),
        ("text", ("a", "b"), "a, b"),
        ("number", "1,5", 1.5),
        ("number", "7", 7),
        ("number", "seven", "seven"),
        ("date", "1990-09-25T00:00:00Z", "1990-09-25"),
        ("unheard-of", ("a", "b"), ["a", "b"]),
    ],
)
def test_a_custom_value_is_written_by_the_fields_kind(field_id: str, value: Value, sent: JsonValue) -> None:
    assert records.body_of({f"customFields.{field_id}": value}, types()) == {"customFields": [{"id": field_id, "field_value": sent}]}


@pytest.mark.parametrize("key", ["gender", "locationId", "tags", "shoeSize"])
def test_a_field_that_ghl_would_refuse_is_never_sent(key: str) -> None:
    with pytest.raises(Refused) as caught:
        records.body_of({key: "x"}, types())
    assert caught.value.field == key


def test_a_create_leaves_out_what_has_no_value() -> None:
    body = records.new_body({"firstName": "Anna", "country": None, "city": ""}, ["a"], "loc", types())
    assert body == {"locationId": "loc", "firstName": "Anna", "tags": ["a"]}


@pytest.mark.parametrize(
    ("key", "value", "can"),
    [
        ("country", "de", True),
        ("country", "Germany", False),
        ("country", None, True),
        ("email", "none", True),
        ("email", "a@x.de", True),
        ("dateOfBirth", "someday", False),
        ("firstName", "Anna", True),
        ("shoeSize", "44", True),
        ("tags", "VIP", True),
        ("customFields.one", "yes", True),
        ("customFields.one", "Maybe", False),
        ("customFields.many", ("Red", "Green"), False),
        ("customFields.number", "seven", False),
        ("customFields.text", "anything", True),
    ],
)
def test_what_ghl_can_hold_is_known_beforehand(key: str, value: Value, can: bool) -> None:
    kind = types().get(key.removeprefix("customFields."))
    assert fields.can_hold(key, value, kind) is can


def test_a_field_whose_values_are_objects_cannot_be_mapped() -> None:
    named = [one.label for one in map(fields.info, TYPES) if one]
    assert "file" not in named
    assert "Shoe size" in named


@pytest.mark.parametrize(
    ("shown", "due"),
    [
        ("2026-11-27T08:00:00.123Z", "2026-11-27T08:00:00+00:00"),
        ("2026-11-27T09:00:00+01:00", "2026-11-27T08:00:00+00:00"),
        ("2026-11-27", "2026-11-27"),
        (1795766400000, "2026-11-27T08:00:00+00:00"),
        ("", None),
        (None, None),
    ],
)
def test_a_due_time_is_utc_with_seconds_and_a_day_stays_a_day(shown: Any, due: str | None) -> None:
    assert Task.model_validate({"_id": "t1", "dueDate": shown}).dueDate == due


def task(**fields: Any) -> Item:
    return Item(kind=ItemKind.TASK, **fields)


def test_a_task_without_a_due_time_is_due_at_noon_of_the_day_it_was_made() -> None:
    made = datetime(2026, 11, 27, 23, 30, tzinfo=UTC)
    assert items.stand_ins(task(title="Call", created_at=made)).due == "2026-11-27T12:00:00+00:00"


def test_a_task_of_which_nothing_is_known_is_due_far_off() -> None:
    assert items.stand_ins(task()) == task(title=items.NO_TITLE, due=items.FAR_DUE)


def test_a_note_without_text_is_sent_with_its_title() -> None:
    assert items.stand_ins(Item(kind=ItemKind.NOTE, title="Call")).text == "Call"


def test_what_is_complete_needs_no_stand_in() -> None:
    whole = task(title="Call", due="2026-11-27")
    assert items.stand_ins(whole) is not None
    assert items.stand_ins(whole) == whole


def test_a_day_is_sent_as_noon() -> None:
    assert items.written(task(title="Call", due="2026-11-27"), {"due"}) == {"dueDate": "2026-11-27T12:00:00Z"}


def test_permission_missing_names_the_scope() -> None:
    error = permission_missing(GET_CONTACT)
    assert isinstance(error, PermissionMissing)
    assert error.scope == "contacts.readonly"
    assert "contacts.readonly" in str(error)
