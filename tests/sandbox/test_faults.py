"""Each fault, as a client meets it, on both CRMs; and the control API that switches them."""

from __future__ import annotations

import time

import httpx
import pytest

from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_LOCATION_ID

NEW = {"locationId": DEMO_LOCATION_ID, "firstName": "Ada", "phone": "0221 4710123"}


def test_slow(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    ghl_sandbox.fault("slow", latency_ms=150)
    began = time.monotonic()
    ghl.get("/contacts/x")
    assert time.monotonic() - began >= 0.15


def test_rate_limited_in_each_crms_form(
    ghl: httpx.Client, ghl_sandbox: Ghl, centralstation: httpx.Client, centralstation_sandbox: CentralStation
) -> None:
    ghl_sandbox.fault("rate_limited", retry_after_s=7)
    centralstation_sandbox.fault("rate_limited")
    answers = ghl.get("/contacts/x"), centralstation.get("/people")
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(429, "7"), (429, "1")]
    assert answers[1].text == "Retry later\n"


@pytest.mark.parametrize("status", [500, 503])
def test_server_error_before_anything_is_done(ghl: httpx.Client, ghl_sandbox: Ghl, status: int) -> None:
    ghl_sandbox.fault("server_error", status=status)
    assert ghl.post("/contacts/", json=NEW).status_code == status
    assert not ghl_sandbox.contacts


def test_a_value_is_refused_in_each_crms_form_and_another_one_taken(
    ghl: httpx.Client, ghl_sandbox: Ghl, centralstation: httpx.Client, centralstation_sandbox: CentralStation
) -> None:
    ghl_sandbox.fault("value_refused", field="phone", pattern="[^+0-9]", words="must be a valid phone number")
    centralstation_sandbox.fault("value_refused", field="first_name", pattern="^.{4}", words="is too long")
    refused = ghl.post("/contacts/", json=NEW), centralstation.post("/people", json={"person": {"first_name": "Anna", "name": "Hall"}})
    assert [answer.status_code for answer in refused] == [422, 422]
    assert refused[0].json()["message"] == ["phone must be a valid phone number"]
    assert refused[1].json() == {"first_name": ["is too long"]}
    assert ghl.post("/contacts/", json={**NEW, "phone": "+492214710123"}).status_code == 201
    assert centralstation.post("/people", json={"person": {"first_name": "Ann", "name": "Hall"}}).status_code == 201


def test_answer_lost_after_the_write_took_effect(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    ghl_sandbox.fault("answer_lost", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        ghl.post("/contacts/", json=NEW)
    assert len(ghl_sandbox.contacts) == 1


def test_answer_lost_may_be_a_504(centralstation: httpx.Client, centralstation_sandbox: CentralStation) -> None:
    centralstation_sandbox.fault("answer_lost", status=504)
    assert centralstation.post("/people", json={"person": {"name": "Ada"}}).status_code == 504
    assert len(centralstation_sandbox.overview()) == 1


def test_a_field_is_dropped_in_silence(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    ghl_sandbox.fault("field_dropped", field="phone")
    answer = ghl.post("/contacts/", json=NEW)
    assert (answer.status_code, "phone" in answer.json()["contact"]) == (201, False)


def test_a_custom_field_is_dropped_by_its_id(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    kept, dropped = ghl_sandbox.add_custom_field("Kept"), ghl_sandbox.add_custom_field("Dropped")
    ghl_sandbox.fault("field_dropped", field=f"customFields.{dropped}")
    rows = [{"id": id, "field_value": "x"} for id in (kept, dropped)]
    contact = ghl.post("/contacts/", json={**NEW, "customFields": rows}).json()["contact"]
    assert contact["customFields"] == [{"id": kept, "value": "x"}]


def test_a_field_is_dropped_inside_the_envelope(centralstation: httpx.Client, centralstation_sandbox: CentralStation) -> None:
    centralstation_sandbox.fault("field_dropped", field="first_name")
    id = centralstation.post("/people", json={"person": {"name": "Ada", "first_name": "x"}}).json()["person"]["id"]
    assert (centralstation_sandbox.contact(id) or {})["first_name"] is None


def test_a_dropped_field_counts_only_where_it_was_sent(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    fault = ghl_sandbox.fault("field_dropped", field="phone", times=1)
    ghl.get("/contacts/x")
    assert fault.hits == 0


def test_a_write_is_answered_but_not_kept(centralstation: httpx.Client, centralstation_sandbox: CentralStation) -> None:
    id = centralstation_sandbox.add_contact(name="Ada")
    centralstation_sandbox.fault("not_kept", method="POST")
    assert centralstation.post(f"/people/{id}/tags", json={"tag": {"name": "VIP"}}).status_code == 201
    assert centralstation_sandbox.tags_of(id) == []


def test_an_answer_that_is_not_json(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    ghl_sandbox.fault("not_json")
    answer = ghl.post("/contacts/", json=NEW)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (201, "text/html")


def test_an_answer_without_the_documented_shape(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    ghl_sandbox.fault("canned", body={"contact": None})
    answer = ghl.get("/contacts/x")
    assert (answer.status_code, answer.json()["contact"]) == (200, None)


def test_a_missing_scope_in_each_crms_form(
    ghl: httpx.Client, ghl_sandbox: Ghl, centralstation: httpx.Client, centralstation_sandbox: CentralStation
) -> None:
    ghl_sandbox.fault("scope_missing", path="tasks/search")
    centralstation_sandbox.fault("scope_missing")
    refused = ghl.post(f"/locations/{DEMO_LOCATION_ID}/tasks/search", json={}), centralstation.get("/people")
    assert [(answer.status_code, answer.json()["message"]) for answer in refused] == [
        (401, "The token is not authorized for this scope."),
        (403, "not authorized"),
    ]
    assert ghl.get(f"/locations/{DEMO_LOCATION_ID}").status_code == 200


def test_credentials_refused(centralstation: httpx.Client, centralstation_sandbox: CentralStation) -> None:
    centralstation_sandbox.fault("credentials_refused")
    assert centralstation.get("/check_connection").status_code == 401


def test_a_fault_hits_so_many_times_on_its_path_and_method(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    id = ghl_sandbox.add_contact(firstName="Ada")
    ghl_sandbox.fault("server_error", times=2, path=r"/notes$", method="get")
    assert ghl.get(f"/contacts/{id}").status_code == 200
    assert ghl.post(f"/contacts/{id}/notes", json={"body": "x"}).status_code == 201
    assert [ghl.get(f"/contacts/{id}/notes").status_code for _ in range(3)] == [500, 500, 200]


def test_a_fault_hits_its_share(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    ghl_sandbox.fault("server_error", rate=0.3)
    failed = sum(ghl.get("/contacts/x").status_code == 500 for _ in range(200))
    assert 35 <= failed <= 85


def test_a_hidden_record_is_off_the_lists_but_there(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    id = ghl_sandbox.add_contact(firstName="Ada")
    ghl_sandbox.hidden.add(id)
    found = ghl.post("/contacts/search", json={"locationId": DEMO_LOCATION_ID, "pageLimit": 10}).json()
    assert (found["total"], ghl.get(f"/contacts/{id}").status_code) == (0, 200)


def test_faults_are_switched_by_http(ghl: httpx.Client) -> None:
    ghl.post("/_sandbox/faults", json={"kind": "server_error", "status": 502, "times": 3})
    assert ghl.get("/contacts/x").status_code == 502
    assert ghl.get("/_sandbox/faults").json()["faults"][0]["hits"] == 1
    assert ghl.delete("/_sandbox/faults").json() == {"faults": []}
    assert ghl.get("/contacts/x").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "gremlins"},
        {},
        [],
        {"kind": "slow", "rat": 1},
        {"kind": "slow", "rate": 2},
        {"kind": "slow", "path": "("},
        {"kind": "field_dropped"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(ghl: httpx.Client, body: object) -> None:
    answer = ghl.post("/_sandbox/faults", json=body)
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)


def test_stats_count_by_operation_and_status(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    ghl.post("/contacts/", json=NEW)
    ghl.post("/contacts/", json=NEW)
    stats = ghl.get("/_sandbox/stats").json()
    assert stats["calls"] == {"create-contact": {"201": 1, "400": 1}}
    assert (stats["total"], stats["rate_limited"], stats["max_in_10_s"]) == (2, 0, 2)
    assert [call["operation"] for call in ghl.get("/_sandbox/calls").json()["calls"]] == ["create-contact"] * 2
    assert ghl.delete("/_sandbox/stats").json()["total"] == 0


def test_contacts_are_reached_by_http(centralstation_sandbox: CentralStation) -> None:
    url = f"{centralstation_sandbox.url}/_sandbox/contacts"
    id = httpx.post(url, json={"name": "Ada", "emails": ["ada@example.org"]}).json()["id"]
    assert httpx.put(f"{url}/{id}", json={"name": "Eve"}).json()["name"] == "Eve"
    assert [one["id"] for one in httpx.get(url).json()["contacts"]] == [id]
    assert httpx.delete(f"{url}/{id}").status_code == 200
    assert httpx.get(f"{url}/{id}").status_code == 404
