"""`manage.py connection webhooks`, and a connection's own keys, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crmsync.models import Connection
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sync.addresses import ghl_address, workflow_address
from crmsync.systems.ghl import webhooks
from tests.foundation.installation import free_port
from tests.sync.conftest import Cli, cli
from tests.sync.test_connection_command import add_central, add_ghl
from tests.webhooks.sender import ed25519, public_pem, rsa

__all__ = ["cli"]


@pytest.fixture
def central_id(cli: Cli, centralstation_sandbox: CentralStation) -> int:
    return int(add_central(cli, centralstation_sandbox.url).row["id"])


def add_untested(cli: Cli, *more: str) -> Any:
    return add_ghl(cli, f"http://127.0.0.1:{free_port()}", "--no-test", *more)


def key_file(directory: Path, name: str, text: str) -> str:
    (directory / name).write_text(text)
    return str(directory / name)


def test_hooks_are_registered_checked_and_removed(cli: Cli, central_id: int, centralstation_sandbox: CentralStation) -> None:
    answer = cli("connection", "webhooks", central_id, "--register", "--json")
    assert (answer.status, len(centralstation_sandbox.hooks)) == (0, 3)
    assert answer.rows[0] == {"model": "Person", "event": "create", "state": "ok", "failed": 0}
    assert cli("connection", "webhooks", central_id, "--check", "--json").rows == answer.rows
    assert cli("connection", "webhooks", central_id, "--remove", "--json").status == 0
    assert centralstation_sandbox.hooks == []


def test_checking_what_is_not_in_order_is_three_and_says_so(cli: Cli, central_id: int) -> None:
    answer = cli("connection", "webhooks", central_id, "--check", "--json")
    assert (answer.status, {row["state"] for row in answer.rows}) == (3, {"missing"})
    assert "aren't in order" in answer.err


def test_a_crm_that_cannot_be_reached_is_one(cli: Cli, central_id: int) -> None:
    Connection.objects.update(root=f"http://127.0.0.1:{free_port()}")
    answer = cli("connection", "webhooks", central_id, "--register", "--json")
    assert (answer.status, answer.out) == (1, "")
    assert "can't be reached" in answer.err


def test_a_ghl_connection_shows_its_addresses_and_the_events_to_choose(cli: Cli) -> None:
    id = add_untested(cli).row["id"]
    connection = Connection.objects.get(pk=id)
    first, *events = cli("connection", "webhooks", id, "--json").rows
    assert first == {"webhook_url": ghl_address(connection), "workflow_url": workflow_address(connection)}
    assert [row["event"] for row in events] == [event.name for event in webhooks.EVENTS]


@pytest.mark.parametrize("verb", ["--register", "--remove"])
def test_ghls_webhooks_cannot_be_registered(cli: Cli, verb: str) -> None:
    answer = cli("connection", "webhooks", add_untested(cli).row["id"], verb)
    assert (answer.status, answer.out) == (1, "")


def test_keys_of_a_connection_come_from_files(cli: Cli, tmp_path: Path) -> None:
    pems = [public_pem(ed25519()), public_pem(rsa())]
    files = [key_file(tmp_path, f"{number}.pem", pem) for number, pem in enumerate(pems)]
    words = [word for name in files for word in ("--webhook-public-key-file", name)]
    assert add_untested(cli, *words).status == 0
    assert Connection.objects.get().webhook_keys == pems


@pytest.mark.parametrize("text", ["", "no key", None])
def test_a_file_without_a_key_is_named_and_nothing_stored(cli: Cli, tmp_path: Path, text: str | None) -> None:
    name = str(tmp_path / "missing.pem") if text is None else key_file(tmp_path, "bad.pem", text)
    answer = add_untested(cli, "--webhook-public-key-file", name)
    assert (answer.status, answer.out, Connection.objects.count()) == (1, "", 0)
    assert name in answer.err
