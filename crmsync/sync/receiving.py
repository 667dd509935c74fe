"""Webhooks up to the stored event: whether the address is one, whether what came is to be trusted, and storing it before it is answered.

What is turned away is counted by its reason and never stored. Entry: `receive()`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from django.db import Error as DatabaseFault
from django.db import IntegrityError, transaction
from django.utils import timezone

from crmsync.engine.records import Side
from crmsync.models import Connection, Event, Tally
from crmsync.sync import addresses, authorisation
from crmsync.sync.events import tells_of
from crmsync.sync.nudging import nudge_live
from crmsync.sync.patience import Patience, bounded
from crmsync.systems.centralstation import webhooks as centralstation
from crmsync.systems.ghl import webhooks as ghl
from crmsync.systems.notice import Notice, TurnedAway, check_window

log = logging.getLogger(__name__)

LARGEST = 256 * 1024
"""Bytes of a body; the largest payload known is a contact with its custom fields."""

ASIDE_S = 1.0
"""How long counting and nudging may wait for the database: the sender is waiting, too."""

patience = Patience()


class NoSuchAddress(Exception):
    """There is no such connection, or its secret is another: which of the two isn't told."""


class WrongSecret(TurnedAway):
    reason: ClassVar[str] = "secret"


class Oversized(TurnedAway):
    reason: ClassVar[str] = "oversized"


class StoringFailed(Exception):
    """The database didn't answer, or not in time: the sender should come again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """An address that webhooks come to. Secret, model and event are what its path says."""

    connection_id: int
    via: Event.Via
    secret: str = ""
    model: str = ""
    event: str = ""

    @property
    def side(self) -> Side:
        return Side.CENTRALSTATION if self.via is Event.Via.HOOK else Side.GHL

    def read(self, connection: Connection, body: bytes | None, headers: Mapping[str, str]) -> Notice:
        """What came, once it is proved to be the CRM's. `body` is None where it is too large. Raises `TurnedAway`."""
        self._check_secret(connection)
        if body is None:
            raise Oversized(f"The body is larger than {LARGEST} bytes.")
        match self.via:
            case Event.Via.APP:
                ghl.verify(body, headers, connection.webhook_keys)
                notice = ghl.read(body)
                check_window(notice, timezone.now())
                return notice
            case Event.Via.WORKFLOW:
                return ghl.read_workflow(body)
            case Event.Via.HOOK:
                return centralstation.read(self.model, self.event, body)

    def _check_secret(self, connection: Connection) -> None:
        if self.via is Event.Via.APP:
            return
        is_workflow = self.via is Event.Via.WORKFLOW
        expected = addresses.workflow_secret(connection) if is_workflow else addresses.hook_secret(connection, self.model, self.event)
        if not addresses.is_same(self.secret, expected):
            raise WrongSecret("There is no such address.")


def receive(door: Door, body: bytes | None, headers: Mapping[str, str]) -> bool:
    """Store what came, within the time that a sender waits. True when it is new, False when it was stored before.

    Raises `NoSuchAddress`, `TurnedAway` (counted already), or `StoringFailed`: then nothing is stored that was not before."""
    try:
        with bounded(patience.seconds):
            connection = _connection(door)
            is_new = _take_in(door, connection, body, headers)
            if is_new:
                patience.regain()
                _nudge(connection)
            return is_new
    except DatabaseFault as fault:
        patience.lose()
        log.warning("a webhook couldn't be stored in time", extra={"connection": door.connection_id, "fault": type(fault).__name__})
        raise StoringFailed from fault


def _connection(door: Door) -> Connection:
    """Without its credentials, so that a key that is missing for them loses no event."""
    columns = ["system", "name", "webhook_keys"] + ([] if door.via is Event.Via.APP else ["webhook_secret"])
    connection = Connection.objects.filter(pk=door.connection_id, system=door.side).only(*columns).first()
    if connection is None:
        raise NoSuchAddress
    return connection


def _take_in(door: Door, connection: Connection, body: bytes | None, headers: Mapping[str, str]) -> bool:
    try:
        notice = door.read(connection, body, headers)
        return _store(door, connection, notice, (body or b"").decode())
    except TurnedAway as refusal:
        _count(connection, refusal)
        raise


def _store(door: Door, connection: Connection, notice: Notice, body: str) -> bool:
    """One insert; of two at once that are the same, one is refused by the table."""
    seen = Event.objects.filter(connection=connection, webhook_id=notice.webhook_id)
    if notice.webhook_id is not None and seen.exists():
        return False
    try:
        with transaction.atomic():
            Event.objects.create(connection=connection, via=door.via, type=notice.type, webhook_id=notice.webhook_id, body=body)
            if notice.is_uninstall and tells_of(notice, connection):  # at once: a later connecting must not be undone by it
                authorisation.uninstalled(connection)
    except IntegrityError:
        if notice.webhook_id is None or not seen.exists():
            raise
        return False
    return True


def _count(connection: Connection, refusal: TurnedAway) -> None:
    try:
        with bounded(ASIDE_S):
            Tally.add(connection.pk, f"refused:{refusal.reason}")
    except DatabaseFault:
        log.warning("a refused webhook couldn't be counted", extra={"connection": connection.pk, "reason": refusal.reason})


def _nudge(connection: Connection) -> None:
    """It is stored: whatever happens here, the next look at the tables finds it."""
    try:
        with bounded(ASIDE_S):
            nudge_live(connection)
    except Exception:
        log.exception("a stored webhook waits for the next look, for its nudge failed", extra={"connection": connection.pk})
