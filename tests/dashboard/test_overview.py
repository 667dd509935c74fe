"""The overview: how every sync stands."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from crmsync.engine.records import Side
from crmsync.models import Connection, Issue, Mode, Run, RunKind, RunStatus, Status, Sync
from dashboard.cards import SyncCard
from tests.dashboard.data import make_connection, make_contact
from tests.dashboard.demo import demo


def page(client: Client, **headers: str) -> str:
    return client.get("/", headers=headers).content.decode()


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        ([], "No contacts yet."),
        ([Status.IN_SYNC], "The only contact is in sync."),
        ([Status.IN_SYNC] * 3, "All 3 contacts are in sync."),
        ([Status.IN_SYNC, Status.PENDING], "1 of 2 contacts are in sync; for the others there is nothing to do."),
        ([Status.IN_SYNC, Status.FAILED], "1 of 2 contacts are in sync, one needs a look."),
        ([Status.IN_SYNC, Status.FAILED, Status.CONFLICT], "1 of 3 contacts are in sync, 2 need a look."),
    ],
)
def test_one_sentence_says_how_a_sync_stands(sync: Sync, statuses: list[Status], sentence: str) -> None:
    for status in statuses:
        make_contact(sync, status)
    assert SyncCard(sync).sentence == sentence


def test_a_count_leads_to_its_contacts(sync: Sync, viewer: Client) -> None:
    make_contact(sync, Status.FAILED)
    assert f'href="/contacts/?sync={sync.pk}&amp;status=failed"' in page(viewer)


def test_the_bar_is_filled(sync: Sync) -> None:
    for status in (Status.IN_SYNC, Status.IN_SYNC, Status.FAILED):
        make_contact(sync, status)
    assert sum(share.width for share in SyncCard(sync).shares) == pytest.approx(100)


def test_an_issue_is_explained_with_what_to_do_and_how_many_it_holds_up(sync: Sync, viewer: Client) -> None:
    issue = Issue.objects.create(sync=sync, code="x", side=Side.GHL, explanation="Permission X is missing.", what_to_do="Grant X.")
    make_contact(sync, Status.WAITING, issue=issue)
    shown = page(viewer)
    assert [text in shown for text in ("Permission X is missing.", "Grant X.", ">1 contact</a>")] == [True] * 3


def test_a_run_under_way_shows_how_far_it_is(sync: Sync, viewer: Client) -> None:
    make_contact(sync)
    make_contact(sync, Status.PENDING)
    Run.objects.create(sync=sync, kind=RunKind.FULL, progress={"listed": True})
    assert '<progress max="2" value="1"' in page(viewer)


@pytest.mark.parametrize(("kind", "is_offered"), [(RunKind.FIRST_SYNC, False), (RunKind.FULL, False), (RunKind.POLL, True)])
def test_no_run_is_offered_while_all_contacts_are_compared(sync: Sync, operator: Client, kind: RunKind, is_offered: bool) -> None:
    Run.objects.create(sync=sync, kind=kind)
    assert (f'action="/syncs/{sync.pk}/run"' in page(operator)) == is_offered


@pytest.mark.parametrize("status", [Status.REVIEW, Status.CONFLICT, Status.QUARANTINED])
def test_what_waits_for_a_decision_holds_contacts_up(sync: Sync, viewer: Client, status: Status) -> None:
    make_contact(sync, status)
    shown = page(viewer)
    assert "What holds contacts up" in shown
    assert f'<a href="/contacts/?sync={sync.pk}&amp;status={status}">1 contact</a>' in shown


def test_what_moves_is_refreshed_every_two_seconds(sync: Sync, viewer: Client) -> None:
    Run.objects.create(sync=sync, kind=RunKind.POLL)
    assert 'hx-trigger="every 2s"' in page(viewer)


def test_what_rests_is_refreshed_seldom(sync: Sync, viewer: Client) -> None:
    Run.objects.create(sync=sync, kind=RunKind.POLL, status=RunStatus.DONE)
    assert 'hx-trigger="every 15s"' in page(viewer)


def test_htmx_gets_the_part_that_changes(sync: Sync, viewer: Client) -> None:
    assert page(viewer, **{"HX-Request": "true"}).lstrip().startswith('<div id="live"')


def test_a_cache_can_tell_the_part_from_the_page(viewer: Client) -> None:
    assert "HX-Request" in viewer.get("/").headers["Vary"]


def test_an_empty_installation_leads_through_the_steps(administrator: Client) -> None:
    make_connection(Side.GHL)
    shown = page(administrator)
    assert "/connections/add/centralstation" in shown
    assert "/connections/add/ghl" not in shown


def test_the_third_step_waits_for_both_accounts(administrator: Client) -> None:
    make_connection(Side.GHL)
    assert 'href="/syncs/add"' not in page(administrator)


def test_a_paused_sync_can_be_resumed(sync: Sync, operator: Client) -> None:
    Sync.objects.update(mode=Mode.PAUSED)
    assert f"/syncs/{sync.pk}/resume" in page(operator)


def test_a_draft_goes_live_by_an_administrator_only(sync: Sync, operator: Client, administrator: Client) -> None:
    Sync.objects.update(mode=Mode.DRAFT)
    assert [f"/syncs/{sync.pk}/go-live" in page(client) for client in (operator, administrator)] == [False, True]


def test_no_credential_is_on_it(sync: Sync, administrator: Client) -> None:
    secret = Connection.objects.first().credential  # type: ignore[union-attr]
    assert secret not in page(administrator)


def test_its_queries_do_not_grow_with_contacts(viewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    demo()
    with django_assert_max_num_queries(15):
        page(viewer)
