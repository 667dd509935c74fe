"""Log lines."""

import logging
import sys

import pytest

from crmsync.logs import LineFormatter, MaskSecrets, mask


def line(message: str, *args: object, **extra: object) -> str:
    record = logging.makeLogRecord({"name": "crmsync.sync", "levelname": "INFO", "msg": message, "args": args, **extra})
    MaskSecrets().filter(record)
    return LineFormatter().format(record)


@pytest.mark.parametrize(
    "text",
    [
        "token pit-01234567-89ab-cdef refused",
        "Authorization: Bearer swordfish",
        "GET /api/people?apikey=swordfish",
        "{'access_token': 'swordfish'}",
        '{"refresh_token": "swordfish"}',
        "password=swordfish",
        "postgres://crmsync:swordfish@db/crmsync",
        "CREDENTIAL_KEYS=swordfish",
        "X-apikey: swordfish",
    ],
)
def test_what_looks_like_a_credential_is_masked(text: str) -> None:
    assert "swordfish" not in mask(text)
    assert "0123" not in mask(text)


@pytest.mark.parametrize("text", ["reconciled contact 41", "http://127.0.0.1:8000/contacts/4", "the token was refused", "3 keys"])
def test_all_else_stays(text: str) -> None:
    assert mask(text) == text


def test_fields_stand_beside_the_message() -> None:
    assert line("reconciled", contact=41, writes=2).endswith("INFO crmsync.sync reconciled contact=41 writes=2")


def test_a_secret_among_the_fields_is_masked() -> None:
    assert "swordfish" not in line("asked", address="https://crm.example.com/?api_key=swordfish")


def test_an_event_with_a_traceback_is_one_line_without_secrets() -> None:
    try:
        raise ValueError("token=swordfish")
    except ValueError:
        text = line("failed", exc_info=sys.exc_info())
    assert "ValueError" in text
    assert "swordfish" not in text
    assert "\n" not in text
