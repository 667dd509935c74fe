"""Words for the tests of authorisations: an account let in by OAuth, and time that passes for its token."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from crmsync.models import Connection
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from crmsync.sync import authorisation
from crmsync.systems.ghl.oauth import AGENCY_SCOPES, SCOPES

AGENCY = {"app_type": "Company", "other_locations": {"SandboxLocation00002": "Branch"}}
CLIENT = {"client_id": DEMO_CLIENT_ID, "client_secret": DEMO_CLIENT_SECRET}
READ_ONLY = tuple(scope for scope in SCOPES if scope.endswith("readonly"))


def let_in(crm: Ghl, scopes: Iterable[str] = (*SCOPES,), locations: Iterable[str] = (), **options: Any) -> Connection:
    """The account, by an authorisation that somebody gave elsewhere."""
    pair = crm.oauth.issue(crm.install(scopes, [*locations] or [crm.location_id]))
    values = {"name": "GHL", **CLIENT, "refresh_token": pair["refresh_token"], "root": crm.url, "rate": (1000, 10.0), **options}
    return authorisation.take_over(**values)


def let_agency_in(crm: Ghl, locations: Iterable[str] = (), **options: Any) -> Connection:
    return let_in(crm, (*SCOPES, *AGENCY_SCOPES), locations, **options)


def latest(connection: Connection) -> Connection:
    return Connection.objects.get(pk=connection.pk)


def make_due(connection: Connection) -> Connection:
    """It is time to renew; the token still works."""
    Connection.objects.filter(pk=connection.pk).update(refresh_at=timezone.now() - timedelta(seconds=1))
    return latest(connection)


def make_ended(connection: Connection) -> Connection:
    """The token has come to its end."""
    Connection.objects.filter(pk=connection.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    return make_due(connection)
