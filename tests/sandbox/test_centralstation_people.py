"""People of the simulated CentralStationCRM, and what hangs on them (centralstationcrm.md, sections 1 to 5, 10, 11, 14)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from crmsync.sandbox.centralstation import CentralStation
from tests.sandbox.conftest import centralstation_client

Body = dict[str, Any]
LONG_AGO = datetime(2020, 7, 1, 10, 0, tzinfo=UTC)


@pytest.fixture
def ada(centralstation_sandbox: CentralStation) -> int:
    return centralstation_sandbox.add_contact(first_name="Ada", name="Beispiel", created_at=LONG_AGO)


def person(client: httpx.Client, id: int, **query: str) -> Body:
    found: Body = client.get(f"/people/{id}", params=query).json()["person"]
    return found


def test_an_unknown_key_is_refused(centralstation_sandbox: CentralStation) -> None:
    answer = centralstation_client(centralstation_sandbox, "wrong").get("/check_connection")
    assert (answer.status_code, set(answer.json())) == (401, {"error", "description"})


def test_a_good_key_is_accepted(centralstation: httpx.Client) -> None:
    assert centralstation.get("/check_connection").status_code == 200
    assert centralstation.get("/user").json()["login"] == "katrin.sommer@sandbox.example"


def test_over_the_limit_says_in_plain_text_how_long_to_wait(serve_centralstation: Callable[..., CentralStation]) -> None:
    client = centralstation_client(serve_centralstation(limit=2))
    answers = [client.get("/check_connection") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "Retry later" in answers[-1].text
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 10


def test_the_suffix_is_optional(centralstation: httpx.Client, ada: int) -> None:
    assert centralstation.get(f"/people/{ada}.json").json() == centralstation.get(f"/people/{ada}").json()


def test_a_person_is_made_with_all_that_hangs_on_it(centralstation: httpx.Client) -> None:
    body = {
        "first_name": "Ada",
        "name": "Beispiel",
        "email": "ignored@example.org",
        "emails_attributes": [{"name": "ada@example.org", "atype": "office"}],
        "tels_attributes": [{"name": "0171 39200 11", "atype": "mobile"}],
        "addrs_attributes": [
            {"street": "Weg 1", "zip": "50667", "city": "Köln", "country_code": "DE", "state_code": "NW", "atype": "work_hq"}
        ],
        "tags_attributes": [{"name": "VIP"}],
        "positions_attributes": [{"company_name": "A GmbH", "name": "CEO"}],
    }
    answer = centralstation.post("/people", params={"includes": "emails tels addrs tags positions companies"}, json={"person": body})
    made = answer.json()["person"]
    assert (answer.status_code, "email" in made) == (201, False)
    assert made["emails"][0] | {"name": "ada@example.org", "type": "Email", "primary": None, "api_input": True} == made["emails"][0]
    assert made["tels"][0]["name_clean"] == "+491713920011"
    assert made["addrs"][0]["country_name"] == "Deutschland"
    assert made["tags"][0]["name"] == "VIP"
    assert (made["positions"][0]["company_name"], made["companies"][0]["name"]) == ("A GmbH", "A GmbH")


def test_a_company_name_finds_the_company_that_is_there(centralstation: httpx.Client, centralstation_sandbox: CentralStation) -> None:
    for name in ("Ada", "Bob"):
        centralstation_sandbox.add_contact(name=name, company="A GmbH")
    assert centralstation.get("/companies/count").json() == {"total_entries": 1}


def test_a_person_without_a_last_name_is_refused(centralstation: httpx.Client) -> None:
    answer = centralstation.post("/people", json={"person": {"first_name": "Ada"}})
    assert (answer.status_code, answer.json()) == (422, {"name": ["can't be blank"]})


def test_nothing_is_made_when_a_nested_row_is_refused(centralstation: httpx.Client) -> None:
    answer = centralstation.post("/people", json={"person": {"name": "Ada", "tags_attributes": [{"name": "x" * 61}]}})
    assert (answer.status_code, answer.json()) == (422, {"tags.name": ["is too long (maximum is 60 characters)"]})
    assert centralstation.get("/people/count").json() == {"total_entries": 0}


def test_a_body_without_its_envelope_is_refused(centralstation: httpx.Client) -> None:
    answer = centralstation.post("/people", json={"name": "Ada"})
    assert (answer.status_code, answer.json()["error"]) == (400, "param-missing")


def test_a_body_that_is_not_declared_json_is_refused(centralstation: httpx.Client) -> None:
    assert centralstation.post("/people", content="name=Ada").status_code == 415


def test_an_update_answers_with_a_message(centralstation: httpx.Client, ada: int) -> None:
    answer = centralstation.put(f"/people/{ada}", json={"person": {"background": "Knows Bob"}})
    assert (answer.status_code, answer.json()) == (200, {"message": "person updated"})
    assert person(centralstation, ada)["background"] == "Knows Bob"


def test_nested_rows_with_an_id_change_and_without_are_added(centralstation: httpx.Client, centralstation_sandbox: CentralStation) -> None:
    id = centralstation_sandbox.add_contact(name="Ada", emails=["a@example.org"])
    row = person(centralstation, id, includes="emails")["emails"][0]["id"]
    rows = [{"id": row, "name": "b@example.org"}, {"name": "c@example.org", "atype": "office"}]
    centralstation.put(f"/people/{id}", json={"person": {"emails_attributes": rows}})
    assert [one["name"] for one in person(centralstation, id, includes="emails")["emails"]] == ["b@example.org", "c@example.org"]


def test_a_deleted_person_is_gone_with_all_that_hung_on_it(centralstation: httpx.Client, centralstation_sandbox: CentralStation) -> None:
    id = centralstation_sandbox.add_contact(name="Ada", tags=["VIP"])
    centralstation_sandbox.add_note(id, "x")
    centralstation_sandbox.add_task(id, "x")
    assert centralstation.delete(f"/people/{id}").json() == {"message": "person deleted"}
    assert centralstation.get(f"/people/{id}").status_code == 404
    assert [centralstation.get(path).json() for path in ("/tags", "/protocols", "/tasks")] == [[], [], []]


def test_times_are_berlins_to_the_second(centralstation: httpx.Client, ada: int) -> None:
    assert person(centralstation, ada)["created_at"] == "2020-07-01T12:00:00.000+02:00"


def test_lists_are_bare_arrays_of_wrapped_people(centralstation: httpx.Client, ada: int) -> None:
    answer = centralstation.get("/people", params={"includes": "tags emails"}).json()
    assert [list(one) for one in answer] == [["person"]]
    assert (answer[0]["person"]["tags"], answer[0]["person"]["emails"], "tels" in answer[0]["person"]) == ([], [], False)


def test_a_page_has_250_people_at_most(centralstation: httpx.Client, centralstation_sandbox: CentralStation) -> None:
    for number in range(260):
        centralstation_sandbox.add_contact(name=f"P{number}")
    sizes = [len(centralstation.get("/people", params={"perpage": 1000, "page": page}).json()) for page in (1, 2, 3)]
    assert sizes == [250, 10, 0]
    assert len(centralstation.get("/people").json()) == 50


@pytest.mark.parametrize(
    ("filter", "names"),
    [
        ("filter[name][equal]=Ada", ["Ada"]),
        ("filter[name][like]=%25d%25", ["Ada"]),
        ("filter[name][in]=Ada,Bob", ["Ada", "Bob"]),
        ("filter[created_at][larger_than]=2021-01-01", ["Bob"]),
        ("filter[created_at][smaller_than]=2020-07-01T12:00:01%2B02:00", ["Ada"]),
        ("filter[created_at][between]=2020-01-01,2020-12-31", ["Ada"]),
        ("tag_name=VIP", ["Bob"]),
        ("filter[name][in]=Ada,Bob&tag_name=VIP", ["Bob"]),
    ],
)
def test_filters(centralstation: httpx.Client, centralstation_sandbox: CentralStation, filter: str, names: list[str]) -> None:
    centralstation_sandbox.add_contact(name="Ada", created_at=LONG_AGO)
    centralstation_sandbox.add_contact(name="Bob", tags=["VIP"])
    found = centralstation.get(f"/people?{filter}&order=abc-asc").json()
    assert [one["person"]["name"] for one in found] == names
    assert centralstation.get(f"/people/stats?{filter}").json() == {"total_entries": len(names)}


def test_order(centralstation: httpx.Client, centralstation_sandbox: CentralStation) -> None:
    for name in ("Bob", "Ada", "Cleo"):
        centralstation_sandbox.add_contact(name=name)
    found = centralstation.get("/people", params={"order": "abc-desc"}).json()
    assert [one["person"]["name"] for one in found] == ["Cleo", "Bob", "Ada"]


@pytest.mark.parametrize(
    "query", [{"name": "beisp"}, {"email": "ada@"}, {"phone": "+49 171 39200"}, {"first_name": "Ada", "name": "Beispiel"}]
)
def test_search_finds_parts(centralstation: httpx.Client, centralstation_sandbox: CentralStation, query: dict[str, str]) -> None:
    centralstation_sandbox.add_contact(first_name="Ada", name="Beispiel", emails=["ada@example.org"], tels=["0171 39200 11"])
    centralstation_sandbox.add_contact(name="Other")
    assert [one["person"]["first_name"] for one in centralstation.get("/people/search", params=query).json()] == ["Ada"]


def test_contact_details_are_found_by_value(centralstation: httpx.Client, centralstation_sandbox: CentralStation) -> None:
    id = centralstation_sandbox.add_contact(name="Ada", emails=["ada@example.org"])
    found = centralstation.get("/contact_details/search", params={"name": "ada@example.org", "query": "people"}).json()
    assert [one["person"]["id"] for one in found] == [id]
    assert centralstation.get("/contact_details/search").status_code == 400


@pytest.mark.parametrize(
    ("route", "envelope", "row", "change"),
    [
        ("contact_details", "email", {"atype": "office", "name": "a@example.org"}, {"name": "b@example.org"}),
        ("contact_details", "tel", {"atype": "mobile", "name": "0171 39200 11"}, {"atype": "fax"}),
        ("addrs", "addr", {"city": "Köln", "country_code": "DE", "atype": "private"}, {"city": "Bonn"}),
        ("historic_events", "historic_event", {"atype": "birthday", "name": "1990-02-01"}, {"name": "1990-02-02"}),
        ("tags", "tag", {"name": "VIP"}, {"name": "VVIP"}),
        ("positions", "position", {"company_name": "A GmbH", "name": "CEO"}, {"name": "CTO"}),
    ],
)
def test_a_child_is_made_read_changed_and_deleted(
    centralstation: httpx.Client, ada: int, route: str, envelope: str, row: Body, change: Body
) -> None:
    made = centralstation.post(f"/people/{ada}/{route}", json={envelope: row})
    assert (made.status_code, list(made.json())) == (201, [envelope])
    path = f"/people/{ada}/{route}/{made.json()[envelope]['id']}"
    assert centralstation.put(path, json={envelope: change}).json()["message"].endswith("updated")
    assert centralstation.get(path).json()[envelope] | change == centralstation.get(path).json()[envelope]
    assert centralstation.get(f"/people/{ada}/{route}").json() == [centralstation.get(path).json()]
    assert centralstation.delete(path).json()["message"].endswith("deleted")
    assert centralstation.get(path).status_code == 404


@pytest.mark.parametrize(
    ("route", "body", "member"),
    [
        ("contact_details", {"email": {"name": "a@example.org"}}, "atype"),
        ("contact_details", {"tel": {"name": "1", "atype": "pager"}}, "atype"),
        ("addrs", {"addr": {"street": "Weg 1"}}, "city"),
        ("addrs", {"addr": {"city": "Köln", "country_code": "DE", "state_code": "XX"}}, "state_code"),
        ("addrs", {"addr": {"city": "Köln", "state_code": None}}, "state_code"),
        ("historic_events", {"historic_event": {"atype": "birthday", "name": "1.2.1990"}}, "name"),
        ("custom_fields", {"custom_field": {"custom_fields_type_id": 1, "name": "x"}}, "custom_fields_type"),
        ("positions", {"position": {"company_id": 1}}, "company"),
    ],
)
def test_a_bad_child_is_refused(centralstation: httpx.Client, ada: int, route: str, body: Body, member: str) -> None:
    answer = centralstation.post(f"/people/{ada}/{route}", json=body)
    assert (answer.status_code, next(iter(answer.json()))) == (422, member)


def test_another_persons_row_is_not_found(centralstation: httpx.Client, centralstation_sandbox: CentralStation, ada: int) -> None:
    centralstation_sandbox.add_contact(name="Bob", tags=["VIP"])
    (row,) = centralstation_sandbox.table("tags").all()
    assert centralstation.delete(f"/people/{ada}/tags/{row['id']}").status_code == 404


def test_tag_case_is_kept_and_a_tagging_set_again_has_a_new_id(centralstation: httpx.Client, ada: int) -> None:
    first = centralstation.post("/tags", json={"tag": {"attachable_type": "Person", "attachable_id": ada, "name": "ViP"}}).json()["tag"]
    centralstation.delete(f"/people/{ada}/tags/{first['id']}")
    second = centralstation.post(f"/people/{ada}/tags", json={"tag": {"name": "ViP"}}).json()["tag"]
    assert (second["name"], second["id"] != first["id"]) == ("ViP", True)
    assert centralstation.get("/tags/list").json() == ["ViP"]
    assert centralstation.get("/tags", params={"filter[name][equal]": "ViP"}).json() == [{"tag": second}]


@pytest.mark.parametrize(("allowed", "status"), [(True, 201), (False, 422)])
def test_a_repeated_tag(serve_centralstation: Callable[..., CentralStation], allowed: bool, status: int) -> None:
    crm = serve_centralstation(repeated_tags=allowed)
    id = crm.add_contact(name="Ada", tags=["VIP"])
    assert centralstation_client(crm).post(f"/people/{id}/tags", json={"tag": {"name": "VIP"}}).status_code == status


@pytest.mark.parametrize(("moves", "moved"), [(True, True), (False, False)])
def test_a_child_moves_the_stream_and_where_set_the_person(
    serve_centralstation: Callable[..., CentralStation], moves: bool, moved: bool
) -> None:
    crm = serve_centralstation(children_move_person=moves)
    client, id = centralstation_client(crm), crm.add_contact(name="Ada", created_at=LONG_AGO)
    client.post(f"/people/{id}/tags", json={"tag": {"name": "VIP"}})
    found = person(client, id, methods="stream_updated_at")
    assert (found["updated_at"] > "2026", found["stream_updated_at"] > "2026") == (moved, True)
    after = client.get("/people", params={"stream_updated_at_after": "2026-01-01T00:00:00+01:00"}).json()
    assert [one["person"]["id"] for one in after] == [id]


def test_no_log_leaves_the_stream_alone(centralstation: httpx.Client, ada: int) -> None:
    centralstation.put(f"/people/{ada}", params={"no_log": "true"}, json={"person": {"background": "x"}})
    found = person(centralstation, ada, methods="stream_updated_at")
    assert (found["updated_at"] > "2026", found["stream_updated_at"] < "2021") == (True, True)
    assert [one["activity"]["verb"] for one in centralstation.get("/activities").json()] == ["create"]


def test_the_stream_tells_what_changed(centralstation: httpx.Client, ada: int) -> None:
    centralstation.put(f"/people/{ada}", json={"person": {"first_name": "Eve"}})
    newest = centralstation.get("/activities", params={"person_id": ada}).json()[0]["activity"]
    assert (newest["verb"], newest["attachable_id"]) == ("update", ada)
    assert newest["change"] == {"person": {"changes": {"first_name": ["Ada", "Eve"]}}}


def test_a_custom_field_is_defined_filled_and_found(centralstation: httpx.Client, ada: int) -> None:
    made = centralstation.post(
        "/custom_fields_types", json={"custom_fields_type": {"name": "GHL id", "ftype": "string", "category": "Person"}}
    )
    type_id = made.json()["custom_fields_type"]["id"]
    centralstation.post(f"/people/{ada}/custom_fields", json={"custom_field": {"custom_fields_type_id": type_id, "name": "abc"}})
    assert person(centralstation, ada, includes="custom_fields")["custom_fields"][0]["custom_fields_type_name"] == "GHL id"
    query = {"custom_fields[custom_field_type_name]": "GHL id", "custom_fields[value]": "abc"}
    assert [one["person"]["id"] for one in centralstation.get("/people", params=query).json()] == [ada]


def test_companies_have_the_same_operations(centralstation: httpx.Client) -> None:
    id = centralstation.post("/companies", json={"company": {"name": "A GmbH"}}).json()["company"]["id"]
    centralstation.post(f"/companies/{id}/addrs", json={"addr": {"city": "Köln", "atype": "work_hq"}})
    assert centralstation.put(f"/companies/{id}", json={"company": {"background": "x"}}).json() == {"message": "company updated"}
    assert centralstation.get("/companies/search", params={"name": "a gmbh"}).json()[0]["company"]["id"] == id
    assert centralstation.get(f"/companies/{id}", params={"includes": "addrs"}).json()["company"]["addrs"][0]["city"] == "Köln"
    assert centralstation.delete(f"/companies/{id}").json() == {"message": "company deleted"}
