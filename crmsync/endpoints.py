"""What machines call. No sign-in, no redirect, no page: a status and a line of JSON."""

import logging

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from crmsync.models import Event
from crmsync.readiness import missing_migrations
from crmsync.sync.receiving import LARGEST, Door, NoSuchAddress, Oversized, StoringFailed, WrongSecret, receive
from crmsync.systems.notice import Forged, TurnedAway, Unsigned

log = logging.getLogger(__name__)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when requests can be served: the database answers and has every migration. Otherwise 503 and what is missing."""
    try:
        missing = missing_migrations()
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "reason": "The database doesn't answer."}, status=503)
    if missing:
        return JsonResponse({"status": "unavailable", "reason": "Migrations are missing."}, status=503)
    return JsonResponse({"status": "ok"})


# Webhooks

STATUSES: dict[type[TurnedAway], int] = {Unsigned: 401, Forged: 401, Oversized: 413}
"""Of what is turned away; all else about a body is 400."""

RETRY_AFTER_S = 30


@csrf_exempt
def ghl_webhook(request: HttpRequest, pk: int) -> JsonResponse:
    """Signed events of a GoHighLevel app."""
    return _received(request, Door(connection_id=pk, via=Event.Via.APP))


@csrf_exempt
def ghl_workflow(request: HttpRequest, pk: int, secret: str) -> JsonResponse:
    """What a GoHighLevel workflow's Webhook action sends."""
    return _received(request, Door(connection_id=pk, via=Event.Via.WORKFLOW, secret=secret))


@csrf_exempt
def centralstation_hook(request: HttpRequest, pk: int, model: str, event: str, secret: str) -> JsonResponse:
    """One of CentralStation's hooks."""
    return _received(request, Door(connection_id=pk, via=Event.Via.HOOK, secret=secret, model=model, event=event))


def _received(request: HttpRequest, door: Door) -> JsonResponse:
    """200 once it is stored, or was before. What can't be stored, for whatever reason, is asked for again: a 500 would lose it."""
    if request.method != "POST":
        answer = _answer(405, {"status": "refused", "reason": "method"})
        answer.headers["Allow"] = "POST"
        return answer
    try:
        is_new = receive(door, _body(request), request.headers)
    except (NoSuchAddress, WrongSecret):  # which of the two isn't told
        return _answer(404, {"status": "refused", "reason": "address"})
    except TurnedAway as refusal:
        line = {"status": "refused", "reason": refusal.reason, "message": refusal.message}
        return _answer(STATUSES.get(type(refusal), 400), line)
    except StoringFailed:
        return _come_again()
    except Exception:
        log.exception("a webhook couldn't be stored", extra={"connection": door.connection_id})
        return _come_again()
    return _answer(200, {"status": "stored" if is_new else "seen before"})


def _come_again() -> JsonResponse:
    """GoHighLevel redelivers on 429 and on nothing else (ghl.md, section 5)."""
    answer = _answer(429, {"status": "unavailable", "reason": "Nothing can be stored just now."})
    answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _answer(status: int, line: dict[str, str]) -> JsonResponse:
    """Kept out of Django's own log of refused requests: they are counted, and their address may hold a secret."""
    answer = JsonResponse(line, status=status)
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer


def _body(request: HttpRequest) -> bytes | None:
    """None for more than LARGEST, of which no more is read. A body in chunks doesn't tell its length beforehand."""
    if request.META.get("CONTENT_LENGTH"):
        return request.body if int(request.META["CONTENT_LENGTH"]) <= LARGEST else None
    body, is_chunked = b"", request.META.get("wsgi.input_terminated", False)
    while is_chunked and len(body) <= LARGEST and (piece := request.META["wsgi.input"].read(LARGEST + 1 - len(body))):
        body += piece
    return body if len(body) <= LARGEST else None
