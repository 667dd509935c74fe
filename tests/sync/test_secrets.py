"""No credential and no person is in any output, log, repr, address, stored reason or stored error."""

from __future__ import annotations

import logging

import pytest
from django.db import connection as database
from django_q.models import OrmQ

from crmsync import jobs
from crmsync.models import Change, Connection, Contact, Issue, Run
from crmsync.sandbox.settings import DEMO_API_KEY, DEMO_GHL_TOKEN
from crmsync.sync import setup
from crmsync.sync.session import open_system
from crmsync.systems.errors import CredentialsRefused
from tests.sync.conftest import Cli
from tests.sync.kit import ADA, GRACE, Live

SECRETS = (DEMO_GHL_TOKEN, DEMO_API_KEY)
PERSONAL = ("ada@example.org", "Lovelace", "493012345678", "3012345678", "grace@example.org", "Hopper")


def none_of(words: tuple[str, ...], text: str) -> bool:
    return not any(word in text for word in words)


FAULTS = ["credentials_refused", "server_error", "not_json", "scope_missing", "answer_lost", "rate_limited"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_under_fire_leaks_nothing(cli: Cli, live: Live, caplog: pytest.LogCaptureFixture, fault: str) -> None:
    caplog.set_level(logging.DEBUG, "crmsync")
    caplog.set_level(logging.INFO)
    live.ghl.add_contact(**ADA)
    live.central.add_contact(**GRACE)
    for crm in (live.ghl, live.central):
        crm.fault(fault, method="POST", path="/contacts$|/people$")
    answers = [
        cli("sync", "run", live.sync.pk, "--wait", "--json"),
        cli("sync", "status", live.sync.pk, "--json"),
        cli("sync", "contacts", live.sync.pk, "--json"),
        cli("connection", "list", "--json"),
    ]
    said = "".join(answer.out + answer.err for answer in answers) + caplog.text
    reasons = [*Contact.objects.values_list("reason", flat=True), *Issue.objects.values_list("explanation", flat=True)]
    reasons += [*Run.objects.values_list("reason", flat=True), *Change.objects.values_list("reason", flat=True)]
    assert none_of((*SECRETS, *PERSONAL), said)
    assert none_of((*SECRETS, *PERSONAL), "".join(reasons))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_test_under_fire_leaks_nothing(cli: Cli, live: Live, caplog: pytest.LogCaptureFixture, fault: str) -> None:
    for crm in (live.ghl, live.central):
        crm.fault(fault)
    said = ""
    for connection in Connection.objects.all():
        answer = cli("connection", "test", connection.pk, "--json")
        said += answer.out + answer.err
    stored = "".join(Connection.objects.values_list("health_reason", flat=True))
    assert none_of(SECRETS, said + stored + caplog.text)


@pytest.mark.parametrize("word", ["token with blanks\x00", "pit-ümlaut-secret-value", "pit-wrong-secret-value"])
def test_a_credential_that_is_refused_is_not_repeated(cli: Cli, live: Live, word: str) -> None:
    words = ("connection", "add", "ghl", "--name", "X", "--location-id", "L", "--token-stdin", "--api-url", live.ghl.url, "--json")
    answer = cli(*words, stdin=word)
    assert answer.status == 1
    assert none_of((word, "secret", "blanks"), answer.out + answer.err)


def test_the_database_holds_no_credential_in_clear(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.run()
    rows = [*Connection.objects.values_list("credential_hint", "health_reason", "name", "root")]
    assert none_of(SECRETS, str(rows))
    with database.cursor() as cursor:
        cursor.execute("SELECT credential FROM crmsync_connection")
        assert none_of(SECRETS, str(cursor.fetchall()))


def test_a_repr_shows_no_credential(live: Live) -> None:
    for connection in Connection.objects.all():
        system = open_system(connection)
        assert none_of(SECRETS, repr(system) + repr(connection) + str(connection) + repr(vars(system).get("_transport")))
        system.close()


def test_a_job_carries_an_id_and_nothing_else(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.run()
    live.sync.contacts.update(dirty=15, due_at=live.contact().created_at)
    jobs.tick()
    queued = "".join(str(one.task) for one in OrmQ.objects.all())
    assert none_of((*SECRETS, *PERSONAL), queued)


def test_an_error_of_a_client_holds_no_request(live: Live) -> None:
    live.ghl.fault("credentials_refused")
    connection = Connection.objects.get(system="ghl")
    with pytest.raises(CredentialsRefused) as caught:
        setup.prove(connection)
    chain: BaseException | None = caught.value
    while chain is not None:
        assert none_of(SECRETS, repr(chain) + repr(vars(chain)))
        chain = chain.__cause__ or chain.__context__
