"""What an event does: the contact it is about is looked at, at once; whatever the payload says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from crmsync import jobs
from crmsync.engine.records import Side
from crmsync.models import Cause, Change, Connection, Contact, Event, Health, Status, Tally
from crmsync.sandbox.settings import DEMO_LOCATION_ID
from crmsync.sync import actions, listening
from tests.sync.kit import ADA, GRACE, Live
from tests.webhooks.sender import body, ed25519, public_pem, signed


def ghl_event(live: Live, type: str, **payload: Any) -> Event:
    """As GoHighLevel sent it and the endpoint stored it."""
    body = {"type": type, "locationId": DEMO_LOCATION_ID, **payload}
    return Event.objects.create(connection=live.sync.ghl, via=Event.Via.APP, type=type, body=json.dumps(body))


def hook_event(live: Live, event: str, person_id: object) -> Event:
    body = json.dumps({"record": {"id": int(str(person_id))}})
    return Event.objects.create(connection=live.sync.centralstation, via=Event.Via.HOOK, type=f"Person.{event}", body=body)


def tally(live: Live, side: Side, name: str) -> int:
    connection = live.sync.ghl if side is Side.GHL else live.sync.centralstation
    return sum(Tally.objects.filter(connection=connection, name=name).values_list("count", flat=True))


def test_a_change_in_ghl_is_brought_over_when_its_event_comes(live: Live, ada: Contact) -> None:
    live.edit_in_ghl(ada, firstName="Augusta")
    event = ghl_event(live, "ContactUpdate", id=ada.ghl_id)
    jobs.live(live.sync.pk)
    assert live.in_central(ada).fields["first name"] == "Augusta"
    event.refresh_from_db()
    assert (event.outcome, event.handled_at is not None) == (Event.Outcome.USED, True)
    assert Change.objects.latest("pk").cause == Cause.WEBHOOK


def test_a_change_in_centralstation_is_brought_over_when_its_hook_fires(live: Live, ada: Contact) -> None:
    live.edit_in_central(ada, first_name="Augusta")
    hook_event(live, "update", ada.centralstation_id)
    jobs.live(live.sync.pk)
    assert live.in_ghl(ada).fields["first name"] == "Augusta"


def test_the_payload_is_a_hint_and_the_record_is_read(live: Live, ada: Contact) -> None:
    ghl_event(live, "ContactUpdate", id=ada.ghl_id, firstName="Mallory")
    with live.nothing_written():
        jobs.live(live.sync.pk)
    assert live.in_central(ada).fields["first name"] == "Ada"


@pytest.mark.parametrize("side", [Side.GHL, Side.CENTRALSTATION])
def test_a_new_contact_is_created_over_there(live: Live, ada: Contact, side: Side) -> None:
    if side is Side.GHL:
        ghl_event(live, "ContactCreate", id=live.ghl.add_contact(firstName="Grace", lastName="Hopper", email="grace@example.org"))
    else:
        hook_event(live, "create", live.central.add_contact(**GRACE))
    jobs.live(live.sync.pk)
    live.later()  # each may have found the other being matched, and waits for its turn
    assert (live.counts(), live.statuses()) == ((2, 2), ["in_sync", "in_sync"])


def test_a_new_contact_brings_its_notes_and_tasks_along(live: Live, ada: Contact) -> None:
    grace = live.ghl.add_contact(firstName="Grace", lastName="Hopper", email="grace@example.org")
    live.ghl.add_note(grace, "She rang.")
    live.ghl.add_task(grace, "Call back")
    ghl_event(live, "ContactCreate", id=grace)
    jobs.live(live.sync.pk)
    seen = live.in_central(live.contact(ghl_id=grace))
    assert (len(seen.notes), seen.tasks) == (1, [("Call back", False)])


@pytest.mark.parametrize("told_by", [Side.GHL, Side.CENTRALSTATION])
def test_somebody_entered_in_both_crms_is_linked_though_only_one_event_came(live: Live, ada: Contact, told_by: Side) -> None:
    ghl_id = live.ghl.add_contact(firstName="Grace", lastName="Hopper", email="grace@example.org", phone="+493087654321")
    central_id = live.central.add_contact(**GRACE)
    if told_by is Side.GHL:
        ghl_event(live, "ContactCreate", id=ghl_id)
    else:
        hook_event(live, "create", central_id)
    jobs.live(live.sync.pk)
    assert (live.counts(), live.statuses()) == ((2, 2), ["in_sync", "in_sync"])


def test_both_events_of_somebody_entered_in_both_crms_make_one_contact(live: Live, ada: Contact) -> None:
    ghl_event(live, "ContactCreate", id=live.ghl.add_contact(firstName="Grace", lastName="Hopper", email="grace@example.org"))
    hook_event(live, "create", live.central.add_contact(**GRACE))
    jobs.live(live.sync.pk)
    live.later()  # each may have found the other being matched, and waits for its turn
    assert (live.counts(), live.statuses()) == ((2, 2), ["in_sync", "in_sync"])


def test_a_deletion_is_put_before_a_person(live: Live, ada: Contact) -> None:
    live.ghl.delete_contact(str(ada.ghl_id))
    ghl_event(live, "ContactDelete", id=ada.ghl_id)
    jobs.live(live.sync.pk)
    assert live.statuses() == [Status.QUARANTINED]


def test_the_deletion_of_somebody_unknown_is_about_nobody(live: Live, ada: Contact) -> None:
    event = ghl_event(live, "ContactDelete", id="unknown12345678901234")
    jobs.live(live.sync.pk)
    event.refresh_from_db()
    assert (event.outcome, live.sync.contacts.count()) == (Event.Outcome.UNKNOWN, 1)


def test_a_note_is_brought_over_by_its_event(live: Live, ada: Contact) -> None:
    note = live.ghl.add_note(str(ada.ghl_id), "She rang.")
    ghl_event(live, "NoteCreate", id=note, contactId=ada.ghl_id, body="She rang.")
    jobs.live(live.sync.pk)
    assert [text for _, text in live.in_central(ada).notes] == ["She rang."]


def test_a_task_event_without_its_contact_is_found_by_the_task_search(live: Live, ada: Contact) -> None:
    task = live.ghl.add_task(str(ada.ghl_id), "Call back")
    ghl_event(live, "TaskCreate", id=task, title="Call back")
    jobs.live(live.sync.pk)
    assert live.in_central(ada).tasks == [("Call back", False)]


@pytest.mark.parametrize("type", ["AppointmentCreate", "OpportunityCreate", "SomethingNew"])
def test_what_is_of_no_use_is_kept_and_said_to_be_so(live: Live, ada: Contact, type: str) -> None:
    event = ghl_event(live, type, id="x")
    calls = len(live.ghl.calls())
    jobs.live(live.sync.pk)
    event.refresh_from_db()
    assert (event.outcome, len(live.ghl.calls())) == (Event.Outcome.NOT_USED, calls)
    assert tally(live, Side.GHL, f"event:{type}") == 1


def test_an_event_of_another_location_is_not_used(live: Live, ada: Contact) -> None:
    event = ghl_event(live, "ContactUpdate", id=ada.ghl_id)
    Event.objects.filter(pk=event.pk).update(body=json.dumps({"type": "ContactUpdate", "locationId": "elsewhere", "id": ada.ghl_id}))
    jobs.live(live.sync.pk)
    event.refresh_from_db()
    assert event.outcome == Event.Outcome.NOT_USED


def test_a_burst_about_one_contact_is_one_reconcile(live: Live, ada: Contact) -> None:
    live.edit_in_ghl(ada, firstName="Augusta")
    for _ in range(20):
        ghl_event(live, "ContactUpdate", id=ada.ghl_id)
    before = len(live.ghl.calls())
    jobs.live(live.sync.pk)
    assert len(live.ghl.calls()) - before <= 2
    assert live.in_central(ada).fields["first name"] == "Augusta"


def test_the_echo_of_our_own_write_is_counted_and_writes_nothing(live: Live, ada: Contact) -> None:
    live.edit_in_ghl(ada, firstName="Augusta")
    ghl_event(live, "ContactUpdate", id=ada.ghl_id)
    jobs.live(live.sync.pk)
    hook_event(live, "update", ada.centralstation_id)
    with live.nothing_written():
        jobs.live(live.sync.pk)
    assert (tally(live, Side.GHL, "announced"), tally(live, Side.CENTRALSTATION, "echo")) == (1, 1)


def test_a_change_that_no_event_told_of_is_counted_against_the_coverage(live: Live, ada: Contact) -> None:
    live.edit_in_ghl(ada, firstName="Augusta")
    live.run()
    assert listening.coverage(live.sync.ghl) == 0


def test_an_event_that_comes_just_after_the_poll_has_found_its_change_counts_as_heard(live: Live, ada: Contact) -> None:
    live.edit_in_ghl(ada, firstName="Augusta")
    live.run()
    ghl_event(live, "ContactUpdate", id=ada.ghl_id)
    jobs.live(live.sync.pk)
    assert listening.coverage(live.sync.ghl) == 1


def test_events_of_a_paused_sync_are_caught_up_when_it_goes_on(live: Live, ada: Contact) -> None:
    actions.pause(live.sync)
    live.edit_in_ghl(ada, firstName="Augusta")
    ghl_event(live, "ContactUpdate", id=ada.ghl_id)
    jobs.tick()
    assert Event.objects.waiting().count() == 1
    actions.resume(live.sync)
    live.work()
    assert live.in_central(ada).fields["first name"] == "Augusta"


def test_an_event_that_comes_while_its_contact_is_being_created_makes_no_second_one(live: Live) -> None:
    """The answer to our create is lost, and the CRM's event about it comes first."""
    live.ghl.add_contact(**ADA)
    live.run()
    live.central.fault("answer_lost", method="POST", path="/people$", times=1)
    grace = live.ghl.add_contact(firstName="Grace", lastName="Hopper", email="grace@example.org")
    ghl_event(live, "ContactCreate", id=grace)
    jobs.live(live.sync.pk)
    for person in live.central.overview():
        hook_event(live, "create", person["id"])
    live.later()
    assert (live.counts(), live.statuses()) == ((2, 2), ["in_sync", "in_sync"])


def test_an_uninstalled_app_needs_to_be_reconnected(live: Live, ada: Contact) -> None:
    """When the event comes, whatever else waits: connecting anew must not be undone by it later."""
    Connection.objects.filter(pk=live.sync.ghl_id).update(client_id="app-1", webhook_keys=[public_pem(ed25519())])
    sent = body("UNINSTALL", locationId=DEMO_LOCATION_ID, id=None)
    answer = Client().post(f"/webhooks/ghl/{live.sync.ghl_id}/", sent, "application/json", headers=signed(sent))
    live.sync.ghl.refresh_from_db()
    assert (answer.status_code, live.sync.ghl.health) == (200, Health.RECONNECT)


def test_events_of_an_account_that_no_sync_uses_wait_for_nobody(live: Live) -> None:
    other = Connection.objects.create(system=Side.GHL, name="Other", root="http://127.0.0.1:1", account_id="L", credential="t")
    event = Event.objects.create(connection=other, via=Event.Via.APP, type="ContactUpdate", body="{}")
    jobs.upkeep()
    event.refresh_from_db()
    assert (event.outcome, listening.arrivals(other)["ContactUpdate"].count) == (Event.Outcome.NOT_USED, 1)


@pytest.mark.parametrize("first", [Side.GHL, Side.CENTRALSTATION])
def test_somebody_entered_in_both_crms_at_once_is_found_though_nobody_has_read_the_other_half(
    live: Live, ada: Contact, first: Side
) -> None:
    """Both events have come, so both halves have rows; only one of them is in hand, and the other one has never been read."""
    ghl_id = live.ghl.add_contact(firstName="Grace", lastName="Hopper", email="grace@example.org")
    central_id = live.central.add_contact(**GRACE)
    rows = {
        Side.GHL: Contact.objects.create(sync=live.sync, ghl_id=ghl_id),
        Side.CENTRALSTATION: Contact.objects.create(sync=live.sync, centralstation_id=str(central_id)),
    }
    actions.sync_now(rows[first])
    live.later()
    assert (live.counts(), live.statuses()) == ((2, 2), ["in_sync", "in_sync"])


def test_the_echo_of_a_first_sync_waits_for_the_background(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.run()
    hook_event(live, "create", live.contact().centralstation_id)
    calls = len(live.central.calls())
    jobs.live(live.sync.pk)
    assert (len(live.central.calls()), live.contact().is_urgent) == (calls, False)
    with live.nothing_written():
        live.work()
    assert (live.statuses(), tally(live, Side.CENTRALSTATION, "echo")) == (["in_sync"], 1)
