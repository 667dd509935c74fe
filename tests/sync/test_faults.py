"""Each fault of a CRM during a sync: nothing is doubled, the reason is told, and it mends."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest

from crmsync.models import Change, Connection, Contact, Health, RunStatus, Status
from crmsync.sync import actions, setup
from crmsync.sync.budget import BREAK_AFTER
from tests.sync.kit import ADA, GRACE, Live, writes

CREATE = {"ghl": "/contacts$", "central": "/people$"}


def three_and_three(live: Live) -> None:
    """Three people in each CRM, nobody in both."""
    for n in range(3):
        live.ghl.add_contact(firstName=f"Gerd{n}", lastName="Hall", email=f"gerd{n}@example.org")
        live.central.add_contact(first_name=f"Clara{n}", name="Stein", emails=[f"clara{n}@example.org"])


def assert_all_well(live: Live, count: int = 6) -> None:
    """Everybody is in both CRMs, once, and nothing holds anybody up."""
    why = [contact.reason for contact in live.sync.contacts.exclude(reason="")]
    assert (live.statuses(), live.counts(), live.issues()) == (["in_sync"] * count, (count, count), []), why


# What passes by itself


@pytest.mark.parametrize("side", ["ghl", "central"])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "slow", "latency_ms": 30},
        {"kind": "rate_limited", "times": 2, "retry_after_s": 1},
        {"kind": "rate_limited", "times": 1},
        {"kind": "server_error", "times": 2},
        {"kind": "server_error", "times": 2, "method": "POST"},
        {"kind": "not_json", "times": 2, "method": "GET"},
        {"kind": "answer_lost", "times": 2, "method": "GET"},
        {"kind": "server_error", "rate": 0.2, "times": 8},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
def test_a_passing_fault_leaves_no_trace(live: Live, side: str, fault: dict[str, Any]) -> None:
    three_and_three(live)
    getattr(live, side).fault(**fault)
    live.run()
    live.later()
    live.run()
    live.later()
    assert_all_well(live)


def test_retry_after_is_honoured(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.fault("rate_limited", times=1, retry_after_s=2)
    began = time.monotonic()
    live.run()
    assert time.monotonic() - began >= 2
    assert_all_well(live, 1)


# A lost answer is looked for, not repeated


@pytest.mark.parametrize("kind", [{"kind": "answer_lost"}, {"kind": "answer_lost", "status": 504}, {"kind": "not_json"}])
@pytest.mark.parametrize("side", ["ghl", "central"])
def test_a_contact_whose_create_was_not_answered_is_not_created_twice(live: Live, side: str, kind: dict[str, Any]) -> None:
    three_and_three(live)
    getattr(live, side).fault(**kind, method="POST", path=CREATE[side])
    live.run()
    live.later()
    live.clear_faults()
    live.later()
    live.run()
    assert_all_well(live)


@pytest.mark.parametrize("side", ["ghl", "central"])
def test_a_contact_without_any_key_is_not_created_twice_either(live: Live, side: str) -> None:
    """Without e-mail and phone it is found by its name."""
    live.ghl.add_contact(firstName="Ada", lastName="Lovelace") if side == "central" else live.central.add_contact(
        **GRACE | {"emails": [], "tels": []}
    )
    getattr(live, side).fault("answer_lost", method="POST", path=CREATE[side], times=1)
    live.run()
    live.later()
    live.run()
    assert_all_well(live, 1)


@pytest.mark.parametrize(
    "lost", [{"kind": "answer_lost", "times": 1}, {"kind": "not_json", "times": 1}, {"kind": "answer_lost", "times": 3}]
)
@pytest.mark.parametrize(("side", "path"), [("ghl", "/notes$"), ("ghl", "/tasks$"), ("central", "/protocols$"), ("central", "/tasks$")])
def test_a_note_or_task_whose_create_was_not_answered_is_not_created_twice(live: Live, side: str, path: str, lost: dict[str, Any]) -> None:
    ghl_id = live.ghl.add_contact(**ADA)
    central_id = live.central.add_contact(**GRACE)
    live.ghl.add_note(ghl_id, "She rang.")
    live.ghl.add_task(ghl_id, "Send the offer")
    live.central.add_note(central_id, "Er rief an.", format="plaintext")
    live.central.add_task(central_id, "Anrufen", precise_time="2026-12-02T09:00:00")
    getattr(live, side).fault(**lost, method="POST", path=path)
    live.run()
    live.later()
    live.run(full=True)
    for contact in live.sync.contacts.all():
        assert live.in_ghl(contact).notes == live.in_central(contact).notes
        assert live.in_ghl(contact).tasks == live.in_central(contact).tasks
        assert (len(live.in_ghl(contact).notes), len(live.in_ghl(contact).tasks)) == (1, 1)
    assert_all_well(live, 2)


@pytest.mark.parametrize("side", ["ghl", "central"])
@pytest.mark.parametrize("times", [1, None])
def test_an_update_whose_answer_was_lost_is_made_once_in_effect(live: Live, ada: Contact, side: str, times: int | None) -> None:
    getattr(live, side).fault("answer_lost", method="PUT", times=times)
    if side == "ghl":
        live.phone_in_central(ada, "+4940555666")
    else:
        live.edit_in_ghl(ada, phone="+4940555666")
    live.run()
    live.clear_faults()
    live.later()
    assert live.in_ghl(ada).fields["phone"] == live.in_central(ada).fields["phone"] == "+4940555666"
    assert_all_well(live, 1)


@pytest.mark.parametrize("side", ["ghl", "central"])
def test_tags_whose_answer_was_lost_are_there_once(live: Live, ada: Contact, side: str) -> None:
    getattr(live, side).fault("answer_lost", method="POST", path="/tags$", times=1)
    live.central.add_tags(str(ada.centralstation_id), "VIP") if side == "ghl" else live.ghl.add_tags(str(ada.ghl_id), "vip")
    live.run()
    live.later()
    assert [tag.lower() for tag in live.in_central(ada).tags] == live.in_ghl(ada).tags == ["vip"]
    assert_all_well(live, 1)


@pytest.mark.parametrize("side", ["ghl", "central"])
def test_a_deletion_whose_answer_was_lost_is_made_once(live: Live, ada: Contact, side: str) -> None:
    live.ghl.add_task(str(ada.ghl_id), "Send the offer")
    live.run()
    getattr(live, side).fault("answer_lost", method="DELETE", times=1)
    if side == "central":
        live.ghl.delete_task(str(ada.ghl_id), live.ghl.tasks_of(str(ada.ghl_id))[0]["id"])
    else:
        live.central.delete_task(live.central.tasks_of(str(ada.centralstation_id))[0]["id"])
    live.run()
    live.later()
    assert live.in_ghl(ada).tasks == live.in_central(ada).tasks == []
    assert_all_well(live, 1)


# What holds one contact up


def test_one_bad_contact_never_stops_a_run(live: Live) -> None:
    three_and_three(live)
    live.run()
    bad = live.contact(label="Gerd1 Hall")
    live.ghl.fault("server_error", path=f"/contacts/{bad.ghl_id}")
    for contact in live.sync.contacts.all():
        live.edit_in_central(contact, name="Neu")
    run = live.run()
    bad.refresh_from_db()
    assert (run.status, bad.status) == (RunStatus.DONE, "failed")
    assert live.statuses() == ["failed", *["in_sync"] * 5]
    assert sum(contact["lastName"] == "Neu" for contact in live.ghl.overview()) == 5


def test_a_contact_whose_create_is_refused_holds_up_nobody(live: Live) -> None:
    three_and_three(live)
    live.central.add_contact(first_name="Bad", name="Mail", emails=["no e-mail at all"])
    run = live.run()
    bad = live.contact(label="Bad Mail")
    assert (run.status, bad.status) == (RunStatus.DONE, "failed")
    assert "email" in bad.reason
    assert live.statuses().count("in_sync") == 6


def test_what_was_refused_is_tried_again_when_it_was_corrected(live: Live) -> None:
    id = live.central.add_contact(first_name="Bad", name="Mail", emails=["no e-mail at all"])
    live.run()
    row = (live.central.contact(id) or {})["emails"][0]
    live.central.edit_contact(id, emails_attributes=[{"id": row["id"], "name": "bad@example.org"}])
    live.run()
    assert_all_well(live, 1)


# What holds all up


@pytest.mark.parametrize("side", ["ghl", "central"])
def test_a_crm_out_of_order_is_told_and_retry_mends_it(live: Live, side: str) -> None:
    three_and_three(live)
    getattr(live, side).fault("server_error", method="POST", path=CREATE[side])
    live.run()
    failed = live.sync.contacts.filter(status="failed")
    assert 0 < failed.count() <= 3
    assert all("out of order" in contact.reason for contact in failed)
    assert live.issues()
    live.clear_faults()
    live.retry()
    live.later()
    assert_all_well(live)


def test_many_failures_in_a_row_make_it_rest(live: Live) -> None:
    for n in range(30):
        live.ghl.add_contact(firstName=f"Gerd{n}", lastName="Hall", email=f"gerd{n}@example.org")
    live.run()
    live.central.fault("server_error")
    for contact in live.sync.contacts.all():
        live.edit_in_ghl(contact, city="Bremen")
        actions.sync_now(contact)
    calls = len(live.central.calls())
    live.work()
    assert len(live.central.calls()) - calls < 2 * BREAK_AFTER
    live.sync.centralstation.refresh_from_db()
    assert live.sync.centralstation.health == Health.UNREACHABLE
    live.clear_faults()
    live.later()
    live.later()
    assert live.run().status == RunStatus.DONE
    assert_all_well(live, 30)
    live.sync.centralstation.refresh_from_db()
    assert live.sync.centralstation.health == Health.OK


@pytest.mark.parametrize("side", ["ghl", "central"])
def test_a_list_that_can_not_be_read_fails_the_run_with_a_reason(live: Live, side: str) -> None:
    three_and_three(live)
    getattr(live, side).fault("server_error", path="/contacts/search$" if side == "ghl" else "/people$")
    run = live.run()
    assert run.status in (RunStatus.FAILED, RunStatus.INTERRUPTED)
    assert "out of order" in run.reason
    live.clear_faults()
    live.run()
    assert_all_well(live)


@pytest.mark.parametrize("side", ["ghl", "central"])
def test_credentials_refused_amid_a_run_stop_it_and_are_told_on_the_connection(live: Live, ada: Contact, side: str) -> None:
    getattr(live, side).fault("credentials_refused")
    live.edit_in_ghl(ada, firstName="Augusta")
    run = live.run()
    connection = Connection.objects.get(pk=live.sync.ghl_id if side == "ghl" else live.sync.centralstation_id)
    assert (run.status, connection.health) == (RunStatus.FAILED, Health.REFUSED)
    live.clear_faults()
    setup.test_connection(connection)
    live.run()
    assert live.in_central(ada).fields["first name"] == "Augusta"
    assert_all_well(live, 1)


def test_credentials_refused_at_a_write_are_told_on_the_contact(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.fault("credentials_refused", method="POST")
    live.run()
    contact = live.contact()
    assert (contact.status, bool(contact.reason)) == ("failed", True)
    live.clear_faults()
    setup.test_connection(Connection.objects.get(pk=live.sync.centralstation_id))
    live.run()
    assert_all_well(live, 1)


@pytest.mark.parametrize(
    ("side", "method", "path"),
    [("ghl", "POST", "/contacts$"), ("ghl", "POST", "/notes$"), ("central", "POST", "/people$"), ("central", "POST", "/protocols$")],
)
def test_a_missing_scope_is_waiting_named_and_met_once_not_per_contact(live: Live, side: str, method: str, path: str) -> None:
    for n in range(3):
        ghl_id = live.ghl.add_contact(firstName=f"Gerd{n}", lastName="Hall", email=f"gerd{n}@example.org")
        live.ghl.add_note(ghl_id, "She rang.")
        central_id = live.central.add_contact(first_name=f"Clara{n}", name="Stein", emails=[f"clara{n}@example.org"])
        live.central.add_note(central_id, "Er rief an.", format="plaintext")
    getattr(live, side).fault("scope_missing", method=method, path=path)
    live.run()
    waiting = live.sync.contacts.filter(status=Status.WAITING)
    assert waiting.count() == 3
    assert all("permission" in contact.reason for contact in waiting)
    if side == "ghl":
        assert all("contacts.write" in contact.reason for contact in waiting)
    assert len([call for call in writes(getattr(live, side)) if call.status in (401, 403)]) <= 3
    live.clear_faults()
    setup.test_connection(live.sync.ghl if side == "ghl" else live.sync.centralstation)
    live.run()
    assert_all_well(live)


def test_a_missing_task_search_is_worked_round_and_said(live: Live) -> None:
    ghl_id = live.ghl.add_contact(**ADA)
    live.ghl.add_task(ghl_id, "Send the offer")
    live.ghl.fault("scope_missing", path="/tasks/search$")
    run = live.run()
    live.sync.refresh_from_db()
    assert run.status == RunStatus.DONE
    assert live.in_central(live.contact()).tasks == [("Send the offer", False)]
    assert "locations/tasks.readonly" in " ".join(live.sync.notices.values())
    live.clear_faults()
    setup.test_connection(live.sync.ghl)
    live.run()
    live.sync.refresh_from_db()
    assert live.sync.notices == {}


@pytest.mark.parametrize("side", ["ghl", "central"])
def test_an_answer_without_the_documented_shape_names_the_field_and_mends(live: Live, ada: Contact, side: str) -> None:
    if side == "ghl":
        live.ghl.fault("canned", method="GET", path=f"/contacts/{ada.ghl_id}$", body={"contact": {"id": ada.ghl_id, "tags": 7}})
        live.edit_in_central(ada, first_name="Augusta")
    else:
        live.central.fault("canned", method="GET", path=f"/people/{ada.centralstation_id}$", body={"person": {"id": None}})
        live.edit_in_ghl(ada, firstName="Augusta")
    live.sync.contacts.update(written_at=None)
    live.run()
    ada.refresh_from_db()
    assert ada.status == "failed"
    assert "isn't the documented one: the field" in ada.reason
    live.clear_faults()
    live.retry()
    assert_all_well(live, 1)


# Trying again by itself


def test_a_failed_contact_is_due_again_after_growing_pauses(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.fault("server_error", method="POST")
    live.run()
    pauses = []
    for _ in range(4):
        contact = live.contact()
        assert contact.due_at is not None
        pauses.append((contact.due_at - contact.updated_at).total_seconds())
        live.later()
    assert all(later > sooner * 1.2 for sooner, later in pairwise(pauses))


def test_a_failed_contact_mends_by_itself_once_its_cause_is_gone(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.fault("server_error", method="POST")
    live.run()
    live.clear_faults()
    live.later()
    assert_all_well(live, 1)


def test_what_waits_for_its_next_try_is_not_waited_for(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.fault("rate_limited", retry_after_s=600)
    began = time.monotonic()
    live.run()
    assert time.monotonic() - began < 20


def test_a_run_started_by_a_person_makes_waiting_retries_due_once(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.fault("server_error", method="POST")
    live.run()
    live.clear_faults()
    live.run()
    assert_all_well(live, 1)


def test_each_write_is_recorded_with_what_became_of_it(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.fault("server_error", method="POST", path="/people$")
    live.run()
    live.clear_faults()
    live.later()
    results = list(Change.objects.order_by("pk").values_list("kind", "result"))
    assert ("create", "failed") in results
    assert results[-1] == ("create", "verified")
