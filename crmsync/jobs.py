"""django-q2's entry points. A job is a nudge: what there is to do stands in the tables, and a lost job loses nothing.

`tick` asks once a second what is due and queues at most one job a sync; `work` does it, for a minute at most, and the next tick goes on.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django_q.models import Failure, Success
from django_q.tasks import async_task

from crmsync import stopping
from crmsync.models import Cause, Contact, Health, Run, RunKind, Sync
from crmsync.sync import runs
from crmsync.sync.drain import HandedOver, OutOfOrder, drain
from crmsync.sync.heartbeat import Heartbeat
from crmsync.sync.outcome import close_issues
from crmsync.sync.session import open_session

log = logging.getLogger(__name__)

LOST_AFTER = timedelta(seconds=20)
"""A queued job that doesn't begin, or one that doesn't say any more that it is alive, is given up for another."""

AT_WORK_S = 60.0
KEEP_TASKS = timedelta(days=7)
PRUNE_EVERY_S = 86_400


def tick() -> None:
    """Queue a job for each sync that has something due. Cheap: one query where nothing is."""
    now = timezone.now()
    if cache.add("crmsync-pruned", True, PRUNE_EVERY_S):
        async_task("crmsync.jobs.prune")
    for sync in due_syncs(now):
        if Sync.objects.filter(_unattended(now), pk=sync.pk).update(nudged_at=now):
            async_task("crmsync.jobs.work", sync.pk)


def due_syncs(now: datetime) -> list[Sync]:
    """Syncs that are live, whose accounts let us in, and that nobody is at: no job, and no big run in a process of its own."""
    contacts = Contact.objects.due(now).filter(sync=OuterRef("pk"))
    under_way = Run.objects.filter(sync=OuterRef("pk"), status__in=runs.UNDER_WAY)
    begun, at_work = under_way.filter(_lost(now)), under_way.exclude(_lost(now)).filter(kind__in=runs.BIG)
    return list(
        Sync.objects.live()
        .exclude(Q(ghl__health=Health.REFUSED) | Q(centralstation__health=Health.REFUSED) | Q(rest_until__gt=now))
        .filter(_unattended(now), ~Exists(at_work))
        .filter(Exists(contacts) | Exists(begun) | Q(first_sync_done_at__isnull=False, poll_due_at__lte=now))
    )


def _unattended(now: datetime) -> Q:
    return Q(nudged_at=None) | Q(nudged_at__lt=now - LOST_AFTER)


def _lost(now: datetime) -> Q:
    return Q(heartbeat_at=None) | Q(heartbeat_at__lt=now - runs.LOST_AFTER)


def work(sync_id: int) -> None:
    """Do what is due for one sync: runs that were begun, the poll, the contacts."""
    until = time.monotonic() + AT_WORK_S
    try:
        with Heartbeat(lambda: Sync.objects.filter(pk=sync_id).update(nudged_at=timezone.now())):
            _work(sync_id, until)
    except stopping.Stopped:
        log.info("work ends where it can be taken up", extra={"sync": sync_id})
    finally:
        Sync.objects.filter(pk=sync_id).update(nudged_at=None)


def _work(sync_id: int, until: float) -> None:
    for run in Run.objects.filter(_lost(timezone.now()), sync=sync_id, status__in=runs.UNDER_WAY).order_by("id"):
        runs.work_on(run, until=until)
    sync = Sync.objects.select_related("ghl", "centralstation").get(pk=sync_id)
    if sync.first_sync_done_at and sync.poll_due_at and sync.poll_due_at <= timezone.now():
        Sync.objects.filter(pk=sync_id).update(poll_due_at=timezone.now() + timedelta(seconds=sync.poll_every_s))
        runs.work_on(runs.begin(sync, RunKind.POLL), until=until)
    _drain(sync, until)


def _drain(sync: Sync, until: float) -> None:
    """Contacts that are due outside any run: automatic retries, and what a page or a person asked for."""
    if not sync.contacts.due(timezone.now()).exists():
        return
    with open_session(sync, Cause.AUTOMATIC_RETRY) as session:
        try:
            drain(session, until=until)
        except HandedOver:
            pass  # the next tick goes on
        except OutOfOrder as fault:
            log.warning("work rests", extra={"sync": sync.pk, "reason": fault.reason})
    close_issues(sync)


def prune() -> None:
    """Forget django-q2's own records of finished jobs; ours tell more."""
    before = timezone.now() - KEEP_TASKS
    Success.objects.filter(stopped__lt=before).delete()
    Failure.objects.filter(stopped__lt=before).delete()
