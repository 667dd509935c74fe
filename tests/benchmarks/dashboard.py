"""How quick the staff's pages are when there is much to show: `python tests/benchmarks/dashboard.py`. By hand, on a quiet machine.

A scratch database on PostgreSQL (`--postgres`, its address) with 1,000,000 contacts and 5,000,000 changes, or without it on SQLite with a
tenth; `--contacts` for another number. Each page is asked for in this process by a signed-in operator, 30 times, and told with:

queries               To the database, for one page.
p50, p95              From asking to the whole page, in ms.

Exit status: 0 when every page's p95 is under 100 ms, 1 otherwise.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import quantiles

ROOT = Path(__file__).resolve().parents[2]
os.chdir(ROOT)
sys.path.insert(0, str(ROOT))

ROUNDS = 30
LIMIT_MS = 100
CHANGES_A_CONTACT = 5

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
    "runs": "/runs/",
    "syncs": "/syncs/",
    "connections": "/connections/",
}

NAMES = "Anna Bert Carl Dora Emil Fred Gina Hans Inge Jana"
TAGS = """CASE WHEN i % 500 = 0 THEN '{"tags": ["vip"]}' ELSE '{}' END"""
CONTACT = {
    "ghl_id": "'Gh' || i",
    "centralstation_id": "CAST(i AS text)",
    "label": f"substr('{NAMES}', CAST(i % 10 * 5 + 1 AS integer), 4) || ' Muster' || (i / 10 % 5000)",
    "email": "'p' || i || '@example' || (i % 1000) || '.org'",
    "phone": "'+4930' || (1000000 + i)",
    "status": "CASE WHEN i % 50 = 0 THEN 'failed' WHEN i % 997 = 0 THEN 'conflict' ELSE 'in_sync' END",
}
VARIED = {
    "postgresql": {"updated_at": "now() - i * interval '2 seconds'", "base": f"({TAGS})::jsonb"},
    "sqlite": {"updated_at": "strftime('%Y-%m-%d %H:%M:%S.000000', 'now', '-' || (i * 2) || ' seconds')", "base": TAGS},
}


def seed(contacts: int) -> int:
    """Copies of one contact and of one change, so many that pages have something to do. Returns the key of a contact in their middle."""
    from django.db import connection

    from crmsync.models import Change, Contact
    from tests.dashboard.data import make_change, make_contact, make_sync

    contact = make_contact(make_sync(), ghl_id="first", centralstation_id="first")
    change = make_change(contact, before={"phone": "+49301"}, after={"phone": "+49302"})
    _copy(Contact, contact.pk, contacts, CONTACT | VARIED[connection.vendor])
    of_whom = {"contact_id": f"{contact.pk} + 1 + i % {contacts}"}
    _copy(Change, change.pk, contacts * CHANGES_A_CONTACT, of_whom)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return contact.pk + contacts // 2


def _copy(model: type, pk: int, times: int, varied: dict[str, str]) -> None:
    from django.db import connection

    meta = model._meta  # type: ignore[attr-defined]
    columns = [field.column for field in meta.concrete_fields if not field.primary_key]
    values = ", ".join(varied.get(column, f'e."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {times})"  # noqa: S608 (a number of ours)
    with connection.cursor() as cursor:
        table = f'"{meta.db_table}"'
        cursor.execute(f"INSERT INTO {table} ({names}) {numbers} SELECT {values} FROM n, {table} e WHERE e.id = {pk}")  # noqa: S608 (ours)


def measure(contacts: int) -> bool:
    """Print a line for each page. True when all are quick enough."""
    import django

    django.setup()
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext, setup_test_environment

    from crmsync.accounts import Role
    from tests.dashboard.data import make_user

    setup_test_environment()
    middle = seed(contacts)
    client, is_quick = Client(), True
    client.force_login(make_user(Role.OPERATOR), backend="allauth.account.auth_backends.AuthenticationBackend")
    print(f"{connection.vendor}: {contacts:,} contacts, {contacts * CHANGES_A_CONTACT:,} changes")
    for name, address in PAGES.items():
        asked, took_ms = address.format(middle=middle), []
        client.get(asked)
        with CaptureQueriesContext(connection) as queries:
            status = client.get(asked).status_code
        queries_n = len(queries)  # now: the next request empties the log
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            client.get(asked)
            took_ms.append((time.perf_counter() - begun) * 1000)
        shares = quantiles(took_ms, n=100)
        is_quick = is_quick and status == 200 and shares[94] < LIMIT_MS
        print(f"{name:32} {queries_n:3} queries   p50 {shares[49]:7.1f}   p95 {shares[94]:7.1f} ms   {status}", flush=True)
    return is_quick


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
