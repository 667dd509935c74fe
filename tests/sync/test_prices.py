"""What a bulk action costs is told before it starts."""

from __future__ import annotations

import pytest

from crmsync.engine.records import Side
from crmsync.models import RateBudget, RunKind
from crmsync.sync.prices import Price, price, totals
from tests.sync.conftest import Cli
from tests.sync.kit import Live


def calls(priced: Price) -> tuple[int, int]:
    return priced.calls[Side.GHL], priced.calls[Side.CENTRALSTATION]


def test_a_first_sync_lists_both_and_creates_what_is_missing(live: Live) -> None:
    # GHL: 3 pages, a request for each one's notes, a page of tasks, 500 creates. CentralStation: 2 pages, one each of notes and tasks, 300.
    found = price(live.sync, RunKind.FIRST_SYNC, totals={Side.GHL: 300, Side.CENTRALSTATION: 500})
    assert calls(found) == (3 + 300 + 1 + 500, 2 + 2 + 300)


def test_where_nothing_is_created_that_costs_nothing(live: Live) -> None:
    live.sync.create_in_ghl = live.sync.create_in_centralstation = False
    found = price(live.sync, RunKind.FIRST_SYNC, totals={Side.GHL: 300, Side.CENTRALSTATION: 500})
    assert calls(found) == (3 + 300 + 1, 2 + 2)


def test_what_is_not_synced_is_not_listed(live: Live) -> None:
    live.sync.sync_notes = live.sync.sync_tasks = False
    assert calls(price(live.sync, RunKind.FULL, totals={Side.GHL: 300, Side.CENTRALSTATION: 500})) == (3, 2)


def test_a_full_comparison_of_what_is_known(live: Live) -> None:
    for n in range(3):
        live.ghl.add_contact(firstName=f"Person {n}", email=f"p{n}@example.org")
    live.run()
    assert calls(price(live.sync, RunKind.FULL)) == (1 + 3 + 1, 1 + 1 + 1)


def test_a_retry_costs_by_the_contact(live: Live) -> None:
    assert calls(price(live.sync, RunKind.RETRY, contacts=10)) == (40, 30)


def test_the_time_is_that_of_the_slower_side(live: Live) -> None:
    RateBudget.objects.filter(pk=live.sync.centralstation_id).update(limit=50)
    live.sync.refresh_from_db()
    assert price(live.sync, RunKind.RETRY, contacts=100).seconds == 300 * 10 / 50


def test_more_than_the_day_has_left_is_warned_of(live: Live) -> None:
    RateBudget.objects.filter(pk=live.sync.ghl_id).update(left_today=399)
    live.sync.refresh_from_db()
    [warning] = price(live.sync, RunKind.RETRY, contacts=100).warnings
    assert warning.startswith("GoHighLevel takes only 399 more requests today.")


def test_what_fits_is_not_warned_of(live: Live) -> None:
    RateBudget.objects.filter(pk=live.sync.ghl_id).update(left_today=400)
    live.sync.refresh_from_db()
    assert price(live.sync, RunKind.RETRY, contacts=100).warnings == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "less than a minute"), (60, "about 1 minute"), (61, "about 2 minutes"), (7200, "about 2 hours")]
)
def test_the_time_is_told_in_words(seconds: float, words: str) -> None:
    nothing = dict.fromkeys(Side)
    assert Price(calls=dict.fromkeys(Side, 1), seconds=seconds, left=nothing).sentence.endswith(f"{words}.")


def test_the_accounts_tell_how_many_contacts_they_have(live: Live) -> None:
    live.ghl.add_contact(firstName="Ada")
    assert totals(live.sync) == {Side.GHL: 1, Side.CENTRALSTATION: 0}


def test_a_first_sync_from_the_command_line_tells_its_price(live: Live, cli: Cli) -> None:
    live.ghl.add_contact(firstName="Ada", email="ada@example.org")
    answer = cli("sync", "run", live.sync.pk, "--wait", "--json")
    assert answer.messages[0].startswith("Requests: up to about 3 to GoHighLevel and 3 to CentralStationCRM, in less than a minute")


def test_a_full_comparison_from_the_command_line_tells_its_price(live: Live, cli: Cli) -> None:
    live.run()
    assert cli("sync", "run", live.sync.pk, "--full", "--wait").messages[0].startswith("Requests: about 1 to GoHighLevel")


def test_looking_for_changes_tells_none(live: Live, cli: Cli) -> None:
    live.run()
    assert cli("sync", "run", live.sync.pk, "--wait").messages == []
