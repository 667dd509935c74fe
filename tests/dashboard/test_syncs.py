"""Syncs: making, changing, running, pausing, going live."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crmsync.engine.records import Side
from crmsync.models import Mode, Run, RunKind, Status, Sync
from tests.dashboard.data import make_connection, make_contact, make_sync

SETTINGS = {
    "name": "Berlin",
    "conflict": "ask",
    "match_first": "phone",
    "match_second": "email",
    "match_third": "",
    "create_in_ghl": "on",
    "sync_tags": "on",
    "sync_notes": "on",
    "sync_tasks": "on",
    "region": "at",
    "last_name_stand_in": "",
    "poll_every_s": "30",
    "hold_deletions": "20",
    "hold_deletions_share": "5",
    "hold_creates": "500",
    "hold_changes": "500",
    "hold_changes_share": "30",
    "ping_pong_after": "6",
}


def edit(client: Client, sync: Sync, **values: str) -> Any:
    return client.post(reverse("sync_edit", args=[sync.pk]), {**SETTINGS, **values})


def press(client: Client, sync: Sync, name: str, **values: str) -> str:
    return client.post(reverse(name, args=[sync.pk]), values, follow=True).content.decode()


def test_a_sync_is_made_with_its_settings_and_the_usual_mapping(administrator: Client) -> None:
    ghl, central = make_connection(Side.GHL), make_connection(Side.CENTRALSTATION)
    administrator.post("/syncs/add", {**SETTINGS, "mode": "draft", "ghl": ghl.pk, "centralstation": central.pk})
    sync = Sync.objects.get()
    assert (sync.mode, sync.match_by, sync.region, sync.create_in_centralstation) == (Mode.DRAFT, ["phone", "email"], "AT", False)
    assert sync.mappings.count() == 12


def test_two_accounts_that_are_joined_already_are_said_at_the_second(administrator: Client, sync: Sync) -> None:
    form = {**SETTINGS, "name": "Again", "mode": "draft", "ghl": sync.ghl_id, "centralstation": sync.centralstation_id}
    response = administrator.post("/syncs/add", form)
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["centralstation"])


def test_settings_are_changed(administrator: Client, sync: Sync) -> None:
    edit(administrator, sync)
    sync.refresh_from_db()
    assert (sync.conflict, sync.match_by, sync.poll_every_s) == ("ask", ["phone", "email"], 30)


def test_the_brake_is_set(administrator: Client, sync: Sync) -> None:
    edit(administrator, sync, hold_deletions="3", creates_per_hour="40", quiet_from="22:00", quiet_until="06:00", created_tag="from office")
    sync.refresh_from_db()
    assert (sync.hold_deletions, sync.creates_per_hour, sync.created_tag) == (3, 40, "from office")
    assert (sync.quiet_from, sync.quiet_until) == (time(22), time(6))


def test_the_form_shows_the_settings_as_they_are(administrator: Client, sync: Sync) -> None:
    Sync.objects.update(match_by=["name", "phone"])
    form = administrator.get(reverse("sync_edit", args=[sync.pk])).context["form"]
    assert [form[name].value() for name in ("match_first", "match_second", "match_third")] == ["name", "phone", None]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"match_second": "phone"}, "match_second"),
        ({"region": "XX"}, "region"),
        ({"poll_every_s": "1"}, "poll_every_s"),
        ({"name": ""}, "name"),
        ({"hold_changes_share": "101"}, "hold_changes_share"),
        ({"quiet_from": "22:00"}, "quiet_until"),
    ],
)
def test_a_setting_that_cannot_be_is_said_at_its_field(administrator: Client, sync: Sync, wrong: dict[str, str], field: str) -> None:
    response = edit(administrator, sync, **wrong)
    assert (response.status_code, list(response.context["form"].errors)) == (422, [field])


def test_a_name_that_is_taken_is_said_at_the_name(administrator: Client, sync: Sync) -> None:
    response = edit(administrator, sync, name=make_sync("Hamburg").name)
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["name"])


def test_what_decides_sameness_has_all_compared_again(administrator: Client, sync: Sync) -> None:
    edit(administrator, sync)
    assert Run.objects.get().kind == RunKind.FULL


def test_a_new_name_has_nothing_compared_again(administrator: Client, sync: Sync) -> None:
    kept = {"match_first": "email", "match_second": "phone", "match_third": "name", "region": "", "create_in_centralstation": "on"}
    edit(administrator, sync, name="Köln", **kept)
    assert not Run.objects.exists()


def test_the_form_tells_what_comparing_all_again_costs(administrator: Client, sync: Sync) -> None:
    make_contact(sync)
    assert (
        "Requests: about 3 to GoHighLevel and 3 to CentralStationCRM"
        in administrator.get(reverse("sync_edit", args=[sync.pk])).content.decode()
    )


def test_a_new_share_of_the_hour_counts_at_once(administrator: Client, sync: Sync) -> None:
    later = timezone.now() + timedelta(days=1)
    contact = make_contact(sync, Status.WAITING, centralstation_id=None, dirty=1, due_at=later)
    edit(administrator, sync, creates_per_hour="40")
    contact.refresh_from_db()
    assert contact.due_at != later


def test_a_run_begins(operator: Client, sync: Sync) -> None:
    press(operator, sync, "sync_run")
    assert Run.objects.get().kind == RunKind.POLL


def test_a_full_comparison_begins(operator: Client, sync: Sync) -> None:
    press(operator, sync, "sync_run", full="1")
    assert Run.objects.get().kind == RunKind.FULL


def test_a_run_tells_who_began_it(operator: Client, sync: Sync) -> None:
    press(operator, sync, "sync_run")
    assert str(Run.objects.get().by) == "operator@example.com"


def test_a_paused_sync_does_not_run_and_says_why(operator: Client, sync: Sync) -> None:
    press(operator, sync, "sync_pause")
    assert "is paused: resume it first" in press(operator, sync, "sync_run")
    assert not Run.objects.exists()


def test_pausing_and_resuming(operator: Client, sync: Sync) -> None:
    modes = []
    for name in ("sync_pause", "sync_resume"):
        press(operator, sync, name)
        modes.append(Sync.objects.get().mode)
    assert modes == [Mode.PAUSED, Mode.LIVE]


def test_a_draft_is_not_live_by_resuming(operator: Client) -> None:
    draft = make_sync(mode=Mode.DRAFT)
    press(operator, draft, "sync_resume")
    assert Sync.objects.get().mode == Mode.DRAFT


def test_going_live_says_what_it_means_first(administrator: Client) -> None:
    draft = make_sync(mode=Mode.DRAFT)
    assert "can start automations" in administrator.get(reverse("sync_go_live", args=[draft.pk])).content.decode()
    assert Sync.objects.get().mode == Mode.DRAFT


def test_going_live(administrator: Client) -> None:
    press(administrator, make_sync(mode=Mode.DRAFT), "sync_go_live")
    assert Sync.objects.get().mode == Mode.LIVE


def test_the_page_of_a_sync_tells_its_settings(viewer: Client) -> None:
    sync = make_sync(poll_every_s=60)
    shown = viewer.get(reverse("sync", args=[sync.pk])).content.decode()
    assert [text in shown for text in ("the newest change wins", "e-mail → phone → exact name and company", "every 60 seconds")] == [
        True
    ] * 3


def test_the_page_of_a_sync_tells_what_is_held_and_what_waits(viewer: Client) -> None:
    more: dict[str, Any] = {"creates_per_hour": 40, "quiet_from": time(22), "quiet_until": time(6), "created_tag": "from office"}
    sync = make_sync(hold_deletions=3, hold_creates=77, **more)
    shown = viewer.get(reverse("sync", args=[sync.pk])).content.decode()
    words = ("notes and tasks over 3, or in over 5 %", "new contacts over 77", "at most 40", "22:00 – 06:00", "from office")
    assert [text for text in words if text not in shown] == []


def test_what_is_not_set_is_not_told(viewer: Client, sync: Sync) -> None:
    shown = viewer.get(reverse("sync", args=[sync.pk])).content.decode()
    assert [text in shown for text in ("New contacts an hour", "Quiet hours", "Tag of contacts")] == [False] * 3


def test_a_notice_is_shown(viewer: Client, sync: Sync) -> None:
    Sync.objects.update(notices={"ghl": "The permission X is missing. It is worked round."})
    assert "It is worked round." in viewer.get(reverse("sync", args=[sync.pk])).content.decode()


def test_the_list_needs_three_queries_a_sync(viewer: Client, sync: Sync, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_max_num_queries(5 + 3):
        viewer.get("/syncs/")
