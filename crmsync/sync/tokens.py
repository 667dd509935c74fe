"""The token of a connection, kept alive: renewed ahead of its end and when the CRM refuses it, by one process at a time.

A refresh token is used up by one use, so two must never be under way at once, and no answer may get lost here:

    who renews takes the connection's lease by one conditional UPDATE; the others go on with the old token, or wait for the new one
    the new pair is stored before anything else is done, however long the database is away
    an answer that got lost is met by one more try with the same refresh token; only a refusal ends the authorisation
    a process killed between answer and storing leaves the old refresh token: the next try decides

A refusal is stored on the connection: it needs to be reconnected, and nothing asks it by itself until then.
"""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db import connection as database
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync import stopping
from crmsync.engine.records import Side
from crmsync.models import Connection, Health
from crmsync.systems.errors import AuthorisationRefused, CrmError, TryLater, Unanswered, Unavailable, UnexpectedAnswer
from crmsync.systems.ghl.oauth import Authority, Grant

log = logging.getLogger(__name__)

LONGEST_LEAD = timedelta(minutes=5)
LEASE_FOR = timedelta(seconds=90)
"""Longer than two requests take; a process that is killed meanwhile holds up the others no longer."""

LOOK_EVERY_S = 0.2
LONGEST_WAIT_S = 100.0
"""A token that another process is renewing isn't waited for any longer than its lease may last."""

REST = timedelta(seconds=15)
"""Where renewing ahead of the end failed, the old token serves so long before the next try."""

STORE_FOR_S = 120.0
"""A new pair that the database doesn't take is kept trying to store: with it the authorisation would be lost."""


@dataclass(frozen=True, slots=True)
class Held:
    """A token as it was stored last. Times are None for one that doesn't end by itself."""

    token: str
    refresh_at: datetime | None
    expires_at: datetime | None

    def __repr__(self) -> str:
        return f"<Held until {self.expires_at}>"

    def is_fresh(self, now: datetime) -> bool:
        return self.is_usable(now) and (self.refresh_at is None or now < self.refresh_at)

    def is_usable(self, now: datetime) -> bool:
        return bool(self.token) and (self.expires_at is None or now < self.expires_at)


class StoredCredentials:
    """`crmsync.systems.base.Credentials` of a connection: an access token, or one that nobody renews but a person may replace."""

    def __init__(self, connection: Connection) -> None:
        self._pk = connection.pk
        self._is_oauth = connection.is_oauth
        self._held = _held(connection)

    def token(self) -> str:
        if not self._is_oauth or self._held.is_fresh(timezone.now()):
            return self._held.token
        return self._another(self._held.token, is_refused=False).token

    def renew(self, refused: str) -> bool:
        if self._is_oauth:
            return self._another(refused, is_refused=True).token != refused
        self._held = _held(Connection.objects.get(pk=self._pk))
        return self._held.token != refused

    def _another(self, stale: str, *, is_refused: bool) -> Held:
        """The token that is to be used instead of `stale`, which is refused or about to end."""
        until = time.monotonic() + LONGEST_WAIT_S
        while True:
            row = Connection.objects.get(pk=self._pk)
            self._held, now = _held(row), timezone.now()
            if row.health == Health.RECONNECT:
                raise AuthorisationRefused(row.health_reason, side=Side.GHL)
            if self._held.is_fresh(now) and not (is_refused and self._held.token == stale):
                return self._held
            may_wait = is_refused or not self._held.is_usable(now)
            if (renewed := _renew_alone(row, is_urgent=may_wait)) is not None:
                self._held = renewed
                return renewed
            if not may_wait:
                return self._held
            if time.monotonic() > until:
                raise Unavailable(_("GoHighLevel's token is being renewed, and that takes too long."), side=Side.GHL)
            stopping.wait(LOOK_EVERY_S)


def _held(row: Connection) -> Held:
    return Held(row.credential, row.refresh_at, row.expires_at)


def refresh(connection: Connection) -> None:
    """Renew now, whatever the connection's health says. Raises `AuthorisationRefused` and `Unavailable`; brings `connection` up to date."""
    until = time.monotonic() + LONGEST_WAIT_S
    connection.refresh_from_db()
    while _renew_alone(connection, is_urgent=True) is None:
        if time.monotonic() > until:
            raise Unavailable(_("GoHighLevel's token is being renewed, and that takes too long."), side=Side.GHL)
        stopping.wait(LOOK_EVERY_S)
    connection.refresh_from_db()


def refresh_due(now: datetime) -> None:
    """Renew what is about to end, idle connections among them: an authorisation that nobody uses would die."""
    for connection in Connection.objects.to_refresh(now):
        try:
            StoredCredentials(connection).token()
        except CrmError as error:
            log.warning("authorisation not renewed", extra={"connection": connection.pk, "code": error.code})


def _renew_alone(row: Connection, *, is_urgent: bool) -> Held | None:
    """The renewed token; None while somebody else renews it. `is_urgent`: the old one is of no use any more.

    Raises `AuthorisationRefused`, with that stored, and `TryLater`, unless the old token does for a while."""
    lease, now = uuid.uuid4().hex, timezone.now()
    free = Q(refresh_lease_until=None) | Q(refresh_lease_until__lte=now)
    if not Connection.objects.filter(free, pk=row.pk).update(refresh_lease=lease, refresh_lease_until=now + LEASE_FOR):
        return None
    try:
        latest = Connection.objects.get(pk=row.pk)
        if latest.credential != row.credential:  # somebody was faster
            return _held(latest)
        return _renew(latest)
    except (TryLater, UnexpectedAnswer) as error:
        Connection.objects.filter(pk=row.pk, refresh_lease=lease).update(refresh_at=timezone.now() + REST)
        if is_urgent:
            raise Unavailable(error.message, side=Side.GHL, operation=error.operation, status=error.status) from error
        return _held(Connection.objects.get(pk=row.pk))
    finally:
        Connection.objects.filter(pk=row.pk, refresh_lease=lease).update(refresh_lease="", refresh_lease_until=None)


def _renew(row: Connection) -> Held:
    used = row.refresh_token
    try:
        if not used or not row.account_id:
            raise AuthorisationRefused(_("Nobody has said yes in GoHighLevel yet, or chosen a location."), side=Side.GHL)
        grant = ask_twice(row, used)
        if not store(row, grant, used=used):
            return _held(Connection.objects.get(pk=row.pk))
        if row.company_id:
            take_location(row, grant)
    except AuthorisationRefused as error:
        return _refused(row, used, error)
    log.info("authorisation renewed", extra={"connection": row.pk})
    return _held(row)


def authority_of(connection: Connection) -> Authority:
    return Authority(connection.root, connection.client_id, connection.client_secret)


def ask_twice(row: Connection, refresh_token: str, *, is_known: bool = True) -> Grant:
    """A lost answer may have used the refresh token up, or not: one more try tells. `is_known`: whether an agency's, the row tells."""
    authority, for_agency = authority_of(row), bool(row.company_id) if is_known else None
    try:
        return authority.refresh(refresh_token, for_agency=for_agency)
    except (Unanswered, UnexpectedAnswer):
        log.warning("the answer to renewing an authorisation got lost", extra={"connection": row.pk})
        return authority.refresh(refresh_token, for_agency=for_agency)


def store(row: Connection, grant: Grant, *, used: str | None = None) -> bool:
    """Store a new pair, and what came with it, at once. `used`: only if that is still the refresh token stored, else False: then somebody
    else has a newer one. An agency's own token is never the connection's: that is the location's, see `take_location`."""
    values: dict[str, object] = {"refresh_token": grant.refresh_token or used or ""}
    if grant.is_agencys:
        values |= {"company_id": grant.company_id or row.company_id, "refresh_at": timezone.now() if row.account_id else None}
    else:
        values |= {"company_id": "", "account_id": row.account_id or grant.location_id or "", **_of_access(grant)}
    values |= {} if grant.scopes is None else {"granted_scopes": grant.scopes}
    return _store(row, values, used)


def take_location(row: Connection, agency: Grant) -> None:
    """Exchange an agency's token for the one of the connection's location, and store it. Without a location there is nothing to take."""
    if not row.account_id:
        return
    grant = authority_of(row).location_token(agency.access_token, row.company_id, row.account_id)
    scopes = grant.scopes if grant.scopes is not None else agency.scopes
    _store(row, {**_of_access(grant), **({} if scopes is None else {"granted_scopes": scopes})}, row.refresh_token)


def _of_access(grant: Grant) -> dict[str, object]:
    """Renewed ahead by a tenth of its life, five minutes at most."""
    now, life = timezone.now(), timedelta(seconds=max(1.0, grant.expires_in))
    expires_at = now + life
    return {"credential": grant.access_token, "expires_at": expires_at, "refresh_at": expires_at - min(life / 10, LONGEST_LEAD)}


def _store(row: Connection, values: dict[str, object], used: str | None) -> bool:
    until = time.monotonic() + STORE_FOR_S
    while True:
        try:
            return _store_once(row, values, used)
        except DatabaseError:
            if time.monotonic() > until or database.in_atomic_block:
                raise
            log.warning("the database doesn't take a new token yet", extra={"connection": row.pk})
            database.close()
            time.sleep(LOOK_EVERY_S)


def _store_once(row: Connection, values: dict[str, object], used: str | None) -> bool:
    with transaction.atomic():
        latest = Connection.objects.select_for_update().get(pk=row.pk)
        if used is not None and latest.refresh_token != used:
            return False
        if latest.health == Health.RECONNECT:
            values = {**values, "health": Health.UNTESTED, "health_reason": ""}
        Connection.objects.filter(pk=row.pk).update(**values)
    for name, value in values.items():
        setattr(row, name, value)
    return True


def _refused(row: Connection, used: str, error: AuthorisationRefused) -> Held:
    """Only connecting anew helps: store that. Where somebody else has stored a newer pair meanwhile, ours was merely late."""
    reason = needs_reconnecting(error.message)
    with transaction.atomic():
        latest = Connection.objects.select_for_update().get(pk=row.pk)
        if latest.refresh_token not in (used, row.refresh_token):
            return _held(latest)
        Connection.objects.filter(pk=row.pk).update(health=Health.RECONNECT, health_reason=reason, tested_at=timezone.now())
    log.warning("authorisation refused", extra={"connection": row.pk})
    raise AuthorisationRefused(reason, side=Side.GHL, operation=error.operation, status=error.status) from None


def needs_reconnecting(why: str) -> str:
    """The reason of a connection that a person has to connect anew."""
    return _("%(why)s Press Reconnect on the connection's page. Until then nothing is sent, and nothing is lost: changes wait.") % {
        "why": why
    }
