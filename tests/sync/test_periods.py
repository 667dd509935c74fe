"""Reports of a day, a week, a month."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from crmsync.models import Change, Every, Issue, Result, Sync
from crmsync.sync.periods import Report, period, report
from tests.dashboard.data import make_change, make_contact, make_sync

TUESDAY = date(2026, 11, 24)


@pytest.fixture
def sync(db: None) -> Sync:
    return make_sync()


def written(sync: Sync, at: datetime = datetime(2026, 11, 24, 12, tzinfo=UTC), **values: object) -> None:
    change = make_change(make_contact(sync), **values)
    Change.objects.filter(pk=change.pk).update(at=at)


def on_tuesday(sync: Sync) -> Report:
    return report([sync], period(Every.DAY, TUESDAY))


@pytest.mark.parametrize(
    ("every", "first", "last"),
    [
        (Every.DAY, date(2026, 11, 24), date(2026, 11, 24)),
        (Every.WEEK, date(2026, 11, 23), date(2026, 11, 29)),
        (Every.MONTH, date(2026, 11, 1), date(2026, 11, 30)),
    ],
)
def test_a_period_is_the_one_that_the_day_is_in(every: Every, first: date, last: date) -> None:
    found = period(every, TUESDAY)
    assert (found.first, found.last) == (first, last)


@pytest.mark.parametrize("every", Every)
def test_periods_follow_each_other_without_gap(every: Every) -> None:
    found = period(every, date(2026, 12, 31))
    assert (found.previous.after, found.following.first) == (found.first, found.after)


def test_midnight_belongs_to_the_day_that_begins(sync: Sync) -> None:
    written(sync, datetime(2026, 11, 25, tzinfo=UTC))
    assert on_tuesday(sync).whole.total == 0


def test_the_failure_rate_is_of_all_that_was_tried(sync: Sync) -> None:
    for result in (Result.VERIFIED, Result.ACCEPTED, Result.FAILED, Result.NOT_KEPT):
        written(sync, result=result)
    assert on_tuesday(sync).failure_rate == 0.5


def test_the_verified_share_is_of_what_was_written(sync: Sync) -> None:
    for result in (Result.VERIFIED, Result.ACCEPTED, Result.FAILED):
        written(sync, result=result)
    assert on_tuesday(sync).verified_share == 0.5


def test_without_changes_there_are_no_shares(sync: Sync) -> None:
    assert (on_tuesday(sync).failure_rate, on_tuesday(sync).verified_share) == (None, None)


def test_causes_come_most_frequent_first(sync: Sync) -> None:
    for reason in ("rare", "usual", "usual"):
        written(sync, result=Result.FAILED, reason=reason)
    assert on_tuesday(sync).causes == [("usual", 2, None), ("rare", 1, None)]


def test_what_one_issue_is_about_is_one_cause_whatever_the_crm_said(sync: Sync) -> None:
    issue = Issue.objects.create(sync=sync, code="refused", side="ghl", subject="email", explanation="GoHighLevel refused the e-mail.")
    for reason in ("a is no e-mail", "b is no e-mail"):
        written(sync, result=Result.FAILED, reason=reason, issue=issue)
    assert on_tuesday(sync).causes == [("GoHighLevel refused the e-mail.", 2, issue.pk)]


def test_a_contact_written_to_twice_is_touched_once(sync: Sync) -> None:
    contact = make_contact(sync)
    for _ in range(2):
        make_change(contact)
    Change.objects.update(at=datetime(2026, 11, 24, 12, tzinfo=UTC))
    assert on_tuesday(sync).contacts == 1


def test_a_report_has_a_constant_number_of_queries(sync: Sync, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(5):
        written(sync)
    with django_assert_num_queries(4):
        report([sync], period(Every.MONTH, TUESDAY))
