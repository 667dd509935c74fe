"""GoHighLevel connected by OAuth in a real browser: from nothing, and through the end of an authorisation and back."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from crmsync.accounts import Role
from crmsync.models import Connection, Health
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from tests.dashboard.conftest import OpenPage
from tests.sync.oauth import make_ended

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def base_url(settings: Settings, live_server: LiveServer) -> None:
    settings.BASE_URL = live_server.url


def connect_from_nothing(page: Page, crm: Ghl) -> None:
    page.goto("/connections/")
    page.get_by_role("link", name="Connect GoHighLevel").click()
    page.get_by_role("link", name="Connect by OAuth instead").click()
    page.get_by_label("Name").fill("Marketing")
    page.get_by_label("Client id").fill(DEMO_CLIENT_ID)
    page.get_by_label("Client secret").fill(DEMO_CLIENT_SECRET)
    page.get_by_label("API address").fill(crm.url)
    page.get_by_label("Address of the authorisation page").fill(crm.url)
    page.get_by_role("button", name="Store and go on").click()
    say_yes(page)


def say_yes(page: Page) -> None:
    page.get_by_role("link", name="Go to GoHighLevel").click()
    page.get_by_role("button", name="Allow").click()


def test_ghl_is_connected_by_oauth_from_nothing(open_page: OpenPage, ghl_sandbox: Ghl) -> None:
    page = open_page(Role.ADMINISTRATOR)
    connect_from_nothing(page, ghl_sandbox)
    expect(page.get_by_role("status")).to_contain_text("Connected to Sandbox Agency.")
    expect(page.get_by_role("heading", name="Marketing").locator("..")).to_contain_text("working")
    assert Connection.objects.get().health == Health.OK


def test_saying_no_leads_back_to_where_one_can_say_yes(open_page: OpenPage, ghl_sandbox: Ghl) -> None:
    page = open_page(Role.ADMINISTRATOR)
    connect_from_nothing(page, ghl_sandbox)
    page.get_by_role("link", name="Reconnect").click()
    page.get_by_role("link", name="Go to GoHighLevel").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("status")).to_contain_text("access was denied")
    expect(page.get_by_role("link", name="Go to GoHighLevel")).to_be_visible()


def test_the_page_tells_the_truth_through_expiry_revocation_and_reconnection(open_page: OpenPage, ghl_sandbox: Ghl) -> None:
    page = open_page(Role.ADMINISTRATOR)
    connect_from_nothing(page, ghl_sandbox)
    connection = Connection.objects.get()
    title = page.get_by_role("heading", name="Marketing").locator("..")

    ghl_sandbox.expire_tokens()
    make_ended(connection)
    page.get_by_role("button", name="Test now").click()
    expect(page.get_by_role("status")).to_contain_text("Marketing works.")
    expect(title).to_contain_text("working")

    ghl_sandbox.revoke()
    page.get_by_role("button", name="Test now").click()
    expect(page.get_by_role("status")).to_contain_text("Press Reconnect")
    expect(title).to_contain_text("needs to be reconnected")

    page.goto("/connections/")
    page.get_by_role("link", name="Reconnect").click()
    say_yes(page)
    expect(page.get_by_role("status")).to_contain_text("Connected to Sandbox Agency.")
    expect(title).to_contain_text("working")


@pytest.mark.parametrize("width", [1440, 390])
def test_the_pages_are_accessible_and_fit(open_page: OpenPage, ghl_sandbox: Ghl, width: int) -> None:
    page = open_page(Role.ADMINISTRATOR, width=width)
    connect_from_nothing(page, ghl_sandbox)
    expect(page.get_by_role("status")).to_contain_text("Connected")
    pk = Connection.objects.get().pk
    Connection.objects.update(missing_scopes={"contacts.write": "Nothing can be written."}, health=Health.LIMITED)
    found = []
    for address in ("add/ghl/oauth", f"{pk}/connect", f"{pk}/", f"{pk}/client-secret"):
        page.goto(f"/connections/{address}")
        found += [(address, one["id"]) for one in Axe().run(page).response["violations"]]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    assert found == []
