"""The rate budget between live and background work, and the circuit breaker. Times are real, and short."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection as database
from django.utils import timezone

from crmsync.engine.records import Side
from crmsync.models import Connection, RateBudget
from crmsync.sync import budget
from crmsync.sync.budget import DatabaseBudget, create_budget
from crmsync.systems.errors import RateLimited, Resting


@pytest.fixture
def connection(transactional_db: None) -> Connection:
    """An account that allows 10 requests a second."""
    one = Connection.objects.create(system=Side.GHL, name="GHL", root="http://127.0.0.1:1", account_id="L", credential="t")
    create_budget(one, (10, 1.0))
    return one


def row(connection: Connection) -> RateBudget:
    return RateBudget.objects.get(pk=connection.pk)


def in_background(connection: Connection, threads: int, seconds: float) -> list[threading.Thread]:
    """So many threads that ask as fast as they are let, for so long."""
    until = time.monotonic() + seconds

    def ask() -> None:
        mine = DatabaseBudget(connection)
        while time.monotonic() < until:
            mine.acquire()
        database.close()

    started = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in started:
        thread.start()
    return started


def test_background_work_reserves_nothing_that_a_live_request_would_have_to_wait_behind(connection: Connection) -> None:
    threads = in_background(connection, 8, 2.5)
    time.sleep(1.5)
    assert row(connection).slots[-1] - budget.now_s() <= 2 * budget.IN_SIGHT_S
    for thread in threads:
        thread.join()


def test_background_work_stands_back_while_live_changes_are_written(connection: Connection) -> None:
    began = time.monotonic()
    RateBudget.objects.update(live_until=budget.now_s() + 1.5)
    DatabaseBudget(connection).acquire()
    assert time.monotonic() - began > 1.4


def test_a_live_request_makes_background_work_stand_back(connection: Connection) -> None:
    before = budget.now_s()
    DatabaseBudget(connection, is_live=True).acquire()
    assert row(connection).live_until > before


def test_background_work_alone_has_the_whole_rate(connection: Connection) -> None:
    threads = in_background(connection, 8, 3.0)
    for thread in threads:
        thread.join()
    assert row(connection).calls >= 12


def test_the_last_calls_of_a_day_are_kept_for_live_changes(connection: Connection) -> None:
    mine = DatabaseBudget(connection)
    mine.acquire()
    mine.learn(left_today=3000)
    with pytest.raises(RateLimited, match="3000"):
        mine.acquire()
    DatabaseBudget(connection, is_live=True).acquire()


def broken(connection: Connection) -> DatabaseBudget:
    mine = DatabaseBudget(connection)
    for _ in range(budget.BREAK_AFTER):
        mine.failed()
    return mine


def test_a_crm_out_of_order_is_not_asked(connection: Connection) -> None:
    with pytest.raises(Resting) as raised:
        broken(connection).acquire()
    assert 0 < (raised.value.retry_after_s or 0) <= budget.FIRST_REST_S


def test_after_a_rest_one_request_probes_and_others_wait_for_it(connection: Connection) -> None:
    mine = broken(connection)
    RateBudget.objects.update(broken_until=1)
    mine.acquire()
    with pytest.raises(Resting):
        DatabaseBudget(connection).acquire()


def test_the_first_answer_ends_the_rest(connection: Connection) -> None:
    mine = broken(connection)
    RateBudget.objects.update(broken_until=1)
    mine.acquire()
    mine.answered()
    DatabaseBudget(connection).acquire()
    assert row(connection).failures == 0


def test_each_probe_in_vain_makes_the_rest_longer_up_to_a_limit(connection: Connection) -> None:
    mine = broken(connection)
    for _ in range(30):
        mine.failed()
    assert row(connection).broken_until - time.time() <= budget.LONGEST_REST_S + 1


def test_an_answer_in_between_begins_the_count_anew(connection: Connection) -> None:
    mine = DatabaseBudget(connection)
    for _ in range(budget.BREAK_AFTER - 1):
        mine.failed()
    mine.answered()
    mine.failed()
    mine.acquire()
    assert row(connection).failures == 1


def test_requests_of_a_day_are_counted_by_themselves(connection: Connection) -> None:
    yesterday = timezone.now().date() - timedelta(days=1)
    RateBudget.objects.filter(pk=connection.pk).update(today=yesterday, calls=700, calls_today=500)
    for _ in range(2):
        DatabaseBudget(connection).acquire()
    assert (row(connection).calls_today, row(connection).calls) == (2, 702)
