"""A contact deleted on one side waits for a person; what is only missing from a list isn't deleted."""

from __future__ import annotations

from typing import Any

import pytest

from crmsync.models import Contact
from crmsync.sync import actions
from crmsync.sync.actions import ActionError
from tests.sync.kit import GRACE, Live


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("side", ["ghl", "centralstation"])
def test_a_contact_deleted_on_one_side_is_quarantined_and_kept_on_the_other(live: Live, ada: Contact, side: str, full: bool) -> None:
    delete_on(live, ada, side)
    with live.nothing_written():
        live.run(full=full)
    ada.refresh_from_db()
    assert (ada.status, ada.missing_on) == ("quarantined", side)
    assert "Deleted in" in ada.reason
    assert sum(live.counts()) == 1


def test_it_stays_quarantined_until_a_person_decides(live: Live, ada: Contact) -> None:
    quarantined(live, ada)
    with live.nothing_written():
        live.run()
        live.run(full=True)
        live.later()
    assert live.statuses() == ["quarantined"]


def test_a_change_on_the_side_that_is_left_does_not_bring_it_back(live: Live, ada: Contact) -> None:
    quarantined(live, ada)
    live.edit_in_central(ada, first_name="Augusta")
    with live.nothing_written():
        live.run()
    assert live.statuses() == ["quarantined"]


def test_delete_there_too(live: Live, ada: Contact) -> None:
    quarantined(live, ada)
    actions.delete_there_too(ada)
    live.run()
    assert (live.counts(), live.statuses()) == ((0, 0), [])


def test_delete_there_too_says_why_it_cannot_and_keeps_the_contact(live: Live, ada: Contact) -> None:
    quarantined(live, ada)
    live.central.fault("scope_missing", method="DELETE")
    with pytest.raises(ActionError):
        actions.delete_there_too(ada)
    assert live.statuses() == ["quarantined"]


def test_keep_and_unlink(live: Live, ada: Contact) -> None:
    quarantined(live, ada)
    actions.unlink(ada)
    live.run()
    live.run(full=True)
    ada.refresh_from_db()
    assert (live.counts(), ada.status, ada.ghl_id) == ((0, 1), "excluded", None)


@pytest.mark.parametrize("side", ["ghl", "centralstation"])
def test_restore_there_with_notes_and_tasks(live: Live, ada: Contact, side: str) -> None:
    live.ghl.add_note(str(ada.ghl_id), "She rang.")
    live.ghl.add_task(str(ada.ghl_id), "Send the offer")
    live.run(full=True)
    delete_on(live, ada, side)
    live.run()
    ada.refresh_from_db()
    actions.restore_there(ada)
    live.work()
    assert live.counts() == (1, 1)
    assert live.in_ghl(ada) == live.in_central(ada)
    assert (live.in_ghl(ada).notes, live.statuses()) == ([(None, "She rang.")], ["in_sync"])


def test_quarantine_ends_by_itself_when_the_record_is_seen_again(live: Live, ada: Contact) -> None:
    live.ghl.fault("canned", path=f"/contacts/{ada.ghl_id}$", method="GET", status=404, body={"message": "Contact not found"})
    live.edit_in_central(ada, first_name="Augusta")
    live.run()
    assert live.statuses() == ["quarantined"]
    live.ghl.clear_faults()
    live.run(full=True)
    assert live.statuses() == ["in_sync"]
    assert live.in_ghl(ada).fields["first name"] == "Augusta"


@pytest.mark.parametrize("full", [False, True])
def test_a_contact_that_only_a_list_lacks_is_not_quarantined(live: Live, ada: Contact, full: bool) -> None:
    live.ghl.hidden.add(str(ada.ghl_id))
    live.central.hidden.add(str(ada.centralstation_id))
    with live.nothing_written():
        live.run(full=full)
    assert live.statuses() == ["in_sync"]


def test_a_contact_gone_on_both_sides_is_forgotten(live: Live, ada: Contact) -> None:
    delete_on(live, ada, "ghl")
    delete_on(live, ada, "centralstation")
    live.run()
    assert live.statuses() == []


def test_a_poll_finds_deletions_by_the_total_that_fell(live: Live) -> None:
    kept = [live.ghl.add_contact(firstName=f"Person {n}", email=f"p{n}@example.org") for n in range(3)]
    live.run()
    live.ghl.delete_contact(kept[0])
    live.run()
    assert live.statuses() == ["in_sync", "in_sync", "quarantined"]


def test_a_deletion_made_up_by_a_new_contact_is_found_by_a_full_comparison(live: Live, ada: Contact) -> None:
    live.ghl.delete_contact(str(ada.ghl_id))
    live.central.add_contact(**GRACE)
    live.run()
    live.run(full=True)
    ada.refresh_from_db()
    assert ada.status == "quarantined"


@pytest.mark.parametrize("action", [actions.delete_there_too, actions.unlink, actions.restore_there])
def test_only_a_quarantined_contact_can_be_decided(live: Live, ada: Contact, action: Any) -> None:
    with pytest.raises(ActionError, match="isn't quarantined"):
        action(ada)


def delete_on(live: Live, contact: Contact, side: str) -> None:
    if side == "ghl":
        live.ghl.delete_contact(str(contact.ghl_id))
    else:
        live.central.delete_contact(str(contact.centralstation_id))


def quarantined(live: Live, contact: Contact) -> None:
    """Deleted in GHL, and found to be."""
    delete_on(live, contact, "ghl")
    live.run()
    contact.refresh_from_db()
    assert contact.status == "quarantined"
