"""What GoHighLevel's refusals and rate headers mean (ghl.md, section 1), told in the words of `crmsync.systems.errors`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import JsonValue

from crmsync.engine.records import Side
from crmsync.systems.border import reason_of
from crmsync.systems.errors import CredentialsRefused, CrmError, Duplicate, NotFound, PermissionMissing, Refused, UnexpectedAnswer
from crmsync.systems.operations import Operation
from crmsync.systems.transport import Limits

_FIELD = re.compile(r"^(?:property )?([\w.]+) (?:must|should|is|has|cannot|can)\b")
"""`property gender should not exist`, `title must be a string`: the words of a 422 begin with the field."""


def read_limits(headers: Mapping[str, str]) -> Limits:
    """100 in 10 s and 200,000 a day, unless the headers tell another (ghl.md, section 1)."""
    window_ms = _number(headers, "X-RateLimit-Interval-Milliseconds")
    return Limits(
        limit=_number(headers, "X-RateLimit-Max"),
        window_s=window_ms / 1000 if window_ms else None,
        left_today=_number(headers, "X-RateLimit-Daily-Remaining"),
    )


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "").strip()
    return int(text) if text.isdecimal() else None


def read_error(operation: Operation, status: int, headers: Mapping[str, str], body: JsonValue) -> CrmError:
    """What a status from 400 to 499 means. `traceId`, which GoHighLevel's support asks for, is kept with it."""
    told = body if isinstance(body, dict) else {}
    error = _error(operation, status, told, _messages(told))
    error.operation, error.status, error.trace_id = operation.name, status, str(told.get("traceId") or "")
    return error


def _messages(told: Mapping[str, JsonValue]) -> list[str]:
    """`message` is a sentence or a list of them."""
    message = told.get("message") or told.get("error") or ""
    return [str(one) for one in (message if isinstance(message, list) else [message])]


def _error(operation: Operation, status: int, told: Mapping[str, JsonValue], messages: list[str]) -> CrmError:
    text = " ".join(messages).casefold()
    match status:
        case 401 | 400 if "version header" in text:
            return UnexpectedAnswer("GoHighLevel doesn't know the version of its API that crmsync speaks.", side=Side.GHL)
        case 401 if "scope" in text:
            return permission_missing(operation)
        case 401:
            return CredentialsRefused("GoHighLevel doesn't accept the token. Make a new one and enter it in the connection.", side=Side.GHL)
        case 403 if "location" in text or not operation.scope:
            return wrong_location()
        case 403:
            return permission_missing(operation)
        case 404 | 400 if status == 404 or "not found" in text:
            return NotFound(f"GoHighLevel doesn't have it ({operation.name}).", side=Side.GHL)
        case 400 if isinstance(meta := told.get("meta"), dict) and meta.get("contactId"):
            return _duplicate(str(meta["contactId"]), str(meta.get("matchingField") or ""))
        case _:
            return refused(messages[0])


def permission_missing(operation: Operation) -> PermissionMissing:
    words = f"The GoHighLevel token lacks the scope {operation.scope}. Add it to the private integration or the app."
    error = PermissionMissing(words, side=Side.GHL, operation=operation.name)
    error.scope = operation.scope
    return error


def wrong_location() -> CredentialsRefused:
    words = "The GoHighLevel token doesn't belong to this location. Check the location's id, or make the token in that location."
    return CredentialsRefused(words, side=Side.GHL)


def _duplicate(other_id: str, field: str) -> Duplicate:
    words = f"Another GoHighLevel contact has the same {field or 'e-mail or phone'}, and this location allows no duplicates."
    error = Duplicate(words, side=Side.GHL, field=field)
    error.other_id, error.reason = other_id, "duplicate"
    return error


def refused(words: str, field: str | None = None) -> Refused:
    """`words` are GoHighLevel's; they name the field, unless it is known."""
    reason = reason_of(words)
    if field is None:
        named = _FIELD.match(reason)
        field = named[1] if named else ""
    error = Refused(f"GoHighLevel doesn't take {field or 'this'}: {reason or 'no reason given'}.", side=Side.GHL, field=field)
    error.reason = reason
    return error
