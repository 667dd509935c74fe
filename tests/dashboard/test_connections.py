"""Connections: adding tests first, a secret is never shown, what is refused is said at its field."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from crmsync.engine.records import Side
from crmsync.models import Connection, Health, Sync
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_API_KEY, DEMO_GHL_TOKEN, DEMO_LOCATION_ID
from tests.dashboard.data import make_connection, make_contact

SECRET = "pit-0123456789abcdef"


def ghl_form(ghl: Ghl, **values: str) -> dict[str, str]:
    return {"name": "Marketing", "location_id": DEMO_LOCATION_ID, "token": DEMO_GHL_TOKEN, "root": ghl.url, **values}


def test_a_ghl_account_is_tested_and_stored(administrator: Client, ghl_sandbox: Ghl) -> None:
    administrator.post("/connections/add/ghl", ghl_form(ghl_sandbox))
    assert Connection.objects.get().account_name == "Sandbox Agency"


def test_a_centralstation_account_is_tested_and_stored(administrator: Client, centralstation_sandbox: CentralStation) -> None:
    form = {"name": "Office", "root": centralstation_sandbox.url, "api_key": DEMO_API_KEY}
    administrator.post("/connections/add/centralstation", form)
    assert Connection.objects.get().system == Side.CENTRALSTATION


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"token": "pit-wrong"}, "token"),
        ({"location_id": "AnotherLocation00001"}, "token"),  # which of the two is wrong nobody can tell: the message names both
        ({"name": ""}, "name"),
        ({"root": "not an address"}, "root"),
    ],
)
def test_what_is_refused_is_said_at_its_field(administrator: Client, ghl_sandbox: Ghl, wrong: dict[str, str], field: str) -> None:
    response = administrator.post("/connections/add/ghl", ghl_form(ghl_sandbox, **wrong))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not Connection.objects.exists()


def test_a_name_that_is_taken_is_said_at_the_name(administrator: Client, ghl_sandbox: Ghl) -> None:
    make_connection(name="Marketing")
    assert list(administrator.post("/connections/add/ghl", ghl_form(ghl_sandbox)).context["form"].errors) == ["name"]


def test_a_refused_secret_does_not_come_back_with_the_form(administrator: Client, ghl_sandbox: Ghl) -> None:
    shown = administrator.post("/connections/add/ghl", ghl_form(ghl_sandbox, token="pit-wrong-secret-4711")).content.decode()
    assert "pit-wrong-secret-4711" not in shown


def test_a_stored_secret_shows_its_last_four_characters_only(administrator: Client) -> None:
    connection = make_connection()
    pages = [reverse(name, args=[connection.pk]) for name in ("connection", "connection_credential", "connection_edit")]
    shown = "".join(administrator.get(page).content.decode() for page in [*pages, "/connections/", "/"])
    assert "cdef" in shown
    assert SECRET not in shown


def test_missing_permissions_are_told_in_plain_words(viewer: Client) -> None:
    connection = make_connection(missing_scopes={"users.readonly": "Tasks can't be given to anybody."}, health=Health.LIMITED)
    assert "Tasks can&#x27;t be given to anybody." in viewer.get(reverse("connection", args=[connection.pk])).content.decode()


def test_testing_tells_that_it_works(administrator: Client, joined: Sync) -> None:
    assert "Marketing works." in administrator.post(reverse("connection_test", args=[joined.ghl_id]), follow=True).content.decode()


def test_testing_tells_why_it_does_not(administrator: Client, joined: Sync) -> None:
    Connection.objects.filter(pk=joined.ghl_id).update(account_id="Elsewhere0000000001")
    administrator.post(reverse("connection_test", args=[joined.ghl_id]))
    assert Connection.objects.get(pk=joined.ghl_id).health == Health.REFUSED


def test_a_new_credential_that_works_replaces_the_old(administrator: Client, serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl()
    connection = make_connection()
    Connection.objects.update(root=crm.url, account_id=DEMO_LOCATION_ID)
    administrator.post(reverse("connection_credential", args=[connection.pk]), {"credential": DEMO_GHL_TOKEN})
    assert Connection.objects.get().credential == DEMO_GHL_TOKEN


def test_a_new_credential_that_is_refused_leaves_the_old(administrator: Client, joined: Sync) -> None:
    response = administrator.post(reverse("connection_credential", args=[joined.ghl_id]), {"credential": "pit-wrong-one-0000"})
    assert response.status_code == 422
    assert Connection.objects.get(pk=joined.ghl_id).credential == DEMO_GHL_TOKEN


def test_renaming_leaves_the_credential_alone(administrator: Client) -> None:
    connection = make_connection()
    administrator.post(
        reverse("connection_edit", args=[connection.pk]), {"name": "New name", "root": connection.root, "default_user_id": ""}
    )
    assert Connection.objects.values_list("name", "account_id").get() == ("New name", "loc1")
    assert Connection.objects.get().credential == SECRET


def test_a_connection_in_use_stays_and_names_the_sync(administrator: Client, sync: Sync) -> None:
    shown = administrator.post(reverse("connection_delete", args=[sync.ghl_id]), follow=True).content.decode()
    assert "it is in use by Berlin" in shown
    assert Connection.objects.filter(pk=sync.ghl_id).exists()


def test_deleting_asks_first(administrator: Client) -> None:
    connection = make_connection()
    assert "Nothing is changed in the CRM itself" in administrator.get(reverse("connection_delete", args=[connection.pk])).content.decode()
    assert Connection.objects.exists()


def test_a_connection_that_nothing_uses_is_deleted(administrator: Client) -> None:
    administrator.post(reverse("connection_delete", args=[make_connection().pk]))
    assert not Connection.objects.exists()


def test_the_list_has_a_constant_number_of_queries(viewer: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(8):
        make_connection(name=f"account {number}")
    with django_assert_num_queries(5):  # session, user, permissions (2), connections
        viewer.get("/connections/")


def edited(client: Client, connection: Connection, **values: str) -> Connection:
    sent = {"name": connection.name, "root": connection.root, "default_user_id": "", "keys": "", "web_root": ""}
    client.post(f"/connections/{connection.pk}/edit", {**sent, **values})
    connection.refresh_from_db()
    return connection


def test_all_that_the_form_asks_for_is_stored(administrator: Client, sync: Sync) -> None:
    stored = edited(administrator, sync.ghl, name="Marketing", root="https://proxy.example/ghl/", default_user_id="u1")
    assert (stored.name, stored.root, stored.default_user_id) == ("Marketing", "https://proxy.example/ghl", "u1")


def test_a_white_labels_address_is_taken_from_any_of_its_pages(administrator: Client, sync: Sync) -> None:
    assert (
        edited(administrator, sync.ghl, web_root="https://app.agency.example/v2/location/x/dashboard").web_root
        == "https://app.agency.example"
    )


def test_a_contact_opens_in_the_white_label(administrator: Client, sync: Sync) -> None:
    edited(administrator, sync.ghl, web_root="https://app.agency.example")
    contact = make_contact(sync, ghl_id="Gh1")
    shown = administrator.get(f"/contacts/{contact.pk}/").content.decode()
    assert 'href="https://app.agency.example/v2/location/loc1/contacts/detail/Gh1"' in shown
