"""django-q2's entry points. A job is a nudge: what there is to do stands in the tables, and a lost job loses nothing.

tick      once a second: what is due, and a nudge for it
live      what events and people ask for, as it comes
bulk      what was asked of many contacts at once, some seconds of it
work      runs that were begun, the poll, other contacts, the rotating comparison; for a minute at most, and the next tick goes on
upkeep    authorisations to renew, hooks to check
tell      what people want to be told without looking: alerts, and reports by e-mail
prune     once a day: what has been kept long enough
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import Failure, Success
from django_q.tasks import async_task

from crmsync import stopping
from crmsync.models import BulkAction, Cause, Connection, Contact, Event, Run, RunKind, Sync
from crmsync.sync import alerts, canary, events, hooks, mailing, polling, pruning, runs, tokens
from crmsync.sync import bulk as bulk_actions
from crmsync.sync.budget import now_s
from crmsync.sync.drain import HandedOver, OutOfOrder, attend, drain
from crmsync.sync.heartbeat import Heartbeat
from crmsync.sync.nudging import LIVE, WORK, is_alive, is_over, nudge, unattended
from crmsync.sync.outcome import close_issues
from crmsync.sync.session import open_session
from crmsync.sync.sweeping import sweep

log = logging.getLogger(__name__)

AT_WORK_S = 60.0
TURN_S = 3.0
"""Where several syncs are live, each has a worker for live changes for so long, and then lets another one have it. So it is with background
work where there is one worker only."""

KEEP_TASKS = timedelta(days=7)
PRUNED = "crmsync-pruned"
PRUNE_EVERY_S, PRUNE_AGAIN_S = 86_400, 3_600
"""Once a day; one that was cut off goes on in an hour."""
UPKEEP_EVERY_S = 60
TELL_EVERY_S = 60


def tick() -> None:
    """Queue a job for each sync that has something due. Cheap: a few queries where nothing is."""
    now = timezone.now()
    if cache.add(PRUNED, True, PRUNE_AGAIN_S):
        async_task("crmsync.jobs.prune")
    canary.follow_up()
    bulk_actions.nudge_all()
    needs_upkeep = Connection.objects.to_refresh(now).exists() or hooks.are_due(now) or events.unused().exists()
    if needs_upkeep and cache.add("crmsync-upkeep", True, UPKEEP_EVERY_S):
        async_task("crmsync.jobs.upkeep")
    if cache.add("crmsync-told", True, TELL_EVERY_S) and (mailing.is_wanted() or alerts.is_wanted()):
        async_task("crmsync.jobs.tell")
    for sync in due_live(now):
        nudge(sync.pk, LIVE)
    room = max(1, Conf.WORKERS - 1) - Sync.objects.exclude(unattended(WORK, now)).count()
    for sync in due_syncs(now)[: max(0, room)]:
        nudge(sync.pk, WORK)


def due_live(now: datetime) -> list[Sync]:
    """Syncs for which an event has come, or something urgent is due."""
    urgent = Contact.objects.due(now).filter(sync=OuterRef("pk"), is_urgent=True)
    events_waiting = Event.objects.waiting().filter(Q(connection=OuterRef("ghl")) | Q(connection=OuterRef("centralstation")))
    ready = Sync.objects.workable(now, now_s()).filter(unattended(LIVE, now), first_sync_done_at__isnull=False)
    return list(ready.filter(Exists(urgent) | Exists(events_waiting)))


def due_syncs(now: datetime) -> list[Sync]:
    """Syncs with background work due that nobody is at: no job, and no big run in a process of its own. Who waits longest comes first."""
    contacts = Contact.objects.due(now).filter(sync=OuterRef("pk"), is_urgent=False)
    under_way = Run.objects.filter(sync=OuterRef("pk"), status__in=runs.UNDER_WAY)
    begun, at_work = under_way.filter(_lost(now)), under_way.exclude(_lost(now)).filter(kind__in=runs.BIG)
    by_time = Q(poll_due_at__lte=now) | Q(sweep_due_at__lte=now)
    return list(
        Sync.objects.workable(now, now_s())
        .filter(unattended(WORK, now), ~Exists(at_work))
        .filter(Exists(contacts) | Exists(begun) | Q(by_time, first_sync_done_at__isnull=False))
        .order_by("poll_due_at", "pk")
    )


def _lost(now: datetime) -> Q:
    return Q(heartbeat_at=None) | Q(heartbeat_at__lt=now - runs.LOST_AFTER)


def live(sync_id: int) -> None:
    """Take up the events of a sync's accounts and reconcile what they and people ask for, as it comes; to the end of the bustle."""
    with _at(sync_id, LIVE):
        sync = Sync.objects.select_related("ghl", "centralstation").get(pk=sync_id)
        others = Sync.objects.live().exclude(pk=sync_id).exists()
        until = time.monotonic() + (TURN_S if others else AT_WORK_S)
        with _faults_told(sync), open_session(sync, Cause.WEBHOOK, is_live=True) as session:
            attend(session, lambda: events.take_up(session), until=until)
    if not stopping.is_requested():
        for sync in due_live(timezone.now()):  # came between our last look and our end
            nudge(sync.pk, LIVE)


def bulk(action_id: int) -> None:
    """Go on with a bulk action for a turn, and queue the next: it keeps no worker from live changes for longer."""
    action = BulkAction.objects.under_way().select_related("by").filter(pk=action_id).first()
    if action is None:
        return
    bulk_actions.carry_out(action, until=time.monotonic() + TURN_S)
    if action.ended_at is None and not stopping.is_requested():
        bulk_actions.nudge(action)


def work(sync_id: int) -> None:
    """Do what is due for one sync in the background."""
    with _at(sync_id, WORK):
        _work(sync_id, time.monotonic() + (AT_WORK_S if Conf.WORKERS > 1 else TURN_S))


@contextmanager
def _at(sync_id: int, lane: str) -> Iterator[None]:
    """At a lane of a sync: says that we are alive, and in the end that we are gone."""
    try:
        with Heartbeat(lambda: is_alive(sync_id, lane)):
            yield
    except stopping.Stopped:
        log.info("work ends where it can be taken up", extra={"sync": sync_id})
    finally:
        is_over(sync_id, lane)


def _work(sync_id: int, until: float) -> None:
    for run in Run.objects.filter(_lost(timezone.now()), sync=sync_id, status__in=runs.UNDER_WAY).order_by("id"):
        runs.work_on(run, until=until)
    sync = Sync.objects.select_related("ghl__budget", "centralstation__budget").get(pk=sync_id)
    if sync.first_sync_done_at and sync.poll_due_at and sync.poll_due_at <= timezone.now():
        Sync.objects.filter(pk=sync_id).update(poll_due_at=timezone.now() + timedelta(seconds=sync.poll_every_s))
        run = runs.work_on(runs.begin(sync, RunKind.POLL), until=until)
        Sync.objects.filter(pk=sync_id).update(poll_due_at=polling.next_poll(sync, run))
    _drain(sync, until)
    if sync.first_sync_done_at and (sync.sweep_due_at is None or sync.sweep_due_at <= timezone.now()):
        with _faults_told(sync):
            sweep(sync, until=until)


def _drain(sync: Sync, until: float) -> None:
    """Contacts that are due outside any run: automatic retries, and what a page or a person asked for."""
    if not sync.contacts.due(timezone.now()).filter(is_urgent=False).exists():
        return
    with _faults_told(sync), open_session(sync, Cause.AUTOMATIC_RETRY) as session:
        drain(session, until=until, lane=WORK)


@contextmanager
def _faults_told(sync: Sync) -> Iterator[None]:
    """Work that ends early goes on with the next tick, and that of a CRM out of order after a rest."""
    try:
        yield
    except HandedOver:
        pass
    except OutOfOrder as fault:
        log.warning("work rests", extra={"sync": sync.pk, "reason": fault.reason})
    canary.follow_up(sync)
    close_issues(sync)


def upkeep() -> None:
    """Keep authorisations alive, CentralStation's hooks in order, and set aside the events that nobody needs."""
    now = timezone.now()
    events.set_aside()
    tokens.refresh_due(now)
    hooks.keep(now)


def tell() -> None:
    """Tell people what they asked to be told."""
    now = timezone.now()
    alerts.watch(now)
    alerts.deliver(now)
    mailing.send_due(now)


def prune() -> None:
    """Forget what has been kept long enough, and django-q2's own records of finished jobs; ours tell more."""
    before = timezone.now() - KEEP_TASKS
    Success.objects.filter(stopped__lt=before).delete()
    Failure.objects.filter(stopped__lt=before).delete()
    pruning.prune()
    cache.set(PRUNED, True, PRUNE_EVERY_S)
