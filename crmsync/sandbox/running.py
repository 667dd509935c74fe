"""Starting a simulated CRM: in this process (tests, `manage.py sandbox`) or as a child process (the demo, the benchmark).

`with serving(ghl.create_app(settings)) as url:` takes a thread of this process and a free port. `with sandbox_process(contacts=500) as
addresses:` runs both in one child, which never outlives its parent. `run_until_stopped()` is the command.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette

from crmsync.sandbox import centralstation, ghl
from crmsync.sandbox.settings import (
    DEMO_API_KEY,
    DEMO_CLIENT_ID,
    DEMO_CLIENT_SECRET,
    DEMO_GHL_TOKEN,
    DEMO_LOCATION_ID,
    CentralStationSettings,
    GhlSettings,
)

HERE = Path(__file__).parents[2]
"""Where a child finds this package, whatever directory we were started in."""
HOST = "127.0.0.1"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Addresses:
    """The roots to give to `connection add`: `--api-url` and `--account-url`; and the process behind them, where it is a child."""

    ghl: str
    centralstation: str
    child: subprocess.Popen[bytes] | None = None

    @property
    def have_ended(self) -> bool:
        """Nobody answers there any more."""
        return self.child is not None and self.child.poll() is not None


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
    token_life_s: float = 86_399.0
    webhook_url: str = ""
    webhook_pause_s: float = 600.0

    def apps(self) -> tuple[Starlette, Starlette]:
        same = {"contacts": self.contacts, "seed": self.seed, "latency_ms": self.latency_ms}
        own = {name: getattr(self, name) for name in ("search_lag_s", "token_life_s", "webhook_url", "webhook_pause_s")}
        return (
            ghl.create_app(GhlSettings(**same, **own, limit=self.ghl_limit)),  # type: ignore[arg-type]
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
    "token_life_s": "how long an access token of GoHighLevel's OAuth lasts",
    "webhook_url": "where GoHighLevel sends its webhooks (it can be told later, too)",
    "webhook_pause_s": "how long GoHighLevel waits before it sends a webhook again that was answered 429",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One `--option` for each of `Options`, and `--json`."""
    for name, default in asdict(Options()).items():
        kind = TYPES[type(default)]
        metavar = "URL" if kind is _address else "N"
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=default, help=HELP[name], metavar=metavar)
    parser.add_argument("--json", action="store_true", help="say where and with which credentials as one JSON object")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def _share(text: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 on")
    return number


def _address(text: str) -> str:
    if text and not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} doesn't begin with http:// or https://")
    return text


TYPES: Mapping[type, Callable[[str], object]] = {int: _count, float: _share, str: _address}


def run_until_stopped(parsed: Mapping[str, Any], write: Callable[[str], object]) -> None:
    """Serve both from this one process until SIGINT or SIGTERM; says where once they answer. Raises OSError for a port in use."""
    options = Options(**{name: parsed[name] for name in HELP})
    ports = [free_port(port) for port in (options.ghl_port, options.centralstation_port)]
    addresses = Addresses(_root(ports[0]), _root(ports[1]))
    apps = options.apps()
    for app, url in zip(apps, (addresses.ghl, addresses.centralstation), strict=True):
        app.state.crm.url = url
    announcement = json.dumps(_credentials(addresses)) if parsed["json"] else _in_words(addresses)
    asyncio.run(
        _serve_until_stopped([_web_server(app, port) for app, port in zip(apps, ports, strict=True)], ports, lambda: write(announcement))
    )
    for app in apps:
        app.state.crm.webhooks.stop()


async def _serve_until_stopped(servers: list[Server], ports: list[int], ready: Callable[[], object]) -> None:
    stopped = asyncio.Event()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(wanted, stopped.set)
    tasks = [asyncio.create_task(server.serve()) for server in servers]
    for port in ports:
        await asyncio.to_thread(wait_until_open, port)
    ready()
    await stopped.wait()
    for server in servers:
        server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait(tasks, timeout=STOP_TIMEOUT_S)


def _credentials(addresses: Addresses) -> dict[str, dict[str, str]]:
    return {
        "ghl": {
            "api_url": addresses.ghl,
            "location_id": DEMO_LOCATION_ID,
            "token": DEMO_GHL_TOKEN,
            "client_id": DEMO_CLIENT_ID,
            "client_secret": DEMO_CLIENT_SECRET,
        },
        "centralstation": {"account_url": addresses.centralstation, "api_key": DEMO_API_KEY},
    }


def _in_words(addresses: Addresses) -> str:
    return f"""\
GoHighLevel         {addresses.ghl}
  location id       {DEMO_LOCATION_ID}
  token             {DEMO_GHL_TOKEN}
  OAuth client id   {DEMO_CLIENT_ID}
  client secret     {DEMO_CLIENT_SECRET}
  webhook key       {addresses.ghl}/_sandbox/webhook-key
CentralStationCRM   {addresses.centralstation}
  API key           {DEMO_API_KEY}
Open either address in a browser to see its contacts and to switch faults on. Ctrl-C ends both."""


@contextmanager
def serving(app: Starlette, port: int = 0) -> Iterator[str]:
    """Serve `app` from a thread of this process on a free or the given port; the root address, also set as the CRM's `url`."""
    port = free_port(port)
    app.state.crm.url = _root(port)
    loop = asyncio.new_event_loop()
    server = _web_server(app, port)
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),), daemon=True)
    thread.start()
    try:
        wait_until_open(port)
        yield app.state.crm.url
    finally:
        loop.call_soon_threadsafe(server.stop)
        app.state.crm.webhooks.stop()
        thread.join(STOP_TIMEOUT_S)
        loop.close()


@contextmanager
def sandbox_process(options: Options | None = None) -> Iterator[Addresses]:
    """Both CRMs in one child process, ready to use; it ends with the block, and with this process if that dies (Linux)."""
    asked = asdict(options or Options())
    asked |= {name: free_port(asked[name]) for name in ("ghl_port", "centralstation_port")}
    command = [sys.executable, "-m", "crmsync.sandbox", *(f"--{name.replace('_', '-')}={value}" for name, value in asked.items())]
    command.append(f"--parent={os.getpid()}")
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True, cwd=HERE)
    try:
        for name in ("ghl_port", "centralstation_port"):
            wait_until_open(asked[name], child=child)
        yield Addresses(_root(asked["ghl_port"]), _root(asked["centralstation_port"]), child)
    finally:
        child.terminate()
        child.wait(STOP_TIMEOUT_S)


def control(root: str, method: str, path: str, body: object = None) -> str:
    """Ask the control API of the CRM served at `root`, below `/_sandbox/`; the answer's text. Raises ValueError when it is refused."""
    connection = http.client.HTTPConnection(urlsplit(root).netloc, timeout=START_TIMEOUT_S)
    try:
        connection.request(method, f"/_sandbox/{path}", None if body is None else json.dumps(body))
        with connection.getresponse() as answer:
            text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != 200:
        raise ValueError(f"{method} {path}: {text}")
    return text


def _root(port: int) -> str:
    return f"http://{HOST}:{port}"


def die_with_parent(parent: int) -> None:
    """Ask the kernel to end this process when its parent, process `parent`, dies. Nothing happens where there is no prctl."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("The process that started the sandbox has ended.")


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


def free_port(port: int = 0) -> int:
    """`port`, or any free one for 0. Raises OSError when it is in use: the server itself would share it without a word."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        return int(probe.getsockname()[1])


def _web_server(app: Starlette, port: int) -> Server:
    return Server(app, address=HOST, port=port, interface=Interfaces.ASGINL, log_enabled=False, websockets=False)
