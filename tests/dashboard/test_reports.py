"""Reports on a page and as CSV."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.test import Client

from crmsync.models import Change, Every, Result, Sync
from tests.dashboard.data import make_change, make_contact, make_sync

NOON = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
DAY = "/reports/?every=day&day=2026-11-24"


def written(sync: Sync, **values: object) -> None:
    change = make_change(make_contact(sync), **values)
    Change.objects.filter(pk=change.pk).update(at=NOON)


def test_the_address_says_which_day_is_reported(sync: Sync, viewer: Client) -> None:
    written(sync)
    days = [viewer.get(f"/reports/?every=day&day=2026-11-{day}").context["report"].whole.written for day in (23, 24)]
    assert days == [0, 1]


def test_the_address_says_which_sync_is_reported(sync: Sync, viewer: Client) -> None:
    written(sync)
    other = make_sync("Hamburg")
    assert [viewer.get(f"{DAY}&sync={one.pk}").context["report"].whole.written for one in (sync, other)] == [1, 0]


@pytest.mark.parametrize("query", ["", "?every=year", "?every=day&day=yesterday", "?day=9999-12-31&every=month", "?day=0001-01-01"])
def test_an_address_that_is_not_understood_is_answered_all_the_same(sync: Sync, viewer: Client, query: str) -> None:
    assert viewer.get(f"/reports/{query}").status_code == 200


def test_a_period_that_is_not_over_is_marked(sync: Sync, viewer: Client) -> None:
    assert "not over yet" in viewer.get("/reports/").content.decode()


def test_there_is_no_way_into_the_future(sync: Sync, viewer: Client) -> None:
    assert viewer.get("/reports/").context["later"] == ""


def test_a_reason_is_told_with_how_often(sync: Sync, viewer: Client) -> None:
    written(sync, result=Result.FAILED, reason="The phone is invalid.")
    assert "<td>The phone is invalid.</td><td>1</td>" in viewer.get(DAY).content.decode()


@pytest.mark.parametrize(("every", "rows"), [(Every.DAY, 24), (Every.WEEK, 7), (Every.MONTH, 30)])
def test_the_csv_has_a_line_an_hour_or_a_day(sync: Sync, viewer: Client, every: Every, rows: int) -> None:
    lines = viewer.get(f"/reports/csv?every={every}&day=2026-11-24").content.decode().splitlines()
    assert lines[0] == "begins_at,written,verified,failed,lag_p50_s,lag_p95_s"
    assert len(lines) == rows + 1


def test_the_csv_has_the_numbers(sync: Sync, viewer: Client) -> None:
    written(sync, lag_s=2.5)
    assert "2026-11-24T12:00:00+00:00,1,1,0,2.5,2.5" in viewer.get("/reports/csv?every=day&day=2026-11-24").content.decode().splitlines()


def test_a_report_tells_within_how_long_half_and_nearly_all_were_written(sync: Sync, viewer: Client) -> None:
    for lag_s in (1.5, 2.0, 2.5, 40.0):
        written(sync, lag_s=lag_s)
    shown = viewer.get(DAY).content.decode()
    assert ["<dd>2 s</dd>" in shown, "<dd>40 s</dd>" in shown] == [True, True]


def test_a_report_without_a_known_delay_tells_none(sync: Sync, viewer: Client) -> None:
    assert viewer.get(DAY).content.decode().count("<dd>–</dd>") == 3


def test_a_report_of_one_sync_names_it_on_paper_too(sync: Sync, viewer: Client) -> None:
    make_sync("Hamburg")
    [heading] = re.findall(r"<h2>2026-11-24.*?</h2>", viewer.get(f"{DAY}&sync={sync.pk}").content.decode())
    assert "Berlin" in heading
