"""`python -m tests.drills [NAME ...] [--postgres] [--events N]`: run the drills in full and print their figures."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.drills import drills
from tests.drills.world import Figures, World, world

Drill = Callable[[World], Figures]


def all_drills(events: int, scale: float) -> dict[str, tuple[Drill, dict[str, Any]]]:
    """By name: the drill, and how its world differs."""
    edits = max(6, int(300 * scale))
    return {
        "storm": (partial(drills.storm, events=events, away_s=10.0 * min(1, scale), kill_every_s=3.0), {}),
        "trouble": (partial(drills.trouble, edits=edits), {}),
        "lost_answers": (partial(drills.lost_answers, edits=edits), {}),
        "out_of_order": (partial(drills.out_of_order, edits=edits, for_s=60.0 * min(1, scale)), {}),
        "revoked": (partial(drills.revoked, edits=edits // 3), {"set_up": World.fill_by_oauth}),
        "clock_ahead": (partial(drills.clock, edits=edits // 3), {"clock_offset_s": 3600.0}),
        "clock_behind": (partial(drills.clock, edits=edits // 3), {"clock_offset_s": -3600.0}),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.drills", description=__doc__)
    parser.add_argument("names", nargs="*", help="Which drills; all where none is named.")
    parser.add_argument("--postgres", action="store_true", help="On PostgreSQL with Redis, with two qclusters, instead of SQLite.")
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--contacts", type=int, default=200)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    known = all_drills(options.events, options.scale)
    failed = False
    for name in options.names or known:
        drill, settings = known[name]
        with (
            tempfile.TemporaryDirectory() as directory,
            world(
                Path(directory),
                contacts=options.contacts,
                clusters=2 if options.postgres else 1,
                postgres=options.postgres,
                **settings,
            ) as one,
        ):
            figures = drill(one)
            print(f"\n{name}" + (" (PostgreSQL, Redis, two qclusters)" if options.postgres else " (SQLite)"))
            for what, value in figures.values.items():
                print(f"  {what:45} {value}")
            for failure in figures.failures:
                print(f"  FAILED: {failure}")
            if figures.failures:
                print(one.output()[-3000:])
            failed |= bool(figures.failures)
    sys.exit(failed)


if __name__ == "__main__":
    main()
