"""Tokens: renewed in time, by one at a time, and never lost; a refusal locks the account until a person reconnects it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db import connection as database
from django.utils import timezone

from crmsync import jobs
from crmsync.models import Connection, Health, Status, Sync
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_API_KEY
from crmsync.sync import authorisation, setup, tokens
from crmsync.sync.setup import SetupError
from crmsync.systems.errors import AuthorisationRefused, Unavailable
from tests.foundation.installation import PROJECT, Installation
from tests.sync.conftest import RATE
from tests.sync.kit import ADA, GRACE, Live
from tests.sync.oauth import AGENCY, CLIENT, latest, let_agency_in, let_in, make_due, make_ended

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "LOOK_EVERY_S", 0.02)


@pytest.fixture
def account(ghl_sandbox: Ghl) -> Connection:
    return let_in(ghl_sandbox)


@pytest.fixture
def live(serve_ghl: Callable[..., Ghl], serve_centralstation: Callable[..., CentralStation]) -> Live:
    """A live sync, its GHL account let in by OAuth, with Ada and Grace in sync."""
    ghl, central = serve_ghl(limit=RATE[0]), serve_centralstation(limit=RATE[0])
    office = setup.add_centralstation_connection(name="CS", root=central.url, api_key=DEMO_API_KEY, rate=RATE)
    live = Live(setup.create_sync(name="Berlin", ghl=let_in(ghl), centralstation=office), ghl, central)
    ghl.add_contact(**ADA)
    central.add_contact(**GRACE)
    live.run()
    assert live.statuses() == ["in_sync", "in_sync"]
    return live


def token_of(connection: Connection) -> str:
    return tokens.StoredCredentials(connection).token()


# In time


def test_a_token_is_renewed_a_tenth_of_its_life_ahead(serve_ghl: Callable[..., Ghl]) -> None:
    connection = let_in(serve_ghl(token_life_s=1000))
    assert connection.expires_at is not None
    assert connection.refresh_at is not None
    assert connection.expires_at - connection.refresh_at == timedelta(seconds=100)


def test_a_token_that_lives_long_is_renewed_five_minutes_ahead(account: Connection) -> None:
    assert account.expires_at is not None
    assert account.refresh_at is not None
    assert account.expires_at - account.refresh_at == timedelta(minutes=5)


def test_a_token_that_isnt_due_costs_no_request(account: Connection, ghl_sandbox: Ghl) -> None:
    before = ghl_sandbox.refreshes
    assert token_of(account) == account.credential
    assert ghl_sandbox.refreshes == before


def test_a_token_that_is_due_is_renewed_and_stored(account: Connection, ghl_sandbox: Ghl) -> None:
    new = token_of(make_due(account))
    stored = latest(account)
    assert (new != account.credential, stored.credential, stored.refresh_lease) == (True, new, "")
    assert stored.refresh_token != account.refresh_token


def test_an_expired_token_is_renewed_on_a_401_and_the_request_repeated(live: Live) -> None:
    live.ghl.expire_tokens()
    live.edit_in_central(live.contact(label="Grace Hopper"), first_name="Amazing")
    live.run()
    assert (live.in_ghl(live.contact(label__endswith="Hopper")).fields["first name"], live.ghl.refreshes) == ("Amazing", 2)


def test_a_create_that_met_an_expired_token_is_sent_again_and_once(live: Live) -> None:
    live.central.add_contact(first_name="Edsger", name="Dijkstra", emails=["edsger@example.org"])
    live.ghl.fault("credentials_refused", method="POST", path="/contacts$", times=1)
    live.run()
    assert live.counts() == (3, 3)
    assert set(live.statuses()) == {"in_sync"}


def test_idle_accounts_are_renewed_by_the_job(account: Connection) -> None:
    make_due(account)
    jobs.upkeep()
    assert latest(account).credential != account.credential


def test_a_locked_out_account_is_not_renewed_by_the_job(account: Connection, ghl_sandbox: Ghl) -> None:
    make_due(account)
    Connection.objects.update(health=Health.RECONNECT)
    before = ghl_sandbox.refreshes
    tokens.refresh_due(timezone.now())
    assert ghl_sandbox.refreshes == before


# One at a time


@pytest.mark.parametrize("age", [make_due, make_ended], ids=["due", "ended"])
def test_many_at_once_renew_once(account: Connection, ghl_sandbox: Ghl, age: Callable[[Connection], Connection]) -> None:
    row, before, got = age(account), ghl_sandbox.refreshes, []
    ghl_sandbox.latency_ms = 100
    start = threading.Barrier(12)

    def ask() -> None:
        start.wait()
        got.append(token_of(row))
        database.close()

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    new = latest(account).credential
    assert (ghl_sandbox.refreshes - before, len(got)) == (1, 12)
    assert set(got) <= ({new, account.credential} if age is make_due else {new})


def test_many_refused_at_once_renew_once(account: Connection, ghl_sandbox: Ghl) -> None:
    ghl_sandbox.latency_ms = 50
    before, told = ghl_sandbox.refreshes, []

    def renew() -> None:
        told.append(tokens.StoredCredentials(account).renew(account.credential))
        database.close()

    threads = [threading.Thread(target=renew) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (told, ghl_sandbox.refreshes - before) == ([True] * 8, 1)


LET_IN = """
import os
from crmsync.sync import authorisation
values = {name: os.environ[name.upper()] for name in ("client_id", "client_secret", "refresh_token", "root")}
authorisation.take_over(name="GHL", **values)
"""


def test_two_processes_at_once_renew_once(installed: Installation, ghl_sandbox: Ghl) -> None:
    pair = ghl_sandbox.authorise(["contacts.readonly", "contacts.write"])
    secrets = {name.upper(): value for name, value in CLIENT.items()}
    done = installed.manage("shell", "-v0", "-c", LET_IN, ROOT=ghl_sandbox.url, REFRESH_TOKEN=pair["refresh_token"], **secrets)
    assert done.returncode == 0, done.stderr
    ghl_sandbox.expire_tokens()
    ghl_sandbox.latency_ms = 300
    before = ghl_sandbox.refreshes
    command = [sys.executable, str(PROJECT / "manage.py"), "connection", "test", "1", "--json"]
    testing = [subprocess.Popen(command, env=installed.variables(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(60) for process in testing] == [0, 0]
    assert ghl_sandbox.refreshes - before == 1


def test_while_another_renews_the_old_token_serves_as_long_as_it_lives(account: Connection) -> None:
    Connection.objects.update(refresh_lease="another", refresh_lease_until=timezone.now() + timedelta(minutes=1))
    assert token_of(make_due(account)) == account.credential


def test_nobody_waits_for_ever_for_another_who_renews(account: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "LONGEST_WAIT_S", 0.1)
    Connection.objects.update(refresh_lease="another", refresh_lease_until=timezone.now() + timedelta(minutes=1))
    with pytest.raises(Unavailable):
        token_of(make_ended(account))


def test_the_lease_of_a_process_that_died_ends(account: Connection) -> None:
    Connection.objects.update(refresh_lease="dead", refresh_lease_until=timezone.now() - timedelta(seconds=1))
    assert token_of(make_ended(account)) != account.credential


def test_who_is_refused_late_leaves_what_another_stored(account: Connection, ghl_sandbox: Ghl) -> None:
    stale = latest(account)
    token_of(make_due(account))
    with pytest.raises(AuthorisationRefused):
        tokens.authority_of(stale).refresh(stale.refresh_token)
    error = AuthorisationRefused("late", side=stale.side)
    assert tokens._refused(stale, stale.refresh_token, error).token == latest(account).credential
    assert latest(account).health == Health.OK


# Never lost


@pytest.mark.parametrize("fault", [{"kind": "answer_lost"}, {"kind": "answer_lost", "status": 504}, {"kind": "not_json"}])
def test_a_lost_answer_is_met_by_one_try_with_the_old_token(serve_ghl: Callable[..., Ghl], fault: dict[str, Any]) -> None:
    crm = serve_ghl(forgiving_refresh=True)
    account = let_in(crm)
    crm.fault(path="/oauth/token", times=1, **fault)
    new = token_of(make_ended(account))
    assert (new == latest(account).credential, latest(account).health) == (True, Health.OK)


def test_where_the_lost_answer_used_the_token_up_a_person_must_reconnect(account: Connection, ghl_sandbox: Ghl) -> None:
    ghl_sandbox.lose_next_refresh()
    with pytest.raises(AuthorisationRefused):
        token_of(make_ended(account))
    stored = latest(account)
    assert (stored.health, "Press Reconnect" in stored.health_reason) == (Health.RECONNECT, True)
    assert [call.operation for call in ghl_sandbox.calls()[-2:]] == ["get-access-token", "get-access-token"]


@pytest.mark.parametrize("form", ["oauth", "status"])
def test_a_refusal_in_either_form_ends_in_reconnecting_at_once(serve_ghl: Callable[..., Ghl], form: str) -> None:
    crm = serve_ghl(oauth_errors=form)
    account = let_in(crm)
    crm.revoke()
    before = len(crm.calls())
    with pytest.raises(AuthorisationRefused):
        token_of(make_due(account))
    assert (latest(account).health, len(crm.calls()) - before) == (Health.RECONNECT, 1)


def test_a_server_that_is_out_of_order_ends_nothing(account: Connection, ghl_sandbox: Ghl) -> None:
    ghl_sandbox.fault("server_error", path="/oauth/token")
    with pytest.raises(Unavailable):
        token_of(make_ended(account))
    assert (latest(account).health, latest(account).refresh_token) == (Health.OK, account.refresh_token)
    ghl_sandbox.clear_faults()
    assert token_of(latest(account)) != account.credential


def test_a_server_that_cant_be_reached_ends_nothing(account: Connection) -> None:
    Connection.objects.update(root="http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        token_of(make_ended(account))
    assert latest(account).health == Health.OK


def test_where_renewing_ahead_fails_the_old_token_serves_for_a_while(account: Connection, ghl_sandbox: Ghl) -> None:
    ghl_sandbox.fault("server_error", path="/oauth/token")
    credentials, before = tokens.StoredCredentials(make_due(account)), len(ghl_sandbox.calls())
    assert [credentials.token(), credentials.token()] == [account.credential] * 2
    assert len(ghl_sandbox.calls()) - before == 2


def test_a_database_that_is_away_for_a_moment_loses_no_pair(account: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    store_once, failures = tokens._store_once, iter([OperationalError("away"), OperationalError("away")])

    def away_at_first(*args: Any) -> bool:
        if (failure := next(failures, None)) is not None:
            raise failure
        return store_once(*args)

    monkeypatch.setattr(tokens, "_store_once", away_at_first)
    assert token_of(make_ended(account)) == latest(account).credential


# Revoked


def test_revoked_in_the_middle_nothing_is_lost_and_reconnecting_catches_up(live: Live) -> None:
    ada = live.contact(label="Ada Lovelace")
    live.ghl.revoke()
    live.edit_in_central(ada, first_name="Augusta")
    live.ghl.edit_contact(str(live.contact(label="Grace Hopper").ghl_id), companyName="Navy")
    run = live.run()
    connection = Connection.objects.get(system="ghl")
    assert (run.status, connection.health) == ("failed", Health.RECONNECT)

    before = len(live.ghl.calls())
    Sync.objects.update(poll_due_at=timezone.now(), rest_until=None)
    assert jobs.due_syncs(timezone.now()) == []
    assert len(live.ghl.calls()) == before

    reconnect(live, connection)
    assert latest(connection).health == Health.OK
    assert jobs.due_syncs(timezone.now()) == [live.sync]
    live.work()
    assert live.statuses() == ["in_sync", "in_sync"]
    assert live.in_ghl(ada).fields["first name"] == "Augusta"
    assert live.in_central(live.contact(label="Grace Hopper")).fields["company"] == "Navy"


def test_contacts_that_met_the_refusal_are_tried_again_after_reconnecting(live: Live) -> None:
    ada = live.contact(label="Ada Lovelace")
    live.edit_in_central(ada, first_name="Augusta")
    live.ghl.fault("credentials_refused", method="PUT")
    live.run()
    ada.refresh_from_db()
    connection = Connection.objects.get(system="ghl")
    assert (ada.status, connection.health, live.issues()) == (Status.FAILED, Health.RECONNECT, ["credentials_refused"])
    live.clear_faults()
    reconnect(live, connection)
    live.work()
    assert (live.in_ghl(ada).fields["first name"], live.issues()) == ("Augusta", [])


def reconnect(live: Live, connection: Connection) -> None:
    """A person presses Reconnect and says yes."""
    installed = live.ghl.install(list(authorisation.scopes(for_agency=False)), [live.ghl.location_id])
    code = live.ghl.oauth.code_for(installed, authorisation.redirect_uri())
    authorisation.finish(latest(connection), code, for_agency=False)


def test_testing_gives_a_refused_authorisation_one_more_try(account: Connection) -> None:
    Connection.objects.update(health=Health.RECONNECT, health_reason="Refused.")
    assert setup.test_connection(latest(account)).health == Health.OK


def test_testing_a_revoked_authorisation_says_what_to_press(account: Connection, ghl_sandbox: Ghl) -> None:
    ghl_sandbox.revoke()
    tested = setup.test_connection(latest(account))
    assert (tested.health, "Press Reconnect" in tested.health_reason) == (Health.RECONNECT, True)
    assert latest(account).health == Health.RECONNECT


def test_testing_writes_back_no_token_that_another_process_has_renewed(account: Connection) -> None:
    stale = latest(account)
    token_of(make_due(account))
    setup.apply_account(stale, setup.prove(stale))
    assert latest(account).refresh_token != account.refresh_token


def test_an_uninstalled_app_needs_reconnecting(account: Connection) -> None:
    authorisation.uninstalled(account)
    assert (latest(account).health, "uninstalled" in latest(account).health_reason) == (Health.RECONNECT, True)


def test_a_private_token_has_nothing_to_do_with_an_uninstalled_app(live: Live) -> None:
    office = Connection.objects.get(system="centralstation")
    authorisation.uninstalled(office)
    assert latest(office).health == Health.OK


# Agencies


def test_an_agencys_token_is_exchanged_for_that_of_its_only_location(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(**AGENCY)
    connection = let_agency_in(crm)
    assert (connection.health, connection.account_id, connection.company_id) == (Health.OK, crm.location_id, crm.settings.company_id)


def test_an_agencys_location_is_renewed_by_the_agencys_token(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(**AGENCY)
    connection = let_agency_in(crm)
    new = token_of(make_ended(connection))
    assert (new == latest(connection).credential, crm.oauth.bearer(new).location_id) == (True, crm.location_id)  # type: ignore[union-attr]


def test_an_agency_with_several_locations_takes_the_one_that_is_named(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(**AGENCY)
    connection = let_agency_in(crm, ["SandboxLocation00002", crm.location_id], location_id=crm.location_id)
    assert (connection.health, connection.account_id) == (Health.OK, crm.location_id)


def test_an_agency_with_several_locations_and_none_named_waits_for_a_choice(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(**AGENCY)
    connection = let_agency_in(crm, [crm.location_id, "SandboxLocation00002"])
    assert (connection.account_id, connection.wants_authorisation) == ("", True)
    authorisation.choose_location(connection, crm.location_id)
    assert (latest(connection).health, latest(connection).wants_authorisation) == (Health.OK, False)


def test_a_location_the_app_is_not_installed_in_is_refused_and_another_can_be_chosen(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(**AGENCY)
    connection = let_agency_in(crm, [crm.location_id, "SandboxLocation00002"])
    with pytest.raises(SetupError, match="isn't installed"):
        authorisation.choose_location(connection, "Elsewhere00000000001")
    assert (latest(connection).account_id, latest(connection).health) == ("", Health.UNTESTED)
    authorisation.choose_location(latest(connection), crm.location_id)
    assert latest(connection).health == Health.OK


def test_what_is_lost_between_an_agencys_pair_and_the_locations_token_is_taken_later(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(**AGENCY)
    connection = let_agency_in(crm)
    crm.fault("server_error", path="/oauth/locationToken")
    with pytest.raises(Unavailable):
        token_of(make_ended(connection))
    crm.clear_faults()
    assert token_of(latest(connection)) == latest(connection).credential != connection.credential


# Secret


def test_no_token_is_in_a_log_a_reason_or_the_database_in_clear(
    account: Connection, ghl_sandbox: Ghl, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "crmsync")
    token_of(make_ended(account))
    secrets = [account.credential, account.refresh_token, account.client_secret, *_secrets(latest(account))]
    ghl_sandbox.fault("answer_lost", path="/oauth/token")
    with pytest.raises(Unavailable):
        token_of(make_ended(account))
    ghl_sandbox.clear_faults()
    ghl_sandbox.revoke()
    with pytest.raises(AuthorisationRefused) as caught:
        token_of(make_ended(account))
    with database.cursor() as cursor:
        cursor.execute("SELECT * FROM crmsync_connection")
        stored = str(cursor.fetchall())
    told = caplog.text + stored + repr(caught.value) + str(vars(caught.value)) + repr(tokens.StoredCredentials(account)._held)
    assert [secret for secret in secrets if secret in told] == []


def _secrets(connection: Connection) -> list[str]:
    return [connection.credential, connection.refresh_token]
