"""What is done with many contacts at once: begun by a button that answers at once, carried out in steps, taken up where it was cut off."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crmsync import jobs
from crmsync.models import Act, AuditEntry, BulkAction, Contact, Status, Sync
from crmsync.sync import bulk, reports
from crmsync.sync.selection import Selection
from tests.dashboard.data import make_contact

FAILED = Selection(status=Status.FAILED)


@pytest.fixture
def seven(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> list[Contact]:
    """Seven that failed, where more than two are many and a step takes two."""
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    for name in ("retry", "exclude"):
        monkeypatch.setitem(bulk.VERBS, name, replace(bulk.VERBS[name], step=2))
    return [make_contact(sync, Status.FAILED) for _ in range(7)]


def begun(verb: str = "retry", selection: Selection = FAILED, **detail: str) -> BulkAction:
    return bulk.begin(verb, selection, None, detail=detail)


def pending() -> int:
    return Contact.objects.filter(status=Status.PENDING).count()


def confirm(client: Client, verb: str = "retry", **more: str) -> str:
    answer = client.post(reverse("contacts_bulk", args=[verb]), {"which": "all", "confirmed": "1", **more})
    return str(answer.headers["Location"])


def page(client: Client, action: BulkAction, **asked: str) -> str:
    return client.get(reverse("bulk_action", args=[action.pk]), asked).content.decode()


def test_of_many_nothing_is_done_before_the_button_answers(seven: list[Contact], operator: Client) -> None:
    assert (confirm(operator), pending()) == (f"/bulk/{BulkAction.objects.get().pk}/", 0)


def test_a_job_does_it_for_all(seven: list[Contact]) -> None:
    action = begun()
    jobs.bulk(action.pk)
    action.refresh_from_db()
    assert (pending(), action.taken, action.state) == (7, 7, "done")


@pytest.mark.django_db(transaction=True)
def test_its_job_is_queued_at_once(seven: list[Contact]) -> None:
    assert BulkAction.objects.get(pk=begun().pk).worked_at is not None


def test_one_that_nobody_is_at_is_queued_by_the_tick(seven: list[Contact]) -> None:
    long_ago = timezone.now() - timedelta(minutes=1)
    BulkAction.objects.filter(pk=begun().pk).update(worked_at=long_ago)
    jobs.tick()
    assert BulkAction.objects.get().worked_at > long_ago  # type: ignore[operator]


def test_one_that_somebody_is_at_is_left_to_them(seven: list[Contact]) -> None:
    lately = timezone.now() - timedelta(seconds=5)
    BulkAction.objects.filter(pk=begun().pk).update(worked_at=lately)
    jobs.tick()
    assert BulkAction.objects.get().worked_at == lately


def test_one_cut_off_is_taken_up_where_it_was(seven: list[Contact]) -> None:
    action = begun()
    bulk.carry_out(action, until=time.monotonic())
    taken = action.taken
    jobs.bulk(action.pk)
    assert (taken, pending(), set(Contact.objects.values_list("dirty_counter", flat=True))) == (2, 7, {1})


def test_a_step_that_breaks_off_is_done_again_whole(seven: list[Contact], monkeypatch: pytest.MonkeyPatch) -> None:
    action, whole = begun(), bulk.VERBS["retry"]

    def broken(some: object, action: BulkAction) -> int:
        whole.do(some, action)  # type: ignore[arg-type]
        raise ZeroDivisionError

    monkeypatch.setitem(bulk.VERBS, "retry", replace(whole, do=broken))
    with pytest.raises(ZeroDivisionError):
        jobs.bulk(action.pk)
    after_the_fault = pending()
    monkeypatch.setitem(bulk.VERBS, "retry", whole)
    jobs.bulk(action.pk)
    assert (after_the_fault, pending()) == (0, 7)


def test_two_at_it_do_nothing_twice(seven: list[Contact]) -> None:
    action = begun()
    same = BulkAction.objects.get(pk=action.pk)
    bulk.carry_out(action, until=time.monotonic())
    bulk.carry_out(same)
    assert set(Contact.objects.values_list("dirty_counter", flat=True)) == {0, 1}
    assert BulkAction.objects.get().taken == 2


def test_one_that_has_moved_on_by_its_turn_is_left_as_it_is(seven: list[Contact]) -> None:
    action = begun()
    Contact.objects.filter(pk=seven[6].pk).update(status=Status.IN_SYNC)
    jobs.bulk(action.pk)
    action.refresh_from_db()
    assert (action.taken, action.state, Contact.objects.get(pk=seven[6].pk).status) == (6, "done", "in_sync")


def test_those_that_came_later_are_not_taken(seven: list[Contact], sync: Sync) -> None:
    action = begun()
    late = make_contact(sync, Status.FAILED)
    Contact.objects.filter(pk=seven[0].pk).update(status=Status.IN_SYNC)
    jobs.bulk(action.pk)
    assert Contact.objects.get(pk=late.pk).status == Status.FAILED


def test_never_more_are_taken_than_was_said(seven: list[Contact]) -> None:
    action = bulk.begin("retry", FAILED, None, total=5)
    jobs.bulk(action.pk)
    assert pending() == 5


def test_one_that_is_stopped_takes_no_more(seven: list[Contact], operator: Client) -> None:
    action = begun()
    bulk.carry_out(action, until=time.monotonic())
    operator.post(reverse("bulk_stop", args=[action.pk]))
    jobs.bulk(action.pk)
    bulk.carry_out(action)
    assert pending() == 2


def test_a_viewer_stops_nothing(seven: list[Contact], viewer: Client) -> None:
    action = begun()
    assert viewer.post(reverse("bulk_stop", args=[action.pk])).status_code == 403
    assert "Stop" not in page(viewer, action)


def test_who_asked_for_how_many_is_in_the_audit_log(seven: list[Contact], operator: Client) -> None:
    confirm(operator, "exclude", reason="asked us to")
    entry = AuditEntry.objects.all()[0]
    assert (entry.act, entry.by_name) == (Act.CONTACTS_EXCLUDED, "operator@example.com")
    assert entry.after == {"contacts": 7, "reason": "asked us to"}


def test_where_it_was_stopped_is_in_the_audit_log(seven: list[Contact]) -> None:
    action = begun()
    bulk.carry_out(action, until=time.monotonic())
    bulk.stop(action, None)
    assert (AuditEntry.objects.all()[0].act, AuditEntry.objects.all()[0].after) == (Act.BULK_STOPPED, {"contacts": 2})


def test_its_page_tells_how_far_it_is(seven: list[Contact], viewer: Client) -> None:
    action = begun("exclude", reason="asked us to")
    bulk.carry_out(action, until=time.monotonic())
    shown = page(viewer, action)
    assert ["2 of 7 contacts done" in shown, "asked us to" in shown] == [True, True]


def test_a_retry_is_over_when_both_crms_have_been_asked(seven: list[Contact], viewer: Client) -> None:
    action = begun()
    jobs.bulk(action.pk)
    Contact.objects.filter(pk__in=[one.pk for one in seven[:5]]).update(status=Status.IN_SYNC)
    while_some_are_pending = "5 of 7 contacts done" in page(viewer, action)
    Contact.objects.filter(status=Status.PENDING).update(status=Status.FAILED)
    assert (while_some_are_pending, "All done: 7 contacts." in page(viewer, action)) == (True, True)


def test_its_contacts_are_listed_by_what_became_of_them(seven: list[Contact], viewer: Client) -> None:
    action = begun()
    jobs.bulk(action.pk)
    Contact.objects.filter(pk=seven[0].pk).update(status=Status.FAILED)
    rows = viewer.get(reverse("bulk_action", args=[action.pk]), {"status": "failed"}).context["page"].rows
    assert rows == [seven[0]]


def test_what_is_under_way_is_shown_above_the_contacts(seven: list[Contact], viewer: Client) -> None:
    action = begun()
    during = reverse("bulk_action", args=[action.pk]) in viewer.get("/contacts/").content.decode()
    jobs.bulk(action.pk)
    Contact.objects.update(status=Status.IN_SYNC)
    after = reverse("bulk_action", args=[action.pk]) in viewer.get("/contacts/").content.decode()
    assert (during, after) == (True, False)


@pytest.mark.parametrize("many", [3, 30])
def test_its_queries_do_not_grow_with_rows(
    sync: Sync, operator: Client, many: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(many):
        make_contact(sync, Status.FAILED)
    action = begun()
    with django_assert_num_queries(9):  # session, user, permissions (2), action, counts, pending, those that went first, rows
        operator.get(reverse("bulk_action", args=[action.pk]))


@pytest.mark.parametrize(
    "said",
    [
        Selection(text="anna", sync=1, tag="vip"),
        Selection(keys=(3, 1), status="failed"),
        Selection(updated_since=timezone.now(), issue=4, batch=2),
    ],
)
def test_a_selection_comes_back_as_it_was_kept(said: Selection) -> None:
    assert Selection.from_json(said.to_json()) == said


def test_of_very_many_contacts_the_counts_are_kept_for_a_while(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MANY", 2)
    counted = []
    for _ in range(3):
        make_contact(sync)
        counted.append(reports.overview(sync)["in_sync"])
    cache.clear()
    assert counted == [1, 2, 2]
