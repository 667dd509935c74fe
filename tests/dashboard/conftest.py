"""Fixtures of the dashboard's tests: signed-in clients by role, accounts in the simulated CRMs, a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from crmsync.accounts import Role
from crmsync.models import Mode, Sync
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_API_KEY, DEMO_GHL_TOKEN, DEMO_LOCATION_ID
from crmsync.sync import setup
from tests.dashboard.data import PASSWORD, make_sync, make_user

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def signed_in(role: Role | None) -> Client:
    client = Client()
    client.force_login(make_user(role), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def viewer(db: None) -> Client:
    return signed_in(Role.VIEWER)


@pytest.fixture
def operator(db: None) -> Client:
    return signed_in(Role.OPERATOR)


@pytest.fixture
def administrator(db: None) -> Client:
    return signed_in(Role.ADMINISTRATOR)


@pytest.fixture
def sync(db: None) -> Sync:
    return make_sync()


@pytest.fixture
def joined(db: None, ghl_sandbox: Ghl, centralstation_sandbox: CentralStation) -> Sync:
    """A live sync of the two simulated CRMs."""
    ghl = setup.add_ghl_connection(name="Marketing", location_id=DEMO_LOCATION_ID, token=DEMO_GHL_TOKEN, root=ghl_sandbox.url)
    office = setup.add_centralstation_connection(name="Office", root=centralstation_sandbox.url, api_key=DEMO_API_KEY)
    return setup.create_sync(name="Joined", ghl=ghl, centralstation=office, mode=Mode.LIVE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    # Playwright's own loop runs in this thread, which makes Django think that the tests' queries came from a coroutine.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


OpenPage = Callable[..., Page]


def is_complaint(message: ConsoleMessage, ours: str) -> bool:
    is_theirs = message.location["url"].startswith("http") and not message.location["url"].startswith(ours)
    return message.type in ("error", "warning") and not is_theirs and "status of 422" not in message.text


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer) -> Iterator[OpenPage]:
    """Open the sign-in page, or with `role` the overview. A message on the console, a violated policy among them, fails the test; but for
    those of a simulated CRM's own pages.

    Chromium complains of a form that comes back as 422, too: that one is meant."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(role: Role | None = None, *, width: int = 1440, **options: object) -> Page:
        context = browser.new_context(base_url=live_server.url, viewport={"width": width, "height": 900}, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if is_complaint(message, live_server.url) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/accounts/login/")
        if role is not None:
            sign_in(page, make_user(role).email)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
