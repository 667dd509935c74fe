"""The drills in small: webhooks at full speed, doubled and dropped, answers lost, workers killed, the database away. See tests/drills."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.drills import drills
from tests.drills.world import World, world

pytestmark = pytest.mark.drill

SMALL: dict[str, tuple[Any, dict[str, Any]]] = {
    "storm": (partial(drills.storm, events=200, away_s=2.0, kill_every_s=1.5), {}),
    "trouble": (partial(drills.trouble, edits=24), {}),
    "lost answers": (partial(drills.lost_answers, edits=24), {}),
    "out of order": (partial(drills.out_of_order, edits=20, for_s=4.0), {}),
    "token revoked": (partial(drills.revoked, edits=12), {"set_up": World.fill_by_oauth}),
    "clock an hour off": (partial(drills.clock, edits=12), {"clock_offset_s": 3600.0}),
}


@pytest.mark.parametrize("name", SMALL)
def test_nothing_is_lost_doubled_or_looped(name: str, tmp_path: Path) -> None:
    drill, settings = SMALL[name]
    with world(tmp_path, contacts=12, postgres="DATABASE_URL" in os.environ and "REDIS_URL" in os.environ, **settings) as one:
        figures = drill(one)
        assert figures.failures == [], one.output()
