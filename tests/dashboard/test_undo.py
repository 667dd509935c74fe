"""Undo, as staff see it: what will be written back and what can't be, how far it is, and what was left."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from crmsync.engine.records import Side
from crmsync.models import Change, Contact, NotUndone, Run, RunKind, RunStatus, Sync
from tests.dashboard.data import make_change, make_contact

CITY: dict[str, Any] = {"base": {"fields": {"city": ["Bremen", "Bremen"]}, "tags": []}}


def changed(sync: Sync, **values: Any) -> Change:
    """Bonn became Bremen in CentralStation, and is so still."""
    contact = make_contact(sync, **CITY)
    usual: dict[str, Any] = {"before": {"city": "Bonn"}, "after": {"city": "Bremen"}, "agreed": ["city"]}
    return make_change(contact, side=Side.CENTRALSTATION, **{**usual, **values})


def before(client: Client, kind: str, pk: int) -> str:
    return client.get(reverse("undo", args=[kind, pk])).content.decode()


def run_of(sync: Sync, **values: Any) -> Run:
    return Run.objects.create(sync=sync, kind=RunKind.FULL, status=RunStatus.DONE, **values)


def undo_run(sync: Sync, **progress: Any) -> Run:
    return Run.objects.create(sync=sync, kind=RunKind.UNDO, progress={"undo": "run", "pk": 1, "upto": 9, **progress})


@pytest.mark.parametrize("kind", ["change", "contact"])
def test_what_goes_back_is_shown_before(sync: Sync, operator: Client, kind: str) -> None:
    change = changed(sync)
    shown = before(operator, kind, change.pk if kind == "change" else change.contact_id or 0)
    assert all(text in shown for text in ("What is written back", "Bonn", "Bremen"))


def test_what_can_not_be_undone_is_shown_before(sync: Sync, operator: Client) -> None:
    change = changed(sync, after={"city": "Kiel"})
    shown = before(operator, "change", change.pk)
    assert "It was changed again after crmsync wrote it." in shown
    assert 'btn-primary">' not in shown


def test_a_run_says_in_numbers_what_is_deleted(sync: Sync, operator: Client) -> None:
    run = run_of(sync)
    for _ in range(2):
        make_change(make_contact(sync), run=run, kind="create", side=Side.GHL, after={"city": "Bonn"})
    changed(sync, run=run)
    shown = before(operator, "run", run.pk)
    assert "2 contacts that were created in GoHighLevel are deleted there." in shown
    assert "1 update of a contact in CentralStationCRM is taken back." in shown


def test_a_run_shows_contact_by_contact_what_goes_back_and_what_does_not(sync: Sync, operator: Client) -> None:
    run = run_of(sync)
    ours, theirs = changed(sync, run=run), changed(sync, run=run, after={"city": "Kiel"})
    shown = before(operator, "run", run.pk)
    assert [str(one.contact) in shown for one in (ours, theirs)] == [True, True]
    assert ["<del>Bremen</del>" in shown, "It was changed again after crmsync wrote it." in shown] == [True, True]


def test_a_contact_of_a_run_that_is_excluded_by_now_is_told_of(sync: Sync, operator: Client) -> None:
    run = run_of(sync)
    changed(sync, run=run)
    Contact.objects.update(exclusion="asked for it")
    assert "Nothing can be undone: the contact is excluded" in before(operator, "run", run.pk)


def test_what_a_run_would_undo_has_pages(sync: Sync, operator: Client) -> None:
    run = run_of(sync)
    for _ in range(11):
        changed(sync, run=run)
    response = operator.get(reverse("undo", args=["run", run.pk]))
    assert (len(response.context["previews"]), "Older" in response.content.decode()) == (10, True)


def test_a_run_of_many_is_told_of_with_few_queries(
    sync: Sync, operator: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    run = run_of(sync)
    for _ in range(30):
        changed(sync, run=run)
    with django_assert_max_num_queries(14):
        before(operator, "run", run.pk)


def test_an_excluded_contact_can_not_be_undone(sync: Sync, operator: Client) -> None:
    change = changed(sync)
    Contact.objects.update(exclusion="asked for it")
    assert "Nothing can be undone" in before(operator, "change", change.pk)


def test_undo_starts_a_run_of_this_person(sync: Sync, operator: Client) -> None:
    change = changed(sync)
    response = operator.post(reverse("undo", args=["change", change.pk]))
    run = Run.objects.get(kind=RunKind.UNDO)
    assert response.headers["Location"] == reverse("undone", args=[run.pk])
    assert (run.by.email if run.by else "", run.is_asked) == ("operator@example.com", True)


def test_a_paused_sync_says_why_nothing_is_undone(sync: Sync, operator: Client) -> None:
    change = changed(sync)
    Sync.objects.update(mode="paused")
    shown = operator.post(reverse("undo", args=["change", change.pk]), follow=True).content.decode()
    assert "is paused: resume it first." in shown
    assert not Run.objects.exists()


def test_an_undo_of_nothing_is_not_offered(sync: Sync, operator: Client) -> None:
    shown = before(operator, "run", run_of(sync).pk)
    assert "There is nothing to undo" in shown
    assert "btn-primary" not in shown


def test_a_kind_that_is_none_is_not_found(sync: Sync, operator: Client) -> None:
    assert operator.get("/undo/sync/1").status_code == 404


def test_an_undo_at_work_shows_how_far_it_is(sync: Sync, viewer: Client) -> None:
    shown = viewer.get(reverse("undone", args=[undo_run(sync, total=1200, done=300).pk])).content.decode()
    assert all(text in shown for text in ('max="1200" value="300"', "300 of 1200", 'hx-trigger="every 2s"'))


def test_what_was_left_is_listed_with_its_reason(sync: Sync, viewer: Client) -> None:
    run, contact = undo_run(sync), make_contact(sync, label="Renate Köhler")
    NotUndone.objects.create(run=run, contact=contact, label="Renate Köhler", side=Side.GHL, name="city", why="It was deleted there.")
    shown = viewer.get(reverse("undone", args=[run.pk])).content.decode()
    assert all(text in shown for text in ("Renate Köhler", "city", "It was deleted there."))


def test_the_list_of_what_was_left_has_pages(sync: Sync, viewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    run = undo_run(sync)
    for number in range(60):
        NotUndone.objects.create(run=run, contact=make_contact(sync), side=Side.GHL, name=f"field-{number}", why="x")
    with django_assert_max_num_queries(12):
        shown = viewer.get(reverse("undone", args=[run.pk])).content.decode()
    assert shown.count("field-") == 50


def test_each_change_that_took_effect_has_its_undo(sync: Sync, operator: Client) -> None:
    change = changed(sync)
    failed = make_change(change.contact, result="failed") if change.contact else change
    shown = operator.get(reverse("contact", args=[change.contact_id])).content.decode()
    assert [reverse("undo", args=["change", one.pk]) in shown for one in (change, failed)] == [True, False]


def test_a_viewer_is_offered_no_undo(sync: Sync, viewer: Client) -> None:
    change = changed(sync)
    assert "/undo/" not in viewer.get(reverse("contact", args=[change.contact_id])).content.decode()
