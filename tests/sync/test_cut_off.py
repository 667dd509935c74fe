"""Stopped, killed, or two at once: nothing is lost and nothing is doubled. Commands in processes of their own, against both CRMs."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.foundation.installation import kill, wait_until
from tests.sync.field import Field

pytestmark = pytest.mark.drill


def test_a_first_sync_that_is_killed_is_taken_up_within_a_minute_and_nothing_is_doubled(field: Field) -> None:
    kill_after(field, 9)
    began = time.monotonic()
    field.begin().communicate(timeout=60)
    assert time.monotonic() - began < 60
    field.assert_the_same()


@pytest.mark.parametrize("created", [1, 14])
def test_wherever_it_is_killed_nothing_is_doubled(field: Field, created: int) -> None:
    kill_after(field, created)
    field.time_passes()
    field.manage("sync", "run", "1", "--wait")
    field.assert_the_same()


def kill_after(field: Field, created: int) -> None:
    """Begin the first sync, and kill it once it has created so many contacts."""
    field.slow_down()
    with field.begin() as process:
        assert wait_until(lambda: field.created() >= created, 20)
        kill(process.pid)
    field.speed_up()


def test_a_first_sync_that_is_stopped_ends_soon_saves_and_is_taken_up(field: Field) -> None:
    field.slow_down()
    process = field.begin()
    assert wait_until(lambda: field.created() >= 3, 20)
    os.kill(process.pid, signal.SIGTERM)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 3
    assert "run it again" in err
    assert "Traceback" not in err
    field.speed_up()
    field.manage("sync", "run", "1", "--wait")
    field.assert_the_same()


def test_two_at_the_same_first_sync_double_nothing(field: Field) -> None:
    field.slow_down()
    both = [field.begin(), field.begin()]
    ends = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    field.speed_up()
    field.manage("sync", "run", "1", "--wait")
    field.assert_the_same()


def test_a_full_comparison_beside_a_poll_doubles_nothing(field: Field) -> None:
    field.manage("sync", "run", "1", "--wait")
    for contact in field.ghl.overview():
        field.ghl.edit_contact(contact["id"], city="Bremen")
        field.ghl.add_note(contact["id"], "Second")
        field.ghl.delete_note(contact["id"], field.ghl.notes_of(contact["id"])[-1]["id"])
    both = [field.begin("--full"), field.begin()]
    ends = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    field.assert_the_same()
