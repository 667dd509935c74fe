"""A real cluster whose work can be counted: each file in `todo` is a piece of work, done when it is in `done`.

As in the product, a job is only a nudge to look for what is due. Run by test_cluster.py as `python -m tests.foundation.drill`.
"""

import os
import time
from pathlib import Path

import django

PIECE_S = 0.02


def folder() -> Path:
    return Path(os.environ["DRILL"])


def tick() -> None:
    from django_q.tasks import async_task

    if any((folder() / "todo").iterdir()):
        async_task("tests.foundation.drill.drain")


def drain() -> None:
    from crmsync import stopping

    for piece in sorted((folder() / "todo").iterdir()):
        if stopping.is_requested():
            return
        time.sleep(PIECE_S)
        try:
            piece.rename(folder() / "done" / piece.name)
        except FileNotFoundError:
            continue  # the other worker was faster


def main() -> None:
    django.setup()
    from crmsync import cluster

    cluster.TICK = "tests.foundation.drill.tick"
    cluster.run()


if __name__ == "__main__":
    main()
