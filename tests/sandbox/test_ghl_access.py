"""Who gets into the simulated GHL, and how fast (ghl.md, section 1)."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_GHL_READONLY_TOKEN, DEMO_LOCATION_ID
from tests.sandbox.conftest import ghl_client


def test_an_unknown_token_is_refused(ghl_sandbox: Ghl) -> None:
    answer = ghl_client(ghl_sandbox, "pit-wrong").get(f"/locations/{DEMO_LOCATION_ID}")
    assert (answer.status_code, answer.json()["message"]) == (401, "Invalid token: access token is invalid")


def test_no_token_is_refused(ghl_sandbox: Ghl) -> None:
    assert httpx.get(f"{ghl_sandbox.url}/contacts/x").status_code == 401


@pytest.mark.parametrize("version", ["", "2020-01-01", "v3"])
def test_a_missing_or_unknown_version_is_refused(ghl: httpx.Client, version: str) -> None:
    answer = ghl.get("/contacts/x", headers={"Version": version})
    assert (answer.status_code, answer.json()["message"]) == (401, "version header was not found.")


def test_a_token_without_the_scope_may_read_but_not_write(ghl_sandbox: Ghl) -> None:
    id = ghl_sandbox.add_contact(firstName="Ada")
    client = ghl_client(ghl_sandbox, DEMO_GHL_READONLY_TOKEN)
    assert client.get(f"/contacts/{id}").status_code == 200
    answer = client.put(f"/contacts/{id}", json={"firstName": "Eve"})
    assert (answer.status_code, answer.json()["message"]) == (401, "The token is not authorized for this scope.")


@pytest.mark.parametrize(
    "asked",
    [
        ("GET", "/locations/elsewhere", None),
        ("GET", "/contacts/?locationId=elsewhere", None),
        ("POST", "/contacts/", {"locationId": "elsewhere", "firstName": "Ada"}),
    ],
)
def test_another_location_is_refused(ghl: httpx.Client, asked: tuple[str, str, dict[str, str] | None]) -> None:
    method, path, body = asked
    answer = ghl.request(method, path, json=body)
    assert (answer.status_code, answer.json()["message"]) == (403, "The token does not have access to this location.")


def test_each_answer_tells_the_rate_limit(serve_ghl: Callable[..., Ghl]) -> None:
    headers = ghl_client(serve_ghl(limit=100)).get(f"/locations/{DEMO_LOCATION_ID}").headers
    told = {name: value for name, value in headers.items() if name.startswith("x-ratelimit")}
    assert told == {
        "x-ratelimit-limit-daily": "200000",
        "x-ratelimit-daily-remaining": "199999",
        "x-ratelimit-interval-milliseconds": "10000",
        "x-ratelimit-max": "100",
        "x-ratelimit-remaining": "99",
    }


def test_over_the_limit_is_a_429_without_a_promise(serve_ghl: Callable[..., Ghl]) -> None:
    client = ghl_client(serve_ghl(limit=3))
    answers = [client.get("/contacts/x") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
    assert "retry-after" not in answers[-1].headers


def test_the_window_slides(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(limit=2, window_s=0.2)
    client = ghl_client(crm)
    statuses = [client.get("/contacts/x").status_code for _ in range(3)]
    crm.fault("slow", latency_ms=0)
    while client.get("/contacts/x").status_code == 429:
        pass
    assert statuses == [400, 400, 429]


def test_each_answer_has_a_trace_id(ghl: httpx.Client) -> None:
    assert len(ghl.get("/contacts/x").json()["traceId"]) == 20


def test_an_unknown_route_is_404(ghl: httpx.Client) -> None:
    assert ghl.get("/nothing/here").status_code == 404


def test_a_body_that_is_not_json_is_400(ghl: httpx.Client) -> None:
    assert ghl.post("/contacts/", content="{not json").status_code == 400
