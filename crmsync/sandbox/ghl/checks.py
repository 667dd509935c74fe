"""What GHL refuses: bodies are strict whitelists, and each complaint is a sentence in a list (ghl.md, section 3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from crmsync.sandbox.core import Json, Refusal
from crmsync.sandbox.ghl import values

Kinds = Mapping[str, str]
"""What a property may be: `text`, `flag`, `list`, `object`, `moment`, `number`, `email`, `country`; `?`: also null, `!`: required."""

CONTACT: Kinds = {
    **dict.fromkeys(("firstName", "lastName", "name", "phone", "address1", "city", "state", "website", "timezone", "companyName"), "text?"),
    **dict.fromkeys(("postalCode", "source", "assignedTo"), "text"),
    "email": "email?",
    "country": "country",
    "dnd": "flag",
    "dndSettings": "object",
    "inboundDndSettings": "object",
    "tags": "list",
    "customFields": "list",
    "dateOfBirth": "any",
}
NEW_CONTACT: Kinds = {**CONTACT, "locationId": "text!", "gender": "text"}
UPSERT: Kinds = {**NEW_CONTACT, "createNewIfDuplicateAllowed": "flag"}
NOTE: Kinds = {"body": "text", "userId": "text", "title": "text", "color": "text", "pinned": "flag"}
NEW_NOTE: Kinds = {**NOTE, "body": "text!"}
TASK: Kinds = {"title": "text", "body": "text", "dueDate": "moment", "completed": "flag", "assignedTo": "text"}
NEW_TASK: Kinds = {**TASK, "title": "text!", "dueDate": "moment!", "completed": "flag!"}
COMPLETED: Kinds = {"completed": "flag!"}
TAGS: Kinds = {"tags": "list!"}
TASK_SEARCH: Kinds = {
    "contactId": "list",
    "completed": "flag",
    "assignedTo": "list",
    "query": "text",
    "businessId": "text",
    "limit": "number",
    "skip": "number",
}
SEARCH: Kinds = {
    "locationId": "text!",
    "page": "number",
    "pageLimit": "number!",
    "filters": "list",
    "sort": "list",
    "query": "text",
    "searchAfter": "list",
}
TAG: Kinds = {"name": "text!"}


def checked(body: Any, kinds: Kinds) -> Json:
    """The body when it holds nothing but what `kinds` allows. Raises a 422 that lists every property at fault."""
    given = body if isinstance(body, dict) else {}
    complaints = [f"property {name} should not exist" for name in given if name not in kinds]
    for name, kind in kinds.items():
        if name in given:
            complaints += _complaint(name, kind.rstrip("?!"), given[name], nullable=kind.endswith("?"))
        elif kind.endswith("!"):
            complaints += [f"{name} should not be empty"]
    refuse(complaints)
    return given


def refuse(complaints: Iterable[str]) -> None:
    """Raises a 422 when there is anything to complain about."""
    if found := list(complaints):
        raise Refusal(422, {"statusCode": 422, "message": found, "error": "Unprocessable Entity"})


def _complaint(name: str, kind: str, value: Any, nullable: bool) -> list[str]:
    if value is None:
        return [] if nullable or kind == "any" else [f"{name} must be a {_WORDS.get(kind, 'string')}"]
    return [] if _fits(kind, value) else [f"{name} must be {_WORDS_FOR.get(kind, 'a ' + _WORDS.get(kind, 'string'))}"]


_WORDS = {"flag": "boolean value", "number": "number conforming to the specified constraints", "list": "array", "object": "object"}
_WORDS_FOR = {"email": "an email", "moment": "a valid ISO 8601 date string", "country": "a valid country code", "list": "an array"}


def _fits(kind: str, value: Any) -> bool:
    match kind:
        case "flag":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int) and not isinstance(value, bool)
        case "list" | "object":
            return isinstance(value, list if kind == "list" else dict)
        case "moment":
            return isinstance(value, str) and values.moment(value) is not None
        case "email":
            return isinstance(value, str) and bool(re.fullmatch(r"\s*([^@\s]+@[^@\s]+\.[^@\s]+)?\s*", value))
        case "country":
            return isinstance(value, str) and bool(re.fullmatch(r"[A-Z]{2}", value))
        case _:
            return kind == "any" or isinstance(value, str)
