"""Notes and tasks: created, edited, completed and deleted on either side, and never doubled."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crmsync.models import Contact
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from tests.sync.kit import ADA, Live

TEXT = "She rang back.\nAll is well."


def ids(contact: Contact) -> tuple[str, str]:
    return str(contact.ghl_id), str(contact.centralstation_id)


# Created


def test_a_note_of_ghl_becomes_a_note_of_centralstation(live: Live, ada: Contact) -> None:
    live.ghl.add_note(ids(ada)[0], TEXT, title="Call")
    live.run(full=True)
    assert live.in_central(ada).notes == live.in_ghl(ada).notes == [("Call", TEXT)]


def test_a_note_of_centralstation_becomes_a_note_of_ghl(live: Live, ada: Contact) -> None:
    live.central.add_note(ids(ada)[1], TEXT, name="Call", format="plaintext")
    live.run()
    assert live.in_ghl(ada).notes == live.in_central(ada).notes == [("Call", TEXT)]


def test_a_task_of_ghl_becomes_a_task_of_centralstation(live: Live, ada: Contact) -> None:
    live.ghl.add_task(ids(ada)[0], "Send the offer", dueDate="2026-12-01T09:00:00Z")
    live.run()
    assert live.in_central(ada).tasks == [("Send the offer", False)]
    assert live.statuses() == ["in_sync"]


def test_a_task_of_centralstation_becomes_a_task_of_ghl(live: Live, ada: Contact) -> None:
    live.central.add_task(ids(ada)[1], "Anrufen", precise_time="2026-12-02T09:00:00")
    live.run()
    assert live.in_ghl(ada).tasks == [("Anrufen", False)]
    assert live.statuses() == ["in_sync"]


def test_notes_and_tasks_come_along_when_a_contact_is_created(live: Live) -> None:
    ghl_id = live.ghl.add_contact(**ADA)
    live.ghl.add_note(ghl_id, TEXT, title="Call")
    live.ghl.add_task(ghl_id, "Send the offer")
    live.run()
    there = live.in_central(live.contact())
    assert (there.notes, there.tasks) == ([("Call", TEXT)], [("Send the offer", False)])
    assert live.statuses() == ["in_sync"]


def test_a_task_that_is_done_already_is_created_done(live: Live, ada: Contact) -> None:
    live.ghl.add_task(ids(ada)[0], "Send the offer", completed=True)
    live.run(full=True)
    assert live.in_central(ada).tasks == [("Send the offer", True)]


def test_items_with_the_same_content_are_adopted_not_doubled(live: Live) -> None:
    ghl_id = live.ghl.add_contact(**ADA)
    central_id = live.central.add_contact(first_name="Ada", name="Lovelace", emails=["ada@example.org"])
    live.ghl.add_note(ghl_id, "<p>She rang back.</p><p>All is well.</p>")
    live.central.add_note(central_id, TEXT, format="plaintext")
    live.ghl.add_task(ghl_id, "Send the offer", dueDate="2026-12-01T09:00:00Z")
    live.central.add_task(central_id, "Send the offer", precise_time="2026-12-01T10:00:00")
    live.run()
    contact = live.contact()
    assert [len(side.notes) + len(side.tasks) for side in (live.in_ghl(contact), live.in_central(contact))] == [2, 2]
    assert live.statuses() == ["in_sync"]


# Edited


def test_a_note_edited_in_ghl_is_edited_in_centralstation(live: Live, ada: Contact) -> None:
    note_id = live.ghl.add_note(ids(ada)[0], TEXT, title="Call")
    live.run(full=True)
    live.ghl.edit_note(ids(ada)[0], note_id, body="She did not.")
    live.run(full=True)
    assert live.in_central(ada).notes == [("Call", "She did not.")]


def test_a_note_edited_in_centralstation_is_edited_in_ghl(live: Live, ada: Contact) -> None:
    note_id = live.central.add_note(ids(ada)[1], TEXT, name="Call", format="plaintext")
    live.run()
    live.central.edit_note(note_id, content="She did not.", name="No call")
    live.run()
    assert live.in_ghl(ada).notes == [("No call", "She did not.")]


def test_a_task_edited_and_done_in_ghl_is_so_in_centralstation(live: Live, ada: Contact) -> None:
    task_id = live.ghl.add_task(ids(ada)[0], "Send the offer")
    live.run()
    live.ghl.edit_task(ids(ada)[0], task_id, title="Send the contract", completed=True)
    live.run()
    assert live.in_central(ada).tasks == [("Send the contract", True)]
    assert live.statuses() == ["in_sync"]


def test_a_task_edited_and_done_in_centralstation_is_so_in_ghl(live: Live, ada: Contact) -> None:
    task_id = live.central.add_task(ids(ada)[1], "Anrufen", precise_time="2026-12-02T09:00:00")
    live.run()
    live.central.edit_task(task_id, name="Besuchen", finished=True)
    live.run()
    assert live.in_ghl(ada).tasks == [("Besuchen", True)]


def test_a_task_done_by_mistake_can_be_opened_again(live: Live, ada: Contact) -> None:
    task_id = live.central.add_task(ids(ada)[1], "Anrufen", precise_time="2026-12-02T09:00:00", finished=True)
    live.run()
    live.central.edit_task(task_id, finished=False)
    live.run()
    assert live.in_ghl(ada).tasks == [("Anrufen", False)]


def test_another_due_date_reaches_the_other_side(live: Live, ada: Contact) -> None:
    task_id = live.ghl.add_task(ids(ada)[0], "Send the offer", dueDate="2026-12-01T09:00:00Z")
    live.run()
    live.ghl.edit_task(ids(ada)[0], task_id, dueDate="2026-12-24T09:00:00Z")
    live.run()
    assert live.central.tasks_of(ids(ada)[1])[0]["precise_time"].date().isoformat() == "2026-12-24"


@pytest.mark.parametrize("text", ["<p>One</p><p>Two<br>Three</p>", "One\n\nTwo & <three>\n- four"])
def test_a_note_survives_round_trips_without_growing(live: Live, ada: Contact, text: str) -> None:
    live.ghl.add_note(ids(ada)[0], text)
    live.run(full=True)
    live.central.add_note(ids(ada)[1], text, format="plaintext" if "<p>" not in text else "html")
    live.run(full=True)
    before = (live.ghl.notes_of(ids(ada)[0]), live.central.notes_of(ids(ada)[1]))
    for full in (False, True, True):
        live.run(full=full)
    assert (live.ghl.notes_of(ids(ada)[0]), live.central.notes_of(ids(ada)[1])) == before
    assert live.statuses() == ["in_sync"]


# Deleted


@pytest.fixture
def paired(live: Live, ada: Contact) -> tuple[str, str]:
    """Ada's note and task, on both sides: their ids in GHL."""
    note_id = live.ghl.add_note(ids(ada)[0], TEXT, title="Call")
    task_id = live.ghl.add_task(ids(ada)[0], "Send the offer")
    live.run(full=True)
    assert (len(live.in_central(ada).notes), len(live.in_central(ada).tasks)) == (1, 1)
    return note_id, task_id


def test_what_is_deleted_in_ghl_is_deleted_in_centralstation(live: Live, ada: Contact, paired: tuple[str, str]) -> None:
    live.ghl.delete_note(ids(ada)[0], paired[0])
    live.ghl.delete_task(ids(ada)[0], paired[1])
    live.run(full=True)
    assert (live.in_central(ada).notes, live.in_central(ada).tasks) == ([], [])
    assert live.statuses() == ["in_sync"]


def test_a_task_deleted_in_ghl_is_found_by_a_poll(live: Live, ada: Contact, paired: tuple[str, str]) -> None:
    live.ghl.delete_task(ids(ada)[0], paired[1])
    live.run()
    assert live.in_central(ada).tasks == []


def test_what_is_deleted_in_centralstation_is_deleted_in_ghl(live: Live, ada: Contact, paired: tuple[str, str]) -> None:
    live.central.delete_note(live.central.notes_of(ids(ada)[1])[0]["id"])
    live.central.delete_task(live.central.tasks_of(ids(ada)[1])[0]["id"])
    live.run(full=True)
    assert (live.in_ghl(ada).notes, live.in_ghl(ada).tasks) == ([], [])
    assert live.statuses() == ["in_sync"]


def test_a_note_deleted_here_and_changed_there_is_kept(live: Live, ada: Contact, paired: tuple[str, str]) -> None:
    live.ghl.delete_note(ids(ada)[0], paired[0])
    live.central.edit_note(live.central.notes_of(ids(ada)[1])[0]["id"], content="Wait: she rang again.")
    live.run(full=True)
    assert live.in_ghl(ada).notes == live.in_central(ada).notes == [("Call", "Wait: she rang again.")]


def test_a_task_deleted_there_and_done_here_is_kept(live: Live, ada: Contact, paired: tuple[str, str]) -> None:
    live.central.delete_task(live.central.tasks_of(ids(ada)[1])[0]["id"])
    live.ghl.edit_task(ids(ada)[0], paired[1], completed=True)
    live.run(full=True)
    assert live.in_ghl(ada).tasks == live.in_central(ada).tasks == [("Send the offer", True)]


def test_a_note_missing_from_a_list_is_asked_for_before_it_is_believed_deleted(live: Live, ada: Contact, paired: tuple[str, str]) -> None:
    live.ghl.fault("canned", method="GET", path="/contacts/[^/]+/notes$", body={"notes": []})
    with live.nothing_written():
        live.run(full=True)
    assert len(live.in_central(ada).notes) == 1
    assert live.statuses() == ["in_sync"]


def test_a_note_of_two_people_only_loses_the_one(live: Live, ada: Contact) -> None:
    other = live.central.add_contact(first_name="Grace", name="Hopper", emails=["grace@example.org"])
    note = live.central.add_note(ids(ada)[1], TEXT, format="plaintext", person_ids=[int(ids(ada)[1]), other])
    live.run(full=True)
    live.ghl.delete_note(ids(ada)[0], live.ghl.notes_of(ids(ada)[0])[0]["id"])
    live.run(full=True)
    assert live.central.row("protocols", int(note))["person_ids"] == [other]
    assert live.statuses() == ["in_sync", "in_sync"]


# Settings


def test_aspects_that_are_switched_off_are_left_alone(
    join: Callable[..., Live], ghl_sandbox: Ghl, centralstation_sandbox: CentralStation
) -> None:
    live = join(ghl_sandbox, centralstation_sandbox, sync_notes=False, sync_tasks=False, sync_tags=False)
    ghl_id = live.ghl.add_contact(**ADA, tags=["kunde"])
    live.ghl.add_note(ghl_id, TEXT)
    live.ghl.add_task(ghl_id, "Send the offer")
    live.run()
    live.run(full=True)
    there = live.in_central(live.contact())
    assert (there.tags, there.notes, there.tasks) == ([], [], [])
    assert live.statuses() == ["in_sync"]
