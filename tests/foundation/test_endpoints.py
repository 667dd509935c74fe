"""What anybody may ask for without signing in, and what comes with every answer."""

import pytest
from django.contrib.auth.models import User
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

pytestmark = pytest.mark.django_db


def test_healthz_answers_when_ready(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_healthz_is_503_while_a_migration_is_missing(client: Client) -> None:
    MigrationRecorder.Migration.objects.filter(app="crmsync").delete()
    assert client.get("/healthz").status_code == 503


def test_healthz_is_not_redirected_to_https(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200


def test_every_answer_forbids_what_is_not_ours(client: Client) -> None:
    policy = client.get("/healthz").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_nobody_can_sign_up(client: Client) -> None:
    client.post(reverse("account_signup"), {"email": "eve@example.com", "password1": "correct horse battery"})
    assert not User.objects.exists()


def test_guessing_a_password_is_stopped(client: Client) -> None:
    User.objects.create_user("anna", "anna@example.com", "correct horse battery")
    attempt = {"login": "anna@example.com", "password": "wrong"}
    answers = [client.post(reverse("account_login"), attempt) for _ in range(12)]
    assert "Too many failed login attempts" in answers[-1].content.decode()
