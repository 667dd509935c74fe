"""How well a first sync uses the two CRMs: `python tests/benchmarks/first_sync.py`. By hand, on a quiet machine: it takes a while.

Both CRMs are simulated in a child process, with rate limits, latency and search lag as in reality. crmsync is set up in a scratch
directory (with --database-url in a scratch database, too), and `manage.py sync run --wait` does the first sync in a child of its own:
once with --small, once with --contacts people a side, so that the peak memory of the two can be compared. How to read the table:

calls made ÷ fewest   All requests that arrived, over the fewest that would have done (`fewest.py` says how that is told). Aim: at most
                      1.05. --operations shows both by operation.
share of the rate     Calls made, over those allowed in the seconds of the run, on the side that is kept busiest. Aim: at least 0.95. The
                      seconds are from the run's row, in which the start of the process isn't.
429s                  Requests refused for coming too fast. Aim: none.
peak memory           Of the sync's process as it is (VmHWM), and the larger sync's over the smaller's. Aim: at most 1.1.

--speed N lets N times as many requests through and divides latency and lag by N: for a quick look at the calls while tuning. The share
says little then and isn't judged: our own work isn't faster, and in a short run the burst of the first window counts for much.

Exit status: 0 when all aims are met, 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import psycopg
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parents[2]
os.chdir(ROOT)
sys.path.insert(0, str(ROOT))

from crmsync.sandbox.running import Addresses, Options, sandbox_process  # noqa: E402
from crmsync.sandbox.settings import DEMO_API_KEY, DEMO_GHL_TOKEN, DEMO_LOCATION_ID  # noqa: E402
from tests.benchmarks import fewest  # noqa: E402

Json = dict[str, Any]
Env = Mapping[str, str]
WINDOW_S = 10
LIMITS = {"ghl": 100, "centralstation": 50}
"""Requests in ten seconds (ghl.md, section 1; centralstationcrm.md, section 1)."""

FEWEST = {"ghl": fewest.on_ghl, "centralstation": fewest.on_centralstation}
CALLS, RATE, LIMITED, MEMORY = 1.05, 0.95, 0, 1.1
"""The aims, in the order of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One first sync. `made` and `needed` are calls by operation, by side; `seconds` are the run's."""

    contacts: int
    statuses: Mapping[str, int]
    seconds: float
    made: Mapping[str, Counter[str]]
    needed: Mapping[str, Counter[str]]
    rate_limited: int
    peak_kb: int
    speed: float

    def total(self, calls: Mapping[str, Counter[str]]) -> int:
        return sum(of_side.total() for of_side in calls.values())

    @property
    def calls_ratio(self) -> float:
        return self.total(self.made) / self.total(self.needed)

    def share(self, side: str) -> float:
        return self.made[side].total() / (self.seconds * LIMITS[side] * self.speed / WINDOW_S)

    @property
    def binding(self) -> str:
        return max(LIMITS, key=self.share)


def main() -> int:
    asked = _parser().parse_args()
    sizes = list(dict.fromkeys((asked.small, asked.contacts)))
    results = []
    for size in sizes:
        print(f"{size} contacts a side …", file=sys.stderr, flush=True)
        results.append(measure(size, asked))
    lines, good = report(results)
    if asked.operations:
        lines += operations(results[-1])
    print("\n".join(lines))
    return 0 if good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure a first sync against both simulated CRMs.")
    parser.add_argument("--contacts", type=int, default=2000, metavar="N", help="people in each CRM (%(default)s)")
    parser.add_argument("--small", type=int, default=500, metavar="N", help="people in each CRM, to compare memory with (%(default)s)")
    parser.add_argument("--latency-ms", type=float, default=150, metavar="MS", help="how long each answer takes (%(default)s)")
    parser.add_argument("--speed", type=float, default=1, metavar="N", help="so many times faster than reality (%(default)s)")
    parser.add_argument("--database-url", default="", metavar="URL", help="a PostgreSQL server; a scratch database is made on it")
    parser.add_argument("--operations", action="store_true", help="show the calls by operation, too")
    parser.add_argument("--run-with", default="", metavar="COMMAND", help="put before the sync's command: a profiler, say")
    return parser


def measure(size: int, asked: argparse.Namespace) -> Measured:
    """One first sync of `size` people a side, from an empty database."""
    limits = {f"{side}_limit": round(limit * asked.speed) for side, limit in LIMITS.items()}
    options = Options(contacts=size, latency_ms=asked.latency_ms / asked.speed, search_lag_s=2.0 / asked.speed, **limits)
    with sandbox_process(options) as addresses, scratch(asked.database_url) as env:
        sync_id = set_up(addresses, env, asked.speed)
        roots = {"ghl": addresses.ghl, "centralstation": addresses.centralstation}
        before = {side: holdings(root) for side, root in roots.items()}
        for root in roots.values():
            control(root, "stats", method="DELETE")
        status, peak_kb = run_sync(sync_id, env, asked.run_with.split())
        stats = {side: control(root, "stats") for side, root in roots.items()}
        after = {side: holdings(root) for side, root in roots.items()}
    return Measured(
        contacts=size,
        statuses={name: count for name, count in status["counts"].items() if count},
        seconds=_seconds(status["last_run"]),
        made={side: Counter({name: sum(by.values()) for name, by in told["calls"].items()}) for side, told in stats.items()},
        needed={side: FEWEST[side](before[side], after[side]) for side in roots},
        rate_limited=sum(told["rate_limited"] for told in stats.values()),
        peak_kb=peak_kb,
        speed=asked.speed,
    )


def _seconds(run: Json) -> float:
    return (datetime.fromisoformat(run["ended_at"]) - datetime.fromisoformat(run["started_at"])).total_seconds()


# The sandbox's side


def control(root: str, path: str, method: str = "GET") -> Json:
    with urlopen(Request(f"{root}/_sandbox/{path}", method=method), timeout=60) as answer:
        told: Json = json.load(answer)
        return told


def holdings(root: str) -> dict[str, Json]:
    ids = [str(contact["id"]) for contact in control(root, "contacts")["contacts"]]
    return {one: control(root, f"contacts/{one}") for one in ids}


# Our side


@contextmanager
def scratch(database_url: str) -> Iterator[Env]:
    """The environment of an installation that is empty and goes away afterwards."""
    with tempfile.TemporaryDirectory(prefix="crmsync-benchmark-") as data, _scratch_database(database_url) as url:
        keys = {"SECRET_KEY": "benchmark-" + "x" * 50, "CREDENTIAL_KEYS": Fernet.generate_key().decode()}
        env = {**os.environ, **keys, "CRMSYNC_DATA": data, "DATABASE_URL": url, "REDIS_URL": ""}
        manage(["migrate", "--verbosity", "0"], env)
        yield env


@contextmanager
def _scratch_database(url: str) -> Iterator[str]:
    if not url:
        yield ""
        return
    name = f"crmsync_benchmark_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def manage(arguments: list[str], env: Env, stdin: str = "") -> str:
    """The standard output of `manage.py …`. Raises `CalledProcessError`."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, env=env, input=stdin, text=True, stdout=subprocess.PIPE, check=True).stdout


def set_up(addresses: Addresses, env: Env, speed: float) -> str:
    """Both connections and the sync; its id."""
    ghl = ["ghl", "--name", "GHL", "--location-id", DEMO_LOCATION_ID, "--token-stdin", "--api-url", addresses.ghl]
    central = ["centralstation", "--name", "CentralStation", "--api-key-stdin", "--account-url", addresses.centralstation]
    rate = {side: ["--rate", f"{round(limit * speed)}/{WINDOW_S}"] for side, limit in LIMITS.items()}
    ghl_id = _id(["connection", "add", *ghl, *rate["ghl"]], env, DEMO_GHL_TOKEN)
    central_id = _id(["connection", "add", *central, *rate["centralstation"]], env, DEMO_API_KEY)
    return _id(["sync", "create", "--name", "Benchmark", "--ghl", ghl_id, "--centralstation", central_id], env)


def _id(arguments: list[str], env: Env, stdin: str = "") -> str:
    return str(json.loads(manage([*arguments, "--json"], env, stdin))["id"])


def run_sync(sync_id: str, env: Env, before: list[str]) -> tuple[Json, int]:
    """What `sync run --wait` says in the end, and the most memory it had, in kB. `before` is put before its command."""
    command = [*before, sys.executable, "manage.py", "sync", "run", sync_id, "--wait", "--json"]
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(command, env=env, stdout=said)
        peak_kb = 0
        while child.poll() is None:
            peak_kb = max(peak_kb, _peak_kb(child.pid))
            time.sleep(0.2)
        said.seek(0)
        told = [line for line in said if line.startswith("{")]
    if not told:
        sys.exit(f"The sync ended with status {child.returncode} and said nothing of how it went.")
    return json.loads(told[-1]), peak_kb


def _peak_kb(pid: int) -> int:
    """The kernel's own peak of the process as it is now (Linux). `getrusage` would count what its parent had when it was made."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


# The table


def report(results: list[Measured]) -> tuple[list[str], bool]:
    """The lines to print, and whether every aim is met by the largest."""
    last, growth = results[-1], results[-1].peak_kb / results[0].peak_kb
    aims = {
        f"calls made ÷ fewest ≤ {CALLS}": last.calls_ratio <= CALLS,
        f"share of the rate ≥ {RATE}": last.share(last.binding) >= RATE or last.speed != 1,
        "no 429s": last.rate_limited == LIMITED,
        f"peak memory ratio ≤ {MEMORY}": growth <= MEMORY,
    }
    rows = [
        ["contacts a side", *(str(one.contacts) for one in results), "aim"],
        ["seconds", *(f"{one.seconds:.0f}" for one in results), ""],
        *([f"calls, {side}", *(_made_of(one, side) for one in results), ""] for side in LIMITS),
        ["calls made ÷ fewest", *(f"{one.calls_ratio:.3f}" for one in results), f"≤ {CALLS}"],
        ["share of the rate", *(f"{one.share(one.binding):.3f} ({one.binding})" for one in results), f"≥ {RATE}"],
        ["429s", *(str(one.rate_limited) for one in results), str(LIMITED)],
        ["peak memory, MB", *(f"{one.peak_kb / 1024:.1f}" for one in results), ""],
        ["peak memory, ratio", *("" for _ in results[1:]), f"{growth:.3f}", f"≤ {MEMORY}"],
    ]
    found = [f"{one.contacts} a side: " + ", ".join(f"{count} {name}" for name, count in one.statuses.items()) for one in results]
    missed = [aim for aim, met in aims.items() if not met]
    return [*_columns(rows), *found, f"missed: {'; '.join(missed)}" if missed else "all aims are met"], not missed


def _made_of(one: Measured, side: str) -> str:
    return f"{one.made[side].total()} of {one.needed[side].total()}"


def operations(one: Measured) -> list[str]:
    """Made and needed by operation, where either was."""
    rows = [["operation", "made", "fewest"]]
    for side in LIMITS:
        names = sorted({*one.made[side], *+one.needed[side]})
        rows += [[f"{side} {name}", str(one.made[side][name]), str(one.needed[side][name])] for name in names]
    return ["", *_columns(rows)]


def _columns(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


if __name__ == "__main__":
    sys.exit(main())
