"""Thin HTTP clients with the demo's credentials; nothing of crmsync's own clients, so that both can't be wrong together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_API_KEY, DEMO_GHL_TOKEN
from tests.sandbox.listener import Listener, listening

_open = ExitStack()


@pytest.fixture(autouse=True)
def clients_are_closed() -> Iterator[None]:
    with _open:
        yield


def client(url: str, **options: Any) -> httpx.Client:
    """A client that is closed after the test."""
    return _open.enter_context(httpx.Client(base_url=url, timeout=5, **options))


def ghl_client(crm: Ghl, token: str = DEMO_GHL_TOKEN) -> httpx.Client:
    return client(crm.url, headers={"Authorization": f"Bearer {token}", "Version": "2021-07-28"})


def centralstation_client(crm: CentralStation, key: str = DEMO_API_KEY) -> httpx.Client:
    return client(f"{crm.url}/api", headers={"X-apikey": key})


@pytest.fixture
def ghl(ghl_sandbox: Ghl) -> httpx.Client:
    return ghl_client(ghl_sandbox)


@pytest.fixture
def centralstation(centralstation_sandbox: CentralStation) -> httpx.Client:
    return centralstation_client(centralstation_sandbox)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener
