"""Charts in a real browser: drawn where there is JavaScript, a table where there is none."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from crmsync.accounts import Role
from tests.dashboard.conftest import OpenPage
from tests.dashboard.data import make_change, make_contact, make_sync


def colour_of_the_highest_bar(page: Page) -> str:
    """The chart's own colour of what was written, as charts.js resolved it."""
    found: str = page.evaluate("Chart.getChart(document.querySelector('canvas')).data.datasets[0].backgroundColor")
    return found


def test_a_chart_is_drawn_and_its_table_folded(open_page: OpenPage) -> None:
    make_change(make_contact(make_sync()))
    page = open_page(Role.VIEWER)
    expect(page.get_by_role("img", name="Changes per hour")).to_be_visible()
    expect(page.get_by_text("As a table").first).to_be_visible()
    assert page.locator("details.chart-table[open]").count() == 0


def test_a_chart_takes_the_colours_of_the_theme_that_is_chosen(open_page: OpenPage) -> None:
    make_sync()
    page = open_page(Role.VIEWER, color_scheme="light")
    before = colour_of_the_highest_bar(page)
    page.evaluate("document.documentElement.setAttribute('data-bs-theme', 'dark')")
    page.wait_for_function(
        "(before) => Chart.getChart(document.querySelector('canvas')).data.datasets[0].backgroundColor !== before", arg=before
    )
    assert colour_of_the_highest_bar(page) != before


def test_without_javascript_the_table_is_open_and_no_empty_chart_is_shown(open_page: OpenPage) -> None:
    make_change(make_contact(make_sync()))
    page = open_page(Role.VIEWER, java_script_enabled=False)
    assert page.locator("details.chart-table[open]").count() == 2
    expect(page.locator(".chart-space").first).to_be_hidden()
