"""How a request travels through a simulated CRM: counted, limited, delayed, spoilt by faults, run, encoded.

    arrive -> credentials -> rate limit -> latency -> faults -> operation -> encode

Counting comes before waiting, as in reality: a burst is refused however slow the server is.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from crmsync.sandbox.control import HANDLERS, Handlers, control_routes
from crmsync.sandbox.core import Answer, Call, Operation, Refusal, SimulatedCrm
from crmsync.sandbox.desk import Desk
from crmsync.sandbox.faults import Fault, FaultKind, without_field
from crmsync.sandbox.pages import page_routes
from crmsync.sandbox.traffic import CallRecord

NOT_JSON_PAGE = "<!doctype html><title>502</title><h1>Bad gateway</h1>"


def build(
    crm: SimulatedCrm, desk: Desk, operations: Iterable[Operation[Any]], control: Handlers = (), pages: Iterable[Route] = ()
) -> Starlette:
    """The web application of one CRM; `app.state.crm` is the CRM itself. `control` and `pages` are this CRM's own, beside those of both."""
    by_breadth = sorted(operations, key=lambda operation: operation.path.count("{"))
    routes: list[BaseRoute] = [Route(one.path, _endpoint(crm, one), methods=[one.method], name=one.name) for one in by_breadth]
    routes += [
        *control_routes(crm, (*HANDLERS, *control)),
        *page_routes(crm, desk),
        *pages,
        Route("/{rest:path}", _unknown(crm), methods=["GET", "POST", "PUT", "DELETE"]),
    ]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    app.state.crm = crm
    app.add_middleware(_PlainPaths)
    return app


class _PlainPaths:
    """`/contacts/` is `/contacts`, and `/api/people.json` is `/api/people`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            scope = {**scope, "path": (path.removesuffix(".json") if path.startswith("/api/") else path).rstrip("/") or "/"}
        await self.app(scope, receive, send)


class Broken(Response):
    """An answer that is cut off: more is announced than sent, so that the client sees the connection break."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


def _unknown(crm: SimulatedCrm) -> Any:
    async def endpoint(request: Request) -> Response:
        return _response(crm, crm.speech.no_such_route().answer)

    return endpoint


def _endpoint(crm: SimulatedCrm, operation: Operation[Any]) -> Any:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        arrived = time.monotonic()
        with crm.lock:
            crm.traffic.arrived(arrived)
        body = _form(raw) if operation.takes_form else _parsed(raw)
        response = await _answered(crm, operation, request, body)
        status = 0 if isinstance(response, Broken) else response.status_code
        record = CallRecord(operation.name, request.method, request.url.path, request.url.query, body, status, time.monotonic() - arrived)
        with crm.lock:
            crm.traffic.answered(record)
        return response

    return endpoint


async def _answered(crm: SimulatedCrm, operation: Operation[Any], request: Request, body: Any) -> Response:
    headers = request.headers
    try:
        credential = crm.speech.authorize(headers, operation)
        if operation.counted:
            _limit(crm)
        await asyncio.sleep(crm.latency_ms / 1000)
        with crm.lock:
            faults = crm.faults.take(request.method, request.url.path, body)
        await asyncio.sleep(sum(fault.latency_ms for fault in faults if fault.kind is FaultKind.SLOW) / 1000)
        for fault in faults:
            _raise_at_once(crm, fault)
            body = without_field(body, fault.field or "") if fault.kind is FaultKind.FIELD_DROPPED else body
        call = Call(params=request.path_params, query=request.query_params, body=body, credential=credential)
        return _spoilt(crm, faults, _run(crm, operation, call, headers, keep=not _has(faults, FaultKind.NOT_KEPT)))
    except Refusal as refusal:
        return _response(crm, refusal.answer)


def _limit(crm: SimulatedCrm) -> None:
    with crm.lock:
        wait = crm.window.admit(time.monotonic())
    if wait:
        raise crm.speech.rate_limited(wait if crm.speech.announces_wait else None)


def _raise_at_once(crm: SimulatedCrm, fault: Fault) -> None:
    """The faults that answer instead of the operation."""
    match fault.kind:
        case FaultKind.RATE_LIMITED:
            raise crm.speech.rate_limited(fault.retry_after_s)
        case FaultKind.SERVER_ERROR:
            raise crm.speech.server_error(fault.status or 500)
        case FaultKind.SCOPE_MISSING:
            raise crm.speech.scope_missing()
        case FaultKind.CREDENTIALS_REFUSED:
            raise crm.speech.credentials_refused()
        case FaultKind.VALUE_REFUSED:
            raise crm.speech.value_refused(fault.field or "", fault.words)
        case FaultKind.CANNED:
            raise Refusal(fault.status or 200, fault.body)
        case _:
            return


def _run(crm: SimulatedCrm, operation: Operation[Any], call: Call, headers: Mapping[str, str], keep: bool) -> Answer:
    with crm.lock, nullcontext() if keep else crm.webhooks.silenced():
        before = None if keep else crm.snapshot()
        try:
            crm.speech.check_request(operation, call, headers)
            if call.body is MALFORMED:
                raise crm.speech.malformed()
            return operation.run(crm, call)
        except Refusal as refusal:
            return refusal.answer
        finally:
            if before is not None:
                crm.restore(before)


def _spoilt(crm: SimulatedCrm, faults: list[Fault], answer: Answer) -> Response:
    """The answer as the faults that come after the effect leave it."""
    for fault in faults:
        if fault.kind is FaultKind.ANSWER_LOST:
            return _response(crm, crm.speech.server_error(fault.status).answer) if fault.status else Broken()
        if fault.kind is FaultKind.NOT_JSON:
            return Response(NOT_JSON_PAGE, fault.status or answer.status, media_type="text/html")
    return _response(crm, answer)


def _response(crm: SimulatedCrm, answer: Answer) -> Response:
    with crm.lock:
        body, headers = crm.speech.encode(answer)
    return Response(body, answer.status, {**headers, **answer.headers})


def _has(faults: list[Fault], kind: FaultKind) -> bool:
    return any(fault.kind is kind for fault in faults)


def _form(raw: bytes) -> dict[str, str]:
    return dict(parse_qsl(raw.decode(errors="replace"), keep_blank_values=True))


MALFORMED = object()


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return MALFORMED
