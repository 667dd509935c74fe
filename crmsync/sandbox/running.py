"""Starting a simulated CRM: in this process (tests, `manage.py sandbox`) or as a child process (the demo, the benchmark).

`with serving(ghl.create_app(settings)) as url:` takes a thread of this process and a free port. `with sandbox_process(contacts=500) as
addresses:` runs both in one child, which never outlives its parent. `run_until_stopped()` is the command.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette

from crmsync.sandbox import centralstation, ghl
from crmsync.sandbox.settings import DEMO_API_KEY, DEMO_GHL_TOKEN, DEMO_LOCATION_ID, CentralStationSettings, GhlSettings

HOST = "127.0.0.1"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Addresses:
    """The roots to give to `connection add`: `--api-url` and `--account-url`."""

    ghl: str
    centralstation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run both. Port 0 is any free one; rate limits are as in reality unless set."""

    ghl_port: int = 0
    centralstation_port: int = 0
    contacts: int = 500
    seed: int = 1
    latency_ms: float = 0.0
    search_lag_s: float = 2.0
    ghl_limit: int = 100
    centralstation_limit: int = 50

    def apps(self) -> tuple[Starlette, Starlette]:
        same = {"contacts": self.contacts, "seed": self.seed, "latency_ms": self.latency_ms}
        return (
            ghl.create_app(GhlSettings(**same, limit=self.ghl_limit, search_lag_s=self.search_lag_s)),  # type: ignore[arg-type]
            centralstation.create_app(CentralStationSettings(**same, limit=self.centralstation_limit)),  # type: ignore[arg-type]
        )


HELP = {
    "ghl_port": "port for GoHighLevel (0: any free one)",
    "centralstation_port": "port for CentralStationCRM (0: any free one)",
    "contacts": "people in each CRM, about 60 %% of them in both",
    "seed": "another number makes other people",
    "latency_ms": "how long each answer takes",
    "search_lag_s": "how long GoHighLevel's lists and search don't know of a change",
    "ghl_limit": "requests in 10 seconds",
    "centralstation_limit": "requests in 10 seconds",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One `--option` for each of `Options`."""
    for name, default in asdict(Options()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default, help=HELP[name], metavar="N")


def options_of(parsed: Mapping[str, Any]) -> Options:
    return Options(**{name: parsed[name] for name in HELP})


def run_until_stopped(options: Options, write: Callable[[str], object]) -> None:
    """Serve both from this one process until SIGINT or SIGTERM; says where and with which credentials. Raises OSError for a port in use."""
    ports = [_free(port) for port in (options.ghl_port, options.centralstation_port)]
    apps = options.apps()
    for app, port in zip(apps, ports, strict=True):
        app.state.crm.url = f"http://{HOST}:{port}"
    asyncio.run(
        _serve_until_stopped([_web_server(app, port) for app, port in zip(apps, ports, strict=True)], lambda: _announce(ports, write))
    )


async def _serve_until_stopped(servers: list[Server], ready: Callable[[], None]) -> None:
    stopped = asyncio.Event()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(wanted, stopped.set)
    tasks = [asyncio.create_task(server.serve()) for server in servers]
    ready()
    await stopped.wait()
    for server in servers:
        server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait(tasks, timeout=STOP_TIMEOUT_S)


def _announce(ports: list[int], write: Callable[[str], object]) -> None:
    for line in (
        f"GoHighLevel         http://{HOST}:{ports[0]}",
        f"  location id       {DEMO_LOCATION_ID}",
        f"  token             {DEMO_GHL_TOKEN}",
        f"CentralStationCRM   http://{HOST}:{ports[1]}",
        f"  API key           {DEMO_API_KEY}",
        "Open either address in a browser to see its contacts and to switch faults on. Ctrl-C ends both.",
    ):
        write(f"{line}\n")


@contextmanager
def serving(app: Starlette, port: int = 0) -> Iterator[str]:
    """Serve `app` from a thread of this process on a free or the given port; the root address, also set as the CRM's `url`."""
    port = _free(port)
    app.state.crm.url = f"http://{HOST}:{port}"
    loop = asyncio.new_event_loop()
    server = _web_server(app, port)
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),), daemon=True)
    thread.start()
    try:
        wait_until_open(port)
        yield app.state.crm.url
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(STOP_TIMEOUT_S)
        loop.close()


@contextmanager
def sandbox_process(options: Options | None = None) -> Iterator[Addresses]:
    """Both CRMs in one child process, ready to use; it ends with the block, and with this process if that dies (Linux)."""
    asked = asdict(options or Options())
    asked |= {name: _free(asked[name]) for name in ("ghl_port", "centralstation_port")}
    command = [sys.executable, "-m", "crmsync.sandbox", *(f"--{name.replace('_', '-')}={value}" for name, value in asked.items())]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=die_with_parent, start_new_session=True)
    try:
        for name in ("ghl_port", "centralstation_port"):
            wait_until_open(asked[name], child=child)
        yield Addresses(*(f"http://{HOST}:{asked[name]}" for name in ("ghl_port", "centralstation_port")))
    finally:
        child.terminate()
        child.wait(STOP_TIMEOUT_S)


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies. Nothing happens where there is no prctl."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until_open(port: int, timeout_s: float = START_TIMEOUT_S, child: subprocess.Popen[bytes] | None = None) -> None:
    """Returns once connections are taken. Raises TimeoutError, or ChildProcessError when `child` has ended."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        with suppress(OSError):
            socket.create_connection((HOST, port), 0.2).close()
            return
        if child and child.poll() is not None:
            raise ChildProcessError(f"the sandbox ended with status {child.returncode}")
        time.sleep(0.003)
    raise TimeoutError(f"the sandbox did not open port {port} within {timeout_s:.0f} s")


def _free(port: int) -> int:
    """`port`, or any free one for 0. Raises OSError when it is in use: the server itself would share it without a word."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        return int(probe.getsockname()[1])


def _web_server(app: Starlette, port: int) -> Server:
    return Server(app, address=HOST, port=port, interface=Interfaces.ASGINL, log_enabled=False, websockets=False)
