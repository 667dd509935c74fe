"""Runs: the list, and one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crmsync.engine.records import Side
from crmsync.models import Result, Run, RunKind, RunStatus, Status, Sync
from dashboard.progress import RunProgress
from tests.dashboard.data import make_change, make_contact, make_sync


def test_the_list_is_kept_to_one_sync_on_demand(sync: Sync, viewer: Client) -> None:
    Run.objects.create(sync=sync, kind=RunKind.POLL)
    other = Run.objects.create(sync=make_sync("Hamburg"), kind=RunKind.FULL)
    assert viewer.get(f"/runs/?sync={other.sync_id}").context["page"].rows == [other]


@pytest.mark.parametrize(
    ("values", "is_shown"),
    [
        ({"counts": {}}, False),
        ({"counts": {"in_sync": 3}}, False),
        ({"counts": {"ghl.update": 1}}, True),
        ({"counts": {"centralstation.create_item": 1}}, True),
        ({"counts": {"failed": 1}}, True),
        ({"kind": RunKind.FULL}, True),
        ({"status": RunStatus.FAILED}, True),
        ({"status": RunStatus.RUNNING}, True),
    ],
)
def test_polls_that_found_nothing_are_shown_on_demand(sync: Sync, viewer: Client, values: dict[str, Any], is_shown: bool) -> None:
    run = Run.objects.create(**{"sync": sync, "kind": RunKind.POLL, "status": RunStatus.DONE, **values})
    listed = [run in viewer.get(address).context["page"].rows for address in ("/runs/", "/runs/?all=1")]
    assert listed == [is_shown, True]


def test_a_poll_that_a_person_started_is_shown(sync: Sync, operator: Client) -> None:
    user = operator.get("/").context["user"]
    run = Run.objects.create(sync=sync, kind=RunKind.POLL, status=RunStatus.DONE, by=user)
    assert operator.get("/runs/").context["page"].rows == [run]


def test_no_run_yet_says_where_to_start_one(viewer: Client) -> None:
    assert "Nothing has run yet" in viewer.get("/runs/").content.decode()


def test_the_reason_of_a_failed_run_is_shown(sync: Sync, viewer: Client) -> None:
    run = Run.objects.create(sync=sync, kind=RunKind.POLL, status=RunStatus.FAILED, reason="GoHighLevel doesn't answer.")
    assert "GoHighLevel doesn&#x27;t answer." in viewer.get(f"/runs/{run.pk}/").content.decode()


def test_a_run_under_way_refreshes_itself(sync: Sync, viewer: Client) -> None:
    runs = [Run.objects.create(sync=sync, kind=RunKind.POLL, status=status) for status in (RunStatus.RUNNING, RunStatus.DONE)]
    assert ['hx-trigger="every 2s"' in viewer.get(f"/runs/{run.pk}/").content.decode() for run in runs] == [True, False]


def test_what_a_run_wrote_is_listed_with_its_contacts(sync: Sync, viewer: Client) -> None:
    run, contact = Run.objects.create(sync=sync, kind=RunKind.POLL), make_contact(sync, label="Anna Weiß")
    make_change(contact, run=run, after={"city": "Köln"})
    shown = viewer.get(f"/runs/{run.pk}/").content.decode()
    assert [text in shown for text in ("Anna Weiß", "Köln")] == [True, True]


def progress(contacts: dict[str, int] | None = None, **values: object) -> RunProgress:
    return RunProgress(Run(**values), contacts or {})


@pytest.mark.parametrize(
    ("shown", "phase"),
    [
        (progress(kind=RunKind.FIRST_SYNC), "Reading both accounts"),
        (progress(kind=RunKind.FULL, progress={"listed": True}), "Comparing contacts and writing what differs"),
        (progress(kind=RunKind.POLL), "Looking for changes"),
        (progress({Status.PENDING: 1}, kind=RunKind.POLL), "Comparing contacts and writing what differs"),
    ],
)
def test_a_run_says_what_it_is_doing(shown: RunProgress, phase: str) -> None:
    assert shown.phase == phase


def test_while_lists_are_read_no_bar_pretends_to_know() -> None:
    assert not progress({Status.PENDING: 5}, kind=RunKind.FULL, progress={"ghl.contacts": {"count": 100, "done": False}}).is_measurable


def test_each_list_tells_how_much_was_read_and_what_was_refused() -> None:
    shown = progress(
        progress={"ghl.contacts": {"count": 7, "done": True}, "ghl.task": {"count": 0, "done": False, "missing": "tasks.readonly"}}
    )
    listed = [(listing.label, listing.count, listing.is_done, listing.missing) for listing in shown.listings]
    assert listed == [("Contacts read from GoHighLevel", 7, True, ""), ("Tasks read from GoHighLevel", 0, False, "tasks.readonly")]


def test_a_run_tells_what_it_did_by_subject_and_crm(sync: Sync, viewer: Client) -> None:
    run, contact = Run.objects.create(sync=sync, kind=RunKind.POLL), make_contact(sync)
    make_change(contact, run=run, kind="create_item", side=Side.CENTRALSTATION)
    make_change(contact, run=run, result=Result.FAILED)
    found = viewer.get(f"/runs/{run.pk}/").context["progress"].lines
    assert [(line.subject, line.side, line.done["created"], line.failed) for line in found] == [
        ("contacts", "ghl", 0, 1),
        ("items", "centralstation", 1, 0),
    ]


def test_a_run_tells_how_many_it_left_unchanged_by_subject_and_crm(sync: Sync) -> None:
    run = Run.objects.create(sync=sync, kind=RunKind.FULL, counts={"in_sync": 5, "ghl.items": 9, "centralstation.items": 8})
    contact = make_contact(sync)
    for kind in ("update", "add_tags", "update_item"):
        make_change(contact, run=run, kind=kind, side=Side.CENTRALSTATION)
    found = {(str(line.subject), str(line.side)): line.unchanged for line in RunProgress(run, {}).lines}
    assert found == {
        ("contacts", "ghl"): 5,
        ("contacts", "centralstation"): 4,
        ("tags", "ghl"): 5,
        ("tags", "centralstation"): 4,
        ("items", "ghl"): 9,
        ("items", "centralstation"): 7,
    }


def test_a_write_that_failed_left_the_contact_no_less_unchanged_on_the_other_side(sync: Sync) -> None:
    run = Run.objects.create(sync=sync, kind=RunKind.POLL, counts={"in_sync": 1, "failed": 1})
    make_change(make_contact(sync), run=run, result=Result.FAILED)
    [ghl, central, *_tags] = RunProgress(run, {}).lines
    assert [(ghl.failed, ghl.unchanged), (central.failed, central.unchanged)] == [(1, 1), (0, 1)]


CALLS = {"ghl": 12, "ghl.get-contact": 9, "ghl.rate_limited": 2, "ghl.refused": 1, "centralstation": 4, "centralstation.get_person": 4}


def test_a_run_holds_its_requests_against_the_fewest_possible(sync: Sync, viewer: Client) -> None:
    run = Run.objects.create(sync=sync, kind=RunKind.POLL, calls=CALLS, counts={"in_sync": 9})
    shown = viewer.get(f"/runs/{run.pk}/").content.decode()
    words = (
        "12; the fewest possible were 9",
        "2 were sent again: GoHighLevel had asked for a rest (429).",
        "1 was refused.",
        "4, the fewest possible",
    )
    assert [text in shown for text in words] == [True] * 4


def test_a_run_of_an_older_release_tells_its_requests_alone(sync: Sync, viewer: Client) -> None:
    run = Run.objects.create(sync=sync, kind=RunKind.POLL, calls={"ghl": 12}, counts={"in_sync": 9})
    assert "<dd>12</dd>" in viewer.get(f"/runs/{run.pk}/").content.decode()


def test_a_run_that_wrote_leads_whoever_may_to_its_undo(sync: Sync, viewer: Client, operator: Client) -> None:
    run = Run.objects.create(sync=sync, kind=RunKind.FULL, status=RunStatus.DONE)
    make_change(make_contact(sync), run=run)
    shown = [f'href="/undo/run/{run.pk}"' in client.get(f"/runs/{run.pk}/").content.decode() for client in (viewer, operator)]
    assert shown == [False, True]


def test_a_run_that_wrote_nothing_offers_no_undo(sync: Sync, operator: Client) -> None:
    run = Run.objects.create(sync=sync, kind=RunKind.FULL, status=RunStatus.DONE)
    assert "Undo this run" not in operator.get(f"/runs/{run.pk}/").content.decode()


def test_the_queries_of_a_run_do_not_grow_with_what_it_wrote(
    sync: Sync, viewer: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run = Run.objects.create(sync=sync, kind=RunKind.FULL, calls=CALLS, counts={"in_sync": 40})
    for _ in range(30):
        make_change(make_contact(sync), run=run)
    with django_assert_num_queries(11):  # session, user, permissions (2), run, counts, changes, lines (2), equal, written back
        viewer.get(f"/runs/{run.pk}/")


def test_a_run_tells_how_many_were_equal_as_they_were(sync: Sync) -> None:
    run = Run.objects.create(sync=sync, kind=RunKind.POLL, counts={"in_sync": 5})
    make_change(make_contact(sync), run=run)
    assert RunProgress(run, {}).unchanged == 4


def seconds_left(shown: RunProgress) -> float:
    assert shown.ends_at is not None
    return (shown.ends_at - timezone.now()).total_seconds()


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def test_a_run_tells_when_it_will_be_through() -> None:
    contacts: dict[str, int] = {Status.PENDING: 30, Status.IN_SYNC: 10}
    shown = progress(contacts, kind=RunKind.FULL, progress={"listed": True}, counts={"in_sync": 10}, started_at=ago(100))
    assert seconds_left(shown) == pytest.approx(300, abs=5)


def test_how_long_the_lists_took_says_nothing_of_what_is_left() -> None:
    listed = {"listed": True, "listed_at": ago(10).isoformat()}
    contacts: dict[str, int] = {Status.PENDING: 30, Status.IN_SYNC: 10}
    shown = progress(contacts, kind=RunKind.FULL, progress=listed, counts={"in_sync": 10}, started_at=ago(1000))
    assert seconds_left(shown) == pytest.approx(30, abs=5)


def test_a_poll_is_measured_by_whom_it_compares() -> None:
    shown = progress({Status.PENDING: 30, Status.IN_SYNC: 900}, kind=RunKind.POLL, counts={"in_sync": 10}, started_at=ago(10))
    assert (shown.is_measurable, shown.done, shown.total) == (True, 10, 40)
    assert seconds_left(shown) == pytest.approx(30, abs=5)


def test_a_poll_that_looks_for_changes_shows_no_bar_yet() -> None:
    assert not progress({Status.IN_SYNC: 900}, kind=RunKind.POLL).is_measurable


def test_no_end_is_told_before_anything_was_compared() -> None:
    assert progress({Status.PENDING: 30}, kind=RunKind.FULL, progress={"listed": True}).ends_at is None


def test_what_is_pending_is_counted_later_when_it_is_verified() -> None:
    assert progress(counts={"pending": 4, "in_sync": 4}).ended == [("in_sync", 4)]


def test_the_list_has_a_constant_number_of_queries(sync: Sync, viewer: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(30):
        Run.objects.create(sync=sync, kind=RunKind.POLL)
    with django_assert_num_queries(6):  # session, user, permissions (2), syncs, runs
        viewer.get("/runs/")
