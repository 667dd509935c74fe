"""`manage.py serve`: one command, one machine."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from tests.foundation.installation import Installation, children, free_port, is_alive, kill, wait_until


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def server(migrated: Installation, port: int) -> "Iterator[subprocess.Popen[bytes]]":
    with migrated.running("manage.py", "serve", "--port", str(port), "--workers", "1") as process:
        assert wait_until(lambda: answers(port), 20), migrated.output()
        yield process


def answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(json.load(answer) == {"status": "ok"})
    except (URLError, OSError):
        return False


def commands(pid: int) -> dict[str, int]:
    """The children of `serve` by what they run."""
    found: dict[str, int] = {}
    for child in children(pid):
        with open(f"/proc/{child}/cmdline") as file:
            found.setdefault(file.read().split("\0")[2], child)
    return found


@pytest.mark.drill
def test_what_dies_is_started_again(server: "subprocess.Popen[bytes]", port: int) -> None:
    family = children(server.pid)
    for victim in commands(server.pid).values():
        kill(victim)
    assert wait_until(lambda: not any(is_alive(pid) for pid in family), 5)
    assert wait_until(lambda: answers(port) and set(commands(server.pid)) == {"web", "qcluster"}, 20)


@pytest.mark.drill
def test_a_killed_web_process_is_replaced(server: "subprocess.Popen[bytes]", port: int) -> None:
    worker = children(commands(server.pid)["web"])[0]
    kill(worker)
    assert wait_until(lambda: not is_alive(worker) and answers(port), 20)


@pytest.mark.drill
def test_nothing_goes_on_when_serve_is_killed(server: "subprocess.Popen[bytes]") -> None:
    family = children(server.pid)
    kill(server.pid)
    assert wait_until(lambda: not any(is_alive(pid) for pid in family), 3)


@pytest.mark.drill
@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_all_ends_within_ten_seconds(server: "subprocess.Popen[bytes]", signal_number: signal.Signals) -> None:
    family = children(server.pid)
    server.send_signal(signal_number)
    assert server.wait(10) == 0
    assert not any(is_alive(pid) for pid in family)


@pytest.mark.drill
def test_static_files_have_hashed_names(server: "subprocess.Popen[bytes]", migrated: Installation) -> None:
    assert (migrated.data / "static" / "staticfiles.json").exists()


@pytest.mark.drill
def test_what_is_looked_for_is_not_logged(server: "subprocess.Popen[bytes]", port: int, migrated: Installation) -> None:
    for page in ("why", "contacts", "nowhere"):
        with suppress(HTTPError), urlopen(f"http://127.0.0.1:{port}/{page}/?q=ada%40example.org", timeout=10) as answer:
            answer.read()
    assert "ada" not in migrated.output()


def test_without_migrations_it_says_what_to_do(installation: Installation) -> None:
    result = installation.manage("serve")
    assert result.returncode == 1
    assert result.stderr.endswith("Run: python manage.py migrate\n")


def test_a_port_in_use_is_named(migrated: Installation, live_port: int) -> None:
    result = migrated.manage("serve", "--port", str(live_port))
    assert result.returncode == 1
    assert f"port {live_port}: Address already in use" in result.stderr


def test_a_port_that_is_none_is_wrong_usage(installation: Installation) -> None:
    assert installation.manage("serve", "--port", "http").returncode == 2


@pytest.fixture
def live_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
