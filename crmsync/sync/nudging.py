"""Nudges: a queued job says "look what is due", and no more. What there is to do stands in the tables, so a lost nudge loses nothing.

Two lanes a sync, each with at most one job queued or at work: *live* for what events and people ask for, *work* for runs, polls and
the rest. A job that doesn't say any more that it is alive is given up for another.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task

from crmsync.models import Connection, Sync
from crmsync.sync.budget import now_s

LIVE, WORK = "live", "work"
MARK = {LIVE: "live_nudged_at", WORK: "nudged_at"}
"""The column that says when a lane's job was queued, or last said that it is alive."""

LOST_AFTER = timedelta(seconds=12)


def unattended(lane: str, now: datetime) -> Q:
    """Nobody is at this lane of a sync, and nobody is on the way."""
    return Q(**{MARK[lane]: None}) | Q(**{f"{MARK[lane]}__lt": now - LOST_AFTER})


def nudge(sync_id: int, lane: str) -> None:
    """Queue the lane's job, unless one is there."""
    now = timezone.now()
    if not Sync.objects.filter(unattended(lane, now), pk=sync_id).update(**{MARK[lane]: now}):
        return
    try:
        async_task(f"crmsync.jobs.{lane}", sync_id)
    except Exception:
        is_over(sync_id, lane)  # the next tick may have a broker
        raise


def nudge_live(connection: Connection) -> None:
    """An event has come: wake the syncs that it concerns."""
    now = timezone.now()
    concerned = Sync.objects.filter(Q(ghl=connection.pk) | Q(centralstation=connection.pk), first_sync_done_at__isnull=False)
    for sync_id in concerned.workable(now, now_s()).filter(unattended(LIVE, now)).values_list("pk", flat=True):
        nudge(sync_id, LIVE)


def is_alive(sync_id: int, lane: str) -> None:
    Sync.objects.filter(pk=sync_id).update(**{MARK[lane]: timezone.now()})


def is_over(sync_id: int, lane: str) -> None:
    Sync.objects.filter(pk=sync_id).update(**{MARK[lane]: None})
