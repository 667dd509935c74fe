"""`manage.py connection show`: what a connection's page tells, without a secret."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from crmsync.models import Connection, Event, RateBudget, Tally
from crmsync.sync import hooks
from crmsync.sync.addresses import ghl_address, workflow_address
from tests.dashboard.data import make_connection
from tests.sync.conftest import Cli
from tests.sync.kit import Live

KEYS = {
    *("id", "name", "system", "root", "account_id", "account_name", "health", "reason", "scopes", "missing_scopes", "webhook_url"),
    *("calls_used", "calls_left_today", "limit", "blocked_until", "broken_until", "coverage", "last_event", "echoes"),
    *("refused", "paused", "deaf", "hooks"),
}


def shown(cli: Cli, connection: Connection) -> dict[str, Any]:
    row: dict[str, Any] = cli("connection", "show", connection.pk, "--json").row
    return row


def test_both_systems_tell_the_same_things(cli: Cli, live: Live) -> None:
    assert [set(shown(cli, one)) for one in (live.sync.ghl, live.sync.centralstation)] == [KEYS, KEYS]


def test_a_ghl_account_tells_its_address_for_signed_webhooks_and_keeps_the_secret_one(cli: Cli, live: Live) -> None:
    answer = cli("connection", "show", live.sync.ghl_id, "--json")
    assert answer.row["webhook_url"] == ghl_address(live.sync.ghl)
    assert workflow_address(live.sync.ghl) not in answer.out


def test_centralstations_hooks_are_told_as_last_found(cli: Cli, live: Live) -> None:
    hooks.register(live.sync.centralstation)
    told = shown(cli, live.sync.centralstation)["hooks"]
    assert {(hook["model"], hook["event"], hook["state"]) for hook in told} == {
        ("Person", event, "ok") for event in ("create", "update", "destroy")
    }


def test_calls_are_told_as_used_and_left(cli: Cli, live: Live) -> None:
    RateBudget.objects.filter(connection=live.sync.ghl).update(calls=17, left_today=199_983)
    row = shown(cli, live.sync.ghl)
    assert (row["calls_used"], row["calls_left_today"]) == (17, 199_983)


def test_what_was_heard_is_told(cli: Cli, live: Live) -> None:
    for name, n in {"announced": 3, "found": 1, "echo": 5, "refused:forged": 2}.items():
        Tally.add(live.sync.ghl_id, name, n)
    event = Event.objects.create(connection=live.sync.ghl, via=Event.Via.APP, body="{}")
    row = shown(cli, live.sync.ghl)
    assert (row["coverage"], row["echoes"], row["refused"]) == (0.75, 5, {"forged": 2})
    assert row["last_event"] == event.received_at.isoformat()


def test_nothing_heard_yet_is_told_as_null(cli: Cli, live: Live) -> None:
    row = shown(cli, live.sync.ghl)
    assert (row["coverage"], row["last_event"], row["paused"], row["deaf"]) == (None, None, None, "")


def test_missing_permissions_come_with_what_goes_without_them(cli: Cli, transactional_db: None) -> None:
    connection = make_connection(granted_scopes=["contacts.readonly"])
    assert "one way only" in shown(cli, connection)["missing_scopes"]["contacts.write"]


def test_a_paused_connection_says_since_when(cli: Cli, transactional_db: None) -> None:
    at = timezone.now()
    assert shown(cli, make_connection(paused_at=at))["paused"] == at.isoformat()


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_no_secret_is_shown(cli: Cli, transactional_db: None, words: tuple[str, ...]) -> None:
    secrets: dict[str, Any] = dict.fromkeys(("client_secret", "refresh_token", "webhook_secret"), "swordfish")
    connection = make_connection(client_id="app-1", **secrets)
    answer = cli("connection", "show", connection.pk, *words)
    assert (answer.status, "swordfish" in answer.out, connection.credential in answer.out) == (0, False, False)


def test_people_get_a_line_each(cli: Cli, transactional_db: None) -> None:
    assert "health: untested\n" in cli("connection", "show", make_connection().pk).out


def test_it_is_paused_and_resumed_by_command(cli: Cli, transactional_db: None) -> None:
    connection = make_connection()
    paused = cli("connection", "pause", connection.pk, "--json").row["paused"]
    assert (bool(paused), cli("connection", "resume", connection.pk, "--json").row["paused"]) == (True, None)
