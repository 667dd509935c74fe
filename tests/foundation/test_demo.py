"""`manage.py demo`: the first command of the README."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import pytest

from crmsync.sandbox.running import control
from crmsync.sandbox.settings import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from tests.foundation.installation import Installation, children, free_port, is_alive, kill, wait_until

pytestmark = pytest.mark.drill
# What a shell may have set for a real installation; the demo keeps its hands off it.
PRODUCTION = {
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/production",
    "SECRET_KEY": "production" * 6,
    "CREDENTIAL_KEYS": "cHJvZHVjdGlvbi1wcm9kdWN0aW9uLXByb2R1Y3Rpb24=",
    "BASE_URL": "https://crm.example.com",
}


@pytest.fixture
def demo(installation: Installation) -> "Iterator[subprocess.Popen[bytes]]":
    installation.data.mkdir()
    arguments = ["manage.py", "demo", "--contacts", "20", "--no-browser", "--port", str(free_port())]
    with installation.running(*arguments, **PRODUCTION) as process:
        assert wait_until(lambda: "Ready." in installation.output(), 60), installation.output()
        yield process


def printed(installation: Installation, name: str) -> str:
    found = re.search(rf"{name} +(\S+)", installation.output())
    assert found, installation.output()
    return found[1]


def sign_in(installation: Installation) -> str:
    """The address where the browser ends up."""
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    address = printed(installation, "Dashboard") + "/accounts/login/"
    form = {
        "login": printed(installation, "E-mail"),
        "password": printed(installation, "Password"),
        "csrfmiddlewaretoken": _token(browser, address),
    }
    with browser.open(Request(address, urlencode(form).encode(), {"Referer": address}), timeout=20) as answer:
        return str(answer.geturl())


def _token(browser: OpenerDirector, address: str) -> str:
    with browser.open(address, timeout=20) as page:
        found = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
    assert found
    return found[1]


def test_the_printed_account_signs_in(demo: "subprocess.Popen[bytes]", installation: Installation) -> None:
    assert "login" not in sign_in(installation)


def test_it_shows_both_simulated_crms(demo: "subprocess.Popen[bytes]", installation: Installation) -> None:
    for name in ("GoHighLevel", "CentralStationCRM"):
        with build_opener().open(printed(installation, name), timeout=20) as page:
            assert page.status == 200


def told(address: str) -> dict[str, int]:
    """How many webhooks the simulated CRM there has delivered, and so on."""
    counts: dict[str, int] = json.loads(control(address, "GET", "webhooks"))
    return counts


def test_both_simulated_crms_tell_of_their_changes(demo: "subprocess.Popen[bytes]", installation: Installation) -> None:
    ghl, centralstation = (printed(installation, name) for name in ("GoHighLevel", "CentralStationCRM"))
    control(ghl, "POST", "contacts", {"firstName": "Ada", "email": "ada@example.org"})
    control(centralstation, "POST", "contacts", {"name": "Bob", "emails": ["bob@example.org"]})
    assert wait_until(lambda: told(ghl)["delivered"] > 0 and told(centralstation)["delivered"] > 0, 10)
    assert (told(ghl)["lost"], told(centralstation)["lost"]) == (0, 0)


def test_it_prints_what_connect_asks_for(demo: "subprocess.Popen[bytes]", installation: Installation) -> None:
    assert (printed(installation, "Client id"), printed(installation, "Client secret")) == (DEMO_CLIENT_ID, DEMO_CLIENT_SECRET)


def test_ctrl_c_ends_it_all(demo: "subprocess.Popen[bytes]") -> None:
    family = children(demo.pid)
    demo.send_signal(signal.SIGINT)
    assert demo.wait(12) == 0
    assert not any(is_alive(pid) for pid in family)


def test_it_ends_with_its_simulated_crms_and_says_so(demo: "subprocess.Popen[bytes]", installation: Installation) -> None:
    family = children(demo.pid)
    [simulated] = [pid for pid in family if b"crmsync.sandbox" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    kill(simulated)
    assert demo.wait(15) == 1
    assert "The simulated CRMs have ended; start the demo again." in installation.output().splitlines()[-1]
    assert not any(is_alive(pid) for pid in family)
