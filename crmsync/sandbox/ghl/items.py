"""Notes, tasks and appointments of a contact, and the location's task search (ghl.md, section 3)."""

from __future__ import annotations

from crmsync.sandbox.core import Answer, Call, Json, Operations, Refusal
from crmsync.sandbox.ghl import checks, values
from crmsync.sandbox.ghl.contacts import READ, WRITE, known
from crmsync.sandbox.ghl.location import Ghl

operations: Operations[Ghl] = Operations()
MOST_TASKS = 100


@operations("GET", "/contacts/{contactId}/notes", scope=READ)
def get_all_notes(crm: Ghl, call: Call) -> Answer:
    return Answer(200, {"notes": crm.notes_of(known(crm, call.params["contactId"])["id"])})


@operations("POST", "/contacts/{contactId}/notes", scope=WRITE)
def create_note(crm: Ghl, call: Call) -> Answer:
    contact = known(crm, call.params["contactId"])
    id = crm.add_note(contact["id"], **checks.checked(call.body, checks.NEW_NOTE))
    return Answer(201, {"note": _shown(crm.notes[contact["id"]][id])})


@operations("GET", "/contacts/{contactId}/notes/{noteId}", scope=READ)
def get_note(crm: Ghl, call: Call) -> Answer:
    return Answer(200, {"note": _shown(_item(crm, crm.notes, call, "noteId"))})


@operations("PUT", "/contacts/{contactId}/notes/{noteId}", scope=WRITE)
def update_note(crm: Ghl, call: Call) -> Answer:
    note = _item(crm, crm.notes, call, "noteId")
    crm.edit_note(note["contactId"], note["id"], **checks.checked(call.body, checks.NOTE))
    return Answer(200, {"note": _shown(note)})


@operations("DELETE", "/contacts/{contactId}/notes/{noteId}", scope=WRITE)
def delete_note(crm: Ghl, call: Call) -> Answer:
    note = _item(crm, crm.notes, call, "noteId")
    crm.delete_note(note["contactId"], note["id"])
    return Answer(200, {"succeded": True})


@operations("GET", "/contacts/{contactId}/tasks", scope=READ)
def get_all_tasks(crm: Ghl, call: Call) -> Answer:
    return Answer(200, {"tasks": crm.tasks_of(known(crm, call.params["contactId"])["id"])})


@operations("POST", "/contacts/{contactId}/tasks", scope=WRITE)
def create_task(crm: Ghl, call: Call) -> Answer:
    contact = known(crm, call.params["contactId"])
    id = crm.add_task(contact["id"], **checks.checked(call.body, checks.NEW_TASK))
    return Answer(201, {"task": crm.tasks[contact["id"]][id]})


@operations("GET", "/contacts/{contactId}/tasks/{taskId}", scope=READ)
def get_task(crm: Ghl, call: Call) -> Answer:
    return Answer(200, {"task": _item(crm, crm.tasks, call, "taskId")})


@operations("PUT", "/contacts/{contactId}/tasks/{taskId}", scope=WRITE)
def update_task(crm: Ghl, call: Call) -> Answer:
    task = _item(crm, crm.tasks, call, "taskId")
    crm.edit_task(task["contactId"], task["id"], **checks.checked(call.body, checks.TASK))
    return Answer(200, {"task": task})


@operations("PUT", "/contacts/{contactId}/tasks/{taskId}/completed", scope=WRITE)
def update_task_completed(crm: Ghl, call: Call) -> Answer:
    task = _item(crm, crm.tasks, call, "taskId")
    crm.edit_task(task["contactId"], task["id"], **checks.checked(call.body, checks.COMPLETED))
    return Answer(200, {"task": task})


@operations("DELETE", "/contacts/{contactId}/tasks/{taskId}", scope=WRITE)
def delete_task(crm: Ghl, call: Call) -> Answer:
    task = _item(crm, crm.tasks, call, "taskId")
    crm.delete_task(task["contactId"], task["id"])
    return Answer(200, {"succeded": True})


@operations("GET", "/contacts/{contactId}/appointments", scope=READ)
def get_appointments_for_contact(crm: Ghl, call: Call) -> Answer:
    return Answer(200, {"events": crm.appointments.get(known(crm, call.params["contactId"])["id"], [])})


@operations("POST", "/locations/{locationId}/tasks/search", scope="locations/tasks.readonly")
def task_search(crm: Ghl, call: Call) -> Answer:
    """Newest first; the id is called `_id` here (reported)."""
    asked = checks.checked(call.body or {}, checks.TASK_SEARCH)
    limit, skip = asked.get("limit", 25), asked.get("skip", 0)
    checks.refuse([f"limit must not be greater than {MOST_TASKS}"] if limit > MOST_TASKS else [])
    tasks = [
        task for of_contact in reversed(list(crm.tasks.values())) for task in reversed(list(of_contact.values())) if _wanted(task, asked)
    ]
    return Answer(200, {"tasks": [_found(crm, task) for task in tasks[skip : skip + limit]]})


def _wanted(task: Json, asked: Json) -> bool:
    return (
        (not asked.get("contactId") or task["contactId"] in asked["contactId"])
        and ("completed" not in asked or task["completed"] is asked["completed"])
        and (not asked.get("assignedTo") or task.get("assignedTo") in asked["assignedTo"])
        and str(asked.get("query") or "").lower() in task["title"].lower()
    )


def _found(crm: Ghl, task: Json) -> Json:
    contact = crm.contacts[task["contactId"]]
    found = {"_id" if key == "id" else key: value for key, value in task.items()}
    details = {"firstName": contact.get("firstName"), "lastName": contact.get("lastName")}
    return {**found, "locationId": crm.location_id, "deleted": False, "contactDetails": details}


def _shown(note: Json) -> Json:
    return {**note, "bodyText": values.plain(note["body"])}


def _item(crm: Ghl, items: dict[str, dict[str, Json]], call: Call, param: str) -> Json:
    contact = known(crm, call.params["contactId"])
    item = items[contact["id"]].get(call.params[param])
    if item is None:
        raise Refusal(404, {"statusCode": 404, "message": f"{param.removesuffix('Id').title()} not found"})
    return item
