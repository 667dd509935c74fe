"""An installation with a sync, driven by commands in processes of their own that can be killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import Any

from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_API_KEY, DEMO_GHL_TOKEN, DEMO_LOCATION_ID
from tests.foundation.installation import PROJECT, Installation
from tests.sync.seen import seen_in_central, seen_in_ghl

PEOPLE = 12
SETUP = f"""
import os
from crmsync.sync import setup
rate = (1000, 10.0)
ghl_url, central_url = os.environ["GHL_URL"], os.environ["CENTRAL_URL"]
ghl = setup.add_ghl_connection(name="GHL", location_id="{DEMO_LOCATION_ID}", token="{DEMO_GHL_TOKEN}", root=ghl_url, rate=rate)
central = setup.add_centralstation_connection(name="CS", root=central_url, api_key="{DEMO_API_KEY}", rate=rate)
setup.create_sync(name="N", ghl=ghl, centralstation=central)
"""


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
