"""What CentralStation's refusals mean, told in the words of `crmsync.systems.errors`: by status, since the texts differ between its
routes (centralstationcrm.md, section 1.2)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from crmsync.engine.records import FieldKey, Side
from crmsync.systems.centralstation.fields import ADDRESS_FIELDS, PERSON_FIELDS, STANDARD
from crmsync.systems.centralstation.operations import WEBHOOKS
from crmsync.systems.errors import (
    CredentialsRefused,
    CrmError,
    NeedsPerson,
    NotFound,
    PermissionMissing,
    Refused,
    TryLater,
    UnexpectedAnswer,
)
from crmsync.systems.operations import Operation

ATYPE = "atype"
"""The kind of a row (office, private …): never a field of ours, but what a refusal may be about."""

LABELS = {field.key: field.label for field in STANDARD}
_KEY_BY_GROUP = {"emails": "email", "tels": "tel", "homepages": "homepage", "positions": "company_name", "historic_events": "birthday"}
_REASON_LENGTH = 200


def read_error(operation: Operation, status: int, headers: Mapping[str, str], body: JsonValue) -> CrmError:
    """What a status from 400 to 499 means."""

    def error(kind: type[CrmError], message: str) -> CrmError:
        return kind(f"CentralStationCRM {message}", side=Side.CENTRALSTATION, operation=operation.name, status=status)

    def not_allowed(message: str) -> CrmError:
        missing = error(PermissionMissing, message)
        assert isinstance(missing, PermissionMissing)
        missing.scope = operation.scope
        return missing

    match status:
        case 401 if operation.scope.startswith(WEBHOOKS):
            return not_allowed("doesn't let the API key's user manage webhooks, or doesn't accept the key.")  # section 13
        case 401:
            return error(CredentialsRefused, "doesn't accept the API key. Make a new one in CentralStation under “My settings”.")
        case 403:
            return not_allowed(f"doesn't let the API key's user do this: {operation.scope or operation.name}.")
        case 404:
            return error(NotFound, "doesn't have it, or doesn't show it to the API key's user.")
        case 409:
            return error(TryLater, "says that the record was changed meanwhile.")
        case 400 | 422:
            path, reason = first_fault(body)
            return refusal(_field(operation, path), reason, operation=operation.name, status=status)
        case _:
            return error(UnexpectedAnswer, f"didn't take “{operation.name}” (status {status}).")


def account_full(operation: str) -> NeedsPerson:
    """507: the plan's contacts or storage are used up."""
    message = "The CentralStationCRM account is full: its plan has no room for more records. Make room or extend the plan."
    return NeedsPerson(message, side=Side.CENTRALSTATION, operation=operation, status=507)


def refusal(field: FieldKey, reason: str, *, operation: str, status: int | None) -> Refused:
    label = LABELS.get(field, field) or "this"
    message = f"CentralStationCRM doesn't take {label}: {reason or 'no reason given'}."
    error = Refused(message, side=Side.CENTRALSTATION, operation=operation, status=status, field=field)
    error.reason = reason
    return error


def not_found(operation: Operation) -> NotFound:
    message = "CentralStationCRM doesn't have it, or no longer as what it was."
    return NotFound(message, side=Side.CENTRALSTATION, operation=operation.name)


def first_fault(body: JsonValue) -> tuple[tuple[str, ...], str]:
    """The path and the words of the first fault in `{"name": ["can't be blank"]}`, nested or not, or in a plain error."""
    if isinstance(body, str):
        return (), body[:_REASON_LENGTH]
    if isinstance(body, list):
        return next((fault for fault in map(first_fault, body) if fault[1]), ((), ""))
    if not isinstance(body, dict):
        return (), ""
    for plain in ("description", "message", "error"):
        if isinstance(text := body.get(plain), str):
            return (), text[:_REASON_LENGTH]
    for name, inner in body.items():
        path, reason = first_fault(inner)
        if reason:
            return (*(() if name == "errors" else name.split(".")), *path), reason
    return (), ""


def _field(operation: Operation, path: tuple[str, ...]) -> FieldKey:
    """Our key for the field a refusal names: a nested row's (`emails.name`) stands for the row."""
    if not path:
        return ""
    group, last = path[0].removesuffix("_attributes").removeprefix("person."), path[-1]
    if last == ATYPE:
        return ATYPE
    if group == "addrs":
        return last if last in ADDRESS_FIELDS else "street"
    return _KEY_BY_GROUP.get(group, group if group in PERSON_FIELDS or "person" not in operation.name else last)
