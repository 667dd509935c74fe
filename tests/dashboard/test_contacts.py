"""The list of contacts."""

from __future__ import annotations

import csv
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crmsync.engine.records import Side
from crmsync.models import Contact, Issue, MatchKey, Status, Sync
from dashboard import found
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
    ("query", "names"),
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
def test_contacts_are_found(three: list[Contact], viewer: Client, query: str, names: set[str]) -> None:
    assert labels(viewer, query) == names


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


def test_a_phone_number_is_read_as_in_the_home_country_of_its_sync(three: list[Contact], viewer: Client) -> None:
    Sync.objects.filter(pk=three[0].sync_id).update(region="FR")
    MatchKey.objects.create(sync=three[0].sync, contact=three[0], side=Side.GHL, kind="phone", value="+33155557006")
    assert labels(viewer, "q=01 55 55 70 06") == {"Anna Weiß"}


def test_a_contact_is_found_by_its_second_e_mail_address(three: list[Contact], viewer: Client) -> None:
    MatchKey.objects.create(sync=three[0].sync, contact=three[0], side=Side.CENTRALSTATION, kind="email", value="a.weiss@work.example")
    assert labels(viewer, "q=A.Weiss@work.example") == {"Anna Weiß"}


def test_only_the_chosen_sync_is_shown(three: list[Contact], viewer: Client) -> None:
    other = make_contact(make_sync("Hamburg"), label="Dora")
    assert labels(viewer, f"sync={other.sync_id}") == {"Dora"}


def test_only_what_an_issue_holds_up_is_shown(three: list[Contact], viewer: Client) -> None:
    issue = Issue.objects.create(sync=three[1].sync, code="x", side=Side.GHL, explanation="x", what_to_do="x")
    Contact.objects.filter(pk=three[1].pk).update(issue=issue)
    assert labels(viewer, f"issue={issue.pk}") == {"Bernd Groß"}


def test_each_status_is_counted_whatever_is_chosen(three: list[Contact], viewer: Client) -> None:
    shown = viewer.get("/contacts/?status=failed").context["statuses"]
    assert shown == [(Status.IN_SYNC, "1"), (Status.FAILED, "1"), (Status.WAITING, "1")]


def test_counting_stops_at_the_cap(three: list[Contact], viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "CAP", 1)
    assert viewer.get("/contacts/").context["total"] == "1+"


@pytest.mark.parametrize(("tag", "names"), [("VIP", {"Anna Weiß"}), ("vi", set()), ("grün", {"Bernd Groß"})])
def test_contacts_are_found_by_a_tag(three: list[Contact], viewer: Client, tag: str, names: set[str]) -> None:
    Contact.objects.filter(pk=three[0].pk).update(base={"tags": ["vip", "wichtig"]})
    Contact.objects.filter(pk=three[1].pk).update(base={"tags": ["grün"]})
    assert labels(viewer, f"tag={tag}") == names


def test_contacts_are_found_by_when_they_were_updated(three: list[Contact], viewer: Client) -> None:
    Contact.objects.filter(pk=three[0].pk).update(updated_at=timezone.now() - timedelta(days=2))
    assert labels(viewer, "changed=24h") == {"Bernd Groß", "Clara Öz"}


@pytest.mark.parametrize(("sort", "order"), [("", [2, 1, 0]), ("name", [0, 1, 2]), ("updated", [1, 2, 0]), ("stale", [0, 2, 1])])
def test_contacts_are_sorted(three: list[Contact], viewer: Client, sort: str, order: list[int]) -> None:
    for days, contact in ((3, three[0]), (1, three[1]), (2, three[2])):
        Contact.objects.filter(pk=contact.pk).update(updated_at=timezone.now() - timedelta(days=days))
    rows = viewer.get(f"/contacts/?sort={sort}").context["page"].rows
    assert rows == [three[n] for n in order]


def exported(client: Client, query: str = "") -> list[list[str]]:
    text = b"".join(client.get(f"/contacts/export?{query}").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(text.splitlines()))


def test_the_export_begins_with_what_others_join_on(three: list[Contact], viewer: Client) -> None:
    assert exported(viewer)[0][:4] == ["id", "external_id", "status", "updated_at"]


def test_the_export_has_what_the_filter_shows(three: list[Contact], viewer: Client) -> None:
    rows = exported(viewer, "status=waiting")[1:]
    assert [row[:3] for row in rows] == [[str(three[2].pk), "AbcDef123", "waiting"]]


def test_a_name_that_begins_like_a_formula_is_exported_as_text(three: list[Contact], viewer: Client) -> None:
    Contact.objects.filter(pk=three[0].pk).update(label='=HYPERLINK("http://evil.example")')
    assert exported(viewer)[1][7] == '\'=HYPERLINK("http://evil.example")'


def test_the_export_goes_on_past_a_chunk(three: list[Contact], viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "CHUNK", 1)
    assert len(exported(viewer)) == 4


def test_the_reason_stands_beside_the_contact(three: list[Contact], viewer: Client) -> None:
    assert "phone: not kept." in viewer.get("/contacts/").content.decode()


def test_no_contact_yet_leads_to_the_overview(viewer: Client) -> None:
    assert "No contacts yet" in viewer.get("/contacts/").content.decode()


def test_finding_nothing_says_what_to_try(three: list[Contact], viewer: Client) -> None:
    assert "Try fewer letters" in viewer.get("/contacts/?q=nobody").content.decode()


def test_what_is_typed_is_shown_as_text(three: list[Contact], viewer: Client) -> None:
    assert "<script>alert" not in viewer.get("/contacts/?q=<script>alert(1)</script>").content.decode()


def test_retry_takes_what_the_filter_shows(three: list[Contact], operator: Client) -> None:
    operator.post("/contacts/bulk/retry", {"status": "failed", "which": "all", "confirmed": "1"})
    assert list(Contact.objects.filter(status=Status.PENDING)) == [three[1]]


def test_retry_takes_of_all_those_that_wait_or_failed(three: list[Contact], operator: Client) -> None:
    operator.post("/contacts/bulk/retry", {"which": "all", "confirmed": "1"})
    assert list(Contact.objects.filter(status=Status.PENDING)) == three[1:]


def test_nothing_is_done_before_it_is_confirmed(three: list[Contact], operator: Client) -> None:
    operator.post("/contacts/bulk/retry", {"which": "all"})
    assert not Contact.objects.filter(status=Status.PENDING).exists()


def test_what_a_button_will_do_is_said_in_numbers(three: list[Contact], operator: Client) -> None:
    shown = operator.post("/contacts/bulk/retry", {"which": "all"}).content.decode()
    assert ["2 contacts will be tried again." in shown, "1 of those chosen is left as it is" in shown] == [True, True]


def test_only_those_ticked_are_taken(three: list[Contact], operator: Client) -> None:
    operator.post("/contacts/bulk/sync-now", {"which": "ticked", "ticked": [three[0].pk], "page": three[1].pk, "confirmed": "1"})
    assert list(Contact.objects.filter(status=Status.PENDING)) == [three[0]]


def test_all_on_the_page_are_taken(three: list[Contact], operator: Client) -> None:
    operator.post("/contacts/bulk/sync-now", {"which": "page", "page": f"{three[0].pk},{three[1].pk}", "confirmed": "1"})
    assert list(Contact.objects.filter(status=Status.PENDING)) == three[:2]


def test_those_excluded_together_show_the_reason(three: list[Contact], operator: Client) -> None:
    operator.post("/contacts/bulk/exclude", {"which": "all", "status": "failed", "confirmed": "1", "reason": "asked us to"})
    assert list(Contact.objects.values_list("exclusion", flat=True)) == ["", "asked us to", ""]


def test_nobody_is_excluded_without_a_reason(three: list[Contact], operator: Client) -> None:
    response = operator.post("/contacts/bulk/exclude", {"which": "all", "confirmed": "1", "reason": " "})
    assert (response.status_code, Contact.objects.filter(status=Status.EXCLUDED).count()) == (422, 0)


def test_acting_on_many_leads_back_to_the_same_list(three: list[Contact], operator: Client) -> None:
    response = operator.post("/contacts/bulk/retry", {"which": "all", "confirmed": "1", "next": "/contacts/?status=failed"})
    assert response.headers["Location"] == "/contacts/?status=failed"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_no_button_leads_to_another_site(three: list[Contact], operator: Client, elsewhere: str) -> None:
    response = operator.post("/contacts/bulk/retry", {"which": "all", "confirmed": "1", "next": elsewhere})
    assert response.headers["Location"] == "/contacts/"


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
    with django_assert_num_queries(10):  # session, user, permissions (2), syncs, causes, counts, rows, views, bulk actions under way
        operator.get("/contacts/")
