"""One contact: both sides, what happened, and what to press."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crmsync.engine.records import Side
from crmsync.models import Cause, Contact, Issue, Item, Result, Status, Sync
from crmsync.sync.origins import origins
from tests.dashboard.data import make_change, make_contact
from tests.dashboard.demo import demo

PHONES: dict[str, Any] = {
    "base": {"fields": {"phone": ["+49 30 1", "+49 30 1"]}, "tags": ["vip"]},
    "seen": {"phone": ["+49 30 2", "+49 30 3"]},
    "conflicts": ["phone"],
}


def page(client: Client, contact: Contact, query: str = "") -> str:
    return client.get(reverse("contact", args=[contact.pk]) + query, follow=True).content.decode()


def do(client: Client, contact: Contact, verb: str) -> Contact:
    client.post(reverse("contact_do", args=[contact.pk, verb]))
    return Contact.objects.get(pk=contact.pk)


def buttons(client: Client, contact: Contact) -> list[str]:
    return [verb.name for verb in client.get(reverse("contact", args=[contact.pk])).context["verbs"]]


@pytest.mark.parametrize(
    ("status", "names"),
    [
        (Status.IN_SYNC, ["sync-now", "separate"]),
        (Status.FAILED, ["retry", "separate"]),
        (Status.WAITING, ["retry", "separate"]),
        (Status.CONFLICT, ["sync-now", "separate"]),
        (Status.REVIEW, ["sync-now", "keep-apart"]),
        (Status.QUARANTINED, ["restore", "unlink", "delete-there"]),
        (Status.EXCLUDED, ["include"]),
    ],
)
def test_each_status_has_its_buttons(sync: Sync, operator: Client, status: Status, names: list[str]) -> None:
    assert buttons(operator, make_contact(sync, status)) == names


def test_the_reason_and_what_to_do_are_on_top(sync: Sync, viewer: Client) -> None:
    shown = page(viewer, make_contact(sync, Status.FAILED, reason="phone: not kept."))
    assert [text in shown for text in ("phone: not kept.", "Mend the cause, then press Retry.")] == [True, True]


def with_issue(sync: Sync, status: Status) -> Contact:
    issue = Issue.objects.create(sync=sync, code="x", side=Side.GHL, explanation="x", what_to_do="Nothing: it is tried again by itself.")
    due_at = timezone.now() + timedelta(seconds=150)
    return make_contact(sync, status, reason="Timed out.", issue=issue, due_at=due_at)


def test_what_its_issue_advises_takes_the_place_of_general_advice(sync: Sync, viewer: Client) -> None:
    shown = page(viewer, with_issue(sync, Status.FAILED))
    advice = ("Nothing: it is tried again by itself.", "in 2\xa0minutes", "then press Retry")
    assert [text in shown for text in advice] == [True, True, False]


def test_an_old_failure_is_not_shown_while_it_is_tried_again(sync: Sync, viewer: Client) -> None:
    shown = page(viewer, with_issue(sync, Status.PENDING))
    assert [text in shown for text in ("Timed out.", "tried again by itself", "Next try")] == [False] * 3


def test_both_sides_stand_beside_what_was_agreed(sync: Sync, viewer: Client) -> None:
    shown = page(viewer, make_contact(sync, **PHONES))
    assert [text in shown for text in ("+49 30 1", "+49 30 2", "+49 30 3", "vip")] == [True] * 4


def test_a_field_that_differs_is_marked(sync: Sync, viewer: Client) -> None:
    assert page(viewer, make_contact(sync, **PHONES)).count('class="differs"') == 1


def test_no_field_differs_from_a_side_that_is_gone(sync: Sync, viewer: Client) -> None:
    assert 'class="differs"' not in page(viewer, make_contact(sync, Status.QUARANTINED, missing_on=Side.GHL, **PHONES))


def test_a_field_in_conflict_is_decided_by_side(sync: Sync, operator: Client) -> None:
    contact = make_contact(sync, Status.CONFLICT, **PHONES)
    operator.post(reverse("contact_decide", args=[contact.pk]), {"field": "phone", "side": "centralstation"})
    assert Contact.objects.get(pk=contact.pk).decisions == {"phone": "centralstation"}


def test_there_is_a_choice_in_conflict_only(sync: Sync, operator: Client) -> None:
    offered = [
        page(operator, make_contact(sync, status, **PHONES)).count("Take this value") for status in (Status.CONFLICT, Status.IN_SYNC)
    ]
    assert offered == [2, 0]


def test_a_side_that_is_none_is_not_found(sync: Sync, operator: Client) -> None:
    contact = make_contact(sync, Status.CONFLICT, **PHONES)
    assert operator.post(reverse("contact_decide", args=[contact.pk]), {"field": "phone", "side": "both"}).status_code == 404


def test_notes_are_shown_without_their_html(sync: Sync, viewer: Client) -> None:
    contact = make_contact(sync)
    Item.objects.create(contact=contact, kind="note", ghl_id="n1", base={"text": ["<p>Hallo</p><script>x()</script>"] * 2})
    shown = page(viewer, contact)
    assert "Hallo" in shown
    assert "<script>x" not in shown


def test_a_change_shows_before_after_result_cause_and_who(sync: Sync, operator: Client) -> None:
    contact = make_contact(sync)
    user = operator.get("/").context["user"]
    make_change(contact, before={"city": "Bonn"}, after={"city": "Köln"}, result=Result.NOT_KEPT, cause=Cause.RETRY, by=user)
    shown = page(operator, contact)
    assert all(text in shown for text in ("Bonn", "Köln", "not kept", "retry by a person", "operator@example.com"))


def test_a_field_tells_where_its_value_came_from(sync: Sync, viewer: Client) -> None:
    contact = make_contact(sync, base={"fields": {"city": ["Köln", "Köln"]}})
    make_change(contact, side=Side.CENTRALSTATION, after={"city": "Köln"}, cause=Cause.WEBHOOK)
    shown = page(viewer, contact)
    assert "from GoHighLevel" in shown


def test_what_an_undo_wrote_back_came_from_no_side(sync: Sync, viewer: Client) -> None:
    contact = make_contact(sync, base={"fields": {"city": ["Bonn", "Bonn"]}})
    make_change(contact, side=Side.CENTRALSTATION, after={"city": "Bonn"}, cause=Cause.UNDO)
    shown = page(viewer, contact)
    assert ["written back" in shown, "from GoHighLevel" in shown] == [True, False]


def test_a_value_that_was_replaced_by_hand_has_no_origin_in_the_log(sync: Sync) -> None:
    contact = make_contact(sync, base={"fields": {"city": ["Bonn", "Bonn"]}})
    make_change(contact, side=Side.CENTRALSTATION, after={"city": "Köln"})
    assert origins(contact) == {}


def test_the_latest_write_tells_the_origin(sync: Sync) -> None:
    contact = make_contact(sync, base={"fields": {"city": ["Köln", "Köln"]}})
    make_change(contact, side=Side.CENTRALSTATION, after={"city": "Bonn"})
    change = make_change(contact, side=Side.GHL, after={"city": "Köln"})
    assert [(one.side, one.change) for one in origins(contact).values()] == [(Side.CENTRALSTATION, change)]


def test_a_tag_tells_where_it_came_from(sync: Sync) -> None:
    contact = make_contact(sync, base={"fields": {}, "tags": ["vip"]})
    make_change(contact, side=Side.GHL, kind="add_tags", after={"tags": ["VIP"]})
    assert origins(contact)["tag:vip"].side == Side.CENTRALSTATION


def test_a_failed_write_tells_status_and_trace_id(sync: Sync, viewer: Client) -> None:
    contact = make_contact(sync)
    make_change(contact, result=Result.FAILED, http_status=422, trace_id="trace-7", remote_id="Gh123")
    shown = page(viewer, contact)
    assert [text in shown for text in ("HTTP 422", "trace-7", "Gh123")] == [True] * 3


def test_unlinking_says_what_will_happen_and_leaves_two_excluded_contacts(sync: Sync, operator: Client) -> None:
    contact = make_contact(sync)
    said = operator.get(reverse("contact_do", args=[contact.pk, "separate"])).content.decode()
    do(operator, contact, "separate")
    halves = set(Contact.objects.values_list("ghl_id", "centralstation_id", "status"))
    assert "Nothing is deleted or changed" in said
    assert halves == {(contact.ghl_id, None, "excluded"), (None, contact.centralstation_id, "excluded")}


def test_changes_come_twenty_a_page(sync: Sync, viewer: Client) -> None:
    contact = make_contact(sync)
    for number in range(21):
        make_change(contact, after={"city": f"city-{number}"})
    assert "city-0<" not in page(viewer, contact)


def test_a_contact_at_work_refreshes_itself(sync: Sync, viewer: Client) -> None:
    shown = [page(viewer, make_contact(sync, status)) for status in (Status.PENDING, Status.IN_SYNC)]
    assert ['hx-trigger="every 2s"' in text for text in shown] == [True, False]
    assert 'hx-trigger="every 10s"' in shown[1]


def test_retry_makes_it_pending(sync: Sync, operator: Client) -> None:
    assert do(operator, make_contact(sync, Status.FAILED), "retry").status == Status.PENDING


def test_a_verb_that_makes_no_sense_any_more_says_so(sync: Sync, operator: Client) -> None:
    contact = make_contact(sync)
    shown = operator.post(reverse("contact_do", args=[contact.pk, "unlink"]), follow=True).content.decode()
    assert "The contact is not in that state any more." in shown


def test_htmx_loads_the_page_again_to_show_why_not(sync: Sync, operator: Client) -> None:
    contact = make_contact(sync)
    response = operator.post(reverse("contact_do", args=[contact.pk, "retry"]), headers={"HX-Request": "true"})
    assert response.headers["HX-Refresh"] == "true"


def test_a_verb_that_is_none_is_not_found(sync: Sync, operator: Client) -> None:
    assert operator.post(reverse("contact_do", args=[make_contact(sync).pk, "explode"])).status_code == 404


def test_excluding_needs_a_reason(sync: Sync, operator: Client) -> None:
    contact = make_contact(sync)
    response = operator.post(reverse("contact_exclude", args=[contact.pk]), {"reason": " "})
    assert response.status_code == 422
    assert Contact.objects.get(pk=contact.pk).status == Status.IN_SYNC


def test_an_excluded_contact_shows_why(sync: Sync, operator: Client) -> None:
    contact = make_contact(sync)
    operator.post(reverse("contact_exclude", args=[contact.pk]), {"reason": "asked not to be contacted"})
    assert "Excluded: asked not to be contacted" in page(operator, contact)


def test_an_excluded_contact_can_be_included_again(sync: Sync, operator: Client) -> None:
    assert do(operator, make_contact(sync, Status.EXCLUDED, exclusion="test"), "include").exclusion == ""


@pytest.mark.parametrize(
    ("verb", "says"),
    [
        ("delete-there", "The contact is deleted in CentralStationCRM as well"),
        ("unlink", "The contact stays in CentralStationCRM as it is"),
        ("restore", "The contact is created again in GoHighLevel"),
    ],
)
def test_what_a_decision_will_do_is_said_before(sync: Sync, operator: Client, verb: str, says: str) -> None:
    contact = make_contact(sync, Status.QUARANTINED, missing_on=Side.GHL)
    assert says in operator.get(reverse("contact_do", args=[contact.pk, verb])).content.decode()


def test_keeping_a_quarantined_contact_unlinks_it(sync: Sync, operator: Client) -> None:
    kept = do(operator, make_contact(sync, Status.QUARANTINED, missing_on=Side.GHL), "unlink")
    assert (kept.ghl_id, kept.status) == (None, Status.EXCLUDED)


def test_restoring_has_it_created_again(sync: Sync, operator: Client) -> None:
    restored = do(operator, make_contact(sync, Status.QUARANTINED, missing_on=Side.CENTRALSTATION), "restore")
    assert (restored.centralstation_id, restored.status) == (None, Status.PENDING)


def test_deleting_there_too_ends_on_the_list(joined: Sync, operator: Client) -> None:
    contact = make_contact(joined, Status.QUARANTINED, missing_on=Side.GHL)
    response = operator.post(reverse("contact_do", args=[contact.pk, "delete-there"]))
    assert response.headers["Location"] == "/contacts/"
    assert not Contact.objects.filter(pk=contact.pk).exists()


def review(sync: Sync) -> tuple[Contact, Contact]:
    here = make_contact(sync, Status.REVIEW, label="S. Braun", centralstation_id=None)
    there = make_contact(sync, Status.REVIEW, label="Sabine Braun", ghl_id=None, seen={"email": [None, "info@braun.de"]})
    Contact.objects.filter(pk=here.pk).update(candidates=[there.pk])
    return here, there


def test_a_review_shows_who_it_may_be(sync: Sync, operator: Client) -> None:
    shown = page(operator, review(sync)[0])
    assert [text in shown for text in ("Sabine Braun", "info@braun.de", "This is the same person")] == [True] * 3


def test_one_of_the_same_crm_is_merged_there_instead(sync: Sync, operator: Client) -> None:
    here, there = review(sync)
    Contact.objects.filter(pk=there.pk).update(ghl_id="GhOther", centralstation_id=None)
    shown = page(operator, here)
    assert "This is the same person" not in shown
    assert "merge the two there, or press “None of these: create it in CentralStationCRM”" in shown


def test_one_that_is_linked_already_is_not_offered(sync: Sync, operator: Client) -> None:
    here, there = review(sync)
    Contact.objects.filter(pk=there.pk).update(ghl_id="GhOther")
    shown = page(operator, here)
    assert "This is the same person" not in shown
    assert "Linked with another contact already: merge the two in GoHighLevel, or exclude this one." in shown


def test_two_that_are_the_same_become_one(sync: Sync, operator: Client) -> None:
    here, there = review(sync)
    operator.post(reverse("contact_link", args=[here.pk, there.pk]))
    assert list(Contact.objects.values_list("ghl_id", "centralstation_id")) == [(here.ghl_id, there.centralstation_id)]


def test_none_of_the_candidates_keeps_it_apart(sync: Sync, operator: Client) -> None:
    assert do(operator, review(sync)[0], "keep-apart").kept_apart


def test_its_queries_do_not_grow_with_changes(sync: Sync, operator: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    contact = make_contact(sync, Status.CONFLICT, **PHONES)
    for _ in range(15):
        make_change(contact)
    with django_assert_max_num_queries(12):
        page(operator, contact)


def test_every_contact_of_a_busy_day_can_be_opened(operator: Client) -> None:
    demo()
    assert {operator.get(reverse("contact", args=[pk])).status_code for pk in Contact.objects.values_list("pk", flat=True)} == {200}
