"""`manage.py connection`: what it prints, how it ends, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crmsync.models import Connection
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_API_KEY, DEMO_GHL_TOKEN, DEMO_LOCATION_ID
from tests.foundation.installation import free_port
from tests.sync.conftest import Cli


def add_ghl(cli: Cli, url: str, *more: str, token: str = DEMO_GHL_TOKEN, location: str = DEMO_LOCATION_ID) -> Any:
    words = ["connection", "add", "ghl", "--name", "GHL", "--location-id", location, "--token-stdin", "--api-url", url, *more, "--json"]
    return cli(*words, stdin=token)


def add_central(cli: Cli, url: str, *more: str, key: str = DEMO_API_KEY) -> Any:
    return cli("connection", "add", "centralstation", "--name", "CS", "--account-url", url, "--api-key-stdin", *more, "--json", stdin=key)


def test_adding_prints_the_id(cli: Cli, ghl_sandbox: Ghl, centralstation_sandbox: CentralStation) -> None:
    answers = [add_ghl(cli, ghl_sandbox.url), add_central(cli, centralstation_sandbox.url)]
    assert [(answer.status, answer.row) for answer in answers] == [(0, {"id": one.pk}) for one in Connection.objects.order_by("pk")]
    assert {one.health for one in Connection.objects.all()} == {"ok"}


def test_adding_learns_who_the_account_is(cli: Cli, ghl_sandbox: Ghl) -> None:
    add_ghl(cli, ghl_sandbox.url)
    connection = Connection.objects.get()
    assert (connection.account_name, connection.country, connection.timezone) == ("Sandbox Agency", "DE", "Europe/Berlin")


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_root_may_end_in_a_slash(cli: Cli, ghl_sandbox: Ghl, slash: str) -> None:
    assert add_ghl(cli, ghl_sandbox.url + slash).status == 0


def test_a_rate_can_be_assumed(cli: Cli, centralstation_sandbox: CentralStation) -> None:
    add_central(cli, centralstation_sandbox.url, "--rate", "7/2.5")
    budget = Connection.objects.get().budget
    assert (budget.limit, budget.window_s) == (7, 2.5)


REFUSED: dict[str, Callable[[Cli, Ghl, CentralStation], Any]] = {
    "wrong token": lambda cli, ghl, central: add_ghl(cli, ghl.url, token="pit-wrong-wrong-wrong"),
    "wrong location": lambda cli, ghl, central: add_ghl(cli, ghl.url, location="SomeOtherLocation001"),
    "empty location": lambda cli, ghl, central: add_ghl(cli, ghl.url, location=" "),
    "wrong key": lambda cli, ghl, central: add_central(cli, central.url, key="wrong-key-wrong-key"),
    "empty token": lambda cli, ghl, central: add_ghl(cli, ghl.url, token="\n"),
    "empty key": lambda cli, ghl, central: add_central(cli, central.url, key=""),
    "two lines": lambda cli, ghl, central: add_central(cli, central.url, key="one\ntwo"),
    "umlaut": lambda cli, ghl, central: add_central(cli, central.url, key="schlüssel-schlüssel"),
    "no address": lambda cli, ghl, central: add_central(cli, "crm.example"),
    "bad address": lambda cli, ghl, central: add_central(cli, "https://"),
    "unreachable": lambda cli, ghl, central: add_ghl(cli, f"http://127.0.0.1:{free_port()}"),
    "unknown host": lambda cli, ghl, central: add_central(cli, "http://no-such-host.invalid"),
    "another CRM": lambda cli, ghl, central: add_ghl(cli, central.url),
    "the other CRM": lambda cli, ghl, central: add_central(cli, ghl.url),
    "wrong path": lambda cli, ghl, central: add_central(cli, central.url + "/elsewhere"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_not_stored_and_says_why_in_one_line(
    cli: Cli, ghl_sandbox: Ghl, centralstation_sandbox: CentralStation, case: str
) -> None:
    answer = REFUSED[case](cli, ghl_sandbox, centralstation_sandbox)
    assert (answer.status, answer.out, Connection.objects.count()) == (1, "", 0)
    [message] = answer.messages
    assert message.startswith("CommandError: ")


def test_a_server_that_is_no_centralstation_is_said_without_our_words_for_it(cli: Cli, centralstation_sandbox: CentralStation) -> None:
    answer = add_central(cli, centralstation_sandbox.url + "/elsewhere")
    assert answer.messages == ["CommandError: There is no CentralStationCRM at this address."]


@pytest.mark.parametrize("kind", [{"kind": "not_json"}, {"kind": "server_error"}, {"kind": "canned", "body": {"surprise": True}}])
@pytest.mark.parametrize("side", ["ghl", "central"])
def test_an_account_that_answers_nonsense_is_not_stored(
    cli: Cli, ghl_sandbox: Ghl, centralstation_sandbox: CentralStation, side: str, kind: dict[str, Any]
) -> None:
    (ghl_sandbox if side == "ghl" else centralstation_sandbox).fault(**kind)
    answer = add_ghl(cli, ghl_sandbox.url) if side == "ghl" else add_central(cli, centralstation_sandbox.url)
    assert (answer.status, answer.out, Connection.objects.count()) == (1, "", 0)
    assert len(answer.messages) == 1


def test_a_token_that_may_read_nothing_names_the_scope(cli: Cli, serve_ghl: Callable[..., Ghl]) -> None:
    ghl = serve_ghl(tokens={"pit-poor-poor-poor": frozenset({"locations.readonly"})})
    answer = add_ghl(cli, ghl.url, token="pit-poor-poor-poor")
    assert (answer.status, Connection.objects.count()) == (1, 0)
    assert "contacts.readonly" in answer.err


def test_missing_optional_scopes_are_worked_round_and_said(cli: Cli, serve_ghl: Callable[..., Ghl]) -> None:
    ghl = serve_ghl(tokens={"pit-some-some-some": frozenset({"contacts.readonly", "contacts.write", "locations.readonly"})})
    answer = add_ghl(cli, ghl.url, token="pit-some-some-some")
    assert (answer.status, set(answer.row)) == (0, {"id"})
    assert "Tasks are read contact by contact" in answer.err
    assert Connection.objects.get().health == "limited"


def test_without_a_test_anything_is_stored(cli: Cli) -> None:
    answer = add_ghl(cli, f"http://127.0.0.1:{free_port()}", "--no-test")
    assert (answer.status, Connection.objects.get().health) == (0, "untested")


def test_a_name_is_given_once(cli: Cli, ghl_sandbox: Ghl) -> None:
    add_ghl(cli, ghl_sandbox.url)
    answer = add_ghl(cli, ghl_sandbox.url)
    assert (answer.status, "already" in answer.err) == (1, True)


def test_the_list_has_a_line_each_and_four_characters_of_the_credential(
    cli: Cli, ghl_sandbox: Ghl, centralstation_sandbox: CentralStation
) -> None:
    add_ghl(cli, ghl_sandbox.url)
    add_central(cli, centralstation_sandbox.url)
    answer = cli("connection", "list", "--json")
    assert sorted((row["name"], row["system"], row["credential"]) for row in answer.rows) == [
        ("CS", "centralstation", f"…{DEMO_API_KEY[-4:]}"),
        ("GHL", "ghl", f"…{DEMO_GHL_TOKEN[-4:]}"),
    ]


def test_testing_says_how_it_went(cli: Cli, ghl_sandbox: Ghl) -> None:
    id = add_ghl(cli, ghl_sandbox.url).row["id"]
    assert cli("connection", "test", id, "--json").row["health"] == "ok"
    ghl_sandbox.fault("credentials_refused")
    answer = cli("connection", "test", id, "--json")
    assert (answer.status, answer.out, Connection.objects.get().health) == (1, "", "refused")
    ghl_sandbox.clear_faults()
    assert cli("connection", "test", id, "--json").status == 0


@pytest.mark.parametrize("id", ["99", "x", "-1", "²", "9" * 30])
def test_an_unknown_id_is_said(cli: Cli, id: str) -> None:
    answer = cli("connection", "test", "--json", "--", id) if id.startswith("-") else cli("connection", "test", id, "--json")
    assert (answer.status, answer.out) == (1, "")
    assert f"no connection {id}" in answer.err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["add"],
        ["add", "pipedrive"],
        ["add", "ghl", "--name", "X"],
        ["add", "centralstation", "--name", "X", "--account-url", "http://x", "--api-key-stdin", "--rate", "50"],
        ["add", "centralstation", "--name", "X", "--account-url", "http://x", "--api-key-stdin", "--rate", "0/10"],
        ["add", "centralstation", "--name", "X", "--account-url", "http://x", "--api-key-stdin", "--rate", "50/nan"],
        ["test"],
        ["list", "--nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_two(cli: Cli, words: list[str]) -> None:
    answer = cli("connection", *words)
    assert (answer.status, answer.out) == (2, "")
    assert "usage:" in answer.err
