"""What every command with sub-commands does alike."""

import os
import subprocess
import sys

from crmsync.management.command import NOBODY_READS, _sentence
from tests.foundation.installation import PROJECT, Installation


def test_values_inside_values_are_told_as_plain_text() -> None:
    row = {"counts": {"in_sync": 82, "failed": 1, "conflict": 0}, "on": True, "off": False, "scopes": ["a", "b"], "none": None, "empty": []}
    assert _sentence(row) == "counts: in_sync 82, failed 1  on: yes  off: no  scopes: a, b  none: -  empty: -"


def test_counts_of_counts_stand_in_brackets() -> None:
    assert (
        _sentence({"run": {"id": 3, "reason": "", "counts": {"done": 2}}, "left": {"failed": 0}}) == "run: id 3, counts (done 2)  left: -"
    )


def test_a_closed_pipe_ends_it_without_a_word(installation: Installation) -> None:
    installation.manage("migrate", "-v", "0")
    installation.manage("user", "add", "a@example.com", "--role", "viewer", "--password-stdin", stdin="correct-horse-battery")
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, str(PROJECT / "manage.py"), "user", "list"]
    with os.fdopen(writing, "w") as closed:
        ended = subprocess.run(command, env=installation.variables(), stdout=closed, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (NOBODY_READS, "")
