"""GoHighLevel's OAuth server as the client asks it: what it sends, what it takes from an answer, what a refusal means."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from crmsync.systems.errors import AuthorisationRefused, CredentialsRefused, RateLimited, Unanswered, Unavailable, UnexpectedAnswer
from crmsync.systems.ghl.oauth import AGENCY_SCOPES, SCOPES, Authority, authorize_url
from tests.systems.wire import Wire, says

PAIR = {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 86399, "scope": "b a", "userType": "Location", "locationId": "L1"}


def authority(*answers: httpx.Response | Exception) -> tuple[Authority, Wire]:
    wire = Wire(answers)
    return Authority("http://crm.test", "abc123-xyz", "client-secret", http=wire), wire


def form_of(request: httpx.Request) -> dict[str, str]:
    return dict(parse_qsl(request.content.decode()))


def test_the_authorisation_page_is_asked_for_all_scopes_with_the_state() -> None:
    address = urlsplit(authorize_url("https://m.test/", "abc", "https://us.test/oauth/ghl/callback/", SCOPES, "s&1"))
    assert (address.netloc, address.path) == ("m.test", "/v2/oauth/chooselocation")
    assert parse_qs(address.query) == {
        "response_type": ["code"],
        "client_id": ["abc"],
        "redirect_uri": ["https://us.test/oauth/ghl/callback/"],
        "scope": [" ".join(SCOPES)],
        "state": ["s&1"],
    }


def test_every_scope_says_what_it_is_needed_for() -> None:
    assert all(len(reason) > 20 for reason in [*SCOPES.values(), *AGENCY_SCOPES.values()])
    assert {"contacts.readonly", "contacts.write"} <= SCOPES.keys()


def test_a_code_is_exchanged_as_a_form() -> None:
    client, wire = authority(says(200, PAIR))
    grant = client.exchange("c0de", "https://us.test/cb")
    assert form_of(wire.requests[0]) == {
        "client_id": "abc123-xyz",
        "client_secret": "client-secret",
        "grant_type": "authorization_code",
        "code": "c0de",
        "user_type": "Location",
        "redirect_uri": "https://us.test/cb",
    }
    assert (grant.access_token, grant.refresh_token, grant.scopes, grant.location_id) == ("at-1", "rt-1", ["a", "b"], "L1")


def test_a_refresh_says_whose_it_is_where_that_is_known() -> None:
    client, wire = authority(says(200, PAIR))
    client.refresh("rt-0", for_agency=True)
    client.refresh("rt-0")
    assert [form_of(request).get("user_type") for request in wire.requests] == ["Company", None]


@pytest.mark.parametrize(
    ("told", "is_agencys"),
    [
        ({"userType": "Company", "companyId": "C1"}, True),
        ({"companyId": "C1"}, True),
        ({"userType": "Location", "companyId": "C1", "locationId": "L1"}, False),
        ({}, False),
    ],
)
def test_whose_a_token_is_the_answer_tells(told: dict[str, Any], is_agencys: bool) -> None:
    client, _ = authority(says(200, {"access_token": "at", **told}))
    assert client.refresh("rt").is_agencys is is_agencys


def test_an_answer_that_tells_nothing_but_the_token_will_do() -> None:
    client, _ = authority(says(200, {"access_token": "at"}))
    grant = client.refresh("rt")
    assert (grant.refresh_token, grant.scopes, grant.expires_in) == (None, None, 86_399)


@pytest.mark.parametrize(
    "answer",
    [
        says(400, {"error": "invalid_grant", "error_description": "refresh token is invalid"}),
        says(401, {"error": "invalid_grant"}),
        says(401, {"statusCode": 401, "message": "Invalid refresh token", "error": "Unauthorized"}),
        says(400, {"statusCode": 400, "message": ["code must be a string"]}),
    ],
)
def test_a_refusal_in_either_form_says_that_the_authorisation_is_refused(answer: httpx.Response) -> None:
    client, wire = authority(answer)
    with pytest.raises(AuthorisationRefused, match="refuses the authorisation"):
        client.refresh("rt")
    assert len(wire.requests) == 1


def test_a_wrong_client_secret_is_named() -> None:
    client, _ = authority(says(401, {"error": "invalid_client"}))
    with pytest.raises(AuthorisationRefused, match="client secret"):
        client.refresh("rt")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.ConnectError("no"), Unavailable),
        (says(404, {"message": "Not Found"}), Unavailable),
        (says(429, {}), RateLimited),
        (httpx.ReadTimeout("slow"), Unanswered),
        (httpx.ReadError("reset"), Unanswered),
        (says(503, "<html>"), Unanswered),
        (says(200, {"token": "?"}), UnexpectedAnswer),
    ],
)
def test_what_may_have_used_the_token_up_is_told_from_what_surely_has_not(answer: httpx.Response | Exception, kind: type) -> None:
    client, wire = authority(answer)
    with pytest.raises(kind) as caught:
        client.refresh("rt")
    assert (type(caught.value), len(wire.requests)) == (kind, 1)


def test_an_agencys_token_is_exchanged_for_a_locations() -> None:
    client, wire = authority(says(201, {"access_token": "loc-at", "expires_in": 60, "scope": "a", "locationId": "L1"}))
    grant = client.location_token("agency-at", "C1", "L1")
    request = wire.requests[0]
    assert (request.headers["Authorization"], request.headers["Version"]) == ("Bearer agency-at", "2021-07-28")
    assert form_of(request) == {"companyId": "C1", "locationId": "L1"}
    assert grant.access_token == "loc-at"


def test_a_missing_scope_of_the_agency_is_named() -> None:
    client, _ = authority(says(401, {"statusCode": 401, "message": "The token is not authorized for this scope."}))
    with pytest.raises(AuthorisationRefused, match=r"oauth\.write"):
        client.location_token("agency-at", "C1", "L1")


def test_the_installed_locations_are_those_where_the_app_is() -> None:
    found = [{"_id": "L1", "name": "Berlin", "isInstalled": True}, {"_id": "L2", "name": "Bonn", "isInstalled": False}, {"id": "L3"}]
    client, wire = authority(says(200, {"locations": found}))
    assert [one.id for one in client.installed_locations("agency-at", "C1")] == ["L1", "L3"]
    assert wire.requests[0].url.params["appId"] == "abc123"


def test_no_repr_shows_a_secret() -> None:
    client, _ = authority(says(200, PAIR))
    shown = repr(client) + repr(client.refresh("rt"))
    assert not any(secret in shown for secret in ("client-secret", "at-1", "rt-1"))


def test_a_refusal_is_a_kind_of_refused_credentials() -> None:
    assert issubclass(AuthorisationRefused, CredentialsRefused)
