"""The list of contacts in a real browser: views kept and passed on, ticking, an export opened; with and without JavaScript."""

from __future__ import annotations

import csv

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from crmsync.accounts import Role
from crmsync.models import Contact, SavedView, Status
from tests.dashboard.conftest import OpenPage
from tests.dashboard.data import make_contact, make_sync

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def three() -> list[Contact]:
    sync = make_sync()
    return [
        make_contact(sync, label="Anna Weiß", email="anna@weiss.de", base={"tags": ["vip"]}),
        make_contact(sync, Status.FAILED, label="Bernd Groß", base={"tags": ["vip"]}, reason="phone: not kept."),
        make_contact(sync, Status.FAILED, label="Clara Öz"),
    ]


def test_a_filter_becomes_a_view_that_somebody_else_opens(open_page: OpenPage) -> None:
    three()
    page = open_page(Role.OPERATOR)
    page.goto("/contacts/?status=failed")
    page.get_by_placeholder("Tag").fill("vip")
    page.get_by_placeholder("Tag").press("Enter")
    page.wait_for_url("**tag=vip*")
    page.get_by_role("link", name="Save as a view").click()
    page.get_by_label("Name").fill("Important and failed")
    page.get_by_label("Share it").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Important and failed")).to_have_attribute("aria-current", "page")
    other = open_page(Role.VIEWER)
    other.goto("/contacts/")
    other.get_by_role("link", name="Important and failed").click()
    expect(other.get_by_role("row", name="Bernd")).to_be_visible()
    expect(other.get_by_role("row")).to_have_count(2)


def test_an_address_shows_somebody_else_the_same(open_page: OpenPage) -> None:
    three()
    page = open_page(Role.OPERATOR)
    page.goto("/contacts/")
    page.get_by_role("link", name="2 failed").click()
    page.get_by_placeholder("Name, e-mail").press_sequentially("bernd")
    expect(page.get_by_role("row")).to_have_count(2)
    page.wait_for_url("**q=bernd*")
    other = open_page(Role.VIEWER)
    other.goto(page.url)
    expect(other.get_by_role("row")).to_have_count(2)
    expect(other.get_by_role("row", name="Bernd")).to_be_visible()


def test_changing_the_filter_of_a_view_offers_to_keep_it(open_page: OpenPage) -> None:
    three()
    page = open_page(Role.VIEWER)
    view = SavedView.objects.create(name="Failed here", query="status=failed", owner=User.objects.get())
    page.goto(f"/contacts/?status=failed&view={view.pk}")
    page.get_by_label("Sort", exact=True).select_option("name")
    page.get_by_role("button", name="Update “Failed here”").click()
    expect(page.get_by_text("shows this from now on")).to_be_visible()
    assert SavedView.objects.get().query == "status=failed&sort=name"


def test_ticking_shows_what_can_be_done_with_how_many(open_page: OpenPage) -> None:
    three()
    page = open_page(Role.OPERATOR)
    page.goto("/contacts/")
    expect(page.get_by_role("button", name="Exclude…")).to_be_hidden()
    page.get_by_label("Choose all on this page").check()
    page.get_by_label("Choose Anna").uncheck()
    expect(page.get_by_role("combobox", name="Which contacts")).to_contain_text("Those ticked (2)")
    page.get_by_role("button", name="Exclude…").click()
    expect(page.get_by_text("2 contacts will be left alone")).to_be_visible()


def test_an_active_filter_is_taken_off_by_its_chip(open_page: OpenPage) -> None:
    three()
    page = open_page(Role.VIEWER)
    page.goto("/contacts/?tag=vip&status=failed")
    page.get_by_role("link", name="Remove: Tag: vip").click()
    page.wait_for_url("**/contacts/?status=failed")
    expect(page.get_by_role("row")).to_have_count(3)


def test_a_column_head_sorts(open_page: OpenPage) -> None:
    three()
    page = open_page(Role.VIEWER)
    page.goto("/contacts/")
    page.get_by_role("columnheader", name="Contact").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Contact")).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Anna")


@pytest.mark.parametrize("has_scripts", [True, False])
def test_the_export_has_what_is_shown(open_page: OpenPage, has_scripts: bool) -> None:
    shown = three()[1:]
    page = open_page(Role.VIEWER, java_script_enabled=has_scripts)
    page.goto("/contacts/?status=failed")
    with page.expect_download() as coming:
        page.get_by_role("link", name="Export CSV").click()
    with open(coming.value.path(), encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["id"]: row["status"] for row in rows} == {str(contact.pk): "failed" for contact in shown}


def test_filters_are_folded_on_a_phone(open_page: OpenPage) -> None:
    three()
    page = open_page(Role.VIEWER, width=390)
    page.goto("/contacts/")
    expect(page.get_by_placeholder("Tag")).to_be_hidden()
    page.get_by_text("Filters and order").click()
    expect(page.get_by_placeholder("Tag")).to_be_visible()


def test_without_javascript_a_view_is_kept_and_changed(open_page: OpenPage) -> None:
    three()
    page = open_page(Role.VIEWER, java_script_enabled=False)
    page.goto("/contacts/?status=failed")
    page.get_by_role("link", name="Save as a view").click()
    page.get_by_label("Name").fill("Broken")
    page.get_by_role("button", name="Save").click()
    page.get_by_placeholder("Name, e-mail").fill("bernd")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("button", name="Update “Broken”").click()
    assert SavedView.objects.get().query == "q=bernd&status=failed"


def test_without_javascript_those_ticked_are_excluded(open_page: OpenPage) -> None:
    anna = three()[0]
    page = open_page(Role.OPERATOR, java_script_enabled=False)
    page.goto("/contacts/")
    page.get_by_label("Choose Anna").check()
    page.get_by_role("button", name="Exclude…").click()
    page.get_by_label("Why are these").fill("asked us to")
    page.get_by_role("button", name="Exclude: 1 contact").click()
    assert list(Contact.objects.filter(status=Status.EXCLUDED)) == [anna]
