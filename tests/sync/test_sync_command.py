"""`manage.py sync`: what it prints, how it ends, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crmsync.models import Connection, Contact, Mode, Status, Sync
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sync import setup
from tests.dashboard.data import make_contact
from tests.sync.conftest import Cli
from tests.sync.kit import ADA, GRACE, Live


def sync(cli: Cli, live: Live, verb: str, *words: object) -> Any:
    return cli("sync", verb, live.sync.pk, *words, "--json")


# Creating


@pytest.fixture
def accounts(transactional_db: None) -> tuple[Connection, Connection]:
    """Two that were stored without a test."""
    root = "http://127.0.0.1:9"
    ghl = setup.add_ghl_connection(name="GHL", location_id="L", token="pit-0123456789", root=root, test=False)
    return ghl, setup.add_centralstation_connection(name="CS", root=root, api_key="key-0123456789", test=False)


def test_creating_prints_the_id(cli: Cli, accounts: tuple[Connection, Connection]) -> None:
    ghl, central = accounts
    answer = cli(
        "sync", "create", "--name", "N", "--ghl", ghl.pk, "--centralstation", central.pk, "--conflict", "ask", "--mode", "draft", "--json"
    )
    made = Sync.objects.get()
    assert (answer.status, answer.row) == (0, {"id": made.pk})
    assert (made.conflict, made.mode) == ("ask", "draft")


def test_a_sync_is_live_and_takes_the_newest_unless_told_otherwise(cli: Cli, accounts: tuple[Connection, Connection]) -> None:
    ghl, central = accounts
    cli("sync", "create", "--name", "N", "--ghl", ghl.pk, "--centralstation", central.pk, "--json")
    made = Sync.objects.get()
    assert (made.conflict, made.mode) == ("newest", "live")


def test_what_cannot_be_joined_is_said(cli: Cli, accounts: tuple[Connection, Connection]) -> None:
    ghl, central = accounts
    answers = [
        cli("sync", "create", "--name", "N", "--ghl", central.pk, "--centralstation", ghl.pk, "--json"),
        cli("sync", "create", "--name", "N", "--ghl", 999, "--centralstation", central.pk, "--json"),
        cli("sync", "create", "--name", " ", "--ghl", ghl.pk, "--centralstation", central.pk, "--json"),
    ]
    assert [(answer.status, answer.out, len(answer.messages)) for answer in answers] == [(1, "", 1)] * 3
    assert not Sync.objects.exists()


# Running


def test_a_run_that_went_well(cli: Cli, live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.add_contact(**GRACE)
    answer = sync(cli, live, "run", "--wait")
    assert (answer.status, answer.row["counts"]["in_sync"], answer.row["last_run"]["kind"]) == (0, 2, "first_sync")
    assert live.counts() == (2, 2)


def test_the_next_run_is_a_poll_and_a_full_one_when_asked_for(cli: Cli, live: Live) -> None:
    kinds = [sync(cli, live, "run", *words, "--wait").row["last_run"]["kind"] for words in ([], [], ["--full"])]
    assert kinds == ["first_sync", "poll", "full"]


def test_a_run_without_waiting_leaves_it_to_the_jobs(cli: Cli, live: Live) -> None:
    live.ghl.add_contact(**ADA)
    answer = sync(cli, live, "run")
    assert (answer.status, set(answer.row), live.counts()) == (0, {"run"}, (1, 0))
    live.work()
    assert live.counts() == (1, 1)


def test_a_run_with_a_contact_out_of_order_is_three(cli: Cli, live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.fault("server_error", method="POST")
    assert sync(cli, live, "run", "--wait").status == 3
    live.clear_faults()
    assert sync(cli, live, "run", "--wait").status == 0


def test_a_run_without_the_scope_to_write_is_three_and_names_it(cli: Cli, live: Live) -> None:
    live.central.add_contact(**GRACE)
    live.ghl.fault("scope_missing", method="POST", path="/contacts$")
    answer = sync(cli, live, "run", "--wait")
    [row] = sync(cli, live, "contacts", "--status", "waiting").rows
    assert answer.status == 3
    assert "contacts.write" in row["reason"]


@pytest.mark.parametrize("side", ["ghl", "central"])
def test_a_side_that_cannot_be_read_to_the_end_is_three(cli: Cli, live: Live, side: str) -> None:
    live.ghl.add_contact(**ADA)
    getattr(live, side).fault(
        "server_error", path="/contacts/search$" if side == "ghl" else "/people$", method="POST" if side == "ghl" else "GET"
    )
    answer = sync(cli, live, "run", "--wait")
    assert (answer.status in (1, 3), bool(answer.err)) == (True, True)


@pytest.mark.parametrize("side", ["ghl", "central"])
@pytest.mark.parametrize("fault", ["credentials_refused", "server_error", "not_json"])
def test_an_account_that_refuses_at_the_outset_is_one_and_nothing_is_begun(cli: Cli, live: Live, side: str, fault: str) -> None:
    getattr(live, side).fault(fault)
    answer = sync(cli, live, "run", "--wait")
    assert (answer.status, answer.out, len(answer.messages)) == (1, "", 1)
    assert not live.sync.runs.exists()


def test_credentials_refused_amid_a_run_is_three(cli: Cli, live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.fault("credentials_refused", method="POST")
    answer = sync(cli, live, "run", "--wait")
    assert (answer.status, len(answer.rows)) == (3, 1)


# Status and contacts


def test_status_tells_counts_calls_and_the_last_run(cli: Cli, live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.run()
    row = sync(cli, live, "status").row
    assert set(row["counts"]) == set(Status.values)
    assert row["calls"] == {"ghl": len(live.ghl.calls()), "centralstation": len(live.central.calls())}
    assert (row["last_run"]["status"], row["mode"]) == ("done", "live")


def test_contacts_are_a_line_each_with_the_keys_that_tools_rely_on(cli: Cli, live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.run()
    contact = live.contact()
    [row] = sync(cli, live, "contacts").rows
    assert set(row) == {"id", "ghl_id", "centralstation_id", "external_id", "status", "reason", "updated_at"}
    assert (row["id"], row["ghl_id"], row["external_id"], row["status"]) == (
        contact.pk,
        contact.ghl_id,
        contact.centralstation_id,
        "in_sync",
    )
    assert isinstance(row["external_id"], str)


def test_each_candidate_of_a_review_has_a_line_and_no_external_id(cli: Cli, live: Live) -> None:
    live.ghl.add_contact(firstName="Info", email="info@example.org")
    for name in ("Ada", "Grace"):
        live.central.add_contact(first_name=name, name="X", emails=["info@example.org"])
    assert sync(cli, live, "run", "--wait").status == 0
    rows = sync(cli, live, "contacts", "--status", "review").rows
    assert [row["external_id"] for row in rows] == [None, None, None]


def test_contacts_can_be_asked_for_by_status(cli: Cli, live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.run()
    assert sync(cli, live, "contacts", "--status", "failed").rows == []
    assert len(sync(cli, live, "contacts", "--status", "in_sync").rows) == 1


def test_a_write_that_was_not_kept_names_the_field(cli: Cli, live: Live) -> None:
    live.central.add_contact(**GRACE)
    live.ghl.fault("field_dropped", field="phone")
    assert sync(cli, live, "run", "--wait").status == 3
    [row] = sync(cli, live, "contacts", "--status", "failed").rows
    assert "phone" in row["reason"]


# Retrying


@pytest.fixture
def failed(live: Live) -> Contact:
    """Ada, whom CentralStation won't take for now."""
    live.ghl.add_contact(**ADA)
    live.central.fault("server_error", method="POST")
    live.run()
    live.central.clear_faults()
    return live.contact(status="failed")


def test_retry_mends(cli: Cli, live: Live, failed: Contact) -> None:
    answer = sync(cli, live, "retry", "--wait")
    assert (answer.status, answer.row["counts"]["in_sync"]) == (0, 1)


def test_retry_of_one(cli: Cli, live: Live, failed: Contact) -> None:
    assert sync(cli, live, "retry", "--contact", failed.pk, "--wait").row["counts"]["in_sync"] == 1


def test_retry_by_status(cli: Cli, live: Live, failed: Contact) -> None:
    assert sync(cli, live, "retry", "--status", "failed", "--wait").status == 0


def test_retry_without_waiting_is_left_to_the_jobs(cli: Cli, live: Live, failed: Contact) -> None:
    assert sync(cli, live, "retry").status == 0
    live.work()
    assert live.statuses() == ["in_sync"]


def test_retry_in_vain_is_three(cli: Cli, live: Live, failed: Contact) -> None:
    live.central.fault("server_error", method="POST")
    assert sync(cli, live, "retry", "--wait").status == 3


@pytest.mark.parametrize("words", [[], ["--wait"], ["--status", "conflict"], ["--status", "waiting", "--wait"]])
def test_retry_of_nothing_is_done(cli: Cli, live: Live, words: list[str]) -> None:
    answer = sync(cli, live, "retry", *words)
    assert (answer.status, len(answer.rows)) == (0, 1)


@pytest.mark.parametrize("contact", ["999", "abc"])
def test_retry_of_an_unknown_contact_is_one(cli: Cli, live: Live, contact: str) -> None:
    answer = sync(cli, live, "retry", "--contact", contact)
    assert (answer.status, answer.out, f"no contact {contact}" in answer.err) == (1, "", True)


# Pausing


def test_pause_and_resume(cli: Cli, live: Live) -> None:
    assert sync(cli, live, "pause").row["mode"] == "paused"
    answer = sync(cli, live, "run", "--wait")
    assert (answer.status, "paused" in answer.err) == (1, True)
    assert sync(cli, live, "resume").row["mode"] == "live"
    assert sync(cli, live, "run", "--wait").status == 0


def test_a_draft_cannot_be_run(cli: Cli, live: Live) -> None:
    Sync.objects.update(mode=Mode.DRAFT)
    answer = sync(cli, live, "run", "--wait")
    assert (answer.status, "draft" in answer.err) == (1, True)


# What can't be


@pytest.mark.parametrize("verb", ["run", "status", "contacts", "retry", "pause", "resume"])
@pytest.mark.parametrize("id", ["99", "x", "²"])
def test_an_unknown_id_is_one(cli: Cli, verb: str, id: str) -> None:
    answer = cli("sync", verb, id, "--json")
    assert (answer.status, answer.out, f"no sync {id}" in answer.err) == (1, "", True)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["run"],
        ["dance", "1"],
        ["create", "--name", "N"],
        ["create", "--name", "N", "--ghl", "1", "--centralstation", "2", "--conflict", "dice"],
        ["create", "--name", "N", "--ghl", "1", "--centralstation", "2", "--mode", "sideways"],
        ["contacts", "1", "--status", "lost"],
        ["retry", "1", "--contact", "1", "--status", "failed"],
        ["run", "1", "2"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_two(cli: Cli, words: list[str]) -> None:
    answer = cli("sync", *words)
    assert (answer.status, answer.out, "usage:" in answer.err) == (2, "", True)


def test_an_account_that_is_gone_is_one(
    cli: Cli, join: Callable[..., Live], serve_ghl: Callable[..., Ghl], centralstation_sandbox: CentralStation
) -> None:
    live = join(serve_ghl(), centralstation_sandbox)
    Connection.objects.filter(pk=live.sync.ghl_id).update(root="http://127.0.0.1:9")
    answer = sync(cli, live, "run", "--wait")
    assert (answer.status, "can't be reached" in answer.err, "check the address" in answer.err) == (1, True, True)


# For people


def test_people_read_words_and_not_python(cli: Cli, live: Live) -> None:
    live.ghl.add_contact(**ADA)
    answer = cli("sync", "run", live.sync.pk, "--wait")
    assert "counts: in_sync 1  " in answer.out
    assert not set("{}[]'") & set(answer.out)


def test_one_contact_is_told_as_one(cli: Cli, live: Live) -> None:
    live.ghl.add_contact(**ADA)
    sync(cli, live, "run", "--wait")
    answer = cli("sync", "retry", live.sync.pk, "--contact", Contact.objects.get().pk)
    assert answer.messages == ["1 contact is tried again."]


@pytest.mark.parametrize(("words", "told"), [([], ["None."]), (["--json"], [])])
def test_an_empty_list_is_told_to_people_alone(cli: Cli, transactional_db: None, words: list[str], told: list[str]) -> None:
    answer = cli("sync", "list", *words)
    assert (answer.status, answer.out, answer.messages) == (0, "", told)


@pytest.mark.parametrize(("n", "is_told"), [(49, False), (50, True)])
def test_retrying_many_tells_first_what_it_costs(live: Live, cli: Cli, n: int, is_told: bool) -> None:
    for _ in range(n):
        make_contact(live.sync, Status.FAILED)
    assert ("Requests: about 200 to GoHighLevel and 150 to CentralStationCRM" in cli("sync", "retry", live.sync.pk).err) == is_told
