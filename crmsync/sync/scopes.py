"""What a connection's permissions allow: decided before a call, learned from a refusal, told wherever it matters."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from crmsync.engine.records import Side
from crmsync.models import LOCKED_OUT, Connection, Health, Sync
from crmsync.systems.errors import PermissionMissing
from crmsync.systems.ghl import operations as op
from crmsync.systems.ghl.client import WITHOUT
from crmsync.systems.ghl.oauth import AGENCY_SCOPES, SCOPES

ONE_WAY = "one_way"
"""The code of the notice on a sync that goes one way only."""


def missing(connection: Connection) -> frozenset[str]:
    """Scopes that no request needs to try: what the authorisation didn't grant, and what a test or a refusal has told."""
    return not_granted(connection) | frozenset(connection.missing_scopes)


def not_granted(connection: Connection) -> frozenset[str]:
    """Empty where nobody told what was granted (a private integration token)."""
    if connection.side is not Side.GHL or connection.granted_scopes is None:
        return frozenset()
    return frozenset(SCOPES) - set(connection.granted_scopes)


@dataclass(frozen=True, slots=True)
class Permission:
    """One that crmsync asks for. `is_granted` is None where nothing has told yet."""

    scope: str
    needed_for: str
    is_granted: bool | None


def permissions(connection: Connection) -> list[Permission]:
    """What a GoHighLevel account is asked for, with what is known of each; [] for CentralStation, whose key may all that its user may."""
    if connection.side is not Side.GHL:
        return []
    lacking = missing(connection)
    told = set(connection.granted_scopes or ()) | ({op.READ, *WITHOUT} if connection.tested_at else set())
    asked = {**SCOPES, **AGENCY_SCOPES} if connection.company_id else SCOPES
    return [Permission(scope, what, False if scope in lacking else (True if scope in told else None)) for scope, what in asked.items()]


def is_writing_known(connection: Connection) -> bool:
    """Whether it is known what the token may write: told, tested, or met."""
    return connection.granted_scopes is not None or connection.tested_at is not None or op.WRITE in connection.missing_scopes


def learn(connection_id: int, error: PermissionMissing) -> None:
    """A refusal told of a missing scope: remember it, with what goes without it."""
    without = WITHOUT.get(error.scope)
    if without is None:
        return  # what nothing goes without ends the work by itself; what nobody needs holds up nobody
    with transaction.atomic():
        connection = Connection.objects.select_for_update().get(pk=connection_id)
        connection.missing_scopes = {**connection.missing_scopes, error.scope: without}
        if connection.health not in LOCKED_OUT:
            connection.health, connection.health_reason = Health.LIMITED, " ".join(connection.missing_scopes.values())
        connection.save(update_fields=["missing_scopes", "health", "health_reason"])
    tell_syncs(connection)


def tell_syncs(connection: Connection) -> None:
    """Put the notice on the connection's syncs that they go one way only, or take it off."""
    is_one_way_now = is_one_way(connection)
    for pk in Sync.objects.filter(Q(ghl=connection)).values_list("pk", flat=True):
        with transaction.atomic():
            sync = Sync.objects.select_for_update().get(pk=pk)
            notices = {code: text for code, text in sync.notices.items() if code != ONE_WAY}
            if is_one_way_now:
                notices[ONE_WAY] = one_way(connection)
            if notices != sync.notices:
                sync.notices = notices
                sync.save(update_fields=["notices"])


def is_one_way(connection: Connection) -> bool:
    """Whether nothing can be written to it."""
    return connection.side is Side.GHL and op.WRITE in missing(connection)


def one_way(connection: Connection) -> str:
    """What a sync says that can't write to GoHighLevel, and what to do about it."""
    if connection.is_oauth:
        return _(
            "One way only: from GoHighLevel to CentralStationCRM. Nothing is written to GoHighLevel, because the authorisation lacks "
            "contacts.write. Press Reconnect on the connection's page and grant it; what waits goes on by itself."
        )
    return _(
        "One way only: from GoHighLevel to CentralStationCRM. Nothing is written to GoHighLevel, because the token lacks contacts.write. "
        "Grant contacts.write to the private integration and test the connection; what waits goes on by itself."
    )
