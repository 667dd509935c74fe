"""People: accounts, roles, first passwords, access."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from crmsync.accounts import Role, role_of
from crmsync.sync import people
from crmsync.sync.actions import ActionError
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


# Invitations


INVITED = {"email": "Invited@Example.com", "role": "operator"}


def link_of(response: Any) -> str:
    return str(response.context["link"]).removeprefix(settings.BASE_URL.rstrip("/"))


def test_without_e_mail_the_link_is_shown(administrator: Client) -> None:
    response = administrator.post("/people/invite", INVITED)
    assert link_of(response) in response.content.decode()


def test_the_link_lets_choose_a_password_and_sign_in(administrator: Client, client: Client) -> None:
    link = link_of(administrator.post("/people/invite", INVITED))
    form = client.get(link, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
    assert sign_in(Client(), INVITED["email"], PASSWORD).redirect_chain[-1][0] == "/"


def test_the_link_works_once(administrator: Client, client: Client) -> None:
    link = link_of(administrator.post("/people/invite", INVITED))
    form = client.get(link, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
    assert "password1" not in Client().get(link, follow=True).content.decode()


def test_with_e_mail_the_link_is_sent_and_not_shown(administrator: Client, settings: Settings, mailoutbox: list[EmailMessage]) -> None:
    settings.EMAIL_URL = "smtp://mail.example.com"
    response = administrator.post("/people/invite", INVITED, follow=True)
    assert mailoutbox[0].to == ["invited@example.com"]
    assert "/password/reset/key/" in mailoutbox[0].body
    assert "/password/reset/key/" not in response.content.decode()


def test_somebody_invited_is_invited_again(administrator: Client) -> None:
    administrator.post("/people/invite", INVITED)
    user = User.objects.get(email="invited@example.com")
    assert "/password/reset/key/" in administrator.post(reverse("person_resend", args=[user.pk])).content.decode()


def test_who_has_a_password_is_not_invited_again(administrator: Client) -> None:
    user = make_user(Role.VIEWER)
    response = administrator.post(reverse("person_resend", args=[user.pk]), follow=True)
    assert "needs no invitation any more" in response.content.decode()


def test_an_address_that_is_taken_is_said_beside_its_field(administrator: Client) -> None:
    response = administrator.post("/people/invite", {**INVITED, "email": "administrator@example.com"})
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["email"])


# Removing, and the last administrator


def test_removing_asks_first(administrator: Client) -> None:
    user = make_user(Role.VIEWER)
    assert "stays in the audit log" in administrator.get(reverse("person_remove", args=[user.pk])).content.decode()
    assert User.objects.filter(pk=user.pk).exists()


def test_a_person_is_removed(administrator: Client) -> None:
    user = make_user(Role.VIEWER)
    administrator.post(reverse("person_remove", args=[user.pk]))
    assert not User.objects.filter(pk=user.pk).exists()


def test_nobody_removes_themselves(administrator: Client) -> None:
    administrator.post(reverse("person_remove", args=[User.objects.get().pk]))
    assert User.objects.exists()


@pytest.mark.parametrize("loss", ["role", "access", "remove"])
def test_the_last_administrator_remains(db: None, loss: str) -> None:
    last = make_user(Role.ADMINISTRATOR)
    calls = {
        "role": lambda: people.change_role(last, Role.VIEWER),
        "access": lambda: people.set_access(last, is_active=False),
        "remove": lambda: people.remove(last),
    }
    with pytest.raises(ActionError, match="last administrator"):
        calls[loss]()


def test_somebody_invited_who_never_came_is_no_other_administrator(db: None) -> None:
    last = make_user(Role.ADMINISTRATOR)
    people.invite("invited@example.com", Role.ADMINISTRATOR)
    with pytest.raises(ActionError, match="last administrator"):
        people.remove(last)
