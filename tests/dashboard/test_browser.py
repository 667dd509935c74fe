"""The main path in a real browser, under the strict policy: with and without JavaScript, by keyboard, wide and narrow, light and dark.

Every page that `open_page` opens must leave the console silent: a violated policy, a script's error or a missing file fails the test.
"""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from crmsync.accounts import Role
from crmsync.engine.records import Side
from crmsync.models import Contact, Run, RunKind, RunStatus, Status, Sync
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_LOCATION_ID
from tests.dashboard.conftest import OpenPage
from tests.dashboard.data import make_contact, make_sync
from tests.dashboard.demo import demo

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def failed_contact() -> Contact:
    return make_contact(make_sync(), Status.FAILED, label="Renate Köhler", reason="birthday: not kept.")


def test_signing_in_shows_the_overview(open_page: OpenPage) -> None:
    expect(open_page(Role.VIEWER).get_by_role("heading", name="Overview")).to_be_visible()


def test_typing_finds_a_contact_without_pressing_anything(open_page: OpenPage) -> None:
    sync = make_sync()
    for name in ("Anna Weiß", "Bernd Groß"):
        make_contact(sync, label=name)
    page = open_page(Role.VIEWER)
    page.get_by_role("link", name="Contacts").click()
    page.get_by_placeholder("Name, e-mail").press_sequentially("weiß")
    expect(page.get_by_text("Bernd Groß")).to_be_hidden()
    expect(page.get_by_text("Anna Weiß")).to_be_visible()


def test_choosing_a_filter_is_kept_in_the_address(open_page: OpenPage) -> None:
    failed_contact()
    page = open_page(Role.VIEWER)
    page.goto("/contacts/")
    page.get_by_label("Updated", exact=True).select_option("24h")
    page.wait_for_url("**changed=24h*")


def test_retry_changes_its_row_only(open_page: OpenPage) -> None:
    failed_contact()
    page = open_page(Role.OPERATOR)
    page.goto("/contacts/")
    page.get_by_role("button", name="Retry Renate").click()
    expect(page.get_by_role("row", name="Renate").get_by_text("pending")).to_be_visible()


def test_a_row_under_way_shows_its_end_by_itself(open_page: OpenPage) -> None:
    contact = failed_contact()
    page = open_page(Role.OPERATOR)
    page.goto("/contacts/")
    page.get_by_role("button", name="Retry Renate").click()
    expect(page.get_by_role("row", name="Renate").get_by_text("pending")).to_be_visible()
    Contact.objects.filter(pk=contact.pk).update(status=Status.IN_SYNC)
    expect(page.get_by_role("row", name="Renate").get_by_text("in sync")).to_be_visible()


def test_a_run_shows_its_end_by_itself(open_page: OpenPage) -> None:
    run = Run.objects.create(sync=make_sync(), kind=RunKind.POLL)
    page = open_page(Role.VIEWER)
    page.goto(f"/runs/{run.pk}/")
    expect(page.get_by_role("progressbar")).to_be_visible()
    Run.objects.update(status=RunStatus.DONE)
    expect(page.get_by_role("progressbar")).to_be_hidden()


def test_a_refused_token_is_said_beside_its_field(open_page: OpenPage, ghl_sandbox: Ghl) -> None:
    page = open_page(Role.ADMINISTRATOR)
    page.goto("/connections/add/ghl")
    page.get_by_label("Name").fill("Marketing")
    page.get_by_label("Location id").fill(DEMO_LOCATION_ID)
    page.get_by_label("Private integration token").fill("pit-wrong")
    page.get_by_label("Address").fill(ghl_sandbox.url)
    with page.expect_response(lambda response: response.request.method == "POST") as answered:
        page.get_by_role("button", name="Test and connect").click()
    assert answered.value.status == 422
    expect(page.locator("#id_token_error")).to_contain_text("token")
    expect(page.get_by_label("Private integration token")).to_have_attribute("aria-invalid", "true")


def test_a_session_that_ended_turns_a_refreshing_page_into_sign_in(open_page: OpenPage) -> None:
    Run.objects.create(sync=make_sync(), kind=RunKind.POLL)
    page = open_page(Role.VIEWER)
    page.context.clear_cookies()
    page.wait_for_url("**/accounts/login/?next=/")


def test_the_chosen_appearance_is_kept(open_page: OpenPage) -> None:
    page = open_page(Role.VIEWER, color_scheme="light")
    page.get_by_text("viewer@example.com").first.click()
    page.get_by_label("Dark").check()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_the_appearance_follows_the_system(open_page: OpenPage) -> None:
    expect(open_page(color_scheme="dark").locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_the_first_tab_leads_past_the_navigation(open_page: OpenPage) -> None:
    page = open_page(Role.VIEWER)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_contact_is_retried_by_keyboard(open_page: OpenPage) -> None:
    contact = failed_contact()
    page = open_page(Role.OPERATOR)
    page.goto(f"/contacts/{contact.pk}/")
    page.get_by_role("button", name="Retry").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The contact will be tried again now.")).to_be_visible()


def without_scripts(open_page: OpenPage, role: Role) -> Page:
    return open_page(role, java_script_enabled=False)


def test_without_javascript_contacts_are_found(open_page: OpenPage) -> None:
    sync = make_sync()
    for name in ("Anna Weiß", "Bernd Groß"):
        make_contact(sync, label=name)
    page = without_scripts(open_page, Role.VIEWER)
    page.goto("/contacts/")
    page.get_by_placeholder("Name, e-mail").fill("weiß")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row")).to_have_count(2)


def test_without_javascript_a_row_is_retried(open_page: OpenPage) -> None:
    contact = failed_contact()
    page = without_scripts(open_page, Role.OPERATOR)
    page.goto("/contacts/?status=failed")
    page.get_by_role("button", name="Retry Renate").click()
    page.wait_for_url("**/contacts/?status=failed")
    assert Contact.objects.get(pk=contact.pk).status == Status.PENDING


def test_without_javascript_a_conflict_is_decided(open_page: OpenPage) -> None:
    both: dict[str, Any] = {"base": {"fields": {"phone": ["1", "1"]}}, "seen": {"phone": ["+49 30 2", "+49 30 3"]}}
    contact = make_contact(make_sync(), Status.CONFLICT, conflicts=["phone"], **both)
    page = without_scripts(open_page, Role.OPERATOR)
    page.goto(f"/contacts/{contact.pk}/")
    page.get_by_role("button", name="Take this value Phone, CentralStationCRM").click()
    assert Contact.objects.get(pk=contact.pk).decisions == {"phone": "centralstation"}


def test_without_javascript_a_deletion_is_decided_after_a_warning(open_page: OpenPage) -> None:
    contact = make_contact(make_sync(), Status.QUARANTINED, missing_on=Side.GHL)
    page = without_scripts(open_page, Role.OPERATOR)
    page.goto(f"/contacts/{contact.pk}/")
    page.get_by_role("link", name="Keep and unlink").click()
    page.get_by_role("button", name="Keep and unlink").click()
    expect(page.get_by_text("The contact is kept, and no longer linked.")).to_be_visible()


def test_without_javascript_a_run_begins(open_page: OpenPage) -> None:
    make_sync()
    without_scripts(open_page, Role.OPERATOR).get_by_role("button", name="Run now").click()
    assert Run.objects.get().kind == RunKind.POLL


def test_without_javascript_one_signs_out(open_page: OpenPage) -> None:
    page = without_scripts(open_page, Role.VIEWER)
    page.get_by_text("viewer@example.com").first.click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/")


# Every page


def addresses(sync: Sync) -> list[str]:
    contacts = [sync.contacts.filter(status=status)[0].pk for status in ("conflict", "review", "quarantined", "failed", "in_sync")]
    quarantined = contacts[2]
    pages = [
        "/",
        "/contacts/",
        "/contacts/?q=nobody",
        "/runs/",
        "/reports/",
        "/notifications/",
        "/connections/",
        "/connections/add/ghl",
        "/connections/add/centralstation",
    ]
    pages += [
        "/syncs/",
        "/syncs/add",
        "/people/",
        "/people/add",
        "/people/invite",
        "/audit/",
        "/accounts/password/change/",
        "/accounts/logout/",
    ]
    pages += [f"/contacts/{pk}/" for pk in contacts]
    pages += [f"/contacts/{quarantined}/do/delete-there", f"/contacts/{quarantined}/exclude", f"/runs/{sync.runs.all()[0].pk}/"]
    pages += [f"/syncs/{sync.pk}/", f"/syncs/{sync.pk}/edit", f"/syncs/{sync.pk}/go-live"]
    return [*pages, *(f"/connections/{sync.ghl_id}/{rest}" for rest in ("", "edit", "credential", "delete"))]


def serious(page: Page) -> list[str]:
    """What axe finds serious or critical on the page as it is."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_every_page_is_accessible_and_fits(open_page: OpenPage, width: int, scheme: str) -> None:
    sync = demo()
    page = open_page(Role.ADMINISTRATOR, width=width, color_scheme=scheme)
    faults: dict[str, Any] = {}
    for address in addresses(sync):
        page.goto(address)
        is_too_wide = page.evaluate("document.documentElement.scrollWidth") > width
        if wrong := [*serious(page), *(["too wide"] if is_too_wide else [])]:
            faults[address] = wrong
    assert faults == {}


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_pages_of_a_mapping_are_accessible_and_fit(open_page: OpenPage, joined_live: Sync, width: int, scheme: str) -> None:
    page = open_page(Role.ADMINISTRATOR, width=width, color_scheme=scheme)
    for address in ("", "add"):
        page.goto(f"/syncs/{joined_live.pk}/mappings/{address}")
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_page_is_accessible(open_page: OpenPage, scheme: str) -> None:
    assert serious(open_page(width=390, color_scheme=scheme)) == []


@pytest.fixture
def joined_live(transactional_db: None, request: pytest.FixtureRequest) -> Sync:
    """`joined`, committed, so that the server's thread sees it."""
    sync: Sync = request.getfixturevalue("joined")
    return sync
