"""Credentials at rest."""

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from crmsync.models import Connection
from crmsync.models.fields import CredentialKeyMissing

SECRET = "pit-0123456789-swordfish"
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = [OLD]


@pytest.fixture
def saved(db: None) -> Connection:
    row = Connection(system="ghl", name="Berlin", root="https://crm.example.com")
    row.set_credential(SECRET)
    row.save()
    return row


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT credential FROM crmsync_connection")
        return str(cursor.fetchone()[0])


def test_what_is_stored_is_not_the_secret(saved: Connection) -> None:
    assert SECRET not in stored()


def test_it_is_read_back(saved: Connection) -> None:
    assert Connection.objects.get().credential == SECRET


def test_a_missing_key_is_a_clear_error_without_the_ciphertext(saved: Connection, settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = [NEW]
    with pytest.raises(CredentialKeyMissing, match="CREDENTIAL_KEYS lacks the key") as error:
        Connection.objects.get()
    assert stored()[:20] not in str(error.value)


def test_a_changed_byte_is_an_error(saved: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crmsync_connection SET credential = %s", [stored()[:-4] + "AAA="])
    with pytest.raises(CredentialKeyMissing):
        Connection.objects.get()


def test_rows_can_be_listed_without_their_secret_whatever_the_key(saved: Connection, settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = [NEW]
    assert [row.name for row in Connection.objects.without_secrets()] == ["Berlin"]


def test_it_cannot_be_searched(saved: Connection) -> None:
    with pytest.raises(FieldError):
        Connection.objects.filter(credential=SECRET).exists()


def test_rotation_encrypts_with_the_first_key(saved: Connection, settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    call_command("rotate_credentials")
    settings.CREDENTIAL_KEYS = [NEW]
    assert Connection.objects.get().credential == SECRET


def test_no_representation_shows_it(saved: Connection) -> None:
    assert SECRET not in f"{saved!r} {saved}"
