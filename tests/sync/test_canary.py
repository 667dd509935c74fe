"""A retry of all that one cause holds up: one goes first, and the issue is closed when all went through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from crmsync import jobs
from crmsync.models import Canary, Issue, Status
from crmsync.sync import actions, bulk
from crmsync.sync.selection import Selection
from tests.sync.kit import Live, writes

REFUSED: dict[str, Any] = {"kind": "canned", "path": "/people$", "method": "POST", "status": 422, "body": {"errors": ["Email is odd"]}}
NAMES = ("Gerd", "Heike", "Ines", "Jan")


@pytest.fixture
def refused(live: Live) -> Live:
    """Four contacts that CentralStation refused to create, for one cause."""
    for name in NAMES:
        live.ghl.add_contact(firstName=name, lastName="Hall", email=f"{name.lower()}@example.org")
    live.central.fault(**REFUSED)
    live.run()
    assert live.statuses() == ["failed"] * len(NAMES)
    return live


def issue_of(live: Live) -> Issue:
    return Issue.objects.get(sync=live.sync)


def test_the_others_are_not_sent_when_the_same_cause_comes_back(refused: Live) -> None:
    before = len(writes(refused.central))
    actions.retry_all(issue_of(refused))
    jobs.live(refused.sync.pk)
    assert len(writes(refused.central)) == before + 1
    assert Canary.objects.get().state == Canary.State.FAILED_AGAIN
    assert refused.statuses() == ["failed"] * len(NAMES)


def test_the_others_follow_when_the_first_goes_through_and_the_issue_closes(refused: Live) -> None:
    refused.clear_faults()
    actions.retry_all(issue_of(refused))
    refused.work()
    refused.work()
    assert refused.statuses() == ["in_sync"] * len(NAMES)
    assert (Canary.objects.get().state, refused.issues()) == (Canary.State.WENT_THROUGH, [])


ALL_FAILED = Selection(status=Status.FAILED)


@pytest.mark.parametrize("verb", ["retry", "sync-now"])
def test_one_goes_first_of_those_retried_from_the_list(refused: Live, verb: str) -> None:
    before = len(writes(refused.central))
    action = bulk.begin(verb, ALL_FAILED, None)
    refused.work()
    assert len(writes(refused.central)) == before + 1
    assert (action.canaries.get().others, refused.statuses()) == (3, ["failed"] * len(NAMES))


def test_the_others_of_a_list_follow_in_its_name(refused: Live) -> None:
    refused.clear_faults()
    action = bulk.begin("retry", ALL_FAILED, None)
    refused.work()
    refused.work()
    assert refused.sync.contacts.filter(asked_in=action, status=Status.IN_SYNC).count() == len(NAMES)


def test_only_those_chosen_are_retried(refused: Live) -> None:
    refused.clear_faults()
    chosen = refused.sync.contacts.values_list("pk", flat=True)[:2]
    bulk.begin("retry", Selection(keys=tuple(chosen)), None)
    refused.work()
    refused.work()
    assert refused.statuses() == ["failed", "failed", "in_sync", "in_sync"]


def test_steps_after_the_one_that_failed_again_send_nothing(refused: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 0)
    monkeypatch.setitem(bulk.VERBS, "retry", replace(bulk.VERBS["retry"], step=2))
    before, action = len(writes(refused.central)), bulk.begin("retry", ALL_FAILED, None)
    bulk.carry_out(action, until=0)
    refused.work()
    bulk.carry_out(action)
    refused.work()
    assert (len(writes(refused.central)), action.canaries.count()) == (before + 1, 1)


def test_another_goes_first_where_the_first_was_excluded(refused: Live) -> None:
    actions.retry_all(issue_of(refused))
    actions.exclude(refused.sync.contacts.get(status=Status.PENDING), "not now")
    refused.work()
    canary = Canary.objects.get()
    assert (canary.state, refused.statuses()) == (Canary.State.FAILED_AGAIN, ["excluded", "failed", "failed", "failed"])


def test_an_issue_stays_open_while_one_of_its_contacts_is_tried(refused: Live) -> None:
    refused.sync.contacts.update(status=Status.PENDING)
    refused.poll()
    assert len(refused.issues()) == 1


def test_a_cause_that_comes_back_opens_the_same_issue_again(refused: Live) -> None:
    first = issue_of(refused)
    refused.clear_faults()
    refused.retry()
    assert refused.issues() == []
    refused.central.fault(**REFUSED)
    refused.ghl.add_contact(firstName="Karl", lastName="Hall", email="karl@example.org")
    refused.run()
    again = issue_of(refused)
    assert (again.pk, again.closed_at, again.reopened_at is not None) == (first.pk, None, True)


def test_what_is_kept_of_the_request_has_no_value_of_a_person(refused: Live) -> None:
    kept = issue_of(refused).exchange
    assert (kept["method"], kept["status"]) == ("POST", 422)
    assert kept["sent"]
    assert not any(word in str(kept) for word in (*NAMES, "Hall", "example.org"))
