"""`manage.py user`."""

import io
import json

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from tests.dashboard.data import make_roles
from tests.foundation.installation import Installation

PASSWORD = "correct horse battery"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _roles(db: None) -> None:
    make_roles()


def add(monkeypatch: pytest.MonkeyPatch, *arguments: str, password: str = PASSWORD + "\n") -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(password))
    output = io.StringIO()
    call_command("user", "add", *arguments, "--password-stdin", "--json", stdout=output, stderr=io.StringIO())
    return output.getvalue()


@pytest.mark.parametrize("role", ["viewer", "operator", "administrator"])
def test_an_added_account_can_sign_in_at_once(monkeypatch: pytest.MonkeyPatch, client: Client, role: str) -> None:
    add(monkeypatch, "Anna@example.com", "--role", role)
    answer = client.post(reverse("account_login"), {"login": "anna@example.com", "password": PASSWORD})
    assert answer.status_code == 302
    assert User.objects.get(groups__name=role).pk == int(client.session["_auth_user_id"])


def test_it_prints_one_json_object(monkeypatch: pytest.MonkeyPatch) -> None:
    row = json.loads(add(monkeypatch, "anna@example.com", "--role", "viewer"))
    assert row == {"id": User.objects.get().pk, "email": "anna@example.com", "role": "viewer", "is_active": True}


def test_the_list_has_a_line_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("anna", "bert"):
        add(monkeypatch, f"{name}@example.com", "--role", "operator")
    output = io.StringIO()
    call_command("user", "list", "--json", stdout=output)
    assert [json.loads(line)["email"] for line in output.getvalue().splitlines()] == ["anna@example.com", "bert@example.com"]


def test_an_address_can_have_one_account(monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, "anna@example.com", "--role", "viewer")
    with pytest.raises(CommandError, match="already"):
        add(monkeypatch, "ANNA@example.com", "--role", "viewer")


def test_an_empty_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="no password"):
        add(monkeypatch, "anna@example.com", "--role", "viewer", password="\n")


def test_a_new_password_replaces_the_old(monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, "anna@example.com", "--role", "viewer")
    monkeypatch.setattr("sys.stdin", io.StringIO("another horse battery"))
    call_command("user", "password", "anna@example.com", "--password-stdin", stdout=io.StringIO())
    assert User.objects.get().check_password("another horse battery")


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "anna", "--role", "viewer", "--password-stdin"],
        ["add", "anna@example.com", "--role", "king", "--password-stdin"],
        ["add", "anna@example.com", "--role", "viewer"],
        ["remove"],
        [],
    ],
)
def test_wrong_usage_is_status_2(installation: Installation, arguments: list[str]) -> None:
    assert installation.manage("user", *arguments).returncode == 2


def test_a_missing_database_is_status_1_in_one_line(installation: Installation) -> None:
    result = installation.manage("user", "list")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "manage.py migrate" in result.stderr
