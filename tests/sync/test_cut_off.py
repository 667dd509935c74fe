"""Stopped, killed, or two at once: nothing is lost and nothing is doubled. Commands in processes of their own, against both CRMs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_API_KEY, DEMO_GHL_TOKEN, DEMO_LOCATION_ID
from tests.foundation.installation import PROJECT, Installation, kill, wait_until
from tests.sync.kit import seen_in_central, seen_in_ghl

PEOPLE = 12
SETUP = f"""
import os
from crmsync.sync import setup
rate = (1000, 10.0)
ghl = setup.add_ghl_connection(name="GHL", location_id="{DEMO_LOCATION_ID}", token="{DEMO_GHL_TOKEN}", root=os.environ["GHL_URL"], rate=rate)
central = setup.add_centralstation_connection(name="CS", root=os.environ["CENTRAL_URL"], api_key="{DEMO_API_KEY}", rate=rate)
setup.create_sync(name="N", ghl=ghl, centralstation=central)
"""
pytestmark = pytest.mark.drill


class Field:
    """An installation with a sync of two CRMs, each with people that the other hasn't, and a note and a task each."""

    def __init__(self, installed: Installation, ghl: Ghl, central: CentralStation) -> None:
        self.installed, self.ghl, self.central = installed, ghl, central
        self.fill()
        done = installed.manage("shell", "-v0", "-c", SETUP, GHL_URL=ghl.url, CENTRAL_URL=central.url)
        assert done.returncode == 0, done.stderr

    def fill(self) -> None:
        for n in range(PEOPLE):
            ghl_id = self.ghl.add_contact(firstName=f"Gerd{n}", lastName="Hall", email=f"gerd{n}@example.org", tags=["kunde"])
            self.ghl.add_note(ghl_id, f"Note {n}")
            self.ghl.add_task(ghl_id, f"Task {n}")
            central_id = self.central.add_contact(first_name=f"Clara{n}", name="Stein", emails=[f"clara{n}@example.org"], tags=["VIP"])
            self.central.add_note(central_id, f"Notiz {n}", format="plaintext")
            self.central.add_task(central_id, f"Aufgabe {n}", precise_time="2026-12-02T09:00:00")

    def manage(self, *words: str) -> dict[str, Any]:
        done = self.installed.manage(*words, "--json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """`sync run --wait` in a process of its own."""
        command = [sys.executable, str(PROJECT / "manage.py"), "sync", "run", "1", *words, "--wait", "--json"]
        return subprocess.Popen(
            command, cwd=PROJECT, env=self.installed.variables(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def created(self) -> int:
        return len(self.ghl.overview()) + len(self.central.overview()) - 2 * PEOPLE

    def slow_down(self) -> None:
        self.ghl.latency_ms = self.central.latency_ms = 40

    def speed_up(self) -> None:
        self.ghl.latency_ms = self.central.latency_ms = 0

    def time_passes(self) -> None:
        """The leases of the dead have ended."""
        ended = "from crmsync.models import Contact; Contact.objects.update(lease_until='2000-01-01T00:00:00Z')"
        assert self.installed.manage("shell", "-v0", "-c", ended).returncode == 0

    def assert_the_same(self) -> None:
        """Each person is in both CRMs once, with one note and one task, and both sides agree."""
        in_ghl = [seen_in_ghl(self.ghl, one["id"]) for one in self.ghl.overview()]
        in_central = [seen_in_central(self.central, str(one["id"])) for one in self.central.overview()]
        assert Counter(one.fields["email"] for one in in_ghl) == Counter(one.fields["email"] for one in in_central)
        assert (len(in_ghl), len({one.fields["email"] for one in in_ghl})) == (2 * PEOPLE, 2 * PEOPLE)
        by_email = {one.fields["email"]: one for one in in_central}
        for here in in_ghl:
            there = by_email[here.fields["email"]]
            assert (len(here.notes), len(here.tasks)) == (1, 1)
            assert (here.notes, here.tasks, here.tags) == (there.notes, there.tasks, [tag.lower() for tag in there.tags])
        counts = self.manage("sync", "status", "1")["counts"]
        assert counts["in_sync"] == 2 * PEOPLE == sum(counts.values())


@pytest.fixture
def field(installed: Installation, serve_ghl: Callable[..., Ghl], serve_centralstation: Callable[..., CentralStation]) -> Field:
    return Field(installed, serve_ghl(limit=1000), serve_centralstation(limit=1000))


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
