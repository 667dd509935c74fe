"""What a person may press, besides decisions about conflicts, reviews and deletions."""

from __future__ import annotations

import pytest

from crmsync import jobs
from crmsync.models import Contact, Mode, RunKind, RunStatus, Status, Sync
from crmsync.sync import actions, reports
from crmsync.sync.actions import ActionError
from tests.sync.kit import ADA, Live


@pytest.mark.parametrize(("mode", "word"), [(Mode.PAUSED, "paused"), (Mode.DRAFT, "draft")])
def test_a_sync_that_is_not_live_cannot_be_run(live: Live, mode: Mode, word: str) -> None:
    Sync.objects.update(mode=mode)
    live.sync.refresh_from_db()
    with pytest.raises(ActionError, match=word):
        actions.start_run(live.sync)


@pytest.mark.parametrize("mode", [Mode.PAUSED, Mode.DRAFT])
def test_a_sync_that_is_not_live_is_left_alone_by_jobs(live: Live, ada: Contact, mode: Mode) -> None:
    Sync.objects.update(mode=mode)
    live.sync.contacts.mark_dirty(15, ada.created_at)  # type: ignore[arg-type]
    assert jobs.due_syncs(ada.updated_at) == []


def test_a_run_that_is_under_way_is_joined_not_doubled(live: Live) -> None:
    assert actions.start_run(live.sync).pk == actions.start_run(live.sync).pk


def test_the_first_run_is_the_first_sync_even_where_all_is_asked_for(live: Live) -> None:
    assert actions.start_run(live.sync, full=True).kind == RunKind.FIRST_SYNC


def test_an_excluded_contact_is_left_alone_and_says_why(live: Live, ada: Contact) -> None:
    actions.exclude(ada, "Competitor")
    live.edit_in_ghl(ada, firstName="Augusta")
    with live.nothing_written():
        live.run()
        live.run(full=True)
    ada.refresh_from_db()
    assert (ada.status, "Competitor" in ada.reason) == ("excluded", True)


def test_an_excluded_contact_is_caught_up_when_it_is_included_again(live: Live, ada: Contact) -> None:
    actions.exclude(ada, "Competitor")
    live.edit_in_ghl(ada, firstName="Augusta")
    live.run()
    actions.include(ada)
    live.work()
    assert live.in_central(ada).fields["first name"] == "Augusta"
    assert live.statuses() == ["in_sync"]


def test_excluding_wants_a_reason(live: Live, ada: Contact) -> None:
    with pytest.raises(ActionError, match="why"):
        actions.exclude(ada, "  ")


def test_sync_now_looks_at_one_contact(live: Live, ada: Contact) -> None:
    live.edit_in_ghl(ada, firstName="Augusta")
    actions.sync_now(ada)
    live.work()
    assert live.in_central(ada).fields["first name"] == "Augusta"


def test_retry_of_nothing_is_no_error(live: Live, ada: Contact) -> None:
    assert actions.retry(live.sync.contacts.filter(status=Status.FAILED)) == 0


def test_retry_leaves_excluded_contacts_alone(live: Live, ada: Contact) -> None:
    actions.exclude(ada, "Competitor")
    assert actions.retry(live.sync.contacts.all()) == 0


def test_the_overview_counts_each_status(live: Live, ada: Contact) -> None:
    counts = reports.overview(live.sync)
    assert counts == {**dict.fromkeys(Status.values, 0), "in_sync": 1}


def test_a_contact_is_shown_side_by_side(live: Live, ada: Contact) -> None:
    ada.refresh_from_db()
    row = next(row for row in reports.sides(ada) if row.name == "email")
    assert (row.ghl, row.centralstation, row.differs) == (ADA["email"], ADA["email"], False)


def test_an_interrupted_first_sync_is_taken_up_by_the_next_run(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.ghl.fault("server_error", path="/contacts/search$")
    first = live.run()
    live.clear_faults()
    second = live.run()
    assert (first.status, second.pk, second.status) == (RunStatus.INTERRUPTED, first.pk, RunStatus.DONE)
