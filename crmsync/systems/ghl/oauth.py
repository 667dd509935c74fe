"""GoHighLevel's authorisations by OAuth 2.0 (ghl.md, section 2): where a person gives one, and how it is kept alive. Entry: `Authority`.

Nothing here is repeated by itself: a code and a refresh token are used up by one use, so whoever asks decides what a lost answer means.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import TypeVar
from urllib.parse import urlencode

from pydantic import AliasChoices, Field, JsonValue

from crmsync.engine.records import Side
from crmsync.systems.base import FixedToken, FreeBudget
from crmsync.systems.border import Shape, parse
from crmsync.systems.errors import AuthorisationRefused, CrmError, Unavailable
from crmsync.systems.ghl import operations as op
from crmsync.systems.ghl.answers import Text
from crmsync.systems.operations import Operation
from crmsync.systems.texts import gettext_noop
from crmsync.systems.transport import Transport, Wire

AUTHORIZE_ROOT = "https://marketplace.gohighlevel.com"
WHITE_LABEL_ROOT = "https://marketplace.leadconnectorhq.com"
CHOOSE_LOCATION = "/v2/oauth/chooselocation"
VERSION = "2021-07-28"

TIMEOUT_S = 20.0
"""Who renews has a lease that must outlive two requests."""

A_DAY_S = 86_399.0
"""How long an access token lives where the answer doesn't say."""

INSTALLED, EXCHANGE = "oauth.readonly", "oauth.write"

GET_TOKEN = Operation("get-access-token", "POST", "/oauth/token", repeatable=False, source="oauth.json, get-access-token")
GET_LOCATION_TOKEN = Operation(
    "get-location-access-token", "POST", "/oauth/locationToken", EXCHANGE, repeatable=False, source="oauth.json, get-location-access-token"
)
LIST_INSTALLED_LOCATIONS = Operation(
    "get-installed-location", "GET", "/oauth/installedLocations", INSTALLED, source="oauth.json, get-installed-location"
)

SCOPES: Mapping[str, str] = {
    op.READ: gettext_noop("Read contacts with their tags, notes and tasks, and hear of changes to them. Nothing works without it."),
    op.WRITE: gettext_noop("Create and change contacts, tags, notes and tasks. Without it the sync goes one way only, out of GoHighLevel."),
    op.LOCATION: gettext_noop(
        "Read the location's name, country and time zone: the country completes phone numbers, the zone dates tasks."
    ),
    op.CUSTOM_FIELDS: gettext_noop("List the location's custom fields, so that they can be mapped."),
    op.TASKS: gettext_noop("Read the tasks of many contacts at once, so that a changed task is found within seconds."),
    op.USERS: gettext_noop("List the location's users, whom tasks can be given to."),
}
"""What crmsync asks for, and what each is needed for, in plain words."""

AGENCY_SCOPES: Mapping[str, str] = {
    INSTALLED: gettext_noop("List the locations that the app is installed in."),
    EXCHANGE: gettext_noop("Get the location's own token from the agency's."),
}
"""What an agency's authorisation needs besides."""


class Grant(Shape):
    """An answer with a token. `refresh_token` is None where the answer has none (a location's token that an agency's was exchanged for).

    `scope` is what was granted, separated by blanks; `expires_in` seconds."""

    access_token: str = Field(min_length=1, repr=False)
    refresh_token: Text = Field(default=None, repr=False)
    expires_in: float = A_DAY_S
    scope: Text = None
    user_type: Text = Field(default=None, validation_alias=AliasChoices("userType", "user_type"))
    location_id: Text = Field(default=None, validation_alias=AliasChoices("locationId", "location_id"))
    company_id: Text = Field(default=None, validation_alias=AliasChoices("companyId", "company_id"))

    @property
    def scopes(self) -> list[str] | None:
        """None where the answer doesn't tell."""
        return sorted(set(self.scope.split())) if self.scope is not None else None

    @property
    def is_agencys(self) -> bool:
        return (self.user_type or "").casefold() == "company" or (self.location_id is None and self.company_id is not None)


class InstalledLocation(Shape):
    """A location that an agency's app may be used in."""

    id: str = Field(min_length=1, validation_alias=AliasChoices("_id", "id", "locationId"))
    name: Text = None
    is_installed: bool = Field(default=True, validation_alias=AliasChoices("isInstalled", "is_installed"))


class InstalledLocations(Shape):
    locations: list[InstalledLocation]


T = TypeVar("T")


def authorize_url(root: str, client_id: str, redirect_uri: str, scopes: Mapping[str, str], state: str) -> str:
    """Where a person says yes; they come back to `redirect_uri` with `code` and, though that isn't documented, `state`."""
    query = {"response_type": "code", "client_id": client_id, "redirect_uri": redirect_uri, "scope": " ".join(scopes), "state": state}
    return f"{root.rstrip('/')}{CHOOSE_LOCATION}?{urlencode(query)}"


class Authority:
    """GoHighLevel's OAuth server as one app sees it. `root` is the API's. Every method may raise `AuthorisationRefused` (doesn't pass by
    itself), `Unanswered` (it may have taken effect) and `Unavailable` (surely not)."""

    def __init__(self, root: str, client_id: str, client_secret: str, http: Wire | None = None) -> None:
        self._root = root
        self._client = {"client_id": client_id, "client_secret": client_secret}
        self._app_id = client_id.partition("-")[0]
        self._http = http

    def __repr__(self) -> str:
        return f"<Authority of app {self._app_id}>"

    def exchange(self, code: str, redirect_uri: str, *, for_agency: bool = False) -> Grant:
        """The tokens for the code that a person came back with."""
        return self._grant(
            {"grant_type": "authorization_code", "code": code, "user_type": _user_type(for_agency), "redirect_uri": redirect_uri}
        )

    def refresh(self, refresh_token: str, *, for_agency: bool | None = None) -> Grant:
        """New tokens; `refresh_token` is used up. `for_agency` None: whose it is isn't known yet."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self._grant(form if for_agency is None else {**form, "user_type": _user_type(for_agency)})

    def location_token(self, agency_token: str, company_id: str, location_id: str) -> Grant:
        """A location's token for an agency's."""
        form = {"companyId": company_id, "locationId": location_id}
        return self._ask(Grant, GET_LOCATION_TOKEN, token=agency_token, form=form)

    def installed_locations(self, agency_token: str, company_id: str) -> list[InstalledLocation]:
        """Where the agency's app is installed. That the app's id is the client's up to its first dash is unverified."""
        params = {"companyId": company_id, "appId": self._app_id, "isInstalled": True}
        found = self._ask(InstalledLocations, LIST_INSTALLED_LOCATIONS, token=agency_token, params=params)
        return [one for one in found.locations if one.is_installed]

    def _grant(self, form: Mapping[str, str]) -> Grant:
        return self._ask(Grant, GET_TOKEN, form={**self._client, **form})

    def _ask(
        self,
        shape: type[T],
        operation: Operation,
        *,
        token: str = "",
        form: Mapping[str, str] | None = None,
        params: Mapping[str, object] | None = None,
    ) -> T:
        credentials = FixedToken(token) if token else None
        transport = Transport(
            Side.GHL,
            self._root,
            {"Version": VERSION},
            FreeBudget(),
            read_error,
            credentials=credentials,
            http=self._http,
            attempts=1,
            timeout_s=TIMEOUT_S,
        )
        with closing(transport):
            answer = transport.call(operation, params=params) if form is None else transport.submit(operation, form)
        return parse(shape, answer, side=Side.GHL, operation=operation)


def _user_type(for_agency: bool) -> str:
    return "Company" if for_agency else "Location"


def read_error(operation: Operation, status: int, headers: Mapping[str, str], body: JsonValue) -> CrmError:
    """Both forms of a refusal: `{"error": "invalid_grant", …}` and `{"statusCode", "message"}` (ghl.md, section 2)."""
    told = body if isinstance(body, dict) else {}
    text = " ".join(str(told.get(name) or "") for name in ("error", "error_description", "message")).casefold()
    error: CrmError
    if status in (400, 401, 403, 422):
        error = AuthorisationRefused(_why(operation, text), side=Side.GHL)
    else:
        error = Unavailable(f"At this address GoHighLevel gives no tokens (status {status}): check it.", side=Side.GHL)
    error.operation, error.status, error.trace_id = operation.name, status, str(told.get("traceId") or "")
    return error


def _why(operation: Operation, text: str) -> str:
    if operation is not GET_TOKEN:
        if "scope" in text:
            return f"The authorisation lacks the scope {operation.scope}, without which an agency's can't be used for a location."
        return "GoHighLevel gives no token for this location: the app isn't installed in it, or the agency doesn't have it."
    if "invalid_client" in text or "client secret" in text or "client_secret" in text or "client id" in text:
        return "GoHighLevel doesn't know this client id with this client secret."
    return "GoHighLevel refuses the authorisation: it was taken back, has expired, or was used before."
