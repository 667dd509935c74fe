"""How quick the staff's pages are when there is much to show: `python tests/benchmarks/dashboard.py`. By hand, on a quiet machine.

A scratch database on PostgreSQL (`--postgres`, its address) with 1,000,000 contacts and 5,000,000 changes, or without it on SQLite with a
tenth; `--contacts` for another number. Each page is asked for in this process by a signed-in operator, 30 times, and told with:

queries               To the database, for one page.
p50, p95              From asking to the whole page, in ms.

Then the three heaviest actions, once each: to retry all that failed, to undo a large run, to export all contacts. Told is how long the page
took that says what will happen, and the button that begins it; of the export the first bytes, the whole, and the most memory it had.

Exit status: 0 when the p95 of every list of contacts is under 100 ms and of every other page under 200 ms, 1 otherwise.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.test import Client

ROOT = Path(__file__).resolve().parents[2]
os.chdir(ROOT)
sys.path.insert(0, str(ROOT))

ROUNDS = 30
LIMIT_MS = {True: 100, False: 200}
"""For a list of contacts, and for any other page."""

PAGES = {
    "overview": "/",
    "contacts": "/contacts/",
    "contacts, a page within": "/contacts/?after={middle}",
    "contacts, failed": "/contacts/?status=failed",
    "contacts, by name": "/contacts/?sort=name&after={middle}",
    "contacts, updated last": "/contacts/?sort=updated&after={middle}",
    "contacts, a rare name": "/contacts/?q=Anna+Muster77",
    "contacts, a common name": "/contacts/?q=anna",
    "contacts, part of an e-mail": "/contacts/?q=p4711@exam",
    "contacts, a phone number": "/contacts/?q=%2B49301004711",
    "contacts, an id": "/contacts/?q=Gh4711",
    "contacts, nobody": "/contacts/?q=nobodyisthis",
    "contacts, two letters": "/contacts/?q=an",
    "contacts, a tag": "/contacts/?tag=vip",
    "contacts, updated lately": "/contacts/?changed=1h",
    "contacts, failed and by name": "/contacts/?status=failed&sort=name",
    "one contact": "/contacts/{middle}/",
    "failures": "/issues/",
    "one failure": "/issues/{issue}/",
    "to decide": "/queues/conflict/",
    "held batch": "/batches/{batch}/",
    "runs": "/runs/",
    "a large run": "/runs/{run}/",
    "report of a week": "/reports/",
    "report of a month": "/reports/?every=month",
    "syncs": "/syncs/",
    "one sync": "/syncs/{sync}/",
    "connections": "/connections/",
    "why": "/why/{middle}/",
}


def measure(contacts: int) -> bool:
    """Print a line for each page and action. True when all are quick enough."""
    import django

    django.setup()
    from django.db import connection
    from django.test import Client
    from django.test.utils import setup_test_environment

    from crmsync.accounts import Role
    from tests.benchmarks.crowd import CHANGES_A_CONTACT, seed
    from tests.dashboard.data import make_user

    setup_test_environment()
    crowd = seed(contacts)
    client = Client()
    client.force_login(make_user(Role.OPERATOR), backend="allauth.account.auth_backends.AuthenticationBackend")
    print(f"{connection.vendor}: {contacts:,} contacts, {contacts * CHANGES_A_CONTACT:,} changes")
    known = {"middle": crowd.middle, "issue": crowd.issue.pk, "batch": crowd.batch.pk, "run": crowd.run.pk, "sync": crowd.sync.pk}
    are_quick = [_page(client, name, address.format(**known)) for name, address in PAGES.items()]
    _begin(client, "retry all that failed", "/contacts/bulk/retry", {"status": "failed", "which": "all"})
    _begin(client, "undo of a large run", f"/undo/run/{crowd.run.pk}", None)
    _export(client)
    return all(are_quick)


def _page(client: Client, name: str, address: str) -> bool:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        status = client.get(address).status_code
    queries_n, took_ms = len(queries), []  # counted now: the next request empties the log
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        client.get(address)
        took_ms.append(_ms_since(begun))
    shares = quantiles(took_ms, n=100)
    print(f"{name:32} {queries_n:3} queries   p50 {shares[49]:7.1f}   p95 {shares[94]:7.1f} ms   {status}", flush=True)
    return status == 200 and shares[94] < LIMIT_MS[address.startswith("/contacts/?") or address == "/contacts/"]


def _begin(client: Client, name: str, address: str, asked: dict[str, str] | None) -> None:
    """Ask what will happen (by a form where one is given), then confirm it."""
    begun = time.perf_counter()
    if asked is None:
        client.get(address)
    else:
        client.post(address, asked)
    said_ms, begun = _ms_since(begun), time.perf_counter()
    status = client.post(address, {**(asked or {}), "confirmed": "1"}).status_code
    print(f"{name:32} says what will happen {said_ms:7.1f}   begins {_ms_since(begun):7.1f} ms   {status}", flush=True)


def _export(client: Client) -> None:
    begun, first_ms, size = time.perf_counter(), 0.0, 0
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for chunk in client.get("/contacts/export").streaming_content:  # type: ignore[attr-defined]
        first_ms = first_ms or _ms_since(begun)
        size += len(chunk)
    more_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024
    told = f"first bytes {first_ms:7.1f} ms   all {_ms_since(begun) / 1000:7.1f} s   {size / 1e6:.0f} MB   memory +{more_mb:.0f} MB"
    print(f"{'export of all contacts':32} {told}", flush=True)


def _ms_since(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000


def main() -> int:
    parser = argparse.ArgumentParser(description="How quick the staff's pages are when there is much to show.")
    parser.add_argument(
        "--postgres", default="", help="address of a PostgreSQL server, such as postgres://postgres@127.0.0.1:5432/postgres"
    )
    parser.add_argument("--contacts", type=int, help="default: 1,000,000 on PostgreSQL, 100,000 on SQLite")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)  # the same program, in the scratch installation
    asked = parser.parse_args()
    contacts = asked.contacts or (1_000_000 if asked.postgres else 100_000)
    if asked.measure:
        return 0 if measure(contacts) else 1
    from tests.benchmarks.first_sync import scratch

    with scratch(asked.postgres) as env:
        again = [sys.executable, __file__, "--measure", "--contacts", str(contacts)]
        return subprocess.run(again, env={**env, "DJANGO_SETTINGS_MODULE": "crmsync.settings"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
