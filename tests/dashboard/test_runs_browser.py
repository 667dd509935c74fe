"""A run watched live in a real browser, from the button to its end, and with JavaScript off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from playwright.sync_api import expect

from crmsync.accounts import Role
from crmsync.models import Run, Sync
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sync import runs
from tests.dashboard.conftest import OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PEOPLE = 12


@pytest.fixture
def people(joined: Sync, ghl_sandbox: Ghl) -> Sync:
    """So many people, in GoHighLevel only."""
    for n in range(PEOPLE):
        ghl_sandbox.add_contact(firstName="Ada", lastName=f"Lovelace {n}", email=f"ada{n}@example.org")
    return joined


@contextmanager
def at_work_on(run: Run) -> Iterator[None]:
    """As a background worker, while somebody watches."""

    def work() -> None:
        try:
            runs.work_on(run)
        finally:
            connection.close()

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_a_run_is_watched_from_its_button_to_its_end(open_page: OpenPage, people: Sync, centralstation_sandbox: CentralStation) -> None:
    page = open_page(Role.OPERATOR)
    page.goto(f"/syncs/{people.pk}/run")
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("link", name="First sync").first.click()
    expect(page.get_by_text("Reading both accounts")).to_be_visible()
    with at_work_on(Run.objects.get()):
        expect(page.locator(".title").get_by_text("done")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Reading both accounts")).to_be_hidden()
    expect(page.get_by_role("link", name=f"{PEOPLE} in sync")).to_be_visible()
    expect(page.get_by_role("row", name=f"Contacts CentralStationCRM {PEOPLE} 0 0 0 0")).to_be_visible()
    assert len(centralstation_sandbox.overview()) == PEOPLE


def test_a_run_is_looked_at_without_javascript(open_page: OpenPage, people: Sync) -> None:
    run = runs.begin(people, runs.kind_of_next_run(people, full=False))
    page = open_page(Role.VIEWER, java_script_enabled=False)
    page.goto(f"/runs/{run.pk}/")
    expect(page.get_by_text("Reading both accounts")).to_be_visible()
    runs.work_on(run)
    page.reload()
    expect(page.get_by_role("link", name=f"{PEOPLE} in sync")).to_be_visible()


def test_axe_finds_nothing_on_a_run_and_on_what_undoing_it_would_do(open_page: OpenPage, people: Sync) -> None:
    run = runs.work_on(runs.begin(people, runs.kind_of_next_run(people, full=False)))
    page = open_page(Role.OPERATOR)
    for address in (f"/runs/{run.pk}/", f"/undo/run/{run.pk}"):
        page.goto(address)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_a_run_is_undone_from_its_page(open_page: OpenPage, people: Sync, centralstation_sandbox: CentralStation) -> None:
    run = runs.work_on(runs.begin(people, runs.kind_of_next_run(people, full=False)))
    page = open_page(Role.OPERATOR)
    page.goto(f"/runs/{run.pk}/")
    page.get_by_role("link", name="Undo this run…").click()
    expect(page.get_by_text(f"{PEOPLE} contacts that were created in CentralStationCRM are deleted there.")).to_be_visible()
    expect(page.get_by_role("link", name="Ada Lovelace")).to_have_count(10)
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url("**/undone/**")
    runs.work_on(Run.objects.get(kind="undo"))
    expect(page.get_by_text("Nothing was left: all of it could be undone.")).to_be_visible()
    assert centralstation_sandbox.overview() == []
