"""Why a contact is as it is: the uppermost reason, in one sentence, and the trail that leads there. Both CRMs simulated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crmsync.engine.records import Aspect
from crmsync.models import BulkAction, Connection, Contact, Health, HeldBatch, Mode, RateBudget, Run, RunKind, Status, Sync
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sync import actions, bulk
from crmsync.sync.clock import zone_of
from crmsync.sync.facts import Reason
from crmsync.sync.selection import Selection
from crmsync.sync.trail import trail, way_out
from crmsync.sync.why import Why, explain
from tests.dashboard.data import make_contact, make_sync
from tests.sync.kit import ADA, Live


def why(contact: Contact) -> Why:
    """As it is now."""
    [found] = explain(
        [Contact.objects.select_related("sync__ghl", "sync__centralstation", "issue", "held_by", "asked_by").get(pk=contact.pk)]
    )
    return found


def facts(contact: Contact) -> list[str]:
    return [fact.text for fact in trail(why(contact))]


def leads_to(contact: Contact) -> str:
    way = way_out(trail(why(contact)))
    return way.url if way else ""


@pytest.fixture
def kim(transactional_db: None) -> User:
    return User.objects.create_user("kim@example.org")


Joined = Callable[..., Live]


@pytest.fixture
def joined(join: Callable[..., Live], ghl_sandbox: Ghl, centralstation_sandbox: CentralStation) -> Joined:
    return lambda **settings: join(ghl_sandbox, centralstation_sandbox, **settings)


# In sync


def test_in_sync_says_when_both_sides_were_read(ada: Contact) -> None:
    Contact.objects.update(verified_at=timezone.now() - timedelta(minutes=4))
    assert why(ada).sentence == "Ada Lovelace is in sync: both sides were read and found equal 4\u00a0minutes ago."


def test_in_sync_says_that_a_pause_keeps_what_changes_now(ada: Contact, kim: User) -> None:
    actions.pause(ada.sync, kim)
    found = why(ada)
    assert (found.reason, found.then) == (
        Reason.IN_SYNC,
        "What changes now isn't brought over: the sync “Berlin” was paused by kim@example.org just now.",
    )


# What holds the whole sync up


def changed(live: Live, ada: Contact) -> None:
    """Something is known to have changed, and isn't looked at yet."""
    Contact.objects.filter(pk=ada.pk).mark_dirty(Aspect.ALL, timezone.now())


def test_it_waits_because_the_sync_was_paused_by_somebody(live: Live, ada: Contact, kim: User) -> None:
    changed(live, ada)
    actions.pause(live.sync, kim)
    found = why(ada)
    assert (found.reason, found.sentence) == (
        Reason.SYNC_PAUSED,
        "Ada Lovelace waits: the sync “Berlin” was paused by kim@example.org just now.",
    )


def test_the_way_out_of_a_pause_is_the_syncs_page(live: Live, ada: Contact) -> None:
    changed(live, ada)
    actions.pause(live.sync)
    assert leads_to(ada) == f"/syncs/{live.sync.pk}/"


def test_it_waits_because_the_connection_was_paused(live: Live, ada: Contact, kim: User) -> None:
    changed(live, ada)
    actions.pause_connection(live.sync.ghl, kim)
    found = why(ada)
    assert (found.reason, "the connection “GHL” was paused by kim@example.org" in found.sentence) == (Reason.CONNECTION_PAUSED, True)


def test_it_waits_because_the_connection_must_be_renewed(live: Live, ada: Contact) -> None:
    changed(live, ada)
    Connection.objects.filter(pk=live.sync.ghl_id).update(health=Health.RECONNECT, health_reason="The authorisation is over.")
    assert why(ada).sentence == "Ada Lovelace waits: the connection “GHL” doesn't let crmsync in (The authorisation is over)."


def test_it_waits_because_a_crm_is_out_of_order(live: Live, ada: Contact) -> None:
    changed(live, ada)
    RateBudget.objects.filter(connection=live.sync.centralstation_id).update(broken_until=timezone.now().timestamp() + 60)
    found = why(ada)
    assert (found.reason, "CentralStationCRM (“CS”) is out of order" in found.sentence) == (Reason.OUT_OF_ORDER, True)


def test_it_waits_because_the_sync_is_a_draft(transactional_db: None) -> None:
    contact = make_contact(make_sync(mode=Mode.DRAFT), Status.PENDING)
    assert why(contact).reason is Reason.DRAFT


def test_it_waits_for_a_first_sync_that_nobody_started(live: Live) -> None:
    assert why(make_contact(live.sync, Status.PENDING)).reason is Reason.FIRST_SYNC


def test_it_waits_for_the_first_sync_under_way(live: Live) -> None:
    run = Run.objects.create(sync=live.sync, kind=RunKind.FIRST_SYNC)
    assert leads_to(make_contact(live.sync, Status.PENDING)) == f"/runs/{run.pk}/"


def test_the_uppermost_of_two_reasons_is_told(live: Live, ada: Contact) -> None:
    changed(live, ada)
    actions.pause_connection(live.sync.ghl)
    actions.pause(live.sync)
    assert why(ada).reason is Reason.SYNC_PAUSED


def test_nobody_at_work_is_told(live: Live, ada: Contact) -> None:
    changed(live, ada)
    Contact.objects.update(due_at=timezone.now() - timedelta(minutes=10))
    assert why(ada).reason is Reason.NO_WORKER


# On its way


def test_a_contact_in_a_workers_hands_is_being_compared(live: Live, ada: Contact) -> None:
    changed(live, ada)
    Contact.objects.claim(ada.pk, "x", timezone.now(), timezone.now() + timedelta(seconds=45))
    assert why(ada).sentence == "Ada Lovelace is being compared right now."


def test_a_change_that_was_noticed_is_about_to_be_compared(live: Live, ada: Contact) -> None:
    changed(live, ada)
    assert why(ada).sentence == "Ada Lovelace is about to be compared: a change was noticed just now."


def test_who_asked_for_it_is_told(ada: Contact, kim: User) -> None:
    actions.sync_now(ada, kim)
    assert why(ada).sentence == "Ada Lovelace is about to be compared: kim@example.org asked for it."


def test_its_turn_in_a_full_comparison_is_told(live: Live, ada: Contact) -> None:
    changed(live, ada)
    Run.objects.create(sync=live.sync, kind=RunKind.FULL)
    assert why(ada).sentence == "Ada Lovelace waits for its turn in the full comparison that began just now."


def test_what_was_written_waits_to_be_read_back(live: Live, ada: Contact) -> None:
    Contact.objects.update(status=Status.PENDING, awaiting_read_back=True)
    assert why(ada).reason is Reason.READ_BACK


def test_one_of_which_only_an_id_is_known_is_called_by_it(live: Live, ada: Contact) -> None:
    Contact.objects.update(label="", status=Status.PENDING, dirty=0)
    assert why(ada).sentence == f"GoHighLevel's contact {ada.ghl_id} is about to be compared."


# Failed, waiting, held


def test_a_failure_says_its_cause_and_what_to_do(live: Live) -> None:
    live.ghl.fault("field_dropped", field="phone")
    live.central.add_contact(first_name="Grace", name="Hopper", emails=["grace@example.org"], tels=["+493087654321"])
    live.run()
    found = why(live.contact())
    assert (found.reason, found.sentence, "then press Retry" in found.then) == (
        Reason.FAILED,
        "Grace Hopper failed: phone: sent to GoHighLevel and accepted, but not there afterwards.",
        True,
    )


def test_a_failure_leads_to_its_cause(live: Live) -> None:
    live.ghl.fault("field_dropped", field="phone")
    live.central.add_contact(first_name="Grace", name="Hopper", tels=["+493087654321"])
    live.run()
    assert leads_to(live.contact()) == f"/issues/{live.contact().issue_id}/"


def test_the_next_try_of_a_failure_is_told(db: None) -> None:
    contact = make_contact(make_sync(), Status.FAILED, reason="No answer.", due_at=timezone.now() + timedelta(minutes=5, seconds=10))
    assert why(contact).then == "The next try comes by itself in 5\u00a0minutes."


def test_a_failure_in_a_paused_sync_is_still_that_failure(live: Live) -> None:
    live.ghl.fault("field_dropped", field="phone")
    live.central.add_contact(first_name="Grace", name="Hopper", tels=["+493087654321"])
    live.run()
    actions.pause(live.sync)
    found = why(live.contact())
    assert (found.reason, "Besides, nothing goes on at present: the sync “Berlin” was paused" in found.then) == (Reason.FAILED, True)


def test_a_missing_permission_is_told(live: Live, ada: Contact) -> None:
    live.ghl.fault("scope_missing", method="PUT")
    live.edit_in_central(ada, first_name="Augusta")
    live.run()
    found = why(ada)
    assert (found.reason, "the permission “contacts.write” is missing" in found.sentence) == (Reason.PERMISSION, True)


def held(live: Live) -> Contact:
    Sync.objects.update(hold_changes=0, hold_changes_share=0)
    live.edit_in_ghl(live.contact(), firstName="Augusta")
    live.poll()
    return live.contact()


def test_a_held_batch_is_told_and_led_to(live: Live, ada: Contact) -> None:
    found = held(live)
    assert (why(found).reason, leads_to(found)) == (Reason.HELD, f"/batches/{HeldBatch.objects.get().pk}/")


def test_who_rejected_a_batch_is_told(live: Live, ada: Contact, kim: User) -> None:
    found = held(live)
    actions.reject(HeldBatch.objects.get(), kim)
    assert "isn't brought over: Rejected by kim@example.org" in why(found).sentence


def test_quiet_hours_are_told(live: Live, ada: Contact) -> None:
    now, hour = timezone.now().astimezone(zone_of(live.sync)), timedelta(hours=1)
    Sync.objects.update(quiet_from=(now - hour).time(), quiet_until=(now + hour).time())
    live.edit_in_ghl(ada, firstName="Augusta")
    live.poll()
    found = why(ada)
    assert (found.reason, "Quiet hours: nothing is written by itself until" in found.sentence) == (Reason.CLOCK, True)


def test_a_pause_is_above_quiet_hours(live: Live, ada: Contact) -> None:
    Contact.objects.update(status=Status.WAITING, reason="Quiet hours: …", dirty=1)
    actions.pause(live.sync)
    assert why(ada).reason is Reason.SYNC_PAUSED


# Whom a person has to decide about


def test_a_conflict_names_its_fields(joined: Joined) -> None:
    live = joined(conflict="ask")
    live.ghl.add_contact(**ADA)
    live.run()
    live.edit_in_ghl(live.contact(), phone="+4940111111")
    live.phone_in_central(live.contact(), "+4940222222")
    live.run()
    assert why(live.contact()).sentence == "Ada Lovelace is in conflict: both sides changed phone to different values."


def two_adas(live: Live) -> Contact:
    live.ghl.add_contact(**ADA)
    for name in ("King", "Byron"):
        live.central.add_contact(first_name="Ada", name=name, emails=["ada@example.org"])
    live.run()
    return live.contact(centralstation_id=None)


def test_a_review_names_who_it_could_be(live: Live) -> None:
    assert why(two_adas(live)).sentence == "Ada Lovelace may be the same person as Ada King and Ada Byron: somebody has to say."


def test_a_reviews_trail_leads_to_each_candidate(live: Live) -> None:
    found = facts(two_adas(live))
    assert {"Could be Ada King, in CentralStationCRM.", "Could be Ada Byron, in CentralStationCRM."} <= set(found)


def test_a_contact_deleted_over_there_is_told(live: Live, ada: Contact) -> None:
    live.ghl.delete_contact(str(ada.ghl_id))
    live.run(full=True)
    found = why(ada)
    assert (found.reason, found.sentence) == (Reason.DELETED, "Ada Lovelace was deleted in GoHighLevel, and is in CentralStationCRM still.")


# Out of scope


def test_who_excluded_it_and_why_is_told(ada: Contact, kim: User) -> None:
    actions.exclude(ada, "asked not to be contacted", kim)
    assert why(ada).sentence == "Ada Lovelace was excluded by kim@example.org just now: asked not to be contacted."


def test_who_excluded_it_with_others_is_told(ada: Contact, kim: User) -> None:
    bulk.begin("exclude", Selection(), kim, detail={"reason": "only a test"})
    assert "was excluded by kim@example.org" in why(ada).sentence


def test_a_pause_does_not_hide_an_exclusion(ada: Contact) -> None:
    actions.exclude(ada, "only a test")
    actions.pause(ada.sync)
    assert why(ada).reason is Reason.EXCLUDED


@pytest.mark.parametrize(
    ("fields", "reason"),
    [(ADA, Reason.OUT_OF_SCOPE), ({"firstName": "Ada", "lastName": "Lovelace"}, Reason.NO_KEY)],
    ids=["keys", "no key"],
)
def test_a_contact_that_is_not_created_over_there_says_so(joined: Joined, fields: dict[str, Any], reason: Reason) -> None:
    live = joined(create_in_centralstation=False)
    live.ghl.add_contact(**fields)
    live.run()
    found = why(live.contact())
    assert (found.reason, "the sync “Berlin” doesn't create contacts" in found.sentence) == (reason, True)


# The trail


def test_the_trail_says_by_which_key_it_was_matched(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.add_contact(name="Lovelace", emails=["ada@example.org"])
    live.run()
    assert "Matched by the same e-mail: ada@example.org." in facts(live.contact())


def test_the_trail_says_that_crmsync_created_it(ada: Contact) -> None:
    assert "Nobody in CentralStationCRM was this person, so crmsync created it there (first sync)." in facts(ada)


def test_the_trail_says_who_linked_it(live: Live, kim: User) -> None:
    ada = two_adas(live)
    actions.link(ada, live.contact(label="Ada King"), kim)
    assert "The two were linked by kim@example.org." in facts(ada)


def test_the_trail_says_what_was_written_last(live: Live, ada: Contact) -> None:
    live.edit_in_ghl(ada, phone="+4940111111")
    live.poll()
    assert "Last written to CentralStationCRM: phone (looking for changes; verified)." in facts(ada)


def test_the_trail_ends_with_the_uppermost_cause(live: Live, ada: Contact) -> None:
    changed(live, ada)
    actions.pause_connection(live.sync.ghl)
    actions.pause(live.sync)
    assert facts(ada)[-1] == "The sync “Berlin” was paused by somebody on the command line."


def test_the_trail_says_what_something_else_always_changed_back(live: Live, ada: Contact) -> None:
    Contact.objects.update(stopped=["phone"])
    assert "Left alone because something else changed it back each time: phone." in facts(ada)


# What it costs


@pytest.mark.parametrize("many", [2, 15])
def test_sentences_cost_no_query_each(db: None, many: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    sync = make_sync()
    statuses = [Status.IN_SYNC, Status.PENDING, Status.EXCLUDED, Status.REVIEW]
    together = BulkAction.objects.create(verb="exclude", total=many, upto=0)
    for status in statuses:
        excluded = {"exclusion": "x", "asked_in": together} if status == Status.EXCLUDED else {}
        for _ in range(many):
            make_contact(sync, status, candidates=[1], **excluded)
    found = list(Contact.objects.select_related("sync__ghl", "sync__centralstation", "issue", "held_by", "asked_by"))
    clock = 1 if connection.vendor == "postgresql" else 0
    with django_assert_num_queries(5 + clock):  # breakers, run under way, exclusions (2), candidates
        explain(found)
