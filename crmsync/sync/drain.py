"""Working off what is due: several contacts at a time, enough to keep a slow CRM busy, in one process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

from django.db import connection as database
from django.db.models.functions import Mod
from django.utils import timezone

from crmsync import stopping
from crmsync.engine.records import Side
from crmsync.models import Connection, Contact, Health, Status, Sync
from crmsync.sync import intake
from crmsync.sync.heartbeat import Heartbeat
from crmsync.sync.pairing import LEASE_FOR
from crmsync.sync.reconcile import reconcile
from crmsync.sync.session import Session
from crmsync.systems.errors import CredentialsRefused, CrmError

log = logging.getLogger(__name__)

AT_ONCE = 8
"""15 calls a second at 300 ms are between four and five under way; a contact also waits for the database and for its turn."""

BATCH = 64
STRIDE = 61
"""Contacts that became due together are taken in steps of so many: by id, all of one side would come first and the other would idle."""

VERIFY_BATCH = 200
REST_AFTER = 6
"""So many failures in a row that pass by themselves mean that a CRM is out of order: rest instead of asking for every contact."""
REST_FOR = timedelta(seconds=30)
SOON = timedelta(seconds=3)


class HandedOver(Exception):
    """This piece of work ends here (its time is over, or the sync was paused); what is left stays due."""


class OutOfOrder(Exception):
    """A side can't be worked with now; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Feed:
    """Hands out the ids of due contacts to many threads, each once a drain unless it becomes due again."""

    def __init__(self, sync: Sync, until: float | None) -> None:
        self._sync = sync
        self._until = until
        self._lock = threading.Lock()
        self._ids: list[int] = []
        self._failures = 0
        self.fault: BaseException | None = None

    def __iter__(self) -> Iterator[int]:
        while (contact_id := self._next()) is not None:
            yield contact_id

    def _next(self) -> int | None:
        with self._lock:
            if self.fault or stopping.is_requested() or (self._until is not None and time.monotonic() > self._until):
                return None
            if not self._ids and not is_paused(self._sync):
                due = self._sync.contacts.due(timezone.now()).order_by("due_at", Mod("id", STRIDE), "id").values_list("pk", flat=True)
                self._ids = list(due[:BATCH])[::-1]
            return self._ids.pop() if self._ids else None

    def done(self, status: Status | None, *, will_retry: bool) -> None:
        """Count failures in a row; the many in a row stop the drain."""
        with self._lock:
            self._failures = self._failures + 1 if will_retry else (0 if status else self._failures)
            if self._failures >= REST_AFTER and not self.fault:
                self.fault = OutOfOrder("")

    def stop(self, fault: BaseException) -> None:
        with self._lock:
            self.fault = self.fault or fault


def drain(session: Session, *, until: float | None = None) -> None:
    """Reconcile what is due until nothing is (or `until`, by the monotonic clock), verifying in bulk what was written.

    Raises `OutOfOrder` when a side can't be worked with, after noting it on the sync or its connection, `HandedOver`, and
    `stopping.Stopped`."""
    while True:
        _in_threads(session, until)
        if (until is not None and time.monotonic() > until) or is_paused(session.sync):
            raise HandedOver
        if session.is_bulk and read_back(session):
            continue
        if not _wait_for_what_is_due_soon(session.sync):
            return


def _in_threads(session: Session, until: float | None) -> None:
    feed = Feed(session.sync, until)
    threads = [threading.Thread(target=_work, args=(session, feed), daemon=True, name=f"reconcile-{n}") for n in range(AT_ONCE)]
    with Heartbeat(lambda: renew_leases(session)):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if stopping.is_requested():
        raise stopping.Stopped
    if feed.fault is not None:
        _give_up(session, feed.fault)


def renew_leases(session: Session) -> None:
    """Keep what is in hand: a wait for budget and a slow answer together may outlive a lease."""
    Contact.objects.filter(lease_token__in=list(session.held)).update(lease_until=timezone.now() + LEASE_FOR)


def _work(session: Session, feed: Feed) -> None:
    try:
        for contact_id in feed:
            status = reconcile(session, contact_id)
            retries = status == Status.FAILED and session.sync.contacts.filter(pk=contact_id, due_at__isnull=False).exists()
            feed.done(status, will_retry=retries)
    except stopping.Stopped:
        pass
    except CredentialsRefused as error:
        feed.stop(error)
    except Exception as error:
        log.exception("reconciling stopped")
        feed.stop(error)
    finally:
        database.close()


def is_paused(sync: Sync) -> bool:
    return not Sync.objects.live().filter(pk=sync.pk).exists()


def _give_up(session: Session, fault: BaseException) -> None:
    sync = session.sync
    if isinstance(fault, CredentialsRefused):
        refuse(sync.ghl if fault.side is Side.GHL else sync.centralstation, fault)
        raise OutOfOrder(fault.message) from fault
    if isinstance(fault, OutOfOrder):
        Sync.objects.filter(pk=sync.pk).update(rest_until=timezone.now() + REST_FOR)
        if session.outage is not None:
            unreachable(sync, session.outage)
        last = sync.contacts.filter(status=Status.FAILED).order_by("-updated_at").values_list("reason", flat=True).first()
        raise OutOfOrder(last or "") from None
    raise fault


def refuse(connection: Connection, error: CrmError) -> None:
    """Note on a connection that its credentials are refused: nothing asks it by itself until it has been tested."""
    Connection.objects.filter(pk=connection.pk).update(health=Health.REFUSED, health_reason=error.message, tested_at=timezone.now())


def unreachable(sync: Sync, error: CrmError) -> None:
    """Note on a connection that its CRM is out of order; a run that comes to its end takes that back."""
    connection_id = sync.ghl_id if error.side is Side.GHL else sync.centralstation_id
    Connection.objects.filter(pk=connection_id).exclude(health=Health.REFUSED).update(
        health=Health.UNREACHABLE, health_reason=error.message, tested_at=timezone.now()
    )


def reachable(sync: Sync) -> None:
    """Both CRMs have answered."""
    down = Connection.objects.filter(pk__in=[sync.ghl_id, sync.centralstation_id], health=Health.UNREACHABLE)
    down.exclude(missing_scopes={}).update(health=Health.LIMITED, health_reason="", tested_at=timezone.now())
    down.update(health=Health.OK, health_reason="", tested_at=timezone.now())


def read_back(session: Session) -> bool:
    """Read in bulk the people that were written to and not shown, and make them due with what was read. False if there are none."""
    side = Side.CENTRALSTATION
    waiting = session.sync.contacts.filter(awaiting_read_back=True, status=Status.PENDING, lease_until__lte=timezone.now())
    rows = list(waiting.order_by("id")[:VERIFY_BATCH])
    if not rows:
        return False
    read_at = timezone.now()
    try:
        records = list(session.systems[side].read_many([str(row.centralstation_id) for row in rows]))
    except CrmError as error:
        log.warning("bulk verification failed", extra={"code": error.code})
        records = []
    intake.keep(session.sync, records, read_at=read_at, direct=True)
    session.sync.contacts.filter(pk__in=[row.pk for row in rows]).update(awaiting_read_back=False, due_at=timezone.now())
    return True


def _wait_for_what_is_due_soon(sync: Sync) -> bool:
    """A contact that waits for another worker's claim is due again at once: wait for those, not for retries. False if there are none."""
    soon = sync.contacts.wanted().filter(dirty__gt=0, due_at__lte=timezone.now() + SOON).exclude(status=Status.FAILED)
    if not soon.exists():
        return False
    stopping.wait(0.3)
    return True
