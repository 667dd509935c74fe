"""Fix it here, on the pages: what is offered to whom, what is said first, and what a press does."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crmsync.engine.records import Side
from crmsync.models import Canary, Contact, FieldMapping, Issue, Status, Sync
from tests.dashboard.data import make_contact
from tests.dashboard.test_issues import make_issue

BAD = "grace@gmail,com"


def held_up(issue: Issue, email: str = BAD) -> Contact:
    """Only in CentralStation, and refused by GHL for its e-mail."""
    seen = {"email": [None, email]}
    return make_contact(issue.sync, Status.FAILED, issue=issue, ghl_id=None, label="Grace Hopper", reason=issue.explanation, seen=seen)


@pytest.fixture
def issue(sync: Sync) -> Issue:
    return make_issue(sync, 0, subject="email", side=Side.GHL, explanation="GoHighLevel refused the field “email”.")


def contact_page(client: Client, contact: Contact) -> str:
    return client.get(reverse("contact", args=[contact.pk])).content.decode()


def issue_page(client: Client, issue: Issue) -> str:
    return client.get(reverse("issue", args=[issue.pk])).content.decode()


def press(client: Client, contact: Contact, value: str = "grace@gmail.com", seen: str = BAD) -> str:
    return client.post(reverse("contact_fix", args=[contact.pk]), {"seen": seen, "value": value}, follow=True).content.decode()


def test_a_contact_is_offered_the_corrected_value_with_what_was_changed(issue: Issue, operator: Client) -> None:
    shown = contact_page(operator, held_up(issue))
    assert all(text in shown for text in ("Fix it here", "Write “grace@gmail.com”", "“gmail,com” → “gmail.com”", "CentralStationCRM"))


def test_a_viewer_sees_what_is_offered_and_no_button(issue: Issue, viewer: Client) -> None:
    contact = held_up(issue)
    shown = contact_page(viewer, contact)
    assert "grace@gmail.com" in shown
    assert reverse("contact_fix", args=[contact.pk]) not in shown + issue_page(viewer, issue)


def test_a_viewer_may_correct_nothing(issue: Issue, viewer: Client) -> None:
    contact = held_up(issue)
    addresses = [reverse("contact_fix", args=[contact.pk]), reverse("issue_fix", args=[issue.pk, "typo"])]
    assert [viewer.post(address).status_code for address in addresses] == [403, 403]


def test_a_press_keeps_the_correction_for_the_job_and_says_so(issue: Issue, operator: Client) -> None:
    contact = held_up(issue)
    assert "Started: the value is written to CentralStationCRM" in press(operator, contact)
    contact.refresh_from_db()
    assert (contact.status, contact.corrections) == (Status.PENDING, {"email": ["centralstation", BAD, "grace@gmail.com"]})


def test_a_typed_value_that_will_not_do_comes_back_with_what_is_wrong(issue: Issue, operator: Client) -> None:
    contact = held_up(issue)
    answer = operator.post(reverse("contact_fix", args=[contact.pk]), {"seen": BAD, "value": "grace"})
    assert (answer.status_code, "an e-mail address, such as" in answer.content.decode()) == (422, True)


def test_what_somebody_typed_is_shown_as_text(issue: Issue, operator: Client) -> None:
    contact = held_up(issue, "<b>Ada</b> ada@example.org")
    shown = operator.get(reverse("contact_fix", args=[contact.pk])).content.decode() + contact_page(operator, contact)
    assert "<b>Ada" not in shown
    assert "&lt;b&gt;Ada" in shown


def test_a_page_that_is_out_of_date_corrects_nothing(issue: Issue, operator: Client) -> None:
    contact = held_up(issue)
    assert "changed meanwhile" in press(operator, contact, seen="other@gmail,com")
    contact.refresh_from_db()
    assert contact.corrections == {}


def test_a_contact_that_is_held_up_by_nothing_is_told_so(sync: Sync, operator: Client) -> None:
    assert "held up by a value any more" in press(operator, make_contact(sync))


def test_where_crmsync_may_not_write_the_record_itself_is_offered(issue: Issue, operator: Client) -> None:
    FieldMapping.objects.filter(sync=issue.sync, name="email").update(direction="to_ghl")
    shown = contact_page(operator, held_up(issue))
    assert "goes to GoHighLevel only" in shown
    assert "Write “grace@gmail.com”" not in shown


def test_the_page_of_a_cause_shows_each_value_and_what_is_offered(issue: Issue, operator: Client) -> None:
    held_up(issue)
    shown = issue_page(operator, issue)
    assert f"<del>{BAD}</del>" in shown
    assert "<ins>grace@gmail.com</ins>" in shown


def test_those_that_look_the_same_are_counted_on_both_pages(issue: Issue, operator: Client) -> None:
    first, *_others = [held_up(issue, f"{name}@gmail,com") for name in ("a", "b", "c")]
    assert "Correct 3 alike: what looks mistyped is put right…" in issue_page(operator, issue)
    assert "2 more look the same" in contact_page(operator, first)


def test_before_all_are_corrected_each_is_shown_with_numbers(issue: Issue, operator: Client) -> None:
    for name in ("a", "b", "c"):
        held_up(issue, f"{name}@gmail,com")
    held_up(issue, "no e-mail at all")
    shown = operator.get(reverse("issue_fix", args=[issue.pk, "typo"])).content.decode()
    assert "3 contacts get another value in CentralStationCRM" in shown
    assert shown.count("<ins>") == 3


def test_correcting_all_corrects_one_first(issue: Issue, operator: Client) -> None:
    for name in ("a", "b", "c"):
        held_up(issue, f"{name}@gmail,com")
    shown = operator.post(reverse("issue_fix", args=[issue.pk, "typo"]), follow=True).content.decode()
    canary = Canary.objects.get()
    assert (canary.others, Contact.objects.exclude(corrections={}).count()) == (2, 1)
    assert "Trying one" in shown


def test_the_page_of_a_cause_costs_the_same_however_many_it_holds_up(issue: Issue, operator: Client) -> None:
    counts = []
    for n in (2, 20):
        for number in range(n):
            held_up(issue, f"a{number}@gmail,com")
        with CaptureQueriesContext(connection) as queries:
            issue_page(operator, issue)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_who_has_the_same_email_already_is_linked(sync: Sync, operator: Client) -> None:
    other = make_contact(sync, label="Grace Murray")
    duplicate = make_issue(sync, 0, code="duplicate", subject="email")
    contact = make_contact(sync, Status.FAILED, issue=duplicate, reason="x", candidates=[other.pk])
    shown = contact_page(operator, contact)
    assert f'The other contact: <a href="{reverse("contact", args=[other.pk])}">Grace Murray</a>' in shown
