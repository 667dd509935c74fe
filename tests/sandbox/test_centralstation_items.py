"""Notes, tasks and comments of the simulated CentralStationCRM (centralstationcrm.md, sections 6 to 8)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from crmsync.sandbox.centralstation import CentralStation

LONG_AGO = datetime(2020, 7, 1, 10, 0, tzinfo=UTC)


@pytest.fixture
def ada(centralstation_sandbox: CentralStation) -> int:
    return centralstation_sandbox.add_contact(first_name="Ada", name="Beispiel", created_at=LONG_AGO)


def note(client: httpx.Client, *people: int, **fields: Any) -> httpx.Response:
    body = {"type": "ProtocolObjectNote", "content": "Hello", "format": "plaintext", "person_ids": list(people), **fields}
    return client.post("/protocols", params={"only_object_logging": "true"}, json={"protocol": body})


def task(client: httpx.Client, person: int, **fields: Any) -> httpx.Response:
    body = {"name": "Call", "user_id": 4711, "attachable_type": "Person", "attachable_id": person, **fields}
    return client.post("/tasks", json={"task": body})


def test_a_note_answers_under_its_kind(centralstation: httpx.Client, ada: int) -> None:
    answer = note(centralstation, ada)
    assert (answer.status_code, list(answer.json())) == (201, ["protocol_object_note"])
    made = answer.json()["protocol_object_note"]
    assert (made["content"], made["person_ids"], made["person_id"], made["badge"]) == ("Hello", [ada], ada, "note")


def test_a_note_is_html_unless_said_otherwise(centralstation_sandbox: CentralStation, ada: int) -> None:
    centralstation_sandbox.add_note(ada, "<p>x</p>")
    assert centralstation_sandbox.notes_of(ada)[0]["format"] == "html"


def test_a_note_is_changed_in_part_and_deleted(centralstation: httpx.Client, ada: int) -> None:
    id = note(centralstation, ada, name="Title").json()["protocol_object_note"]["id"]
    assert centralstation.put(f"/protocols/{id}", json={"protocol": {"content": "Bye"}}).json() == {"message": "protocol updated"}
    kept = centralstation.get(f"/protocols/{id}").json()["protocol_object_note"]
    assert (kept["content"], kept["name"]) == ("Bye", "Title")
    assert centralstation.delete(f"/protocols/{id}").json() == {"message": "protocol deleted"}
    assert centralstation.get(f"/protocols/{id}").status_code == 404


def test_a_note_without_the_logging_choice_is_refused(centralstation: httpx.Client, ada: int) -> None:
    answer = centralstation.post("/protocols", json={"protocol": {"type": "ProtocolObjectNote", "person_ids": [ada]}})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("fields", "member"),
    [({"type": "Note"}, "type"), ({"name": "x" * 101}, "name"), ({"format": "rtf"}, "format"), ({"person_ids": [1]}, "person_ids")],
)
def test_a_bad_note_is_refused(centralstation: httpx.Client, fields: dict[str, Any], member: str) -> None:
    answer = note(centralstation, **fields)
    assert (answer.status_code, list(answer.json())) == (422, [member])


def test_notes_are_listed_by_person_and_page(centralstation: httpx.Client, centralstation_sandbox: CentralStation, ada: int) -> None:
    bob = centralstation_sandbox.add_contact(name="Bob")
    ids = [centralstation_sandbox.add_note(ada, f"N{number}") for number in range(5)]
    shared = centralstation_sandbox.add_note(None, "shared", person_ids=[ada, bob])
    listed = [
        centralstation.get("/protocols", params={"person_id": ada, "perpage": 4, "page": page, "order": "id-desc"}).json()
        for page in (1, 2)
    ]
    assert [one["protocol_object_note"]["id"] for page in listed for one in page] == [shared, *reversed(ids)]
    assert len(centralstation.get("/protocols", params={"person_id": bob}).json()) == 1
    assert len(centralstation.get("/protocols").json()) == 6


def test_a_shared_note_survives_one_of_its_people(centralstation_sandbox: CentralStation, ada: int) -> None:
    bob = centralstation_sandbox.add_contact(name="Bob")
    centralstation_sandbox.add_note(None, "shared", person_ids=[ada, bob])
    centralstation_sandbox.delete_contact(ada)
    assert [one["person_ids"] for one in centralstation_sandbox.notes_of(bob)] == [[bob]]


def test_a_note_made_below_a_person_has_an_answer_without_it(centralstation: httpx.Client, ada: int) -> None:
    answer = centralstation.post(f"/people/{ada}/protocols", json={"protocol": {"content": "x"}}).json()["protocol_object_note"]
    assert answer["person_ids"] == []
    assert len(centralstation.get(f"/people/{ada}/protocols").json()) == 1


def test_a_note_moves_its_person(centralstation: httpx.Client, ada: int) -> None:
    note(centralstation, ada)
    assert centralstation.get(f"/people/{ada}").json()["person"]["updated_at"] > "2026"


def test_a_task_moves_the_stream_alone(centralstation: httpx.Client, ada: int) -> None:
    task(centralstation, ada)
    found = centralstation.get(f"/people/{ada}", params={"methods": "stream_updated_at"}).json()["person"]
    assert (found["updated_at"] < "2021", found["stream_updated_at"] > "2026") == (True, True)


def test_a_task_is_made_finished_and_deleted(centralstation: httpx.Client, ada: int) -> None:
    answer = task(centralstation, ada, precise_time="2026-11-27T08:00:00Z")
    made = answer.json()["task"]
    assert (answer.status_code, made["precise_time"], made["finished"]) == (201, "2026-11-27T09:00:00.000+01:00", False)
    assert centralstation.put(f"/tasks/{made['id']}", json={"task": {"finished": True}}).json() == {"message": "task updated"}
    assert centralstation.get(f"/tasks/{made['id']}").json()["task"]["finished"] is True
    assert centralstation.delete(f"/tasks/{made['id']}").json() == {"message": "task deleted"}
    assert centralstation.get(f"/tasks/{made['id']}").status_code == 404


def test_a_time_without_an_offset_is_berlins(centralstation: httpx.Client, ada: int) -> None:
    assert task(centralstation, ada, precise_time="2026-07-01T12:00:00").json()["task"]["precise_time"] == "2026-07-01T12:00:00.000+02:00"


@pytest.mark.parametrize(
    ("fields", "member"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"user_id": None}, "user_id"),
        ({"user_id": 1}, "user"),
        ({"badge": "nap"}, "badge"),
        ({"precise_time": "soon"}, "precise_time"),
        ({"attachable_id": 1}, "attachable"),
    ],
)
def test_a_bad_task_is_refused(centralstation: httpx.Client, ada: int, fields: dict[str, Any], member: str) -> None:
    answer = task(centralstation, ada, **fields)
    assert (answer.status_code, list(answer.json())) == (422, [member])


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"state": "open"}, ["open"]),
        ({"state": "closed"}, ["closed"]),
        ({"after": "2026-11-02"}, ["closed"]),
        ({"before": "2026-11-02"}, ["open"]),
        ({}, ["open", "closed"]),
    ],
)
def test_tasks_are_listed_by_state_and_day(
    centralstation: httpx.Client, centralstation_sandbox: CentralStation, ada: int, query: dict[str, str], names: list[str]
) -> None:
    centralstation_sandbox.add_task(ada, "open", precise_time="2026-11-01T12:00:00+01:00")
    centralstation_sandbox.add_task(ada, "closed", precise_time="2026-11-03T12:00:00+01:00", finished=True)
    assert [one["task"]["name"] for one in centralstation.get("/tasks", params=query).json()] == names


def test_tasks_come_with_their_person(centralstation: httpx.Client, centralstation_sandbox: CentralStation, ada: int) -> None:
    centralstation_sandbox.add_task(ada, "open")
    centralstation_sandbox.add_task(ada, "closed", finished=True)
    found = centralstation.get(f"/people/{ada}", params={"includes": "tasks pending_tasks"}).json()["person"]
    assert ([one["name"] for one in found["tasks"]], [one["name"] for one in found["pending_tasks"]]) == (["open", "closed"], ["open"])


def test_a_comment_hangs_on_a_task_and_moves_it(centralstation: httpx.Client, centralstation_sandbox: CentralStation, ada: int) -> None:
    id = centralstation_sandbox.add_task(ada, "Call", created_at=LONG_AGO)
    made = centralstation.post("/comments", json={"comment": {"attachable_type": "Task", "attachable_id": str(id), "name": "done soon"}})
    assert (made.status_code, made.json()["comment"]["attachable_id"]) == (201, str(id))
    found = centralstation.get(f"/tasks/{id}", params={"includes": "comments"}).json()["task"]
    assert (found["comments"][0]["name"], found["comments_count"], found["updated_at"] > "2026") == ("done soon", 1, True)


def test_users(centralstation: httpx.Client) -> None:
    assert centralstation.get("/users").json()[0]["user"]["first"] == "Katrin"
    assert centralstation.get("/users/4711").json()["user"]["name"] == "Sommer"
