"""Permissions: what isn't granted is never called, what is missing is told wherever it matters, and granting it releases what waited."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.test import Client

from crmsync.models import Connection, Contact, Health, Status
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_API_KEY, DEMO_GHL_READONLY_TOKEN, DEMO_GHL_TOKEN, DEMO_LOCATION_ID
from crmsync.sandbox.traffic import CallRecord
from crmsync.sync import authorisation, scopes, setup
from crmsync.systems.ghl.client import NOBODY
from crmsync.systems.ghl.oauth import SCOPES
from tests.sync.conftest import RATE, Cli
from tests.sync.kit import ADA, GRACE, Live, writes
from tests.sync.oauth import READ_ONLY, latest, let_in

pytestmark = pytest.mark.django_db(transaction=True)

Join = Callable[..., Live]


@pytest.fixture
def joined(serve_ghl: Callable[..., Ghl], serve_centralstation: Callable[..., CentralStation]) -> Join:
    """A live sync; `connect` lets the GHL account in."""

    def join(connect: Callable[[Ghl], Connection]) -> Live:
        ghl, central = serve_ghl(limit=RATE[0]), serve_centralstation(limit=RATE[0])
        office = setup.add_centralstation_connection(name="CS", root=central.url, api_key=DEMO_API_KEY, rate=RATE)
        return Live(setup.create_sync(name="Berlin", ghl=connect(ghl), centralstation=office), ghl, central)

    return join


def by_token(token: str, **options: Any) -> Callable[[Ghl], Connection]:
    return lambda crm: setup.add_ghl_connection(name="GHL", location_id=DEMO_LOCATION_ID, token=token, root=crm.url, rate=RATE, **options)


def by_oauth(granted: Iterable[str]) -> Callable[[Ghl], Connection]:
    return lambda crm: let_in(crm, granted)


READ_ONLY_WAYS = {"private token": by_token(DEMO_GHL_READONLY_TOKEN), "OAuth": by_oauth(READ_ONLY)}


@pytest.fixture(params=READ_ONLY_WAYS)
def one_way(request: pytest.FixtureRequest, joined: Join) -> Live:
    """GHL may be read only; Ada is there, Grace in CentralStation."""
    live = joined(READ_ONLY_WAYS[request.param])
    live.ghl.add_contact(**ADA)
    live.central.add_contact(**GRACE)
    return live


def asked_to_write(crm: Ghl) -> list[CallRecord]:
    """All calls that would change something, but for the one that can't."""
    return [call for call in writes(crm) if not call.path.startswith("/oauth/")]


def tries(crm: Ghl) -> list[CallRecord]:
    """The writes that can't do anything."""
    return [call for call in crm.calls() if call.path.endswith(NOBODY)]


def ghl_connection() -> Connection:
    return Connection.objects.get(system="ghl")


# One way only


def test_read_only_goes_one_way_and_asks_for_no_write(one_way: Live) -> None:
    one_way.run()
    one_way.run(full=True)
    one_way.retry()
    assert asked_to_write(one_way.ghl) == []
    assert one_way.counts() == (1, 2)


def test_what_cant_be_written_waits_with_the_reason_and_one_issue(one_way: Live) -> None:
    for n in range(3):
        one_way.central.add_contact(first_name=f"N{n}", name="Hopper", emails=[f"n{n}@example.org"])
    one_way.run()
    waiting = Contact.objects.filter(status=Status.WAITING)
    assert (waiting.count(), one_way.issues()) == (4, ["permission_missing"])
    assert {"contacts.write" in contact.reason for contact in waiting} == {True}


def test_a_change_of_a_linked_contact_waits_and_the_other_way_goes_on(one_way: Live) -> None:
    one_way.run()
    ada = one_way.contact(label="Ada Lovelace")
    one_way.edit_in_central(ada, first_name="Augusta")
    one_way.ghl.edit_contact(str(ada.ghl_id), companyName="Engines")
    one_way.run()
    ada.refresh_from_db()
    assert (ada.status, one_way.in_central(ada).fields["company"]) == (Status.WAITING, "Engines")
    assert asked_to_write(one_way.ghl) == []


def test_one_way_is_said_on_the_sync_its_card_the_connection_and_by_the_command(one_way: Live, cli: Cli, admin_client: Client) -> None:
    one_way.run()
    pages = ("/", f"/syncs/{one_way.sync.pk}/", f"/connections/{one_way.sync.ghl_id}/")
    shown = [admin_client.get(page).content.decode() for page in pages]
    assert [bool(re.search("one way only", page, re.IGNORECASE)) for page in shown] == [True] * 3
    assert [page.count("contacts.write") > 0 for page in shown] == [True] * 3
    [notice] = cli("sync", "status", one_way.sync.pk, "--json").row["notices"]
    assert notice.startswith("One way only")
    assert "contacts.write" in notice


def test_granting_it_to_a_private_token_and_testing_releases_what_waited(joined: Join) -> None:
    live = joined(by_token(DEMO_GHL_READONLY_TOKEN))
    live.central.add_contact(**GRACE)
    live.run()
    assert live.statuses() == ["waiting"]
    live.ghl.change_scopes(SCOPES)
    setup.test_connection(ghl_connection())
    live.work()
    live.sync.refresh_from_db()
    assert (live.statuses(), live.issues(), live.sync.notices) == (["in_sync"], [], {})


def test_granting_it_by_reconnecting_releases_what_waited(joined: Join) -> None:
    live = joined(by_oauth(READ_ONLY))
    live.central.add_contact(**GRACE)
    live.run()
    assert live.statuses() == ["waiting"]
    code = live.ghl.oauth.code_for(live.ghl.install([*SCOPES], [live.ghl.location_id]), authorisation.redirect_uri())
    authorisation.finish(ghl_connection(), code, for_agency=False)
    live.work()
    live.sync.refresh_from_db()
    assert (live.statuses(), live.sync.notices, ghl_connection().health) == (["in_sync"], {}, Health.OK)


def test_testing_while_it_is_still_missing_leaves_what_waits(one_way: Live) -> None:
    one_way.run()
    setup.test_connection(ghl_connection())
    assert Contact.objects.filter(status=Status.WAITING).count() == 1


# Finding out


def test_a_private_token_is_tested_by_an_empty_update_of_nobody(joined: Join) -> None:
    live = joined(by_token(DEMO_GHL_TOKEN))
    [call] = tries(live.ghl)
    assert (call.method, ghl_connection().health) == ("PUT", Health.OK)


@pytest.mark.parametrize("status", [400, 404])
def test_whatever_is_said_of_nobody_means_that_writing_is_allowed(serve_ghl: Callable[..., Ghl], status: int) -> None:
    connection = by_token(DEMO_GHL_TOKEN)(serve_ghl(missing_status=status))
    assert (connection.health, connection.missing_scopes) == (Health.OK, {})


def test_what_the_authorisation_told_is_missing_is_not_even_tried(joined: Join) -> None:
    live = joined(by_oauth(READ_ONLY))
    assert asked_to_write(live.ghl) + tries(live.ghl) == []
    assert list(ghl_connection().missing_scopes) == ["contacts.write"]


def test_of_what_was_not_granted_nothing_is_called(joined: Join) -> None:
    live = joined(by_oauth(["contacts.readonly", "contacts.write"]))
    live.ghl.add_contact(**ADA)
    live.run()
    operations = {call.operation for call in live.ghl.calls()}
    assert not operations & {"get-location", "task-search", "get-custom-fields", "get-user-by-location"}
    assert live.statuses() == ["in_sync"]


def test_a_refusal_for_lack_of_a_scope_is_remembered_by_the_next_session(joined: Join) -> None:
    live = joined(by_token(DEMO_GHL_TOKEN))
    live.ghl.change_scopes(READ_ONLY)
    live.central.add_contact(**GRACE)
    live.run()
    assert len(asked_to_write(live.ghl)) == 1
    connection = ghl_connection()
    assert (connection.health, list(connection.missing_scopes)) == (Health.LIMITED, ["contacts.write"])
    live.central.add_contact(first_name="Edsger", name="Dijkstra", emails=["edsger@example.org"])
    live.run()
    assert len(asked_to_write(live.ghl)) == 1
    live.sync.refresh_from_db()
    assert scopes.ONE_WAY in live.sync.notices


def test_a_403_teaches_the_same(joined: Join) -> None:
    live = joined(by_token(DEMO_GHL_TOKEN))
    live.ghl.fault("canned", method="POST", path="/contacts$", status=403, body={"statusCode": 403, "message": "Forbidden resource"})
    live.central.add_contact(**GRACE)
    live.run()
    assert (live.statuses(), list(ghl_connection().missing_scopes)) == (["waiting"], ["contacts.write"])


def test_until_it_is_known_one_write_goes_alone(joined: Join) -> None:
    live = joined(by_token(DEMO_GHL_READONLY_TOKEN, test=False))
    for n in range(12):
        live.central.add_contact(first_name=f"N{n}", name="Hopper", emails=[f"n{n}@example.org"])
    live.ghl.latency_ms = 30
    live.run()
    assert (len(asked_to_write(live.ghl)), set(live.statuses())) == (1, {"waiting"})


def test_a_token_that_may_write_is_found_out_by_that_write(joined: Join) -> None:
    live = joined(by_token(DEMO_GHL_TOKEN, test=False))
    for n in range(6):
        live.central.add_contact(first_name=f"N{n}", name="Hopper", emails=[f"n{n}@example.org"])
    live.run()
    assert (live.counts(), set(live.statuses())) == ((6, 6), {"in_sync"})


def test_a_run_by_command_asks_for_no_write_that_is_known_to_be_missing(one_way: Live, cli: Cli) -> None:
    cli("sync", "run", one_way.sync.pk, "--wait", "--json")
    assert asked_to_write(one_way.ghl) == []
    assert len(tries(one_way.ghl)) == (0 if ghl_connection().is_oauth else 2)


def test_a_run_by_command_finds_out_that_it_was_granted_meanwhile(joined: Join, cli: Cli) -> None:
    live = joined(by_token(DEMO_GHL_READONLY_TOKEN))
    live.central.add_contact(**GRACE)
    live.run()
    live.ghl.change_scopes(SCOPES)
    assert cli("sync", "run", live.sync.pk, "--wait", "--json").row["counts"]["in_sync"] == 1


# Commands


def test_the_command_names_what_is_missing(cli: Cli, serve_ghl: Callable[..., Ghl]) -> None:
    by_token(DEMO_GHL_READONLY_TOKEN)(serve_ghl())
    answer = cli("connection", "test", ghl_connection().pk, "--json")
    assert (answer.status, answer.row["missing_scopes"]) == (0, ["contacts.write"])
    assert "one way only" in answer.err


def add_oauth(cli: Cli, crm: Ghl, *more: str, stdin: str) -> Any:
    return cli("connection", "add", "ghl", "--name", "GHL", "--oauth-stdin", "--api-url", crm.url, *more, "--json", stdin=stdin)


def secrets_of(crm: Ghl, **changed: str) -> str:
    pair = crm.authorise([*SCOPES])
    told = {"client_id": crm.settings.client_id, "client_secret": crm.settings.client_secret, "refresh_token": pair["refresh_token"]}
    pairs = ",\n  ".join(f'"{name}": "{value}"' for name, value in (told | changed).items())
    return f"{{\n  {pairs}\n}}\n"


def test_an_authorisation_made_elsewhere_is_taken_over(cli: Cli, ghl_sandbox: Ghl) -> None:
    answer = add_oauth(cli, ghl_sandbox, stdin=secrets_of(ghl_sandbox))
    connection = ghl_connection()
    assert (answer.status, answer.row) == (0, {"id": connection.pk})
    assert (connection.health, connection.account_id, connection.account_name) == (Health.OK, DEMO_LOCATION_ID, "Sandbox Agency")


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"refresh_token": "rt-wrong-secret"}, "refuses the authorisation"), ({"client_secret": "cs-wrong-secret"}, "client secret")],
)
def test_a_refused_authorisation_is_not_stored_and_not_repeated(cli: Cli, ghl_sandbox: Ghl, changed: dict[str, str], said: str) -> None:
    answer = add_oauth(cli, ghl_sandbox, stdin=secrets_of(ghl_sandbox, **changed))
    assert (answer.status, answer.out, Connection.objects.count()) == (1, "", 0)
    assert said in answer.err
    assert "wrong-secret" not in answer.err


@pytest.mark.parametrize(
    "stdin", ["", "pit-a-token", "[]", '{"client_id": "a"}', '{"client_id": 1, "client_secret": null, "refresh_token": ""}']
)
def test_what_is_no_authorisation_is_said(cli: Cli, ghl_sandbox: Ghl, stdin: str) -> None:
    answer = add_oauth(cli, ghl_sandbox, stdin=stdin)
    assert (answer.status, answer.out, Connection.objects.count()) == (1, "", 0)
    assert "JSON with client_id" in answer.err


def test_once_renewed_an_authorisation_stays_whatever_fails_then(cli: Cli, ghl_sandbox: Ghl) -> None:
    stdin = secrets_of(ghl_sandbox)
    ghl_sandbox.fault("credentials_refused", path="/contacts/search")
    answer = add_oauth(cli, ghl_sandbox, stdin=stdin)
    connection = ghl_connection()
    assert (answer.status, answer.row["id"], connection.health) == (0, connection.pk, Health.RECONNECT)
    assert "Press Reconnect" in answer.err
    ghl_sandbox.clear_faults()
    assert setup.test_connection(latest(connection)).health == Health.OK


def test_a_token_needs_its_location(cli: Cli, ghl_sandbox: Ghl) -> None:
    answer = cli("connection", "add", "ghl", "--name", "GHL", "--token-stdin", "--api-url", ghl_sandbox.url, stdin=DEMO_GHL_TOKEN)
    assert (answer.status, "--location-id" in answer.err) == (2, True)
