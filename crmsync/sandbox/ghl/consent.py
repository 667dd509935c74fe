"""The page on which a person lets the app in: `GET /v2/oauth/chooselocation` (ghl.md, section 2).

What the app asked for is checked first: nobody is sent to an address that isn't the app's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crmsync.sandbox.desk import Desk
from crmsync.sandbox.ghl.location import Ghl
from crmsync.sandbox.pages import is_from_elsewhere, page
from crmsync.sandbox.settings import APP_SCOPES

PATH = "/v2/oauth/chooselocation"
ALL_LOCATIONS = "all"


class BadRequest(Exception):
    """The app asked in a way that ends here; the text is for the person in front of the page."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the app asks for. No `state`: it sent none."""

    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None

    def back(self, **answer: str) -> Response:
        """To where the app wants the browser, with the answer and the app's own state."""
        state = {} if self.state is None else {"state": self.state}
        glue = "&" if urlsplit(self.redirect_uri).query else "?"
        return RedirectResponse(f"{self.redirect_uri}{glue}{urlencode({**answer, **state})}", 302)


def routes(crm: Ghl, desk: Desk) -> list[Route]:
    async def show(request: Request) -> Response:
        try:
            asked = _asked(crm, request.query_params)
        except BadRequest as problem:
            return page(crm, desk, "refused.html", 400, problem=str(problem))
        locations = crm.settings.locations if len(crm.settings.locations) > 1 else {}
        everywhere = ALL_LOCATIONS if locations and crm.settings.app_type == "Company" else ""
        return page(crm, desk, "consent.html", 200, asked=asked, locations=locations, everywhere=everywhere)

    async def answer(request: Request) -> Response:
        if is_from_elsewhere(request):
            return Response("This form was sent from another site.", 403)
        form = dict(parse_qsl((await request.body()).decode()))
        try:
            asked = _asked(crm, request.query_params)
            if "allow" not in form:
                return asked.back(error="access_denied")
            with crm.lock:
                authorisation = crm.install(asked.scopes, _chosen(crm, form.get("location", "")))
                return asked.back(code=crm.oauth.code_for(authorisation, asked.redirect_uri))
        except BadRequest as problem:
            return page(crm, desk, "refused.html", 400, problem=str(problem))

    return [Route(PATH, show, methods=["GET"]), Route(PATH, answer, methods=["POST"])]


def _asked(crm: Ghl, query: Mapping[str, str]) -> Asked:
    """Raises BadRequest with a sentence."""
    redirect_uri, scopes = query.get("redirect_uri", ""), tuple(query.get("scope", "").split())
    if query.get("client_id") != crm.settings.client_id:
        raise BadRequest("There is no app with this client id.")
    if query.get("response_type") != "code":
        raise BadRequest("The app must ask for response_type “code”.")
    if urlsplit(redirect_uri).scheme not in ("http", "https") or not urlsplit(redirect_uri).netloc:
        raise BadRequest("The app names no address to come back to (redirect_uri).")
    if crm.settings.redirect_uris and redirect_uri not in crm.settings.redirect_uris:
        raise BadRequest("The address to come back to (redirect_uri) isn't registered for this app.")
    if not scopes or set(scopes) - APP_SCOPES:
        raise BadRequest(
            f"These scopes don't exist: {', '.join(sorted(set(scopes) - APP_SCOPES))}." if scopes else "The app asks for nothing."
        )
    return Asked(redirect_uri, scopes, query.get("state"))


def _chosen(crm: Ghl, location: str) -> list[str]:
    """Where there is one location only, that is it. Raises BadRequest."""
    locations = [*crm.settings.locations]
    if location == ALL_LOCATIONS and crm.settings.app_type == "Company":
        return locations
    if len(locations) > 1 and location not in locations:
        raise BadRequest("Choose a location.")
    return [location or crm.location_id]
