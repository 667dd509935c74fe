"""CentralStation's client does what both sides do alike, against the simulated account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from crmsync.engine.records import FieldKey, Value
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.settings import DEMO_API_KEY
from crmsync.systems.centralstation import CentralStationSystem
from tests.systems.contract import SystemContract
from tests.systems.wire import OpenBudget


@pytest.fixture
def system(centralstation_sandbox: CentralStation) -> Iterator[CentralStationSystem]:
    with closing(CentralStationSystem(centralstation_sandbox.url, DEMO_API_KEY, OpenBudget())) as system:
        yield system


class TestCentralStationAsASystem(SystemContract):
    phone = "tel"
    unknown_id = "99999999"
    person = {
        "first_name": "Änne",
        "name": "Groß",
        "email": "Aenne.Gross@Example.org",
        "tel": "0221 123456",
        "company_name": "Groß & Söhne",
        "street": "Domstraße 1",
        "zip": "50667",
        "city": "Köln",
        "state_code": "NW",
        "country_code": "de",
        "homepage": "https://gross.example",
        "birthday": "1990-09-25",
    }

    def person_named(self, number: int) -> dict[FieldKey, Value]:
        return {"first_name": f"Ida{number}", "name": "Muster", "email": f"i{number}@example.org", "tel": f"+4922155500{number}"}

    def full_name(self, profile: dict[FieldKey, Value]) -> str:
        return f"{profile['first_name']} {profile['name']}"
