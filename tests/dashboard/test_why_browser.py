"""The *Why?* box in a real browser: pasted, by keyboard, on a phone, without JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from crmsync.accounts import Role
from crmsync.models import Contact, Status, Sync
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sync import actions, runs
from tests.dashboard.conftest import OpenPage
from tests.dashboard.data import make_contact, make_sync
from tests.dashboard.test_browser import serious

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ada(transactional_db: None, request: pytest.FixtureRequest) -> Contact:
    """In both simulated CRMs, and in sync."""
    ghl: Ghl = request.getfixturevalue("ghl_sandbox")
    ghl.add_contact(firstName="Ada", lastName="Lovelace", email="ada@example.org")
    joined: Sync = request.getfixturevalue("joined")
    runs.work_on(actions.start_run(joined))
    return joined.contacts.get()


def test_the_address_of_a_page_in_gohighlevel_is_explained(open_page: OpenPage, ada: Contact, ghl_sandbox: Ghl) -> None:
    page = open_page(Role.VIEWER)
    page.goto(f"{ghl_sandbox.url}/view/{ada.ghl_id}")
    address = page.url
    page.goto("/contacts/")
    page.get_by_label("Why?", exact=True).fill(address)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ada Lovelace is in sync: both sides were read and found equal")).to_be_visible()


def test_the_address_of_a_page_in_centralstation_is_explained(
    open_page: OpenPage, ada: Contact, centralstation_sandbox: CentralStation
) -> None:
    page = open_page(Role.VIEWER)
    page.get_by_label("Why?", exact=True).fill(f"{centralstation_sandbox.url}/people/{ada.centralstation_id}")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ada Lovelace is in sync")).to_be_visible()


def test_a_field_is_chosen_and_explained(open_page: OpenPage, ada: Contact) -> None:
    page = open_page(Role.VIEWER)
    page.goto(f"/why/{ada.pk}/")
    page.get_by_label("Field", exact=True).select_option("email")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text("Email is the same on both sides: “ada@example.org”. It came from GoHighLevel")).to_be_visible()


def test_a_slash_goes_to_the_box(open_page: OpenPage) -> None:
    make_sync()
    page = open_page(Role.VIEWER)
    page.keyboard.press("/")
    expect(page.get_by_label("Why?", exact=True)).to_be_focused()


def test_a_slash_that_is_typed_stays_a_slash(open_page: OpenPage) -> None:
    make_sync()
    page = open_page(Role.VIEWER)
    page.goto("/contacts/")
    page.get_by_role("searchbox", name="Search").press_sequentially("a/b")
    expect(page.get_by_role("searchbox", name="Search")).to_have_value("a/b")


def test_on_a_phone_a_link_leads_to_the_page(open_page: OpenPage) -> None:
    make_sync()
    page = open_page(Role.VIEWER, width=390)
    page.get_by_role("link", name="Why?").click()
    expect(page.get_by_placeholder("Name, e-mail, phone, id or URL")).to_be_focused()


def test_it_works_without_javascript(open_page: OpenPage) -> None:
    contact = make_contact(make_sync(), label="Ada Lovelace")
    page = open_page(Role.VIEWER, java_script_enabled=False)
    page.get_by_label("Why?", exact=True).fill("Ada Lovelace")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/why/{contact.pk}/")


def test_an_answer_on_its_way_shows_its_end_by_itself(open_page: OpenPage) -> None:
    contact = make_contact(make_sync(), Status.PENDING, label="Ada Lovelace")
    page = open_page(Role.VIEWER)
    page.goto(f"/why/{contact.pk}/")
    expect(page.get_by_text("Ada Lovelace is about to be compared")).to_be_visible()
    Contact.objects.filter(pk=contact.pk).update(status=Status.IN_SYNC)
    expect(page.get_by_text("Ada Lovelace is in sync")).to_be_visible()


def test_asking_both_crms_takes_the_person_in(open_page: OpenPage, ada: Contact, centralstation_sandbox: CentralStation) -> None:
    centralstation_sandbox.add_contact(first_name="Grace", name="Hopper", emails=["grace@example.org"])
    page = open_page(Role.OPERATOR)
    page.goto("/why/?q=grace@example.org")
    page.get_by_role("button", name="Ask both CRMs").click()
    expect(page.get_by_text("it hadn't been read yet, and is marked to be read now")).to_be_visible()
    page.get_by_role("link", name="Grace Hopper is about to be compared").click()
    expect(page.get_by_role("heading", name="Grace Hopper")).to_be_visible()


@pytest.mark.parametrize("query", ["", "?q=ada", "?q=nobody@example.org"])
@pytest.mark.parametrize("width", [1440, 390])
def test_each_state_of_the_page_is_accessible_and_fits(open_page: OpenPage, query: str, width: int) -> None:
    sync = make_sync()
    for name in ("Ada Lovelace", "Ada King"):
        make_contact(sync, label=name, email="a.very.long.address@a-very-long-domain.example.org")
    page = open_page(Role.OPERATOR, width=width)
    page.goto(f"/why/{query}")
    assert (serious(page), page.evaluate("document.documentElement.scrollWidth") > width) == ([], False)
