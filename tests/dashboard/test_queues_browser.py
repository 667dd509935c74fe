"""The queues and the issues in a real browser: by keyboard, without JavaScript, for who can't see."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from crmsync.accounts import Role
from crmsync.models import Contact, Status
from crmsync.sync import canary
from tests.dashboard.conftest import OpenPage
from tests.dashboard.data import make_sync
from tests.dashboard.test_issues import make_issue
from tests.dashboard.test_queues import conflict, deleted, review

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIFTY = 50


def test_fifty_reviews_are_worked_off_by_keyboard(open_page: OpenPage) -> None:
    sync = make_sync()
    for _ in range(FIFTY):
        review(sync)
    page = open_page(Role.OPERATOR)
    page.goto("/queues/review/")
    for n in range(FIFTY):
        expect(page.locator("[aria-current=true] strong", has_text=str(2 * (FIFTY - n)))).to_be_visible()
        page.keyboard.press("1")
    expect(page.get_by_text("Nothing to decide here")).to_be_visible()
    assert Contact.objects.filter(status=Status.PENDING, ghl_id__isnull=False, centralstation_id__isnull=False).count() == FIFTY


def test_a_decision_is_taken_back_by_key(open_page: OpenPage) -> None:
    conflict(make_sync())
    page = open_page(Role.OPERATOR)
    page.goto("/queues/conflict/")
    page.keyboard.press("g")
    expect(page.get_by_text("It is written in a few seconds.")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_role("button", name="All from GoHighLevel")).to_be_visible()


def test_a_conflict_is_decided_without_javascript(open_page: OpenPage) -> None:
    contact = conflict(make_sync())
    page = open_page(Role.OPERATOR, java_script_enabled=False)
    page.goto("/queues/conflict/")
    page.get_by_label("+49 69 2").check()
    page.get_by_role("button", name="What is marked").click()
    expect(page.get_by_text("Nothing to decide here")).to_be_visible()
    contact.refresh_from_db()
    assert contact.decisions == {"phone": "centralstation"}


def test_the_text_for_support_is_copied(open_page: OpenPage) -> None:
    issue = make_issue(make_sync())
    page = open_page(Role.VIEWER, permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"/issues/{issue.pk}/")
    page.get_by_text("Text for support").click()
    page.get_by_role("button", name="Copy for support").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "refused (phone)" in page.evaluate("navigator.clipboard.readText()")


def test_axe_finds_nothing_on_queues_and_issues(open_page: OpenPage) -> None:
    sync = make_sync()
    for make in (conflict, review, deleted):
        make(sync)
    issue = make_issue(sync)
    page = open_page(Role.OPERATOR)
    for address in ("/queues/conflict/", "/queues/review/", "/queues/quarantined/", "/issues/", f"/issues/{issue.pk}/"):
        page.goto(address)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_a_retry_is_followed_to_its_end_without_reloading(open_page: OpenPage) -> None:
    issue = make_issue(make_sync())
    page = open_page(Role.OPERATOR)
    page.goto(f"/issues/{issue.pk}/")
    page.get_by_role("button", name="Retry all 3").click()
    expect(page.get_by_text("Trying one: ")).to_be_visible()
    Contact.objects.filter(status=Status.PENDING).update(status=Status.FAILED)
    canary.follow_up()
    expect(page.get_by_text("so the other 2 were not sent")).to_be_visible()
