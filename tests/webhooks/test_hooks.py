"""CentralStationCRM's hooks: registered, checked, repaired and removed, against the simulated CRM."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from crmsync.models import Connection, Event
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.settings import DEMO_API_KEY
from crmsync.sync import hooks, setup
from crmsync.sync.addresses import hook_address
from crmsync.sync.hooks import HookState
from crmsync.systems.errors import CrmError, PermissionMissing
from tests.foundation.installation import free_port

ALL = ["create", "update", "destroy"]
FOREIGN = {"model": "Person", "event": "update", "target_url": "https://other.example/hook", "state": "disabled", "failed": 7}


@pytest.fixture
def crm(centralstation_sandbox: CentralStation) -> CentralStation:
    return centralstation_sandbox


def connect(crm: CentralStation) -> Connection:
    return setup.add_centralstation_connection(name="CS", root=crm.url, api_key=DEMO_API_KEY, rate=(1000, 10.0))


@pytest.fixture
def connection(transactional_db: None, crm: CentralStation) -> Connection:
    return connect(crm)


def found(states: list[HookState]) -> dict[str, str]:
    return {one.event: str(one.state) for one in states}


def addresses_at(crm: CentralStation) -> list[str]:
    return sorted(str(hook["target_url"]) for hook in crm.hooks)


def ours(connection: Connection) -> list[str]:
    return sorted(hook_address(connection, "Person", event) for event in ALL)


OK = dict.fromkeys(ALL, "ok")


def test_registering_makes_one_for_each_event(connection: Connection, crm: CentralStation) -> None:
    assert found(hooks.register(connection)) == OK
    assert addresses_at(crm) == ours(connection)
    assert {(hook["object_type"], hook["hook_type"], hook["state"]) for hook in crm.hooks} == {
        ("hook_with_structure_and_record", "url", "active")
    }
    connection.refresh_from_db()
    assert (connection.hooks_wanted, connection.hooks_notice, connection.hooks_checked_at is not None) == (True, "", True)


def test_registering_twice_makes_no_more(connection: Connection, crm: CentralStation) -> None:
    hooks.register(connection)
    before = [hook["id"] for hook in crm.hooks]
    hooks.register(connection)
    assert [hook["id"] for hook in crm.hooks] == before


def test_what_was_registered_is_an_address_of_ours(connection: Connection, crm: CentralStation, settings: Settings) -> None:
    hooks.register(connection)
    for hook in crm.hooks:
        answer = Client().post(
            hook["target_url"].removeprefix(settings.BASE_URL), b'{"record": {"id": 7}}', content_type="application/json"
        )
        assert answer.status_code == 200
    assert set(Event.objects.values_list("type", flat=True)) == {"Person.create", "Person.update", "Person.destroy"}


def test_checking_changes_nothing(connection: Connection, crm: CentralStation) -> None:
    assert found(hooks.check(connection)) == dict.fromkeys(ALL, "missing")
    assert (crm.hooks, "aren't in order: Person create" in connection.hooks_notice) == ([], True)


def test_how_they_were_found_is_remembered(connection: Connection, crm: CentralStation) -> None:
    hooks.register(connection)
    crm.hooks[0].update(failed=3)
    hooks.check(connection)
    connection.refresh_from_db()
    assert connection.hook_states[0] == {"model": "Person", "event": "create", "state": "failing", "failed": 3}
    assert [one["state"] for one in connection.hook_states] == ["failing", "ok", "ok"]


Damage = Callable[[CentralStation, dict[str, Any]], object]
DAMAGES: dict[str, Damage] = {
    "missing": lambda crm, hook: crm.table("hooks").remove(hook["id"]),
    "disabled": lambda crm, hook: hook.update(state="disabled"),
    "failing": lambda crm, hook: hook.update(failed=3),
    "foreign_address": lambda crm, hook: hook.update(target_url=hook["target_url"].replace("http://127.0.0.1:8000", "https://old.example")),
    "doubled": lambda crm, hook: crm.table("hooks").add({name: value for name, value in hook.items() if name != "id"}),
}


@pytest.mark.parametrize("state", DAMAGES)
def test_what_is_out_of_order_is_told_and_repaired(connection: Connection, crm: CentralStation, state: str) -> None:
    hooks.register(connection)
    DAMAGES[state](crm, crm.hooks[1])
    assert found(hooks.check(connection)) == {**OK, "update": state}
    assert found(hooks.repair(connection)) == OK
    assert addresses_at(crm) == ours(connection)
    assert all(hook["failed"] == 0 for hook in crm.hooks)


def test_other_peoples_hooks_are_left_alone(connection: Connection, crm: CentralStation) -> None:
    crm.table("hooks").add(FOREIGN)
    crm.table("hooks").add({**FOREIGN, "target_url": hook_address(connection, "Person", "update").replace("/update/", "/create/")})
    hooks.register(connection)
    hooks.remove(connection)
    assert len(crm.hooks) == 2


def test_removing_leaves_none_of_ours_and_wants_none(connection: Connection, crm: CentralStation) -> None:
    hooks.register(connection)
    hooks.remove(connection)
    connection.refresh_from_db()
    assert (crm.hooks, connection.hooks_wanted, hooks.are_due(timezone.now() + timedelta(days=1))) == ([], False, False)


def test_two_connections_to_one_account_each_have_theirs(connection: Connection, crm: CentralStation) -> None:
    other = setup.add_centralstation_connection(name="Other", root=crm.url, api_key=DEMO_API_KEY, rate=(1000, 10.0))
    hooks.register(connection)
    hooks.register(other)
    hooks.remove(connection)
    assert addresses_at(crm) == ours(other)


# Once an hour


def later() -> Any:
    return timezone.now() + timedelta(hours=1, seconds=1)


def test_once_an_hour_they_are_repaired(connection: Connection, crm: CentralStation) -> None:
    hooks.register(connection)
    crm.hooks[0].update(state="disabled")
    hooks.keep(timezone.now())
    assert crm.hooks[0]["state"] == "disabled"
    hooks.keep(later())
    assert {hook["state"] for hook in crm.hooks} == {"active"}


def test_nobody_keeps_what_is_not_wanted(connection: Connection, crm: CentralStation) -> None:
    hooks.keep(later())
    assert crm.hooks == []


@pytest.mark.parametrize("state", [{"paused_at": timezone.now()}, {"health": "refused"}])
def test_a_connection_that_rests_is_not_asked(connection: Connection, crm: CentralStation, state: dict[str, Any]) -> None:
    Connection.objects.filter(pk=connection.pk).update(hooks_wanted=True, **state)
    hooks.keep(later())
    assert crm.hooks == []


def test_keeping_survives_a_crm_that_cannot_be_reached(connection: Connection) -> None:
    Connection.objects.filter(pk=connection.pk).update(hooks_wanted=True, root=f"http://127.0.0.1:{free_port()}")
    hooks.keep(later())
    connection.refresh_from_db()
    assert "can't be reached" in connection.hooks_notice
    assert not hooks.are_due(timezone.now())


# What can't be done


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_permission_is_named(transactional_db: None, serve_centralstation: Callable[..., CentralStation], status: int) -> None:
    connection = connect(serve_centralstation(hooks_refused=status))
    with pytest.raises(PermissionMissing):
        hooks.register(connection)
    connection.refresh_from_db()
    assert "the permission “webhooks (read)” is missing" in connection.hooks_notice
    assert connection.hooks_wanted


def test_an_address_that_is_too_long_is_said(connection: Connection, settings: Settings) -> None:
    settings.BASE_URL = f"https://{'x' * 60}.{'y' * 60}.example"
    with pytest.raises(CrmError):
        hooks.register(connection)
    assert "BASE_URL is too long" in connection.hooks_notice


@pytest.mark.parametrize(
    ("base_url", "root", "is_warned"),
    [
        ("http://127.0.0.1:8000", "https://team.centralstationcrm.net", True),
        ("http://localhost:8000", "https://team.centralstationcrm.net", True),
        ("https://10.0.0.7", "https://team.centralstationcrm.net", True),
        ("https://crmsync.example.com", "https://team.centralstationcrm.net", False),
        ("http://127.0.0.1:8000", "http://127.0.0.1:9000", False),
    ],
)
def test_an_address_that_is_not_public_is_warned_of(settings: Settings, base_url: str, root: str, is_warned: bool) -> None:
    settings.BASE_URL = base_url
    assert ("set BASE_URL" in hooks.unreachable(Connection(root=root))) is is_warned


def test_the_hooks_of_a_connection_that_is_deleted_go_with_it(crm: CentralStation, connection: Connection) -> None:
    hooks.register(connection)
    setup.delete_connection(connection)
    assert (list(crm.hooks), Connection.objects.exists()) == ([], False)
