"""The key itself, users, custom field definitions and the stream of activities (centralstationcrm.md, sections 1, 10, 12)."""

from __future__ import annotations

from crmsync.sandbox.centralstation.lists import filtered, ordered, page_of
from crmsync.sandbox.centralstation.owners import acting, number
from crmsync.sandbox.centralstation.rows import Row, without_hidden, words
from crmsync.sandbox.centralstation.simulation import CentralStation
from crmsync.sandbox.centralstation.speech import envelope, not_found
from crmsync.sandbox.core import Answer, Call, Json, Operations

operations: Operations[CentralStation] = Operations()
CATEGORIES = ("Person", "Company", "Deal", "Project")
FIELD_TYPES = ("string", "select", "decimal", "date", "url")


@operations("GET", "/api/check_connection")
def check_connection(crm: CentralStation, call: Call) -> Answer:
    return Answer(200, {"message": "connection ok"})


@operations("GET", "/api/users")
def list_users(crm: CentralStation, call: Call) -> Answer:
    return Answer(200, [{"user": user} for user in page_of(list(crm.users.values()), call)])


@operations("GET", "/api/users/search")
def search_users(crm: CentralStation, call: Call) -> Answer:
    wanted = {name: call.query[name].casefold() for name in ("first", "name", "login") if name in call.query}
    found = [user for user in crm.users.values() if all(text in user[name].casefold() for name, text in wanted.items())]
    return Answer(200, [{"user": user} for user in page_of(found, call)])


@operations("GET", "/api/users/{id}")
def get_user(crm: CentralStation, call: Call) -> Answer:
    user = crm.users.get(number(call, "id"))
    if user is None:
        raise not_found()
    return Answer(200, {"user": user})


@operations("GET", "/api/user")
def get_own_user(crm: CentralStation, call: Call) -> Answer:
    """The key's own user, unwrapped."""
    account = {"id": crm.settings.account_id, "name": crm.settings.account_name}
    return Answer(200, {**crm.users[acting(crm, call)], "accounts": [account], "current_account": account, "timezone": "Berlin"})


@operations("GET", "/api/custom_fields_types")
def list_custom_fields_types(crm: CentralStation, call: Call) -> Answer:
    rows = page_of(ordered(filtered(crm.table("custom_fields_types").all(), call), call), call)
    return Answer(200, [{"custom_fields_type": row} for row in rows])


@operations("GET", "/api/custom_fields_types/{id}")
def get_custom_fields_type(crm: CentralStation, call: Call) -> Answer:
    return Answer(200, {"custom_fields_type": crm.row("custom_fields_types", number(call, "id"))})


@operations("POST", "/api/custom_fields_types")
def create_custom_fields_type(crm: CentralStation, call: Call) -> Answer:
    _, fields = envelope(call, "custom_fields_type")
    asked = {"category": "Person", "ftype": "string", **fields}
    crm.refuse({} if asked.get("name") else {"name": ["can't be blank"]})
    crm.refuse({} if asked["category"] in CATEGORIES else {"category": ["is not included in the list"]})
    crm.refuse({} if asked["ftype"] in FIELD_TYPES else {"ftype": ["is not included in the list"]})
    id = crm.add_custom_field_type(asked["name"], asked["ftype"], asked.get("options"), asked["category"])
    return Answer(201, {"custom_fields_type": crm.row("custom_fields_types", id)})


@operations("PUT", "/api/custom_fields_types/{id}")
def update_custom_fields_type(crm: CentralStation, call: Call) -> Answer:
    row = crm.row("custom_fields_types", number(call, "id"))
    _, fields = envelope(call, "custom_fields_type")
    row |= {name: value for name, value in fields.items() if name in ("name", "options", "position", "api_only")} | {
        "updated_at": crm.now()
    }
    return Answer(200, {"message": "custom_fields_type updated"})


@operations("DELETE", "/api/custom_fields_types/{id}")
def delete_custom_fields_type(crm: CentralStation, call: Call) -> Answer:
    """The values of the field go with it."""
    id = crm.row("custom_fields_types", number(call, "id"))["id"]
    for row in crm.table("custom_fields").all():
        if row["custom_fields_type_id"] == id:
            crm.table("custom_fields").remove(row["id"])
    crm.table("custom_fields_types").remove(id)
    return Answer(200, {"message": "custom_fields_type deleted"})


@operations("GET", "/api/activities")
def list_activities(crm: CentralStation, call: Call) -> Answer:
    """The stream, newest first where no order is asked for."""
    rows = filtered([row for row in crm.activities if _is_about(row, call)], call)
    return Answer(200, [_activity(crm, row, call) for row in page_of(ordered(rows, call, "id-desc"), call)])


def _is_about(row: Row, call: Call) -> bool:
    asked = {(type, int(call.query[name])) for name, type in (("person_id", "Person"), ("company_id", "Company")) if name in call.query}
    return asked <= row["_about"] and call.query.get("user_id") in (None, str(row["user_id"]))


def _activity(crm: CentralStation, row: Row, call: Call) -> Json:
    receivers = [{"receiver_type": type, "receiver_id": id} for type, id in sorted(row["_about"])]
    asked = words(call.query.get("includes"))
    shown = {"user": crm.users.get(row["user_id"]), "activity_receivers": receivers}
    return {"activity": {**without_hidden(row), **{name: value for name, value in shown.items() if name in asked}}}
