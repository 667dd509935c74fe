"""What is told of a connection's webhooks: coverage, what arrived, what was refused, and the alarm when none comes any more."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from crmsync.engine.records import Side
from crmsync.models import Connection, Event, Tally
from crmsync.sync import listening

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection() -> Connection:
    return Connection.objects.create(system=Side.GHL, name="Marketing", root="http://127.0.0.1:9")


def ago(**time: float) -> datetime:
    return timezone.now() - timedelta(**time)


def count(connection: Connection, name: str, n: int, at: datetime | None = None) -> None:
    at = at or timezone.now()
    Tally.objects.create(connection=connection, name=name, hour=at.replace(minute=0, second=0, microsecond=0), count=n, last_at=at)


def hear(connection: Connection, at: datetime) -> None:
    event = Event.objects.create(connection=connection, via=Event.Via.APP, type="ContactUpdate", body="{}")
    Event.objects.filter(pk=event.pk).update(received_at=at)


def deafness(connection: Connection) -> str:
    return listening.deafness(connection, timezone.now())


def test_coverage_is_the_share_that_was_announced(connection: Connection) -> None:
    count(connection, "announced", 19)
    count(connection, "found", 1)
    assert listening.coverage(connection) == 0.95


def test_coverage_is_unknown_where_nothing_changed(connection: Connection) -> None:
    assert listening.coverage(connection) is None


def test_coverage_forgets_what_is_older_than_a_week(connection: Connection) -> None:
    count(connection, "announced", 1)
    count(connection, "found", 99, ago(days=8))
    assert listening.coverage(connection) == 1.0


def test_coverage_is_the_connections_own(connection: Connection) -> None:
    count(Connection.objects.create(system=Side.GHL, name="Another", root="http://127.0.0.1:9"), "found", 5)
    assert listening.coverage(connection) is None


def test_echoes_are_added_up_over_all_hours(connection: Connection) -> None:
    for hours in (0, 1, 500):
        count(connection, "echo", 2, ago(hours=hours))
    assert listening.echoes(connection) == 6


def test_what_was_refused_is_counted_by_reason(connection: Connection) -> None:
    count(connection, "refused:signature", 2)
    count(connection, "refused:signature", 1, ago(hours=2))
    count(connection, "refused:too_old", 4)
    assert listening.refused(connection) == {"signature": 3, "too_old": 4}


def test_each_type_of_event_is_told_with_how_often_and_when_last(connection: Connection) -> None:
    latest = timezone.now()
    count(connection, "event:NoteCreate", 1, ago(days=3))
    count(connection, "event:NoteCreate", 2, latest)
    assert listening.arrivals(connection) == {"NoteCreate": listening.Arrived(3, latest)}


def test_the_last_event_is_known_after_the_event_itself_is_pruned(connection: Connection) -> None:
    at = ago(days=30)
    count(connection, "event:ContactUpdate", 1, at)
    assert listening.last_event(connection) == at


def test_an_event_is_told_before_it_is_handled(connection: Connection) -> None:
    at = ago(minutes=1)
    hear(connection, at)
    assert listening.last_event(connection) == at


def test_a_connection_that_fell_silent_is_deaf(connection: Connection) -> None:
    hear(connection, ago(hours=5))
    count(connection, "found", 14)
    assert deafness(connection).startswith("Polling found 14 changes, no webhook for 5 hours. Check the webhook address")


def test_one_that_should_hear_and_never_has_is_deaf(connection: Connection) -> None:
    connection.hooks_wanted = True
    count(connection, "found", 10)
    assert "no webhook has come yet" in deafness(connection)


def test_a_centralstation_account_is_told_the_button_to_press(connection: Connection) -> None:
    connection.system = Side.CENTRALSTATION
    hear(connection, ago(hours=5))
    count(connection, "found", 10)
    assert "Check and repair" in deafness(connection)


def test_what_is_refused_meanwhile_is_the_thing_to_check(connection: Connection) -> None:
    hear(connection, ago(hours=5))
    count(connection, "found", 10)
    count(connection, "refused:signature", 3)
    assert "were refused (signature)" in deafness(connection)


@pytest.mark.parametrize(
    ("heard_ago", "found", "found_ago"),
    [
        pytest.param(2, 50, 0, id="an event came lately"),
        pytest.param(5, 9, 0, id="little was found"),
        pytest.param(9, 50, 5, id="it was found before"),
        pytest.param(None, 50, 0, id="it was never meant to hear"),
    ],
)
def test_there_is_no_alarm_where(connection: Connection, heard_ago: int | None, found: int, found_ago: int) -> None:
    if heard_ago is not None:
        hear(connection, ago(hours=heard_ago))
    count(connection, "found", found, ago(hours=found_ago))
    assert deafness(connection) == ""


def test_a_paused_connection_gives_no_alarm(connection: Connection) -> None:
    hear(connection, ago(hours=5))
    count(connection, "found", 50)
    connection.paused_at = ago(hours=1)
    assert deafness(connection) == ""


def test_counting_adds_to_the_hour(connection: Connection) -> None:
    Tally.add(connection.pk, "echo")
    Tally.add(connection.pk, "echo", 4)
    assert listening.echoes(connection) == 5
