"""A paused connection is asked for nothing, whoever asks; resumed, everything is caught up."""

from __future__ import annotations

import pytest

from crmsync import jobs
from crmsync.models import Connection, Contact, Mode, Status, Sync
from crmsync.sync import actions
from crmsync.sync.actions import ActionError
from tests.sync.conftest import Cli
from tests.sync.kit import Live

pytestmark = pytest.mark.parametrize("side", ["ghl", "centralstation"])


def pause(live: Live, side: str) -> Connection:
    connection: Connection = getattr(live.sync, side)
    actions.pause_connection(connection)
    return connection


def calls(live: Live) -> int:
    return len(live.ghl.calls()) + len(live.central.calls())


def test_a_person_who_runs_is_told_to_resume_first(live: Live, side: str) -> None:
    connection = pause(live, side)
    with pytest.raises(ActionError, match=f"“{connection.name}” is paused"):
        actions.start_run(live.sync)


def test_the_command_asks_nothing_either(cli: Cli, live: Live, side: str) -> None:
    pause(live, side)
    before = calls(live)
    answer = cli("sync", "retry", live.sync.pk, "--wait")
    assert (answer.status, "is paused" in answer.err, calls(live)) == (1, True, before)


def test_nothing_is_deleted_there(ada: Contact, live: Live, side: str) -> None:
    pause(live, side)
    Contact.objects.update(status=Status.QUARANTINED, missing_on=side)
    ada.refresh_from_db()
    with live.nothing_written(), pytest.raises(ActionError, match="is paused"):
        actions.delete_there_too(ada)


def test_no_job_is_queued_for_its_sync(ada: Contact, live: Live, side: str) -> None:
    pause(live, side)
    jobs.tick()
    assert Sync.objects.values_list("nudged_at", "live_nudged_at").get() == (None, None)


def test_what_changed_meanwhile_is_caught_up(ada: Contact, live: Live, side: str) -> None:
    connection = pause(live, side)
    live.edit_in_ghl(ada, city="Köln")
    live.edit_in_central(ada, first_name="Augusta")
    actions.resume_connection(connection)
    live.work()
    assert (live.in_central(ada).fields["city"], live.in_ghl(ada).fields["first name"]) == ("Köln", "Augusta")


def test_a_paused_sync_stays_paused_when_its_connection_goes_on(live: Live, side: str) -> None:
    actions.pause(live.sync)
    actions.resume_connection(pause(live, side))
    assert Sync.objects.get().mode == Mode.PAUSED
