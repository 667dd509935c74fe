"""The overview: how every sync stands."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crmsync.engine.records import Side
from crmsync.models import (
    Connection,
    Health,
    HeldBatch,
    Issue,
    Mode,
    RateBudget,
    Result,
    Run,
    RunKind,
    RunStatus,
    Status,
    Sync,
    Tally,
    Visit,
)
from crmsync.sync.clock import zone_of
from dashboard.cards import SyncCard
from tests.dashboard.data import make_change, make_connection, make_contact, make_sync
from tests.dashboard.demo import demo


def page(client: Client, **headers: str) -> str:
    return client.get("/", headers=headers).content.decode()


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        ([], "No contacts yet."),
        ([Status.IN_SYNC], "1 contact: 1 in sync and verified equal in the last 24 h."),
        ([Status.FAILED], "1 contact: none in sync, 1 failed."),
        (
            [Status.IN_SYNC, Status.CONFLICT, Status.CONFLICT, Status.WAITING],
            "4 contacts: 1 in sync and verified equal in the last 24 h, 1 waiting, 2 conflicts.",
        ),
    ],
)
def test_one_sentence_says_how_a_sync_stands(sync: Sync, statuses: list[Status], sentence: str) -> None:
    for status in statuses:
        make_contact(sync, status)
    assert SyncCard(sync).sentence == sentence


def test_the_sentence_tells_how_many_were_verified_lately(sync: Sync) -> None:
    make_contact(sync)
    make_contact(sync, verified_at=timezone.now() - timedelta(hours=25))
    assert "2 in sync (1 verified equal in the last 24 h)" in SyncCard(sync).sentence


def test_the_sentence_tells_how_long_the_oldest_change_waits(sync: Sync) -> None:
    for minutes in (2, 6):
        make_contact(sync, Status.PENDING, dirty=1, dirty_since=timezone.now() - timedelta(minutes=minutes, seconds=5))
    assert SyncCard(sync).sentence.endswith("; oldest unsynced change 6 minutes.")


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
    with django_assert_max_num_queries(31):
        page(viewer)


def needs(client: Client) -> list[tuple[str, str]]:
    """What the overview says needs a person: (where it leads, text)."""
    section = page(client).split('id="needs-title"')[1].split("</section>")[0]
    return re.findall(r'<a href="([^"]*)">([^<]*)</a>', section)


def test_nothing_needs_a_person_where_all_is_in_sync(sync: Sync, viewer: Client) -> None:
    make_contact(sync)
    assert "Nothing needs a person now." in page(viewer)


@pytest.mark.parametrize(
    ("status", "text", "where"),
    [
        (Status.FAILED, "1 contact failed", "/contacts/?status=failed"),
        (Status.CONFLICT, "1 conflict", "/queues/conflict/"),
        (Status.REVIEW, "1 contact to review", "/queues/review/"),
        (Status.QUARANTINED, "1 contact quarantined", "/queues/quarantined/"),
    ],
)
def test_what_needs_a_person_leads_to_where_it_is_dealt_with(sync: Sync, viewer: Client, status: Status, text: str, where: str) -> None:
    make_contact(sync, status)
    assert needs(viewer) == [(where, text)]


def test_a_held_batch_needs_a_person(sync: Sync, viewer: Client) -> None:
    batch = HeldBatch.objects.create(sync=sync, kind=HeldBatch.Kind.MISSING, side=Side.GHL, explanation="x")
    assert needs(viewer) == [(f"/batches/{batch.pk}/", "Held: Contacts gone missing in GoHighLevel")]


def test_a_connection_that_has_gone_deaf_needs_a_person(sync: Sync, viewer: Client) -> None:
    Connection.objects.filter(pk=sync.ghl_id).update(hooks_wanted=True)
    Tally.add(sync.ghl_id, "found", 20)
    assert needs(viewer) == [(f"/connections/{sync.ghl_id}/", "Berlin marketing tells of no changes any more")]


def test_a_connection_that_is_locked_out_needs_a_person(sync: Sync, viewer: Client) -> None:
    Connection.objects.filter(pk=sync.ghl_id).update(health=Health.RECONNECT)
    assert needs(viewer) == [(f"/connections/{sync.ghl_id}/", "Berlin marketing doesn&#x27;t let crmsync in")]


def test_a_connection_shows_what_webhooks_told_of(sync: Sync, viewer: Client) -> None:
    Tally.add(sync.ghl_id, "announced", 3)
    Tally.add(sync.ghl_id, "found", 1)
    assert "75 % of changes this week" in page(viewer)


def test_a_connection_shows_its_requests_of_today_and_what_is_left(sync: Sync, viewer: Client) -> None:
    RateBudget.objects.filter(pk=sync.ghl_id).update(today=timezone.now().date(), calls_today=1_204, left_today=198_796)
    assert [text in page(viewer) for text in ("<dd>1,204</dd>", "<dd>198,796</dd>")] == [True, True]


def test_requests_of_another_day_do_not_count_as_of_today(sync: Sync, viewer: Client) -> None:
    RateBudget.objects.filter(pk=sync.ghl_id).update(today=timezone.now().date() - timedelta(days=1), calls_today=1_204)
    assert "<dd>1,204</dd>" not in page(viewer)


# While you were away


def was_here(ago: timedelta) -> None:
    Visit.objects.update(seen_at=timezone.now() - ago)


def test_a_first_visit_tells_of_no_absence(sync: Sync, viewer: Client) -> None:
    assert "While you were away" not in page(viewer)


def test_who_comes_back_is_told_what_was_written_and_what_failed(sync: Sync, viewer: Client) -> None:
    page(viewer)
    was_here(timedelta(hours=3))
    contact = make_contact(sync)
    make_change(contact)
    make_change(contact)
    make_change(contact, result=Result.FAILED)
    shown = page(viewer)
    assert [text in shown for text in ("2 changes written (1 contact)", "1 change failed")] == [True, True]


def test_who_comes_back_is_told_of_new_causes_and_of_those_that_are_over(sync: Sync, viewer: Client) -> None:
    page(viewer)
    was_here(timedelta(hours=3))
    Issue.objects.create(sync=sync, code="x", explanation="x", what_to_do="x")
    Issue.objects.create(sync=sync, code="y", explanation="x", what_to_do="x", closed_at=timezone.now())
    shown = page(viewer)
    assert [text in shown for text in ("1 new cause of failure", "1 cause of failure is over")] == [True, True]


def test_a_look_a_minute_later_still_tells_of_the_same_absence(sync: Sync, viewer: Client) -> None:
    page(viewer)
    was_here(timedelta(hours=3))
    page(viewer)
    was_here(timedelta(minutes=1))
    assert "Nothing was written and nothing has failed since then." in page(viewer)


def test_a_page_that_refreshes_itself_is_no_visit(sync: Sync, viewer: Client) -> None:
    page(viewer)
    was_here(timedelta(hours=3))
    before = Visit.objects.get().seen_at
    page(viewer, **{"HX-Request": "true"})
    assert Visit.objects.get().seen_at == before


# Charts


def test_a_chart_has_its_numbers_as_a_table(sync: Sync, viewer: Client) -> None:
    make_change(make_contact(sync), lag_s=4.2)
    shown = page(viewer)
    assert "1 written, 0 failed." in shown
    assert "<td>4.2</td><td>4.2</td>" in shown


def test_the_charts_of_an_open_page_are_fetched_alone(sync: Sync, viewer: Client) -> None:
    assert viewer.get("/overview/charts").content.decode().strip().startswith('<section class="charts"')


def test_what_several_syncs_need_is_counted_together(sync: Sync, viewer: Client) -> None:
    for one in (sync, make_sync("Hamburg")):
        make_contact(one, Status.CONFLICT)
    assert [text for _, text in needs(viewer)] == ["2 conflicts"]


def test_live_syncs_are_shown_first_and_drafts_last(viewer: Client) -> None:
    for name, mode in (("Aachen", Mode.DRAFT), ("Bonn", Mode.PAUSED), ("Celle", Mode.LIVE)):
        make_sync(name, mode=mode)
    assert [card.sync.name for card in viewer.get("/").context["cards"]] == ["Celle", "Bonn", "Aachen"]


# What waits


def test_contacts_of_a_rejected_batch_are_told_of_with_what_to_press(sync: Sync, viewer: Client) -> None:
    values = {"kind": HeldBatch.Kind.CHANGES, "side": Side.GHL, "state": HeldBatch.State.REJECTED, "decided_at": timezone.now()}
    batch = HeldBatch.objects.create(sync=sync, **values)
    make_contact(sync, Status.WAITING, held_by=batch, dirty=1)
    shown = page(viewer)
    assert ["Press Retry to bring it over after all." in shown, f'<a href="/batches/{batch.pk}/">1 contact</a>' in shown] == [True, True]


def test_contacts_that_wait_for_quiet_hours_to_end_are_told_of(sync: Sync, viewer: Client) -> None:
    now = timezone.now().astimezone(zone_of(sync))
    Sync.objects.update(quiet_from=(now - timedelta(hours=1)).time(), quiet_until=(now + timedelta(hours=1)).time())
    make_contact(sync, Status.WAITING, dirty=1, due_at=now + timedelta(hours=1))
    assert f"Quiet hours: nothing is written by itself until {now + timedelta(hours=1):%H:%M}." in page(viewer)


def test_new_contacts_that_wait_their_turn_are_told_of(sync: Sync, viewer: Client) -> None:
    Sync.objects.update(creates_per_hour=20)
    make_contact(sync, Status.WAITING, dirty=1, due_at=timezone.now() + timedelta(minutes=5), ghl_id=None)
    assert "New contacts wait their turn: at most 20 are created within an hour." in page(viewer)


def test_a_sync_in_which_nothing_waits_tells_of_no_waiting(sync: Sync, viewer: Client) -> None:
    make_contact(sync)
    assert "issue-quiet" not in page(viewer)
