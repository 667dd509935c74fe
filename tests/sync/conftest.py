"""A live sync over real HTTP, without the pauses that only make a test wait."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import stamina
from cryptography.fernet import Fernet
from django.core.management import execute_from_command_line
from django.utils import timezone

from crmsync.models import Change
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_API_KEY, DEMO_GHL_TOKEN, DEMO_LOCATION_ID
from crmsync.sync import reconcile, setup
from tests.foundation.installation import Installation
from tests.sync.field import Field
from tests.sync.kit import ADA, Live

RATE = (1000, 10.0)


@pytest.fixture(autouse=True)
def quick_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Repeats come at once, and so does the second try of a reconcile."""
    monkeypatch.setattr(reconcile, "PAUSE_S", 0.01)
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def join(transactional_db: None) -> Callable[..., Live]:
    """Join two simulated CRMs by a live sync; further arguments are the sync's settings."""

    def join(ghl: Ghl, central: CentralStation, **settings: Any) -> Live:
        sync = setup.create_sync(
            name="Berlin",
            ghl=setup.add_ghl_connection(name="GHL", location_id=DEMO_LOCATION_ID, token=DEMO_GHL_TOKEN, root=ghl.url, rate=RATE),
            centralstation=setup.add_centralstation_connection(name="CS", root=central.url, api_key=DEMO_API_KEY, rate=RATE),
            **settings,
        )
        return Live(sync, ghl, central)

    return join


@pytest.fixture
def live(join: Callable[..., Live], serve_ghl: Callable[..., Ghl], serve_centralstation: Callable[..., CentralStation]) -> Live:
    """A live sync of two empty CRMs."""
    return join(serve_ghl(limit=RATE[0]), serve_centralstation(limit=RATE[0]))


@pytest.fixture
def ada(live: Live) -> Any:
    """Ada, who is in both CRMs and in sync, and has been for a minute."""
    live.ghl.add_contact(**ADA)
    live.run()
    Change.objects.update(at=timezone.now() - timedelta(minutes=1))
    return live.contact()


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended: exit status, standard output, standard error."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Standard output as JSON, one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def messages(self) -> list[str]:
        """The lines on standard error that are no log lines."""
        return [line for line in self.err.splitlines() if not re.match(r"\d{4}-\d\d-\d\dT", line)]

    @property
    def row(self) -> dict[str, Any]:
        [row] = self.rows
        return row


Cli = Callable[..., Answer]


@pytest.fixture
def cli(transactional_db: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """Type a command, as `cli("sync", "list", "--json")`, with `stdin` piped in. Runs in this process."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*words: object, stdin: str = "") -> Answer:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        status = 0
        try:
            execute_from_command_line(["manage.py", *map(str, words)])
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        return Answer(status, *capsys.readouterr())

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Migrated once; each test gets a copy."""
    installation = Installation(tmp_path_factory.mktemp("template") / "data")
    if url := os.environ.get("DATABASE_URL", ""):
        installation.environment = {
            "DATABASE_URL": new_database(url),
            "SECRET_KEY": "x" * 60,
            "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
        }
        if "REDIS_URL" in os.environ:
            installation.environment["REDIS_URL"] = os.environ["REDIS_URL"]
    assert installation.manage("migrate", "--verbosity", "0").returncode == 0
    yield installation
    drop_database(installation)


@pytest.fixture
def installed(_migrated: Installation, tmp_path: Path) -> Iterator[Installation]:
    """An installation of its own for commands in processes of their own; on PostgreSQL where DATABASE_URL names one."""
    shutil.copytree(_migrated.data, tmp_path / "data")
    installation = Installation(tmp_path / "data", dict(_migrated.environment))
    if url := installation.environment.get("DATABASE_URL"):
        installation.environment["DATABASE_URL"] = new_database(url, template=url.rpartition("/")[2])
    yield installation
    drop_database(installation)


@pytest.fixture
def field(installed: Installation, serve_ghl: Callable[..., Ghl], serve_centralstation: Callable[..., CentralStation]) -> Field:
    return Field(installed, serve_ghl(limit=1000), serve_centralstation(limit=1000))


def new_database(url: str, template: str = "template1") -> str:
    """The URL of a new database on that server, a copy of `template`."""
    server, _, _ = url.rpartition("/")
    name = f"crmsync_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return f"{server}/{name}"


def drop_database(installation: Installation) -> None:
    if url := installation.environment.get("DATABASE_URL"):
        server, _, name = url.rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
