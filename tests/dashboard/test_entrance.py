"""Signing in and out, and the pages for when something is wrong."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.template.loader import render_to_string
from django.test import Client, override_settings

from crmsync.accounts import Role
from tests.dashboard.data import PASSWORD, make_user


def test_signing_in_leads_to_the_overview(client: Client, db: None) -> None:
    response = client.post("/accounts/login/", {"login": make_user(Role.VIEWER).email, "password": PASSWORD})
    assert response.headers["Location"] == "/"


def test_a_wrong_password_is_said_without_telling_which_is_wrong(client: Client, db: None) -> None:
    shown = client.post("/accounts/login/", {"login": make_user(Role.VIEWER).email, "password": "wrong"}).content.decode()
    assert "not correct" in shown


def test_signing_in_leads_to_where_one_wanted_to_go(client: Client, db: None) -> None:
    address = client.get("/contacts/?status=failed").headers["Location"]
    response = client.post(address, {"login": make_user(Role.VIEWER).email, "password": PASSWORD})
    assert response.headers["Location"] == "/contacts/?status=failed"


def test_signing_out_ends_the_session(viewer: Client) -> None:
    viewer.post("/accounts/logout/")
    assert viewer.get("/").status_code == 302


def test_sign_up_is_closed(client: Client, db: None) -> None:
    assert "closed" in client.get("/accounts/signup/").content.decode()


def test_there_is_no_way_to_sign_up_on_the_page(client: Client, db: None) -> None:
    assert "/accounts/signup/" not in client.get("/accounts/login/").content.decode()


def test_a_page_that_is_not_there_has_our_look(viewer: Client) -> None:
    response = viewer.get("/nowhere")
    assert (response.status_code, "There is no such page" in response.content.decode()) == (404, True)


def test_an_error_page_needs_neither_database_nor_user() -> None:
    assert "No contact was changed by it" in render_to_string("500.html")


def test_a_stale_form_says_what_to_do(db: None) -> None:
    response = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "a@b.de", "password": "x"})
    assert (response.status_code, "load the page again" in response.content.decode()) == (403, True)


@pytest.mark.parametrize("address", ["/accounts/password/change/", "/accounts/logout/", "/accounts/email/"])
def test_the_pages_of_ones_own_account_have_our_look(viewer: Client, address: str) -> None:
    assert 'class="side"' in viewer.get(address).content.decode()


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_static_files_can_be_collected(tmp_path: object) -> None:
    """Hashing follows every address in the style sheets: one that leads nowhere would end it."""
    with override_settings(STATIC_ROOT=str(tmp_path)):
        call_command("collectstatic", interactive=False, verbosity=0)
