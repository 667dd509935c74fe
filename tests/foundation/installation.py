"""An installation of its own: an empty data directory, and commands that run in processes as a user's do."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
OURS = {
    "DJANGO_ALLOW_ASYNC_UNSAFE",
    "CRMSYNC_DATA",
    "DATABASE_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "SECRET_KEY",
    "CREDENTIAL_KEYS",
    "BASE_URL",
    "DEBUG",
    "ALLOWED_HOSTS",
}


@dataclass
class Installation:
    data: Path
    environment: dict[str, str] = field(default_factory=dict)

    def variables(self, **more: str) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if name not in OURS}
        return clean | {"CRMSYNC_DATA": str(self.data), "DJANGO_SETTINGS_MODULE": "crmsync.settings"} | self.environment | more

    def manage(self, *arguments: str, stdin: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, str(PROJECT / "manage.py"), *arguments]
        return subprocess.run(command, input=stdin, env=self.variables(**more), capture_output=True, text=True, timeout=60, check=False)

    @contextlib.contextmanager
    def running(self, *arguments: str, **more: str) -> "Iterator[subprocess.Popen[bytes]]":
        """`python ...` in the background, killed at the end where it hasn't ended itself."""
        with (self.data / "output.log").open("wb") as output:
            process = subprocess.Popen([sys.executable, *arguments], cwd=PROJECT, env=self.variables(**more), stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def output(self) -> str:
        return (self.data / "output.log").read_text()


def wait_until(condition: Callable[[], object], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.1)
    return bool(condition())


def children(pid: int) -> list[int]:
    """All processes below `pid`, at any depth."""
    result = []
    for child in _parents().get(pid, []):
        result += [child, *children(child)]
    return result


def _parents() -> dict[int, list[int]]:
    by_parent: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            pid, state, parent = _fields(stat)
            if state != "Z":
                by_parent.setdefault(int(parent), []).append(int(pid))
    return by_parent


def _fields(stat: Path) -> tuple[str, str, str]:
    state, parent = stat.read_text().rpartition(")")[2].split()[:2]
    return stat.parent.name, state, parent


def is_alive(pid: int) -> bool:
    try:
        return _fields(Path(f"/proc/{pid}/stat"))[1] != "Z"
    except OSError:
        return False


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
