"""One contact, both ways: profile and tags, what only one side can hold, and no echo."""

from __future__ import annotations

from typing import Any

import pytest

from crmsync.models import Contact, RunStatus
from tests.sync.kit import ADA, GRACE, Live


def test_a_contact_of_ghl_appears_in_centralstation(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    assert live.run().status == RunStatus.DONE
    [person] = live.central.overview()
    assert (person["first_name"], person["name"], person["emails"][0]["name"]) == ("Ada", "Lovelace", "ada@example.org")
    assert live.contact().status == "in_sync"


def test_a_person_of_centralstation_appears_in_ghl(live: Live) -> None:
    live.central.add_contact(**GRACE)
    live.run()
    [contact] = live.ghl.overview()
    assert (contact["firstName"], contact["lastName"], contact["email"]) == ("Grace", "Hopper", "grace@example.org")
    assert live.contact().status == "in_sync"
