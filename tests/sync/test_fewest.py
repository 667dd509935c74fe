"""The fewest requests that a run could have done with: told from its own figures, held against what the CRMs held before and after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crmsync.engine.records import SIDES, Aspect, Side
from crmsync.models import Contact, Run
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.core import SimulatedCrm
from crmsync.sandbox.ghl import Ghl
from crmsync.sync.fewest import Account, Done, Why, account, pages, reads_of_one
from crmsync.sync.figures import requests_of_run
from tests.benchmarks import fewest
from tests.sync.kit import Live

FULL: dict[str, Any] = {"listed": {"contacts": 1000, "task": 100}, "compared": 1000, "aspects": Aspect.ALL}


def told(calls: dict[str, int], side: Side = Side.GHL, **done: Any) -> Account:
    """The account of a run that has made these requests."""
    named = {f"{side}.{name}": n for name, n in calls.items()}
    values: dict[str, Any] = {"listed": None, "compared": 0, "aspects": Aspect.ALL, **done}
    return account(side, {str(side): sum(calls.values()), **named}, Done(**values))


# The rule


def test_pages_are_counted_by_the_largest() -> None:
    assert [pages(n, 250) for n in (0, 1, 250, 251)] == [0, 1, 1, 2]


def test_a_list_is_needed_once_by_the_largest_pages() -> None:
    assert told({"search-contacts-advanced": 10, "task-search": 2}, **FULL).why == {Why.LISTS: 9}


def test_an_empty_list_is_a_request_all_the_same() -> None:
    assert told({"list_protocols": 1}, Side.CENTRALSTATION, **FULL).fewest == 1


def test_what_centralstation_was_sent_is_looked_at_by_pages() -> None:
    assert told({"list_people": 5}, Side.CENTRALSTATION, **FULL, changed=10).why == {}


def test_the_notes_of_every_ghl_contact_are_read() -> None:
    assert told({"get-all-notes": 1000}, **FULL).fewest == 1000


def test_a_contact_that_is_looked_at_again_in_a_full_run_could_have_been_spared() -> None:
    assert told({"get-all-notes": 1000, "get-contact": 7}, **FULL).why == {Why.LOOKS: 7}


def test_a_contact_alone_takes_its_reads_and_one_more_a_write() -> None:
    made = {"get-contact": 3, "get-all-notes": 1, "get-all-tasks": 1, "update-contact": 1}
    assert told(made, compared=1).why == {Why.LOOKS: 1}


@pytest.mark.parametrize(
    ("side", "aspects", "n"),
    [
        (Side.GHL, Aspect.ALL, 3),
        (Side.GHL, Aspect.PROFILE, 1),
        (Side.CENTRALSTATION, Aspect.ALL, 2),
        (Side.CENTRALSTATION, Aspect.TASKS, 1),
    ],
)
def test_a_contact_is_read_in_as_many_requests_as_its_aspects_need(side: Side, aspects: Aspect, n: int) -> None:
    assert reads_of_one(side, aspects) == n


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("rate_limited", Why.BUSY),
        ("unavailable", Why.SILENT),
        ("unanswered", Why.SILENT),
        ("refused", Why.REFUSED),
        ("permission_missing", Why.REFUSED),
    ],
)
def test_a_request_that_failed_was_in_vain(code: str, why: Why) -> None:
    assert told({"update-contact": 2, code: 1}) == Account(3, 2, {why: 1})


def test_a_run_of_an_older_release_tells_no_fewest() -> None:
    assert account(Side.GHL, {"ghl": 231}, Done(listed=None, compared=5, aspects=Aspect.ALL)) == Account(231, None)


def test_a_run_that_has_asked_nothing_needed_nothing() -> None:
    assert account(Side.GHL, {}, Done(listed=None, compared=0, aspects=Aspect.ALL)) == Account(0, 0)


# Held against both CRMs


def holdings(crm: SimulatedCrm) -> dict[str, Any]:
    """All contacts with their tags, notes and tasks, as the CRM's control API tells them."""
    return {str(one["id"]): crm.details(str(one["id"])) for one in crm.overview()}


def of(run: Run) -> dict[Side, Account]:
    return requests_of_run(Run.objects.select_related("sync").get(pk=run.pk))


def test_a_first_sync_tells_the_fewest_that_its_writes_and_lists_need(
    join: Callable[..., Live], serve_ghl: Callable[..., Ghl], serve_centralstation: Callable[..., CentralStation]
) -> None:
    live = join(serve_ghl(contacts=25), serve_centralstation(contacts=25))
    before = {Side.GHL: holdings(live.ghl), Side.CENTRALSTATION: holdings(live.central)}
    found = of(live.run())
    needed = {
        Side.GHL: fewest.on_ghl(before[Side.GHL], holdings(live.ghl)).total(),
        Side.CENTRALSTATION: fewest.on_centralstation(before[Side.CENTRALSTATION], holdings(live.central)).total(),
    }
    # a write that changed nothing can be told from the CRM alone
    assert {side: found[side].fewest for side in SIDES} == {side: pytest.approx(needed[side], rel=0.02) for side in SIDES}


def test_all_requests_of_a_run_are_accounted_for(live: Live, ada: Contact) -> None:
    live.edit_in_ghl(ada, city="Bremen")
    before = {Side.GHL: len(live.ghl.calls()), Side.CENTRALSTATION: len(live.central.calls())}
    found = of(live.run())
    made = {side: len(crm.calls()) - before[side] for side, crm in ((Side.GHL, live.ghl), (Side.CENTRALSTATION, live.central))}
    assert {side: one.made for side, one in found.items()} == made
    assert all(one.made == (one.fewest or 0) + sum(one.why.values()) for one in found.values())


def test_requests_that_a_busy_crm_turned_away_are_told(live: Live, ada: Contact) -> None:
    live.ghl.fault("rate_limited", times=2)
    assert of(live.run())[Side.GHL].why[Why.BUSY] == 2


def test_what_is_not_there_is_an_answer(live: Live, ada: Contact) -> None:
    note = live.ghl.add_note(str(ada.ghl_id), "Hello")
    live.run(full=True)
    live.ghl.delete_note(str(ada.ghl_id), note)
    live.sync.contacts.mark_dirty(Aspect.ALL, ada.created_at)
    assert Why.REFUSED not in of(live.run())[Side.GHL].why
