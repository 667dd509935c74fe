"""Notes and tasks of the simulated GHL (ghl.md, section 3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_LOCATION_ID
from tests.sandbox.conftest import ghl_client

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def ada(ghl_sandbox: Ghl) -> str:
    return ghl_sandbox.add_contact(firstName="Ada", dateAdded=LONG_AGO)


def test_a_note_is_made_read_changed_and_deleted(ghl: httpx.Client, ada: str) -> None:
    made = ghl.post(f"/contacts/{ada}/notes", json={"body": "<p>Hello</p>", "title": "First"})
    path = f"/contacts/{ada}/notes/{made.json()['note']['id']}"
    assert (made.status_code, made.json()["note"]["bodyText"]) == (201, "Hello")
    assert ghl.put(path, json={"body": "Bye"}).json()["note"]["body"] == "Bye"
    assert ghl.get(path).json()["note"]["title"] == "First"
    assert ghl.delete(path).json()["succeded"] is True
    assert ghl.get(path).status_code == 404


def test_notes_are_listed_newest_first(ghl: httpx.Client, ghl_sandbox: Ghl, ada: str) -> None:
    ghl_sandbox.add_note(ada, "old", dateAdded=LONG_AGO)
    ghl_sandbox.add_note(ada, "new")
    assert [note["body"] for note in ghl.get(f"/contacts/{ada}/notes").json()["notes"]] == ["new", "old"]


def test_a_note_needs_a_body(ghl: httpx.Client, ada: str) -> None:
    answer = ghl.post(f"/contacts/{ada}/notes", json={"title": "x", "author": "y"})
    assert (answer.status_code, answer.json()["message"]) == (422, ["property author should not exist", "body should not be empty"])


def test_plain_notes_may_become_html(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(wraps_notes=True)
    id = crm.add_contact(firstName="Ada")
    note = ghl_client(crm).post(f"/contacts/{id}/notes", json={"body": "one\ntwo"}).json()["note"]
    assert (note["body"], note["bodyText"]) == ("<p>one<br>two</p>", "one\ntwo")


def test_a_task_is_made_completed_changed_and_deleted(ghl: httpx.Client, ada: str) -> None:
    made = ghl.post(f"/contacts/{ada}/tasks", json={"title": "Call", "dueDate": "2026-11-27T10:00:00+01:00", "completed": False})
    path = f"/contacts/{ada}/tasks/{made.json()['task']['id']}"
    assert (made.status_code, made.json()["task"]["dueDate"]) == (201, "2026-11-27T09:00:00.000Z")
    assert ghl.put(f"{path}/completed", json={"completed": True}).json()["task"]["completed"] is True
    assert ghl.put(path, json={"title": "Call back"}).json()["task"]["title"] == "Call back"
    assert ghl.delete(path).json()["succeded"] is True
    assert ghl.get(f"/contacts/{ada}/tasks").json()["tasks"] == []


@pytest.mark.parametrize("missing", ["title", "dueDate", "completed"])
def test_a_task_needs_title_due_date_and_completed(ghl: httpx.Client, ada: str, missing: str) -> None:
    body: dict[str, Any] = {"title": "Call", "dueDate": "2026-11-27", "completed": False}
    del body[missing]
    answer = ghl.post(f"/contacts/{ada}/tasks", json=body)
    assert (answer.status_code, answer.json()["message"]) == (422, [f"{missing} should not be empty"])


def test_notes_and_tasks_leave_the_contacts_date_alone(ghl: httpx.Client, ada: str) -> None:
    ghl.post(f"/contacts/{ada}/notes", json={"body": "x"})
    ghl.post(f"/contacts/{ada}/tasks", json={"title": "x", "dueDate": "2026-11-27", "completed": False})
    assert ghl.get(f"/contacts/{ada}").json()["contact"]["dateUpdated"] == "2020-01-01T00:00:00.000Z"


def test_tags_move_the_contacts_date(ghl: httpx.Client, ada: str) -> None:
    ghl.post(f"/contacts/{ada}/tags", json={"tags": ["x"]})
    assert ghl.get(f"/contacts/{ada}").json()["contact"]["dateUpdated"] > "2026"


def test_task_search_sees_all_contacts(ghl: httpx.Client, ghl_sandbox: Ghl, ada: str) -> None:
    bob = ghl_sandbox.add_contact(firstName="Bob")
    ghl_sandbox.add_task(ada, "A", completed=True)
    ghl_sandbox.add_task(bob, "B")
    path = f"/locations/{DEMO_LOCATION_ID}/tasks/search"
    tasks = ghl.post(path, json={}).json()["tasks"]
    assert {(task["title"], task["contactId"]) for task in tasks} == {("A", ada), ("B", bob)}
    assert all(len(task["_id"]) == 20 for task in tasks)
    assert [task["title"] for task in ghl.post(path, json={"completed": False}).json()["tasks"]] == ["B"]
    assert [task["title"] for task in ghl.post(path, json={"contactId": [ada]}).json()["tasks"]] == ["A"]


def test_task_search_pages_by_25(ghl: httpx.Client, ghl_sandbox: Ghl, ada: str) -> None:
    for number in range(30):
        ghl_sandbox.add_task(ada, f"T{number}")
    path = f"/locations/{DEMO_LOCATION_ID}/tasks/search"
    assert [len(ghl.post(path, json=body).json()["tasks"]) for body in ({}, {"skip": 25}, {"limit": 100})] == [25, 5, 30]


def test_appointments_have_the_locations_time(ghl: httpx.Client, ghl_sandbox: Ghl, ada: str) -> None:
    ghl_sandbox.add_appointment(ada, "Demo", "2026-12-01 11:00:00", "2026-12-01 11:30:00")
    (event,) = ghl.get(f"/contacts/{ada}/appointments").json()["events"]
    assert (event["title"], event["startTime"], event["appointmentStatus"]) == ("Demo", "2026-12-01 11:00:00", "confirmed")
