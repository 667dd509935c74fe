"""How a reconcile ends: the status a contact gets, the reason in one sentence, the issue it belongs to, and when it is tried again."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from pydantic import JsonValue

from crmsync.engine.records import Side
from crmsync.models import Contact, Issue, Status, Sync
from crmsync.systems.errors import (
    NAMES,
    AuthorisationRefused,
    CredentialsRefused,
    CrmError,
    Duplicate,
    NeedsPerson,
    PermissionMissing,
    Refused,
    TryLater,
    Unanswered,
    UnexpectedAnswer,
)

FIRST_RETRY_S, LONGEST_RETRY_S = 5.0, 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`stays_dirty`: there is something left to do. `retry_at`: when it is due again by itself, None for when something changes. `is_held`:
    the brake has it, and it stays with its batch."""

    status: Status
    reason: str = ""
    issue: Issue | None = None
    stays_dirty: bool = False
    retry_at: datetime | None = None
    candidates: Sequence[int] = ()
    conflicts: Sequence[str] = ()
    is_held: bool = False


IN_SYNC = Outcome(status=Status.IN_SYNC)


def of_error(sync: Sync, contact: Contact, error: CrmError) -> Outcome:
    """What a CRM's answer means for the contact at hand."""
    plain = sync.mappings.filter(**{f"{error.side}_field": error.field}).values_list("name", flat=True).first()
    error.field = plain or error.field
    reason, what_to_do, subject = explain(error)
    issue = open_issue(sync, error.code, error.side, subject, reason, what_to_do, told_of(error))
    if isinstance(error, PermissionMissing):
        return Outcome(status=Status.WAITING, reason=reason, issue=issue, stays_dirty=True)
    retry_at = next_try(contact.attempts, error.retry_after_s) if isinstance(error, TryLater) else None
    candidates = list(sync.contacts.on(error.side, [error.other_id]).values_list("pk", flat=True)) if isinstance(error, Duplicate) else []
    return Outcome(status=Status.FAILED, reason=reason, issue=issue, stays_dirty=True, retry_at=retry_at, candidates=candidates)


def next_try(attempts: int, retry_after_s: float | None = None) -> datetime:
    """Growing pauses, with jitter so that many don't come back at once; what the CRM asked for at least."""
    pause = min(FIRST_RETRY_S * 2**attempts, LONGEST_RETRY_S) * random.uniform(0.8, 1.2)  # noqa: S311  # not for secrets
    return timezone.now() + timedelta(seconds=max(pause, retry_after_s or 0))


def explain(error: CrmError) -> tuple[str, str, str]:
    """One sentence for staff, what to do, and what the cause is about (a scope, a field)."""
    name = NAMES[error.side]
    match error:
        case AuthorisationRefused():
            return error.message, _("Nothing else: once it is reconnected, what waits is tried again by itself."), ""
        case CredentialsRefused():
            return error.message, _("Replace the credential on the connection's page, then press Retry."), ""
        case PermissionMissing():
            reason = _("%(crm)s doesn't allow this: the permission “%(scope)s” is missing.") % {"crm": name, "scope": error.scope}
            what_to_do = _("Grant it in %(crm)s, then press Test, or Reconnect, on the connection's page: what waits goes on by itself.")
            return reason, what_to_do % {"crm": name}, error.scope
        case NeedsPerson():
            return error.message, _("Put it right in %(crm)s, then press Retry.") % {"crm": name}, ""
        case Duplicate():
            reason = _("%(crm)s has another contact with the same %(field)s: %(id)s.") % {
                "crm": name,
                "field": error.field or _("e-mail or phone"),
                "id": error.other_id,
            }
            return reason, _("Decide which contact keeps it, or merge the two in %(crm)s, then press Retry.") % {"crm": name}, error.field
        case Refused():
            values = {"crm": name, "field": error.field, "reason": error.reason or error.message}
            named = _("%(crm)s refused the field “%(field)s”: %(reason)s.") if error.field else _("%(crm)s refused the record: %(reason)s.")
            return (
                (named % values).replace("..", "."),
                _("Correct the value, here or in the other CRM: it is tried again by itself."),
                error.field,
            )
        case Unanswered():
            return error.message, _("Nothing: before it is created again, crmsync looks whether it took effect."), ""
        case TryLater():
            return error.message, _("Nothing: it is tried again by itself. Press Retry to try now."), ""
        case UnexpectedAnswer():
            return error.message, _("Press Retry. If it comes back, send the operation and time to support."), error.field
        case _:
            return error.message, _("Press Retry. If it comes back, look at the record in %(crm)s.") % {"crm": name}, error.field


def not_kept(sync: Sync, missing: Sequence[tuple[Side, str]]) -> Outcome:
    """A value was accepted and isn't there. It is not sent again until something changes, or a person presses Retry."""
    side, name = missing[0]
    names = ", ".join(sorted({what for _, what in missing}))
    reason = _("%(fields)s: sent to %(crm)s and accepted, but not there afterwards.") % {"fields": names, "crm": NAMES[side]}
    what_to_do = _("Look at the field in %(crm)s (is it read-only, or the value not allowed?), then press Retry.") % {"crm": NAMES[side]}
    issue = open_issue(sync, "not_kept", side, name, reason, what_to_do)
    return Outcome(status=Status.FAILED, reason=reason, issue=issue)


def unheld(sync: Sync, names: Sequence[tuple[Side, str]]) -> Outcome:
    """A side has no place for a value. Nothing is sent until it, or the mapping, changes."""
    side, name = names[0]
    fields = ", ".join(sorted({what for _, what in names}))
    values = {"fields": fields, "there": NAMES[side], "here": NAMES[side.other]}
    reason = (
        _("%(fields)s: %(there)s doesn't take this value, so it is in %(here)s only: it isn't one of its options, or not in its form.")
        % values
    )
    what_to_do = _("Correct the value in %(here)s, add the option in %(there)s, or change the mapping; then press Retry.") % values
    return Outcome(status=Status.FAILED, reason=reason, issue=open_issue(sync, "not_taken", side, name, reason, what_to_do))


def conflict(names: Sequence[str]) -> Outcome:
    reason = _("Both sides changed %(fields)s to different values: choose which one to keep.") % {"fields": ", ".join(sorted(set(names)))}
    return Outcome(status=Status.CONFLICT, reason=reason, conflicts=sorted(set(names)))


def review(kind: str, candidates: Sequence[int]) -> Outcome:
    reasons = {
        "email": _("More than one contact could be this person: the e-mail is the same. Say which one it is."),
        "phone": _("More than one contact could be this person: the phone number is the same. Say which one it is."),
        "name": _("More than one contact could be this person: name and company are the same. Say which one it is."),
    }
    reason = reasons[kind]
    return Outcome(status=Status.REVIEW, reason=reason, candidates=candidates)


def quarantined(missing_on: Side) -> Outcome:
    reason = _("Deleted in %(there)s. Decide: delete it in %(here)s too, keep it and unlink, or restore it.") % {
        "there": NAMES[missing_on],
        "here": NAMES[missing_on.other],
    }
    return Outcome(status=Status.QUARANTINED, reason=reason)


def only_on(side: Side) -> Outcome:
    reason = _("Only in %(here)s: creating contacts in %(there)s is switched off for this sync.") % {
        "here": NAMES[side],
        "there": NAMES[side.other],
    }
    return Outcome(status=Status.EXCLUDED, reason=reason)


def held(reason: str) -> Outcome:
    """The brake holds it until a person decides."""
    return Outcome(status=Status.WAITING, reason=reason, stays_dirty=True, is_held=True)


def gathered() -> Outcome:
    """The brake has put it aside until it is known how many there are of its kind."""
    return Outcome(status=Status.PENDING, stays_dirty=True, is_held=True)


def waits_until(text: str, until: datetime, zone: ZoneInfo) -> Outcome:
    """Nothing is written before then; `text` has a place for the time."""
    is_far = until - timezone.now() > timedelta(hours=20)
    time = until.astimezone(zone).strftime("%Y-%m-%d %H:%M" if is_far else "%H:%M")
    return Outcome(status=Status.WAITING, reason=text % {"time": time}, stays_dirty=True, retry_at=until)


def ping_pong(sync: Sync, names: Sequence[str]) -> Outcome:
    """Fields that go to and fro are left alone until a person has found out why."""
    values = {"fields": ", ".join(names), "n": sync.ping_pong_after}
    reason = (
        _(
            "Ping-pong: %(fields)s changed sides more than %(n)d times within an hour. Something else changes it back, so it is left "
            "alone; the other fields go on."
        )
        % values
    )
    what_to_do = _(
        "Look for automations, workflows or other connections in GoHighLevel and CentralStationCRM that write it. Then press Retry."
    )
    return Outcome(status=Status.FAILED, reason=reason, issue=open_issue(sync, "ping_pong", "", names[0], reason, what_to_do))


def told_of(error: CrmError) -> dict[str, JsonValue]:
    """What an issue keeps of the request that failed, for support: no value of it, and nobody's data."""
    if not error.exchange and not error.operation:
        return {}
    return {"operation": error.operation, "status": error.status, "trace_id": error.trace_id, **error.exchange}


def open_issue(
    sync: Sync,
    code: str,
    side: Side | Literal[""],
    subject: str,
    explanation: str,
    what_to_do: str,
    exchange: Mapping[str, JsonValue] | None = None,
) -> Issue:
    """The issue of this cause, seen now: made if there is none, opened again if it was closed. `exchange`: see `told_of`."""
    cause = {"sync": sync, "code": code, "side": side, "subject": subject[:200]}
    texts: dict[str, Any] = {"explanation": explanation, "what_to_do": what_to_do}
    if exchange:
        texts["exchange"] = dict(exchange)
    now = timezone.now()
    known = Issue.objects.filter(**cause).order_by(F("closed_at").desc(nulls_first=True), "-pk").first()
    if known is None:
        known, is_new = Issue.objects.get_or_create(**cause, closed_at=None, defaults=texts)
        if is_new:
            return known
    row = Issue.objects.filter(pk=known.pk)
    with suppress(IntegrityError), transaction.atomic():  # opened as another row meanwhile: that one goes on being the open one
        row.filter(closed_at__isnull=False).update(closed_at=None, reopened_at=now)
    row.update(last_seen=now, **texts)
    return known


def close_issues(sync: Sync) -> None:
    """An issue is over when all that it held up went through: it holds up nobody any more, nor anybody who is being tried again."""
    held = Contact.objects.filter(sync=sync, issue__isnull=False).values("issue")
    Issue.objects.filter(~Q(pk__in=held), sync=sync, closed_at=None).update(closed_at=timezone.now())
