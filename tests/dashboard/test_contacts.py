"""The list of contacts."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from crmsync.engine.records import Side
from crmsync.models import Contact, Issue, MatchKey, Status, Sync
from tests.dashboard.data import make_contact, make_sync


def labels(client: Client, query: str = "") -> set[str]:
    return {str(row) for row in client.get(f"/contacts/?{query}").context["page"].rows}


@pytest.fixture
def three(sync: Sync) -> list[Contact]:
    return [
        make_contact(sync, label="Anna Weiß", email="anna@weiss.de", phone="+49 30 1234567"),
        make_contact(sync, Status.FAILED, label="Bernd Groß", email="bernd@gross.de", reason="phone: not kept."),
        make_contact(sync, Status.WAITING, label="Clara Öz", ghl_id="AbcDef123", centralstation_id="4711"),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=weiß", {"Anna Weiß"}),
        ("q=ANNA", {"Anna Weiß"}),
        ("q=gross.de", {"Bernd Groß"}),
        ("q=123456", {"Anna Weiß"}),
        ("q=AbcDef123", {"Clara Öz"}),
        ("q=4711", {"Clara Öz"}),
        ("q=öz", {"Clara Öz"}),
        ("q=CLARA ÖZ", {"Clara Öz"}),
        ("q=nobody", set()),
        ("status=failed", {"Bernd Groß"}),
        ("status=failed&q=anna", set()),
        ("status=nonsense", {"Anna Weiß", "Bernd Groß", "Clara Öz"}),
        ("sync=999", {"Anna Weiß", "Bernd Groß", "Clara Öz"}),
    ],
)
def test_contacts_are_found(three: list[Contact], viewer: Client, query: str, found: set[str]) -> None:
    assert labels(viewer, query) == found


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("status=nonsense", "There is no status “nonsense”"),
        ("sync=999", "There is no such sync"),
        ("issue=999", "What held these contacts up is no longer known"),
    ],
)
def test_what_a_filter_does_not_know_is_said(three: list[Contact], viewer: Client, query: str, said: str) -> None:
    assert said in viewer.get(f"/contacts/?{query}").content.decode()


@pytest.mark.parametrize(
    ("query", "said"), [("status=review", "Nothing is to be reviewed."), ("status=review&q=x", "No contact like this")]
)
def test_a_status_that_no_contact_has_is_said(three: list[Contact], viewer: Client, query: str, said: str) -> None:
    assert said in viewer.get(f"/contacts/?{query}").content.decode()


def test_the_sync_is_shown_where_there_are_several(three: list[Contact], viewer: Client) -> None:
    shown = [viewer.get("/contacts/").content.decode()]
    make_sync("Hamburg")
    shown.append(viewer.get("/contacts/").content.decode())
    assert ['<th scope="col" class="widest-only">' in text for text in shown] == [False, True]


def test_a_phone_number_is_found_however_it_is_written(three: list[Contact], viewer: Client) -> None:
    MatchKey.objects.create(sync=three[0].sync, contact=three[0], side=Side.GHL, kind="phone", value="+49301234567")
    assert labels(viewer, "q=030%2F123 45-67") == {"Anna Weiß"}


def test_only_the_chosen_sync_is_shown(three: list[Contact], viewer: Client) -> None:
    other = make_contact(make_sync("Hamburg"), label="Dora")
    assert labels(viewer, f"sync={other.sync_id}") == {"Dora"}


def test_only_what_an_issue_holds_up_is_shown(three: list[Contact], viewer: Client) -> None:
    issue = Issue.objects.create(sync=three[1].sync, code="x", side=Side.GHL, explanation="x", what_to_do="x")
    Contact.objects.filter(pk=three[1].pk).update(issue=issue)
    assert labels(viewer, f"issue={issue.pk}") == {"Bernd Groß"}


def test_each_status_is_counted_whatever_is_chosen(three: list[Contact], viewer: Client) -> None:
    shown = viewer.get("/contacts/?status=failed").context["statuses"]
    assert shown == [(Status.IN_SYNC, 1), (Status.FAILED, 1), (Status.WAITING, 1)]


def test_the_reason_stands_beside_the_contact(three: list[Contact], viewer: Client) -> None:
    assert "phone: not kept." in viewer.get("/contacts/").content.decode()


def test_no_contact_yet_leads_to_the_overview(viewer: Client) -> None:
    assert "No contacts yet" in viewer.get("/contacts/").content.decode()


def test_finding_nothing_says_what_to_try(three: list[Contact], viewer: Client) -> None:
    assert "Try fewer letters" in viewer.get("/contacts/?q=nobody").content.decode()


def test_what_is_typed_is_shown_as_text(three: list[Contact], viewer: Client) -> None:
    assert "<script>alert" not in viewer.get("/contacts/?q=<script>alert(1)</script>").content.decode()


def test_retry_takes_what_the_filter_shows(three: list[Contact], operator: Client) -> None:
    operator.post("/contacts/retry", {"status": "failed"})
    assert list(Contact.objects.filter(status=Status.PENDING)) == [three[1]]


def test_retry_without_a_filter_takes_all_that_wait_or_failed(three: list[Contact], operator: Client) -> None:
    operator.post("/contacts/retry")
    assert list(Contact.objects.filter(status=Status.PENDING)) == three[1:]


def test_retry_leads_back_to_the_same_list(three: list[Contact], operator: Client) -> None:
    response = operator.post("/contacts/retry", {"status": "failed", "next": "/contacts/?status=failed"})
    assert response.headers["Location"] == "/contacts/?status=failed"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_no_button_leads_to_another_site(three: list[Contact], operator: Client, elsewhere: str) -> None:
    assert operator.post("/contacts/retry", {"next": elsewhere}).headers["Location"] == "/contacts/"


def test_retry_of_an_issue_takes_all_that_it_holds_up(three: list[Contact], operator: Client) -> None:
    issue = Issue.objects.create(sync=three[1].sync, code="x", side=Side.GHL, explanation="x", what_to_do="x")
    Contact.objects.filter(pk=three[1].pk).update(issue=issue)
    operator.post(f"/issues/{issue.pk}/retry")
    assert list(Contact.objects.filter(status=Status.PENDING)) == [three[1]]


def test_a_row_answers_htmx_with_itself_and_goes_on_watching(three: list[Contact], operator: Client) -> None:
    shown = operator.post(f"/contacts/{three[1].pk}/do/retry", headers={"HX-Request": "true"}).content.decode()
    assert shown.lstrip().startswith(f'<tr id="contact-{three[1].pk}" hx-get=')


def test_a_row_that_is_done_stops_watching(three: list[Contact], viewer: Client) -> None:
    assert "hx-trigger" not in viewer.get(f"/contacts/{three[0].pk}/row").content.decode()


@pytest.mark.parametrize("many", [3, 40])
def test_its_queries_do_not_grow_with_rows(
    sync: Sync, operator: Client, many: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(many):
        make_contact(sync, Status.FAILED)
    with django_assert_num_queries(8):  # session, user, permissions (2), syncs to choose from, counts, rows, how many to retry
        operator.get("/contacts/")
