"""GoHighLevel by OAuth: what is asked for and why, the way there and back, and every way in which that goes wrong without harm."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from crmsync.accounts import Role
from crmsync.models import Connection, Health
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_LOCATION_ID
from crmsync.systems.ghl.oauth import AGENCY_SCOPES, SCOPES
from tests.dashboard.conftest import signed_in
from tests.dashboard.data import make_connection
from tests.sync.oauth import AGENCY, latest

pytestmark = pytest.mark.django_db

BACK = "/oauth/ghl/callback/"
OTHER = "SandboxLocation00002"


@pytest.fixture(autouse=True)
def base_url(settings: Settings) -> None:
    settings.BASE_URL = "https://crmsync.example"


def form(crm: Ghl, **values: str) -> dict[str, str]:
    usual = {"name": "Marketing", "client_id": DEMO_CLIENT_ID, "client_secret": DEMO_CLIENT_SECRET, "root": crm.url}
    return {**usual, "authorize_root": crm.url, **values}


@pytest.fixture
def app(administrator: Client, ghl_sandbox: Ghl) -> Connection:
    """An app's credentials, stored; nobody has said yes."""
    administrator.post("/connections/add/ghl/oauth", form(ghl_sandbox))
    return Connection.objects.get()


def add_app(administrator: Client, crm: Ghl) -> Connection:
    administrator.post("/connections/add/ghl/oauth", form(crm))
    return Connection.objects.get()


def way_there(client: Client, connection: Connection, query: str = "") -> str:
    """The address of GoHighLevel's page, as the connection's page links it."""
    shown = client.get(f"/connections/{connection.pk}/connect{query}").content.decode()
    [address] = re.findall(r'href="(http[^"]+chooselocation[^"]+)"', shown)
    return unescape(address)


def say_yes(address: str, location: str = "") -> dict[str, str]:
    """Press Allow on that page; what comes back."""
    answer = httpx.post(address, data={"allow": "yes", "location": location}, follow_redirects=False)
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def told(client: Client, query: dict[str, str]) -> str:
    """Come back with it; the text of the page that one ends on."""
    return unescape(client.get(BACK, query, follow=True).content.decode())


def connect(client: Client, connection: Connection, location: str = "", query: str = "") -> str:
    return told(client, say_yes(way_there(client, connection, query), location))


# Adding


def test_the_form_offers_both_addresses_and_white_label(administrator: Client) -> None:
    shown = administrator.get("/connections/add/ghl/oauth").content.decode()
    addresses = ("https://services.leadconnectorhq.com", "https://marketplace.gohighlevel.com", "https://marketplace.leadconnectorhq.com")
    assert [address in shown for address in addresses] == [True] * 3


def test_both_ways_of_connecting_lead_to_each_other(administrator: Client) -> None:
    pages = [administrator.get(page).content.decode() for page in ("/connections/add/ghl", "/connections/add/ghl/oauth")]
    assert ['href="/connections/add/ghl/oauth"' in pages[0], 'href="/connections/add/ghl"' in pages[1]] == [True, True]


def test_an_app_is_stored_before_anybody_said_yes(app: Connection) -> None:
    assert (app.health, app.client_secret, app.credential, app.wants_authorisation) == (Health.UNTESTED, DEMO_CLIENT_SECRET, "", True)


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"client_id": ""}, {"client_secret": " "}, {"root": "x y"}, {"authorize_root": "ftp://x"}], ids=str
)
def test_what_is_wrong_is_said_at_its_field(administrator: Client, ghl_sandbox: Ghl, wrong: dict[str, str]) -> None:
    response = administrator.post("/connections/add/ghl/oauth", form(ghl_sandbox, **wrong))
    assert (response.status_code, list(response.context["form"].errors)) == (422, [*wrong])
    assert not Connection.objects.exists()


def test_the_client_secret_is_shown_nowhere(administrator: Client, app: Connection) -> None:
    names = ("", "connect", "client-secret", "edit")
    pages = [administrator.get(f"/connections/{app.pk}/{name}") for name in names] + [administrator.get("/connections/")]
    assert all(page.status_code == 200 and DEMO_CLIENT_SECRET not in page.content.decode() for page in pages)


# The way there


def test_each_scope_is_shown_with_what_it_is_needed_for(administrator: Client, app: Connection) -> None:
    shown = unescape(administrator.get(f"/connections/{app.pk}/connect").content.decode())
    assert [scope for scope, reason in SCOPES.items() if scope not in shown or reason not in shown] == []
    assert "https://crmsync.example/oauth/ghl/callback/" in shown


def test_an_agency_is_asked_for_what_its_token_needs_besides(administrator: Client, app: Connection) -> None:
    asked = dict(parse_qsl(urlsplit(way_there(administrator, app, "?agency=1")).query))["scope"].split()
    assert asked == [*SCOPES, *AGENCY_SCOPES]


def test_each_look_at_the_page_makes_a_state_of_its_own(administrator: Client, app: Connection) -> None:
    states = [dict(parse_qsl(urlsplit(way_there(administrator, app)).query))["state"] for _ in range(2)]
    assert (states[0] != states[1], min(map(len, states)) > 30) == (True, True)


def test_an_account_with_a_token_of_its_own_has_nothing_to_authorise(administrator: Client) -> None:
    response = administrator.get(f"/connections/{make_connection().pk}/connect", follow=True)
    assert "replace that instead" in response.content.decode()


# Back again


def test_coming_back_connects_and_says_so(administrator: Client, app: Connection) -> None:
    assert "Connected to Sandbox Agency." in connect(administrator, app)
    stored = latest(app)
    assert (stored.health, stored.account_id, stored.wants_authorisation) == (Health.OK, DEMO_LOCATION_ID, False)
    assert stored.granted_scopes == sorted(SCOPES)


def test_what_was_not_granted_is_named(administrator: Client, serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(scopes=("contacts.readonly", "locations.readonly", "locations/tasks.readonly"))
    shown = connect(administrator, add_app(administrator, crm))
    assert "with permissions missing" in shown
    assert "one way only" in shown


def test_a_state_works_once(administrator: Client, app: Connection) -> None:
    answer = say_yes(way_there(administrator, app))
    told(administrator, answer)
    assert "was taken already" in told(administrator, answer)


@pytest.mark.parametrize("state", [None, "", "guessed"])
def test_an_answer_nobody_asked_for_is_refused(administrator: Client, app: Connection, state: str | None) -> None:
    answer = say_yes(way_there(administrator, app))
    forged = {name: value for name, value in {**answer, "state": state}.items() if value is not None}
    assert "doesn't belong to anything" in told(administrator, forged)
    assert latest(app).credential == ""


def test_another_browsers_answer_is_refused(administrator: Client, app: Connection) -> None:
    answer = say_yes(way_there(administrator, app))
    assert "doesn't belong to anything" in told(another_browser(administrator), answer)
    assert latest(app).credential == ""


def another_browser(client: Client) -> Client:
    """The same person's, in a session of its own."""
    other = Client()
    user = User.objects.get(email=client.get("/").wsgi_request.user.email)  # type: ignore[union-attr]
    other.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return other


def test_who_may_not_manage_connections_may_not_bring_one_back(app: Connection, administrator: Client) -> None:
    answer = say_yes(way_there(administrator, app))
    assert signed_in(Role.OPERATOR).get(BACK, answer).status_code == 403


def test_two_pages_that_are_open_at_once_both_work(administrator: Client, app: Connection) -> None:
    first = way_there(administrator, app)
    way_there(administrator, app)
    assert "Connected to Sandbox Agency." in told(administrator, say_yes(first))


def test_saying_no_changes_nothing(administrator: Client, app: Connection) -> None:
    state = dict(parse_qsl(urlsplit(way_there(administrator, app)).query))["state"]
    assert "access was denied" in told(administrator, {"error": "access_denied", "state": state})
    assert (latest(app).health, latest(app).credential) == (Health.UNTESTED, "")


def test_coming_back_without_a_code_says_what_to_check(administrator: Client, app: Connection) -> None:
    state = dict(parse_qsl(urlsplit(way_there(administrator, app)).query))["state"]
    assert "sent no code" in told(administrator, {"state": state})


def test_a_refused_code_changes_nothing(administrator: Client, app: Connection) -> None:
    answer = say_yes(way_there(administrator, app))
    assert "Nothing was changed." in told(administrator, {**answer, "code": "wrong"})
    assert latest(app).credential == ""


def test_a_lost_answer_to_the_code_says_what_to_do(administrator: Client, app: Connection, ghl_sandbox: Ghl) -> None:
    answer = say_yes(way_there(administrator, app))
    ghl_sandbox.fault("answer_lost", path="/oauth/token")
    assert "a code works once only: press Connect again" in told(administrator, answer)


def test_a_connection_that_was_deleted_meanwhile_is_no_error(administrator: Client, app: Connection) -> None:
    answer = say_yes(way_there(administrator, app))
    app.delete()
    assert "doesn't belong to anything" in told(administrator, answer)


# Again


def test_reconnecting_for_another_location_changes_nothing(administrator: Client, serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(other_locations={OTHER: "Branch"})
    connection = add_app(administrator, crm)
    connect(administrator, connection, DEMO_LOCATION_ID)
    before = latest(connection)
    shown = connect(administrator, connection, OTHER)
    assert f"is for the location {OTHER}" in shown
    assert (latest(connection).account_id, latest(connection).refresh_token) == (DEMO_LOCATION_ID, before.refresh_token)


def test_a_refused_authorisation_shows_reconnect_wherever_the_account_is_listed(administrator: Client, app: Connection) -> None:
    Connection.objects.update(health=Health.RECONNECT, health_reason="Refused.")
    pages = [administrator.get(page).content.decode() for page in ("/connections/", f"/connections/{app.pk}/")]
    assert [f'href="/connections/{app.pk}/connect"' in page and "Reconnect" in page for page in pages] == [True, True]


def test_a_viewer_is_not_asked_to_reconnect(app: Connection, viewer: Client) -> None:
    Connection.objects.update(health=Health.RECONNECT, health_reason="Refused.")
    assert "/connect" not in viewer.get("/connections/").content.decode().replace("/connections/", "")


def test_a_new_client_secret_is_stored(administrator: Client, app: Connection) -> None:
    administrator.post(f"/connections/{app.pk}/client-secret", {"client_secret": "another-secret"})
    assert latest(app).client_secret == "another-secret"


def test_an_account_by_oauth_has_no_credential_to_type(administrator: Client, app: Connection) -> None:
    response = administrator.get(f"/connections/{app.pk}/credential")
    assert response.headers["Location"] == f"/connections/{app.pk}/client-secret"


# Agencies


def test_an_agency_with_one_location_is_connected_at_once(administrator: Client, serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(**AGENCY)
    connection = add_app(administrator, crm)
    assert "Connected to Sandbox Agency." in connect(administrator, connection, DEMO_LOCATION_ID, "?agency=1")
    assert (latest(connection).account_id, latest(connection).company_id) == (DEMO_LOCATION_ID, crm.settings.company_id)


def test_an_agency_with_several_locations_chooses_one(administrator: Client, serve_ghl: Callable[..., Ghl]) -> None:
    connection = add_app(administrator, serve_ghl(**AGENCY))
    shown = connect(administrator, connection, "all", "?agency=1")
    assert ["Branch" in shown, "Sandbox Agency" in shown] == [True, True]
    response = administrator.post(f"/connections/{connection.pk}/location", {"location_id": DEMO_LOCATION_ID}, follow=True)
    assert "Connected to Sandbox Agency." in response.content.decode()
    assert latest(connection).health == Health.OK


def test_a_location_that_cant_be_had_is_said_at_its_field(administrator: Client, serve_ghl: Callable[..., Ghl]) -> None:
    connection = add_app(administrator, serve_ghl(**AGENCY))
    connect(administrator, connection, "all", "?agency=1")
    other = another_browser(administrator)  # it was told no locations
    response = other.post(f"/connections/{connection.pk}/location", {"location_id": "Elsewhere00000000001"})
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["location_id"])


def test_where_locations_arent_listed_the_id_can_be_typed(administrator: Client, serve_ghl: Callable[..., Ghl]) -> None:
    crm = serve_ghl(**AGENCY)
    connection = add_app(administrator, crm)
    crm.fault("server_error", path="/oauth/installedLocations")
    assert 'type="text" name="location_id"' in connect(administrator, connection, "all", "?agency=1")
