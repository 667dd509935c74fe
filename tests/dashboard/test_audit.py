"""The audit log: every administrative act leaves an entry, none has a secret, and administrators find it again."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crmsync.accounts import Role
from crmsync.engine.records import Side
from crmsync.models import Act, AuditEntry, Connection, HeldBatch, Status, Sync
from crmsync.sandbox.settings import DEMO_GHL_TOKEN
from crmsync.sync import audit, setup
from tests.dashboard.data import make_connection, make_contact, make_user


def latest() -> AuditEntry:
    return AuditEntry.objects.all()[0]


def post(client: Client, address: str, *args: object, **values: Any) -> Any:
    return client.post(reverse(address, args=args), values)


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("act", flat=True))


def test_what_is_added_by_nobody_is_by_the_command_line(joined: Sync, administrator: Client) -> None:
    assert acts() == [Act.CONNECTION_ADDED, Act.CONNECTION_ADDED, Act.SYNC_CREATED]
    assert "the command line" in administrator.get("/audit/").content.decode()


def test_a_changed_connection_is_kept_before_and_after(administrator: Client, joined: Sync) -> None:
    post(administrator, "connection_edit", joined.ghl_id, name="Marketing Berlin", root=joined.ghl.root, default_user_id="", keys="")
    entry = latest()
    assert (entry.by_name, entry.act) == ("administrator@example.com", Act.CONNECTION_CHANGED)
    assert (entry.before, entry.after) == ({"name": "Marketing"}, {"name": "Marketing Berlin"})


def test_saving_a_connection_as_it_is_leaves_no_entry(administrator: Client, joined: Sync) -> None:
    known = Connection.objects.get(pk=joined.ghl_id)
    sent = {"name": known.name, "root": known.root, "default_user_id": known.default_user_id, "keys": ""}
    post(administrator, "connection_edit", joined.ghl_id, **sent)
    assert Act.CONNECTION_CHANGED not in acts()


def test_of_a_replaced_credential_four_characters_are_told(administrator: Client, joined: Sync) -> None:
    post(administrator, "connection_credential", joined.ghl_id, credential=DEMO_GHL_TOKEN)
    assert (latest().act, latest().after) == (Act.CREDENTIAL_REPLACED, {"credential": f"replaced by •••• {DEMO_GHL_TOKEN[-4:]}"})


def test_no_entry_has_a_secret(administrator: Client, joined: Sync) -> None:
    post(administrator, "connection_credential", joined.ghl_id, credential=DEMO_GHL_TOKEN)
    post(administrator, "person_add", email="new@example.com", role="viewer", password="a first password")
    told = str(list(AuditEntry.objects.values()))
    assert [secret for secret in (DEMO_GHL_TOKEN, joined.centralstation.credential, "a first password") if secret in told] == []


@pytest.mark.parametrize(("name", "act"), [("connection_pause", Act.CONNECTION_PAUSED), ("sync_pause", Act.SYNC_PAUSED)])
def test_pausing_is_kept_once(administrator: Client, sync: Sync, name: str, act: Act) -> None:
    pk = sync.ghl_id if name == "connection_pause" else sync.pk
    for _ in range(2):
        post(administrator, name, pk)
    assert acts().count(act) == 1


def test_a_deleted_connection_stays_in_the_log_by_name(administrator: Client) -> None:
    gone = make_connection(Side.GHL, "Old account")
    post(administrator, "connection_delete", gone.pk)
    assert (latest().act, latest().object_name) == (Act.CONNECTION_DELETED, str(gone))


def test_a_connection_in_use_is_not_said_to_be_deleted(administrator: Client, sync: Sync) -> None:
    post(administrator, "connection_delete", sync.ghl_id)
    assert Act.CONNECTION_DELETED not in acts()


def test_a_changed_setting_of_a_sync_is_kept(sync: Sync) -> None:
    sync.poll_every_s = 60
    setup.save_sync(sync, ["poll_every_s", "name"])
    assert (latest().before, latest().after) == ({"poll_every_s": 10}, {"poll_every_s": 60})


def test_a_removed_row_of_a_mapping_is_kept_with_the_numbers_of_its_revisions(administrator: Client, sync: Sync) -> None:
    post(administrator, "mapping_remove", sync.mappings.get(name="phone").pk)
    entry = latest()
    assert (entry.before["revision"], entry.after["revision"], entry.before["phone"]["ghl_field"]) == (1, 2, "phone")


def test_a_held_batch_rejected_is_kept(administrator: Client, sync: Sync) -> None:
    batch = HeldBatch.objects.create(sync=sync, kind=HeldBatch.Kind.DELETIONS, side=Side.GHL, explanation="x")
    post(administrator, "batch_decide", batch.pk, "reject")
    assert (latest().act, latest().before["state"], latest().after["state"]) == (Act.BATCH_REJECTED, "held", "rejected")


def test_a_decision_is_kept(administrator: Client, sync: Sync) -> None:
    contact = make_contact(sync, Status.CONFLICT, seen={"phone": ["1", "2"]}, conflicts=["phone"])
    post(administrator, "contact_decide", contact.pk, side="ghl", field="phone")
    assert (latest().act, latest().after) == (Act.CONFLICT_DECIDED, {"phone": "ghl"})


def test_unlinking_is_one_act(administrator: Client, sync: Sync) -> None:
    contact = make_contact(sync, Status.QUARANTINED, missing_on=Side.GHL)
    post(administrator, "contact_do", contact.pk, "unlink")
    assert [act for act in acts() if act.startswith("contact")] == [Act.CONTACT_UNLINKED]


def test_an_account_made_on_the_command_line_is_kept(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    make_user(None)
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery"))
    call_command("user", "add", "shell@example.com", "--role", "operator", "--password-stdin")
    assert (latest().by_name, latest().act, latest().object_name) == ("", Act.PERSON_ADDED, "shell@example.com")


# The page


def shown(client: Client, **asked: str) -> list[str]:
    return [one.entry.object_name for one in client.get("/audit/", asked).context["acts"]]


@pytest.fixture
def two_acts(administrator: Client, sync: Sync) -> None:
    """One of the command line a week ago, one of a person now."""
    AuditEntry.objects.all().delete()
    audit.record(None, Act.CONNECTION_PAUSED, sync.ghl)
    AuditEntry.objects.update(at=timezone.now() - timedelta(days=7))
    audit.record(User.objects.get(), Act.SYNC_PAUSED, sync)


@pytest.mark.parametrize("asked", [{"who": "administrator@example.com"}, {"act": "sync_paused"}])
def test_acts_are_filtered(administrator: Client, two_acts: None, asked: dict[str, str]) -> None:
    assert shown(administrator, **asked) == ["Berlin"]


def test_acts_of_the_command_line_are_filtered(administrator: Client, two_acts: None) -> None:
    assert len(shown(administrator, who="-")) == 1
    assert "Berlin" not in shown(administrator, who="-")


def test_acts_are_filtered_by_day(administrator: Client, two_acts: None) -> None:
    assert shown(administrator, since=timezone.localdate().isoformat(), until=timezone.localdate().isoformat()) == ["Berlin"]


def test_the_page_asks_the_database_as_often_for_many_acts(
    administrator: Client, sync: Sync, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(60):
        audit.record(None, Act.SYNC_PAUSED, sync)
    with django_assert_num_queries(6):
        assert len(shown(administrator)) == 50


def test_what_is_filtered_is_exported(administrator: Client, two_acts: None) -> None:
    response: Any = administrator.get("/audit/export", {"act": "sync_paused"})
    head, line = b"".join(response.streaming_content).decode().splitlines()
    assert head == "at,by,act,object,name,before,after"
    assert line.split(",")[1:] == ["administrator@example.com", "sync_paused", "sync", "Berlin", "", ""]


def test_no_cell_of_an_export_is_a_formula(administrator: Client, sync: Sync) -> None:
    audit.record(None, Act.SYNC_CHANGED, sync, {"name": "x"}, {"name": "=1+1"})
    response: Any = administrator.get("/audit/export", {"act": "sync_changed"})
    assert "'=1+1" in b"".join(response.streaming_content).decode()


def test_a_role_is_named_before_and_after(administrator: Client) -> None:
    user = make_user(Role.VIEWER)
    post(administrator, "person_role", user.pk, **{f"{user.pk}-role": "operator"})
    assert (latest().before, latest().after) == ({"role": "viewer"}, {"role": "operator"})
