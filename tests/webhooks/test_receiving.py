"""The addresses that webhooks come to: what each request is answered, and what is stored and counted of it."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from pytest_django.fixtures import DjangoAssertNumQueries

from crmsync.models import Connection, Event, Health, Tally
from crmsync.sync import addresses, receiving
from tests.webhooks.conftest import Locked
from tests.webhooks.sender import CONTACT_ID, body, public_pem, rsa, signed, signed_the_old_way


def post(url: str, sent: bytes, headers: dict[str, str] | None = None) -> Any:
    return Client().post(url, sent, content_type="application/json", headers=headers or {})


def send(connection: Connection, sent: bytes, headers: dict[str, str] | None = None) -> Any:
    """A signed event, as GoHighLevel sends it."""
    return post(reverse("ghl_webhook", args=[connection.pk]), sent, signed(sent) if headers is None else headers)


def path(address: str, settings: Settings) -> str:
    return address.removeprefix(settings.BASE_URL)


def refusals(connection: Connection) -> dict[str, int]:
    return dict(Tally.objects.filter(connection=connection).values_list("name", "count"))


# What is taken


def test_a_signed_event_is_stored_as_it_came(ghl: Connection) -> None:
    sent = body(webhookId="wh-a")
    answer = send(ghl, sent)
    assert (answer.status_code, answer.json()) == (200, {"status": "stored"})
    event = Event.objects.get()
    assert (event.connection_id, event.via, event.type, event.webhook_id) == (ghl.pk, "app", "ContactUpdate", "wh-a")
    assert (event.body, event.handled_at, event.outcome) == (sent.decode(), None, "")


def test_the_old_signature_is_taken_where_there_is_no_new_one(ghl: Connection) -> None:
    sent = body()
    assert send(ghl, sent, signed_the_old_way(sent)).status_code == 200


def test_a_type_that_nobody_knows_is_stored(ghl: Connection) -> None:
    assert send(ghl, body("SomethingNew")).status_code == 200
    assert Event.objects.get().type == "SomethingNew"


def test_an_envelope_is_stored(ghl: Connection) -> None:
    sent = json.dumps({"type": "ContactCreate", "webhookId": "wh-e", "data": {"id": CONTACT_ID}}).encode()
    assert send(ghl, sent).status_code == 200
    assert Event.objects.get().webhook_id == "wh-e"


def test_a_workflow_needs_no_signature(ghl: Connection, settings: Settings) -> None:
    answer = post(path(addresses.workflow_address(ghl), settings), json.dumps({"contact_id": CONTACT_ID}).encode())
    assert (answer.status_code, Event.objects.get().via, Event.objects.get().type) == (200, "workflow", "")


def test_a_hook_of_centralstation_is_stored_with_what_its_address_says(central: Connection, settings: Settings) -> None:
    answer = post(path(addresses.hook_address(central, "Person", "update"), settings), b'{"record": {"id": 7}}')
    assert (answer.status_code, Event.objects.get().via, Event.objects.get().type) == (200, "hook", "Person.update")


@pytest.mark.parametrize("state", [{"paused_at": datetime.now(UTC)}, {"health": Health.RECONNECT}])
def test_a_connection_that_rests_stores_events_all_the_same(ghl: Connection, state: dict[str, Any]) -> None:
    Connection.objects.filter(pk=ghl.pk).update(**state)
    assert (send(ghl, body()).status_code, Event.objects.count()) == (200, 1)


def test_storing_takes_few_queries(ghl: Connection, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    sent = body()
    of_postgresql = 5 if connections["default"].vendor == "postgresql" else 0  # two time-outs, set and reset, and its clock
    with django_assert_num_queries(6 + of_postgresql):  # the connection, seen before?, savepoint, insert, release, whom to nudge
        send(ghl, sent)


def test_an_event_needs_no_key_of_the_credentials(ghl: Connection, settings: Settings) -> None:
    ghl.set_credential("pit-secret-secret-secret")
    ghl.save()
    settings.CREDENTIAL_KEYS = ["x" * 43 + "="]
    assert send(ghl, body()).status_code == 200


# What is seen before


def test_the_same_event_is_stored_once(ghl: Connection) -> None:
    sent = body()
    answers = [send(ghl, sent) for _ in range(3)]
    assert [answer.json()["status"] for answer in answers] == ["stored", "seen before", "seen before"]
    assert ({answer.status_code for answer in answers}, Event.objects.count()) == ({200}, 1)


def test_of_the_same_event_many_times_at_once_one_is_stored(transactional_db: None, ghl: Connection) -> None:
    sent = body()
    barrier = threading.Barrier(6)

    def deliver(_: int) -> str:
        barrier.wait()
        try:
            return str(send(ghl, sent).json()["status"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(deliver, range(6)))
    assert (answers, Event.objects.count()) == (["seen before"] * 5 + ["stored"], 1)


def test_two_connections_each_store_it(ghl: Connection) -> None:
    other = Connection.objects.create(system="ghl", name="Other", root="http://x", webhook_keys=ghl.webhook_keys)
    sent = body()
    assert [send(one, sent).json()["status"] for one in (ghl, other)] == ["stored", "stored"]


def test_without_a_webhook_id_each_is_stored(ghl: Connection) -> None:
    for _ in range(2):
        send(ghl, body(webhookId=None))
    assert Event.objects.count() == 2


# What is turned away

OLD, FAR = (datetime.now(UTC) - timedelta(days=7, hours=1)).isoformat(), (datetime.now(UTC) + timedelta(days=1, hours=1)).isoformat()
LARGE = body(body="x" * receiving.LARGEST)


def forged(sent: bytes) -> dict[str, str]:
    return signed(sent[:-1] + b" ")


REFUSED: dict[str, tuple[bytes, Any, int, str]] = {
    "no signature": (body(), lambda sent: {}, 401, "unsigned"),
    "one byte is another": (body(), forged, 401, "forged"),
    "the old signature beside a wrong new one": (body(), lambda sent: forged(sent) | signed_the_old_way(sent), 401, "forged"),
    "no JSON": (b"hello", signed, 400, "malformed"),
    "no id": (body(id=None), signed, 400, "malformed"),
    "too old": (body(timestamp=OLD), signed, 400, "replayed"),
    "too far ahead": (body(timestamp=FAR), signed, 400, "replayed"),
    "too large": (LARGE, signed, 413, "oversized"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_turned_away_is_counted_and_not_stored(ghl: Connection, case: str) -> None:
    sent, headers, status, reason = REFUSED[case]
    answer = send(ghl, sent, headers(sent))
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert (Event.objects.count(), refusals(ghl)) == (0, {f"refused:{reason}": 1})


def test_a_fault_is_named_in_the_answer(ghl: Connection) -> None:
    assert "“id” is missing" in send(ghl, body(id=None)).json()["message"]


def test_own_keys_leave_no_other_key_trusted(ghl: Connection) -> None:
    Connection.objects.filter(pk=ghl.pk).update(webhook_keys=[public_pem(rsa())])
    assert send(ghl, body()).status_code == 401


def test_the_largest_body_is_taken(ghl: Connection) -> None:
    sent = body(body="x" * (receiving.LARGEST - len(body(body=""))))
    assert (len(sent), send(ghl, sent).status_code) == (receiving.LARGEST, 200)


class Endless(BytesIO):
    """A body in chunks that never ends; it counts what is taken of it."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        self.taken += max(size, 0)
        return b"x" * size


def test_of_a_body_without_end_no_more_is_read_than_the_limit(ghl: Connection) -> None:
    stream = Endless()
    chunked = {"wsgi.input": stream, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    answer = Client().post(reverse("ghl_webhook", args=[ghl.pk]), **chunked)  # type: ignore[arg-type]
    assert (answer.status_code, stream.taken <= receiving.LARGEST + 1) == (413, True)


def test_a_body_in_chunks_is_read_to_its_end(ghl: Connection) -> None:
    sent = body()
    chunked = {"wsgi.input": BytesIO(sent), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    answer = Client().post(reverse("ghl_webhook", args=[ghl.pk]), headers=signed(sent), **chunked)  # type: ignore[arg-type]
    assert (answer.status_code, Event.objects.get().body) == (200, sent.decode())


def test_a_length_that_is_too_large_is_refused_unread(ghl: Connection) -> None:
    stream = Endless()
    claimed = {"wsgi.input": stream, "CONTENT_LENGTH": str(receiving.LARGEST + 1)}
    answer = Client().post(reverse("ghl_webhook", args=[ghl.pk]), **claimed)  # type: ignore[arg-type]
    assert (answer.status_code, stream.taken) == (413, 0)


def test_a_wrong_secret_is_no_address_and_counted(ghl: Connection, central: Connection, settings: Settings) -> None:
    wrong = [
        reverse("ghl_workflow", args=[ghl.pk, "x" * 32]),
        reverse("centralstation_hook", args=[central.pk, "Person", "update", addresses.hook_secret(central, "Person", "create")]),
    ]
    assert [post(url, b'{"id": 7}').status_code for url in wrong] == [404, 404]
    assert (Event.objects.count(), refusals(ghl), refusals(central)) == (0, {"refused:secret": 1}, {"refused:secret": 1})


def test_a_new_secret_closes_the_old_address(ghl: Connection, settings: Settings) -> None:
    old = path(addresses.workflow_address(ghl), settings)
    ghl.webhook_secret = "another"
    ghl.save()
    assert post(old, b"{}").status_code == 404


def test_another_systems_address_is_none(ghl: Connection, central: Connection) -> None:
    hook = reverse("centralstation_hook", args=[ghl.pk, "Person", "update", addresses.hook_secret(ghl, "Person", "update")])
    workflow = reverse("ghl_workflow", args=[central.pk, addresses.workflow_secret(central)])
    assert [post(hook, b'{"id": 7}').status_code, post(workflow, b"{}").status_code, send(central, body()).status_code] == [404] * 3


@pytest.mark.parametrize("pk", [99, 2**70])
def test_an_unknown_connection_has_no_address(db: None, pk: int) -> None:
    sent = body()
    assert post(f"/webhooks/ghl/{pk}/", sent, signed(sent)).status_code == 404


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_only_post_is_taken(ghl: Connection, method: str) -> None:
    assert getattr(Client(), method)(reverse("ghl_webhook", args=[ghl.pk])).status_code == 405


def test_an_address_is_given_by_base_url(central: Connection, settings: Settings) -> None:
    settings.BASE_URL = "https://crmsync.example.com"
    address = addresses.hook_address(central, "Person", "destroy")
    assert address.startswith("https://crmsync.example.com/webhooks/centralstation/")
    assert len(address) <= 190


def test_a_secret_tells_nothing_of_another(ghl: Connection) -> None:
    secrets = {addresses.hook_secret(ghl, "Person", event) for event in ("create", "update", "destroy")} | {addresses.workflow_secret(ghl)}
    assert (len(secrets), {len(secret) for secret in secrets}) == (4, {32})


def test_a_refusal_that_cannot_be_counted_is_answered_all_the_same(ghl: Connection, locked: Locked) -> None:
    with locked():
        assert send(ghl, body(), {}).status_code == 401
    assert refusals(ghl) == {}


# When nothing can be stored


def test_a_locked_database_is_answered_within_five_seconds_and_nothing_is_lost(ghl: Connection, locked: Locked) -> None:
    sent = body()
    with locked():
        begun = time.monotonic()
        answer = send(ghl, sent)
        took_s = time.monotonic() - begun
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
    assert 4 < took_s < 5.2
    assert (send(ghl, sent).json(), Event.objects.count()) == ({"status": "stored"}, 1)


def test_who_comes_behind_one_that_waited_in_vain_hardly_waits(ghl: Connection, locked: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving.patience, "LONG_S", 0.5)
    with locked():
        assert send(ghl, body()).status_code == 429
        begun = time.monotonic()
        assert send(ghl, body()).status_code == 429
        assert time.monotonic() - begun < 0.45
    assert send(ghl, body()).status_code == 200
    assert receiving.patience.seconds == 0.5


def test_a_short_lock_is_waited_for(ghl: Connection, locked: Locked) -> None:
    is_held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with locked():
            is_held.set()
            may_end.wait(1)

    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait()
    try:
        assert send(ghl, body()).status_code == 200
    finally:
        holder.join()


def test_afterwards_the_database_is_waited_for_as_usual(transactional_db: None, ghl: Connection) -> None:
    database = connections["default"]
    if database.vendor == "postgresql":
        pytest.skip("SQLite's own way of waiting")
    with database.cursor() as cursor:
        send(ghl, body())
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (20_000,)


@pytest.mark.parametrize(("via", "status"), [("app", 429), ("hook", 429)])
def test_a_database_that_is_away_is_told_in_the_crms_own_way(
    transactional_db: None, ghl: Connection, central: Connection, settings: Settings, via: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = path(addresses.hook_address(central, "Person", "update"), settings)
    connections["default"].close()
    with monkeypatch.context() as patch:
        patch.setitem(connections["default"].settings_dict, "NAME", "/nowhere/at/all")
        answer = send(ghl, body()) if via == "app" else post(hook, b'{"id": 7}')
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "30")


def test_an_error_that_nobody_thought_of_asks_for_a_redelivery(ghl: Connection) -> None:
    Connection.objects.filter(pk=ghl.pk).update(webhook_keys=["no key at all"])
    assert send(ghl, body()).status_code == 429


def test_a_nudge_that_fails_loses_nothing(ghl: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(connection: Connection) -> None:
        raise RuntimeError

    monkeypatch.setattr(receiving, "nudge_live", fails)
    assert (send(ghl, body()).status_code, Event.objects.count()) == (200, 1)
