"""Working off what is due: several contacts at a time, enough to keep a slow CRM busy, in one process."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta

from django.db import connection as database
from django.db.models.functions import Mod
from django.utils import timezone

from crmsync import stopping
from crmsync.engine.records import Side
from crmsync.models import LOCKED_OUT, Connection, Contact, Health, Status, Sync
from crmsync.sync import intake
from crmsync.sync.brakes import let_go
from crmsync.sync.heartbeat import Heartbeat
from crmsync.sync.nudging import LIVE
from crmsync.sync.pairing import LEASE_FOR
from crmsync.sync.reconcile import reconcile
from crmsync.sync.session import Session
from crmsync.sync.tokens import needs_reconnecting
from crmsync.systems.errors import AuthorisationRefused, CredentialsRefused, CrmError, Resting

log = logging.getLogger(__name__)

AT_ONCE = 8
"""15 calls a second at 300 ms are between four and five under way; a contact also waits for the database and for its turn."""

BATCH = 64
STRIDE = 61
"""Contacts that became due together are taken in steps of so many: by id, all of one side would come first and the other would idle."""

VERIFY_BATCH = 200
SOON = timedelta(seconds=3)

LOOK_EVERY_S = 0.05
LINGER_S = 0.5
"""Whoever changes one thing often changes another: a job that stays a moment has its connections to the CRMs open."""


class HandedOver(Exception):
    """This piece of work ends here (its time is over, or the sync was paused); what is left stays due."""


class OutOfOrder(Exception):
    """A side can't be worked with now; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Crew:
    """Threads that reconcile the contacts they are handed, each in one thread's hands. They are made as they are needed.

    `fault` is what stopped them: credentials refused, a CRM out of order, or an error of ours."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._ids: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._in_hand: set[int] = set()
        self.fault: BaseException | None = None

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        """Let them finish what they are at; what they haven't begun stays due."""
        with suppress(queue.Empty):
            while True:
                self._ids.get_nowait()
        for _thread in self._threads:
            self._ids.put(None)
        for thread in self._threads:
            thread.join()

    @property
    def in_hand(self) -> int:
        return len(self._in_hand)

    def hand(self, ids: Iterable[int]) -> int:
        """Hand out these contacts, but those that are in hand already. Returns how many were new."""
        with self._changed:
            new = [one for one in ids if one not in self._in_hand]
            self._in_hand.update(new)
        for one in new:
            self._ids.put(one)
        while len(self._threads) < min(AT_ONCE, self.in_hand):
            thread = threading.Thread(target=self._work, daemon=True, name=f"reconcile-{len(self._threads)}")
            self._threads.append(thread)
            thread.start()
        return len(new)

    def wait(self, seconds: float) -> None:
        """Until one of them is done, but so long at most."""
        with self._changed:
            self._changed.wait(seconds)

    def _work(self) -> None:
        try:
            while (contact_id := self._ids.get()) is not None:
                if self.fault is None and not stopping.is_requested():
                    self._reconcile(contact_id)
                with self._changed:
                    self._in_hand.discard(contact_id)
                    self._changed.notify_all()
        finally:
            database.close()

    def _reconcile(self, contact_id: int) -> None:
        try:
            reconcile(self._session, contact_id)
        except stopping.Stopped:
            pass
        except (CredentialsRefused, Resting) as error:
            self.fault = self.fault or error
        except Exception as error:
            log.exception("reconciling stopped")
            self.fault = self.fault or error


def drain(session: Session, *, until: float | None = None, lane: str | None = None) -> None:
    """Reconcile what is due until nothing is (or `until`, by the monotonic clock), verifying in bulk what was written.

    `lane`: only what is urgent (LIVE) or isn't (WORK); None for both. Raises `OutOfOrder` when a side can't be worked with, after noting
    it on its connection, `HandedOver`, and `stopping.Stopped`."""
    let_go(session.sync)  # what the brake has gathered long enough
    while True:
        with Heartbeat(lambda: renew_leases(session)), Crew(session) as crew:
            _work_off(session, crew, until, lane)
        _look_up(session, crew.fault, until)
        if session.is_bulk and read_back(session):
            continue
        if not _wait_for_what_is_due_soon(session.sync, lane) and not let_go(session.sync):
            return


def _work_off(session: Session, crew: Crew, until: float | None, lane: str | None) -> None:
    """Hand out what is due, a batch at a time, until nothing is and nothing is in hand."""
    while crew.fault is None and not _is_time_up(until):
        if crew.in_hand <= BATCH // 4:
            due = [] if is_paused(session.sync) else _due(session.sync, lane)
            if not crew.hand(due) and not crew.in_hand:
                return
        crew.wait(0.5)


def attend(session: Session, hear: Callable[[], int], *, until: float) -> None:
    """The live lane: take up what is heard and reconcile what is urgent, as it comes, until nothing has come for `LINGER_S`.

    Raises as `drain` does."""
    quiet_since = time.monotonic()
    with Heartbeat(lambda: renew_leases(session)), Crew(session) as crew:
        while crew.fault is None and not _is_time_up(until) and not is_paused(session.sync):
            if hear() + crew.hand(_due(session.sync, LIVE)) or crew.in_hand:
                quiet_since = time.monotonic()
            if time.monotonic() - quiet_since > LINGER_S and not let_go(session.sync):
                return
            crew.wait(LOOK_EVERY_S)
    _look_up(session, crew.fault, until)


def _due(sync: Sync, lane: str | None) -> list[int]:
    due = sync.contacts.due(timezone.now())
    if lane is not None:
        due = due.filter(is_urgent=lane == LIVE)
    return list(due.order_by("-is_urgent", "due_at", Mod("id", STRIDE), "id").values_list("pk", flat=True)[:BATCH])


def _is_time_up(until: float | None) -> bool:
    return stopping.is_requested() or (until is not None and time.monotonic() > until)


def _look_up(session: Session, fault: BaseException | None, until: float | None) -> None:
    """Why did they stop? Raises what is told of in `drain`; comes back where nothing was left."""
    if stopping.is_requested():
        raise stopping.Stopped
    if fault is not None:
        _give_up(session, fault)
    if (until is not None and time.monotonic() > until) or is_paused(session.sync):
        raise HandedOver


def renew_leases(session: Session) -> None:
    """Keep what is in hand: a wait for budget and a slow answer together may outlive a lease."""
    Contact.objects.filter(lease_token__in=list(session.held)).update(lease_until=timezone.now() + LEASE_FOR)


def is_paused(sync: Sync) -> bool:
    return not Sync.objects.live().filter(pk=sync.pk).exists()


def _give_up(session: Session, fault: BaseException) -> None:
    sync = session.sync
    if isinstance(fault, CredentialsRefused):
        refuse(sync.ghl if fault.side is Side.GHL else sync.centralstation, fault)
        raise OutOfOrder(fault.message) from fault
    if isinstance(fault, Resting):
        unreachable(sync, fault)
        raise OutOfOrder(fault.message) from fault
    raise fault


def refuse(connection: Connection, error: CrmError) -> None:
    """Note on a connection that its credentials are refused: nothing asks it by itself until it has been tested, or connected anew.

    A refused authorisation has been noted where it was refused, and may have been given anew since."""
    if isinstance(error, AuthorisationRefused):
        return
    health, reason = (Health.RECONNECT, needs_reconnecting(error.message)) if connection.is_oauth else (Health.REFUSED, error.message)
    Connection.objects.filter(pk=connection.pk).update(health=health, health_reason=reason, tested_at=timezone.now())


def unreachable(sync: Sync, error: CrmError) -> None:
    """Note on a connection that its CRM is out of order; a run that comes to its end takes that back."""
    connection_id = sync.ghl_id if error.side is Side.GHL else sync.centralstation_id
    Connection.objects.filter(pk=connection_id).exclude(health__in=LOCKED_OUT).update(
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


def _wait_for_what_is_due_soon(sync: Sync, lane: str | None) -> bool:
    """A contact that waits for another worker's claim is due again at once: wait for those, not for retries. False if there are none."""
    soon = sync.contacts.wanted().filter(dirty__gt=0, due_at__lte=timezone.now() + SOON).exclude(status=Status.FAILED)
    if lane is not None:
        soon = soon.filter(is_urgent=lane == LIVE)
    if not soon.exists():
        return False
    stopping.wait(0.3)
    return True
