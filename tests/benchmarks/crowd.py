"""A crowd for the dashboard's benchmark: as many contacts and changes as asked for, made in the database itself by copying one row of each.

Spread as they are in the field: changes over three months, scattered over the contacts; a few contacts in a hundred failed by some causes,
some in conflict, in review, deleted on one side, held by a batch, excluded; half of the others verified within a day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, models
from django.utils import timezone

from crmsync.models import Act, AuditEntry, Change, Contact, HeldBatch, Issue, Item, MatchKey, Run, RunKind, RunStatus, Sync
from tests.dashboard.data import make_change, make_contact, make_sync

CHANGES_A_CONTACT = 5
CAUSES = 20
POLLS = 50_000
OF_ONE_RUN = 100_000
AUDITED = 100_000
DAYS = 90

FIRST = "Anna Bert Carl Dora Emil Fred Gina Hans Inge Jana"
NAME = f"substr('{FIRST}', CAST(i % 10 * 5 + 1 AS integer), 4) || ' Muster' || (i / 10 % 5000)"
EMAIL = "'p' || i || '@example' || (i % 1000) || '.org'"
PHONE = "'+4930' || (1000000 + i)"
LAGS = "CASE WHEN i % 100 = 0 THEN 1200.0 WHEN i % 10 = 0 THEN 14.0 ELSE 1.0 + i % 9 / 10.0 END"

Columns = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Crowd:
    """What pages and actions of the benchmark are about. `middle`: the key of a contact in the middle of the list."""

    sync: Sync
    middle: int
    issue: Issue
    batch: HeldBatch
    run: Run


def seed(contacts: int) -> Crowd:
    sync = make_sync()
    issues = [_issue(sync, n) for n in range(CAUSES)]
    batch = HeldBatch.objects.create(sync=sync, kind=HeldBatch.Kind.CHANGES, side="ghl", explanation="Many changes at once.")
    run = Run.objects.create(sync=sync, kind=RunKind.FULL, status=RunStatus.DONE, ended_at=timezone.now(), counts={"in_sync": contacts})
    contact = make_contact(sync, ghl_id="first", centralstation_id="first")
    change = make_change(contact, before={"phone": "+49301"}, after={"phone": "+49302"})
    with _unindexed(Contact, Change):
        _copy(contact, contacts, _contact(contact.pk, contacts, issues[0].pk, batch.pk))
        _copy(change, contacts * CHANGES_A_CONTACT, _change(contact.pk, contacts, run.pk))
    of_a_contact = {"contact_id": f"{contact.pk} + i"}
    _copy(
        MatchKey.objects.create(sync=sync, contact=contact, side="ghl", kind="phone", value="+49301"),
        contacts,
        of_a_contact | {"value": PHONE},
    )
    _copy(
        Item.objects.create(contact=contact, kind="note"),
        contacts // 2,
        of_a_contact | {"ghl_id": "'n' || i", "centralstation_id": "'c' || i"},
    )
    poll = Run.objects.create(sync=sync, kind=RunKind.POLL, status=RunStatus.DONE, ended_at=timezone.now())
    _copy(
        poll,
        POLLS,
        {"started_at": _ago(f"({POLLS} - i) * 60"), "counts": _json("""CASE WHEN i % 20 = 0 THEN '{"ghl.update": 2}' ELSE '{}' END""")},
    )
    entry = AuditEntry.objects.create(act=Act.CONTACT_EXCLUDED, object_kind="contact", object_id=contact.pk)
    _copy(entry, AUDITED, {"object_id": f"{contact.pk} + i", "at": _ago(f"({AUDITED} - i) * 60")})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    return Crowd(sync, contact.pk + contacts // 2, issues[0], batch, run)


def _issue(sync: Sync, n: int) -> Issue:
    texts = {"explanation": f"Refused for reason {n}.", "what_to_do": "Correct the value."}
    return Issue.objects.create(sync=sync, code="refused", side="ghl", subject=f"field {n}", **texts)


def _contact(first: int, contacts: int, issue: int, batch: int) -> dict[str, str]:
    is_failed, is_held = "i % 50 = 0", "i % 250 = 1"
    return {
        "ghl_id": "'Gh' || i",
        "centralstation_id": "CAST(i AS text)",
        "label": NAME,
        "email": EMAIL,
        "phone": PHONE,
        "status": f"CASE WHEN {is_failed} THEN 'failed' WHEN {is_held} THEN 'waiting' WHEN i % 997 = 0 THEN 'conflict' "
        "WHEN i % 1999 = 0 THEN 'review' WHEN i % 9973 = 0 THEN 'quarantined' WHEN i % 101 = 0 THEN 'excluded' ELSE 'in_sync' END",
        "reason": f"CASE WHEN {is_failed} THEN 'The phone number was refused.' ELSE '' END",
        "exclusion": f"CASE WHEN i % 101 = 0 AND NOT {is_failed} AND NOT {is_held} THEN 'asked not to be contacted' ELSE '' END",
        "issue_id": f"CASE WHEN {is_failed} THEN {issue} + i / 50 % {CAUSES} END",
        "held_by_id": f"CASE WHEN {is_held} THEN {batch} END",
        "dirty": f"CASE WHEN {is_failed} OR {is_held} THEN 31 ELSE 0 END",
        "dirty_since": f"CASE WHEN {is_failed} THEN {_ago('i % 86400')} END",
        "due_at": f"CASE WHEN {is_failed} THEN {_ago('-3600 - i % 3600')} END",
        "updated_at": _ago(f"i * 7919 % {contacts} * 2"),
        "verified_at": _ago("i % 172800"),
        "compared_at": _ago("i % 172800"),
        "base": _json(
            f"""'{{"fields": {{"name": ["' || {NAME} || '", "' || {NAME} || '"], "email": ["' || {EMAIL} || '", "' || {EMAIL} || '"], """
            f""""phone": ["' || {PHONE} || '", "' || {PHONE} || '"]}}, """
            """"tags": [' || CASE WHEN i % 500 = 0 THEN '"vip"' ELSE '' END || ']}'"""
        ),
    }


def _change(first: int, contacts: int, run: int) -> dict[str, str]:
    changes = contacts * CHANGES_A_CONTACT
    of_the_run = f"i % {max(1, changes // min(OF_ONE_RUN, contacts))} = 0"
    return {
        "contact_id": f"{first} + 1 + i * 7919 % {contacts}",
        "run_id": f"CASE WHEN {of_the_run} THEN {run} END",
        "label": NAME,
        "result": "CASE WHEN i % 40 = 0 THEN 'failed' WHEN i % 90 = 0 THEN 'accepted' ELSE 'verified' END",
        "kind": "CASE WHEN i % 7 = 0 THEN 'add_tags' WHEN i % 11 = 0 THEN 'create' ELSE 'update' END",
        "reason": "CASE WHEN i % 40 = 0 THEN 'The phone number was refused.' ELSE '' END",
        "side": "CASE WHEN i % 3 = 0 THEN 'ghl' ELSE 'centralstation' END",
        "at": _ago(f"({changes} - i) * {DAYS * 86400 / changes}"),
        "lag_s": LAGS,
    }


def _ago(seconds: str) -> str:
    if connection.vendor == "postgresql":
        return f"now() - ({seconds}) * interval '1 second'"
    return f"strftime('%Y-%m-%d %H:%M:%f', 'now', -({seconds}) || ' seconds')"


def _json(text: str) -> str:
    return f"({text})::jsonb" if connection.vendor == "postgresql" else text


@contextmanager
def _unindexed(*of: type[models.Model]) -> Iterator[None]:
    """Without their indexes, and foreign keys not checked: making them once at the end takes a fraction of the time."""
    _each_index(of, lambda editor: editor.remove_index)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica" if connection.vendor == "postgresql" else "PRAGMA foreign_keys = OFF")
    yield
    _each_index(of, lambda editor: editor.add_index)


def _each_index(of: tuple[type[models.Model], ...], verb: Callable[[Any], Callable[[type[models.Model], models.Index], None]]) -> None:
    for model in of:
        for index in model._meta.indexes:
            with connection.schema_editor() as editor:
                verb(editor)(model, index)


def _copy(row: models.Model, times: int, varied: Columns) -> None:
    """So many copies of a row, its key apart; `varied` are columns that differ, as SQL over the number `i` of the copy."""
    meta = type(row)._meta
    columns = [field.column for field in meta.concrete_fields if not field.primary_key]
    values = ", ".join(varied.get(column or "", f'e."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    numbers = f"WITH RECURSIVE n(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < {times})"  # noqa: S608 (a number of ours)
    with connection.cursor() as cursor:
        table = f'"{meta.db_table}"'
        cursor.execute(f"INSERT INTO {table} ({names}) {numbers} SELECT {values} FROM n, {table} e WHERE e.id = {row.pk}")  # noqa: S608 (ours)
