"""Rows for the dashboard's tests, each showing only what matters."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, User
from django.utils import timezone

from crmsync.accounts import Role, add_account
from crmsync.engine.records import Side
from crmsync.models import (
    Cause,
    Change,
    Connection,
    Contact,
    Health,
    Mode,
    RateBudget,
    Result,
    Status,
    Sync,
)
from crmsync.sync import setup

PASSWORD = "correct horse battery staple"


def make_roles() -> None:
    """A test that commits ends with an empty database, and the roles that a migration made are gone with it."""
    if not Group.objects.exists():
        import_module("crmsync.migrations.0002_roles").add_roles(apps, None)


def make_user(role: Role | None, email: str = "") -> User:
    make_roles()
    user = add_account(email or f"{role or 'nobody'}@example.com", role or Role.VIEWER, PASSWORD)
    if role is None:
        user.groups.clear()
    return user


def make_connection(side: Side = Side.GHL, name: str = "", **values: Any) -> Connection:
    connection = Connection(system=side, name=name or f"{side} account", root="http://127.0.0.1:9/x", account_id="loc1", **values)
    connection.set_credential("pit-0123456789abcdef")
    connection.save()
    RateBudget.objects.create(connection=connection, limit=100, window_s=10)
    return connection


def make_sync(name: str = "Berlin", mode: Mode = Mode.LIVE, **values: Any) -> Sync:
    """Its first sync is made; its accounts can't be reached."""
    ghl = make_connection(Side.GHL, f"{name} marketing", health=Health.OK)
    centralstation = make_connection(Side.CENTRALSTATION, f"{name} office", health=Health.OK)
    sync = setup.create_sync(name=name, ghl=ghl, centralstation=centralstation, mode=mode)
    Sync.objects.filter(pk=sync.pk).update(first_sync_done_at=timezone.now(), **values)
    sync.refresh_from_db()
    return sync


_number = iter(range(1, 1_000_000))


def make_contact(sync: Sync, status: Status = Status.IN_SYNC, **values: Any) -> Contact:
    """Linked, unless an id is given as None."""
    n = next(_number)
    ids = {"ghl_id": f"Gh{n:018d}", "centralstation_id": str(70_000 + n)}
    return Contact.objects.create(
        **{"sync": sync, "status": status, "label": f"Contact {n}", "verified_at": timezone.now(), **ids, **values}
    )


def make_change(contact: Contact, **values: Any) -> Change:
    usual = {"side": Side.GHL, "kind": "update", "result": Result.VERIFIED, "cause": Cause.POLL, "label": contact.label}
    return Change.objects.create(**{"sync": contact.sync, "contact": contact, **usual, **values})
