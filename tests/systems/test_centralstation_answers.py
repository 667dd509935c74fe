"""Answers that are odd, incomplete or refusals: what CentralStation's client makes of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from crmsync.engine.records import Aspect, Item, ItemKind
from crmsync.systems.errors import (
    CredentialsRefused,
    NeedsPerson,
    NotFound,
    PermissionMissing,
    Refused,
    TryLater,
    Unanswered,
    UnexpectedAnswer,
)
from tests.systems.centralstation import KEY, person, scripted

SINCE = datetime(2026, 11, 23, 7, tzinfo=UTC)


def test_the_key_is_in_no_repr() -> None:
    system, _ = scripted({})
    assert KEY not in repr(system) + repr(vars(system))


# Refusals


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, CredentialsRefused), (403, PermissionMissing), (404, NotFound), (415, UnexpectedAnswer), (422, Refused), (400, Refused)],
)
def test_a_status_says_what_happens_next(status: int, error: type[Exception]) -> None:
    system, _ = scripted({"GET /people/1": (status, {"error": "no"})})
    with pytest.raises(error):
        system.read("1", Aspect.PROFILE)


def test_a_missing_permission_names_the_scope() -> None:
    system, _ = scripted({"DELETE /people/1": (403, {"message": "not authorized"})})
    with pytest.raises(PermissionMissing) as caught:
        system.delete("1")
    assert caught.value.scope == "people (write)"


def test_a_conflict_can_be_tried_again() -> None:
    system, _ = scripted({"DELETE /people/1": (409, None)})
    with pytest.raises(TryLater):
        system.delete("1")


def test_a_full_account_needs_a_person() -> None:
    system, _ = scripted({"POST /people": (507, {"error": "full"})})
    with pytest.raises(NeedsPerson, match="full"):
        system.create({"name": "Beispiel"}, [])


def test_a_rest_that_is_asked_for_is_kept() -> None:
    answers = iter([httpx.Response(429, text="Retry later\n", headers={"Retry-After": "0"})])
    system, script = scripted({"GET /people/1": lambda request: next(answers, httpx.Response(200, json=person()))})
    assert system.read("1", Aspect.PROFILE).id == "1"
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({"name": ["can't be blank"]}, "name", "can't be blank"),
        ({"emails.name": ["is too long"]}, "email", "is too long"),
        ({"tels_attributes": [{"name": ["is invalid"]}]}, "tel", "is invalid"),
        ({"addrs": [{}, {"zip": ["is too long"]}]}, "zip", "is too long"),
        ({"errors": {"first_name": ["is too long"]}}, "first_name", "is too long"),
        ({"error": "param-missing", "description": "person"}, "", "person"),
    ],
)
def test_a_refusal_names_our_field(body: dict[str, Any], field: str, reason: str) -> None:
    system, _ = scripted({"POST /people": (422, body)})
    with pytest.raises(Refused) as caught:
        system.create({"name": "Beispiel"}, [])
    assert (caught.value.field, caught.value.reason) == (field, reason)


def test_a_refused_phone_is_called_so_and_holds_nothing_else_back() -> None:
    answers: dict[str, Any] = {"GET /people/1": person(), "PUT /people/1": {"message": "ok"}}
    answers["POST /people/1/contact_details"] = (422, {"name": ["is invalid"]})
    answers["POST /people/1/historic_events"] = (201, {"historic_event": {"id": 3, "atype": "birthday", "name": "1985-11-27"}})
    system, script = scripted(answers)
    with pytest.raises(Refused, match="Phone") as caught:
        system.update(system.read("1", Aspect.PROFILE), {"tel": "x", "birthday": "1985-11-27", "first_name": "Eva"})
    assert caught.value.field == "tel"
    assert [path for path, _ in script.sent() if "GET" not in path][::2] == ["PUT /people/1", "POST /people/1/historic_events"]


# Answers in another form


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"person": {"name": "no id"}}, "id"),
        ({"person": {"id": 1, "emails": {"a": 1}}}, "emails"),
        ({"person": {"id": 1, "emails": [{"name": "a@x.de"}]}}, "emails.0.id"),
        ({"person": {"id": 1, "updated_at": "yesterday"}}, "updated_at"),
    ],
)
def test_an_answer_of_another_form_names_the_field(body: Any, field: str) -> None:
    system, _ = scripted({"GET /people/1": body})
    with pytest.raises(UnexpectedAnswer) as caught:
        system.read("1", Aspect.PROFILE)
    assert caught.value.field == field


@pytest.mark.parametrize("body", [{"message": "busy"}, {"people": []}, None])
def test_a_list_that_is_no_list_is_noticed(body: Any) -> None:
    system, _ = scripted({"GET /people": body})
    with pytest.raises(UnexpectedAnswer):
        system.page()


def test_an_error_text_in_the_place_of_a_task_means_it_is_not_there() -> None:
    system, _ = scripted({"GET /tasks/90": {"description": "not found", "error": "not found"}})
    with pytest.raises(NotFound):
        system.read_item(ItemKind.TASK, "1", "90")


def test_a_create_answered_by_a_message_may_exist() -> None:
    system, _ = scripted({"POST /people": (201, {"message": "person created"})})
    with pytest.raises(Unanswered):
        system.create({"name": "Beispiel"}, [])


def test_rows_may_be_bare() -> None:
    system, _ = scripted({"GET /people": [person()["person"], person(2)]})
    assert [record.id for record in system.page().records] == ["1", "2"]


def test_includes_that_did_not_come_are_read_by_their_own_routes() -> None:
    answers = {
        "GET /people/1": {"person": {"id": 1, "name": "Beispiel"}},
        "GET /people/1/contact_details": [{"tel": {"id": 5, "name": "+49 171 1"}}, {"email": {"id": 6, "name": "a@x.de"}}],
        "GET /people/1/historic_events": [{"historic_event": {"id": 7, "atype": "birthday", "name": "1985-11-27"}}],
        "GET /people/1/positions": [{"position": {"id": 8, "company_id": 9}}],
        "GET /people/1/tags": [{"tag": {"id": 10, "name": "VIP"}}],
        "GET /companies/9": {"company": {"id": 9, "name": "ACME"}},
    }
    record = scripted(answers)[0].read("1", Aspect.PROFILE)
    found = [record.profile[key] for key in ("tel", "email", "birthday", "company_name")]
    assert (found, record.tags) == (["+49 171 1", "a@x.de", "1985-11-27", "ACME"], ("VIP",))


def test_a_company_that_is_not_told_is_asked_for_once() -> None:
    employed = [person(number, positions=[{"id": number, "company_id": 9}]) for number in (1, 2)]
    system, script = scripted({"GET /people": employed, "GET /companies/9": {"company": {"id": 9, "name": "ACME"}}})
    assert [record.profile["company_name"] for record in system.page().records] == ["ACME", "ACME"]
    assert len([path for path, _ in script.sent() if path.endswith("/companies/9")]) == 1


# Filters that may not be understood


def test_a_filter_that_is_ignored_makes_read_many_read_one_by_one() -> None:
    answers = {"GET /people": [person(7), person(2)], "GET /people/1": person(1)}
    assert sorted(record.id for record in scripted(answers)[0].read_many(["1", "2", "3"])) == ["1", "2"]


def test_a_filter_that_is_understood_tells_who_is_missing() -> None:
    system, script = scripted({"GET /people": [person(2)]})
    assert [record.id for record in system.read_many(["1", "2"])] == ["2"]
    assert len(script.requests) == 1


def test_many_ids_are_asked_for_in_addresses_of_moderate_length() -> None:
    system, script = scripted({"GET /people": []})
    list(system.read_many([str(30_000_000 + place) for place in range(600)]))
    assert len(script.requests) == 3
    assert max(len(str(request.url)) for request in script.requests) < 4_000


def test_changes_are_asked_for_twice() -> None:
    system, script = scripted({"GET /people": [person()]})
    first = system.changed(SINCE)
    second = system.changed(SINCE, first.next)
    assert (first.next, second.next) == ("stream:1", None)
    assert script.requests[0].url.params["filter[updated_at][larger_than]"] == "2026-11-23T07:59:59+01:00"
    assert script.requests[1].url.params["stream_updated_at_after"] == "2026-11-23T07:59:59+01:00"


def test_one_way_to_ask_for_changes_is_enough_but_one_it_must_be() -> None:
    def no_filters(request: httpx.Request) -> Any:
        return (422, {"filter": ["is unknown"]}) if "filter" in str(request.url) else [person()]

    system, _ = scripted({"GET /people": no_filters})
    first = system.changed(SINCE)
    assert (first.records, len(system.changed(SINCE, first.next).records)) == ((), 1)
    deaf, _ = scripted({"GET /people": (422, {"filter": ["is unknown"]})})
    with pytest.raises(Refused):
        deaf.changed(SINCE, deaf.changed(SINCE).next)


@pytest.mark.parametrize(
    "answers",
    [
        {"GET /people/count": {"total_entries": 40}},
        {"GET /people/count": {"total_size": 40}},
        {"GET /people/stats": {"total_entries": 40}},
        {"GET /people/count": {"other": 1}, "GET /people/stats": {"stats": {"total_entries": 40}}},
    ],
)
def test_the_total_has_more_than_one_name(answers: dict[str, Any]) -> None:
    assert scripted(answers)[0].total() == 40


def test_what_a_search_finds_is_compared_again() -> None:
    right, wrong = person(1, emails=[{"id": 1, "name": "Ada@X.de"}]), person(2, emails=[{"id": 2, "name": "not-ada@x.de"}])
    system, _ = scripted({"GET /people/search": [right, wrong]})
    assert [record.id for record in system.find(emails=["ada@x.de"])] == ["1"]


def test_notes_of_others_are_left_out_where_the_filter_is_ignored() -> None:
    notes = [{"protocol": {"id": number, "type": "ProtocolObjectNote", "content": "x", "person_ids": [number]}} for number in (1, 2)]
    system, _ = scripted({"GET /people/1": person(), "GET /protocols": notes})
    assert [note.id for note in system.read("1", Aspect.NOTES).notes or ()] == ["1"]


def test_mails_and_confidential_notes_are_no_notes() -> None:
    hidden = [{"protocol": {"id": 1, "type": "ProtocolEmail", "person_ids": [1]}}]
    hidden.append({"protocol": {"id": 2, "type": "ProtocolObjectNote", "confidential": True, "person_ids": [1]}})
    system, _ = scripted({"GET /people/1": person(), "GET /protocols": hidden})
    assert system.read("1", Aspect.NOTES).notes == ()
    assert system.item_page(ItemKind.NOTE).items == ()


# Writes that are met halfway


def test_a_kind_of_row_that_is_refused_is_replaced_once() -> None:
    def only_other(request: httpx.Request) -> Any:
        bad = b"office" in request.content
        return (422, {"atype": ["is not included in the list"]}) if bad else (201, {"email": {"id": 5, "atype": "other", "name": "a@x.de"}})

    system, _ = scripted({"GET /people/1": person(), "POST /people/1/contact_details": only_other})
    after = system.update(system.read("1", Aspect.PROFILE), {"email": " a@x.de "})
    assert after is not None
    assert after.profile["email"] == "a@x.de"


def test_a_last_name_is_sent_along_only_where_it_is_asked_for() -> None:
    def strict(request: httpx.Request) -> Any:
        return {"message": "person updated"} if b'"name"' in request.content else (422, {"name": ["can't be blank"]})

    system, script = scripted({"GET /people/1": person(), "PUT /people/1": strict})
    assert system.update(system.read("1", Aspect.PROFILE), {"first_name": "Eva"}) is None
    assert [body["person"] for _, body in script.sent("PUT")] == [{"first_name": "Eva"}, {"first_name": "Eva", "name": "Beispiel"}]


def test_a_put_that_answers_with_the_row_needs_no_reading_back() -> None:
    answers = {"GET /people/1": person(emails=[{"id": 5, "atype": "office", "name": "old@x.de"}])}
    answers["PUT /people/1/contact_details/5"] = {"email": {"id": 5, "atype": "office", "name": "new@x.de"}}
    system, _ = scripted(answers)
    after = system.update(system.read("1", Aspect.PROFILE), {"email": "new@x.de"})
    assert after is not None
    assert after.profile["email"] == "new@x.de"


def test_what_a_create_left_out_is_added_by_its_own_route() -> None:
    answers: dict[str, Any] = {"POST /people": (201, person())}
    answers["POST /people/1/contact_details"] = (201, {"email": {"id": 5, "atype": "office", "name": "a@x.de"}})
    answers["POST /people/1/historic_events"] = (201, {"historic_event": {"id": 6, "atype": "birthday", "name": "1985-11-27"}})
    answers["POST /people/1/tags"] = (201, {"tag": {"id": 7, "name": "VIP"}})
    record = scripted(answers)[0].create({"name": "Beispiel", "email": "a@x.de", "birthday": "1985-11-27"}, ["VIP"])
    assert (record.profile["email"], record.profile["birthday"], record.tags) == ("a@x.de", "1985-11-27", ("VIP",))


def test_a_birthday_that_fails_does_not_lose_the_new_person() -> None:
    answers = {"POST /people": (201, person()), "GET /people/1": person(), "POST /people/1/historic_events": (403, {"message": "no"})}
    record = scripted(answers)[0].create({"name": "Beispiel", "birthday": "1985-11-27"}, [])
    assert (record.id, record.profile["birthday"]) == ("1", None)


def test_a_new_task_is_for_the_keys_own_user() -> None:
    answers = {"GET /user": {"id": 4711, "first": "Jane"}, "POST /tasks": (201, {"task": {"id": 90, "name": "Call"}})}
    system, script = scripted(answers)
    for _ in range(2):
        system.create_item("1", Item(kind=ItemKind.TASK, title="Call"))
    assert [body["task"]["user_id"] for _, body in script.sent("POST")] == [4711, 4711]
    assert len(script.sent("GET")) == 1


@pytest.mark.parametrize(
    ("options", "answers", "user_id"),
    [({"default_user_id": "5"}, {}, 5), ({}, {"GET /users": [{"user": {"id": 9}}, {"user": {"id": 8}}]}, 8)],
)
def test_else_it_is_for_whom_was_chosen_or_the_first_user(options: dict[str, str], answers: dict[str, Any], user_id: int) -> None:
    system, script = scripted({**answers, "POST /tasks": (201, {"task": {"id": 90, "name": "Call"}})}, **options)
    system.create_item("1", Item(kind=ItemKind.TASK, title="Call"))
    assert script.sent("POST")[0][1]["task"]["user_id"] == user_id


def test_a_task_nobody_can_be_given_needs_a_person() -> None:
    with pytest.raises(NeedsPerson):
        scripted({})[0].create_item("1", Item(kind=ItemKind.TASK, title="Call"))


def test_deleting_a_shared_note_only_takes_this_person_out() -> None:
    note = {"protocol_object_note": {"id": 3, "type": "ProtocolObjectNote", "person_ids": [1, 2]}}
    system, script = scripted({"GET /protocols/3": note, "PUT /protocols/3": {"message": "ok"}})
    system.delete_item("1", Item(kind=ItemKind.NOTE, id="3"))
    assert script.sent()[-1] == ("PUT /protocols/3", {"protocol": {"person_ids": [2]}})


# Companies


def test_a_company_is_found_in_the_list_before_one_is_made() -> None:
    answers: dict[str, Any] = {"GET /people/1": person(), "GET /companies": [{"company": {"id": 9, "name": "ACME"}}]}
    answers["POST /people/1/positions"] = (201, {"position": {"id": 8, "company_id": 9, "company_name": "ACME"}})
    system, script = scripted(answers)
    after = system.update(system.read("1", Aspect.PROFILE), {"company_name": "ACME"})
    assert after is not None
    assert after.profile["company_name"] == "ACME"
    assert [path for path, _ in script.sent("POST")] == ["POST /people/1/positions"]


def test_a_missing_company_is_made_once() -> None:
    answers: dict[str, Any] = {"GET /people/1": person(), "GET /companies": []}
    answers["POST /companies"] = (201, {"company": {"id": 9, "name": "ACME"}})
    answers["POST /people/1/positions"] = (201, {"position": {"id": 8, "company_id": 9, "company_name": "ACME"}})
    system, script = scripted(answers)
    for _ in range(2):
        system.update(system.read("1", Aspect.PROFILE), {"company_name": "ACME"})
    assert [path for path, _ in script.sent("POST")].count("POST /companies") == 1


def test_a_position_that_stays_where_it_was_ends_and_a_new_one_begins() -> None:
    held = {"id": 8, "company_id": 7, "company_name": "Old", "primary_function": True}
    answers: dict[str, Any] = {"GET /people/1": person(positions=[held]), "GET /companies": [{"company": {"id": 9, "name": "New"}}]}
    answers |= {"PUT /people/1/positions/8": {"message": "ok"}, "GET /people/1/positions/8": {"position": held}}
    answers["POST /people/1/positions"] = (201, {"position": {"id": 10, "company_id": 9, "company_name": "New"}})
    system, script = scripted(answers)
    system.update(system.read("1", Aspect.PROFILE), {"company_name": "New"})
    assert [body["position"] for _, body in script.sent("PUT")] == [{"company_id": 9}, {"former": True, "primary_function": False}]
    assert script.sent("POST")[0][1]["position"]["company_id"] == 9


# The connection


def test_a_check_tells_whose_key_it_is_and_what_is_missing() -> None:
    user = {"id": 4711, "timezone": "Europe/Berlin", "current_account": {"id": 1, "name": "ACME"}}
    answers: dict[str, Any] = {"GET /people": [], "GET /user": user, "GET /custom_fields_types": (403, {"message": "no"})}
    answers["GET /check_connection"] = lambda request: httpx.Response(204)
    account = scripted(answers)[0].check()
    assert (account.name, account.timezone, account.default_user_id) == ("ACME", "Europe/Berlin", "4711")
    assert list(account.missing_scopes) == ["custom field definitions (read)"]


def test_a_check_without_its_own_route_looks_at_people() -> None:
    answers = {"GET /people": [person()], "GET /users": [{"user": {"id": 8}}], "GET /custom_fields_types": []}
    assert scripted(answers)[0].check().missing_scopes == {}


def test_a_refused_key_fails_the_check() -> None:
    system, _ = scripted({"GET /check_connection": (401, {"error": "unauthorized"})})
    with pytest.raises(CredentialsRefused):
        system.check()


def test_fields_are_the_standard_ones_where_custom_ones_may_not_be_read() -> None:
    system, _ = scripted({"GET /custom_fields_types": (403, {"message": "no"})})
    assert not any(field.custom for field in system.fields())


def test_a_choice_outside_the_options_has_no_place() -> None:
    types = [{"custom_fields_type": {"id": 4, "name": "Size", "category": "Person", "ftype": "select", "options": ["S", "L"]}}]
    system, _ = scripted({"GET /custom_fields_types": types})
    assert (system.can_hold("custom_fields.4", "S", {}), system.can_hold("custom_fields.4", "M", {})) == (True, False)


def test_a_persons_page_is_known_but_for_the_shared_host() -> None:
    assert scripted({})[0].url("7") == "https://account.example/people/7"
