"""Every page does its work without JavaScript: what is sent is sent by a form with a button, to an address that takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from crmsync.models import AlertChoice, SavedView, Status, Sync
from tests.dashboard.data import make_contact
from tests.dashboard.test_access import addresses

__all__ = ["addresses"]


@dataclass
class Form:
    """One with a single line of text is sent by Enter; for any other field (which counts double) a button is needed."""

    method: str
    action: str
    fields: int = 0
    buttons: int = 0
    has_token: bool = False


@dataclass
class Forms(HTMLParser):
    """The forms of a page, and what on it can only be used with a script."""

    forms: list[Form] = field(default_factory=list)
    by_id: dict[str, Form] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    _open: Form | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(found.get("method", "get"), found.get("action", ""))
            self.forms.append(self._open)
            self.by_id[found.get("id", "")] = self._open
        if {"hx-post", "hx-put", "hx-delete", "hx-patch"} & found.keys() and tag != "form":
            self.faults.append(f"<{tag}> sends by script only")
        if found.get("href", "").startswith(("#", "javascript:")) and len(found["href"]) < 2:
            self.faults.append(f"<{tag}> leads nowhere")
        if tag in ("input", "select", "textarea") and found.get("type") != "hidden" and self._open:
            self._open.fields += 1 if found.get("type", "text") in ("text", "search") else 2
        if tag == "button" and found.get("type", "submit") == "submit" and "disabled" not in found:
            if owner := self.by_id.get(found.get("form", "-"), self._open):
                owner.buttons += 1
            if "formaction" in found:
                self._check(found["formaction"])
        if found.get("name") == "csrfmiddlewaretoken" and self._open:
            self._open.has_token = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    def _check(self, action: str) -> None:
        try:
            resolve(action.partition("?")[0])
        except Resolver404:
            self.faults.append(f"nothing takes {action}")

    def all_faults(self) -> list[str]:
        for form in self.forms:
            if form.fields > 1 and not form.buttons:
                self.faults.append(f"the form for {form.action or 'the page'} has no button")
            if form.method.lower() == "post" and not form.has_token:
                self.faults.append(f"the form for {form.action or 'the page'} is refused for want of a token")
            if form.action:
                self._check(form.action)
        return self.faults


def faults_of(text: str) -> list[str]:
    parser = Forms()
    parser.feed(text)
    return parser.all_faults()


@pytest.fixture
def all_addresses(addresses: dict[str, str], joined: Sync, administrator: Client) -> list[str]:
    """Every page, and the contact of each status; with what is only there when there is something to do."""
    SavedView.objects.update(is_shared=True)
    AlertChoice.objects.create(user_id=administrator.session["_auth_user_id"], webhook_url="https://example.org/x")
    of_status = [f"/contacts/{make_contact(joined, status).pk}/" for status in Status]
    view = SavedView.objects.get()
    return [*addresses.values(), *of_status, f"/contacts/?q=x&view={view.pk}", "/queues/review/", "/queues/quarantined/"]


def test_every_page_can_be_used_without_scripts(all_addresses: list[str], administrator: Client) -> None:
    faults, seen = {}, 0
    for address in all_addresses:
        answer = administrator.get(address)
        if answer.status_code == 200 and not answer.streaming and b"<form" in answer.content:
            seen += 1
            if wrong := faults_of(answer.content.decode()):
                faults[address] = wrong
    assert faults == {}
    assert seen > 40


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('<button hx-post="/x">Go</button>', "<button> sends by script only"),
        ('<form action="/contacts/"><input name="q"><input name="tag"></form>', "the form for /contacts/ has no button"),
        ('<form method="post" action="/contacts/"><button>Go</button></form>', "the form for /contacts/ is refused for want of a token"),
        ('<form action="/nowhere/"><button>Go</button></form>', "nothing takes /nowhere/"),
        ('<a href="#">Go</a>', "<a> leads nowhere"),
    ],
)
def test_what_needs_a_script_is_noticed(text: str, fault: str) -> None:
    assert faults_of(text) == [fault]
