"""What the app asks the OAuth server: tokens for codes, new ones for old, a location's for an agency's (ghl.md, section 2).

Nothing of it counts against the rate limit."""

from __future__ import annotations

from crmsync.sandbox.core import Answer, Call, Json, Operations, Refusal
from crmsync.sandbox.ghl.location import Ghl
from crmsync.sandbox.ghl.oauth import Authorisation, InvalidGrant

operations: Operations[Ghl] = Operations()
USER_TYPES = ("", "Location", "Company")


@operations("POST", "/oauth/token", name="get-access-token", public=True, takes_form=True, counted=False)
def get_access_token(crm: Ghl, call: Call) -> Answer:
    """Whatever `user_type` asks for, the tokens are of the app's own kind."""
    form: Json = call.body
    if (form.get("client_id"), form.get("client_secret")) != (crm.settings.client_id, crm.settings.client_secret):
        raise _refused(crm, 401, "invalid_client", "Invalid client credentials")
    if form.get("user_type", "") not in USER_TYPES:
        raise _refused(crm, 400, "invalid_request", "user_type must be Location or Company")
    try:
        match form.get("grant_type"):
            case "authorization_code":
                return Answer(200, crm.oauth.exchange(form.get("code", ""), form.get("redirect_uri", "")))
            case "refresh_token":
                return Answer(200, crm.oauth.refresh(form.get("refresh_token", "")))
            case _:
                raise _refused(crm, 400, "unsupported_grant_type", "Unsupported grant type")
    except InvalidGrant as error:
        raise _refused(crm, 400, "invalid_grant", f"Invalid grant: {error}") from error


@operations("POST", "/oauth/locationToken", name="get-location-access-token", scope="oauth.write", takes_form=True, counted=False)
def get_location_access_token(crm: Ghl, call: Call) -> Answer:
    form: Json = call.body
    authorisation = _agency(crm, call, form.get("companyId"))
    if form.get("locationId") not in authorisation.location_ids:
        raise Refusal(400, {"statusCode": 400, "message": "The app is not installed in this location", "error": "Bad Request"})
    return Answer(200, crm.oauth.location_token(authorisation, form["locationId"]))


@operations("GET", "/oauth/installedLocations", name="get-installed-location", scope="oauth.readonly", counted=False)
def get_installed_location(crm: Ghl, call: Call) -> Answer:
    """Those the app is installed in, or, with `isInstalled=false`, the others."""
    authorisation = _agency(crm, call, call.query.get("companyId"))
    if call.query.get("appId") != crm.settings.app_id:
        raise Refusal(422, {"statusCode": 422, "message": ["appId should not be empty"], "error": "Unprocessable Entity"})
    wanted, words = call.query.get("isInstalled") != "false", call.query.get("query", "").casefold()
    found: list[Json] = [
        {"_id": id, "name": name, "address": "", "isInstalled": wanted}
        for id, name in crm.settings.locations.items()
        if (id in authorisation.location_ids) is wanted and words in name.casefold()
    ]
    skip, limit = int(call.query.get("skip") or 0), int(call.query.get("limit") or 20)
    return Answer(200, {"locations": found[skip : skip + limit], "count": len(found), "installToFutureLocations": False})


def _agency(crm: Ghl, call: Call, company_id: object) -> Authorisation:
    """The agency's authorisation behind the call. Raises the refusal for a location's token, and for another agency."""
    bearer = crm.oauth.bearer(call.credential)
    if bearer is None or bearer.authorisation is None or bearer.location_id:
        raise crm.speech.scope_missing()
    if company_id != crm.settings.company_id:
        raise Refusal(403, {"statusCode": 403, "message": "The token does not have access to this company.", "error": "Forbidden"})
    return bearer.authorisation


def _refused(crm: Ghl, status: int, error: str, message: str) -> Refusal:
    """In the form that the settings ask for: both are documented."""
    if crm.settings.oauth_errors == "oauth":
        return Refusal(status, {"error": error, "error_description": message})
    return Refusal(401, {"statusCode": 401, "message": message, "error": "Unauthorized"})
