"""People: accounts, roles, first passwords, access."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from crmsync.accounts import Role, role_of
from tests.dashboard.conftest import signed_in
from tests.dashboard.data import PASSWORD, make_user

NEW = {"email": "New@Example.com", "role": "operator", "password": "a first password"}


def sign_in(client: Client, email: str, password: str) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password}, follow=True)


def test_a_person_is_added_with_a_role(administrator: Client) -> None:
    administrator.post("/people/add", NEW)
    assert role_of(User.objects.get(email="new@example.com")) == Role.OPERATOR


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"email": "administrator@example.com"}, "email"), ({"password": "password"}, "password"), ({"role": "owner"}, "role")],
)
def test_what_cannot_be_is_said_at_its_field(administrator: Client, wrong: dict[str, str], field: str) -> None:
    response = administrator.post("/people/add", {**NEW, **wrong})
    assert (response.status_code, list(response.context["form"].errors)) == (422, [field])


def test_a_first_password_must_be_replaced_before_anything_else(administrator: Client, client: Client) -> None:
    administrator.post("/people/add", NEW)
    response = sign_in(client, NEW["email"], NEW["password"])
    assert response.redirect_chain[-1][0] == "/accounts/password/change/"
    assert "typed by an administrator" in response.content.decode()


def test_after_replacing_the_first_password_everything_opens(administrator: Client, client: Client) -> None:
    administrator.post("/people/add", NEW)
    sign_in(client, NEW["email"], NEW["password"])
    client.post("/accounts/password/change/", {"oldpassword": NEW["password"], "password1": PASSWORD, "password2": PASSWORD})
    assert client.get("/").status_code == 200


def test_a_replaced_password_is_asked_for_once(administrator: Client, client: Client) -> None:
    administrator.post("/people/add", NEW)
    sign_in(client, NEW["email"], NEW["password"])
    client.post("/accounts/password/change/", {"oldpassword": NEW["password"], "password1": PASSWORD, "password2": PASSWORD})
    assert sign_in(Client(), NEW["email"], PASSWORD).redirect_chain[-1][0] == "/"


def test_a_role_is_changed(administrator: Client) -> None:
    user = make_user(Role.VIEWER)
    administrator.post(reverse("person_role", args=[user.pk]), {f"{user.pk}-role": "operator"})
    assert role_of(user) == Role.OPERATOR


def test_nobody_changes_their_own_role(administrator: Client) -> None:
    me = User.objects.get()
    administrator.post(reverse("person_role", args=[me.pk]), {f"{me.pk}-role": "viewer"})
    assert role_of(me) == Role.ADMINISTRATOR


def test_access_taken_away_ends_at_once(administrator: Client) -> None:
    victim = signed_in(Role.VIEWER)
    administrator.post(reverse("person_access", args=[User.objects.get(email="viewer@example.com").pk]))
    assert victim.get("/").status_code == 302


def test_access_is_given_back(administrator: Client) -> None:
    user = make_user(Role.VIEWER)
    for _ in range(2):
        administrator.post(reverse("person_access", args=[user.pk]))
    assert User.objects.get(pk=user.pk).is_active


def test_nobody_takes_away_their_own_access(administrator: Client) -> None:
    administrator.post(reverse("person_access", args=[User.objects.get().pk]))
    assert User.objects.get().is_active
