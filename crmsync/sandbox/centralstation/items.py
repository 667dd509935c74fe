"""Notes (protocols), tasks and comments (centralstationcrm.md, sections 6 to 8)."""

from __future__ import annotations

from datetime import date

from crmsync.sandbox.centralstation.account import OWNER_TYPES
from crmsync.sandbox.centralstation.lists import ordered, page_of
from crmsync.sandbox.centralstation.owners import acting, number
from crmsync.sandbox.centralstation.rows import Row, berlin_day, without_hidden, words
from crmsync.sandbox.centralstation.shown import bare
from crmsync.sandbox.centralstation.simulation import CentralStation, protocol_envelope, protocol_form
from crmsync.sandbox.centralstation.speech import envelope, param_missing
from crmsync.sandbox.core import Answer, Call, Json, Operations, Refusal

operations: Operations[CentralStation] = Operations()
OWNER_PARAMS = {"person_id": "Person", "company_id": "Company"}


@operations("GET", "/api/protocols")
def list_protocols(crm: CentralStation, call: Call) -> Answer:
    owners = [(type, int(call.query[param])) for param, type in OWNER_PARAMS.items() if call.query.get(param, "").isdigit()]
    rows = crm.table("protocols").of(owners[0]) if owners else crm.table("protocols").all()
    return Answer(200, [_note_shown(crm, row, call) for row in page_of(ordered(rows, call), call)])


@operations("GET", "/api/protocols/{id}")
def get_protocol(crm: CentralStation, call: Call) -> Answer:
    return Answer(200, _note_shown(crm, crm.row("protocols", number(call, "id")), call))


@operations("POST", "/api/protocols")
def create_protocol(crm: CentralStation, call: Call) -> Answer:
    if "only_object_logging" not in call.query:
        raise param_missing("only_object_logging")
    row = crm.add_protocol(envelope(call, "protocol")[1], acting(crm, call))
    return Answer(201, _note_shown(crm, row, call))


@operations("PUT", "/api/protocols/{id}")
def update_protocol(crm: CentralStation, call: Call) -> Answer:
    crm.edit_note(crm.row("protocols", number(call, "id"))["id"], **envelope(call, "protocol")[1])
    return Answer(200, {"message": "protocol updated"})


@operations("DELETE", "/api/protocols/{id}")
def delete_protocol(crm: CentralStation, call: Call) -> Answer:
    crm.delete_note(number(call, "id"))
    return Answer(200, {"message": "protocol deleted"})


@operations("GET", "/api/tasks")
def list_tasks(crm: CentralStation, call: Call) -> Answer:
    return Answer(200, _tasks_shown(crm, crm.table("tasks").all(), call))


@operations("GET", "/api/tasks/{id}")
def get_task(crm: CentralStation, call: Call) -> Answer:
    return Answer(200, _task_shown(crm, crm.row("tasks", number(call, "id")), call))


@operations("POST", "/api/tasks")
def create_task(crm: CentralStation, call: Call) -> Answer:
    return Answer(201, _task_shown(crm, crm.write_task(None, envelope(call, "task")[1], acting(crm, call)), call))


@operations("PUT", "/api/tasks/{id}")
def update_task(crm: CentralStation, call: Call) -> Answer:
    crm.write_task(crm.row("tasks", number(call, "id")), envelope(call, "task")[1])
    return Answer(200, {"message": "task updated"})


@operations("DELETE", "/api/tasks/{id}")
def delete_task(crm: CentralStation, call: Call) -> Answer:
    crm.delete_task(number(call, "id"))
    return Answer(200, {"message": "task deleted"})


@operations("POST", "/api/comments")
def create_comment(crm: CentralStation, call: Call) -> Answer:
    _, fields = envelope(call, "comment")
    row = crm.add_comment(
        str(fields.get("attachable_type")), str(fields.get("attachable_id")), str(fields.get("name") or ""), fields.get("user_id")
    )
    return Answer(201, {"comment": without_hidden(row)})


@operations("PUT", "/api/comments/{id}")
def update_comment(crm: CentralStation, call: Call) -> Answer:
    row = crm.row("comments", number(call, "id"))
    row |= {"name": envelope(call, "comment")[1].get("name") or row["name"], "updated_at": crm.now()}
    return Answer(200, {"message": "comment updated"})


@operations("DELETE", "/api/comments/{id}")
def delete_comment(crm: CentralStation, call: Call) -> Answer:
    crm.table("comments").remove(crm.row("comments", number(call, "id"))["id"])
    return Answer(200, {"message": "comment deleted"})


def declare(route: str, type: str) -> None:
    """Notes and tasks below a person or a company."""

    @operations("GET", f"/api/{route}/{{id}}/protocols", name=f"list-{type.lower()}-protocols")
    def list_notes_of(crm: CentralStation, call: Call) -> Answer:
        rows = crm.table("protocols").of((type, crm.owner(type, number(call, "id"))["id"]))
        return Answer(200, [_note_shown(crm, row, call) for row in page_of(ordered(rows, call), call)])

    @operations("POST", f"/api/{route}/{{id}}/protocols", name=f"create-{type.lower()}-protocol")
    def create_note_of(crm: CentralStation, call: Call) -> Answer:
        """The note belongs to its owner, but this route's answer doesn't say so (recorded)."""
        member = f"{type.lower()}_ids"
        fields = {"type": "ProtocolObjectNote", **envelope(call, "protocol")[1], member: [crm.owner(type, number(call, "id"))["id"]]}
        (key, note), *_ = _note_shown(crm, crm.add_protocol(fields, acting(crm, call)), call).items()
        return Answer(201, {key: {**note, member: [], member.removesuffix("s"): None}})

    @operations("GET", f"/api/{route}/{{id}}/tasks", name=f"list-{type.lower()}-tasks")
    def list_tasks_of(crm: CentralStation, call: Call) -> Answer:
        return Answer(200, _tasks_shown(crm, crm.table("tasks").of((type, crm.owner(type, number(call, "id"))["id"])), call))


for _route, _type in OWNER_TYPES.items():
    declare(_route, _type)


def _note_shown(crm: CentralStation, row: Row, call: Call) -> Json:
    return {protocol_envelope(row["type"]): {**without_hidden(protocol_form(row)), **_comments(crm, "Protocol", row, call)}}


def _tasks_shown(crm: CentralStation, rows: list[Row], call: Call) -> list[Json]:
    rows = [
        row for row in rows if _in_state(row, call) and _in_time(row, call) and call.query.get("user_id") in (None, str(row["user_id"]))
    ]
    return [_task_shown(crm, row, call) for row in page_of(ordered(rows, call), call)]


def _task_shown(crm: CentralStation, row: Row, call: Call) -> Json:
    user = {"user": crm.users.get(row["user_id"])} if "user" in words(call.query.get("includes")) else {}
    return {"task": {**without_hidden(row), **user, **_comments(crm, "Task", row, call)}}


def _comments(crm: CentralStation, type: str, row: Row, call: Call) -> Json:
    asked = {"comments", "all"} & set(words(call.query.get("includes")))
    return {"comments": bare(crm.table("comments").of((type, row["id"])))} if asked else {}


def _in_state(row: Row, call: Call) -> bool:
    return call.query.get("state") not in ("open", "closed") or row["finished"] is (call.query["state"] == "closed")


def _in_time(row: Row, call: Call) -> bool:
    """`before` and `after` are days, and about the due date; a task without one is in no span."""
    due = berlin_day(row["precise_time"])
    before, after = (_day(call, name) for name in ("before", "after"))
    return (before is None or bool(due and due <= before)) and (after is None or bool(due and due >= after))


def _day(call: Call, name: str) -> date | None:
    try:
        return date.fromisoformat(call.query[name]) if name in call.query else None
    except ValueError as error:
        raise Refusal(400, {"error": "param-invalid", "description": f"{name} is not a date"}) from error
