"""Taking back what is in the audit log: only what can be, after showing what it comes to, as a new act."""

from __future__ import annotations

from datetime import time

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from crmsync.accounts import Role, role_of
from crmsync.models import Act, AuditEntry, Contact, FieldMapping, Status, Sync
from crmsync.sync import actions, mappings, people, setup
from tests.dashboard.data import make_contact, make_sync, make_user


@pytest.fixture
def somebody(db: None) -> User:
    return make_user(Role.VIEWER, "somebody@example.com")


def latest() -> AuditEntry:
    return AuditEntry.objects.all()[0]


def take_back(client: Client, entry: AuditEntry) -> str:
    """What the page says, and what happens when it is confirmed."""
    address = f"/audit/{entry.pk}/take-back"
    shown = client.get(address, follow=True).content.decode()
    client.post(address)
    return shown


def is_offered(client: Client, entry: AuditEntry) -> bool:
    return f"/audit/{entry.pk}/take-back" in client.get("/audit/").content.decode()


def changed(sync: Sync, **values: object) -> AuditEntry:
    for name, value in values.items():
        setattr(sync, name, value)
    setup.change_sync(sync, list(values))
    return latest()


def test_settings_are_put_back_as_they_were(administrator: Client, sync: Sync) -> None:
    take_back(administrator, changed(sync, hold_creates=99, quiet_from=time(22), quiet_until=time(6)))
    sync.refresh_from_db()
    assert (sync.hold_creates, sync.quiet_from) == (Sync._meta.get_field("hold_creates").default, None)


def test_what_is_put_back_is_shown_first(administrator: Client, sync: Sync) -> None:
    entry = changed(sync, name="Potsdam")
    shown = administrator.get(f"/audit/{entry.pk}/take-back").content.decode()
    assert ["<del>Potsdam</del>" in shown, "<ins>Berlin</ins>" in shown, Sync.objects.get().name] == [True, True, "Potsdam"]


def test_what_was_changed_again_since_stays(administrator: Client, sync: Sync) -> None:
    entry = changed(sync, name="Potsdam", hold_creates=99)
    changed(sync, hold_creates=50)
    take_back(administrator, entry)
    sync.refresh_from_db()
    assert (sync.name, sync.hold_creates) == ("Berlin", 50)


def test_a_setting_that_is_refused_is_not_put_back(administrator: Client, sync: Sync) -> None:
    entry = changed(sync, name="Potsdam")
    make_sync("Hamburg")
    Sync.objects.filter(name="Hamburg").update(name="Berlin")
    take_back(administrator, entry)
    sync.refresh_from_db()
    assert sync.name == "Potsdam"


def test_a_role_is_put_back(administrator: Client, somebody: User) -> None:
    people.change_role(somebody, Role.OPERATOR)
    take_back(administrator, latest())
    assert role_of(User.objects.get(pk=somebody.pk)) == Role.VIEWER


def test_the_last_administrator_stays_one(administrator: Client, somebody: User) -> None:
    people.change_role(somebody, Role.ADMINISTRATOR)
    entry = latest()
    User.objects.filter(email="administrator@example.com").update(is_superuser=True)
    people.change_role(User.objects.get(email="administrator@example.com"), Role.VIEWER)
    take_back(administrator, entry)
    assert role_of(User.objects.get(pk=somebody.pk)) == Role.ADMINISTRATOR


def test_access_is_given_back(administrator: Client, somebody: User) -> None:
    people.set_access(somebody, is_active=False)
    take_back(administrator, latest())
    assert User.objects.get(pk=somebody.pk).is_active


def test_an_excluded_contact_is_included(administrator: Client, sync: Sync) -> None:
    contact = make_contact(sync)
    actions.exclude(contact, "asked us to")
    take_back(administrator, latest())
    assert Contact.objects.get().exclusion == ""


def test_an_included_contact_is_excluded_for_the_same_reason(administrator: Client, sync: Sync) -> None:
    contact = make_contact(sync, Status.EXCLUDED, exclusion="asked us to")
    actions.include(contact)
    take_back(administrator, latest())
    assert Contact.objects.get().exclusion == "asked us to"


def test_a_mapping_is_restored_on_the_page_of_its_revision(administrator: Client, sync: Sync) -> None:
    mappings.remove(FieldMapping.objects.get(sync=sync, name="birthday"))
    response = administrator.get(f"/audit/{latest().pk}/take-back")
    assert response.headers["Location"] == f"/syncs/{sync.pk}/mappings/revisions/1/restore"


def test_taking_back_is_an_act_of_its_own(administrator: Client, somebody: User) -> None:
    people.change_role(somebody, Role.OPERATOR)
    take_back(administrator, latest())
    assert (latest().act, latest().by_name, latest().after) == (Act.ROLE_CHANGED, "administrator@example.com", {"role": "viewer"})


def test_it_is_offered_once_only(administrator: Client, sync: Sync) -> None:
    entry = changed(sync, name="Potsdam")
    was_offered = is_offered(administrator, entry)
    take_back(administrator, entry)
    assert (was_offered, is_offered(administrator, entry)) == (True, False)


def test_what_is_gone_is_said(administrator: Client, somebody: User) -> None:
    people.change_role(somebody, Role.OPERATOR)
    entry = latest()
    people.remove(somebody)
    assert "There is nothing to take back" in take_back(administrator, entry)


def test_what_can_not_be_taken_back_is_not_offered(administrator: Client, somebody: User) -> None:
    people.set_password(somebody, "correct horse battery staple")
    assert not is_offered(administrator, latest())


def test_many_entries_need_no_more_queries(
    administrator: Client, somebody: User, sync: Sync, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        people.change_role(somebody, Role.OPERATOR if number % 2 else Role.ADMINISTRATOR)
        changed(sync, hold_creates=number + 1)
        actions.exclude(make_contact(sync), f"reason {number}")
    with django_assert_num_queries(11):  # as without, the syncs and their revisions, the people and their groups, the contacts
        administrator.get("/audit/")
