"""Undo as a story in a real browser: a change is seen, undone and gone from both CRMs, with and without JavaScript."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from crmsync.accounts import Role
from crmsync.models import Contact, Run, RunKind, Sync
from crmsync.sandbox.ghl import Ghl
from crmsync.sync import actions, runs
from tests.dashboard.conftest import OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def moved(joined: Sync, ghl_sandbox: Ghl) -> Contact:
    """Ada's city was edited in GoHighLevel, and carried over."""
    ghl_id = ghl_sandbox.add_contact(firstName="Ada", lastName="Lovelace", email="ada@example.org", city="Bonn")
    runs.work_on(actions.start_run(joined))
    ghl_sandbox.edit_contact(ghl_id, city="Bremen")
    joined.refresh_from_db()
    runs.work_on(actions.start_run(joined, full=True))
    return Contact.objects.get()


def press_undo(page: Page, contact: Contact) -> Run:
    page.goto(f"/contacts/{contact.pk}/")
    page.get_by_role("link", name="Undo Updated in CentralStationCRM").first.click()
    expect(page.get_by_role("heading", name="What is written back")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url("**/undone/**")
    return Run.objects.get(kind=RunKind.UNDO)


def city(contact: Contact, ghl: Ghl) -> str:
    return str((ghl.contact(str(contact.ghl_id)) or {})["city"])


def test_a_change_is_undone_while_somebody_watches(open_page: OpenPage, moved: Contact, ghl_sandbox: Ghl) -> None:
    page = open_page(Role.OPERATOR)
    runs.work_on(press_undo(page, moved))
    expect(page.get_by_text("Nothing was left: all of it could be undone.")).to_be_visible()
    assert city(moved, ghl_sandbox) == "Bonn"


def test_a_change_is_undone_without_javascript(open_page: OpenPage, moved: Contact, ghl_sandbox: Ghl) -> None:
    page = open_page(Role.OPERATOR, java_script_enabled=False)
    runs.work_on(press_undo(page, moved))
    page.reload()
    expect(page.get_by_text("Nothing was left: all of it could be undone.")).to_be_visible()
    assert city(moved, ghl_sandbox) == "Bonn"


def test_axe_finds_nothing_serious_on_the_pages_of_an_undo(open_page: OpenPage, moved: Contact) -> None:
    page = open_page(Role.OPERATOR)
    found = []
    for address in (f"/contacts/{moved.pk}/", f"/undo/contact/{moved.pk}", f"/undo/run/{moved.changes.latest('id').run_id}"):
        page.goto(address)
        found += [one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
    assert found == []
