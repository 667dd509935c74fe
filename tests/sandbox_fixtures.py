"""Fixtures: both simulated CRMs over real HTTP, empty, without lag and practically without a rate limit.

Each is the CRM itself: `ghl_sandbox.url` is where it is served, `add_contact`, `contact`, `fault`, `stats`, `calls` reach into its state.
For other settings take `serve_ghl` or `serve_centralstation`: `serve_ghl(limit=100, search_lag_s=2)`, `serve_ghl(webhook_url=…)`.

Webhooks: `webhooks` is what was sent (`wait()`, `stats()`, `trouble(drop=0.3)`); `ghl_sandbox.send_webhooks_to(url)`, `webhook_public_key`,
`call_workflow`; `centralstation_sandbox.hooks`. OAuth: `authorise(scopes)` gives tokens, `expire_tokens`, `revoke`, `uninstall`,
`change_scopes`, `lose_next_refresh` trouble them, `refreshes` counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from crmsync.sandbox import centralstation, ghl
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.running import serving
from crmsync.sandbox.settings import CentralStationSettings, GhlSettings

PLENTY = 100_000


@pytest.fixture
def serve_ghl() -> Iterator[Callable[..., Ghl]]:
    """Serve a location with the given settings until the test ends."""
    with ExitStack() as stack:

        def serve(**settings: Any) -> Ghl:
            app = ghl.create_app(GhlSettings(**{"limit": PLENTY, **settings}))
            stack.enter_context(serving(app))
            crm: Ghl = app.state.crm
            return crm

        yield serve


@pytest.fixture
def serve_centralstation() -> Iterator[Callable[..., CentralStation]]:
    """Serve an account with the given settings until the test ends."""
    with ExitStack() as stack:

        def serve(**settings: Any) -> CentralStation:
            app = centralstation.create_app(CentralStationSettings(**{"limit": PLENTY, **settings}))
            stack.enter_context(serving(app))
            crm: CentralStation = app.state.crm
            return crm

        yield serve


@pytest.fixture
def ghl_sandbox(serve_ghl: Callable[..., Ghl]) -> Ghl:
    return serve_ghl()


@pytest.fixture
def centralstation_sandbox(serve_centralstation: Callable[..., CentralStation]) -> CentralStation:
    return serve_centralstation()
