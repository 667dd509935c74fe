"""Undo: previous values go back where the current one is still ours; what isn't is listed, not forced."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crmsync.engine.records import Side
from crmsync.models import Cause, Change, Contact, NotUndone, Result, Run, RunStatus, Status
from crmsync.sync import actions, runs, undoing
from crmsync.sync.actions import ActionError
from crmsync.sync.undo import expected
from tests.sync.kit import ADA, GRACE, Live

TEXT = "She rang back."


def undo(live: Live, kind: str, pk: int) -> Run:
    return runs.work_on(actions.undo(live.sync, kind, pk))


def newest(contact: Contact) -> Change:
    return contact.changes.order_by("-id")[0]


def cities(live: Live, contact: Contact) -> tuple[str | None, str | None]:
    return live.in_ghl(contact).fields["city"], live.in_central(contact).fields["city"]


def moved(live: Live, ada: Contact, *cities: str) -> Change:
    """Ada's city is edited in GHL and carried over."""
    for city in cities:
        live.edit_in_ghl(ada, city=city)
        live.run(full=True)
    return newest(ada)


def not_undone(run: Run) -> list[tuple[str, str]]:
    return list(NotUndone.objects.filter(run=run).values_list("name", "why"))


def test_a_change_undone_goes_back_on_both_sides(live: Live, ada: Contact) -> None:
    change = moved(live, ada, "Bonn", "Bremen")
    run = undo(live, "change", change.pk)
    assert (run.status, cities(live, ada)) == (RunStatus.DONE, ("Bonn", "Bonn"))


def test_what_was_undone_is_not_brought_right_back(live: Live, ada: Contact) -> None:
    undo(live, "change", moved(live, ada, "Bonn", "Bremen").pk)
    with live.nothing_written():
        live.run(full=True)
    assert (cities(live, ada), live.statuses()) == (("Bonn", "Bonn"), ["in_sync"])


def test_an_undo_is_a_persons_doing_and_verified(live: Live, ada: Contact) -> None:
    undo(live, "change", moved(live, ada, "Bonn", "Bremen").pk)
    told = set(ada.changes.filter(cause=Cause.UNDO).values_list("side", "result"))
    assert told == {("centralstation", Result.VERIFIED), ("ghl", Result.VERIFIED)}


def test_an_undo_can_be_undone(live: Live, ada: Contact) -> None:
    undo(live, "change", moved(live, ada, "Bonn", "Bremen").pk)
    undone = ada.changes.filter(cause=Cause.UNDO).order_by("id")[0]
    undo(live, "change", undone.pk)
    assert cities(live, ada) == ("Bremen", "Bremen")


def test_a_value_that_changed_since_is_left_and_listed(live: Live, ada: Contact) -> None:
    change = moved(live, ada, "Bonn", "Bremen")
    live.edit_in_central(ada, addrs_attributes=[{"id": address_id(live, ada), "city": "Kiel"}])
    run = undo(live, "change", change.pk)
    live.run(full=True)
    assert cities(live, ada) == ("Kiel", "Kiel")
    assert not_undone(run) == [("city", "It was changed in CentralStationCRM since crmsync wrote it.")]


def address_id(live: Live, contact: Contact) -> int:
    rows: Any = (live.central.contact(str(contact.centralstation_id)) or {})["addrs"]
    return int(rows[0]["id"])


def test_a_later_change_of_ours_is_not_undone_along(live: Live, ada: Contact) -> None:
    first = moved(live, ada, "Bonn", "Bremen")
    moved(live, ada, "Kiel")
    run = undo(live, "change", first.pk)
    assert cities(live, ada) == ("Kiel", "Kiel")
    assert not_undone(run) == [("city", "It was changed again after crmsync wrote it.")]


def test_a_run_undone_takes_back_what_it_wrote(live: Live, ada: Contact) -> None:
    moved(live, ada, "Bonn")
    live.edit_in_ghl(ada, city="Bremen", firstName="Augusta")
    run = live.run(full=True)
    undo(live, "run", run.pk)
    there = live.in_central(ada).fields
    assert (there["city"], there["first name"], live.in_ghl(ada).fields["first name"]) == ("Bonn", "Ada", "Ada")


def test_what_the_other_side_had_all_along_stays_there(live: Live) -> None:
    live.ghl.add_contact(**ADA, city="Bonn")
    live.central.add_contact(first_name="Ada", name="Lovelace", emails=["ada@example.org"])
    run = live.run()
    undo(live, "run", run.pk)
    contact = live.contact()
    assert cities(live, contact) == ("Bonn", None)
    assert live.in_ghl(contact).fields["phone"] == ADA["phone"]
    assert live.statuses() == ["in_sync"]


def test_a_tag_added_is_removed_on_both_sides(live: Live, ada: Contact) -> None:
    live.ghl.add_tags(str(ada.ghl_id), "vip")
    live.run(full=True)
    undo(live, "change", newest(ada).pk)
    assert (live.in_ghl(ada).tags, live.in_central(ada).tags) == ([], [])


def test_a_created_note_is_deleted_and_its_original_stays(live: Live, ada: Contact) -> None:
    live.central.add_note(str(ada.centralstation_id), TEXT, format="plaintext")
    live.run(full=True)
    undo(live, "change", newest(ada).pk)
    live.run(full=True)
    assert [len(side.notes) for side in (live.in_ghl(ada), live.in_central(ada))] == [0, 1]
    assert live.statuses() == ["in_sync"]


def test_a_created_note_that_was_edited_is_left(live: Live, ada: Contact) -> None:
    live.central.add_note(str(ada.centralstation_id), TEXT, format="plaintext")
    live.run(full=True)
    change = newest(ada)
    live.ghl.edit_note(str(ada.ghl_id), str(ada.items.get().ghl_id), body="She did not.")
    run = undo(live, "change", change.pk)
    assert [name for name, _ in not_undone(run)] == ["note or task"]
    assert len(live.in_ghl(ada).notes) == 1


def test_an_edited_note_gets_its_text_back_on_both_sides(live: Live, ada: Contact) -> None:
    note_id = live.ghl.add_note(str(ada.ghl_id), TEXT)
    live.run(full=True)
    live.ghl.edit_note(str(ada.ghl_id), note_id, body="She did not.")
    live.run(full=True)
    undo(live, "change", newest(ada).pk)
    assert [text for _, text in live.in_ghl(ada).notes + live.in_central(ada).notes] == [TEXT, TEXT]


def test_a_deleted_note_is_created_again_on_both_sides(live: Live, ada: Contact) -> None:
    note_id = live.ghl.add_note(str(ada.ghl_id), TEXT)
    live.run(full=True)
    live.ghl.delete_note(str(ada.ghl_id), note_id)
    live.run(full=True)
    undo(live, "change", newest(ada).pk)
    live.run(full=True)
    assert [[text for _, text in side.notes] for side in (live.in_ghl(ada), live.in_central(ada))] == [[TEXT], [TEXT]]
    assert live.statuses() == ["in_sync"]


def test_a_copy_that_was_undone_can_be_brought_back_without_doubling(live: Live, ada: Contact) -> None:
    live.central.add_note(str(ada.centralstation_id), TEXT, format="plaintext")
    live.run(full=True)
    undo(live, "change", newest(ada).pk)
    undo(live, "change", newest(ada).pk)
    live.run(full=True)
    assert [[text for _, text in side.notes] for side in (live.in_ghl(ada), live.in_central(ada))] == [[TEXT], [TEXT]]
    assert live.statuses() == ["in_sync"]


def test_a_created_contact_is_deleted_and_not_created_again(live: Live, ada: Contact) -> None:
    undo(live, "contact", ada.pk)
    live.run(full=True)
    contact = live.contact()
    assert (live.counts(), contact.status, contact.centralstation_id) == ((1, 0), Status.EXCLUDED, None)


def test_a_created_contact_with_a_note_of_its_own_stays(live: Live, ada: Contact) -> None:
    live.central.add_note(str(ada.centralstation_id), TEXT, format="plaintext")
    run = undo(live, "contact", ada.pk)
    assert live.counts() == (1, 1)
    assert not_undone(run) == [("contact", "It has notes or tasks of its own there by now.")]


def test_a_first_sync_undone_deletes_on_both_sides_what_it_created(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.add_contact(**GRACE)
    run = undo(live, "run", live.run().pk)
    assert live.counts() == (1, 1)
    assert (run.progress["done"], run.progress["total"]) == (2, 2)


def test_an_undo_is_taken_up_where_it_was(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.add_contact(**GRACE)
    run = actions.undo(live.sync, "run", live.run().pk)
    assert runs.work_on(run, until=0.0).status == RunStatus.RUNNING
    assert runs.work_on(run, until=None).status == RunStatus.DONE
    assert live.counts() == (1, 1)


def test_a_contact_deleted_meanwhile_is_listed(live: Live, ada: Contact) -> None:
    change = moved(live, ada, "Bonn")
    live.central.delete_contact(str(ada.centralstation_id))
    run = undo(live, "change", change.pk)
    assert not_undone(run) == [("contact", "It was deleted there.")]


def test_a_contact_in_other_hands_is_listed_and_the_undo_goes_on(live: Live, ada: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undoing, "CLAIM_TRIES", 1)
    monkeypatch.setattr(undoing, "CLAIM_PAUSE_S", 0.0)
    change = moved(live, ada, "Bonn")
    Contact.objects.update(lease_token="another", lease_until=timezone.now() + timedelta(seconds=60))
    run = undo(live, "change", change.pk)
    assert run.status == RunStatus.DONE
    assert not_undone(run) == [("contact", "It was being worked on all the time: undo it again.")]


def test_nothing_written_is_nothing_to_undo(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.add_contact(first_name="Ada", name="Lovelace", emails=["ada@example.org"], tels=[ADA["phone"]])
    live.run()
    with pytest.raises(ActionError):
        actions.undo(live.sync, "contact", live.contact().pk)


def test_the_undo_of_a_side_is_planned_without_asking_a_crm(live: Live, ada: Contact) -> None:
    change = moved(live, ada, "Bonn", "Bremen")
    calls = len(live.ghl.calls()) + len(live.central.calls())
    planned = expected(live.contact(), [change])
    assert [(write.side, write.after) for write in planned.writes] == [(Side.CENTRALSTATION, {"city": "Bonn"})]
    assert len(live.ghl.calls()) + len(live.central.calls()) == calls
