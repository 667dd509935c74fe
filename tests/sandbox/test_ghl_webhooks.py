"""What the simulated GHL tells by webhook, of what, and how it signs (ghl.md, section 5)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_CLIENT_ID, DEMO_LOCATION_ID
from tests.sandbox.conftest import client, ghl_client
from tests.sandbox.listener import Listener

Serve = Callable[..., Ghl]


@pytest.fixture
def crm(serve_ghl: Serve, listener: Listener) -> Ghl:
    return serve_ghl(webhook_url=listener.url)


@pytest.fixture
def ada(crm: Ghl, listener: Listener) -> str:
    """A contact whose creation was told, and forgotten again."""
    id = crm.add_contact(firstName="Ada", lastName="Lovelace", email="ada@example.org", tags=["vip"])
    settle(crm)
    listener.requests.clear()
    return id


def settle(crm: Ghl) -> None:
    crm.webhooks.wait()


# Which change is told as what


def test_a_new_contact(crm: Ghl, listener: Listener) -> None:
    answer = ghl_client(crm).post("/contacts/", json={"locationId": DEMO_LOCATION_ID, "firstName": "Ada", "tags": ["vip"]})
    settle(crm)
    assert [(body["type"], body["id"]) for body in listener.bodies] == [("ContactCreate", answer.json()["contact"]["id"])]


def test_a_changed_contact(crm: Ghl, listener: Listener, ada: str) -> None:
    ghl_client(crm).put(f"/contacts/{ada}", json={"city": "London"})
    settle(crm)
    assert [(body["type"], body["id"], body["city"]) for body in listener.bodies] == [("ContactUpdate", ada, "London")]


def test_changed_tags(crm: Ghl, listener: Listener, ada: str) -> None:
    ghl_client(crm).post(f"/contacts/{ada}/tags", json={"tags": ["new"]})
    settle(crm)
    assert [(body["type"], body["tags"]) for body in listener.bodies] == [("ContactTagUpdate", ["vip", "new"])]


def test_tags_and_fields_changed_at_once(crm: Ghl, listener: Listener, ada: str) -> None:
    crm.edit_contact(ada, city="London", tags=[])
    settle(crm)
    assert listener.types == ["ContactTagUpdate", "ContactUpdate"]


def test_do_not_disturb(crm: Ghl, listener: Listener, ada: str) -> None:
    crm.edit_contact(ada, dnd=True)
    settle(crm)
    assert listener.types == ["ContactDndUpdate"]


def test_a_write_that_changes_nothing_is_not_told(crm: Ghl, listener: Listener, ada: str) -> None:
    crm.edit_contact(ada, firstName="Ada", tags=["vip"])
    crm.edit_task(ada, crm.add_task(ada, "Call"), title="Call")
    settle(crm)
    assert listener.types == ["TaskCreate"]


def test_a_deleted_contact(crm: Ghl, listener: Listener, ada: str) -> None:
    ghl_client(crm).delete(f"/contacts/{ada}")
    settle(crm)
    assert [(body["type"], body["id"]) for body in listener.bodies] == [("ContactDelete", ada)]


def test_a_note_comes_changes_and_goes(crm: Ghl, listener: Listener, ada: str) -> None:
    note = crm.add_note(ada, "one", title="Title", userId="u")
    crm.edit_note(ada, note, body="two")
    crm.delete_note(ada, note)
    settle(crm)
    assert listener.types == ["NoteCreate", "NoteDelete", "NoteUpdate"]
    assert {(body["id"], body["contactId"]) for body in listener.bodies} == {(note, ada)}
    assert not any("title" in body or "userId" in body for body in listener.bodies)


def test_an_edited_task_is_not_told(crm: Ghl, listener: Listener, ada: str) -> None:
    task = crm.add_task(ada, "Call")
    crm.edit_task(ada, task, title="Call again", dueDate="2030-01-01T09:00:00Z")
    crm.edit_task(ada, task, completed=True)
    crm.edit_task(ada, task, completed=False)
    crm.delete_task(ada, task)
    settle(crm)
    assert listener.types == ["TaskComplete", "TaskCreate", "TaskDelete"]
    assert {(body["id"], body["contactId"]) for body in listener.bodies} == {(task, ada)}


def test_task_create_may_come_without_its_contact(serve_ghl: Serve, listener: Listener) -> None:
    crm = serve_ghl(webhook_url=listener.url, webhook_events=["TaskCreate"], task_create_names_contact=False)
    crm.add_task(crm.add_contact(firstName="Ada"), "Call", body="soon")
    settle(crm)
    [body] = listener.bodies
    assert (body["type"], body["title"], "contactId" in body, "body" in body) == ("TaskCreate", "Call", False, False)


def test_a_change_on_a_page_is_told(crm: Ghl, listener: Listener, ada: str) -> None:
    client(crm.url).post(f"/view/{ada}/tags", data={"name": "new"})
    settle(crm)
    assert listener.types == ["ContactTagUpdate"]


def test_a_write_that_isnt_kept_is_not_told(crm: Ghl, listener: Listener, ada: str) -> None:
    crm.fault("not_kept")
    ghl_client(crm).put(f"/contacts/{ada}", json={"city": "London"})
    settle(crm)
    assert listener.requests == []


def test_the_people_of_the_beginning_are_not_told(serve_ghl: Serve, listener: Listener) -> None:
    crm = serve_ghl(webhook_url=listener.url, contacts=5)
    assert (crm.webhooks.stats()["waiting"], len(crm.webhooks)) == (0, 0)


def test_only_chosen_events_are_told(serve_ghl: Serve, listener: Listener) -> None:
    crm = serve_ghl(webhook_url=listener.url, webhook_events=["ContactDelete"])
    crm.delete_contact(crm.add_contact(firstName="Ada"))
    settle(crm)
    assert listener.types == ["ContactDelete"]


def test_installing_is_told(crm: Ghl, listener: Listener) -> None:
    crm.authorise(["contacts.readonly"])
    settle(crm)
    assert [(body["type"], body["appId"], body["locationId"]) for body in listener.bodies] == [
        ("INSTALL", DEMO_CLIENT_ID.partition("-")[0], DEMO_LOCATION_ID)
    ]


def test_after_uninstalling_nothing_is_told_until_it_is_installed_again(crm: Ghl, listener: Listener) -> None:
    crm.uninstall()
    crm.add_contact(firstName="Ada")
    crm.authorise(["contacts.readonly"])
    crm.add_contact(firstName="Bob")
    settle(crm)
    assert listener.types == ["ContactCreate", "INSTALL", "UNINSTALL"]


# Its form


def test_it_says_when_which_and_from_which_app(crm: Ghl, listener: Listener, ada: str) -> None:
    crm.edit_contact(ada, city="London")
    crm.edit_contact(ada, city="Paris")
    settle(crm)
    one, other = listener.bodies
    assert {"timestamp", "webhookId", "appId", "versionId", "locationId"} <= set(one)
    assert one["webhookId"] != other["webhookId"]
    assert abs(datetime.now(UTC) - datetime.fromisoformat(one["timestamp"])) < timedelta(minutes=1)


def test_the_payload_may_come_in_an_envelope(serve_ghl: Serve, listener: Listener) -> None:
    crm = serve_ghl(webhook_url=listener.url, webhook_envelope=True)
    id = crm.add_contact(firstName="Ada")
    settle(crm)
    [body] = listener.bodies
    assert set(body) == {"type", "timestamp", "webhookId", "appId", "versionId", "data"}
    assert (body["data"]["id"], body["data"]["locationId"]) == (id, DEMO_LOCATION_ID)


def test_a_clock_ahead_shows_in_the_timestamp(serve_ghl: Serve, listener: Listener) -> None:
    crm = serve_ghl(webhook_url=listener.url, clock_offset_s=3600)
    crm.add_contact(firstName="Ada")
    settle(crm)
    ahead = datetime.fromisoformat(listener.bodies[0]["timestamp"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < ahead <= timedelta(hours=1)


# Signatures


def test_the_new_signature_is_over_the_raw_body(crm: Ghl, listener: Listener, ada: str) -> None:
    crm.edit_contact(ada, city="Köln")
    settle(crm)
    headers, body = listener.requests[0]
    key = load_pem_public_key(crm.webhook_public_key.encode())
    assert isinstance(key, Ed25519PublicKey)
    key.verify(base64.b64decode(headers["x-ghl-signature"]), body)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(headers["x-ghl-signature"]), body + b" ")
    assert "x-wh-signature" not in headers


def test_the_legacy_signature_alone(serve_ghl: Serve, listener: Listener) -> None:
    crm = serve_ghl(webhook_url=listener.url, webhook_signatures=("rsa",))
    crm.add_contact(firstName="Ada")
    settle(crm)
    headers, body = listener.requests[0]
    key = load_pem_public_key(crm.webhook_legacy_public_key.encode())
    assert isinstance(key, RSAPublicKey)
    key.verify(base64.b64decode(headers["x-wh-signature"]), body, padding.PKCS1v15(), hashes.SHA256())
    assert "x-ghl-signature" not in headers


def test_both_signatures(serve_ghl: Serve, listener: Listener) -> None:
    crm = serve_ghl(webhook_url=listener.url, webhook_signatures=("ed25519", "rsa"))
    crm.add_contact(firstName="Ada")
    settle(crm)
    assert {"x-ghl-signature", "x-wh-signature"} <= set(listener.requests[0][0])


def test_each_sandbox_has_its_own_key(serve_ghl: Serve) -> None:
    assert serve_ghl().webhook_public_key != serve_ghl().webhook_public_key


def test_the_key_is_shown_by_the_control_api(crm: Ghl) -> None:
    assert httpx.get(f"{crm.url}/_sandbox/webhook-key").text == crm.webhook_public_key
    assert httpx.get(f"{crm.url}/_sandbox/webhook-key?kind=rsa").text == crm.webhook_legacy_public_key


# Workflows


def test_a_workflow_calls_unsigned(ghl_sandbox: Ghl, listener: Listener) -> None:
    ghl_sandbox.call_workflow(listener.url, "c-1", "ContactUpdate")
    settle(ghl_sandbox)
    headers, _ = listener.requests[0]
    assert listener.bodies == [{"contact_id": "c-1", "type": "ContactUpdate"}]
    assert not any("signature" in name for name in headers)


# The control API and the pages


def test_the_address_can_be_told_later(ghl_sandbox: Ghl, listener: Listener) -> None:
    browser = client(ghl_sandbox.url)
    browser.put("/_sandbox/webhook-url", json={"url": listener.url, "events": ["ContactCreate"]})
    browser.post("/_sandbox/workflow-webhook", json={"url": listener.url, "contact_id": "c-1", "type": "ContactDelete"})
    ghl_sandbox.edit_contact(ghl_sandbox.add_contact(firstName="Ada"), city="London")
    settle(ghl_sandbox)
    assert listener.types == ["ContactCreate", "ContactDelete"]


def test_the_page_shows_the_app_and_takes_the_address(ghl_sandbox: Ghl, listener: Listener) -> None:
    browser = client(ghl_sandbox.url, follow_redirects=True)
    page = browser.post("/connection", data={"action": "webhook_url", "webhook_url": listener.url}).text
    assert (DEMO_CLIENT_ID in page, ghl_sandbox.webhook_url) == (True, listener.url)


def test_the_page_shows_what_was_sent(crm: Ghl, ada: str) -> None:
    page = httpx.get(crm.url).text
    assert all(word in page for word in ("ContactCreate", "answered 200", "1 delivered"))


def test_the_page_refuses_what_is_no_address(ghl_sandbox: Ghl) -> None:
    page = client(ghl_sandbox.url).post("/connection", data={"action": "webhook_url", "webhook_url": "ftp://x"})
    assert (page.status_code, ghl_sandbox.webhook_url) == (422, "")


@pytest.mark.parametrize("action", ["expire", "revoke", "uninstall"])
def test_a_persons_button_ends_tokens(ghl_sandbox: Ghl, action: str) -> None:
    token = ghl_sandbox.authorise(["contacts.readonly"])["access_token"]
    client(ghl_sandbox.url).post("/connection", data={"action": action})
    assert ghl_client(ghl_sandbox, token).get("/contacts/x").status_code == 401
