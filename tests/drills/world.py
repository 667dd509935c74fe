"""A whole installation under fire: both CRMs simulated in this process, web processes and qclusters as a user's, webhooks between them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis
from cryptography.fernet import Fernet

from crmsync.sandbox import centralstation, ghl
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.running import serving
from crmsync.sandbox.settings import (
    APP_SCOPES,
    DEMO_API_KEY,
    DEMO_CLIENT_ID,
    DEMO_CLIENT_SECRET,
    DEMO_GHL_TOKEN,
    DEMO_LOCATION_ID,
    CentralStationSettings,
    GhlSettings,
)
from tests.foundation.installation import PROJECT, Installation, children, free_port, kill, wait_until
from tests.sync.seen import Seen, seen_in_central, seen_in_ghl

RATE = (2000, 10.0)
POSTGRES = os.environ.get("CI_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS = "redis://127.0.0.1:6379/14"

SETUP = f"""
import os
from crmsync.models import Connection
from crmsync.sync import setup
rate = {RATE}
ghl_url, central_url = os.environ["GHL_URL"], os.environ["CENTRAL_URL"]
ghl = setup.add_ghl_connection(name="GHL", location_id="{DEMO_LOCATION_ID}", token="{DEMO_GHL_TOKEN}", root=ghl_url, rate=rate)
central = setup.add_centralstation_connection(name="CS", root=central_url, api_key="{DEMO_API_KEY}", rate=rate)
Connection.objects.filter(pk=ghl.pk).update(webhook_keys=[os.environ["WEBHOOK_KEY"]])
generous = dict(hold_deletions=10**6, hold_deletions_share=100, hold_creates=10**6, hold_changes=10**6, hold_changes_share=100,
                ping_pong_after=10_000)
setup.create_sync(name="N", ghl=ghl, centralstation=central, poll_every_s=5, **generous)
"""

RECONNECT = """
import json, os
from crmsync.models import Connection
from crmsync.sync import setup, tokens
from crmsync.systems.ghl.oauth import Grant
told = json.loads(os.environ["TOLD"])
connection = Connection.objects.get(system="ghl")
connection.client_id, connection.client_secret = told.pop("client_id"), told.pop("client_secret")
connection.save()
tokens.store(connection, Grant.model_validate(told))
setup.test_connection(connection)
"""

STATE = """
import json
from crmsync.models import Connection, Contact, Event
from django.db.models import Count
print(json.dumps({"waiting": Event.objects.waiting().count(), "stored_app": Event.objects.filter(via="app").count(),
    "dirty": Contact.objects.filter(dirty__gt=0).count(), "health": Connection.objects.get(system="ghl").health,
    "statuses": dict(Contact.objects.order_by().values_list("status").annotate(n=Count("pk")))}))
"""


@dataclass
class Figures:
    """What a drill came to. `failures` says in words what wasn't as it must be."""

    values: dict[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def expect(self, what: str, found: object, wanted: object) -> None:
        self.values[what] = found
        if found != wanted:
            self.failures.append(f"{what}: {found}, not {wanted}")


class World:
    """`contacts` people, in both CRMs and in sync, with webhooks coming in at `web` web processes, worked on by `clusters` qclusters."""

    def __init__(self, installed: Installation, crm: Ghl, central: CentralStation, *, contacts: int, web: int, clusters: int) -> None:
        self.installed, self.ghl, self.central = installed, crm, central
        self.contacts, self.clusters = contacts, clusters
        self.ports = [free_port() for _ in range(web)]
        self.processes: list[subprocess.Popen[bytes]] = []

    # Setting up

    def fill(self) -> None:
        for n in range(self.contacts):
            self.ghl.add_contact(firstName=f"Gerd{n}", lastName="Hall", email=f"gerd{n}@example.org", tags=["kunde"])
        self._shell(SETUP, GHL_URL=self.ghl.url, CENTRAL_URL=self.central.url, WEBHOOK_KEY=self.ghl.webhook_public_key)
        self.manage("sync", "run", "1", "--wait", timeout=600)

    def address(self, n: int = 0) -> str:
        return f"http://127.0.0.1:{self.ports[n % len(self.ports)]}"

    def start(self) -> None:
        self.installed.environment["BASE_URL"] = self.address()
        for port in self.ports:
            self._spawn("web", "--port", str(port))
        for _ in range(self.clusters):
            self._spawn("qcluster")
        for port in self.ports:
            assert wait_until(partial(_listens, port), 30), self.output()
        self.manage("connection", "webhooks", "2", "--register")
        self.listen_at(0)

    def listen_at(self, n: int) -> None:
        """GoHighLevel sends to this web process from now on."""
        self.ghl.send_webhooks_to(f"{self.address(n)}/webhooks/ghl/1/")

    def _spawn(self, *words: str) -> None:
        command = [sys.executable, str(PROJECT / "manage.py"), *words]
        with (self.installed.data / f"{words[0]}-{len(self.processes)}.log").open("wb") as log:
            self.processes.append(subprocess.Popen(command, cwd=PROJECT, env=self.installed.variables(), stdout=log, stderr=log))

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(12)
            process.kill()
            process.wait()

    def output(self) -> str:
        return "".join(path.read_text()[-3000:] for path in sorted(self.installed.data.glob("*.log")))

    def manage(self, *words: str, timeout: float = 120) -> str:
        command = [sys.executable, str(PROJECT / "manage.py"), *words]
        done = subprocess.run(command, env=self.installed.variables(), capture_output=True, text=True, timeout=timeout, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def _shell(self, code: str, **more: str) -> str:
        done = self.installed.manage("shell", "-v0", "-c", code, **more)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def fill_by_oauth(self) -> None:
        """As `fill`, but GoHighLevel lets us in by an authorisation."""
        self.fill()
        self.reconnect()

    def reconnect(self) -> None:
        """A new authorisation of the app, as *Reconnect* brings it back; the first one takes the private token's place."""
        told = {"client_id": DEMO_CLIENT_ID, "client_secret": DEMO_CLIENT_SECRET, **self.ghl.authorise(sorted(APP_SCOPES))}
        self._shell(RECONNECT, TOLD=json.dumps(told, default=str))

    # Trouble

    @contextlib.contextmanager
    def workers_killed(self, every_s: float) -> Iterator[Counter[str]]:
        """One process below the qclusters after another is killed."""
        over, count = threading.Event(), Counter[str]()

        def go_on() -> None:
            chance = random.Random(1)
            while not over.wait(every_s):
                victims = [pid for process in self.processes[len(self.ports) :] for pid in children(process.pid)]
                if victims:
                    kill(chance.choice(victims))
                    count["killed"] += 1

        killer = threading.Thread(target=go_on, daemon=True)
        killer.start()
        try:
            yield count
        finally:
            over.set()
            killer.join()

    def database_away(self, seconds: float) -> None:
        """PostgreSQL takes no connection and ends all there are; SQLite is locked for writing."""
        url = self.installed.environment.get("DATABASE_URL", "")
        if not url:
            with contextlib.closing(sqlite3.connect(self.installed.data / "crmsync.sqlite3", timeout=30, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                time.sleep(seconds)
                database.execute("ROLLBACK")
            return
        name = urlsplit(url).path.lstrip("/")
        with psycopg.connect(POSTGRES, autocommit=True) as admin:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            try:
                until = time.monotonic() + seconds
                while time.monotonic() < until:
                    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
                    time.sleep(0.2)
            finally:
                admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    # Looking

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._shell(STATE).splitlines()[-1])
        return found

    def unrest(self) -> list[str]:
        """What isn't as it must be in the end, in words: events that wait, contacts that aren't in sync, differences between the sides."""
        state = self.state()
        sending = self.ghl.webhooks.stats()["waiting"] + self.central.webhooks.stats()["waiting"]
        found = [f"{state['waiting'] + sending} webhooks wait"] if state["waiting"] + sending else []
        found += [f"{n} contacts are {status}" for status, n in state["statuses"].items() if status != "in_sync"]
        return found + self.differences()

    def settle(self, seconds: float, figures: Figures) -> float:
        """Wait until all is well, and say how long that took; what is still wrong then is a failure."""
        began = time.monotonic()
        while (unrest := self.unrest()) and time.monotonic() - began < seconds:
            time.sleep(0.3)
        took = time.monotonic() - began
        figures.values["seconds until both sides were equal"] = round(took, 1)
        figures.expect("what isn't well in the end", unrest[:5], [])
        return took

    def differences(self) -> list[str]:
        """What isn't the same on both sides, in words; doubled people among it."""
        here = [seen_in_ghl(self.ghl, one["id"]) for one in self.ghl.overview()]
        there = [seen_in_central(self.central, str(one["id"])) for one in self.central.overview()]
        found = [f"{email} {n} times in {crm}" for crm, people in (("GHL", here), ("CS", there)) for email, n in _doubled(people)]
        by_email = {one.fields["email"]: one for one in there}
        for one in here:
            other = by_email.pop(one.fields["email"], None)
            if other is None:
                found.append(f"{one.fields['email']} isn't in CS")
            else:
                found += [f"{one.fields['email']}: {what} differs" for what in _differing(one, other)]
        return found + [f"{email} isn't in GHL" for email in by_email]


def _differing(one: Seen, other: Seen) -> list[str]:
    fields = [name for name, value in one.fields.items() if value != other.fields[name]]
    parts = {"notes": one.notes == other.notes, "tasks": one.tasks == other.tasks, "tags": set(one.tags) == set(map(str.lower, other.tags))}
    return fields + [name for name, is_same in parts.items() if not is_same]


def _doubled(people: list[Any]) -> list[tuple[str | None, int]]:
    return [(email, n) for email, n in Counter(one.fields["email"] for one in people).items() if n > 1]


def _listens(port: int) -> bool:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
        try:
            connection.request("GET", "/healthz")
            with connection.getresponse() as answer:
                return answer.status == 200
        except OSError:
            return False


@contextlib.contextmanager
def world(
    directory: Path,
    *,
    contacts: int,
    web: int = 2,
    clusters: int = 1,
    postgres: bool = False,
    set_up: Callable[[World], None] = World.fill,
    **ghl_settings: Any,
) -> Iterator[World]:
    """A world that is set up and running. On PostgreSQL with Redis where asked for; both must be there."""
    installed = Installation(directory / "data")
    shutil.rmtree(installed.data, ignore_errors=True)
    installed.data.mkdir(parents=True)
    name = f"crmsync_drill_{uuid.uuid4().hex[:8]}"
    if postgres:
        with psycopg.connect(POSTGRES, autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}"')
        with redis.Redis.from_url(REDIS) as broker:
            broker.flushdb()
        installed.environment = {
            "DATABASE_URL": f"{POSTGRES.rpartition('/')[0]}/{name}",
            "REDIS_URL": REDIS,
            "SECRET_KEY": "x" * 60,
            "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
        }
    try:
        assert installed.manage("migrate", "-v0").returncode == 0
        settings = {"limit": RATE[0], "webhook_pause_s": 1.0, "webhook_redeliveries": 60, **ghl_settings}
        apps = ghl.create_app(GhlSettings(**settings)), centralstation.create_app(CentralStationSettings(limit=RATE[0]))
        with serving(apps[0]), serving(apps[1]):
            one = World(installed, apps[0].state.crm, apps[1].state.crm, contacts=contacts, web=web, clusters=clusters)
            set_up(one)
            try:
                one.start()
                yield one
            finally:
                one.stop()
    finally:
        if postgres:
            with psycopg.connect(POSTGRES, autocommit=True) as admin:
                admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
