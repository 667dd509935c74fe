"""What happens by itself and is too much at once is held until a person says yes; what a person asked for isn't."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models.signals import post_init
from django.utils import timezone

from crmsync import jobs
from crmsync.engine.mapping import Policy
from crmsync.engine.records import Aspect, Record, Side
from crmsync.models import BulkAction, Cause, Change, Contact, HeldBatch, RunKind, Sync
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import actions, brakes, clock, drain, runs
from crmsync.sync.actions import ActionError
from crmsync.sync.reconcile import reconcile
from crmsync.sync.session import open_session
from tests.dashboard.data import make_change
from tests.sync.conftest import Cli
from tests.sync.kit import Live

# Deletions


def test_too_many_deletions_are_held_before_any_is_made(live: Live) -> None:
    people(live, 8, task="Ring her")
    settings(live, hold_deletions=3)
    delete_tasks(live)
    with live.nothing_written():
        live.poll()
    assert held(live) == [("deletions", "centralstation", 8)]


def test_few_deletions_pass(live: Live) -> None:
    people(live, 3, task="Ring her")
    settings(live, hold_deletions=3)
    delete_tasks(live)
    live.poll()
    assert (tasks_in_central(live), held(live)) == (0, [])


def test_deletions_in_too_large_a_share_of_contacts_are_held(live: Live) -> None:
    people(live, 6, task="Ring her")
    delete_tasks(live)
    live.poll()
    assert held(live) == [("deletions", "centralstation", 6)]


def test_a_small_account_is_not_held_for_five_contacts(live: Live) -> None:
    people(live, 5, task="Ring her")
    delete_tasks(live)
    live.poll()
    assert held(live) == []


def test_deletions_that_trickle_in_pass_up_to_the_limit(live: Live) -> None:
    people(live, 4, task="Ring her")
    settings(live, hold_deletions=2)
    for contact in live.sync.contacts.all():
        delete_tasks(live, contact)
        live.poll()
    assert (tasks_in_central(live), held(live)) == (2, [("deletions", "centralstation", 2)])


def test_what_is_older_than_ten_minutes_does_not_count(live: Live) -> None:
    people(live, 4, task="Ring her")
    settings(live, hold_deletions=2)
    for contact in live.sync.contacts.all():
        delete_tasks(live, contact)
        live.poll()
        Change.objects.update(at=timezone.now() - timedelta(minutes=11))
    assert (tasks_in_central(live), held(live)) == (0, [])


def test_other_writes_of_a_held_contact_wait_too(live: Live) -> None:
    held_deletions(live, firstName="Augusta")
    assert {live.in_central(contact).fields["first name"] for contact in live.sync.contacts.all()} == {"Person"}


def test_a_held_contact_says_why_and_what_it_waits_for(live: Live) -> None:
    held_deletions(live)
    contact = live.sync.contacts.all()[0]
    assert (contact.status, contact.due_at) == ("waiting", None)
    assert "than this sync lets pass (1, or in 5 % of its contacts). 0 were deleted" in contact.reason


def test_a_batch_keeps_all_that_it_holds(live: Live) -> None:
    people(live, 12, task="Ring her")
    settings(live, hold_deletions=1)
    delete_tasks(live)
    live.poll()
    held = [(write.side, write.kind, write.before["title"]) for write in open_batch(live).writes.all()]
    assert held == [("centralstation", "delete_item", "Ring her")] * 12


def test_what_is_held_of_a_contact_is_what_was_planned_last(live: Live) -> None:
    batch = held_deletions(live)
    contact = batch.contacts.all()[0]
    live.edit_in_ghl(contact, city="Bremen")
    live.poll()
    kinds = [write.kind for write in batch.writes.filter(contact=contact)]
    assert kinds == ["delete_item", "update"]


def test_whoever_left_a_batch_before_it_was_decided_is_forgotten(live: Live) -> None:
    batch = held_deletions(live)
    contact = batch.contacts.all()[0]
    actions.retry(Contact.objects.filter(pk=contact.pk))
    actions.approve(batch)
    assert contact.pk not in batch.writes.values_list("contact", flat=True)


def test_the_share_of_a_contact_with_many_tasks_is_one(live: Live) -> None:
    people(live, 1)
    contact = live.contact()
    for n in range(8):
        live.ghl.add_task(str(contact.ghl_id), f"Task {n}")
    live.run(full=True)
    delete_tasks(live)
    live.poll()
    assert (tasks_in_central(live), held(live)) == (0, [])


# What a person started


@pytest.mark.parametrize("full", [False, True])
def test_a_run_that_a_person_started_is_not_held(live: Live, full: bool) -> None:
    people(live, 4, task="Ring her")
    settings(live, hold_deletions=1)
    delete_tasks(live)
    live.run(full=full)
    assert (tasks_in_central(live), held(live)) == (0, [])


def test_what_a_person_started_does_not_count(live: Live) -> None:
    people(live, 3, task="Ring her")
    settings(live, hold_deletions=1)
    first, second, third = live.sync.contacts.all()
    delete_tasks(live, first, second)
    live.run()
    delete_tasks(live, third)
    live.poll()
    assert (tasks_in_central(live), held(live)) == (0, [])


def test_a_run_over_all_does_not_let_go_what_is_held(live: Live) -> None:
    held_deletions(live)
    with live.nothing_written():
        live.run()
        live.run(full=True)
    assert held(live) == [("deletions", "centralstation", 4)]


# Approving and rejecting


def test_approving_lets_it_happen(live: Live) -> None:
    actions.approve(held_deletions(live))
    live.work()
    assert (tasks_in_central(live), set(live.statuses())) == (0, {"in_sync"})


def test_what_was_approved_is_told_as_a_decision_of_who_approved(live: Live) -> None:
    user = User.objects.create(username="operator@example.com")
    actions.approve(held_deletions(live), user)
    live.work()
    change = Change.objects.filter(kind="delete_item")[0]
    assert (change.cause, change.by) == (Cause.DECISION, user)


def test_what_was_approved_does_not_count(live: Live) -> None:
    actions.approve(held_deletions(live))
    live.work()
    live.ghl.add_task(str(live.sync.contacts.all()[0].ghl_id), "Again")
    live.poll()
    delete_tasks(live, live.sync.contacts.all()[0])
    live.poll()
    assert (tasks_in_central(live), held(live)) == (0, [])


def test_rejecting_writes_nothing(live: Live) -> None:
    user = User.objects.create(username="operator@example.com")
    batch = held_deletions(live)
    with live.nothing_written():
        actions.reject(batch, user)
        live.work()
        live.poll()
    contact = live.sync.contacts.all()[0]
    assert (contact.status, contact.held_by) == ("waiting", batch)
    assert contact.reason.startswith("Rejected by operator@example.com on ")


def test_what_was_rejected_is_not_brought_over_by_a_later_change(live: Live) -> None:
    actions.reject(held_deletions(live))
    contact = live.sync.contacts.all()[0]
    live.edit_in_ghl(contact, firstName="Augusta")
    with live.nothing_written():
        live.poll()
    contact.refresh_from_db()
    assert (contact.status, contact.reason.split(" on ")[0]) == ("waiting", "Rejected by somebody")


def test_a_rejected_contact_that_is_equal_again_is_let_go(live: Live) -> None:
    people(live, 2)
    settings(live, hold_changes=0, hold_changes_share=0)
    contact = live.sync.contacts.all()[0]
    live.edit_in_ghl(contact, firstName="Augusta")
    live.poll()
    actions.reject(open_batch(live))
    live.edit_in_ghl(contact, firstName="Person")
    live.poll()
    contact.refresh_from_db()
    assert (contact.status, contact.held_by) == ("in_sync", None)


@pytest.mark.parametrize("decision", [None, actions.reject])
@pytest.mark.parametrize("press", ["retry", "sync_now"])
def test_a_person_lets_one_held_contact_through(live: Live, decision: Any, press: str) -> None:
    batch = held_deletions(live)
    if decision:
        decision(batch)
    contact = live.sync.contacts.all()[0]
    if press == "retry":
        actions.retry(live.sync.contacts.filter(pk=contact.pk))
    else:
        actions.sync_now(contact)
    live.work()
    contact.refresh_from_db()
    assert (tasks_in_central(live), contact.status, batch.contacts.count()) == (3, "in_sync", 3)


@pytest.mark.parametrize("again", [actions.approve, actions.reject])
@pytest.mark.parametrize("first", [actions.approve, actions.reject])
def test_what_is_decided_stays_decided(live: Live, first: Any, again: Any) -> None:
    batch = held_deletions(live)
    first(batch)
    with pytest.raises(ActionError, match="decided already"):
        again(batch)


def test_an_approval_that_was_cut_off_is_finished_by_whoever_comes_next(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = held_deletions(live)
    monkeypatch.setattr("crmsync.sync.bulk.AT_ONCE", 0)
    actions.approve(batch)
    jobs.bulk(BulkAction.objects.get().pk)
    live.work()
    assert (tasks_in_central(live), set(live.statuses())) == (0, {"in_sync"})


def test_a_batch_of_which_nothing_is_left_is_over(live: Live) -> None:
    batch = held_deletions(live)
    actions.retry(live.sync.contacts.all())
    live.work()
    batch.refresh_from_db()
    assert batch.state == "over"


@pytest.mark.parametrize("decision", [None, actions.reject])
def test_a_passing_error_does_not_let_a_held_contact_go(live: Live, decision: Any) -> None:
    batch = held_deletions(live)
    if decision:
        decision(batch)
    Change.objects.update(at=timezone.now() - timedelta(minutes=11))
    HeldBatch.objects.update(opened_at=timezone.now() - timedelta(minutes=11))
    live.central.fault("server_error", times=40, method="GET")
    live.sync.contacts.filter(pk=live.sync.contacts.all()[0].pk).mark_dirty(Aspect.ALL, timezone.now(), is_urgent=True)
    live.work()
    live.central.clear_faults()
    with live.nothing_written():
        live.later()
    assert batch.contacts.count() == 4


def test_retrying_one_contact_does_not_let_others_pass(live: Live) -> None:
    people(live, 5, task="Ring her")
    settings(live, hold_deletions=1)
    delete_tasks(live)
    live.sync.contacts.mark_dirty(Aspect.ALL, timezone.now())
    actions.retry(live.sync.contacts.filter(pk=live.sync.contacts.all()[0].pk))
    runs.work_on(runs.begin(live.sync, RunKind.RETRY))
    assert (tasks_in_central(live), held(live)) == (4, [("deletions", "centralstation", 4)])


def test_a_run_of_a_person_is_its_own_while_a_poll_is_under_way(live: Live) -> None:
    people(live, 4, task="Ring her")
    settings(live, hold_deletions=1)
    delete_tasks(live)
    runs.begin(live.sync, RunKind.POLL)
    live.run()
    assert (tasks_in_central(live), held(live)) == (0, [])


def test_an_approval_that_is_cut_off_at_once_can_be_pressed_again(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = held_deletions(live)
    with monkeypatch.context() as cut:
        cut.setattr(ContactQuerySet, "mark_dirty", killed)
        with pytest.raises(KeyboardInterrupt):
            actions.approve(batch)
    actions.approve(batch)
    live.work()
    assert (tasks_in_central(live), set(live.statuses())) == (0, {"in_sync"})


def test_what_is_being_approved_is_not_held_anew(live: Live) -> None:
    batch = held_deletions(live)
    HeldBatch.objects.filter(pk=batch.pk).update(state="approved", decided_at=timezone.now())
    contact = live.sync.contacts.all()[0]
    live.sync.contacts.filter(pk=contact.pk).mark_dirty(Aspect.ALL, timezone.now())
    with open_session(live.sync, Cause.WEBHOOK) as session:
        reconcile(session, contact.pk)
    contact.refresh_from_db()
    assert (contact.held_by, HeldBatch.objects.count()) == (batch, 1)


def test_a_decided_batch_tells_how_many_it_was_about(live: Live) -> None:
    batch = held_deletions(live)
    actions.retry(live.sync.contacts.filter(pk=live.sync.contacts.all()[0].pk))
    actions.approve(batch)
    live.work()
    batch.refresh_from_db()
    assert (batch.size, batch.contacts.count()) == (3, 0)


# New contacts and changes


def test_too_many_new_contacts_are_held(live: Live) -> None:
    people(live, 1)
    settings(live, hold_creates=2)
    newcomers(live, 4)
    with live.nothing_written():
        live.poll()
    assert held(live) == [("creates", "centralstation", 4)]


def test_new_contacts_on_both_sides_are_two_cards(live: Live) -> None:
    people(live, 1)
    settings(live, hold_creates=2)
    newcomers(live, 2)
    for n in range(2):
        live.central.add_contact(first_name="Office", name=f"O{n}", emails=[f"o{n}@example.org"])
    with live.nothing_written():
        live.poll()
    assert held(live) == [("creates", "centralstation", 2), ("creates", "ghl", 2)]


def test_changes_are_held_over_both_the_count_and_the_share(live: Live) -> None:
    people(live, 5)
    settings(live, hold_changes=2, hold_changes_share=40)
    rename(live, 3)
    with live.nothing_written():
        live.poll()
    assert held(live) == [("changes", "centralstation", 3)]


@pytest.mark.parametrize("limits", [{"hold_changes": 3, "hold_changes_share": 0}, {"hold_changes": 0, "hold_changes_share": 60}])
def test_changes_over_one_of_both_pass(live: Live, limits: dict[str, int]) -> None:
    people(live, 5)
    settings(live, **limits)
    rename(live, 3)
    live.poll()
    assert held(live) == []


def test_the_same_contact_may_change_as_often_as_it_likes(live: Live) -> None:
    people(live, 1)
    settings(live, hold_changes=1, hold_changes_share=0)
    for name in ("Anna", "Berta", "Clara"):
        live.edit_in_ghl(live.contact(), firstName=name)
        live.poll()
    assert (live.in_central(live.contact()).fields["first name"], held(live)) == ("Clara", [])


def test_a_removed_tag_is_a_change(live: Live) -> None:
    people(live, 3, tags=["vip"])
    settings(live, hold_changes=1, hold_changes_share=0)
    for contact in live.sync.contacts.all():
        live.ghl.remove_tags(str(contact.ghl_id), "vip")
    live.poll()
    assert held(live) == [("changes", "centralstation", 3)]


# Gathering


def test_what_proves_to_be_few_is_let_go(live: Live) -> None:
    people(live, 6, task="Ring her")
    settings(live, hold_deletions=3)
    delete_tasks(live, live.sync.contacts.all()[0])
    live.sync.contacts.mark_dirty(Aspect.ALL, timezone.now())
    live.work()
    assert (tasks_in_central(live), HeldBatch.objects.count(), set(live.statuses())) == (5, 0, {"in_sync"})


def test_what_a_dead_worker_gathered_is_let_go(live: Live) -> None:
    people(live, 1, task="Ring her")
    delete_tasks(live)
    gathering(live)
    live.poll()
    assert (tasks_in_central(live), HeldBatch.objects.count(), live.statuses()) == (0, 0, ["in_sync"])


def test_what_was_let_go_of_by_a_process_that_died_is_let_go(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    people(live, 2, task="Ring her")
    delete_tasks(live)
    gathering(live)
    with monkeypatch.context() as cut:
        cut.setattr(ContactQuerySet, "mark_dirty", killed)
        with pytest.raises(KeyboardInterrupt):
            brakes.let_go(live.sync)
    live.poll()
    assert (tasks_in_central(live), HeldBatch.objects.count(), set(live.statuses())) == (0, 0, {"in_sync"})


def test_what_another_process_has_let_go_of_is_not_held(live: Live) -> None:
    people(live, 2)
    settings(live, hold_deletions=0)
    make_change(live.sync.contacts.all()[0], kind="delete_item")
    rows = HeldBatch.objects.filter(pk=gathering(live).pk)
    with while_loaded(lambda: rows.update(state="over")):
        brakes.let_go(live.sync)
    assert set(live.statuses()) == {"pending"}


@pytest.mark.parametrize("state", ["over", "rejected"])
def test_a_batch_that_is_closed_meanwhile_takes_nobody_in(live: Live, state: str) -> None:
    people(live, 2)
    settings(live, hold_changes=0, hold_changes_share=0)
    batch = HeldBatch.objects.create(sync=live.sync, kind="changes", side="centralstation", state="held")
    first, second = live.sync.contacts.all()
    live.sync.contacts.filter(pk=second.pk).update(held_by=batch)
    rows = HeldBatch.objects.filter(pk=batch.pk)
    live.edit_in_ghl(first, firstName="Augusta")
    with while_loaded(lambda: rows.update(state=state, decided_at=timezone.now(), explanation="Too many.")):
        live.poll()
    assert held(live) == [("changes", "centralstation", 1)]


def test_live_changes_are_held_too(live: Live) -> None:
    people(live, 8, task="Ring her")
    settings(live, hold_deletions=3, poll_due_at=timezone.now() + timedelta(hours=1))
    delete_tasks(live)
    live.sync.contacts.mark_dirty(Aspect.ALL, timezone.now(), is_urgent=True)
    with live.nothing_written():
        live.work()
    assert held(live) == [("deletions", "centralstation", 8)]


def test_live_changes_that_prove_to_be_few_are_let_go(live: Live) -> None:
    people(live, 8, task="Ring her")
    settings(live, hold_deletions=3, poll_due_at=timezone.now() + timedelta(hours=1))
    delete_tasks(live, live.sync.contacts.all()[0])
    live.sync.contacts.mark_dirty(Aspect.ALL, timezone.now(), is_urgent=True)
    live.work()
    assert (tasks_in_central(live), HeldBatch.objects.count(), set(live.statuses())) == (7, 0, {"in_sync"})


# A side that comes back half empty


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("kept", [0, 9])
def test_a_side_that_comes_back_half_empty_stops_everything(live: Live, kept: int, full: bool) -> None:
    people(live, 20)
    vanish(live, kept)
    run = live.run(full=full)
    assert (run.status, set(live.statuses()), held(live)) == ("failed", {"in_sync"}, [("missing", "ghl", 0)])
    assert run.reason.startswith(f"GoHighLevel shows {kept} contacts, and 20 are known there.")


def test_half_of_a_small_account_may_go(live: Live) -> None:
    people(live, 19)
    vanish(live, 0)
    live.run()
    assert set(live.statuses()) == {"quarantined"}


def test_a_side_that_is_believed_ends_in_quarantine_and_nothing_is_deleted(live: Live) -> None:
    people(live, 20)
    vanish(live, 5)
    live.run()
    actions.approve(open_batch(live))
    with live.nothing_written():
        live.run()
    assert (live.statuses(), held(live)) == (["in_sync"] * 5 + ["quarantined"] * 15, [])


def test_a_side_that_is_not_believed_is_looked_at_again(live: Live) -> None:
    people(live, 20)
    vanish(live, 5)
    live.run()
    actions.reject(open_batch(live))
    assert (live.run().status, held(live)) == ("failed", [("missing", "ghl", 0)])


def test_a_side_that_is_back_needs_no_decision(live: Live) -> None:
    people(live, 20)
    live.ghl.fault("canned", path="/contacts/search$", method="POST", status=200, body={"contacts": [], "total": 0})
    live.run()
    live.ghl.clear_faults()
    assert (live.run().status, held(live)) == ("done", [])


# Caps, quiet hours, the tag


def test_contacts_over_the_hours_share_wait_their_turn(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "AT_ONCE", 1)  # several at once let a handful too many pass
    people(live, 1)
    settings(live, creates_per_hour=2)
    newcomers(live, 4)
    live.poll()
    assert (live.counts(), live.statuses()) == ((5, 3), ["in_sync"] * 3 + ["waiting"] * 2)
    assert "within an hour" in live.sync.contacts.filter(status="waiting")[0].reason


def test_they_are_created_when_the_hour_has_room(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "AT_ONCE", 1)
    people(live, 1)
    settings(live, creates_per_hour=2)
    newcomers(live, 4)
    live.poll()
    Change.objects.update(at=timezone.now() - timedelta(minutes=61))
    live.later()
    assert (live.counts(), set(live.statuses())) == ((5, 5), {"in_sync"})


def test_those_that_wait_for_the_hour_come_one_after_the_other(live: Live) -> None:
    people(live, 1)
    settings(live, creates_per_hour=2)
    newcomers(live, 6)
    live.poll()
    live.later()
    turns = [contact.due_at for contact in live.sync.contacts.filter(status="waiting").order_by("pk") if contact.due_at]
    pauses = [round((later - earlier).total_seconds() / 60) for earlier, later in pairwise(turns)]
    assert pauses == [30, 30, 30]


def test_a_larger_share_of_the_hour_is_used_at_once(live: Live) -> None:
    people(live, 1)
    settings(live, creates_per_hour=1)
    newcomers(live, 3)
    live.poll()
    settings(live, creates_per_hour=10)
    actions.clock_changed(live.sync)
    live.work()
    assert set(live.statuses()) == {"in_sync"}


def test_a_run_of_a_person_creates_more(live: Live) -> None:
    people(live, 1)
    settings(live, creates_per_hour=1)
    newcomers(live, 3)
    live.run()
    assert live.counts() == (4, 4)


def test_nothing_is_written_by_itself_in_quiet_hours(live: Live) -> None:
    people(live, 1)
    be_quiet(live)
    live.edit_in_ghl(live.contact(), firstName="Augusta")
    with live.nothing_written():
        live.poll()
    contact = live.contact()
    assert (contact.status, contact.reason.split(":")[0]) == ("waiting", "Quiet hours")


def test_quiet_hours_cost_no_more_than_one_look_a_contact(live: Live) -> None:
    people(live, 1)
    be_quiet(live)
    live.edit_in_ghl(live.contact(), firstName="Augusta")
    live.poll()
    before = live.ghl.calls("get-contact")
    live.later()
    assert live.ghl.calls("get-contact") == before != []


def test_after_the_quiet_hours_it_is_written(live: Live) -> None:
    people(live, 1)
    be_quiet(live)
    live.edit_in_ghl(live.contact(), firstName="Augusta")
    live.poll()
    settings(live, quiet_from=None, quiet_until=None)
    live.later()
    assert (live.in_central(live.contact()).fields["first name"], live.statuses()) == ("Augusta", ["in_sync"])


def test_a_person_may_write_in_quiet_hours(live: Live) -> None:
    people(live, 1)
    be_quiet(live)
    live.edit_in_ghl(live.contact(), firstName="Augusta")
    live.run()
    assert live.in_central(live.contact()).fields["first name"] == "Augusta"


BERLIN_MORNING = datetime(2026, 7, 1, 3, 30, tzinfo=UTC)  # 5:30 in Berlin


@pytest.mark.parametrize(
    ("start", "end", "until"),
    [
        (time(22), time(6), datetime(2026, 7, 1, 4, 0, tzinfo=UTC)),
        (time(5), time(7), datetime(2026, 7, 1, 5, 0, tzinfo=UTC)),
        (time(5, 30), time(5), datetime(2026, 7, 2, 3, 0, tzinfo=UTC)),
        (time(6), time(22), None),
        (time(22), time(5, 30), None),
        (time(5), time(5), None),
        (None, time(7), None),
    ],
)
def test_quiet_hours_are_those_of_the_location(start: time | None, end: time, until: datetime | None, live: Live) -> None:
    live.sync.ghl.timezone, live.sync.quiet_from, live.sync.quiet_until = "Europe/Berlin", start, end
    assert clock.quiet_until(live.sync, BERLIN_MORNING) == until


def test_a_contact_created_in_ghl_gets_the_tag_in_the_same_call(live: Live) -> None:
    grace = created_with_tag(live)
    [create] = live.ghl.calls("create-contact")
    assert (create.body["tags"], live.in_ghl(grace).tags) == (["from-office"], ["from-office"])


@pytest.mark.parametrize("full", [False, True])
def test_the_tag_stays_where_it_is(live: Live, full: bool) -> None:
    grace = created_with_tag(live)
    live.edit_in_ghl(grace, firstName="Augusta")
    live.run(full=full)
    assert (live.in_ghl(grace).tags, live.in_central(grace).tags, live.statuses()) == (["from-office"], [], ["in_sync"])


@pytest.mark.parametrize(("agreed", "kept"), [(set(), {"vip"}), ({"from-office"}, {"vip", "from-office"})])
def test_the_tag_is_no_news_where_only_ghl_has_it(agreed: set[str], kept: set[str]) -> None:
    record = Record(side=Side.GHL, id="1", profile={}, tags=("From-Office", "vip"))
    assert Policy(created_tag="from-office").kept_same(record, agreed) == kept


def test_the_tag_on_both_sides_is_no_change(live: Live) -> None:
    grace = created_with_tag(live)
    live.central.add_tags(str(grace.centralstation_id), "from-office")
    with live.nothing_written():
        live.run(full=True)
    assert live.statuses() == ["in_sync"]


def test_a_contact_created_in_centralstation_gets_no_tag(live: Live) -> None:
    settings(live, created_tag="from-office")
    people(live, 1)
    assert live.in_central(live.contact()).tags == []


# From the command line


def test_what_is_held_is_listed(live: Live, cli: Cli) -> None:
    batch = held_deletions(live)
    row = cli("sync", "held", live.sync.pk, "--json").row
    assert (row["id"], row["kind"], row["side"], row["contacts"], row["explanation"]) == (
        batch.pk,
        "deletions",
        "centralstation",
        4,
        batch.explanation,
    )
    assert (row["opened_at"], len(row["samples"])) == (batch.opened_at.isoformat(), 4)


def test_nothing_held_lists_nothing(live: Live, cli: Cli) -> None:
    assert cli("sync", "held", live.sync.pk, "--json").rows == []


@pytest.mark.parametrize(("word", "left"), [("approve", 0), ("reject", 4)])
def test_a_batch_is_decided_from_the_command_line(live: Live, cli: Cli, word: str, left: int) -> None:
    batch = held_deletions(live)
    assert cli("sync", word, live.sync.pk, "--batch", batch.pk).status == 0
    live.work()
    assert tasks_in_central(live) == left


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_a_batch_that_is_not_there_is_refused(live: Live, cli: Cli, word: str) -> None:
    answer = cli("sync", word, live.sync.pk, "--batch", 4711)
    assert (answer.status, f"Sync {live.sync.pk} has no batch 4711" in answer.err) == (1, True)


def test_a_batch_that_was_decided_is_refused(live: Live, cli: Cli) -> None:
    batch = held_deletions(live)
    actions.reject(batch)
    answer = cli("sync", "approve", live.sync.pk, "--batch", batch.pk)
    assert (answer.status, "decided already: it is rejected" in answer.err) == (1, True)


def test_a_batch_that_is_gathering_cannot_be_decided_yet(live: Live, cli: Cli) -> None:
    people(live, 1)
    answer = cli("sync", "approve", live.sync.pk, "--batch", gathering(live).pk)
    assert (answer.status, "has no batch" in answer.err) == (1, True)


def test_retrying_all_leaves_what_is_held(live: Live, cli: Cli) -> None:
    held_deletions(live)
    cli("sync", "retry", live.sync.pk, "--wait")
    assert (tasks_in_central(live), held(live)) == (4, [("deletions", "centralstation", 4)])


# Words


def people(live: Live, n: int, task: str = "", **fields: Any) -> None:
    """So many people, in both CRMs and in sync, each with a task if one is given."""
    for i in range(n):
        id = live.ghl.add_contact(firstName="Person", lastName=f"P{i}", email=f"p{i}@example.org", **fields)
        if task:
            live.ghl.add_task(id, task)
    live.run()
    assert set(live.statuses()) == {"in_sync"}


def newcomers(live: Live, n: int) -> None:
    for i in range(n):
        live.ghl.add_contact(firstName="New", lastName=f"N{i}", email=f"n{i}@example.org")


def settings(live: Live, **values: Any) -> None:
    Sync.objects.filter(pk=live.sync.pk).update(**values)
    live.sync.refresh_from_db()


def be_quiet(live: Live) -> None:
    now = timezone.now().astimezone(clock.zone_of(live.sync))
    settings(live, quiet_from=(now - timedelta(hours=1)).time(), quiet_until=(now + timedelta(hours=1)).time())


def delete_tasks(live: Live, *contacts: Contact) -> None:
    """In GoHighLevel, all tasks of these, or of everybody."""
    for contact in contacts or live.sync.contacts.all():
        for task in live.ghl.tasks_of(str(contact.ghl_id)):
            live.ghl.delete_task(str(contact.ghl_id), task["id"])


def rename(live: Live, n: int) -> None:
    for contact in live.sync.contacts.all()[:n]:
        live.edit_in_ghl(contact, firstName="Augusta")


def tasks_in_central(live: Live) -> int:
    return sum(len(live.in_central(contact).tasks) for contact in live.sync.contacts.all())


def held(live: Live) -> list[tuple[str, str, int]]:
    """Kind, side and number of contacts of what is held."""
    batches = HeldBatch.objects.filter(sync=live.sync, state="held").order_by("kind", "side")
    return [(batch.kind, batch.side, batch.contacts.count()) for batch in batches]


def gathering(live: Live) -> HeldBatch:
    """Everybody is put aside as if with too many deletions."""
    batch = HeldBatch.objects.create(sync=live.sync, kind="deletions", side="centralstation", state="gathering")
    live.sync.contacts.update(held_by=batch, dirty=int(Aspect.ALL), due_at=None, status="pending")
    return batch


@contextmanager
def while_loaded(happens: Callable[[], object]) -> Iterator[None]:
    """Another process does this when a batch has just been read, once."""

    def read(instance: HeldBatch, **_: object) -> None:
        if instance.pk:
            post_init.disconnect(read, sender=HeldBatch)
            happens()

    post_init.connect(read, sender=HeldBatch)
    yield
    post_init.disconnect(read, sender=HeldBatch)


def killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def open_batch(live: Live) -> HeldBatch:
    return HeldBatch.objects.get(sync=live.sync, state="held")


def held_deletions(live: Live, **edits: Any) -> HeldBatch:
    """The tasks of four people were deleted in GoHighLevel: one more than may be."""
    people(live, 4, task="Ring her")
    settings(live, hold_deletions=1)
    for contact in live.sync.contacts.all():
        if edits:
            live.edit_in_ghl(contact, **edits)
    delete_tasks(live)
    live.poll()
    return open_batch(live)


def vanish(live: Live, kept: int) -> None:
    """All contacts but so many are gone in GoHighLevel."""
    for contact in live.sync.contacts.all()[kept:]:
        live.ghl.delete_contact(str(contact.ghl_id))


def created_with_tag(live: Live) -> Contact:
    """Grace, created in GoHighLevel with the tag."""
    settings(live, created_tag="from-office")
    live.central.add_contact(first_name="Grace", name="Hopper", emails=["grace@example.org"])
    live.run()
    assert live.sync.contacts.get().remote_id(Side.GHL)
    return live.contact()
