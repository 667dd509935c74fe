"""A connection's page tells what it hears, how it is paused, and what holds it up."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from crmsync.engine.records import Side
from crmsync.models import Connection, Event, RateBudget, Sync, Tally
from crmsync.sync.addresses import ghl_address, workflow_address
from crmsync.sync.hooks import HookHealth
from crmsync.systems.ghl.webhooks import EVENTS
from tests.dashboard.data import make_connection, make_sync


def page_of(client: Client, connection: Connection) -> str:
    return client.get(reverse("connection", args=[connection.pk])).content.decode()


def count(connection: Connection, name: str, n: int, at: datetime | None = None) -> None:
    at = at or timezone.now()
    Tally.objects.create(connection=connection, name=name, hour=at.replace(minute=0, second=0, microsecond=0), count=n, last_at=at)


def go_deaf(connection: Connection) -> None:
    count(connection, "event:ContactUpdate", 1, timezone.now() - timedelta(hours=5))
    count(connection, "found", 14)


def public_key() -> str:
    return Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


# What is told


def test_the_address_to_enter_in_the_app_is_shown_to_everybody(viewer: Client) -> None:
    connection = make_connection()
    assert ghl_address(connection) in page_of(viewer, connection)


def test_the_workflows_address_is_a_secret_of_who_manages_connections(viewer: Client, administrator: Client) -> None:
    connection = make_connection()
    shown = [workflow_address(connection) in page_of(client, connection) for client in (viewer, administrator)]
    assert shown == [False, True]


def test_each_event_to_choose_is_listed_before_any_has_come(viewer: Client) -> None:
    shown = page_of(viewer, make_connection())
    assert all(f"<code>{event.name}</code>" in shown for event in EVENTS)
    assert shown.count("never") == len(EVENTS)


def test_an_event_that_came_tells_how_often_and_when(viewer: Client) -> None:
    connection = make_connection()
    count(connection, "event:ContactUpdate", 1234, timezone.now() - timedelta(hours=2))
    shown = page_of(viewer, connection)
    assert "1,234" in shown
    assert "2 hours ago" in shown.replace("\xa0", " ")


def test_an_event_that_is_not_used_says_so(viewer: Client) -> None:
    connection = make_connection()
    count(connection, "event:OpportunityCreate", 3)
    assert "Not used" in page_of(viewer, connection)


def test_refused_events_are_told_by_reason_in_words(viewer: Client) -> None:
    connection = make_connection()
    count(connection, "refused:forged", 7)
    assert "7 with a wrong signature" in page_of(viewer, connection)


@pytest.mark.parametrize(("announced", "found", "shown"), [(0, 0, "no change yet"), (995, 5, "99 %"), (3, 0, "100 %")])
def test_coverage_is_never_rounded_up_to_all(viewer: Client, announced: int, found: int, shown: str) -> None:
    connection = make_connection()
    count(connection, "announced", announced)
    count(connection, "found", found)
    assert shown in page_of(viewer, connection)


def test_an_open_circuit_breaker_is_told(viewer: Client) -> None:
    connection = make_connection()
    RateBudget.objects.update(broken_until=timezone.now().timestamp() + 60)
    assert "This CRM is out of order" in page_of(viewer, connection)


def test_a_circuit_breaker_that_is_over_is_not(viewer: Client) -> None:
    connection = make_connection()
    RateBudget.objects.update(broken_until=timezone.now().timestamp() - 1)
    assert "out of order" not in page_of(viewer, connection)


@pytest.mark.parametrize("page", ["overview", "connection"])
def test_a_deaf_connection_raises_the_alarm(viewer: Client, page: str) -> None:
    sync = make_sync()
    go_deaf(sync.ghl)
    address = reverse(page, args=[sync.ghl_id] if page == "connection" else [])
    assert "Polling found 14 changes, no webhook for 5 hours." in viewer.get(address).content.decode()


def test_the_page_has_a_bounded_number_of_queries(viewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    connection = make_connection()
    go_deaf(connection)
    for number in range(40):
        count(connection, f"event:Type{number}", 1)
    with django_assert_max_num_queries(15):
        page_of(viewer, connection)


# Keys


def test_keys_of_ones_own_are_stored(administrator: Client) -> None:
    connection, keys = make_connection(), [public_key(), public_key()]
    administrator.post(
        reverse("connection_edit", args=[connection.pk]), {"name": "x", "root": "https://ghl.example", "keys": "\n\n".join(keys)}
    )
    assert Connection.objects.get().webhook_keys == keys


def test_without_keys_the_published_ones_count_again(administrator: Client) -> None:
    connection = make_connection(webhook_keys=[public_key()])
    administrator.post(reverse("connection_edit", args=[connection.pk]), {"name": "x", "root": "https://ghl.example", "keys": " "})
    assert Connection.objects.get().webhook_keys == []


def test_the_keys_in_use_are_shown_to_be_changed(administrator: Client) -> None:
    connection = make_connection(webhook_keys=[public_key()])
    shown = administrator.get(reverse("connection_edit", args=[connection.pk])).content.decode()
    assert "BEGIN PUBLIC KEY" in shown


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("swordfish", "Key 1 can&#x27;t be used: this isn&#x27;t one public key in PEM form"),
        ("-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----", "Key 1 can&#x27;t be used: this is a private key"),
    ],
)
def test_a_key_that_is_none_is_said_at_its_field(administrator: Client, typed: str, fault: str) -> None:
    connection = make_connection()
    response = administrator.post(
        reverse("connection_edit", args=[connection.pk]), {"name": "x", "root": "https://ghl.example", "keys": typed}
    )
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["keys"])
    assert fault in response.content.decode()


def test_which_of_several_keys_is_none_is_said(administrator: Client) -> None:
    connection = make_connection()
    response = administrator.post(
        reverse("connection_edit", args=[connection.pk]), {"name": "x", "root": "https://ghl.example", "keys": public_key() + "swordfish"}
    )
    assert "Key 2 can&#x27;t be used" in response.content.decode()


def test_a_centralstation_account_has_no_keys_to_change(administrator: Client) -> None:
    connection = make_connection(Side.CENTRALSTATION)
    assert 'name="keys"' not in administrator.get(reverse("connection_edit", args=[connection.pk])).content.decode()


# Pausing


def test_pausing_says_first_what_it_means(operator: Client) -> None:
    connection = make_connection()
    assert "Resume catches up" in operator.get(reverse("connection_pause", args=[connection.pk])).content.decode()
    assert Connection.objects.get().paused_at is None


def test_a_paused_connection_says_since_when(operator: Client) -> None:
    connection = make_connection()
    operator.post(reverse("connection_pause", args=[connection.pk]))
    assert "Nothing is asked of this account" in page_of(operator, connection)


def test_pausing_twice_keeps_the_first_time(operator: Client) -> None:
    at = timezone.now() - timedelta(days=1)
    connection = make_connection(paused_at=at)
    operator.post(reverse("connection_pause", args=[connection.pk]))
    assert Connection.objects.get().paused_at == at


def test_the_overview_marks_a_paused_connection(viewer: Client) -> None:
    Connection.objects.filter(pk=make_sync().ghl_id).update(paused_at=timezone.now())
    assert "paused" in viewer.get("/").content.decode()


@pytest.mark.parametrize("side", ["ghl", "centralstation"])
def test_resuming_makes_its_syncs_look_for_changes_now(operator: Client, sync: Sync, side: str) -> None:
    Sync.objects.update(poll_due_at=timezone.now() + timedelta(hours=1), rest_until=timezone.now() + timedelta(hours=1))
    connection = getattr(sync, side)
    Connection.objects.filter(pk=connection.pk).update(paused_at=timezone.now())
    operator.post(reverse("connection_resume", args=[connection.pk]))
    sync.refresh_from_db()
    assert (sync.poll_due_at is not None and sync.poll_due_at <= timezone.now(), sync.rest_until) == (True, None)


def test_resuming_leaves_other_syncs_alone(operator: Client) -> None:
    later = timezone.now() + timedelta(hours=1)
    sync, other = make_sync(), make_sync("Hamburg", poll_due_at=later)
    operator.post(reverse("connection_resume", args=[sync.ghl_id]))
    other.refresh_from_db()
    assert other.poll_due_at == later


def test_events_are_kept_while_it_is_paused(operator: Client) -> None:
    connection = make_connection()
    Event.objects.create(connection=connection, via=Event.Via.APP, body="{}")
    operator.post(reverse("connection_pause", args=[connection.pk]))
    assert Event.objects.waiting().count() == 1


# CentralStation's hooks


def do(client: Client, sync: Sync, verb: str) -> str:
    return client.post(reverse("connection_hooks", args=[sync.centralstation_id, verb]), follow=True).content.decode()


def states(sync: Sync) -> list[str]:
    return [hook["state"] for hook in Connection.objects.get(pk=sync.centralstation_id).hook_states]


def test_register_makes_the_hooks_and_shows_them_in_order(administrator: Client, joined: Sync) -> None:
    shown = do(administrator, joined, "register")
    assert "The webhooks are registered" in shown
    assert (shown.count("<span>in order</span>"), set(states(joined))) == (3, {HookHealth.OK})


def test_remove_takes_them_away_and_says_what_follows(administrator: Client, joined: Sync) -> None:
    do(administrator, joined, "register")
    assert "Changes are found by looking for them" in do(administrator, joined, "remove")
    assert states(joined) == []


def test_before_they_are_registered_there_is_one_button(administrator: Client, joined: Sync) -> None:
    shown = page_of(administrator, joined.centralstation)
    assert ("Register" in shown, "Check and repair" in shown) == (True, False)


def test_what_goes_wrong_is_told(administrator: Client, joined: Sync) -> None:
    Connection.objects.filter(pk=joined.centralstation_id).update(root="http://127.0.0.1:9")
    assert "in order" in do(administrator, joined, "repair")
    assert Connection.objects.get(pk=joined.centralstation_id).hooks_notice


def test_an_address_that_cannot_be_reached_from_outside_is_told(administrator: Client, joined: Sync, settings: Settings) -> None:
    settings.BASE_URL = "http://192.168.1.2:8000"
    Connection.objects.filter(pk=joined.centralstation_id).update(hooks_notice="Set BASE_URL to the public address.")
    assert "Set BASE_URL" in page_of(administrator, joined.centralstation)


@pytest.mark.parametrize(("side", "verb"), [("ghl", "register"), ("centralstation", "forge")])
def test_there_is_no_such_button(administrator: Client, joined: Sync, side: str, verb: str) -> None:
    address = reverse("connection_hooks", args=[getattr(joined, f"{side}_id"), verb])
    assert administrator.post(address).status_code == 404
