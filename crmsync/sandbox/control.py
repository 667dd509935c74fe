"""The control API, for tests and scripts that can't reach into the process: faults, statistics, contacts. It needs no credentials.

GET    /_sandbox/ready                    {"ready": true}
POST   /_sandbox/faults                   a `Fault` as JSON; answers all active ones
GET    /_sandbox/faults                   all active ones
DELETE /_sandbox/faults                   none any more
GET    /_sandbox/stats                    calls by operation and status, 429s, the most requests met in any 10 s
DELETE /_sandbox/stats                    count from zero
GET    /_sandbox/calls?operation=&last=   the latest calls
GET    /_sandbox/contacts                 all contacts, each as a direct read shows it
POST   /_sandbox/contacts                 add one, as `add_contact` takes it; answers {"id"}
GET    /_sandbox/contacts/{id}            one, with its tags, notes and tasks
PUT    /_sandbox/contacts/{id}            edit one, as `edit_contact` takes it
DELETE /_sandbox/contacts/{id}            delete one, as a user would
PUT    /_sandbox/latency                  {"ms": 150}
PUT    /_sandbox/clock                    {"ahead_s": 3600}: this CRM's clock is that far ahead of ours
GET    /_sandbox/webhooks?last=           how many were delivered, lost and so on, and the latest ones
DELETE /_sandbox/webhooks                 count from zero
PUT    /_sandbox/webhooks/trouble         a `Trouble` as JSON; `{}` switches it off

Each CRM has more: `crmsync.sandbox.ghl.control`, `crmsync.sandbox.centralstation.hooks`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from crmsync.sandbox.core import Json, Refusal, SimulatedCrm
from crmsync.sandbox.faults import Fault

Handler = Callable[[Any, Request, Any], Any]
"""Given the CRM, the request and its JSON body; answers JSON, or text as it is."""
Handlers = Iterable[tuple[str, str, Handler]]


def control_routes(crm: SimulatedCrm, handlers: Handlers) -> list[Route]:
    return [Route(f"/_sandbox/{path}", _endpoint(crm, handler), methods=[method]) for method, path, handler in handlers]


def _endpoint(crm: SimulatedCrm, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        try:
            with crm.lock:
                answer = handler(crm, request, json.loads(raw) if raw else {})
            return PlainTextResponse(answer) if isinstance(answer, str) else _json(200, answer)
        except Refusal as refusal:
            return _json(refusal.answer.status, refusal.answer.body)
        except (KeyError, TypeError, ValueError) as error:
            return _json(404 if isinstance(error, KeyError) else 400, {"error": str(error)})

    return endpoint


def _json(status: int, body: Any) -> Response:
    return Response(json.dumps(body, default=str, ensure_ascii=False), status, media_type="application/json")


def _ready(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    return {"ready": True, "title": crm.title}


def _faults(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    return {"faults": [fault.to_json() for fault in crm.faults.active]}


def _add_fault(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    crm.switch_on(Fault.from_json(body))
    return _faults(crm, request, body)


def _clear_faults(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    crm.clear_faults()
    return _faults(crm, request, body)


def _stats(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    return crm.stats()


def _reset_stats(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    crm.traffic.reset()
    return crm.stats()


def _calls(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    last = int(request.query_params.get("last", "100"))
    return {"calls": [asdict(record) for record in crm.calls(request.query_params.get("operation", ""))[-last:]]}


def _contacts(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    return {"contacts": crm.overview()}


def _contact(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    contact = crm.details(request.path_params["id"])
    if contact is None:
        raise KeyError("no such contact")
    return contact


def _add_contact(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    return {"id": crm.add_contact(**body)}


def _edit_contact(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    _contact(crm, request, body)
    crm.edit_contact(request.path_params["id"], **body)
    return _contact(crm, request, body)


def _delete_contact(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    _contact(crm, request, body)
    crm.delete_contact(request.path_params["id"])
    return {}


def _latency(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    crm.latency_ms = float(body["ms"])
    return {"ms": crm.latency_ms}


def _clock(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    crm.clock_offset_s = float(body["ahead_s"])
    return {"ahead_s": crm.clock_offset_s}


def _webhooks(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    last = int(request.query_params.get("last", "100"))
    return {**crm.webhooks.stats(), "latest": [asdict(sent) for sent in list(crm.webhooks)[-last:]]}


def _reset_webhooks(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    crm.webhooks.reset()
    return _webhooks(crm, request, body)


def _trouble(crm: SimulatedCrm, request: Request, body: Any) -> Json:
    return asdict(crm.webhooks.trouble(**body))


HANDLERS: list[tuple[str, str, Handler]] = [
    ("GET", "ready", _ready),
    ("GET", "faults", _faults),
    ("POST", "faults", _add_fault),
    ("DELETE", "faults", _clear_faults),
    ("GET", "stats", _stats),
    ("DELETE", "stats", _reset_stats),
    ("GET", "calls", _calls),
    ("GET", "contacts", _contacts),
    ("POST", "contacts", _add_contact),
    ("GET", "contacts/{id}", _contact),
    ("PUT", "contacts/{id}", _edit_contact),
    ("DELETE", "contacts/{id}", _delete_contact),
    ("PUT", "latency", _latency),
    ("PUT", "clock", _clock),
    ("GET", "webhooks", _webhooks),
    ("DELETE", "webhooks", _reset_webhooks),
    ("PUT", "webhooks/trouble", _trouble),
]
