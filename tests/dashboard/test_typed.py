"""What is wrong with a field is said while it is typed."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from crmsync.accounts import Role
from crmsync.models import Health, Sync
from crmsync.sync import scopes
from crmsync.systems.ghl import operations as op
from tests.dashboard.conftest import OpenPage
from tests.dashboard.data import make_connection


def said(client: Client, check: str, text: str) -> str:
    return client.get(reverse("typed", args=[check]), {"any": text}).content.decode()


@pytest.mark.parametrize(
    ("check", "text", "why"),
    [
        ("connection-name", "Berlin office", "There is a connection named “Berlin office” already."),
        ("sync-name", "Berlin", "There is a sync named “Berlin” already."),
        ("address", "not an address", "Enter a valid URL."),
        ("email", "administrator@example.com", "There is an account with this e-mail address already."),
        ("region", "xx", "There is no country “XX”."),
    ],
)
def test_what_saving_would_refuse_is_said(administrator: Client, sync: Sync, check: str, text: str, why: str) -> None:
    assert why in said(administrator, check, text)


@pytest.mark.parametrize(
    ("check", "text"), [("connection-name", "Hamburg"), ("address", "https://x.centralstationcrm.net"), ("region", "at")]
)
def test_nothing_is_said_of_what_is_right(administrator: Client, sync: Sync, check: str, text: str) -> None:
    assert said(administrator, check, text).strip() == ""


def test_a_name_may_stay_as_it_is(administrator: Client, sync: Sync) -> None:
    answer = administrator.get(reverse("typed_own", args=["sync-name", sync.pk]), {"name": "Berlin"})
    assert answer.content.decode().strip() == ""


def test_there_is_no_check_of_another_name(administrator: Client) -> None:
    assert administrator.get(reverse("typed", args=["token"]), {"token": "x"}).status_code == 404


def test_no_secret_is_asked_about_while_it_is_typed(administrator: Client) -> None:
    form = administrator.get("/connections/add/ghl").context["form"]
    assert ["hx-get" in str(form[name]) for name in ("name", "token")] == [True, False]


def test_each_permission_is_shown_with_what_it_is_needed_for(viewer: Client, sync: Sync) -> None:
    ghl = make_connection(name="OAuth", client_id="c", granted_scopes=[op.READ], health=Health.OK)
    shown = viewer.get(reverse("connection", args=[ghl.pk])).content.decode()
    assert "Create and change contacts, tags, notes and tasks." in shown
    assert {one.scope: one.is_granted for one in scopes.permissions(ghl)}[op.WRITE] is False


def test_what_nothing_has_told_is_not_known(db: None) -> None:
    assert {one.is_granted for one in scopes.permissions(make_connection())} == {None}


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_taken_address_is_said_when_the_field_is_left(open_page: OpenPage) -> None:
    page = open_page(Role.ADMINISTRATOR)
    page.goto("/people/invite")
    page.get_by_label("E-mail address").fill("administrator@example.com")
    page.keyboard.press("Tab")
    expect(page.get_by_text("There is an account with this e-mail address already.")).to_be_visible()
