"""Every page there is, in a real browser: nothing on the console, nothing that axe finds serious, not too wide for a phone."""

from __future__ import annotations

import pytest
from django.test import Client

from crmsync.accounts import Role
from crmsync.models import SavedView
from tests.dashboard.conftest import OpenPage
from tests.dashboard.data import make_user
from tests.dashboard.test_access import addresses
from tests.dashboard.test_browser import serious

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["addresses"]


@pytest.fixture
def every_address(transactional_db: None, request: pytest.FixtureRequest) -> dict[str, str]:
    """All guarded addresses, with rows that are there, committed for the server's thread."""
    found: dict[str, str] = request.getfixturevalue("addresses")
    SavedView.objects.update(is_shared=True)
    return found


def pages(every_address: dict[str, str]) -> list[str]:
    """Those that answer a GET with a page, not with a fragment, a file or a redirect."""
    client = Client()
    client.force_login(make_user(Role.ADMINISTRATOR, "asks@example.com"), backend="allauth.account.auth_backends.AuthenticationBackend")
    found = []
    for address in every_address.values():
        answer = client.get(address)
        if answer.status_code == 200 and not answer.streaming and answer.content.lstrip().startswith(b"<!doctype html>"):
            found.append(address)
    return found


def test_every_page_is_silent_accessible_and_fits_a_phone(open_page: OpenPage, every_address: dict[str, str]) -> None:
    page = open_page(Role.ADMINISTRATOR, width=390, color_scheme="dark")
    faults: dict[str, list[str]] = {}
    found = pages(every_address)
    assert {"/", "/contacts/", "/people/", "/audit/"} <= set(found)
    for address in found:
        page.goto(address)
        is_too_wide = page.evaluate("document.documentElement.scrollWidth") > 390
        if wrong := [*serious(page), *(["too wide"] if is_too_wide else [])]:
            faults[address] = wrong
    assert faults == {}
