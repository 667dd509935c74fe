"""Asking both CRMs for somebody whom nobody knows here. Both CRMs simulated."""

from __future__ import annotations

import pytest

from crmsync.models import Connection, Contact, Health, Mode, Sync
from crmsync.sync import actions, asking, pasted
from crmsync.sync.asking import Answer
from tests.sync.kit import ADA, GRACE, Live


@pytest.fixture
def begun(live: Live) -> Live:
    """The first sync found nobody."""
    live.run()
    return live


def ask(text: str) -> list[Answer]:
    return asking.ask(pasted.read(text))


def sentences(text: str) -> list[str]:
    return [one.sentence for one in ask(text)]


NOBODY = ["CentralStationCRM (“CS”) has nobody like this.", "GoHighLevel (“GHL”) has nobody like this."]


@pytest.mark.parametrize("text", ["ada@example.org", "030 1234567", "Ada Lovelace"])
def test_somebody_unknown_to_both_is_told(begun: Live, text: str) -> None:
    assert sentences(text) == NOBODY


@pytest.mark.parametrize("text", ["Ada@Example.org", "030 / 12 34 56 78", "ada lovelace"])
def test_whoever_is_in_gohighlevel_is_found(begun: Live, text: str) -> None:
    id = begun.ghl.add_contact(**ADA)
    found = [one.sentence for one in ask(text) if one.is_found]
    assert found == [f"GoHighLevel (“GHL”) has Ada Lovelace (id {id}): it hadn't been read yet, and is marked to be read now."]


@pytest.mark.parametrize("text", ["grace@example.org", "030 87654321", "Grace Hopper"])
def test_whoever_is_in_centralstation_is_found(begun: Live, text: str) -> None:
    begun.central.add_contact(**GRACE)
    assert [one.connection.name for one in ask(text) if one.is_found] == ["CS"]


def test_an_id_is_asked_for_where_it_belongs(begun: Live) -> None:
    id = begun.ghl.add_contact(**ADA)
    assert [(one.connection.name, one.is_found) for one in ask(id)] == [("GHL", True)]


def test_an_id_that_is_not_there_is_told(begun: Live) -> None:
    assert sentences("4711") == ["CentralStationCRM (“CS”) has nobody like this."]


def test_whoever_is_found_is_taken_in_and_comes_next(begun: Live) -> None:
    begun.ghl.add_contact(**ADA)
    ask("ada@example.org")
    assert list(Contact.objects.values_list("label", "is_urgent", "status")) == [("Ada Lovelace", True, "pending")]


def test_whoever_is_taken_in_is_brought_over_like_anybody(begun: Live) -> None:
    begun.ghl.add_contact(**ADA)
    ask("ada@example.org")
    begun.work()
    assert (begun.statuses(), begun.counts()) == (["in_sync"], (1, 1))


def test_whoever_is_known_here_is_no_news(begun: Live) -> None:
    id = begun.ghl.add_contact(**ADA)
    begun.run()
    assert f"GoHighLevel (“GHL”) has Ada Lovelace (id {id}), who is known here already." in sentences("ada@example.org")


def test_asking_writes_nothing(begun: Live) -> None:
    begun.ghl.add_contact(**ADA)
    with begun.nothing_written():
        ask("ada@example.org")


def test_somebody_excluded_stays_so(begun: Live) -> None:
    begun.ghl.add_contact(**ADA)
    begun.run()
    actions.exclude(begun.contact(), "only a test")
    ask("ada@example.org")
    assert begun.contact().dirty == 0


def test_a_crm_out_of_order_is_told_and_the_other_answers(begun: Live) -> None:
    begun.ghl.fault("server_error")
    begun.central.add_contact(**GRACE)
    answers = ask("grace@example.org")
    assert [(one.connection.name, one.is_found, one.is_wrong) for one in answers] == [("CS", True, False), ("GHL", False, True)]


def test_a_missing_permission_is_told(begun: Live) -> None:
    begun.ghl.fault("scope_missing")
    [answer] = [one for one in ask("ada@example.org") if one.is_wrong]
    assert "couldn't be asked: GoHighLevel doesn't allow this: the permission" in answer.sentence


def test_a_paused_connection_is_not_asked(begun: Live) -> None:
    actions.pause_connection(begun.sync.ghl)
    before = len(begun.ghl.calls())
    assert ("GoHighLevel (“GHL”) wasn't asked: the connection is paused." in sentences("ada@example.org"), len(begun.ghl.calls())) == (
        True,
        before,
    )


def test_an_account_that_does_not_let_us_in_is_not_asked(begun: Live) -> None:
    Connection.objects.filter(pk=begun.sync.ghl_id).update(health=Health.REFUSED, health_reason="The token is wrong.")
    assert "GoHighLevel (“GHL”) doesn't let crmsync in: The token is wrong." in sentences("ada@example.org")


def test_whom_a_draft_would_bring_over_is_not_taken_in(begun: Live) -> None:
    Sync.objects.update(mode=Mode.DRAFT)
    begun.ghl.add_contact(**ADA)
    found = [one.sentence for one in ask("ada@example.org") if one.is_found]
    assert (found[0].endswith("it is read when its sync is set live."), Contact.objects.count()) == (True, 0)


@pytest.mark.parametrize(
    "text", ["#41", "https://app.gohighlevel.com/v2/location/other/contacts/detail/ocQHyuzHvysMo5N5VsXc", "https://example.org/x"]
)
def test_what_no_account_could_know_is_not_asked_for(begun: Live, text: str) -> None:
    assert not asking.can_ask(pasted.read(text))


def test_when_each_sync_last_looked_is_told(begun: Live) -> None:
    begun.poll()
    assert [fact.text for fact in asking.last_looks()] == [
        "“Berlin” last read both CRMs as a whole.",
        "“Berlin” last asked both CRMs what has changed.",
    ]
