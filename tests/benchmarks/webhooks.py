"""How fast webhooks are taken in: `python tests/benchmarks/webhooks.py`. By hand, on a quiet machine.

Part one, accepting: signed events from many clients at once, over connections that are kept, into `manage.py web`; every one is verified,
deduplicated and stored before it is answered. On SQLite in a scratch directory, and on PostgreSQL in a scratch database:

accepted a second     Events answered 200, over the seconds it took. Client and server share the machine, so this is a lower bound.
p50, p95, p99         How long an answer took, in ms.
÷ bare insert         The same rows inserted one by one, without HTTP and signatures, on one connection: what storing alone allows.

Part two, latency: one change after another in GoHighLevel, its event sent to crmsync, until CentralStation has it. Both CRMs are
simulated, idle and without latency; crmsync is as `serve` runs it, on SQLite and on PostgreSQL with Redis:

p50, p95, p99         From sending the event to the value being in the other CRM, in ms, at so many changes a second.

Exit status: 0 when every event was answered 200 and stored once, 1 otherwise.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ROOT = Path(__file__).resolve().parents[2]
os.chdir(ROOT)
sys.path.insert(0, str(ROOT))

from tests.benchmarks.first_sync import Env, manage, scratch  # noqa: E402
from tests.drills.world import World, world  # noqa: E402
from tests.foundation.installation import free_port  # noqa: E402

KEY = Ed25519PrivateKey.generate()
SILENT = "The web process doesn't answer."
BARE = """
import time
from crmsync.models import Connection, Event
connection, body = Connection.objects.get(), "x" * 900
begun = time.perf_counter()
for number in range({n}):
    Event.objects.create(connection=connection, via="app", type="ContactUpdate", webhook_id=f"bare-{{number}}", body=body)
print(({n}) / (time.perf_counter() - begun))
Event.objects.all().delete()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One measurement. `took_s` are the times of all answers, in order of size."""

    where: str
    sent: int
    accepted: int
    stored: int
    seconds: float
    took_s: list[float]
    bare_a_second: float

    @property
    def a_second(self) -> float:
        return self.accepted / self.seconds

    @property
    def is_complete(self) -> bool:
        return self.sent == self.accepted == self.stored


def main() -> int:
    asked = _parser().parse_args()
    results = [accepting(where, url, asked) for where, url in (("SQLite", ""), ("PostgreSQL", asked.database_url)) if where in asked.on]
    print("\n".join(report(results)))
    lags = [Lag(where, rate, *latencies(where == "PostgreSQL", rate, asked.seconds)) for where in asked.on for rate in asked.rates]
    print("\n".join(report_lags(lags)))
    return 0 if all(one.is_complete for one in results) and not any(one.missing for one in lags) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure how fast webhooks are taken in.")
    parser.add_argument("--events", type=int, default=4000, metavar="N", help="how many are sent (%(default)s)")
    parser.add_argument("--clients", type=int, default=8, metavar="N", help="how many send at once (%(default)s)")
    parser.add_argument("--on", nargs="+", choices=["SQLite", "PostgreSQL"], default=["SQLite", "PostgreSQL"])
    parser.add_argument("--database-url", default="postgres://postgres@127.0.0.1:5432/postgres", metavar="URL", help="a PostgreSQL server")
    parser.add_argument("--rates", type=float, nargs="*", default=[1, 5, 10], metavar="N", help="changes a second (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20, metavar="N", help="how long at each rate (%(default)s)")
    return parser


# Part one: accepting


def accepting(where: str, database_url: str, asked: argparse.Namespace) -> Accepted:
    with scratch(database_url) as env:
        path = add_connection(env)
        bare = float(manage(["shell", "-v", "0", "-c", BARE.format(n=asked.events // 4)], env))
        with web(env) as port:
            warm_up = shares(path, asked.clients * 10, asked.clients, "warm")
            deliver(port, path, warm_up)
            batches = shares(path, asked.events, asked.clients, "event")
            begun = time.perf_counter()
            answers = deliver(port, path, batches)
            seconds = time.perf_counter() - begun
        counted = "from crmsync.models import Event; print(Event.objects.filter(webhook_id__startswith='event').count())"
        stored = int(manage(["shell", "-v", "0", "-c", counted], env))
    return Accepted(
        where=where,
        sent=asked.events,
        accepted=sum(status == 200 for status, _ in answers),
        stored=stored,
        seconds=seconds,
        took_s=sorted(took_s for _, took_s in answers),
        bare_a_second=bare,
    )


def add_connection(env: Env) -> str:
    """A GoHighLevel connection that trusts our key; the path of its address."""
    key_file = Path(env["CRMSYNC_DATA"]) / "key.pem"
    key_file.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    told = ["--name", "GHL", "--location-id", "benchmark", "--token-stdin", "--no-test", "--webhook-public-key-file", str(key_file)]
    added = json.loads(manage(["connection", "add", "ghl", *told, "--json"], env, "pit-benchmark-benchmark"))
    return f"/webhooks/ghl/{added['id']}/"


@contextmanager
def web(env: Env) -> Iterator[int]:
    """The web process; its port, once it answers."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "manage.py", "web", "--port", str(port)], env=dict(env))
    try:
        _wait_until(lambda: urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).status == 200)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_until(is_there: Callable[[], bool], seconds: float = 30, or_else: Callable[[], object] = lambda: sys.exit(SILENT)) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OSError):
            if is_there():
                return
        time.sleep(0.1)
    or_else()


Signed = tuple[bytes, dict[str, str]]


def shares(path: str, n: int, clients: int, name: str) -> list[list[Signed]]:
    """`n` events, each of another contact, signed beforehand, in a share for each client."""
    events = [_signed(f"{name}-{number}", f"contact{number:013}") for number in range(n)]
    return [events[number::clients] for number in range(clients)]


def _signed(webhook_id: str, contact_id: str) -> Signed:
    now = datetime.now(UTC).isoformat()
    payload = {"type": "ContactUpdate", "locationId": "benchmark", "id": contact_id, "webhookId": webhook_id, "timestamp": now}
    body = json.dumps(
        {**payload, "firstName": "Ada", "lastName": "Beispiel", "customFields": [{"id": "x" * 20, "value": "y" * 600}]}
    ).encode()
    return body, {"Content-Type": "application/json", "X-GHL-Signature": base64.b64encode(KEY.sign(body)).decode()}


def deliver(port: int, path: str, batches: list[list[Signed]]) -> list[tuple[int, float]]:
    """All batches at once, a thread and a connection each; status and seconds of every answer."""
    answers: list[tuple[int, float]] = []

    def client(batch: list[Signed]) -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for body, headers in batch:
            begun = time.perf_counter()
            line.request("POST", path, body, headers)
            answer = line.getresponse()
            answer.read()
            answers.append((answer.status, time.perf_counter() - begun))
        line.close()

    threads = [threading.Thread(target=client, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


# Part two: latency


@dataclass(frozen=True, slots=True)
class Lag:
    """One measurement: the times of all changes that arrived, and how many didn't."""

    where: str
    rate: float
    took_s: list[float]
    missing: int


def latencies(postgres: bool, rate: float, seconds: float) -> tuple[list[float], int]:
    """Seconds from an event to the value in the other CRM, and how many never came."""
    with TemporaryDirectory() as directory, world(Path(directory), contacts=60, web=1, postgres=postgres) as one:
        ids = {str(row["id"]): str(row["email"]) for row in one.ghl.overview()}
        there = {str(row["emails"][0]["name"]): str(row["id"]) for row in one.central.overview()}
        time.sleep(3)
        watch = Watch(one)
        for number in range(int(rate * seconds)):
            ghl_id = list(ids)[number % len(ids)]
            watch.expect(there[ids[ghl_id]], f"Stadt {number}")
            one.ghl.edit_contact(ghl_id, city=f"Stadt {number}")
            time.sleep(1 / rate)
        return watch.end()


class Watch:
    """Looks every few milliseconds which of the expected cities have come."""

    def __init__(self, one: World) -> None:
        self._central = one.central
        self._waiting: dict[str, tuple[str, float]] = {}
        self._took: list[float] = []
        self._missing = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def expect(self, person_id: str, city: str) -> None:
        if person_id in self._waiting:
            self._missing += 1
        self._waiting[person_id] = (city, time.perf_counter())

    def end(self) -> tuple[list[float], int]:
        _wait_until(lambda: not self._waiting, 30, or_else=lambda: None)
        self._over.set()
        self._thread.join()
        return sorted(self._took), self._missing + len(self._waiting)

    def _look(self) -> None:
        while not self._over.wait(0.003):
            for person_id, (city, since) in list(self._waiting.items()):
                person = self._central.contact(person_id) or {"addrs": []}
                if any(address["city"] == city for address in person["addrs"]):
                    self._took.append(time.perf_counter() - since)
                    if self._waiting.get(person_id) == (city, since):
                        del self._waiting[person_id]


def report_lags(lags: list[Lag]) -> list[str]:
    lines = ["", f"{'':12}{'changes/s':>10}{'p50':>8}{'p95':>8}{'p99':>8}   arrived"]
    for one in lags:
        p = quantiles(one.took_s, n=100)
        times = "".join(f"{p[at - 1] * 1000:8.0f}" for at in (50, 95, 99))
        lines.append(f"{one.where:12}{one.rate:10.0f}{times}   {len(one.took_s)} of {len(one.took_s) + one.missing}")
    return lines


# The table


def report(results: list[Accepted]) -> list[str]:
    lines = [f"{'':12}{'accepted a second':>18}{'p50':>8}{'p95':>8}{'p99':>8}{'bare inserts':>14}{'÷ bare insert':>15}   stored"]
    for one in results:
        p = quantiles(one.took_s, n=100)
        times = "".join(f"{p[at - 1] * 1000:8.1f}" for at in (50, 95, 99))
        ratio = one.a_second / one.bare_a_second
        lines.append(f"{one.where:12}{one.a_second:18.0f}{times}{one.bare_a_second:14.0f}{ratio:15.2f}   {one.stored} of {one.sent}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
