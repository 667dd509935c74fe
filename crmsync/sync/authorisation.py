"""Connecting GoHighLevel by OAuth: from a client id to an account that is let in, and back in when the authorisation has ended.

A person says yes in GoHighLevel (`address`), comes back with a code (`finish`) and, where an agency has several locations, chooses one
(`choose_location`); or an authorisation that was made elsewhere is taken over (`take_over`). From the moment tokens are there they are
stored before anything else, so that nothing that fails afterwards loses them.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.translation import gettext as _

from crmsync.engine.records import Side
from crmsync.models import Act, Connection, Health
from crmsync.models.connection import hint_of
from crmsync.sync import audit, outcome, setup, tokens
from crmsync.sync.setup import Rate, SetupError
from crmsync.systems.errors import AuthorisationRefused, CrmError, NeedsPerson, Unanswered
from crmsync.systems.ghl.client import ROOT
from crmsync.systems.ghl.oauth import AGENCY_SCOPES, AUTHORIZE_ROOT, SCOPES, WHITE_LABEL_ROOT, Grant, InstalledLocation, authorize_url

__all__ = ["AUTHORIZE_ROOT", "ROOT", "WHITE_LABEL_ROOT"]

User = AbstractBaseUser
CALLBACK = "/oauth/ghl/callback/"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of an agency's locations."""

    id: str
    name: str


def redirect_uri() -> str:
    """Where GoHighLevel sends people back to; it must be entered in the app's settings there, to the letter."""
    return settings.BASE_URL.rstrip("/") + CALLBACK


def scopes(*, for_agency: bool) -> dict[str, str]:
    """What is asked for, each with what it is needed for."""
    wanted = {**SCOPES, **AGENCY_SCOPES} if for_agency else SCOPES
    return {scope: _(purpose) for scope, purpose in wanted.items()}


def add(
    *, name: str, client_id: str, client_secret: str, root: str = ROOT, authorize_root: str = AUTHORIZE_ROOT, by: User | None = None
) -> Connection:
    """Store an app's credentials; the account is connected when a person has said yes. Raises `SetupError`."""
    connection = _new(name, client_id, client_secret, root)
    connection.authorize_root = authorize_root.strip().rstrip("/")
    if not connection.authorize_root.startswith(("https://", "http://")):
        raise SetupError(_("The address must begin with https:// (or http:// for a simulator)."), "authorize_root")
    setup.store_new(connection)
    audit.record(by, Act.CONNECTION_ADDED, connection, after=audit.of_connection(connection))
    return connection


def _new(name: str, client_id: str, client_secret: str, root: str) -> Connection:
    if not client_id.strip():
        raise SetupError(_("The client id is missing: GoHighLevel shows it in the app's settings."), "client_id")
    if not client_secret.strip():
        raise SetupError(_("The client secret is missing: GoHighLevel shows it once, when the client key is made."), "client_secret")
    return Connection(
        system=Side.GHL,
        name=name,
        root=root,
        authorize_root=AUTHORIZE_ROOT,
        client_id=client_id.strip(),
        client_secret=client_secret.strip(),
    )


def address(connection: Connection, state: str, *, for_agency: bool) -> str:
    """GoHighLevel's page on which a person says yes."""
    return authorize_url(connection.authorize_root, connection.client_id, redirect_uri(), scopes(for_agency=for_agency), state)


def finish(connection: Connection, code: str, *, for_agency: bool, by: User | None = None) -> list[Choice]:
    """Take what a person has brought back, store it and test it: the connection's health tells how that went. Locations to choose among
    where an agency has several, else [].

    Raises `SetupError`, and leaves the connection as it was, where the code is refused or the authorisation is for another location."""
    try:
        grant = tokens.authority_of(connection).exchange(code, redirect_uri(), for_agency=for_agency)
    except Unanswered as error:
        raise SetupError(_("GoHighLevel gave no answer, and a code works once only: press Connect again.")) from error
    except CrmError as error:
        text = _("%(why)s Nothing was changed. Check client id and client secret on the connection's page, then press Connect again.")
        raise SetupError(text % {"why": error.message}) from error
    _same_location(connection, grant)
    choices = _adopt(connection, grant)
    audit.record(by, Act.OAUTH_CONNECTED, connection, after={"account_id": connection.account_id})
    return choices


def _adopt(connection: Connection, grant: Grant, wanted: str = "") -> list[Choice]:
    """Store it, take the location (an agency's `wanted` one, or its only one) and test. What to choose among where that is open."""
    tokens.store(connection, grant)
    if grant.is_agencys:
        choices = [] if connection.account_id or wanted else _locations(connection, grant)
        chosen = connection.account_id or wanted or (choices[0].id if len(choices) == 1 else "")
        if not chosen or not _take_location(connection, grant, chosen):
            return choices
    setup.test_connection(connection)
    return []


def _same_location(connection: Connection, grant: Grant) -> None:
    """Contacts are linked by their ids in one location: in another one they would all count as deleted. Another agency's authorisation
    doesn't open it."""
    if connection.account_id and connection.company_id and grant.is_agencys and grant.company_id not in (None, connection.company_id):
        raise SetupError(
            _("This authorisation is another agency's. Nothing was changed: press Connect again, signed in to the agency of %(location)s.")
            % {"location": connection.account_id}
        )
    if grant.location_id and connection.account_id and grant.location_id != connection.account_id:
        raise SetupError(
            _(
                "This authorisation is for the location %(new)s, but the connection belongs to %(old)s. Nothing was changed: press Connect "
                "again and choose %(old)s, or add a connection for the other location."
            )
            % {"new": grant.location_id, "old": connection.account_id}
        )


def _locations(connection: Connection, agency: Grant) -> list[Choice]:
    """Where the app is installed; [] where GoHighLevel doesn't tell, and the id has to be typed."""
    try:
        found = tokens.authority_of(connection).installed_locations(agency.access_token, connection.company_id)
    except CrmError:
        return []
    return [_choice(one) for one in found]


def _choice(location: InstalledLocation) -> Choice:
    return Choice(location.id, location.name or location.id)


def _set_location(connection: Connection, location_id: str) -> None:
    connection.account_id = location_id
    connection.save(update_fields=["account_id"])


def _take_location(connection: Connection, agency: Grant, location_id: str) -> bool:
    """False where the agency's token can't be exchanged: the connection's health tells why."""
    is_new = not connection.account_id
    _set_location(connection, location_id)
    try:
        tokens.take_location(connection, agency)
    except NeedsPerson as error:
        if is_new:
            _set_location(connection, "")
        _note(connection, Health.RECONNECT, tokens.needs_reconnecting(error.message))
        return False
    except CrmError as error:
        _note(connection, Health.UNREACHABLE, outcome.explain(error)[0])
        return False
    return True


def _note(connection: Connection, health: Health, reason: str) -> None:
    connection.health, connection.health_reason = health, reason
    connection.save(update_fields=["health", "health_reason"])


def choose_location(connection: Connection, location_id: str, by: User | None = None) -> Connection:
    """Take one of an agency's locations. Raises `SetupError`, and none is taken then."""
    location_id = location_id.strip()
    if not location_id:
        raise SetupError(_("The location id is missing: GoHighLevel shows it in the location's settings."), "location_id")
    if not connection.company_id or connection.account_id:
        raise SetupError(_("There is no location to choose: the connection has one, or isn't an agency's."), "location_id")
    _set_location(connection, location_id)
    try:
        tokens.refresh(connection)
    except CrmError as error:
        used = connection.refresh_token
        connection.refresh_from_db()
        _set_location(connection, "")
        if connection.refresh_token != used:  # renewed: it is only this location that can't be had
            _note(connection, Health.UNTESTED, "")
        raise SetupError(error.message, "location_id") from error
    audit.record(by, Act.LOCATION_CHOSEN, connection, after={"account_id": location_id})
    return setup.test_connection(connection)


def take_over(
    *,
    name: str,
    client_id: str,
    client_secret: str,
    refresh_token: str,
    location_id: str = "",
    root: str = ROOT,
    authorize_root: str = AUTHORIZE_ROOT,
    rate: Rate | None = None,
) -> Connection:
    """An authorisation that was made elsewhere becomes ours: its refresh token is used up at once, and a new one stored. The location is
    the one it was given for; of an agency's, `location_id`, or its only one.

    Raises `SetupError`, and stores nothing, unless the tokens were renewed: from then on the connection stays, with its health."""
    if not refresh_token.strip():
        raise SetupError(_("The refresh token is missing."), "refresh_token")
    connection = _new(name, client_id, client_secret, root)
    connection.authorize_root = authorize_root
    setup.store_new(connection, rate)
    try:
        grant = tokens.ask_twice(connection, refresh_token.strip(), is_known=False)
    except BaseException as error:
        connection.delete()
        if isinstance(error, CrmError):
            raise SetupError(error.message, "refresh_token" if isinstance(error, AuthorisationRefused) else "root") from error
        raise
    if not grant.refresh_token:
        grant = grant.model_copy(update={"refresh_token": refresh_token.strip()})
    _adopt(connection, grant, location_id.strip())
    audit.record(None, Act.CONNECTION_ADDED, connection, after=audit.of_connection(connection))
    return connection


def uninstalled(connection: Connection) -> None:
    """GoHighLevel told that the app was uninstalled: an authorisation is over with that. A private token isn't the app's."""
    if connection.is_oauth:
        _note(connection, Health.RECONNECT, tokens.needs_reconnecting(_("The app was uninstalled in GoHighLevel.")))


def replace_client_secret(connection: Connection, secret: str, by: User | None = None) -> Connection:
    """Take a new client secret; it is used from the next renewal on, and by connecting anew. Raises `SetupError`."""
    if not secret.strip():
        raise SetupError(_("The client secret is empty."), "client_secret")
    old, connection.client_secret = connection.client_secret, secret.strip()
    connection.save(update_fields=["client_secret"])
    before, after = audit.masked(hint_of(old)), audit.replaced(hint_of(connection.client_secret))
    audit.record(by, Act.CREDENTIAL_REPLACED, connection, {"client_secret": before}, {"client_secret": after})
    return connection
