"""What GoHighLevel's webhooks say, and whose they are: without a database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from crmsync.engine.records import Aspect, ItemKind
from crmsync.systems.ghl import webhooks
from crmsync.systems.notice import Forged, Malformed, Notice, Replayed, Unsigned, check_window
from tests.webhooks.sender import CONTACT_ID, LOCATION_ID, body, ed25519, payload, public_pem, rsa, signed, signed_the_old_way

KEYS = [public_pem(ed25519()), public_pem(rsa())]
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def read(**fields: Any) -> Notice:
    return webhooks.read(body(**fields))


# Signatures


@pytest.mark.parametrize("sign", [signed, signed_the_old_way])
def test_a_body_signed_by_a_trusted_key_passes(sign: Any) -> None:
    sent = body()
    webhooks.verify(sent, sign(sent), KEYS)


@pytest.mark.parametrize("sign", [signed, signed_the_old_way])
@pytest.mark.parametrize("place", [0, 40, -1])
def test_one_changed_byte_is_forged(sign: Any, place: int) -> None:
    sent = body()
    changed = bytearray(sent)
    changed[place] ^= 1
    with pytest.raises(Forged):
        webhooks.verify(bytes(changed), sign(sent), KEYS)


def test_names_of_headers_may_be_in_any_case() -> None:
    sent = body()
    webhooks.verify(sent, {name.upper(): value for name, value in signed(sent).items()}, KEYS)


@pytest.mark.parametrize("headers", [{}, {"X-GHL-Signature": ""}, {"x-wh-signature": ""}])
def test_without_a_signature_it_is_unsigned(headers: dict[str, str]) -> None:
    with pytest.raises(Unsigned):
        webhooks.verify(body(), headers, KEYS)


@pytest.mark.parametrize("signature", ["!", "AAAA", "ä", "A" * 88])
def test_nonsense_for_a_signature_is_forged(signature: str) -> None:
    with pytest.raises(Forged):
        webhooks.verify(body(), {"X-GHL-Signature": signature}, KEYS)


def test_the_old_signature_does_not_help_where_the_new_one_is_wrong() -> None:
    sent = body()
    with pytest.raises(Forged):
        webhooks.verify(sent, signed(b"other") | signed_the_old_way(sent), KEYS)


def test_the_old_signature_is_not_asked_for_where_the_new_one_is_right() -> None:
    sent = body()
    webhooks.verify(sent, signed(sent) | {"x-wh-signature": "nonsense"}, KEYS)


def test_without_own_keys_only_the_published_ones_count() -> None:
    sent = body()
    with pytest.raises(Forged):
        webhooks.verify(sent, signed(sent))


def test_own_keys_stand_in_for_all_the_published_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    published = Ed25519PrivateKey.generate()
    monkeypatch.setattr(webhooks, "PUBLISHED_KEYS", (public_pem(published),))
    sent = body()
    webhooks.verify(sent, signed(sent, published))
    with pytest.raises(Forged):
        webhooks.verify(sent, signed(sent, published), [public_pem(rsa())])


def test_any_of_several_own_keys_counts() -> None:
    sent = body()
    webhooks.verify(sent, signed(sent), [public_pem(Ed25519PrivateKey.generate()), *KEYS])


# Keys


@pytest.mark.parametrize("pem", [*KEYS, *webhooks.PUBLISHED_KEYS])
def test_a_key_is_read_as_it_is_written(pem: str) -> None:
    assert webhooks.read_key("\n  " + pem.replace("\n", "\r\n")) == pem


PRIVATE = ed25519().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
NO_KEYS = {
    "": "isn't one public key in PEM form",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5": "isn't one public key in PEM form",
    PRIVATE: "private key",
    KEYS[0] + KEYS[1]: "isn't one public key",
    KEYS[0].replace("MCow", "MCo"): "isn't a public key, or not all of it",
    public_pem(ec.generate_private_key(ec.SECP256R1())): "neither Ed25519 nor RSA",
    public_pem(rsa(1024)): "shorter than 2048 bits",
}


@pytest.mark.parametrize("pem", NO_KEYS, ids=range(len(NO_KEYS)))
def test_what_is_no_public_key_is_said(pem: str) -> None:
    with pytest.raises(ValueError, match=NO_KEYS[pem]):
        webhooks.read_key(pem)


# Reading


@pytest.mark.parametrize("type", webhooks.CONTACT_ASPECTS)
def test_a_contact_event_names_the_contact_and_what_to_look_at(type: str) -> None:
    notice = read(type=type)
    assert (notice.type, notice.contact_id, notice.account_id) == (type, CONTACT_ID, LOCATION_ID)
    assert notice.aspects == webhooks.CONTACT_ASPECTS[type]


@pytest.mark.parametrize(("type", "kind"), webhooks.ITEM_KINDS.items())
def test_an_item_event_names_the_item_and_its_contact(type: str, kind: ItemKind) -> None:
    notice = read(type=type, id="itemitemitem", contactId=CONTACT_ID)
    assert (notice.item_kind, notice.item_id, notice.contact_id, notice.aspects) == (kind, "itemitemitem", CONTACT_ID, kind.aspect)


def test_a_new_task_may_come_without_its_contact() -> None:
    notice = read(type="TaskCreate", id="tasktasktask")
    assert (notice.item_id, notice.contact_id, notice.aspects) == ("tasktasktask", None, Aspect.TASKS)


def test_an_appointments_contact_is_inside_it() -> None:
    notice = read(type="AppointmentCreate", id=None, appointment={"id": "a1", "contactId": CONTACT_ID})
    assert (notice.contact_id, notice.aspects) == (CONTACT_ID, Aspect(0))


@pytest.mark.parametrize("type", ["OpportunityCreate", "InboundMessage", "SomethingNew", "INSTALL"])
def test_a_type_without_use_tells_nothing_to_look_at(type: str) -> None:
    notice = read(type=type)
    assert (notice.type, notice.aspects, notice.is_uninstall) == (type, Aspect(0), False)


def test_a_deleted_contact_is_gone() -> None:
    assert (read(type="ContactDelete").is_gone, read(type="ContactUpdate").is_gone) == (True, False)


@pytest.mark.parametrize("who", [{"locationId": LOCATION_ID}, {"locationId": None, "companyId": "c0mpany"}])
def test_an_uninstall_says_of_whom(who: dict[str, Any]) -> None:
    notice = read(type="UNINSTALL", id=None, **who)
    assert (notice.is_uninstall, notice.account_id, notice.company_id) == (True, who["locationId"], who.get("companyId"))


def test_an_envelope_reads_like_the_flat_form() -> None:
    flat = payload(type="NoteCreate", contactId=CONTACT_ID)
    envelope = {name: flat.pop(name) for name in ("type", "timestamp", "webhookId")} | {"data": flat}
    assert webhooks.read(json.dumps(envelope).encode()) == webhooks.read(json.dumps({**envelope, **flat}).encode())
    assert webhooks.read(json.dumps(envelope).encode()).contact_id == CONTACT_ID


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-11-24T12:00:00Z",
        "2026-11-24T12:00:00.000Z",
        "2026-11-24T13:00:00+01:00",
        "2026-11-24T12:00:00",
        1795521600,
        1795521600000,
        1795521600.0,
        "1795521600",
        "1795521600000",
    ],
)
def test_a_timestamp_may_be_written_in_many_ways(timestamp: Any) -> None:
    assert read(timestamp=timestamp).sent_at == NOW


MALFORMED = {
    b"": "isn't JSON",
    b"{": "isn't JSON",
    b'{"type": NaN}': "isn't JSON",
    b"[" * 100_000: "isn't JSON",
    b"\xff": "UTF-8",
    b"[]": "JSON object",
    b"{}": "“type” is missing",
    body(type=["x"]): "“type”",  # type: ignore[arg-type]
    body(type="x" * 81): "“type”",
    body(type="a\x00b"): "“type”",
    body(type="a\ud800b"): "“type”",
    body(webhookId="x" * 101): "“webhookId”",
    body(webhookId={"a": 1}): "“webhookId”",
    body(timestamp="yesterday"): "“timestamp”",
    body(timestamp=10**30): "“timestamp”",
    body(timestamp=True): "“timestamp”",
    body(id=None): "“id” is missing in ContactUpdate",
    body(id="../../etc"): "“id” isn't an id",
    body(id="x" * 65): "“id” isn't an id",
    body(type="TaskDelete", id=None): "“id” is missing in TaskDelete",
    body(type="NoteCreate", contactId="a b"): "“contactId”",
}


@pytest.mark.parametrize("sent", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_malformed_names_the_fault(sent: bytes) -> None:
    with pytest.raises(Malformed, match=MALFORMED[sent]):
        webhooks.read(sent)


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("age", [timedelta(days=7), timedelta(), -timedelta(days=1)])
def test_the_window_is_seven_days_back_and_one_ahead(age: timedelta) -> None:
    check_window(Notice(type="x", sent_at=NOW - age), NOW)


@pytest.mark.parametrize("age", [timedelta(days=7) + SECOND, -timedelta(days=1) - SECOND])
def test_outside_the_window_it_is_replayed(age: timedelta) -> None:
    with pytest.raises(Replayed):
        check_window(Notice(type="x", sent_at=NOW - age), NOW)


# A workflow's


@pytest.mark.parametrize(
    "sent",
    [
        {"contact_id": CONTACT_ID, "first_name": "Ada"},
        {"contactId": CONTACT_ID},
        {"contact": {"id": CONTACT_ID}},
        {"customData": {"contact_id": CONTACT_ID}},
        {"contact_id": "no id", "id": CONTACT_ID},
        CONTACT_ID,
    ],
)
def test_a_workflow_may_name_the_contact_in_many_ways(sent: Any) -> None:
    notice = webhooks.read_workflow(json.dumps(sent).encode())
    assert (notice.contact_id, notice.aspects) == (CONTACT_ID, Aspect.ALL)


@pytest.mark.parametrize("sent", [{}, {"first_name": "Ada"}, [], None, 7, {"contact_id": "x'; DROP TABLE"}, {"contact_id": {"a": 1}}])
def test_a_workflow_that_names_nobody_tells_nothing_to_look_at(sent: Any) -> None:
    notice = webhooks.read_workflow(json.dumps(sent).encode())
    assert (notice.contact_id, notice.aspects) == (None, Aspect(0))


def test_events_to_choose_are_those_that_are_used() -> None:
    assert {event.name for event in webhooks.EVENTS} == {*webhooks.CONTACT_ASPECTS, *webhooks.ITEM_KINDS, "INSTALL", "UNINSTALL"}
