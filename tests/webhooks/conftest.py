"""Fixtures: a connection of each CRM that trusts the tests' keys, and others who hold the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager

import psycopg
import pytest
from django.db import connection as database

from crmsync.models import Connection
from crmsync.sync import receiving
from crmsync.sync.patience import Patience
from tests.webhooks.sender import LOCATION_ID, ed25519, public_pem, rsa


@pytest.fixture(autouse=True)
def _new_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test suffers from what another has met."""
    monkeypatch.setattr(receiving, "patience", Patience())


@pytest.fixture
def ghl(db: None) -> Connection:
    keys = [public_pem(ed25519()), public_pem(rsa())]
    return Connection.objects.create(system="ghl", name="GHL", root="http://ghl.example", account_id=LOCATION_ID, webhook_keys=keys)


@pytest.fixture
def central(db: None) -> Connection:
    return Connection.objects.create(system="centralstation", name="CS", root="http://cs.example")


Locked = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def locked(transactional_db: None) -> Locked:
    """`with locked():` somebody else keeps all others from writing events."""

    @contextmanager
    def locked() -> Iterator[None]:
        if database.vendor == "sqlite":
            with closing(sqlite3.connect(database.settings_dict["NAME"], isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                yield
                other.execute("ROLLBACK")
            return
        with psycopg.connect(**database.get_connection_params() | {"cursor_factory": psycopg.Cursor, "context": None}) as held:
            held.execute("LOCK TABLE crmsync_event, crmsync_tally IN ACCESS EXCLUSIVE MODE")
            yield
            held.rollback()

    return locked
