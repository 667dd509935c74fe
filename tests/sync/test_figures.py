"""What was written in a span of time, in numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from crmsync.models import Change, Contact, Result, Sync
from crmsync.sync.figures import Figures, Unit, figures, together
from tests.dashboard.data import make_change, make_contact, make_sync
from tests.sync.kit import Live

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def sync(db: None) -> Sync:
    return make_sync()


def written(sync: Sync, at: datetime, **values: object) -> None:
    change = make_change(make_contact(sync), **values)
    Change.objects.filter(pk=change.pk).update(at=at)


def test_an_hour_without_changes_is_there_and_empty(sync: Sync) -> None:
    slots = figures([sync], NOON, NOON + timedelta(hours=2), Unit.HOUR)
    assert [(moment.hour, one.total) for moment, one in slots.items()] == [(12, 0), (13, 0)]


def test_a_change_counts_in_its_hour(sync: Sync) -> None:
    written(sync, NOON + timedelta(minutes=61))
    slots = figures([sync], NOON, NOON + timedelta(hours=2), Unit.HOUR)
    assert [one.written for one in slots.values()] == [0, 1]


def test_days_are_whole_though_the_span_begins_at_noon(sync: Sync) -> None:
    written(sync, NOON - timedelta(hours=11))
    assert [one.written for one in figures([sync], NOON, NOON + timedelta(hours=1), Unit.DAY).values()] == [1]


@pytest.mark.parametrize("result", [Result.FAILED, Result.NOT_KEPT])
def test_what_was_refused_or_not_kept_failed(sync: Sync, result: Result) -> None:
    written(sync, NOON, result=result)
    whole = together(figures([sync], NOON, NOON + timedelta(hours=1), Unit.HOUR))
    assert (whole.written, whole.failed) == (0, 1)


def test_another_syncs_changes_do_not_count(sync: Sync) -> None:
    written(make_sync("Hamburg"), NOON)
    assert together(figures([sync], NOON, NOON + timedelta(hours=1), Unit.HOUR)).total == 0


def test_what_failed_has_no_lag(sync: Sync) -> None:
    written(sync, NOON, result=Result.FAILED, lag_s=5.0)
    assert together(figures([sync], NOON, NOON + timedelta(hours=1), Unit.HOUR)).lag(0.5) is None


@pytest.mark.parametrize(("share", "lag_s"), [(0.5, 1.0), (0.94, 2.0), (0.95, 2.0), (0.96, 90.0), (1.0, 90.0)])
def test_a_lag_is_what_this_share_did_not_exceed(share: float, lag_s: float) -> None:
    one = Figures()
    one.lags.update({1.0: 50, 2.0: 45, 90.0: 5})
    assert one.lag(share) == lag_s


def test_a_write_keeps_how_long_its_change_was_known(live: Live, ada: Contact) -> None:
    live.ghl.edit_contact(str(ada.ghl_id), city="Bonn")
    known_at = timezone.now() - timedelta(seconds=300)
    Contact.objects.filter(pk=ada.pk).update(dirty_since=known_at)
    live.poll()
    assert [lag_s for lag_s in Change.objects.values_list("lag_s", flat=True) if lag_s] == [pytest.approx(300, abs=10)]


def test_a_run_that_compares_everything_has_no_lag(live: Live, ada: Contact) -> None:
    assert set(Change.objects.values_list("lag_s", flat=True)) == {None}
