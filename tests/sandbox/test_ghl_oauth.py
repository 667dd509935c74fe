"""The simulated GHL's OAuth server: consent, tokens, their end (ghl.md, section 2)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from crmsync.sandbox.ghl import OPERATIONS, Ghl
from crmsync.sandbox.settings import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_COMPANY_ID, DEMO_GHL_TOKEN, DEMO_LOCATION_ID
from crmsync.systems.ghl.operations import OPERATIONS as RECORDS
from tests.sandbox.conftest import client, ghl_client
from tests.sandbox.listener import Listener

BACK = "https://crmsync.example/oauth/ghl/callback/"
READ_WRITE = ("contacts.readonly", "contacts.write")
AGENCY = {"app_type": "Company", "other_locations": {"SandboxLocation00002": "Branch"}}
AGENCY_SCOPES = ("contacts.readonly", "oauth.readonly", "oauth.write")


def asked(**changed: str | None) -> dict[str, str]:
    query = {"response_type": "code", "client_id": DEMO_CLIENT_ID, "redirect_uri": BACK, "scope": " ".join(READ_WRITE), "state": "s-1"}
    return {name: value for name, value in {**query, **changed}.items() if value is not None}


def consent(crm: Ghl, form: dict[str, str] | None = None, **changed: str | None) -> httpx.Response:
    """The answer to the form of the page that the app sends a person to."""
    return client(crm.url).post("/v2/oauth/chooselocation", params=asked(**changed), data=form or {"allow": "yes"})


def returned(answer: httpx.Response) -> dict[str, str]:
    """What came back to the app."""
    assert answer.headers["location"].startswith(BACK)
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def ask_token(crm: Ghl, **form: str) -> httpx.Response:
    return client(crm.url).post("/oauth/token", data={"client_id": DEMO_CLIENT_ID, "client_secret": DEMO_CLIENT_SECRET, **form})


def exchange(crm: Ghl, code: str, **form: str) -> httpx.Response:
    return ask_token(crm, grant_type="authorization_code", code=code, user_type="Location", redirect_uri=BACK, **form)


def refresh(crm: Ghl, token: str) -> httpx.Response:
    return ask_token(crm, grant_type="refresh_token", refresh_token=token, user_type="Location")


def read(crm: Ghl, token: str) -> tuple[int, str]:
    answer = ghl_client(crm, token).get("/contacts/x")
    return answer.status_code, answer.json()["message"]


GOOD = (400, "Contact with id x not found")
EXPIRED = (401, "Invalid JWT")


# The consent page


def test_the_page_shows_what_the_app_asks_for(ghl_sandbox: Ghl) -> None:
    page = client(ghl_sandbox.url).get("/v2/oauth/chooselocation", params=asked())
    assert page.status_code == 200
    assert all(word in page.text for word in (*READ_WRITE, BACK, "Allow", "Deny"))


def test_allowing_leads_back_with_a_code_and_the_state(ghl_sandbox: Ghl) -> None:
    answer = consent(ghl_sandbox)
    assert answer.status_code == 302
    assert {**returned(answer), "code": "…"} == {"code": "…", "state": "s-1"}


def test_a_state_that_wasnt_sent_doesnt_come_back(ghl_sandbox: Ghl) -> None:
    assert [*returned(consent(ghl_sandbox, state=None))] == ["code"]


def test_an_address_with_a_query_keeps_it(ghl_sandbox: Ghl) -> None:
    assert "?a=1&code=" in consent(ghl_sandbox, redirect_uri=f"{BACK}?a=1").headers["location"]


def test_denying_leads_back_with_an_error(ghl_sandbox: Ghl) -> None:
    assert returned(consent(ghl_sandbox, {"deny": "yes"})) == {"error": "access_denied", "state": "s-1"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"client_id": "another"}, "no app with this client id"),
        ({"response_type": "token"}, "response_type"),
        ({"redirect_uri": "https://elsewhere.example/"}, "isn&#39;t registered"),
        ({"redirect_uri": None}, "no address to come back to"),
        ({"redirect_uri": "javascript:alert(1)"}, "no address to come back to"),
        ({"scope": "contacts.readonly contacts.eat"}, "contacts.eat"),
        ({"scope": ""}, "asks for nothing"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_request_is_told_and_leads_nowhere(
    serve_ghl: Callable[..., Ghl], method: str, changed: dict[str, str | None], said: str
) -> None:
    crm = serve_ghl(redirect_uris=(BACK,))
    page = client(crm.url).request(method, "/v2/oauth/chooselocation", params=asked(**changed))
    assert (page.status_code, "location" in page.headers, said in page.text) == (400, False, True)


def test_consent_from_another_sites_form_is_refused(ghl_sandbox: Ghl) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    answer = client(ghl_sandbox.url).post("/v2/oauth/chooselocation", params=asked(), data={"allow": "yes"}, headers=origin)
    assert answer.status_code == 403


def test_one_location_needs_no_choice(ghl_sandbox: Ghl) -> None:
    assert 'name="location"' not in client(ghl_sandbox.url).get("/v2/oauth/chooselocation", params=asked()).text


def test_of_several_locations_one_is_chosen(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(other_locations={"SandboxLocation00002": "Branch"})
    page = client(crm.url).get("/v2/oauth/chooselocation", params=asked()).text
    assert re.findall(r'name="location" value="(\w+)"', page) == [DEMO_LOCATION_ID, "SandboxLocation00002"]
    code = returned(consent(crm, {"allow": "yes", "location": "SandboxLocation00002"}))["code"]
    assert exchange(crm, code).json()["locationId"] == "SandboxLocation00002"


def test_choosing_none_of_several_is_told(serve_ghl: Callable[..., Ghl]) -> None:
    assert consent(serve_ghl(**AGENCY)).status_code == 400


# Tokens for codes


def test_a_code_is_exchanged_for_a_pair(ghl_sandbox: Ghl) -> None:
    answer = exchange(ghl_sandbox, returned(consent(ghl_sandbox))["code"]).json()
    secrets = {answer.pop(name) for name in ("access_token", "refresh_token", "traceId", "userId")}
    assert len(secrets) == 4
    assert answer == {
        "token_type": "Bearer",
        "expires_in": 86399,
        "scope": "contacts.readonly contacts.write",
        "userType": "Location",
        "locationId": DEMO_LOCATION_ID,
        "companyId": DEMO_COMPANY_ID,
        "planId": "",
    }


def test_the_access_token_opens_the_api(ghl_sandbox: Ghl) -> None:
    assert read(ghl_sandbox, exchange(ghl_sandbox, returned(consent(ghl_sandbox))["code"]).json()["access_token"]) == GOOD


def test_a_code_works_once(ghl_sandbox: Ghl) -> None:
    code = returned(consent(ghl_sandbox))["code"]
    assert [exchange(ghl_sandbox, code).status_code for _ in range(2)] == [200, 400]


def test_a_code_is_short_lived(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(code_life_s=0.0)
    assert exchange(crm, returned(consent(crm))["code"]).json()["error"] == "invalid_grant"


def test_a_code_belongs_to_its_address(ghl_sandbox: Ghl) -> None:
    code = returned(consent(ghl_sandbox))["code"]
    answer = ask_token(ghl_sandbox, grant_type="authorization_code", code=code, redirect_uri="https://elsewhere.example/")
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"user_type": "Person"}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": ""}, 400, "invalid_grant"),
    ],
)
def test_what_is_wrong_is_named(ghl_sandbox: Ghl, form: dict[str, str], status: int, error: str) -> None:
    answer = ask_token(ghl_sandbox, **form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_errors_come_in_the_other_form_too(serve_ghl: Callable[..., Ghl]) -> None:
    answer = refresh(serve_ghl(oauth_errors="status"), "unknown")
    told = (answer.json()["statusCode"], answer.json()["message"])
    assert (answer.status_code, told) == (401, (401, "Invalid grant: refresh token is invalid"))


def test_a_token_request_as_json_is_refused(ghl_sandbox: Ghl) -> None:
    form = {"client_id": DEMO_CLIENT_ID, "client_secret": DEMO_CLIENT_SECRET, "grant_type": "refresh_token", "refresh_token": "x"}
    assert client(ghl_sandbox.url).post("/oauth/token", json=form).status_code == 415


def test_oauth_costs_nothing_of_the_rate_limit(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(limit=1)
    assert [refresh(crm, "x").status_code for _ in range(3)] == [400] * 3
    assert read(crm, DEMO_GHL_TOKEN) == GOOD


# Refreshing


def test_a_refresh_gives_a_new_pair(ghl_sandbox: Ghl) -> None:
    first = ghl_sandbox.authorise(READ_WRITE)
    second = refresh(ghl_sandbox, first["refresh_token"]).json()
    assert {second["access_token"], second["refresh_token"]}.isdisjoint(first.values())
    assert read(ghl_sandbox, second["access_token"]) == GOOD


def test_a_refresh_token_is_used_up(ghl_sandbox: Ghl) -> None:
    old = ghl_sandbox.authorise(READ_WRITE)["refresh_token"]
    assert [refresh(ghl_sandbox, old).status_code for _ in range(2)] == [200, 400]


def test_the_old_access_token_lives_on(ghl_sandbox: Ghl) -> None:
    first = ghl_sandbox.authorise(READ_WRITE)
    refresh(ghl_sandbox, first["refresh_token"])
    assert read(ghl_sandbox, first["access_token"]) == GOOD


def test_refreshes_are_counted(ghl_sandbox: Ghl) -> None:
    pair = ghl_sandbox.authorise(READ_WRITE)
    refresh(ghl_sandbox, refresh(ghl_sandbox, pair["refresh_token"]).json()["refresh_token"])
    refresh(ghl_sandbox, "unknown")
    assert ghl_sandbox.refreshes == 2


def test_a_lost_answer_has_used_the_token_up(ghl_sandbox: Ghl) -> None:
    old = ghl_sandbox.authorise(READ_WRITE)["refresh_token"]
    ghl_sandbox.lose_next_refresh()
    with pytest.raises(httpx.RemoteProtocolError):
        refresh(ghl_sandbox, old)
    assert (ghl_sandbox.refreshes, refresh(ghl_sandbox, old).json()["error"]) == (1, "invalid_grant")


def test_a_forgiving_server_answers_the_old_token_once_more_with_the_same_pair(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(forgiving_refresh=True)
    old = crm.authorise(READ_WRITE)["refresh_token"]
    lost, again, too_often = (refresh(crm, old) for _ in range(3))
    assert again.json()["refresh_token"] == lost.json()["refresh_token"]
    assert too_often.status_code == 400
    assert refresh(crm, again.json()["refresh_token"]).status_code == 200


# The end of tokens


def test_an_access_token_expires(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(token_life_s=0.2)
    pair = crm.authorise(READ_WRITE)
    time.sleep(0.25)
    assert (pair["expires_in"], read(crm, pair["access_token"])) == (1, EXPIRED)


def test_expired_tokens_can_be_refreshed(ghl_sandbox: Ghl) -> None:
    pair = ghl_sandbox.authorise(READ_WRITE)
    ghl_sandbox.expire_tokens()
    assert read(ghl_sandbox, pair["access_token"]) == EXPIRED
    assert read(ghl_sandbox, refresh(ghl_sandbox, pair["refresh_token"]).json()["access_token"]) == GOOD


def test_a_revoked_authorisation_is_over(ghl_sandbox: Ghl) -> None:
    pair = ghl_sandbox.authorise(READ_WRITE)
    ghl_sandbox.revoke()
    assert read(ghl_sandbox, pair["access_token"])[0] == 401
    assert refresh(ghl_sandbox, pair["refresh_token"]).json()["error"] == "invalid_grant"


def test_private_tokens_neither_expire_nor_are_revoked(ghl_sandbox: Ghl) -> None:
    ghl_sandbox.expire_tokens()
    ghl_sandbox.revoke()
    assert read(ghl_sandbox, DEMO_GHL_TOKEN) == GOOD


def test_uninstalling_tells_and_revokes(ghl_sandbox: Ghl, listener: Listener) -> None:
    pair = ghl_sandbox.authorise(READ_WRITE)
    ghl_sandbox.send_webhooks_to(listener.url)
    ghl_sandbox.uninstall()
    ghl_sandbox.webhooks.wait()
    assert [(body["type"], body["locationId"]) for body in listener.bodies] == [("UNINSTALL", DEMO_LOCATION_ID)]
    assert read(ghl_sandbox, pair["access_token"])[0] == 401


# Scopes


def test_a_scope_that_wasnt_granted_is_refused(ghl_sandbox: Ghl) -> None:
    token = ghl_sandbox.authorise(["contacts.readonly"])["access_token"]
    answer = ghl_client(ghl_sandbox, token).put("/contacts/x", json={})
    assert (answer.status_code, answer.json()["message"]) == (401, "The token is not authorized for this scope.")


def test_changed_scopes_hold_at_once_and_are_told_by_the_next_refresh(ghl_sandbox: Ghl) -> None:
    pair = ghl_sandbox.authorise(READ_WRITE)
    ghl_sandbox.change_scopes(["contacts.readonly"])
    assert [ghl_client(ghl_sandbox, token).put("/contacts/x", json={}).status_code for token in (pair["access_token"], DEMO_GHL_TOKEN)] == [
        401,
        401,
    ]
    assert refresh(ghl_sandbox, pair["refresh_token"]).json()["scope"] == "contacts.readonly"


def test_a_private_token_can_be_restricted(serve_ghl: Callable[..., Ghl]) -> None:
    client = ghl_client(serve_ghl(scopes={"contacts.readonly"}))
    assert (client.get("/contacts/x").status_code, client.put("/contacts/x", json={}).status_code) == (400, 401)


def test_the_account_may_grant_less_than_asked(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(scopes={"contacts.readonly"})
    assert exchange(crm, returned(consent(crm))["code"]).json()["scope"] == "contacts.readonly"


def test_every_operation_asks_for_the_scope_that_its_record_names() -> None:
    scope_by_name = {record.name: record.scope for record in RECORDS}
    ours = {one.name: one.scope for one in OPERATIONS if one.name in scope_by_name}
    assert len(ours) > 20
    assert ours == {name: scope_by_name[name] for name in ours}


# An agency's app


def agency_token(crm: Ghl, location: str = "all") -> dict[str, Any]:
    code = returned(consent(crm, {"allow": "yes", "location": location}, scope=" ".join(AGENCY_SCOPES)))["code"]
    answer: dict[str, Any] = exchange(crm, code).json()
    return answer


def test_an_agencys_token_names_no_location(serve_ghl: Callable[..., Ghl]) -> None:
    answer = agency_token(serve_ghl(**AGENCY))
    assert (answer["userType"], answer["companyId"], "locationId" in answer) == ("Company", DEMO_COMPANY_ID, False)


def test_an_agencys_token_opens_no_location(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(**AGENCY)
    assert read(crm, agency_token(crm)["access_token"])[0] == 403


def test_an_agencys_token_is_exchanged_for_a_locations(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(**AGENCY)
    form = {"companyId": DEMO_COMPANY_ID, "locationId": DEMO_LOCATION_ID}
    answer = ghl_client(crm, agency_token(crm)["access_token"]).post("/oauth/locationToken", data=form).json()
    assert {"access_token", "expires_in", "scope", "locationId", "userId"} <= set(answer)
    assert "refresh_token" not in answer
    assert read(crm, answer["access_token"]) == GOOD


def test_a_location_where_the_app_isnt_installed_gives_no_token(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(**AGENCY)
    form = {"companyId": DEMO_COMPANY_ID, "locationId": "SandboxLocation00002"}
    client = ghl_client(crm, agency_token(crm, DEMO_LOCATION_ID)["access_token"])
    assert client.post("/oauth/locationToken", data=form).status_code == 400


def test_a_locations_token_cant_be_exchanged(ghl_sandbox: Ghl) -> None:
    client = ghl_client(ghl_sandbox, ghl_sandbox.authorise(AGENCY_SCOPES)["access_token"])
    form = {"companyId": DEMO_COMPANY_ID, "locationId": DEMO_LOCATION_ID}
    assert client.post("/oauth/locationToken", data=form).status_code == 401


def test_the_locations_of_an_installation_are_listed(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(**AGENCY)
    client = ghl_client(crm, agency_token(crm, DEMO_LOCATION_ID)["access_token"])
    query = {"companyId": DEMO_COMPANY_ID, "appId": crm.settings.app_id}
    assert [one["_id"] for one in client.get("/oauth/installedLocations", params=query).json()["locations"]] == [DEMO_LOCATION_ID]
    others = client.get("/oauth/installedLocations", params=query | {"isInstalled": "false"}).json()["locations"]
    assert [one["_id"] for one in others] == ["SandboxLocation00002"]


def test_another_agencys_locations_are_not_shown(serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(**AGENCY)
    client = ghl_client(crm, agency_token(crm)["access_token"])
    query = {"companyId": "another", "appId": crm.settings.app_id}
    assert client.get("/oauth/installedLocations", params=query).status_code == 403


# The control API


def control(crm: Ghl, method: str, path: str, body: object = None) -> httpx.Response:
    answer = client(crm.url).request(method, f"/_sandbox/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer


def test_the_control_api_makes_and_ends_authorisations(ghl_sandbox: Ghl) -> None:
    pair = control(ghl_sandbox, "POST", "oauth/authorise", {"scopes": READ_WRITE}).json()
    assert read(ghl_sandbox, pair["access_token"]) == GOOD
    control(ghl_sandbox, "POST", "oauth/expire")
    assert read(ghl_sandbox, pair["access_token"]) == EXPIRED
    refreshed = refresh(ghl_sandbox, pair["refresh_token"]).json()
    assert control(ghl_sandbox, "GET", "oauth").json() == {"refreshes": 1, "authorisations": 1, "client_id": DEMO_CLIENT_ID}
    control(ghl_sandbox, "POST", "oauth/revoke")
    assert refresh(ghl_sandbox, refreshed["refresh_token"]).status_code == 400


def test_the_control_api_loses_an_answer(ghl_sandbox: Ghl) -> None:
    control(ghl_sandbox, "POST", "oauth/lose-next-refresh")
    with pytest.raises(httpx.RemoteProtocolError):
        refresh(ghl_sandbox, ghl_sandbox.authorise(READ_WRITE)["refresh_token"])


def test_the_control_api_changes_scopes(ghl_sandbox: Ghl) -> None:
    control(ghl_sandbox, "PUT", "oauth/scopes", {"scopes": ["users.readonly"]})
    assert read(ghl_sandbox, DEMO_GHL_TOKEN)[0] == 401


def test_the_control_api_uninstalls(ghl_sandbox: Ghl) -> None:
    pair = ghl_sandbox.authorise(READ_WRITE)
    control(ghl_sandbox, "POST", "oauth/uninstall")
    assert read(ghl_sandbox, pair["access_token"])[0] == 401
