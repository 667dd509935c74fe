"""The *Why?* page: whoever is pasted, explained."""

from __future__ import annotations

import logging

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from crmsync.models import Contact, MatchKey, Status, Sync
from crmsync.sandbox.ghl import Ghl
from tests.dashboard.conftest import signed_in
from tests.dashboard.data import make_contact, make_sync


def shown(client: Client, address: str) -> str:
    return client.get(address).content.decode()


@pytest.fixture
def ada(sync: Sync) -> Contact:
    return make_contact(sync, label="Ada Lovelace", email="ada@example.org")


def test_the_box_is_on_every_page_for_who_may_look(sync: Sync, viewer: Client) -> None:
    assert 'action="/why/"' in shown(viewer, "/syncs/")


def test_the_box_is_not_there_for_who_may_not(db: None) -> None:
    assert 'action="/why/"' not in signed_in(None).get("/").content.decode()


def test_an_empty_page_shows_what_can_be_pasted(sync: Sync, viewer: Client) -> None:
    assert "Paste whom you wonder about" in shown(viewer, "/why/")


def test_one_contact_has_an_address_that_holds_nothing_of_it(ada: Contact, viewer: Client) -> None:
    assert viewer.get("/why/?q=ada@example.org").headers["Location"] == f"/why/{ada.pk}/"


def test_a_contact_is_explained_in_one_sentence(ada: Contact, viewer: Client) -> None:
    assert "Ada Lovelace is in sync: both sides were read and found equal just now." in shown(viewer, f"/why/{ada.pk}/")


def test_several_are_listed_each_with_its_sentence(ada: Contact, viewer: Client) -> None:
    make_contact(ada.sync, Status.FAILED, label="Ada King", reason="phone: not kept.")
    page = shown(viewer, "/why/?q=ada")
    assert ["2 contacts could be meant" in page, "Ada Lovelace is in sync" in page, "Ada King failed: phone: not kept." in page] == [
        True
    ] * 3


def test_the_same_person_in_two_syncs_has_a_sentence_for_each(ada: Contact, viewer: Client) -> None:
    make_contact(make_sync("Hamburg"), Status.PENDING, label="Ada Lovelace", email="ada@example.org")
    page = shown(viewer, "/why/?q=ada@example.org")
    assert ["<span>Berlin</span>" in page, "<span>Hamburg</span>" in page] == [True, True]


def test_too_many_to_show_ask_for_more(sync: Sync, viewer: Client) -> None:
    for _ in range(25):
        make_contact(sync, label="Ada")
    assert "More than 20 contacts could be meant: paste more of it" in shown(viewer, "/why/?q=ada")


def test_a_text_that_is_too_long_is_refused_in_words(sync: Sync, viewer: Client) -> None:
    assert "The text is too long" in shown(viewer, f"/why/?q={'x' * 501}")


def test_what_is_pasted_is_shown_as_text(sync: Sync, viewer: Client) -> None:
    assert "<script>alert" not in shown(viewer, "/why/?q=<script>alert(1)</script>")


def test_nobody_known_says_what_was_looked_for(sync: Sync, viewer: Client) -> None:
    page = shown(viewer, "/why/?q=nobody@example.org")
    assert ["No contact here has the e-mail address “nobody@example.org”." in page, "has never read both CRMs" in page] == [True, True]


def test_an_operator_can_ask_both_crms(sync: Sync, operator: Client) -> None:
    assert 'action="/why/ask"' in shown(operator, "/why/?q=nobody@example.org")


def test_a_viewer_is_told_whom_to_ask(sync: Sync, viewer: Client) -> None:
    page = shown(viewer, "/why/?q=nobody@example.org")
    assert ["An operator can ask both CRMs." in page, page.count('method="post"')] == [True, 1]  # signing out


def test_a_viewer_is_shown_no_button_on_a_contact(sync: Sync, viewer: Client) -> None:
    failed = make_contact(sync, Status.FAILED, reason="phone: not kept.")
    assert shown(viewer, f"/why/{failed.pk}/").count('method="post"') == 1


def test_an_operator_can_press_what_helps(sync: Sync, operator: Client) -> None:
    failed = make_contact(sync, Status.FAILED, reason="phone: not kept.")
    assert f'action="/contacts/{failed.pk}/do/retry"' in shown(operator, f"/why/{failed.pk}/")


def test_asking_shows_what_both_said_and_who_was_taken_in(joined: Sync, ghl_sandbox: Ghl, operator: Client) -> None:
    ghl_sandbox.add_contact(firstName="Ada", lastName="Lovelace", email="ada@example.org")
    page = operator.post("/why/ask", {"q": "ada@example.org"}).content.decode()
    assert ["has Ada Lovelace (id" in page, "(“Office”) has nobody like this." in page, "Ada Lovelace waits" in page] == [True] * 3


def test_asking_for_nothing_asks_nobody(sync: Sync, operator: Client) -> None:
    assert operator.post("/why/ask", {"q": " "}).status_code == 422


def test_a_field_is_explained(ada: Contact, viewer: Client) -> None:
    Contact.objects.update(base={"fields": {"phone": ["+49 30 1", "+49 30 1"]}})
    assert "Phone is the same on both sides: “+49 30 1”." in shown(viewer, f"/why/{ada.pk}/?field=phone")


def test_the_field_asked_about_stays_chosen(ada: Contact, viewer: Client) -> None:
    assert "<option selected>city</option>" in shown(viewer, f"/why/{ada.pk}/?field=city")


def test_a_field_nobody_knows_is_not_mapped(ada: Contact, viewer: Client) -> None:
    assert "“shoe size” isn&#x27;t mapped" in shown(viewer, f"/why/{ada.pk}/?field=shoe+size")


@pytest.mark.parametrize(("status", "moves"), [(Status.PENDING, True), (Status.IN_SYNC, False)])
def test_an_answer_that_will_change_by_itself_watches_for_it(sync: Sync, viewer: Client, status: Status, moves: bool) -> None:
    assert ("hx-trigger" in shown(viewer, f"/why/{make_contact(sync, status).pk}/")) is moves


def test_nothing_that_is_pasted_is_logged(sync: Sync, operator: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("django.db.backends").setLevel(logging.INFO)  # statements are logged in DEBUG alone, and never by an installation
    operator.get("/why/?q=nobody@example.org")
    operator.post("/why/ask", {"q": "nobody@example.org"})
    operator.get("/why/nowhere?q=nobody@example.org")
    assert "nobody@example.org" not in caplog.text


def asked_for_the_time() -> int:
    """PostgreSQL's clock is the one that all machines share."""
    return 1 if connection.vendor == "postgresql" else 0


@pytest.mark.parametrize("many", [2, 20])
def test_its_queries_do_not_grow_with_contacts(
    sync: Sync, operator: Client, many: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(many):
        MatchKey.objects.create(sync=sync, contact=make_contact(sync), side="ghl", kind="email", value="ada@example.org")
    # session, user, permissions (2), syncs, by id, by key, contacts, breakers, how many syncs
    with django_assert_num_queries(10 + asked_for_the_time()):
        operator.get("/why/?q=ada@example.org")


@pytest.mark.parametrize("many", [1, 40])
def test_the_queries_of_an_answer_do_not_grow_with_its_history(
    ada: Contact, viewer: Client, many: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(many):
        MatchKey.objects.create(sync=ada.sync, contact=ada, side="ghl", kind="email", value=f"ada{n}@example.org")
    with django_assert_num_queries(17 + asked_for_the_time()):
        viewer.get(f"/why/{ada.pk}/?field=phone")
