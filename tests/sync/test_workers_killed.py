"""A real qcluster whose processes are killed amid a first sync: what they had in hand is taken up, and nothing is doubled."""

from __future__ import annotations

import random
import time

import pytest

from tests.foundation.installation import children, kill, wait_until
from tests.sync.field import PEOPLE, Field

pytestmark = pytest.mark.drill


def test_contacts_of_a_killed_worker_are_taken_up_within_a_minute(field: Field) -> None:
    field.slow_down()
    with field.installed.running("manage.py", "qcluster") as cluster:
        field.manage("sync", "run", "1")
        assert wait_until(lambda: field.created() >= 3, 30), field.installed.output()
        for victim in children(cluster.pid):
            if random.random() < 0.7:
                kill(victim)
        killed_at = time.monotonic()
        field.speed_up()
        assert wait_until(lambda: everybody_is_well(field), 75), field.installed.output()
        assert time.monotonic() - killed_at < 75  # the minute, and what is left of the work
    field.assert_the_same()


def everybody_is_well(field: Field) -> bool:
    if field.created() < 2 * PEOPLE:
        time.sleep(0.5)
        return False
    time.sleep(1)
    counts = field.manage("sync", "status", "1")["counts"]
    return bool(counts["in_sync"] == 2 * PEOPLE)
