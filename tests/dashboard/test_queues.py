"""Working off what only a person can decide."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crmsync.engine.records import Side
from crmsync.models import Contact, Decision, Item, MatchKey, Status, Sync
from crmsync.sync import deciding
from tests.dashboard.data import make_contact

BOTH = "Both sides changed phone to different values: choose which one to keep."


def conflict(sync: Sync, **values: Any) -> Contact:
    usual = {"conflicts": ["phone"], "seen": {"phone": ["+49 69 1", "+49 69 2"]}, "reason": BOTH}
    return make_contact(sync, Status.CONFLICT, **{**usual, **values})


def review(sync: Sync) -> tuple[Contact, Contact]:
    here = make_contact(sync, Status.REVIEW, label="S. Braun", centralstation_id=None, reason="Who?")
    there = make_contact(sync, Status.REVIEW, label="Stefan Braun", ghl_id=None, candidates=[here.pk], reason="Who?")
    Contact.objects.filter(pk=here.pk).update(candidates=[there.pk])
    return here, there


def deleted(sync: Sync) -> Contact:
    gone = make_contact(
        sync, Status.QUARANTINED, missing_on=Side.GHL, base={"fields": {"phone": ["1", "1"]}, "tags": []}, reason="Deleted."
    )
    Item.objects.create(contact=gone, kind="note", ghl_id="n1", centralstation_id="n2", base={"title": ["a", "a"]})
    MatchKey.objects.create(sync=sync, contact=gone, side=Side.GHL, kind="email", value="a@example.org")
    return gone


def press(client: Client, contact: Contact, decision: str, **further: str) -> str:
    address = reverse("queue_decide", args=[contact.status, contact.pk])
    return client.post(address, {"decision": decision, **further}, follow=True).content.decode()


def undo(client: Client) -> str:
    return client.post(reverse("queue_undo", args=["conflict", Decision.objects.latest("pk").pk]), follow=True).content.decode()


def test_the_first_that_waits_is_shown_with_both_values(sync: Sync, viewer: Client) -> None:
    conflict(sync)
    shown = viewer.get("/queues/conflict/").content.decode()
    assert "+49 69 1" in shown
    assert "+49 69 2" in shown


def test_one_that_is_skipped_is_passed_over(sync: Sync, viewer: Client) -> None:
    first, second = conflict(sync, label="Anna"), conflict(sync, label="Bernd")
    assert "Bernd" in viewer.get(f"/queues/conflict/?after={first.pk}").content.decode()
    assert "Those that you skipped wait still." in viewer.get(f"/queues/conflict/?after={second.pk}").content.decode()


def test_a_queue_with_nobody_says_so(sync: Sync, viewer: Client) -> None:
    assert "Nothing to decide here" in viewer.get("/queues/review/").content.decode()


@pytest.mark.parametrize("others", [0, 30])
def test_a_turn_costs_the_same_however_many_wait(
    sync: Sync, viewer: Client, others: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(others + 1):
        conflict(sync)
    viewer.get("/queues/conflict/")
    with django_assert_num_queries(10):
        viewer.get("/queues/conflict/")


def test_the_whole_record_of_one_side_is_taken(sync: Sync, operator: Client) -> None:
    contact = conflict(sync, conflicts=["phone", "email"])
    press(operator, contact, "take:ghl")
    contact.refresh_from_db()
    assert (contact.status, contact.decisions) == ("pending", {"phone": "ghl", "email": "ghl"})


def test_a_side_is_chosen_field_by_field(sync: Sync, operator: Client) -> None:
    contact = conflict(sync, conflicts=["phone", "email"])
    press(operator, contact, "take", **{"side:phone": "ghl", "side:email": "centralstation"})
    contact.refresh_from_db()
    assert contact.decisions == {"phone": "ghl", "email": "centralstation"}


def test_choosing_nothing_is_told(sync: Sync, operator: Client) -> None:
    assert "Choose a value first." in press(operator, conflict(sync), "take")


def test_nothing_is_written_before_it_can_be_undone(sync: Sync, operator: Client) -> None:
    contact = conflict(sync)
    press(operator, contact, "take:ghl")
    contact.refresh_from_db()
    assert contact.due_at is not None
    assert contact.due_at > timezone.now() + deciding.UNDO_FOR / 2


def test_a_decision_taken_back_leaves_the_contact_as_it_was(sync: Sync, operator: Client) -> None:
    contact = conflict(sync)
    press(operator, contact, "take:ghl")
    undo(operator)
    contact.refresh_from_db()
    assert (contact.status, contact.decisions, contact.dirty, contact.reason) == ("conflict", {}, 0, BOTH)


def test_a_link_taken_back_leaves_two_contacts(sync: Sync, operator: Client) -> None:
    here, there = review(sync)
    press(operator, here, f"link:{there.pk}")
    assert not Contact.objects.filter(pk=there.pk).exists()
    undo(operator)
    ids = sorted(Contact.objects.values_list("pk", "ghl_id", "centralstation_id"))
    assert ids == [(here.pk, here.ghl_id, None), (there.pk, None, there.centralstation_id)]


def test_none_of_these_creates_the_contact_over_there(sync: Sync, operator: Client) -> None:
    here, _there = review(sync)
    press(operator, here, "keep-apart")
    here.refresh_from_db()
    assert (here.status, here.kept_apart) == ("pending", True)


@pytest.mark.parametrize("decision", ["restore", "unlink"])
def test_a_deletion_decided_and_taken_back_has_its_notes_and_base_again(sync: Sync, operator: Client, decision: str) -> None:
    gone = deleted(sync)
    press(operator, gone, decision)
    assert Contact.objects.get().status in ("pending", "excluded")
    undo(operator)
    now = Contact.objects.get()
    assert (now.status, now.ghl_id, now.base) == ("quarantined", gone.ghl_id, gone.base)
    assert (now.items.count(), now.keys.count()) == (1, 1)


def test_what_somebody_is_at_work_on_is_not_undone(sync: Sync, operator: Client) -> None:
    contact = conflict(sync)
    press(operator, contact, "take:ghl")
    Contact.objects.update(lease_until=timezone.now() + deciding.UNDO_FOR)
    assert "It is too late to undo this" in undo(operator)
    contact.refresh_from_db()
    assert contact.decisions == {"phone": "ghl"}


def test_what_changed_meanwhile_is_not_undone(sync: Sync, operator: Client) -> None:
    contact = conflict(sync)
    press(operator, contact, "take:ghl")
    Contact.objects.update(dirty_counter=99)
    assert "It is too late to undo this" in undo(operator)


def test_the_same_is_decided_for_all_that_wait_for_the_same_reason(sync: Sync, operator: Client) -> None:
    contacts = [conflict(sync) for _ in range(3)]
    other = conflict(sync, reason="Something else.")
    assert "Decided for 3 contacts." in press(operator, contacts[0], "take:centralstation", alike="1")
    other.refresh_from_db()
    assert (sync.contacts.filter(status=Status.PENDING).count(), other.status) == (3, "conflict")


def test_a_decision_for_all_is_taken_back_for_all(sync: Sync, operator: Client) -> None:
    contacts = [conflict(sync) for _ in range(3)]
    press(operator, contacts[0], "take:centralstation", alike="1")
    undo(operator)
    assert sync.contacts.filter(status=Status.CONFLICT, decisions={}).count() == 3


def test_what_can_no_longer_be_undone_is_forgotten(sync: Sync, operator: Client) -> None:
    press(operator, conflict(sync), "take:ghl")
    Decision.objects.update(at=timezone.now() - 10 * deciding.UNDO_FOR)
    press(operator, conflict(sync), "take:ghl")
    assert Decision.objects.count() == 1


def test_a_viewer_gets_no_button_but_may_look(sync: Sync, viewer: Client) -> None:
    conflict(sync)
    assert 'name="decision"' not in viewer.get("/queues/conflict/").content.decode()


def test_the_overview_leads_to_the_queue(sync: Sync, operator: Client) -> None:
    conflict(sync)
    assert 'href="/queues/conflict/"' in operator.get("/").content.decode()
