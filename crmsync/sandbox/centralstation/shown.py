"""How rows are shown: wrapped on their own, bare where they are included; includes and methods of people and companies (section 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crmsync.sandbox.centralstation import kinds
from crmsync.sandbox.centralstation.rows import Owner, Row, without_hidden, words
from crmsync.sandbox.centralstation.simulation import CentralStation
from crmsync.sandbox.core import Call, Json

Lister = Callable[[CentralStation, Owner], Any]


def owner_shown(crm: CentralStation, type: str, row: Row, call: Call) -> Json:
    """A person or company in its envelope, with what `includes` and `methods` ask for."""
    owner, known = (type, row["id"]), {**INCLUDES, **(COMPANY_INCLUDES if type == "Company" else PERSON_INCLUDES)}
    asked = words(call.query.get("includes"))
    names = known if "all" in asked else [name for name in asked if name in known]
    methods = words(call.query.get("methods"))
    computed = METHODS if "all" in methods else [name for name in methods if name in METHODS]
    return {
        type.lower(): {
            **without_hidden(row),
            **{name: known[name](crm, owner) for name in names},
            **{name: METHODS[name](crm, row) for name in computed},
        }
    }


def bare(rows: list[Row]) -> list[Json]:
    return [without_hidden(row) for row in rows]


def wrapped(row: Row, envelope: str = "") -> Json:
    """A row in its envelope; a contact detail's is its kind."""
    return {envelope or str(row["type"]).lower(): without_hidden(row)}


def _details(type: str) -> Lister:
    return lambda crm, owner: bare([row for row in crm.table("contact_details").of(owner) if row["type"] == type])


def _children(table: str) -> Lister:
    return lambda crm, owner: bare(crm.table(table).of(owner))


def _open_tasks(crm: CentralStation, owner: Owner) -> list[Json]:
    return bare([row for row in crm.table("tasks").of(owner) if not row["finished"]])


def _custom_fields(crm: CentralStation, owner: Owner) -> list[Json]:
    types = crm.table("custom_fields_types").rows
    rows = crm.table("custom_fields").of(owner)
    return [{**without_hidden(row), "custom_fields_type_name": types[row["custom_fields_type_id"]]["name"]} for row in rows]


def _companies(crm: CentralStation, owner: Owner) -> list[Json]:
    ids = dict.fromkeys(row["company_id"] for row in crm.table("positions").of(owner))
    return bare([crm.table("companies").rows[id] for id in ids])


def _employers_addrs(crm: CentralStation, owner: Owner) -> list[Json]:
    return [addr for company in _companies(crm, owner) for addr in bare(crm.table("addrs").of(("Company", company["id"])))]


def _user(crm: CentralStation, owner: Owner) -> Json | None:
    return crm.users.get(crm.owner(*owner)["user_id"])


INCLUDES: dict[str, Lister] = {
    **{plural: _details(type) for plural, type in kinds.INCLUDES.items()},
    **{name: _children(name) for name in ("positions", "tags", "tasks", "addrs", "historic_events", "assis")},
    **dict.fromkeys(("tasks_pending", "pending_tasks"), _open_tasks),
    **{name: lambda crm, owner: [] for name in ("deals", "projects", "upcoming_cal_events", "connections")},
    "custom_fields": _custom_fields,
    "user": _user,
}
PERSON_INCLUDES: dict[str, Lister] = {"companies": _companies, "addrs_from_company": _employers_addrs, "avatar": lambda crm, owner: None}
COMPANY_INCLUDES: dict[str, Lister] = {"cal_events": lambda crm, owner: []}


def _salutation(row: Row) -> str:
    return str(row.get("salutation") or f"Guten Tag {row.get('first_name') or ''} {row['name']}".replace("  ", " "))


def _responsible(crm: CentralStation, row: Row) -> str | None:
    user = crm.users.get(row["user_id"])
    return f"{user['first']} {user['name']}" if user else None


METHODS: dict[str, Callable[[CentralStation, Row], Any]] = {
    "stream_updated_at": lambda crm, row: row["_stream"],
    "responsible_user_natural_name": _responsible,
    **{name: lambda crm, row: _salutation(row) for name in ("salutation_official", "salutation_formal", "salutation_informal")},
    **{name: lambda crm, row: f"{crm.url}/view/{row['id']}" for name in ("backlink", "absolute_url")},
    "absolute_avatar_url": lambda crm, row: None,
}
