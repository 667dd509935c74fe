"""A failure as a story in a real browser: seen, understood, fixed by the offered value, the alike ones with it, and the cause closed."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from crmsync import jobs
from crmsync.accounts import Role
from crmsync.models import Issue, Sync
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sync import actions, runs
from tests.dashboard.conftest import OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EMAILS = ("ada@gmail,com", "grace@gmx,de", "lise@web,de", "Emmy Noether <emmy@example.org>")


@pytest.fixture
def issue(joined: Sync, centralstation_sandbox: CentralStation) -> Issue:
    """Four people whom GoHighLevel won't take for their e-mail, three of them mistyped alike."""
    for email in EMAILS:
        centralstation_sandbox.add_contact(first_name=email.split("@")[0].capitalize(), name="Beispiel", emails=[email])
    runs.work_on(actions.start_run(joined))
    return Issue.objects.get()


def work(issue: Issue) -> None:
    """What the background work does, until nothing is due."""
    for _ in range(2):
        jobs.live(issue.sync_id)
        jobs.work(issue.sync_id)


def correct_all(page: Page, issue: Issue) -> None:
    page.goto("/issues/")
    page.get_by_role("link", name="GoHighLevel refused the field “email”").click()
    expect(page.get_by_role("deletion").filter(has_text="ada@gmail,com")).to_be_visible()
    page.get_by_role("link", name="Correct 3 alike").click()
    expect(page.get_by_text("3 contacts get another value in CentralStationCRM")).to_be_visible()
    page.get_by_role("button", name="Correct 3 contacts").click()
    expect(page.get_by_text("Trying one:")).to_be_visible()
    work(issue)


def fix_the_last(page: Page, issue: Issue) -> None:
    page.get_by_role("link", name="Emmy").first.click()
    page.get_by_role("button", name="Write “emmy@example.org”").click()
    expect(page.get_by_text("Started: the value is written to CentralStationCRM")).to_be_visible()
    work(issue)
    page.goto(f"/issues/{issue.pk}/")
    expect(page.get_by_text("Over: all that it held up went through.")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_a_failure_is_seen_understood_and_fixed_with_all_alike(
    open_page: OpenPage, issue: Issue, ghl_sandbox: Ghl, javascript: bool
) -> None:
    page = open_page(Role.OPERATOR, java_script_enabled=javascript)
    correct_all(page, issue)
    page.reload()
    expect(page.get_by_text("so the other 2 followed.")).to_be_visible()
    fix_the_last(page, issue)
    assert sorted(one["email"] for one in ghl_sandbox.overview()) == ["ada@gmail.com", "emmy@example.org", "grace@gmx.de", "lise@web.de"]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_pages_of_a_fix_are_accessible_and_fit(open_page: OpenPage, issue: Issue, width: int, scheme: str) -> None:
    contact = issue.contacts.latest("pk")
    page = open_page(Role.OPERATOR, width=width, color_scheme=scheme)
    for address in (f"/contacts/{contact.pk}/", f"/contacts/{contact.pk}/fix", f"/issues/{issue.pk}/", f"/issues/{issue.pk}/fix/typo"):
        page.goto(address)
        found = [one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
        assert (address, found, page.evaluate("document.documentElement.scrollWidth") <= width) == (address, [], True)
