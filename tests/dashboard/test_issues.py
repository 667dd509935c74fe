"""Failures by cause: the list, one cause with what to do about it, and its retry."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crmsync.engine.records import Side
from crmsync.models import Canary, Contact, Issue, Mode, Status, Sync
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import actions, canary
from tests.dashboard.data import make_contact


def make_issue(sync: Sync, held_up: int = 3, **values: Any) -> Issue:
    usual = {
        "code": "refused",
        "side": Side.GHL,
        "subject": "phone",
        "explanation": "GoHighLevel refused the phone.",
        "what_to_do": "Mend it.",
    }
    issue = Issue.objects.create(**{"sync": sync, **usual, **values})
    for _ in range(held_up):
        make_contact(sync, Status.FAILED, issue=issue, reason="x")
    return issue


def tried(begun: Canary) -> ContactQuerySet:
    return Contact.objects.filter(pk__in=[begun.contact_id])


def page(client: Client, issue: Issue) -> str:
    return client.get(reverse("issue", args=[issue.pk])).content.decode()


def test_open_causes_are_listed_with_how_many_they_hold_up(sync: Sync, viewer: Client) -> None:
    make_issue(sync)
    shown = viewer.get("/issues/").content.decode()
    assert "GoHighLevel refused the phone." in shown
    assert "<strong>3</strong>" in shown


def test_a_closed_cause_is_on_the_list_of_closed_ones_only(sync: Sync, viewer: Client) -> None:
    make_issue(sync, 0, closed_at=timezone.now())
    shown = [viewer.get(address).content.decode() for address in ("/issues/", "/issues/?state=closed")]
    assert ["refused the phone" in text for text in shown] == [False, True]


@pytest.mark.parametrize("issues", [1, 12])
def test_the_list_costs_the_same_however_many_there_are(
    sync: Sync, operator: Client, issues: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(issues):
        make_issue(sync, 2, subject=f"field {n}")
    operator.get("/issues/")
    with django_assert_num_queries(7):
        operator.get("/issues/")


@pytest.mark.parametrize(
    ("values", "name", "what"),
    [
        ({"code": "credentials_refused", "subject": ""}, "connection_credential", "ghl"),
        ({"code": "permission_missing", "subject": "contacts.write"}, "connection", "ghl"),
        ({"code": "unavailable", "subject": ""}, "connection_edit", "ghl"),
        ({"code": "not_kept", "subject": "phone"}, "mapping_change", "phone"),
        ({"code": "refused", "subject": "something else"}, "mappings", "sync"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["code"],
)
def test_a_link_lands_on_what_has_to_be_changed(sync: Sync, administrator: Client, values: dict[str, Any], name: str, what: str) -> None:
    keys = {"ghl": sync.ghl_id, "phone": sync.mappings.get(name="phone").pk, "sync": sync.pk}
    assert f'href="{reverse(name, args=[keys[what]])}"' in page(administrator, make_issue(sync, **values))


def test_who_may_not_change_it_is_told_who_can(sync: Sync, viewer: Client) -> None:
    assert "An administrator can put it right: Change how “phone” is mapped." in page(viewer, make_issue(sync))


def test_the_last_request_is_shown_as_it_is_kept(sync: Sync, viewer: Client) -> None:
    kept = {
        "operation": "update-contact",
        "status": 422,
        "trace_id": "abc",
        "method": "PUT",
        "path": "/contacts/x",
        "sent": {"phone": "text(9)"},
    }
    shown = page(viewer, make_issue(sync, exchange=kept))
    assert all(text in shown for text in ("update-contact", "PUT /contacts/x", "&quot;phone&quot;: &quot;text(9)&quot;", "HTTP 422"))


def test_the_text_for_support_names_no_contact(sync: Sync, viewer: Client) -> None:
    issue = make_issue(sync, 0)
    make_contact(sync, Status.FAILED, issue=issue, label="Renate Köhler")
    text = page(viewer, issue).partition('id="for-support"')[2].partition("</pre>")[0]
    assert "refused (phone)" in text
    assert "Renate" not in text


def test_retry_tries_one_and_says_so(sync: Sync, operator: Client) -> None:
    issue = make_issue(sync)
    shown = operator.post(reverse("issue_retry", args=[issue.pk]), follow=True).content.decode()
    assert sync.contacts.filter(status=Status.PENDING).count() == 1
    assert "Trying one: " in shown


def test_a_second_press_while_one_is_tried_is_refused(sync: Sync, operator: Client) -> None:
    issue = make_issue(sync)
    for _ in range(2):
        shown = operator.post(reverse("issue_retry", args=[issue.pk]), follow=True).content.decode()
    assert "One contact of these is being tried already." in shown
    assert sync.contacts.filter(status=Status.PENDING).count() == 1


def test_retry_on_a_paused_sync_says_why_not(sync: Sync, operator: Client) -> None:
    issue = make_issue(sync)
    Sync.objects.update(mode=Mode.PAUSED)
    assert "resume it first" in operator.post(reverse("issue_retry", args=[issue.pk]), follow=True).content.decode()


def test_a_cause_that_came_back_is_told_with_how_many_were_not_sent(sync: Sync, operator: Client) -> None:
    issue = make_issue(sync)
    begun = actions.retry_all(issue)
    tried(begun).update(status=Status.FAILED)
    canary.follow_up()
    assert "the same cause came back, so the other 2 were not sent" in page(operator, issue)


def test_a_contact_that_went_through_lets_the_others_follow(sync: Sync, operator: Client) -> None:
    issue = make_issue(sync)
    begun = actions.retry_all(issue)
    tried(begun).update(status=Status.IN_SYNC, issue=None)
    canary.follow_up()
    shown = page(operator, issue)
    assert "so the other 2 followed. 2 are on their way." in shown
    assert Canary.objects.get().state == Canary.State.WENT_THROUGH
