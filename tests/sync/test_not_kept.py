"""A CRM says yes and keeps nothing: it is told on the contact, with the field, and sent again only when something changes."""

from __future__ import annotations

import pytest
from django.utils import timezone

from crmsync.engine.records import Aspect
from crmsync.models import Contact
from tests.sync.kit import ADA, GRACE, Live, writes


def test_a_field_that_ghl_drops_in_silence_is_failed_and_named(live: Live) -> None:
    live.ghl.fault("field_dropped", field="phone")
    live.central.add_contact(**GRACE)
    live.run()
    contact = live.contact()
    assert contact.status == "failed"
    assert "phone" in contact.reason
    assert "GoHighLevel" in contact.reason
    assert live.in_ghl(contact).fields["email"] == "grace@example.org"


def test_a_field_that_centralstation_drops_in_silence_is_failed_and_named(live: Live, ada: Contact) -> None:
    live.central.fault("field_dropped", field="name", method="PUT", path="/tels|/people/")
    live.edit_in_ghl(ada, phone="+4940555666")
    live.run()
    ada.refresh_from_db()
    assert ada.status == "failed"
    assert "phone" in ada.reason
    assert "CentralStationCRM" in ada.reason


@pytest.mark.parametrize("side", ["ghl", "central"])
def test_an_update_that_is_not_kept_is_failed_and_named(live: Live, ada: Contact, side: str) -> None:
    if side == "ghl":
        live.ghl.fault("not_kept", method="PUT")
        live.edit_in_central(ada, first_name="Augusta")
    else:
        live.central.fault("not_kept", method="PUT")
        live.edit_in_ghl(ada, firstName="Augusta")
    live.run()
    live.run(full=True)
    ada.refresh_from_db()
    assert (ada.status, "first name" in ada.reason) == ("failed", True)


@pytest.mark.parametrize("full", [False, True])
def test_it_is_not_repeated(live: Live, full: bool) -> None:
    not_kept_phone(live)
    with live.nothing_written():
        live.run(full=full)
        live.later()
    assert live.statuses() == ["failed"]


def test_it_is_not_due_again_by_itself(live: Live) -> None:
    assert not_kept_phone(live).due_at is None


def test_retry_sends_it_again(live: Live) -> None:
    contact = not_kept_phone(live)
    live.ghl.clear_faults()
    live.retry()
    assert live.in_ghl(contact).fields["phone"] == "+493087654321"
    assert (live.statuses(), live.issues()) == (["in_sync"], [])


def test_retry_in_vain_is_failed_again(live: Live) -> None:
    not_kept_phone(live)
    sent = len(writes(live.ghl))
    live.retry()
    assert len(writes(live.ghl)) == sent + 1
    assert live.statuses() == ["failed"]


def test_another_value_is_sent(live: Live) -> None:
    contact = not_kept_phone(live)
    live.ghl.clear_faults()
    live.phone_in_central(contact, "+4940555666")
    live.run()
    assert live.in_ghl(contact).fields["phone"] == "+4940555666"
    assert live.statuses() == ["in_sync"]


def test_it_is_over_when_a_person_enters_the_value_over_there(live: Live) -> None:
    contact = not_kept_phone(live)
    live.ghl.clear_faults()
    live.edit_in_ghl(contact, phone="+493087654321")
    live.run()
    assert (live.statuses(), live.issues()) == (["in_sync"], [])


def test_other_changes_still_go_both_ways(live: Live) -> None:
    contact = not_kept_phone(live)
    live.edit_in_ghl(contact, firstName="Grete")
    live.edit_in_central(contact, name="Hopper-Murray")
    live.run()
    assert live.in_central(contact).fields["first name"] == "Grete"
    assert live.in_ghl(contact).fields["last name"] == "Hopper-Murray"


@pytest.mark.parametrize("side", ["ghl", "central"])
def test_a_note_that_is_not_kept_is_failed_and_stays_where_it_was_written(live: Live, ada: Contact, side: str) -> None:
    note_not_kept(live, ada, side)
    live.run()
    live.run(full=True)
    ada.refresh_from_db()
    assert (ada.status, "note" in ada.reason) == ("failed", True)
    assert sorted([len(live.in_ghl(ada).notes), len(live.in_central(ada).notes)]) == [0, 1]


@pytest.mark.parametrize("side", ["ghl", "central"])
def test_a_note_that_was_not_kept_is_created_after_retry(live: Live, ada: Contact, side: str) -> None:
    note_not_kept(live, ada, side)
    live.run()
    live.clear_faults()
    live.retry()
    assert live.in_ghl(ada).notes == live.in_central(ada).notes == [(None, "She rang.")]
    assert live.statuses() == ["in_sync"]


def test_a_note_that_a_first_sync_created_in_vain_is_not_taken_for_deleted(live: Live) -> None:
    ghl_id = live.ghl.add_contact(**ADA)
    live.ghl.add_note(ghl_id, "She rang.")
    live.central.fault("not_kept", path="/protocols")
    live.run()
    live.run(full=True)
    assert len(live.in_ghl(live.contact()).notes) == 1


def test_a_tag_that_is_not_kept_is_failed_and_named(live: Live, ada: Contact) -> None:
    live.ghl.fault("not_kept", path="/tags$")
    live.central.add_tags(str(ada.centralstation_id), "vip")
    live.run()
    live.run(full=True)
    ada.refresh_from_db()
    assert (ada.status, "vip" in ada.reason) == ("failed", True)


def note_not_kept(live: Live, contact: Contact, side: str) -> None:
    """A new note, and the other CRM forgets it. `side` is the one that forgets."""
    if side == "ghl":
        live.ghl.fault("not_kept", method="POST", path="/notes$")
        live.central.add_note(str(contact.centralstation_id), "She rang.", format="plaintext")
    else:
        live.central.fault("not_kept", method="POST", path="/protocols")
        live.ghl.add_note(str(contact.ghl_id), "She rang.")
        live.sync.contacts.mark_dirty(Aspect.NOTES, timezone.now())  # a poll can't see GHL's notes


def not_kept_phone(live: Live) -> Contact:
    """Grace, whose phone GHL drops in silence."""
    live.ghl.fault("field_dropped", field="phone")
    live.central.add_contact(**GRACE)
    live.run()
    assert live.statuses() == ["failed"]
    return live.contact()
