"""What a person asked of many contacts at once: kept in a row, and carried out in small steps by a job, so that a button answers at once
whatever the number.

Each step moves the row's place in the same transaction as it changes its contacts: one that is cut off is taken up where it was, and two
processes at it do nothing twice. Taken are contacts that fit when their turn comes, and never more than the person was told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from crmsync import stopping
from crmsync.models import Act, BulkAction, Contact, HeldBatch, Status
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import audit, batches, canary, pressing
from crmsync.sync.selection import Selection

State = BulkAction.State

STEP = 500
AHEAD = 20 * STEP
"""So many keys are looked up at once: a search that no index helps isn't made anew for each step."""

AT_ONCE = 100
"""So few are done before the button answers."""

PAUSE_S = 0.02
"""Between two steps others get their turn at writing: SQLite has one writer."""

LOST_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Verb:
    """`takes`: of the contacts meant, those it makes sense for. `do` is given `step` of them at most, and returns for how many it was done.

    `asks`: it makes contacts pending until both CRMs have been asked for them. `is_atomic`: it asks nobody by itself, so that a step and
    its place are stored together; else a step that is cut off is done again. `act`: what the audit log calls it, None where that tells
    already."""

    takes: Callable[[ContactQuerySet], ContactQuerySet]
    do: Callable[[ContactQuerySet, BulkAction], int]
    act: Act | None = None
    asks: bool = True
    step: int = STEP
    is_atomic: bool = True


def of_status(*statuses: Status) -> Callable[[ContactQuerySet], ContactQuerySet]:
    """What the brake holds is approved or rejected as a whole, or retried one by one."""
    return lambda chosen: chosen.filter(status__in=statuses, exclusion="", held_by=None)


def _compare(some: ContactQuerySet, action: BulkAction) -> int:
    """What failed among them is tried again as by Retry."""
    again = canary.retry_step(some.filter(status__in=RETRYABLE), action)
    return again + pressing.compare(some.exclude(status__in=RETRYABLE).exclude(asked_in=action), action.by, action)


RETRYABLE = canary.STUCK
COMPARABLE = (Status.IN_SYNC, Status.PENDING, *RETRYABLE, Status.CONFLICT, Status.REVIEW)

VERBS: dict[str, Verb] = {
    "retry": Verb(of_status(*RETRYABLE), canary.retry_step, Act.CONTACTS_RETRIED),
    "sync-now": Verb(of_status(*COMPARABLE), _compare, Act.CONTACTS_COMPARED),
    "exclude": Verb(
        of_status(*(status for status in Status if status != Status.EXCLUDED)),
        lambda some, action: pressing.exclude(some, action.detail["reason"], action),
        Act.CONTACTS_EXCLUDED,
        asks=False,
    ),
    "approve": Verb(ContactQuerySet.wanted, lambda some, action: batches.free(some, action)),
    "reject": Verb(ContactQuerySet.wanted, lambda some, action: batches.leave(some, _batch_of(action)), asks=False),
}


def _batch_of(action: BulkAction) -> HeldBatch:
    return HeldBatch.objects.get(pk=action.selection["batch"])


class _Elsewhere(Exception):
    """The action was stopped meanwhile, or another process has done this step."""


def begin(
    verb: str, selection: Selection, by: AbstractBaseUser | None, *, total: int | None = None, detail: Mapping[str, Any] | None = None
) -> BulkAction:
    """Do it where the contacts are few, else leave it to a job. `total`: how many the person was told; not given, they are counted."""
    if total is None:
        total = VERBS[verb].takes(selection.contacts()).count()
    newest = Contact.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    detail = dict(detail or {})
    with transaction.atomic():
        action = BulkAction.objects.create(
            verb=verb, selection=selection.to_json(), detail=detail, by_id=by.pk if by else None, total=total, upto=newest
        )
        if act := VERBS[verb].act:
            audit.record(by, act, action, after={"contacts": total, **detail})
    if total <= AT_ONCE and VERBS[verb].is_atomic:
        carry_out(action)
    else:
        transaction.on_commit(lambda: nudge(action))
    return action


def stop(action: BulkAction, by: AbstractBaseUser | None) -> bool:
    """Take no more contacts; what was done to those taken stays. False where it had ended already."""
    stopped = BulkAction.objects.under_way().filter(pk=action.pk).update(state=State.STOPPED, ended_at=timezone.now(), worked_at=None)
    if stopped:
        action.refresh_from_db()
        audit.record(by, Act.BULK_STOPPED, action, after={"contacts": action.taken})
    return bool(stopped)


def nudge(action: BulkAction) -> None:
    """Queue a job for it, unless there is one. Should that get lost, the tick queues another."""
    if BulkAction.objects.unattended(timezone.now() - LOST_AFTER).filter(pk=action.pk).update(worked_at=timezone.now()):
        async_task("crmsync.jobs.bulk", action.pk)


def nudge_all() -> None:
    """Queue a job for each that nobody is at."""
    for action in BulkAction.objects.unattended(timezone.now() - LOST_AFTER):
        nudge(action)


def carry_out(action: BulkAction, *, until: float | None = None) -> None:
    """Go on with it, to its end or `until` (by the monotonic clock)."""
    verb = VERBS[action.verb]
    meant = verb.takes(Selection.from_json(action.selection).contacts()).filter(pk__lte=action.upto).order_by("pk")
    try:
        while left := action.total - action.taken:
            keys = list(meant.filter(pk__gt=action.after).values_list("pk", flat=True)[: min(left, AHEAD)])
            if not keys:
                break
            for start in range(0, len(keys), verb.step):
                _step(verb, action, keys[start : start + verb.step])
                if stopping.is_requested() or (until is not None and time.monotonic() > until):
                    BulkAction.objects.filter(pk=action.pk).update(worked_at=None)
                    return
                stopping.pause(PAUSE_S)
        BulkAction.objects.under_way().filter(pk=action.pk).update(state=State.DONE, ended_at=timezone.now(), worked_at=None)
    except _Elsewhere:
        pass
    action.refresh_from_db()


def _step(verb: Verb, action: BulkAction, keys: list[int]) -> None:
    with transaction.atomic() if verb.is_atomic else nullcontext():
        still = list(verb.takes(Contact.objects.filter(pk__in=keys)).values_list("pk", flat=True))  # some may have moved on since
        done = verb.do(Contact.objects.filter(pk__in=still), action) if still else 0
        mine = BulkAction.objects.under_way().filter(pk=action.pk, after=action.after)
        if not mine.update(after=keys[-1], taken=F("taken") + done, worked_at=timezone.now()):
            raise _Elsewhere
    action.after, action.taken = keys[-1], action.taken + done
