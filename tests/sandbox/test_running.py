"""Starting and ending: in a thread, as a child, as a command; never an orphan."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.running import Options, control, free_port, sandbox_process

ROOT = Path(__file__).parents[2]
PARENT = """
import time
from crmsync.sandbox.running import Options, sandbox_process
with sandbox_process(Options(contacts=0)) as addresses:
    print(addresses.ghl, flush=True)
    time.sleep(60)
"""


def is_open(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_sandbox/ready", timeout=1).status_code == 200
    except httpx.TransportError:
        return False


def is_closed_within(url: str, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while is_open(url) and time.monotonic() < until:
        time.sleep(0.05)
    return not is_open(url)


def test_a_thread_starts_within_300_ms(serve_ghl: Callable[..., Ghl]) -> None:
    began = time.monotonic()
    url = serve_ghl().url
    assert time.monotonic() - began < 0.3
    assert is_open(url)


def test_a_child_serves_both_and_ends_with_the_block() -> None:
    with sandbox_process(Options(contacts=10)) as addresses:
        counts = [len(httpx.get(f"{url}/_sandbox/contacts").json()["contacts"]) for url in (addresses.ghl, addresses.centralstation)]
    assert counts == [10, 10]
    assert not is_open(addresses.ghl)


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl")
def test_a_child_dies_with_its_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert parent.stdout
    url = parent.stdout.readline().strip()
    assert is_open(url)
    parent.kill()
    parent.wait(5)
    parent.stdout.close()
    assert is_closed_within(url, 5)


@pytest.mark.parametrize("wanted", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_where_and_ends_on_a_signal(wanted: signal.Signals) -> None:
    command = [sys.executable, "-m", "crmsync.sandbox", "--contacts=5", f"--ghl-port={free_port()}", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout
    told = json.loads(process.stdout.readline())
    assert is_open(told["ghl"]["api_url"])
    assert is_open(told["centralstation"]["account_url"])
    assert {"client_id", "client_secret", "token"} <= set(told["ghl"])
    os.kill(process.pid, wanted)
    assert process.wait(10) == 0
    process.stdout.close()


def test_a_child_gets_its_options_from_any_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with sandbox_process(Options(contacts=0, token_life_s=7, webhook_url="http://127.0.0.1:9/hear")) as addresses:
        pair = json.loads(control(addresses.ghl, "POST", "oauth/authorise", {"scopes": ["contacts.readonly"]}))
        told = httpx.get(addresses.ghl).text
    assert (pair["expires_in"], "http://127.0.0.1:9/hear" in told) == (7, True)


def test_an_address_that_is_none_is_refused() -> None:
    answer = subprocess.run([sys.executable, "-m", "crmsync.sandbox", "--webhook-url=nowhere"], capture_output=True, text=True, cwd=ROOT)
    assert (answer.returncode, "doesn't begin with http" in answer.stderr) == (2, True)


def test_what_the_control_api_refuses_is_an_error(ghl_sandbox: Ghl) -> None:
    with pytest.raises(ValueError, match=r"DELETE contacts/unknown: .*no such contact"):
        control(ghl_sandbox.url, "DELETE", "contacts/unknown")


def test_manage_py_says_when_a_port_is_in_use(ghl_sandbox: Ghl) -> None:
    port = ghl_sandbox.url.rpartition(":")[2]
    answer = subprocess.run([sys.executable, "manage.py", "sandbox", "--ghl-port", port], capture_output=True, text=True, cwd=ROOT)
    assert (answer.returncode, "can't open its ports" in answer.stderr) == (1, True)
