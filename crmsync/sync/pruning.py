"""Forgetting what nobody needs any more, in small batches: SQLite has one writer, and it has other things to do. Entry: `prune()`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from crmsync import stopping
from crmsync.engine.records import SIDES, Side
from crmsync.models import BulkAction, Canary, Change, Contact, Decision, Event, HeldBatch, HeldWrite, PageCopy, Run, RunKind, Tally
from crmsync.sync.runs import UNDER_WAY

log = logging.getLogger(__name__)

BATCH = 500
PAUSE_S = 0.02
"""Between two batches others get their turn at writing."""

KEEP_EVENTS = timedelta(days=14)
"""Those that wait for a paused connection, too: the poll that follows when it goes on, and the rotating comparison, find what they told."""

KEEP_TALLIES = timedelta(days=400)
KEEP_POLLS = timedelta(days=30)
KEEP_COPIES = timedelta(days=7)
KEEP_DECISIONS = timedelta(minutes=1)
"""What it takes to undo one holds a person's values, and is of use for some seconds."""


def prune() -> Mapping[str, int]:
    """Delete what is past its time, and say how many rows of each went. A request to stop ends it after the batch in hand."""
    now = timezone.now()
    long_decided = HeldBatch.objects.filter(decided_at__lt=now - timedelta(days=settings.CHANGES_KEPT_DAYS))
    old: dict[str, QuerySet[Any]] = {
        "events": Event.objects.filter(received_at__lt=now - KEEP_EVENTS),
        "changes": Change.objects.filter(at__lt=now - timedelta(days=settings.CHANGES_KEPT_DAYS)),
        "held_writes": HeldWrite.objects.filter(batch__in=long_decided),
        "batches": long_decided.filter(~Exists(Contact.objects.filter(held_by=OuterRef("pk")))),  # what was rejected stays so
        "bulk_actions": BulkAction.objects.filter(ended_at__lt=now - KEEP_POLLS),  # what was searched for names people
        "canaries": Canary.objects.filter(ended_at__lt=now - KEEP_POLLS),
        "tallies": Tally.objects.filter(hour__lt=now - KEEP_TALLIES),
        "polls": _polls(now),
        "decisions": Decision.objects.filter(at__lt=now - KEEP_DECISIONS),
        **{f"{side}_copies": _copies(side, now) for side in SIDES},
    }
    gone = {name: _delete(rows) for name, rows in old.items()}
    if any(gone.values()):
        log.info("old rows are deleted", extra=gone)
    return gone


def _polls(now: datetime) -> QuerySet[Run]:
    """Polls that are over, but for those with changes: they go with their changes."""
    ended = Run.objects.filter(kind=RunKind.POLL, ended_at__lt=now - KEEP_POLLS).exclude(status__in=UNDER_WAY)
    return ended.filter(~Exists(Change.objects.filter(run=OuterRef("pk"))))


def _copies(side: Side, now: datetime) -> QuerySet[PageCopy]:
    """Copies that no reconcile will use up. Those of a run under way are its memory, and an unlinked contact is shown by its copy."""
    contacts = Contact.objects.filter(**{"sync": OuterRef("sync"), f"{side}_id": OuterRef("remote_id")})
    wanted = contacts.filter(Q(dirty__gt=0) | Q(**{f"{side.other}_id": None}))
    at_work = Run.objects.filter(sync=OuterRef("sync"), status__in=UNDER_WAY)
    return PageCopy.objects.filter(~Exists(wanted), ~Exists(at_work), side=side, read_at__lt=now - KEEP_COPIES)


def _delete(rows: QuerySet[Any]) -> int:
    count = 0
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=ids).delete()
        count += len(ids)
        if stopping.is_requested():
            break
        stopping.pause(PAUSE_S)
    return count
