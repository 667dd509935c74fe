"""Starting a simulated CRM: in this process (tests, `manage.py sandbox`) or as a child process (the demo, the benchmark).

with serving(create_app(GhlSettings())) as url: ...            # a thread of this process, a free port
with sandbox_process(contacts=500) as addresses: ...           # both in one child, which never outlives its parent
"""

from __future__ import annotations

import asyncio
import ctypes
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette

HOST = "127.0.0.1"
START_TIMEOUT_S = 20.0
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Addresses:
    """The roots to give to `connection add`: `--api-url` and `--account-url`."""

    ghl: str
    centralstation: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def wait_until_open(port: int, timeout_s: float = START_TIMEOUT_S) -> None:
    """Returns once connections are taken. Raises TimeoutError."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        try:
            socket.create_connection((HOST, port), 0.2).close()
            return
        except OSError:
            time.sleep(0.003)
    raise TimeoutError(f"the sandbox did not open port {port} within {timeout_s:.0f} s")


def web_server(app: Starlette, port: int) -> Server:
    return Server(app, address=HOST, port=port, interface=Interfaces.ASGINL, log_enabled=False, websockets=False)


@contextmanager
def serving(app: Starlette, port: int = 0) -> Iterator[str]:
    """Serve `app` from a thread of this process on a free or the given port; the root address, also set as the CRM's `url`."""
    port = port or free_port()
    app.state.crm.url = f"http://{HOST}:{port}"
    loop = asyncio.new_event_loop()
    server = web_server(app, port)
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),), daemon=True)
    thread.start()
    try:
        wait_until_open(port)
        yield app.state.crm.url
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(5)
        loop.close()


@contextmanager
def sandbox_process(
    *, ghl_port: int = 0, centralstation_port: int = 0, contacts: int = 0, seed: int = 1, latency_ms: float = 0, search_lag_s: float = 2.0
) -> Iterator[Addresses]:
    """Both CRMs in one child process, ready to use; it ends with the block, and with this process if that dies (Linux)."""
    ports = ghl_port or free_port(), centralstation_port or free_port()
    options: dict[str, float] = {"ghl-port": ports[0], "centralstation-port": ports[1], "contacts": contacts, "seed": seed}
    options |= {"latency-ms": latency_ms, "search-lag-s": search_lag_s}
    command = [sys.executable, "-m", "crmsync.sandbox", *(f"--{name}={value}" for name, value in options.items())]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=die_with_parent, start_new_session=True)
    try:
        for port in ports:
            wait_until_open(port)
        yield Addresses(*(f"http://{HOST}:{port}" for port in ports))
    finally:
        child.terminate()
        child.wait(10)


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies. Nothing happens where there is no prctl."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
