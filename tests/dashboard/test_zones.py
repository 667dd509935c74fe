"""Times and days are those of the browser's time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from crmsync.accounts import Role
from crmsync.models import Change, Every, ReportSubscription, Sync
from crmsync.sync.figures import Unit, figures
from crmsync.sync.periods import period, report
from dashboard.zones import COOKIE, zone_named
from tests.dashboard.conftest import OpenPage
from tests.dashboard.data import make_change, make_contact

BERLIN, KOLKATA = zone_named("Europe/Berlin"), zone_named("Asia/Kolkata")


def written(sync: Sync, at: datetime) -> None:
    change = make_change(make_contact(sync))
    Change.objects.filter(pk=change.pk).update(at=at)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "localtime", "../../etc/passwd", "Europe/Berlin; Path=/"])
def test_what_is_no_time_zone_is_utc(name: str) -> None:
    assert zone_named(name).key == "UTC"


def test_times_are_shown_in_the_browsers_zone(viewer: Client, sync: Sync) -> None:
    written(sync, datetime(2026, 7, 1, 12, tzinfo=UTC))
    viewer.cookies[COOKIE] = "Europe/Berlin"
    assert "2026-07-01 14:00:00 CEST" in viewer.get(f"/contacts/{sync.contacts.get().pk}/").content.decode()


@time_machine.travel(datetime(2026, 11, 30, 23, 30, tzinfo=UTC), tick=False)
def test_a_report_is_of_the_day_that_it_is_over_there(viewer: Client, sync: Sync) -> None:
    viewer.cookies[COOKIE] = "Europe/Berlin"
    assert "2026-12-01" in viewer.get("/reports/?every=day").content.decode()


def test_a_day_begins_at_midnight_over_there(sync: Sync) -> None:
    written(sync, datetime(2026, 6, 30, 22, tzinfo=UTC))
    with timezone.override(BERLIN):
        assert report([sync], period(Every.DAY, date(2026, 7, 1))).whole.total == 1


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
def test_a_day_has_all_its_hours_where_the_clocks_change(sync: Sync, day: date, hours: int) -> None:
    with timezone.override(BERLIN):
        of = period(Every.DAY, day)
        slots = list(figures([sync], of.start, of.end, Unit.HOUR))
    assert (len(slots), slots[-1] - slots[0]) == (hours, timedelta(hours=hours - 1))


def test_a_week_in_which_the_clocks_change_has_seven_days(sync: Sync) -> None:
    written(sync, datetime(2026, 10, 25, 22, 30, tzinfo=UTC))
    with timezone.override(BERLIN):
        slots = report([sync], period(Every.WEEK, date(2026, 10, 25))).slots
    assert [one.total for one in slots.values()] == [0, 0, 0, 0, 0, 0, 1]


def test_hours_begin_with_the_zones_own(sync: Sync) -> None:
    written(sync, datetime(2026, 7, 1, 12, 20, tzinfo=UTC))
    with timezone.override(KOLKATA):
        of = period(Every.DAY, date(2026, 7, 1))
        [moment] = [moment for moment, one in figures([sync], of.start, of.end, Unit.HOUR).items() if one.total]
    assert moment == datetime(2026, 7, 1, 11, 30, tzinfo=UTC)


def test_a_zone_without_a_city_is_kept_by_its_name(viewer: Client) -> None:
    viewer.cookies[COOKIE] = "Etc/GMT+8"
    viewer.post("/notifications/", {"every": ["day"]})
    assert ReportSubscription.objects.get().zone == "Etc/GMT+8"


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_browser_tells_its_zone(open_page: OpenPage) -> None:
    page = open_page(Role.VIEWER, timezone_id="Asia/Tokyo")
    page.goto("/notifications/")
    expect(page.get_by_text("time zone, Asia/Tokyo")).to_be_visible()
