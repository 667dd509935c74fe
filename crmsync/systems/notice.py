"""What a webhook says, in words that both CRMs share, and why one is turned away.

A `Notice` is a hint which contact to look at, never the truth: the record itself is read when the contact is reconciled.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, NoReturn

from pydantic import JsonValue

from crmsync.engine.records import Aspect, ItemKind

NOTHING = Aspect(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One webhook. `account_id` is the GHL location it speaks of; ids are None where it doesn't tell them.

    `aspects` are those of the contact to look at; none: nothing of use in it. `is_gone`: it says that the contact was deleted."""

    type: str
    webhook_id: str | None = None
    sent_at: datetime | None = None
    account_id: str | None = None
    company_id: str | None = None
    contact_id: str | None = None
    item_id: str | None = None
    item_kind: ItemKind | None = None
    aspects: Aspect = NOTHING
    is_gone: bool = False
    is_uninstall: bool = False


@dataclass(frozen=True, slots=True)
class EventType:
    """An event to choose in a CRM's settings: its own name of it, the permission it needs, and what it is good for here."""

    name: str
    scope: str
    purpose: str


class TurnedAway(Exception):
    """A webhook that isn't taken. `reason` is a code for counting; the message says what is wrong and shows nothing of the payload."""

    reason: ClassVar[str]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unsigned(TurnedAway):
    reason = "unsigned"


class Forged(TurnedAway):
    reason = "forged"


class Malformed(TurnedAway):
    reason = "malformed"


class Replayed(TurnedAway):
    reason = "replayed"


OLDEST, NEWEST = timedelta(days=7), timedelta(days=1)
"""A redelivery comes hours later and may carry its old time, and clocks differ (ghl.md, section 5)."""

MILLISECONDS_FROM = 1e11
"""Seconds since 1970 reach this in the year 5138, milliseconds did in 1973."""

ID_LENGTH, NAME_LENGTH = 64, 80
_ID = re.compile(rf"[A-Za-z0-9_-]{{1,{ID_LENGTH}}}")


def check_window(notice: Notice, now: datetime) -> None:
    """Raises `Replayed` for what is older than 7 days or more than a day ahead; what doesn't tell its time passes."""
    if notice.sent_at is None:
        return
    if notice.sent_at < now - OLDEST:
        raise Replayed("The timestamp is more than 7 days old.")
    if notice.sent_at > now + NEWEST:
        raise Replayed("The timestamp is more than a day ahead.")


def parse_json(body: bytes) -> JsonValue:
    """Raises `Malformed`, also for what JSON doesn't have (NaN), and what is nested too deep."""
    try:
        parsed: JsonValue = json.loads(body.decode(), parse_constant=_no_number)
    except UnicodeDecodeError:
        fault = "The body isn't UTF-8 text."
    except (ValueError, RecursionError):
        fault = "The body isn't JSON."
    else:
        return parsed
    raise Malformed(fault)


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def parse_object(body: bytes) -> Mapping[str, JsonValue]:
    parsed = parse_json(body)
    if not isinstance(parsed, dict):
        raise Malformed("The body isn't a JSON object.")
    return parsed


def text_in(payload: Mapping[str, JsonValue], name: str, length: int = NAME_LENGTH) -> str | None:
    """A short text, or a whole number as text; None where it is absent, null or empty. Raises `Malformed`."""
    value = payload.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.isprintable() or len(value) > length:
        raise Malformed(f"“{name}” isn't a text of {length} characters at most.")
    return value


def id_in(payload: Mapping[str, JsonValue], name: str) -> str | None:
    """A record's id. Raises `Malformed` for what can't be one."""
    value = text_in(payload, name)
    if value is not None and not _ID.fullmatch(value):
        raise Malformed(f"“{name}” isn't an id.")
    return value


def time_in(payload: Mapping[str, JsonValue], name: str) -> datetime | None:
    """A time, UTC: ISO 8601 (without an offset it is UTC), or seconds or milliseconds since 1970. Raises `Malformed`."""
    value = payload.get(name)
    if value is None or value == "":
        return None
    try:
        return _time(value)
    except (ValueError, OverflowError, OSError):
        pass
    raise Malformed(f"“{name}” isn't a time.")


def _time(value: JsonValue) -> datetime:
    match value:
        case bool():
            raise ValueError
        case int() | float():
            number = float(value)
        case str() if re.fullmatch(r"\d{1,20}(\.\d{1,9})?", value):
            number = float(value)
        case str():
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        case _:
            raise ValueError
    if not math.isfinite(number):
        raise ValueError
    return datetime.fromtimestamp(number / 1000 if abs(number) >= MILLISECONDS_FROM else number, UTC)
