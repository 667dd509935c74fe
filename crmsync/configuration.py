"""How settings.py reads the environment: each value once, and a bad one stops the start by its variable's name."""

import os
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from crmsync.secretfiles import kept_secret

# One web process and several workers write at once: WAL lets readers go on, IMMEDIATE takes the write lock before reading (a late
# upgrade fails at once, without waiting), and 20 s is how long a writer waits for its turn.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728;",
}


def data_directory(default: Path) -> Path:
    """CRMSYNC_DATA, made if missing and closed to other users, for it holds the contacts."""
    path = Path(os.environ.get("CRMSYNC_DATA") or default).expanduser().resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"CRMSYNC_DATA: {path} can't be made or used: {error.strerror}.") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"CRMSYNC_DATA: {path} can't be written to.")
    return path


def database(url: str, data: Path) -> dict[str, Any]:
    """Django's DATABASES entry for DATABASE_URL, or for the SQLite file in CRMSYNC_DATA where that is empty."""
    if not url:
        return _sqlite({"ENGINE": "django.db.backends.sqlite3", "NAME": str(data / "crmsync.sqlite3")}, data)
    config = _parsed_database(url)
    match config.get("ENGINE"):
        case "django.db.backends.sqlite3":
            return _sqlite(config, data)
        case "django.db.backends.postgresql":
            return config | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
        case _:
            raise ImproperlyConfigured("DATABASE_URL must look like postgres://user:password@host:5432/name or sqlite:////path/to/file.")


def _parsed_database(url: str) -> dict[str, Any]:
    """Empty where it can't be read. The library's own warning would be a second message, and may show the password."""
    with warnings.catch_warnings(), suppress(ValueError, KeyError, ImproperlyConfigured):
        warnings.simplefilter("ignore")
        return dict(environ.Env.db_url_config(url))
    return {}


def _sqlite(config: dict[str, Any], data: Path) -> dict[str, Any]:
    # Tests get a file too: an in-memory database is locked by any second thread.
    return config | {"OPTIONS": SQLITE_OPTIONS, "TEST": {"NAME": str(data / "test.sqlite3")}}


def secret_key(data: Path, *, embedded: bool) -> str:
    """SECRET_KEY: signs sessions and jobs."""
    given = os.environ.get("SECRET_KEY", "").strip()
    return given or _generated("SECRET_KEY", data / "secret_key", get_random_secret_key, embedded=embedded)


def credential_keys(data: Path, *, embedded: bool) -> list[str]:
    """CREDENTIAL_KEYS: encrypt the CRMs' credentials at rest. The first encrypts, all decrypt."""
    given = os.environ.get("CREDENTIAL_KEYS", "").strip()
    value = given or _generated("CREDENTIAL_KEYS", data / "credential_keys", lambda: Fernet.generate_key().decode(), embedded=embedded)
    keys = [key.strip() for key in value.split(",") if key.strip()]
    for position, key in enumerate(keys, start=1):
        _check_key(key, position)
    return keys


def _generated(variable: str, path: Path, make: Any, *, embedded: bool) -> str:
    if not embedded:
        raise ImproperlyConfigured(f"{variable} is not set. With a DATABASE_URL it must be: see README.md, Configuration.")
    return kept_secret(path, make)


def _check_key(key: str, position: int) -> None:
    try:
        Fernet(key)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"CREDENTIAL_KEYS: key {position} is not 32 bytes in URL-safe base64; README.md says how to make one."
        ) from error


def redis_url(url: str) -> str:
    """REDIS_URL with time-outs, where it has none: a Redis that is silent must not hold up who wants to wake a worker. (A worker waits a
    second for work, so less would end its wait.)"""
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise ImproperlyConfigured("REDIS_URL must look like redis://host:6379/0.")
    options = {"socket_timeout": "3", "socket_connect_timeout": "1", **dict(parse_qsl(parts.query))}
    return parts._replace(query=urlencode(options)).geturl()


def base_url(default: str) -> SplitResult:
    """BASE_URL: where people and webhooks reach crmsync."""
    url = urlsplit((os.environ.get("BASE_URL") or default).rstrip("/"))
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ImproperlyConfigured("BASE_URL must look like https://crmsync.example.com or http://127.0.0.1:8000.")
    return url


def email(url: str) -> dict[str, Any]:
    """Django's EMAIL_* settings for EMAIL_URL; without one nothing is sent."""
    try:
        config: dict[str, Any] = environ.Env.email_url_config(url or "dummymail://")
    except (ValueError, KeyError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured("EMAIL_URL must look like smtp+tls://user:password@host:587.") from error
    return {name: value for name, value in config.items() if name.startswith("EMAIL_")}


def flag(variable: str, *, default: bool) -> bool:
    """A yes or no: true, 1, yes, on, or false, 0, no, off. Anything else is a slip, and not a "no"."""
    value = os.environ.get(variable, "").strip().lower()
    if value in {"true", "1", "yes", "on"}:
        return True
    if value in {"false", "0", "no", "off"}:
        return False
    if value:
        raise ImproperlyConfigured(f"{variable} must be true or false.")
    return default


def number(variable: str, *, default: int, most: int) -> int:
    """A whole number from 1 to `most`."""
    value = os.environ.get(variable, "").strip() or str(default)
    if not value.isdecimal() or not 1 <= int(value) <= most:
        raise ImproperlyConfigured(f"{variable} must be a number from 1 to {most}.")
    return int(value)
