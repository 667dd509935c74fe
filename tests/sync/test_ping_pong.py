"""A field that something else changes back each time is stopped for that contact, and named; the others go on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from crmsync.models import Change, Contact, Issue, Sync
from crmsync.sync import actions
from tests.sync.kit import Live

AFTER = 2


@pytest.fixture
def ada(live: Live, ada: Contact) -> Contact:
    Sync.objects.update(ping_pong_after=AFTER)
    live.sync.refresh_from_db()
    return ada


def test_a_field_that_goes_to_and_fro_is_stopped(live: Live, ada: Contact) -> None:
    bounce(live, ada, AFTER + 2)
    ada.refresh_from_db()
    assert (ada.stopped, ada.status, live.issues()) == (["first name"], "failed", ["ping_pong"])


def test_it_is_written_no_more(live: Live, ada: Contact) -> None:
    bounce(live, ada, AFTER + 2)
    with live.nothing_written():
        live.edit_in_ghl(ada, firstName="Adele")
        live.poll()
        live.edit_in_central(ada, first_name="Adelheid")
        live.poll()


def test_the_reason_names_the_field_and_where_to_look(live: Live, ada: Contact) -> None:
    bounce(live, ada, AFTER + 2)
    ada.refresh_from_db()
    assert ada.reason.startswith("Ping-pong: first name changed sides more than 2 times within an hour.")
    assert "Look for automations" in Issue.objects.get().what_to_do


def test_the_issue_is_about_the_field(live: Live, ada: Contact) -> None:
    bounce(live, ada, AFTER + 2)
    assert (Issue.objects.get().subject, Issue.objects.get().side) == ("first name", "")


def test_other_fields_go_on(live: Live, ada: Contact) -> None:
    bounce(live, ada, AFTER + 2)
    live.edit_in_ghl(ada, lastName="Byron")
    live.poll()
    assert live.in_central(ada).fields["last name"] == "Byron"


def test_as_often_as_may_be_is_no_ping_pong(live: Live, ada: Contact) -> None:
    bounce(live, ada, AFTER + 1)
    assert (live.in_ghl(ada) == live.in_central(ada), live.statuses()) == (True, ["in_sync"])


def test_one_side_may_change_as_often_as_it_likes(live: Live, ada: Contact) -> None:
    for n in range(6):
        live.edit_in_ghl(ada, firstName=f"Ada {n}")
        live.poll()
    assert (live.in_central(ada).fields["first name"], live.statuses()) == ("Ada 5", ["in_sync"])


def test_what_is_older_than_an_hour_does_not_count(live: Live, ada: Contact) -> None:
    bounce(live, ada, AFTER + 1)
    Change.objects.update(at=timezone.now() - timedelta(minutes=61))
    bounce(live, ada, AFTER + 1)
    assert live.statuses() == ["in_sync"]


def test_what_a_person_started_does_not_count(live: Live, ada: Contact) -> None:
    for n in range(6):
        edit(live, ada, n)
        live.run()
    assert live.statuses() == ["in_sync"]


@pytest.mark.parametrize("press", ["retry", "sync_now"])
def test_a_person_lets_it_go_again(live: Live, ada: Contact, press: str) -> None:
    bounce(live, ada, AFTER + 2)
    if press == "retry":
        actions.retry(live.sync.contacts.all())
    else:
        actions.sync_now(ada)
    live.work()
    ada.refresh_from_db()
    assert (ada.stopped, live.statuses(), live.issues()) == ([], ["in_sync"], [])
    assert live.in_ghl(ada) == live.in_central(ada)


def test_what_was_before_the_retry_does_not_count(live: Live, ada: Contact) -> None:
    bounce(live, ada, AFTER + 2)
    live.retry()
    bounce(live, ada, AFTER + 1)
    assert live.statuses() == ["in_sync"]


def test_the_same_happens_again_after_a_retry_if_nothing_was_mended(live: Live, ada: Contact) -> None:
    bounce(live, ada, AFTER + 2)
    live.retry()
    bounce(live, ada, AFTER + 2)
    assert live.issues() == ["ping_pong"]


def test_a_tag_that_goes_to_and_fro_stops_the_tags(live: Live, ada: Contact) -> None:
    for n in range(AFTER + 2):
        if n % 2 == 0:
            live.ghl.add_tags(str(ada.ghl_id), "vip")
        else:
            live.central.remove_tags(str(ada.centralstation_id), "vip")
        live.poll()
    ada.refresh_from_db()
    assert (ada.stopped, ada.status) == (["tags"], "failed")


def test_different_tags_from_both_sides_are_no_ping_pong(live: Live, ada: Contact) -> None:
    for n in range(6):
        crm, id = (live.ghl, ada.ghl_id) if n % 2 else (live.central, ada.centralstation_id)
        crm.add_tags(str(id), f"tag-{n}")
        live.poll()
    assert (len(live.in_ghl(ada).tags), live.statuses()) == (6, ["in_sync"])


def test_a_task_that_goes_to_and_fro_stops_the_tasks(live: Live, ada: Contact) -> None:
    task = live.ghl.add_task(str(ada.ghl_id), "Ring her")
    live.run(full=True)
    for n in range(AFTER + 2):
        if n % 2 == 0:
            live.ghl.edit_task(str(ada.ghl_id), task, title=f"Ring {n}")
        else:
            live.central.edit_task(live.central.tasks_of(str(ada.centralstation_id))[0]["id"], name=f"Ring {n}")
        live.poll()
    ada.refresh_from_db()
    assert (ada.stopped, ada.status) == (["tasks"], "failed")


def test_notes_written_in_turn_are_a_conversation(live: Live, ada: Contact) -> None:
    for n in range(6):
        if n % 2:
            live.ghl.add_note(str(ada.ghl_id), f"Note {n}")
        else:
            live.central.add_note(str(ada.centralstation_id), f"Note {n}")
        live.sync.contacts.update(dirty=4, due_at=timezone.now())
        live.poll()
    assert (len(live.in_ghl(ada).notes), len(live.in_central(ada).notes), live.statuses()) == (6, 6, ["in_sync"])


def edit(live: Live, contact: Contact, n: int) -> None:
    """The first name gets another value, in turn in GoHighLevel and in CentralStationCRM."""
    if n % 2 == 0:
        live.edit_in_ghl(contact, firstName=f"Ada {n}")
    else:
        live.edit_in_central(contact, first_name=f"Ada {n}")


def bounce(live: Live, contact: Contact, times: int) -> None:
    for n in range(times):
        edit(live, contact, n)
        live.poll()
