"""Mapping a field in a real browser: what can't go together is said while it is chosen; revisions are compared and restored."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from crmsync.accounts import Role
from crmsync.models import Sync
from crmsync.sync import mappings
from tests.dashboard.conftest import OpenPage
from tests.dashboard.test_browser import joined_live, serious

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["joined_live"]


def test_a_pair_that_cannot_be_is_said_when_it_is_chosen(open_page: OpenPage, joined_live: Sync) -> None:
    joined_live.mappings.filter(name__in=["company", "birthday"]).delete()
    page = open_page(Role.ADMINISTRATOR)
    page.goto(f"/syncs/{joined_live.pk}/mappings/add")
    page.get_by_label("GoHighLevel field").select_option("companyName")
    page.get_by_label("CentralStationCRM field").select_option("birthday")
    expect(page.locator("#pair-check")).to_contain_text("takes dates only")


def test_without_javascript_a_revision_is_restored(open_page: OpenPage, joined_live: Sync) -> None:
    mappings.remove(joined_live.mappings.get(name="phone"))
    page = open_page(Role.ADMINISTRATOR, java_script_enabled=False)
    page.goto(f"/syncs/{joined_live.pk}/mappings/revisions/1/")
    page.get_by_role("link", name="Restore").click()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("cell", name="phone", exact=True)).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_pages_of_revisions_are_accessible_and_fit(open_page: OpenPage, joined_live: Sync, width: int, scheme: str) -> None:
    mappings.remove(joined_live.mappings.get(name="phone"))
    page = open_page(Role.ADMINISTRATOR, width=width, color_scheme=scheme)
    for address in ("", "1/", "2/?to=1", "1/restore"):
        page.goto(f"/syncs/{joined_live.pk}/mappings/revisions/{address}")
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
