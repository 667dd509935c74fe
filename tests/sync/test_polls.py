"""What a poll finds, by which way; and that its cursor never passes what it hasn't taken in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from crmsync.engine.records import ItemKind, Side
from crmsync.models import Cause, Contact, Run, RunKind, RunStatus, Sync
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sync import actions, intake, runs
from crmsync.sync.drain import drain
from crmsync.sync.session import open_session
from tests.sync.kit import ADA, GRACE, Live


def test_a_new_contact_is_found(live: Live, ada: Contact) -> None:
    live.central.add_contact(**GRACE)
    assert live.run().kind == RunKind.POLL
    assert live.counts() == (2, 2)


def test_a_change_that_the_list_shows_late_is_found_by_the_overlap(live: Live, ada: Contact) -> None:
    """GHL's index lags: the change is older than the cursor when it shows."""
    live.edit_in_ghl(ada, firstName="Augusta")
    live.ghl.hidden.add(str(ada.ghl_id))
    live.central.add_contact(**GRACE)
    live.run()
    live.ghl.hidden.clear()
    live.run()
    assert live.in_central(ada).fields["first name"] == "Augusta"


def test_a_change_made_while_the_first_sync_ran_is_found(live: Live, ada: Contact) -> None:
    cursors = Sync.objects.get().cursors
    assert set(cursors) == {"ghl", "centralstation"}
    assert all(datetime.fromisoformat(at) <= ada.created_at for at in cursors.values())


@pytest.mark.parametrize("side", [Side.GHL, Side.CENTRALSTATION])
def test_a_cursor_stays_when_the_list_could_not_be_read_to_the_end(live: Live, ada: Contact, side: Side) -> None:
    live.run()
    live.sync.refresh_from_db()
    before = live.sync.cursors[side]
    crm = live.ghl if side is Side.GHL else live.central
    crm.fault("server_error", path="/contacts/search$" if side is Side.GHL else "/people$")
    assert live.run().status == RunStatus.FAILED
    live.sync.refresh_from_db()
    assert live.sync.cursors[side] == before


def test_a_contact_that_failed_is_not_lost_when_the_cursor_moves_on(live: Live, ada: Contact) -> None:
    live.ghl.fault("server_error", method="PUT")
    live.edit_in_central(ada, first_name="Augusta")
    live.run()
    Sync.objects.update(cursors={side: (timezone.now() + timedelta(days=1)).isoformat() for side in Side})
    live.clear_faults()
    live.later()
    assert live.in_ghl(ada).fields["first name"] == "Augusta"


def test_a_poll_of_an_idle_sync_asks_little_and_writes_nothing(live: Live, ada: Contact) -> None:
    live.run()
    before = len(live.ghl.calls()) + len(live.central.calls())
    with live.nothing_written():
        live.run()
    assert len(live.ghl.calls()) + len(live.central.calls()) - before <= 14


def test_a_task_edited_in_ghl_is_found_by_task_search(live: Live, ada: Contact) -> None:
    task_id = live.ghl.add_task(str(ada.ghl_id), "Send the offer")
    live.run()
    live.ghl.edit_task(str(ada.ghl_id), task_id, title="Send the contract")
    live.run()
    assert live.in_central(ada).tasks == [("Send the contract", False)]


def test_a_note_edited_in_ghl_is_found_by_a_full_comparison_only(live: Live, ada: Contact) -> None:
    note_id = live.ghl.add_note(str(ada.ghl_id), "She rang.")
    live.run(full=True)
    forget_recent_writes(live)
    live.ghl.edit_note(str(ada.ghl_id), note_id, body="She did not.")
    live.run(full=True)
    assert [text for _, text in live.in_central(ada).notes] == ["She did not."]


def test_a_note_edited_in_centralstation_is_found_by_a_poll(live: Live, ada: Contact) -> None:
    note_id = live.central.add_note(str(ada.centralstation_id), "She rang.", format="plaintext")
    live.run()
    forget_recent_writes(live)
    live.central.edit_note(note_id, content="She did not.")
    live.run()
    assert live.in_ghl(ada).notes == [(None, "She did not.")]


def test_a_list_of_notes_older_than_our_last_write_is_not_believed(live: Live, ada: Contact) -> None:
    """A full comparison lists all notes, then all people; a poll beside it deletes a note in between."""
    note = live.ghl.add_note(str(ada.ghl_id), "Old")
    live.run(full=True)
    run = runs.begin(live.sync, RunKind.FULL)
    Run.objects.update(heartbeat_at=timezone.now() + timedelta(minutes=1))  # in another process's hands
    with open_session(live.sync, Cause.FULL, run=run, is_bulk=True) as session:
        central = session.systems[Side.CENTRALSTATION]
        run.progress = {"began": timezone.now().isoformat(), "centralstation.note": {"done": True}}
        listed, read_at = central.item_page(ItemKind.NOTE).items, timezone.now()
        live.ghl.delete_note(str(ada.ghl_id), note)
        actions.sync_now(ada)
        live.work()
        intake.keep_items(live.sync, Side.CENTRALSTATION, ItemKind.NOTE, listed, read_at=read_at)
        intake.take_in(session, central.page().records, read_at=timezone.now(), keep_copies=True)
        actions.sync_now(ada)
        drain(session)
    assert (live.in_ghl(ada).notes, live.in_central(ada).notes) == ([], [])


def test_a_contact_that_no_list_of_changes_told_of_is_found_by_the_total(live: Live, ada: Contact) -> None:
    long_ago = timezone.now() - timedelta(days=30)
    live.central.add_contact(**GRACE, created_at=long_ago)
    live.run()
    assert live.counts() == (2, 2)


def test_a_job_polls_when_it_is_time(live: Live, ada: Contact) -> None:
    live.edit_in_ghl(ada, firstName="Augusta")
    Sync.objects.update(poll_due_at=timezone.now())
    live.work()
    live.sync.refresh_from_db()
    assert live.in_central(ada).fields["first name"] == "Augusta"
    assert live.sync.poll_due_at is not None
    assert live.sync.poll_due_at > timezone.now()


def test_what_happened_during_a_pause_is_caught_up(live: Live, ada: Contact) -> None:
    actions.pause(live.sync)
    live.edit_in_ghl(ada, firstName="Augusta")
    actions.resume(live.sync)
    live.work()
    assert live.in_central(ada).fields["first name"] == "Augusta"


def test_an_event_for_a_contact_that_is_being_created_makes_no_second_row(live: Live) -> None:
    """The echo of our own create comes in by a poll before its answer is stored: the answer was lost."""
    live.central.add_contact(**GRACE)
    live.ghl.fault("answer_lost", method="POST", path="/contacts$")
    live.run()
    live.clear_faults()
    live.run()
    live.later()
    assert (live.counts(), live.statuses()) == ((1, 1), ["in_sync"])


def forget_recent_writes(live: Live) -> None:
    """As if our last write were long past, and its stamps settled."""
    live.sync.contacts.update(written_at=timezone.now() - timedelta(hours=1))


def test_a_list_with_names_in_small_letters_makes_nobody_dirty(
    join: Callable[..., Live], serve_ghl: Callable[..., Ghl], centralstation_sandbox: CentralStation
) -> None:
    live = join(serve_ghl(raw_names_in_lists=False), centralstation_sandbox)
    live.ghl.add_contact(**ADA)
    live.run()
    Contact.objects.update(ghl_updated_at=timezone.now(), centralstation_updated_at=timezone.now())
    before = len(live.ghl.calls())
    live.run()
    assert "get-contact" not in [call.operation for call in live.ghl.calls()[before:]]


def test_the_cursor_of_a_side_without_anybody_is_not_by_our_clock(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.run()
    assert Sync.objects.get().cursors["centralstation"] < "2001"


def test_the_cursor_does_not_follow_a_record_dated_far_ahead(live: Live, ada: Contact) -> None:
    live.ghl.add_contact(firstName="Grace", lastName="Hopper", email="grace@example.org")
    grace = next(one for one in live.ghl.contacts.values() if one["email"] == "grace@example.org")
    grace["dateUpdated"] = timezone.now() + timedelta(days=5)
    live.ghl.show_all()
    live.run()
    assert datetime.fromisoformat(Sync.objects.get().cursors["ghl"]) <= timezone.now()
