"""The environment: safe on a laptop, loud in production."""

import json
import multiprocessing
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from crmsync import configuration
from crmsync.secretfiles import kept_secret
from tests.foundation.installation import Installation

PRODUCTION = {
    "DATABASE_URL": "postgres://crmsync@db.example.com/crmsync",
    "SECRET_KEY": "tests-only" * 6,
    "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
    "BASE_URL": "https://crm.example.com",
}
SHOWN = """
import json
from django.conf import settings
print(json.dumps({name: getattr(settings, name) for name in %r.split(",")}))
"""


def settings_of(installation: Installation, names: str, **environment: str) -> dict[str, object]:
    result = installation.manage("shell", "-v", "0", "-c", SHOWN % names, **environment)
    assert result.returncode == 0, result.stderr
    answer: dict[str, object] = json.loads(result.stdout)
    return answer


def test_the_data_directory_is_made_for_its_owner_alone(installation: Installation) -> None:
    installation.manage("check")
    assert stat.S_IMODE(installation.data.stat().st_mode) == 0o700


def test_generated_secrets_are_for_their_owner_alone(installation: Installation) -> None:
    installation.manage("check")
    for name in ("secret_key", "credential_keys"):
        assert stat.S_IMODE((installation.data / name).stat().st_mode) == 0o600


def test_generated_secrets_are_kept(installation: Installation) -> None:
    names = "SECRET_KEY,CREDENTIAL_KEYS"
    assert settings_of(installation, names) == settings_of(installation, names)


@pytest.mark.parametrize("variable", ["SECRET_KEY", "CREDENTIAL_KEYS"])
def test_with_a_database_url_a_missing_secret_stops_the_start(installation: Installation, variable: str) -> None:
    result = installation.manage("check", **PRODUCTION | {variable: ""})
    assert result.returncode == 1
    assert result.stderr.startswith(f"Configuration: {variable} is not set.")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "mysql://db/crmsync"),
        ("DATABASE_URL", "nonsense"),
        ("EMAIL_URL", "carrier-pigeon://x"),
        ("BASE_URL", "crm.example.com"),
        ("CREDENTIAL_KEYS", "no-key"),
        ("CRMSYNC_WORKERS", "many"),
        ("CHANGES_KEPT_DAYS", "0"),
        ("DEBUG", "maybe"),
        ("CRMSYNC_DATA", "/proc/nowhere"),
    ],
)
def test_a_bad_value_stops_the_start_and_names_the_variable(installation: Installation, variable: str, value: str) -> None:
    result = installation.manage("check", **PRODUCTION | {variable: value})
    assert result.returncode == 1
    assert result.stderr.startswith(f"Configuration: {variable}")
    assert "no-key" not in result.stderr


@pytest.mark.parametrize(("value", "is_on"), [("yes", True), ("ON", True), ("1", True), ("0", False), ("Off", False), ("", False)])
def test_a_flag_is_a_clear_yes_or_no(installation: Installation, value: str, is_on: bool) -> None:
    assert settings_of(installation, "DEBUG", DEBUG=value) == {"DEBUG": is_on}


def test_production_settings_pass_the_deployment_check(installation: Installation) -> None:
    result = installation.manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert result.returncode == 0, result.stderr


def test_https_alone_switches_secure_cookies_and_redirects_on(installation: Installation) -> None:
    names = "SESSION_COOKIE_SECURE,CSRF_COOKIE_SECURE,SECURE_SSL_REDIRECT,SECURE_HSTS_SECONDS"
    assert not any(settings_of(installation, names, BASE_URL="http://crm.example.com").values())
    assert all(settings_of(installation, names, BASE_URL="https://crm.example.com").values())


def test_this_machine_and_the_base_url_are_always_allowed(installation: Installation) -> None:
    hosts = settings_of(installation, "ALLOWED_HOSTS", BASE_URL="https://crm.example.com", ALLOWED_HOSTS="other.example.com")
    assert hosts == {"ALLOWED_HOSTS": ["other.example.com", "crm.example.com", "127.0.0.1", "localhost", "[::1]"]}


def test_redis_becomes_broker_and_cache(installation: Installation) -> None:
    shown = settings_of(installation, "Q_CLUSTER,CACHES", REDIS_URL="redis://127.0.0.1:6379/3")
    assert "'redis': 'redis://127.0.0.1:6379/3?socket_timeout=3&socket_connect_timeout=1'" in str(shown)
    assert "RedisCache" in str(shown)


def _ask(path: Path, answers: "multiprocessing.SimpleQueue[str]") -> None:
    answers.put(kept_secret(path, lambda: Fernet.generate_key().decode()))


def test_processes_that_start_at_once_share_one_secret(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.SimpleQueue[str] = context.SimpleQueue()
    processes = [context.Process(target=_ask, args=(tmp_path / "secret", answers)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert len({answers.get() for _ in processes}) == 1


def test_keys_are_a_comma_separated_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first, second = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    monkeypatch.setenv("CREDENTIAL_KEYS", f"{first}, {second},")
    assert configuration.credential_keys(tmp_path, embedded=False) == [first, second]


def test_a_bad_key_is_counted_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CREDENTIAL_KEYS", f"{Fernet.generate_key().decode()},swordfish")
    with pytest.raises(ImproperlyConfigured, match=r"key 2 is not") as error:
        configuration.credential_keys(tmp_path, embedded=False)
    assert "swordfish" not in str(error.value)
