"""What is forgotten, and what is kept however old it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from crmsync.engine.records import Side
from crmsync.models import Change, Contact, Decision, Event, HeldBatch, HeldWrite, PageCopy, Run, RunKind, RunStatus, Sync, Tally
from crmsync.sync import pruning
from tests.dashboard.data import make_change, make_connection, make_contact, make_sync

pytestmark = pytest.mark.django_db


@pytest.fixture
def sync() -> Sync:
    return make_sync()


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def event(sync: Sync, days: float, *, handled: bool) -> None:
    row = Event.objects.create(connection=sync.ghl, via=Event.Via.APP, body="{}", handled_at=timezone.now() if handled else None)
    Event.objects.filter(pk=row.pk).update(received_at=ago(days))


def change(sync: Sync, days: float, **values: Any) -> None:
    Change.objects.filter(pk=make_change(make_contact(sync), **values).pk).update(at=ago(days))


def batch(sync: Sync, **values: Any) -> HeldBatch:
    return HeldBatch.objects.create(sync=sync, kind="changes", side=Side.GHL, **values)


def poll(sync: Sync, days: float, **values: Any) -> Run:
    usual = {"kind": RunKind.POLL, "status": RunStatus.DONE, "ended_at": ago(days)}
    return Run.objects.create(sync=sync, **{**usual, **values})


def copy_of(contact: Contact, days: float) -> None:
    PageCopy.objects.create(sync=contact.sync, side=Side.GHL, kind="contact", remote_id=contact.ghl_id or "", payload={}, read_at=ago(days))


@pytest.mark.parametrize("handled", [True, False])
def test_events_are_kept_for_two_weeks(sync: Sync, handled: bool) -> None:
    event(sync, 13.9, handled=handled)
    event(sync, 14.1, handled=handled)
    assert pruning.prune()["events"] == 1


def test_changes_are_kept_as_many_days_as_is_set(sync: Sync, settings: Settings) -> None:
    settings.CHANGES_KEPT_DAYS = 30
    change(sync, 29)
    change(sync, 31)
    assert pruning.prune()["changes"] == 1


@pytest.mark.parametrize(("days", "gone"), [(29, 0), (31, 1)])
def test_decided_batches_are_kept_as_long_as_changes(sync: Sync, settings: Settings, days: float, gone: int) -> None:
    settings.CHANGES_KEPT_DAYS = 30
    batch(sync, state="approved", decided_at=ago(days))
    assert pruning.prune()["batches"] == gone


def test_a_batch_that_waits_for_a_decision_is_kept(sync: Sync) -> None:
    batch(sync, state="held", opened_at=ago(1000))
    assert pruning.prune()["batches"] == 0


def test_a_rejected_batch_keeps_its_contacts_back_and_loses_what_it_held(sync: Sync) -> None:
    rejected = batch(sync, state="rejected", decided_at=ago(1000))
    HeldWrite.objects.create(batch=rejected, contact=make_contact(sync, held_by=rejected), side=Side.GHL, kind="update")
    pruning.prune()
    assert (HeldBatch.objects.count(), HeldWrite.objects.count()) == (1, 0)


def test_tallies_are_kept_for_400_days() -> None:
    connection = make_connection()
    for days in (399, 401):
        Tally.objects.create(connection=connection, name="echo", hour=ago(days), last_at=ago(days))
    assert pruning.prune()["tallies"] == 1


def test_polls_are_kept_for_30_days(sync: Sync) -> None:
    recent, _old = poll(sync, 29), poll(sync, 31)
    pruning.prune()
    assert Run.objects.get() == recent


def test_a_poll_goes_no_sooner_than_its_changes(sync: Sync) -> None:
    change(sync, 100, run=poll(sync, 100))
    assert pruning.prune()["polls"] == 0


@pytest.mark.parametrize("kind", [RunKind.FIRST_SYNC, RunKind.FULL, RunKind.RETRY])
def test_other_runs_are_kept(sync: Sync, kind: RunKind) -> None:
    poll(sync, 1000, kind=kind)
    assert pruning.prune()["polls"] == 0


def test_a_copy_that_nothing_will_use_goes(sync: Sync) -> None:
    copy_of(make_contact(sync), 8)
    pruning.prune()
    assert not PageCopy.objects.exists()


def test_a_copy_is_kept_for_a_contact_that_is_due(sync: Sync) -> None:
    copy_of(make_contact(sync, dirty=1), 8)
    assert pruning.prune()["ghl_copies"] == 0


def test_a_copy_is_kept_for_a_contact_that_is_shown_by_it(sync: Sync) -> None:
    copy_of(make_contact(sync, centralstation_id=None), 8)
    assert pruning.prune()["ghl_copies"] == 0


@pytest.mark.parametrize("status", [RunStatus.RUNNING, RunStatus.INTERRUPTED])
def test_the_copies_of_a_run_under_way_are_its_memory(sync: Sync, status: RunStatus) -> None:
    copy_of(make_contact(sync), 8)
    Run.objects.create(sync=sync, kind=RunKind.FULL, status=status)
    assert pruning.prune()["ghl_copies"] == 0


def test_more_than_one_batch_goes(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    for _ in range(5):
        event(sync, 15, handled=True)
    assert pruning.prune()["events"] == 5


def test_what_it_took_to_undo_a_decision_goes(sync: Sync) -> None:
    Decision.objects.create(sync=sync, label="Ada")
    Decision.objects.update(at=ago(0.01))
    assert pruning.prune()["decisions"] == 1
