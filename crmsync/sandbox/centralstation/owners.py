"""People and companies: list, count, search, get, create, update, delete (centralstationcrm.md, sections 2 and 11).

Both answer to the same operations, so these are declared once for either."""

from __future__ import annotations

import re
from collections.abc import Callable

from crmsync.sandbox.centralstation.account import OWNER_TYPES
from crmsync.sandbox.centralstation.lists import filtered, ordered, page_of
from crmsync.sandbox.centralstation.rows import Row, moment
from crmsync.sandbox.centralstation.shown import owner_shown
from crmsync.sandbox.centralstation.simulation import CentralStation
from crmsync.sandbox.centralstation.speech import envelope, not_found
from crmsync.sandbox.core import Answer, Call, Operations, Refusal

operations: Operations[CentralStation] = Operations()


def declare(route: str, type: str) -> None:
    """The operations of `/api/people` or `/api/companies`."""
    word = type.lower()

    @operations("GET", f"/api/{route}", name=f"list-{route}")
    def list_owners(crm: CentralStation, call: Call) -> Answer:
        rows = page_of(ordered(_wanted(crm, type, call), call), call)
        return Answer(200, [owner_shown(crm, type, row, call) for row in rows])

    @operations("GET", f"/api/{route}/count", name=f"count-{route}")
    @operations("GET", f"/api/{route}/stats", name=f"stats-{route}")
    def count_owners(crm: CentralStation, call: Call) -> Answer:
        return Answer(200, {"total_entries": len(_wanted(crm, type, call))})

    @operations("GET", f"/api/{route}/search", name=f"search-{route}")
    def search_owners(crm: CentralStation, call: Call) -> Answer:
        return Answer(200, [owner_shown(crm, type, row, call) for row in page_of(_searched(crm, type, call), call)])

    @operations("GET", f"/api/{route}/{{id}}", name=f"get-{word}")
    def get_owner(crm: CentralStation, call: Call) -> Answer:
        return Answer(200, owner_shown(crm, type, crm.owner(type, number(call, "id")), call))

    @operations("POST", f"/api/{route}", name=f"create-{word}")
    def create_owner(crm: CentralStation, call: Call) -> Answer:
        row = crm.add_owner(type, envelope(call, word)[1], log=_logged(call), by=acting(crm, call))
        return Answer(201, owner_shown(crm, type, row, call))

    @operations("PUT", f"/api/{route}/{{id}}", name=f"update-{word}")
    def update_owner(crm: CentralStation, call: Call) -> Answer:
        id = crm.owner(type, number(call, "id"))["id"]
        crm.edit_owner(type, id, envelope(call, word)[1], log=_logged(call), by=acting(crm, call))
        return Answer(200, {"message": f"{word} updated"})

    @operations("DELETE", f"/api/{route}/{{id}}", name=f"delete-{word}")
    def delete_owner(crm: CentralStation, call: Call) -> Answer:
        crm.delete_owner(type, number(call, "id"), log=_logged(call))
        return Answer(200, {"message": f"{word} deleted"})


def acting(crm: CentralStation, call: Call) -> int:
    """The user whose key it is."""
    return crm.settings.api_keys[call.credential]


def number(call: Call, param: str) -> int:
    """An id from the path. Raises a 404 for what isn't a number."""
    if not call.params[param].isdigit():
        raise not_found()
    return int(call.params[param])


def visible(crm: CentralStation, rows: list[Row]) -> list[Row]:
    return [row for row in rows if str(row["id"]) not in crm.hidden] if crm.hidden else rows


def _logged(call: Call) -> bool:
    return call.query.get("no_log") != "true"


def _wanted(crm: CentralStation, type: str, call: Call) -> list[Row]:
    rows = filtered(visible(crm, crm.owners(type).all()), call)
    for narrow in (_by_stream, _by_tag, _by_custom_field):
        rows = narrow(crm, type, rows, call)
    return rows


def _by_stream(crm: CentralStation, type: str, rows: list[Row], call: Call) -> list[Row]:
    after, before = (
        moment(call.query[name]) if name in call.query else None for name in ("stream_updated_at_after", "stream_updated_at_before")
    )
    if after:
        rows = [row for row in rows if row["_stream"] and row["_stream"] > after]
    return [row for row in rows if row["_stream"] and row["_stream"] < before] if before else rows


def _by_tag(crm: CentralStation, type: str, rows: list[Row], call: Call) -> list[Row]:
    name, id = call.query.get("tag_name"), call.query.get("tag_id")
    if not name and not id:
        return rows
    return [row for row in rows if any(name == tag["name"] or id == str(tag["id"]) for tag in crm.table("tags").of((type, row["id"])))]


def _by_custom_field(crm: CentralStation, type: str, rows: list[Row], call: Call) -> list[Row]:
    name, value = call.query.get("custom_fields[custom_field_type_name]"), call.query.get("custom_fields[value]")
    types = {id for id, one in crm.table("custom_fields_types").rows.items() if one["name"] == name}
    if name is None:
        return rows
    return [
        row
        for row in rows
        if any(one["custom_fields_type_id"] in types and one["name"] == value for one in crm.table("custom_fields").of((type, row["id"])))
    ]


def _searched(crm: CentralStation, type: str, call: Call) -> list[Row]:
    """Finds parts of names and values, whatever their case: more than asked for, as nobody knows better."""
    if call.query.get("email") and call.query.get("phone"):
        raise Refusal(400, {"error": "param-invalid", "description": "email and phone exclude each other"})
    rows = [row for row in visible(crm, crm.owners(type).all()) if _named(row, call)]
    for param, detail, fold in (("email", "Email", str.casefold), ("phone", "Tel", digits)):
        if wanted := call.query.get(param):
            rows = [row for row in rows if has_detail(crm, (type, row["id"]), wanted, fold, detail)]
    return rows if any(call.query.get(name) for name in ("name", "first_name", "email", "phone")) else []


def _named(row: Row, call: Call) -> bool:
    return all(str(call.query.get(name) or "").casefold() in str(row.get(name) or "").casefold() for name in ("name", "first_name"))


def has_detail(crm: CentralStation, owner: tuple[str, int], wanted: str, fold: Callable[[str], str], type: str = "") -> bool:
    """Whether one of the owner's contact details, of `type` where one is named, holds `wanted`."""
    rows = [row for row in crm.table("contact_details").of(owner) if type in ("", row["type"])]
    return any(fold(wanted) in fold(text) for row in rows for text in (row["name"], row["name_clean"]) if text)


def digits(text: str) -> str:
    """A number's digits, without a country's or a trunk prefix."""
    return re.sub(r"\D", "", text).removeprefix("00").removeprefix("49").removeprefix("44").removeprefix("0")


for _route, _type in OWNER_TYPES.items():
    declare(_route, _type)
