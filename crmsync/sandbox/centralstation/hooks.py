"""Hooks: what others register by API, and what is delivered to them when people and companies change (centralstationcrm.md, section 13).

A delivery isn't repeated; a hook that fails too often is disabled. `structure` beside `record` is a guess: only `record` was seen.

GET    /_sandbox/hooks        all hooks
PUT    /_sandbox/hooks/{id}   {"state": "disabled"}, "target_url", "failed": set members, as the CRM itself would
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request

from crmsync.sandbox.centralstation.lists import ordered, page_of
from crmsync.sandbox.centralstation.owners import number
from crmsync.sandbox.centralstation.rows import Row, shown, without_hidden
from crmsync.sandbox.centralstation.shown import owner_shown
from crmsync.sandbox.centralstation.simulation import CentralStation
from crmsync.sandbox.centralstation.speech import envelope
from crmsync.sandbox.control import Handler
from crmsync.sandbox.core import Answer, Call, Json, Operations
from crmsync.sandbox.webhooks import Outgoing

operations: Operations[CentralStation] = Operations()
HOOK: Row = {
    "model": None,
    "event": None,
    "target_url": None,
    "object_type": None,
    "hook_type": None,
    "includes": None,
    "methods": [],
    "state": "active",
    "filter_group_id": None,
}
CHOICES = {
    "model": ("Person", "Company", "Deal", "Project"),
    "event": ("create", "update", "destroy"),
    "object_type": ("nested", "flat", "api", "lean", "hook_with_structure_and_record"),
    "hook_type": ("url",),
    "state": ("active", "disabled"),
}
LONGEST_URL = 190


@operations("GET", "/api/hooks")
def list_hooks(crm: CentralStation, call: Call) -> Answer:
    _require_right(crm)
    return Answer(200, [{"hook": row} for row in page_of(ordered(crm.table("hooks").all(), call), call)])


@operations("GET", "/api/hooks/{id}")
def get_hook(crm: CentralStation, call: Call) -> Answer:
    _require_right(crm)
    return Answer(200, {"hook": crm.row("hooks", number(call, "id"))})


@operations("POST", "/api/hooks")
def create_hook(crm: CentralStation, call: Call) -> Answer:
    _require_right(crm)
    _, fields = envelope(call, "hook")
    row = {**HOOK, **{name: value for name, value in fields.items() if name in HOOK}}
    crm.refuse(_problems(row))
    at = crm.now()
    made = {"account_id": crm.settings.account_id, "failed": 0, "failed_at": None, "created_at": at, "updated_at": at}
    return Answer(201, {"hook": crm.table("hooks").add({**row, **made})})


@operations("DELETE", "/api/hooks/{id}")
def delete_hook(crm: CentralStation, call: Call) -> Answer:
    _require_right(crm)
    crm.table("hooks").remove(crm.row("hooks", number(call, "id"))["id"])
    return Answer(200, {"message": "hook deleted"})


def _require_right(crm: CentralStation) -> None:
    if crm.settings.hooks_refused == 401:
        raise crm.speech.credentials_refused()
    if crm.settings.hooks_refused == 403:
        raise crm.speech.scope_missing()


def _problems(row: Row) -> dict[str, list[str]]:
    url = row["target_url"]
    found = {name: ["is not included in the list"] for name, allowed in CHOICES.items() if row[name] not in allowed}
    found |= {name: ["can't be blank"] for name in ("object_type", "hook_type", "target_url") if row[name] in (None, "")}
    if url and not (isinstance(url, str) and url.startswith(("http://", "https://"))):
        found["target_url"] = ["is invalid"]
    if len(str(url or "")) > LONGEST_URL:
        found["target_url"] = [f"is too long (maximum is {LONGEST_URL} characters)"]
    return found


# Deliveries


def watch(crm: CentralStation) -> None:
    """From now on, changes fire the hooks that are registered for them."""
    crm.tell = _Firing(crm).fire


class _Firing:
    def __init__(self, crm: CentralStation) -> None:
        self._crm = crm

    def fire(self, type: str, id: int, event: str) -> None:
        for hook in self._crm.table("hooks").all():
            if (hook["model"], hook["event"], hook["state"]) == (type, event, "active"):
                content = {"id": id} if event == "destroy" else _content(self._crm, type, id, hook)
                body = json.dumps(_body(hook["object_type"], type, content), default=_encoded, ensure_ascii=False).encode()
                url, settled = hook["target_url"], self._settler(hook["id"])
                self._crm.webhooks.send(Outgoing(type=f"{type}.{event}", contact_id=str(id), url=url, body=body, settled=settled))

    def _settler(self, hook_id: int) -> Callable[[bool], None]:
        def settled(delivered: bool) -> None:
            with self._crm.lock:
                hook = self._crm.table("hooks").rows.get(hook_id)
                if hook and not delivered:
                    hook |= {"failed": hook["failed"] + 1, "failed_at": self._crm.now()}
                    hook["state"] = "disabled" if hook["failed"] >= self._crm.settings.hook_failures else hook["state"]

        return settled


def _content(crm: CentralStation, type: str, id: int, hook: Row) -> Json:
    """The person or company with what the hook includes: by comma here, by blank in lists."""
    row = crm.owner(type, id)
    if hook["object_type"] in ("lean", "flat"):
        return without_hidden(row)
    includes, methods = str(hook["includes"] or "").replace(",", " "), " ".join(hook["methods"] or [])
    content: Json = owner_shown(crm, type, row, Call(query={"includes": includes, "methods": methods}))[type.lower()]
    return content


def _body(object_type: str, type: str, content: Mapping[str, Any]) -> Json:
    match object_type:
        case "hook_with_structure_and_record":
            record = {"taggings" if name == "tags" else name: value for name, value in content.items()}
            return {"record": record, "structure": sorted(record)}
        case "api":
            return {type.lower(): content}
        case "lean":
            return {"id": content["id"], "type": type}
        case _:
            return dict(content)


def _encoded(value: object) -> str:
    if isinstance(value, datetime):
        return shown(value)
    raise TypeError(value.__class__.__name__)


# Control


def _list(crm: CentralStation, request: Request, body: Any) -> Json:
    return {"hooks": crm.hooks}


def _change(crm: CentralStation, request: Request, body: Any) -> Json:
    if unknown := set(body) - {"state", "target_url", "failed"}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    id = request.path_params["id"]
    if not id.isdigit() or int(id) not in crm.table("hooks").rows:
        raise KeyError("no such hook")
    row = crm.table("hooks").rows[int(id)]
    row |= body
    return row


HANDLERS: list[tuple[str, str, Handler]] = [("GET", "hooks", _list), ("PUT", "hooks/{id}", _change)]
