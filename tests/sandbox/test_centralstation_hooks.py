"""The simulated CentralStation's hooks: registering them, and what they deliver (centralstationcrm.md, section 13)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from crmsync.sandbox.centralstation import CentralStation
from tests.sandbox.conftest import centralstation_client, client
from tests.sandbox.listener import Listener

Serve = Callable[..., CentralStation]
URL = "https://crmsync.example/hooks/secret/"
HOOK = {"model": "Person", "event": "update", "target_url": URL, "object_type": "hook_with_structure_and_record", "hook_type": "url"}


def register(crm: CentralStation, listener: Listener, event: str = "update", **fields: Any) -> int:
    answer = centralstation_client(crm).post("/hooks", json={"hook": {**HOOK, "event": event, "target_url": listener.url, **fields}})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["hook"]["id"])


def delivered(crm: CentralStation, listener: Listener) -> list[dict[str, Any]]:
    crm.webhooks.wait()
    return listener.bodies


@pytest.fixture
def crm(centralstation_sandbox: CentralStation) -> CentralStation:
    return centralstation_sandbox


@pytest.fixture
def ada(crm: CentralStation) -> int:
    return crm.add_contact(first_name="Ada", name="Lovelace", tags=["vip"], emails=["ada@example.org"], company="Engines")


# Registering


def test_a_hook_is_made_as_asked(centralstation: httpx.Client) -> None:
    answer = centralstation.post("/hooks", json={"hook": {**HOOK, "includes": "tags,emails"}})
    hook = answer.json()["hook"]
    assert answer.status_code == 201
    assert {name: hook[name] for name in HOOK} == HOOK
    told = [hook[name] for name in ("includes", "state", "failed", "failed_at")]
    assert told == ["tags,emails", "active", 0, None]


def test_hooks_are_listed_read_and_deleted(centralstation: httpx.Client) -> None:
    id = centralstation.post("/hooks", json={"hook": HOOK}).json()["hook"]["id"]
    assert [row["hook"]["id"] for row in centralstation.get("/hooks", params={"page": 1, "perpage": 250}).json()] == [id]
    assert centralstation.get(f"/hooks/{id}").json()["hook"]["target_url"] == URL
    assert centralstation.delete(f"/hooks/{id}").json() == {"message": "hook deleted"}
    assert [centralstation.request(method, f"/hooks/{id}").status_code for method in ("GET", "DELETE")] == [404, 404]


def test_a_hook_cant_be_changed(centralstation: httpx.Client) -> None:
    id = centralstation.post("/hooks", json={"hook": HOOK}).json()["hook"]["id"]
    assert centralstation.put(f"/hooks/{id}", json={"hook": HOOK}).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("target_url", None),
        ("target_url", ""),
        ("target_url", "somewhere"),
        ("target_url", URL + "x" * (191 - len(URL))),
        ("model", "Task"),
        ("model", "person"),
        ("model", None),
        ("event", "delete"),
        ("object_type", "whole"),
        ("object_type", None),
        ("hook_type", None),
        ("hook_type", "mail"),
        ("state", "asleep"),
    ],
)
def test_a_field_that_wont_do_is_named(centralstation: httpx.Client, field: str, value: str | None) -> None:
    answer = centralstation.post("/hooks", json={"hook": {**HOOK, field: value}})
    assert (answer.status_code, [*answer.json()]) == (422, [field])


def test_an_address_of_190_characters_will_do(centralstation: httpx.Client) -> None:
    answer = centralstation.post("/hooks", json={"hook": {**HOOK, "target_url": URL + "x" * (190 - len(URL))}})
    assert answer.status_code == 201


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_may_lack_the_right_to_hooks(serve_centralstation: Serve, status: int) -> None:
    client = centralstation_client(serve_centralstation(hooks_refused=status))
    assert [client.get("/hooks").status_code, client.post("/hooks", json={"hook": HOOK}).status_code] == [status] * 2
    assert client.get("/people").status_code == 200


# What fires


@pytest.mark.parametrize("event", ["create", "update", "destroy"])
def test_each_hook_hears_its_event(crm: CentralStation, listener: Listener, event: str) -> None:
    register(crm, listener, event, object_type="lean")
    api = centralstation_client(crm)
    id = api.post("/people", json={"person": {"name": "Ada", "tags_attributes": [{"name": "vip"}]}}).json()["person"]["id"]
    api.put(f"/people/{id}", json={"person": {"first_name": "Ada", "emails_attributes": [{"name": "a@example.org", "atype": "office"}]}})
    api.delete(f"/people/{id}")
    assert delivered(crm, listener) == [{"id": id, "type": "Person"}]
    assert [one.type for one in crm.webhooks] == [f"Person.{event}"]


def test_a_write_that_changes_nothing_fires_nothing(crm: CentralStation, listener: Listener, ada: int) -> None:
    register(crm, listener)
    crm.edit_contact(ada, first_name="Ada")
    assert delivered(crm, listener) == []


def test_companies_have_hooks_too(crm: CentralStation, listener: Listener) -> None:
    register(crm, listener, "create", model="Company", object_type="flat")
    crm.add_contact(name="Ada", company="Engines")
    assert [body["name"] for body in delivered(crm, listener)] == ["Engines"]


def test_tags_and_phones_fire_the_persons_update(crm: CentralStation, listener: Listener, ada: int) -> None:
    register(crm, listener)
    crm.add_tags(ada, "new")
    centralstation_client(crm).post(f"/people/{ada}/contact_details", json={"tel": {"name": "1", "atype": "office"}})
    assert len(delivered(crm, listener)) == 2


def test_they_may_fire_nothing(serve_centralstation: Serve, listener: Listener) -> None:
    crm = serve_centralstation(children_fire_hooks=False)
    id = crm.add_contact(name="Ada")
    register(crm, listener)
    crm.add_tags(id, "new")
    assert delivered(crm, listener) == []


def test_notes_and_tasks_fire_nothing(crm: CentralStation, listener: Listener, ada: int) -> None:
    register(crm, listener)
    crm.edit_note(crm.add_note(ada, "one"), content="two")
    crm.edit_task(crm.add_task(ada, "Call"), finished=True)
    assert delivered(crm, listener) == []


def test_a_change_on_a_page_fires(crm: CentralStation, listener: Listener, ada: int) -> None:
    register(crm, listener)
    client(crm.url).post(f"/view/{ada}/tags", data={"name": "new"})
    assert len(delivered(crm, listener)) == 1


def test_a_write_that_isnt_kept_fires_nothing(crm: CentralStation, listener: Listener, ada: int) -> None:
    register(crm, listener)
    crm.fault("not_kept")
    centralstation_client(crm).put(f"/people/{ada}", json={"person": {"first_name": "Eve"}})
    assert delivered(crm, listener) == []


# Its form


def body_of(crm: CentralStation, listener: Listener, ada: int, **fields: Any) -> dict[str, Any]:
    register(crm, listener, **fields)
    crm.edit_contact(ada, first_name="Eve")
    [body] = delivered(crm, listener)
    return body


def test_with_structure_and_record(crm: CentralStation, listener: Listener, ada: int) -> None:
    body = body_of(crm, listener, ada, includes="tags,companies,emails")
    record = body["record"]
    assert (record["id"], record["first_name"], [row["name"] for row in record["taggings"]]) == (ada, "Eve", ["vip"])
    assert ([row["name"] for row in record["companies"]], "tags" in record, "addrs" in record) == (["Engines"], False, False)


def test_as_the_api_shows_it(crm: CentralStation, listener: Listener, ada: int) -> None:
    person = body_of(crm, listener, ada, object_type="api", includes="tags", methods=["stream_updated_at"])["person"]
    assert (person["id"], [row["name"] for row in person["tags"]], "stream_updated_at" in person) == (ada, ["vip"], True)


def test_nested(crm: CentralStation, listener: Listener, ada: int) -> None:
    body = body_of(crm, listener, ada, object_type="nested", includes="emails")
    assert (body["id"], [row["name"] for row in body["emails"]]) == (ada, ["ada@example.org"])


def test_lean(crm: CentralStation, listener: Listener, ada: int) -> None:
    assert body_of(crm, listener, ada, object_type="lean") == {"id": ada, "type": "Person"}


@pytest.mark.parametrize(
    ("object_type", "place"), [("hook_with_structure_and_record", "record"), ("api", "person"), ("nested", ""), ("flat", "")]
)
def test_of_what_is_gone_the_id_alone_is_told(crm: CentralStation, listener: Listener, ada: int, object_type: str, place: str) -> None:
    register(crm, listener, "destroy", object_type=object_type)
    crm.delete_contact(ada)
    [body] = delivered(crm, listener)
    assert (body[place] if place else body) == {"id": ada}


# Failing


def test_a_failed_delivery_is_counted_and_not_repeated(crm: CentralStation, listener: Listener, ada: int) -> None:
    id = register(crm, listener)
    listener.answers = [429]
    crm.edit_contact(ada, first_name="Eve")
    assert len(delivered(crm, listener)) == 1
    hook = centralstation_client(crm).get(f"/hooks/{id}").json()["hook"]
    assert (hook["failed"], hook["failed_at"] is not None, hook["state"]) == (1, True, "active")


def test_a_hook_that_fails_too_often_is_disabled_and_silent(serve_centralstation: Serve, listener: Listener) -> None:
    crm = serve_centralstation(hook_failures=2)
    id = crm.add_contact(name="Ada")
    register(crm, listener)
    listener.answers = [500, 500]
    for name in ("B", "C", "D"):
        crm.edit_contact(id, name=name)
        crm.webhooks.wait()
    assert (len(listener.requests), [hook["state"] for hook in crm.hooks]) == (2, ["disabled"])


def test_a_hook_deleted_meanwhile_fails_nobody(crm: CentralStation, listener: Listener, ada: int) -> None:
    id = register(crm, listener)
    listener.answers, listener.slow_s = [500], 0.2
    crm.edit_contact(ada, first_name="Eve")
    centralstation_client(crm).delete(f"/hooks/{id}")
    crm.edit_contact(ada, first_name="Ada")
    assert len(delivered(crm, listener)) == 1


# The control API and the page


def test_a_hook_is_disabled_by_control(crm: CentralStation, listener: Listener, ada: int) -> None:
    id = register(crm, listener)
    browser = client(crm.url)
    assert browser.put(f"/_sandbox/hooks/{id}", json={"state": "disabled"}).json()["state"] == "disabled"
    assert browser.get("/_sandbox/hooks").json()["hooks"][0]["state"] == "disabled"
    crm.edit_contact(ada, first_name="Eve")
    assert delivered(crm, listener) == []


@pytest.mark.parametrize(("path", "body", "status"), [("1", {"state": "disabled"}, 404), ("x", {}, 404), ("1", {"event": "create"}, 400)])
def test_control_of_no_hook_is_refused(crm: CentralStation, path: str, body: dict[str, str], status: int) -> None:
    assert client(crm.url).put(f"/_sandbox/hooks/{path}", json=body).status_code == status


def test_the_page_shows_the_hooks_and_what_was_sent(crm: CentralStation, listener: Listener, ada: int) -> None:
    register(crm, listener)
    crm.edit_contact(ada, first_name="Eve")
    crm.webhooks.wait()
    page = httpx.get(crm.url).text
    assert all(word in page for word in ("Hook Person.update (active)", "Person.update", "answered 200"))
