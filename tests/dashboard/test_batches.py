"""What the brake holds: shown with samples, approved or rejected by who may run syncs."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect
from pytest_django import DjangoAssertNumQueries

from crmsync.accounts import Role
from crmsync.engine.records import Side
from crmsync.models import Contact, HeldBatch, HeldWrite, Issue, RateBudget, Status, Sync
from crmsync.sandbox.ghl import Ghl
from crmsync.sync import actions
from tests.dashboard.conftest import OpenPage
from tests.dashboard.data import make_contact, make_sync

NOTE = {"side": "centralstation", "kind": "delete_item", "before": {"title": "Offer", "text": "Wants a new roof."}, "after": {}}
NAME = {"side": "ghl", "kind": "update", "before": {"first name": "Renate"}, "after": {"first name": "Rena"}}


def make_batch(sync: Sync, contacts: int = 2, **values: Any) -> HeldBatch:
    usual: dict[str, Any] = {"kind": "deletions", "side": Side.CENTRALSTATION, "explanation": "More would be deleted than may be."}
    batch = HeldBatch.objects.create(**{"sync": sync, **usual, **values})
    held = [make_contact(sync, Status.WAITING, held_by=batch, dirty=1, reason=batch.explanation) for _ in range(contacts)]
    for contact in held:
        HeldWrite.objects.bulk_create(HeldWrite(batch=batch, contact=contact, **write) for write in (NOTE, NAME))
    return batch


def held_up(sync: Sync, n: int) -> Issue:
    """An issue with so many contacts that failed for it."""
    issue = Issue.objects.create(sync=sync, code="x", side=Side.GHL, explanation="A field is gone.", what_to_do="Add it.")
    for _ in range(n):
        make_contact(sync, Status.FAILED, issue=issue)
    return issue


def page(client: Client, name: str, *args: object) -> str:
    return client.get(reverse(name, args=args)).content.decode()


@pytest.mark.parametrize("where", ["overview", "sync"])
def test_what_is_held_is_a_card_with_samples(sync: Sync, viewer: Client, where: str) -> None:
    batch = make_batch(sync)
    shown = page(viewer, where, *([sync.pk] if where == "sync" else []))
    words = (
        "Deletions in CentralStationCRM: 2 contacts",
        "More would be deleted",
        str(batch.contacts.all()[0]),
        "Note would be deleted",
        "Wants a new roof.",
    )
    assert [word in shown for word in words] == [True] * 5


def test_a_card_shows_three_of_many_contacts(sync: Sync, viewer: Client) -> None:
    batch = make_batch(sync, contacts=5)
    shown = page(viewer, "overview")
    assert [f">{contact}</a>" in shown for contact in batch.contacts.order_by("pk")] == [True] * 3 + [False] * 2


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("creates", "2 new contacts in GoHighLevel"),
        ("changes", "Changes in GoHighLevel: 2 contacts"),
        ("missing", "Contacts gone missing in GoHighLevel"),
    ],
)
def test_each_kind_is_titled(sync: Sync, viewer: Client, kind: str, title: str) -> None:
    batch = make_batch(sync, kind=kind, side=Side.GHL)
    assert f"<h1>{title}</h1>" in page(viewer, "batch", batch.pk)


@pytest.mark.parametrize("state", ["gathering", "approved", "rejected", "over"])
def test_what_is_not_held_is_no_card(sync: Sync, viewer: Client, state: str) -> None:
    make_batch(sync, state=state)
    assert "wait for your yes" not in page(viewer, "overview")


def test_what_is_gathering_has_no_page(sync: Sync, viewer: Client) -> None:
    batch = make_batch(sync, state="gathering")
    assert viewer.get(reverse("batch", args=[batch.pk])).status_code == 404


def test_a_viewer_is_offered_no_decision(sync: Sync, viewer: Client) -> None:
    batch = make_batch(sync)
    assert ["/approve" in shown for shown in (page(viewer, "overview"), page(viewer, "batch", batch.pk))] == [False, False]


def test_the_page_of_a_batch_lists_its_contacts(sync: Sync, viewer: Client) -> None:
    batch = make_batch(sync)
    other = make_contact(sync)
    shown = page(viewer, "batch", batch.pk)
    assert [str(contact) in shown for contact in (*batch.contacts.all(), other)] == [True, True, False]


def test_the_page_of_a_batch_shows_all_that_is_held_of_each_contact(sync: Sync, viewer: Client) -> None:
    batch = make_batch(sync, contacts=12)
    shown = page(viewer, "batch", batch.pk)
    assert [shown.count(text) for text in ("Wants a new roof.", "<del>Renate</del>")] == [12, 12]


def test_a_contact_whose_writes_are_not_known_says_so(sync: Sync, viewer: Client) -> None:
    batch = make_batch(sync, contacts=1)
    batch.writes.all().delete()
    assert "What is held is known when the contact is compared the next time." in page(viewer, "batch", batch.pk)


def test_the_page_of_a_batch_says_in_numbers_what_a_yes_writes(sync: Sync, viewer: Client) -> None:
    shown = page(viewer, "batch", make_batch(sync).pk)
    words = ("2 notes and tasks are deleted in CentralStationCRM.", "2 contacts are changed in GoHighLevel.")
    assert [text in shown for text in words] == [True, True]


def test_whoever_left_a_batch_is_not_counted(sync: Sync, viewer: Client) -> None:
    batch = make_batch(sync)
    Contact.objects.filter(pk=batch.contacts.all()[0].pk).update(held_by=None)
    assert "1 note or task is deleted in CentralStationCRM." in page(viewer, "batch", batch.pk)


def test_the_contacts_of_a_batch_are_paged(sync: Sync, viewer: Client) -> None:
    batch = make_batch(sync, contacts=26)
    response = viewer.get(reverse("batch", args=[batch.pk]))
    assert (len(response.context["held"]), "Older" in response.content.decode()) == (25, True)


def test_what_was_approved_is_shown_still(sync: Sync, operator: Client) -> None:
    batch = make_batch(sync)
    operator.post(reverse("batch_decide", args=[batch.pk, "approve"]))
    shown = page(operator, "batch", batch.pk)
    assert ["What was held" in shown, shown.count("Wants a new roof.")] == [True, 2]


def test_a_contact_is_let_through_from_the_page_of_its_batch(sync: Sync, operator: Client) -> None:
    batch = make_batch(sync)
    contact = batch.contacts.all()[0]
    response = operator.post(reverse("contact_do", args=[contact.pk, "retry"]), {"next": f"/batches/{batch.pk}/"})
    contact.refresh_from_db()
    assert (response.headers["Location"], contact.held_by, contact.status) == (f"/batches/{batch.pk}/", None, "pending")


@pytest.mark.parametrize(
    ("word", "words"),
    [("approve", "2 contacts are brought over at once"), ("reject", "Nothing is written. 2 contacts stay as they are")],
)
def test_a_decision_says_first_what_it_will_do(sync: Sync, operator: Client, word: str, words: str) -> None:
    batch = make_batch(sync)
    assert words in page(operator, "batch_decide", batch.pk, word)
    batch.refresh_from_db()
    assert batch.state == "held"


def test_an_approval_says_how_much_is_deleted(sync: Sync, operator: Client) -> None:
    shown = page(operator, "batch_decide", make_batch(sync).pk, "approve")
    assert ["2 notes and tasks are deleted in CentralStationCRM." in shown, "btn-danger" in shown] == [True, True]


def test_an_approval_without_deletions_is_no_danger(sync: Sync, operator: Client) -> None:
    batch = make_batch(sync, kind="changes")
    batch.writes.filter(kind="delete_item").delete()
    assert "btn-danger" not in page(operator, "batch_decide", batch.pk, "approve")


def test_an_approval_tells_its_price(sync: Sync, operator: Client) -> None:
    batch = make_batch(sync)
    assert "Requests: about 8 to GoHighLevel and 6 to CentralStationCRM" in page(operator, "batch_decide", batch.pk, "approve")


@pytest.mark.parametrize(("word", "words"), [("approve", "quarantined"), ("reject", "The next run looks again")])
def test_a_side_that_vanished_is_told_of_in_its_own_words(sync: Sync, operator: Client, word: str, words: str) -> None:
    batch = make_batch(sync, contacts=0, kind="missing", side=Side.GHL)
    assert words in page(operator, "batch_decide", batch.pk, word)


@pytest.mark.parametrize(("word", "state"), [("approve", "approved"), ("reject", "rejected")])
def test_a_batch_is_decided(sync: Sync, operator: Client, word: str, state: str) -> None:
    batch = make_batch(sync)
    operator.post(reverse("batch_decide", args=[batch.pk, word]))
    batch.refresh_from_db()
    assert (batch.state, str(batch.by)) == (state, "operator@example.com")


def test_what_was_decided_meanwhile_is_said(sync: Sync, operator: Client) -> None:
    batch = make_batch(sync)
    actions.reject(batch)
    response = operator.post(reverse("batch_decide", args=[batch.pk, "approve"]), follow=True)
    assert "Nothing was done. This was decided already: it is rejected." in response.content.decode()


def test_another_word_is_no_decision(sync: Sync, operator: Client) -> None:
    assert operator.post(reverse("batch_decide", args=[make_batch(sync).pk, "forget"])).status_code == 404


def test_decided_batches_are_listed_with_who_decided(sync: Sync, operator: Client) -> None:
    operator.post(reverse("batch_decide", args=[make_batch(sync).pk, "reject"]))
    shown = page(operator, "sync", sync.pk)
    assert ["Held before" in shown, "operator@example.com · " in shown, "Held: wait for your yes" in shown] == [True, True, False]


def test_a_decided_batch_is_titled_by_how_many_it_was_decided_for(sync: Sync, operator: Client) -> None:
    batch = make_batch(sync)
    operator.post(reverse("batch_decide", args=[batch.pk, "approve"]))
    shown = [page(operator, "sync", sync.pk), page(operator, "batch", batch.pk)]
    assert ["Deletions in CentralStationCRM: 2 contacts" in text for text in shown] == [True, True]


def test_a_contact_that_is_put_aside_leads_nowhere_yet(sync: Sync, viewer: Client) -> None:
    batch = make_batch(sync, state="gathering")
    assert "/batches/" not in page(viewer, "contact", batch.contacts.all()[0].pk)


def test_a_held_contact_leads_to_its_batch(sync: Sync, viewer: Client) -> None:
    batch = make_batch(sync)
    shown = page(viewer, "contact", batch.contacts.all()[0].pk)
    assert [f'href="/batches/{batch.pk}/"' in shown, "Retry lets this one through" in shown] == [True, True]


def test_a_held_contact_shows_what_is_held_of_it(sync: Sync, viewer: Client) -> None:
    shown = page(viewer, "contact", make_batch(sync).contacts.all()[0].pk)
    assert ["Note would be deleted in CentralStationCRM" in shown, "Wants a new roof." in shown] == [True, True]


def test_a_contact_that_is_held_no_more_shows_nothing_held(sync: Sync, viewer: Client) -> None:
    contact = make_batch(sync).contacts.all()[0]
    Contact.objects.update(held_by=None)
    assert "Note would be deleted" not in page(viewer, "contact", contact.pk)


def test_retrying_what_the_list_shows_leaves_what_is_held(sync: Sync, operator: Client) -> None:
    batch = make_batch(sync)
    operator.post("/contacts/bulk/retry", {"status": "waiting", "which": "all", "confirmed": "1"})
    assert batch.contacts.count() == 2


def test_the_page_of_a_large_batch_costs_no_more_queries(
    sync: Sync, viewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    batch = make_batch(sync, contacts=40)
    with django_assert_max_num_queries(9):
        viewer.get(reverse("batch", args=[batch.pk]))


# The price of a run


def test_a_full_comparison_tells_its_price_first(sync: Sync, operator: Client) -> None:
    for _ in range(3):
        make_contact(sync)
    shown = page(operator, "sync_run", sync.pk) + operator.get(reverse("sync_run", args=[sync.pk]), {"full": "1"}).content.decode()
    assert "Requests: about 5 to GoHighLevel and 3 to CentralStationCRM, in less than a minute." in shown
    assert not sync.runs.exists()


def test_a_full_comparison_that_the_day_has_no_room_for_is_warned_of(sync: Sync, operator: Client) -> None:
    RateBudget.objects.update(left_today=1)
    make_contact(sync)
    shown = operator.get(reverse("sync_run", args=[sync.pk]), {"full": "1"}).content.decode()
    assert "GoHighLevel takes only 1 more requests today." in shown


def test_a_full_comparison_begins_from_there(sync: Sync, operator: Client) -> None:
    operator.post(reverse("sync_run", args=[sync.pk]) + "?full=1")
    assert sync.runs.get().kind == "full"


def test_a_first_sync_asks_the_accounts_how_much_there_is(joined: Sync, ghl_sandbox: Ghl, operator: Client) -> None:
    ghl_sandbox.add_contact(firstName="Ada")
    assert "Requests: up to about 3 to GoHighLevel and 3 to CentralStationCRM" in page(operator, "sync_run", joined.pk)


def test_a_first_sync_of_an_account_that_cannot_be_reached_tells_so(sync: Sync, operator: Client) -> None:
    Sync.objects.update(first_sync_done_at=None)
    assert "What it costs can&#x27;t be told now" in page(operator, "sync_run", sync.pk)


@pytest.mark.parametrize(("n", "is_told"), [(49, False), (50, True)])
def test_an_issue_tells_what_retrying_many_costs(sync: Sync, operator: Client, n: int, is_told: bool) -> None:
    shown = page(operator, "issue", held_up(sync, n).pk)
    assert ("Requests: about 200 to GoHighLevel and 150 to CentralStationCRM" in shown) == is_told


def test_retrying_all_of_an_issue_leaves_what_is_held(sync: Sync, operator: Client) -> None:
    issue, batch = held_up(sync, 2), make_batch(sync)
    batch.contacts.update(issue=issue)
    operator.post(reverse("issue_retry", args=[issue.pk]))
    assert (batch.contacts.count(), batch.contacts.filter(asked_cause="retry").count()) == (2, 0)


@pytest.mark.parametrize(("n", "is_told"), [(49, False), (50, True)])
def test_retrying_many_tells_its_price(sync: Sync, operator: Client, n: int, is_told: bool) -> None:
    for _ in range(n):
        make_contact(sync, Status.FAILED)
    shown = operator.post("/contacts/bulk/retry", {"which": "all"}).content.decode()
    assert ("Requests: about 200 to GoHighLevel and 150 to CentralStationCRM" in shown) == is_told


# In a browser


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_held_batch_is_approved(open_page: OpenPage) -> None:
    batch = make_batch(make_sync())
    browser_page = open_page(Role.OPERATOR)
    browser_page.get_by_role("link", name="Approve…").click()
    expect(browser_page.get_by_text("2 contacts are brought over at once")).to_be_visible()
    browser_page.get_by_role("button", name="Approve").click()
    expect(browser_page.get_by_text("Approved. What was held is done now.")).to_be_visible()
    assert set(Contact.objects.values_list("status", "asked_cause")) == {("pending", "decision")}
    batch.refresh_from_db()
    assert batch.state == "approved"
