"""A live sync over real HTTP, without the pauses that only make a test wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stamina

from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_API_KEY, DEMO_GHL_TOKEN, DEMO_LOCATION_ID
from crmsync.sync import reconcile, setup
from tests.sync.kit import ADA, Live

RATE = (1000, 10.0)


@pytest.fixture(autouse=True)
def quick_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Repeats come at once, and so does the second try of a reconcile."""
    monkeypatch.setattr(reconcile, "PAUSE_S", 0.01)
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def join(transactional_db: None) -> Callable[..., Live]:
    """Join two simulated CRMs by a live sync; further arguments are the sync's settings."""

    def join(ghl: Ghl, central: CentralStation, **settings: Any) -> Live:
        sync = setup.create_sync(
            name="Berlin",
            ghl=setup.add_ghl_connection(name="GHL", location_id=DEMO_LOCATION_ID, token=DEMO_GHL_TOKEN, root=ghl.url, rate=RATE),
            centralstation=setup.add_centralstation_connection(name="CS", root=central.url, api_key=DEMO_API_KEY, rate=RATE),
            **settings,
        )
        return Live(sync, ghl, central)

    return join


@pytest.fixture
def live(join: Callable[..., Live], serve_ghl: Callable[..., Ghl], serve_centralstation: Callable[..., CentralStation]) -> Live:
    """A live sync of two empty CRMs."""
    return join(serve_ghl(limit=RATE[0]), serve_centralstation(limit=RATE[0]))


@pytest.fixture
def ada(live: Live) -> Any:
    """Ada, who is in both CRMs and in sync."""
    live.ghl.add_contact(**ADA)
    live.run()
    return live.contact()
