"""Connecting accounts and joining them to a sync. What is refused is not stored, and the error names the field to correct."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, replace

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.engine.mapping import DEFAULT_MAPPING
from crmsync.engine.records import Side
from crmsync.models import Act, Conflict, Connection, FieldMapping, Health, Issue, Mode, Status, Sync
from crmsync.sync import actions, audit, hooks, outcome, revisions, scopes, tokens
from crmsync.sync.budget import create_budget
from crmsync.sync.session import open_system
from crmsync.systems.base import Account
from crmsync.systems.errors import (
    NAMES,
    AuthorisationRefused,
    CredentialsRefused,
    CrmError,
    NeedsPerson,
    NotFound,
    PermissionMissing,
    TryLater,
)
from crmsync.systems.ghl.client import ROOT

GHL_ROOT = ROOT
User = AbstractBaseUser
COMPARED_ANEW = {"match_by", "create_in_ghl", "create_in_centralstation", "sync_tags", "sync_notes", "sync_tasks", "region"}
"""Settings that decide what counts as the same: when one changes, all contacts are compared again."""

BY_THE_CLOCK = {"creates_per_hour", "quiet_from", "quiet_until"}
"""Settings that decide when what waits goes on."""


class SetupError(Exception):
    """Something can't be set up as asked. `field` is the form's field to correct, "" where it is none in particular."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


Rate = tuple[int, float]


def add_ghl_connection(
    *, name: str, location_id: str, token: str, root: str = ROOT, rate: Rate | None = None, test: bool = True, by: User | None = None
) -> Connection:
    """Store a GHL account after proving the token. Raises `SetupError`; nothing is stored then."""
    if not location_id.strip():
        raise SetupError(_("The location id is missing: GoHighLevel shows it in the location's settings."), "location_id")
    connection = Connection(system=Side.GHL, name=name, root=root, account_id=location_id.strip())
    return _add(connection, token, "token", rate, test=test, by=by)


def add_centralstation_connection(
    *, name: str, root: str, api_key: str, rate: Rate | None = None, test: bool = True, by: User | None = None
) -> Connection:
    """Store a CentralStation account after proving the key. Raises `SetupError`; nothing is stored then."""
    return _add(Connection(system=Side.CENTRALSTATION, name=name, root=root), api_key, "api_key", rate, test=test, by=by)


def _add(connection: Connection, secret: str, field: str, rate: Rate | None, *, test: bool, by: User | None) -> Connection:
    if not secret.strip():
        raise SetupError(_("The credential is empty."), field)
    connection.set_credential(secret.strip())
    store_new(connection, rate)
    if test:
        try:
            apply_account(connection, prove(connection))
        except CrmError as error:
            connection.delete()
            raise SetupError(outcome.explain(error)[0], _field_of(error, field)) from error
        except BaseException:
            connection.delete()
            raise
    audit.record(by, Act.CONNECTION_ADDED, connection, after=audit.of_connection(connection))
    return connection


def save_connection(connection: Connection, names: Collection[str], by: User | None = None) -> None:
    """Store these columns of a connection as they were changed."""
    before = audit.saved(connection, names)
    connection.save(update_fields=names)
    after = audit.saved(connection, names)
    if before != after:
        audit.record(by, Act.CONNECTION_CHANGED, connection, before, after)


def delete_connection(connection: Connection, by: User | None = None) -> None:
    """Forget an account, and delete its webhooks in CentralStationCRM as far as that still lets us in. Raises `ProtectedError` while a sync
    uses it."""
    if connection.hooks_wanted and not connection.centralstation_syncs.exists():
        with suppress(CrmError):
            hooks.remove(connection)
    with transaction.atomic():
        audit.record(by, Act.CONNECTION_DELETED, connection, before=audit.of_connection(connection))
        connection.delete()


def store_new(connection: Connection, rate: Rate | None = None) -> None:
    """Store a connection with its budget. Raises `SetupError` for a name that is taken, or an address that is none."""
    connection.name, connection.root = connection.name.strip(), connection.root.strip().rstrip("/")
    if not connection.name:
        raise SetupError(_("The connection needs a name."), "name")
    if Connection.objects.filter(name=connection.name).exists():
        raise SetupError(_("There is a connection named “%(name)s” already.") % {"name": connection.name}, "name")
    if not connection.root.startswith(("https://", "http://")):
        raise SetupError(_("The address must begin with https:// (or http:// for a simulator)."), "root")
    with transaction.atomic():
        connection.save()
        create_budget(connection, rate)


def _field_of(error: CrmError, credential: str) -> str:
    match error:
        case CredentialsRefused() | PermissionMissing():
            return credential
        case NotFound():
            return "location_id" if error.side is Side.GHL else "root"
        case _:
            return "root"


def prove(connection: Connection, *, try_writing: bool = True) -> Account:
    """Ask the CRM who we are, and what we may; an authorisation that is over is given one more try. Without `try_writing`, what is known to
    be missing for writing stays so. Raises `CrmError`."""
    if connection.health == Health.RECONNECT:
        tokens.refresh(connection)
    system = open_system(connection, is_test=True)
    try:
        account = system.check(try_writing=try_writing)
    finally:
        system.close()
    known = {} if try_writing else {scope: text for scope, text in connection.missing_scopes.items() if scope.endswith(".write")}
    return replace(account, missing_scopes={**account.missing_scopes, **known})


_ACCOUNT = (
    "account_name",
    "country",
    "timezone",
    "default_user_id",
    "missing_scopes",
    "health",
    "health_reason",
    "tested_at",
)


def apply_account(connection: Connection, account: Account) -> None:
    """Store what a check found out: the account's facts, and that it works."""
    connection.account_name = account.name[:200]
    connection.country = (account.country or "")[:2].upper()
    connection.timezone = account.timezone or ""
    connection.default_user_id = connection.default_user_id or account.default_user_id or ""
    connection.missing_scopes = dict(account.missing_scopes)
    connection.health = Health.LIMITED if account.missing_scopes else Health.OK
    connection.health_reason = " ".join(account.missing_scopes.values())
    connection.tested_at = timezone.now()
    connection.save(update_fields=[*_ACCOUNT])  # not the tokens, which another process may have renewed
    scopes.tell_syncs(connection)


def test_connection(connection: Connection) -> Connection:
    """Test and store the result, whether it is paused or not: a person wants to know. Where it works, contacts that its credentials or
    permissions held up are tried again."""
    if connection.is_oauth and not connection.account_id:
        connection.health_reason = _("Nobody has said yes in GoHighLevel yet: press Connect.")
        connection.save(update_fields=["health_reason"])
        return connection
    try:
        apply_account(connection, prove(connection))
    except CrmError as error:
        note_failure(connection, error)
    else:
        release(connection)
    return connection


def note_failure(connection: Connection, error: CrmError) -> None:
    """Store that a test failed, and why."""
    connection.health, connection.health_reason = _health_after(connection, error)
    connection.tested_at = timezone.now()
    connection.save(update_fields=["health", "health_reason", "tested_at"])


def _health_after(connection: Connection, error: CrmError) -> tuple[Health, str]:
    reason = outcome.explain(error)[0]
    match error:
        case TryLater():
            return (Health.RECONNECT if connection.health == Health.RECONNECT else Health.UNREACHABLE), reason
        case AuthorisationRefused():
            return Health.RECONNECT, reason
        case CredentialsRefused() | PermissionMissing() if connection.is_oauth:
            return Health.RECONNECT, tokens.needs_reconnecting(reason)
        case NeedsPerson():
            return Health.REFUSED, reason
        case _:  # something else answers there, or answers strangely: that may pass
            return Health.UNREACHABLE, reason


def release(connection: Connection) -> None:
    """It works (again): what its credentials or permissions held up is due, and so is a look for what happened meanwhile."""
    syncs = Sync.objects.filter(ghl=connection) | Sync.objects.filter(centralstation=connection)
    issues = Issue.objects.filter(
        sync__in=syncs, side=connection.side, code__in=["credentials_refused", "permission_missing", "needs_person"]
    ).exclude(code="permission_missing", subject__in=scopes.missing(connection))
    syncs.update(poll_due_at=timezone.now(), rest_until=None)
    for sync in syncs:
        held = sync.contacts.wanted().filter(issue__in=issues, status__in=[Status.FAILED, Status.WAITING], dirty__gt=0)
        held.update(due_at=timezone.now(), status=Status.PENDING)


def replace_credential(connection: Connection, secret: str, by: User | None = None) -> Connection:
    """Take a new credential after proving it. Raises `SetupError`, and keeps the old one then."""
    if not secret.strip():
        raise SetupError(_("The credential is empty."), "credential")
    if connection.is_oauth:
        raise SetupError(_("This account is connected by OAuth: press Reconnect on the connection's page instead."), "credential")
    old, old_hint = connection.credential, connection.credential_hint
    connection.set_credential(secret.strip())
    try:
        account = prove(connection)
    except CrmError as error:
        connection.set_credential(old)
        raise SetupError(outcome.explain(error)[0], "credential") from error
    connection.save(update_fields=["credential", "credential_hint"])
    before, after = audit.masked(old_hint), audit.replaced(connection.credential_hint)
    audit.record(by, Act.CREDENTIAL_REPLACED, connection, {"credential": before}, {"credential": after})
    apply_account(connection, account)
    release(connection)
    return connection


def create_sync(
    *,
    name: str,
    ghl: Connection,
    centralstation: Connection,
    conflict: str = Conflict.NEWEST,
    mode: str = Mode.LIVE,
    by: User | None = None,
    **settings: object,
) -> Sync:
    """Join two connections, with the mapping a person would draw first. Raises `SetupError`."""
    for connection, side, field in ((ghl, Side.GHL, "ghl"), (centralstation, Side.CENTRALSTATION, "centralstation")):
        if connection.side is not side:
            raise SetupError(_("“%(name)s” is no %(crm)s connection.") % {"name": connection.name, "crm": NAMES[side]}, field)
    if not name.strip():
        raise SetupError(_("The sync needs a name."), "name")
    if Sync.objects.filter(name=name.strip()).exists():
        raise SetupError(_("There is a sync named “%(name)s” already.") % {"name": name.strip()}, "name")
    if Sync.objects.filter(ghl=ghl, centralstation=centralstation).exists():
        raise SetupError(_("These two connections are joined by a sync already."), "centralstation")
    with transaction.atomic():
        sync = Sync.objects.create(
            name=name.strip(), ghl=ghl, centralstation=centralstation, conflict=conflict, mode=mode, poll_due_at=timezone.now(), **settings
        )
        revisions.save(sync, by, lambda: FieldMapping.objects.bulk_create(_default_rows(sync)))
    accounts = {NAMES[Side.GHL]: ghl.name, NAMES[Side.CENTRALSTATION]: centralstation.name}
    after = {"name": sync.name, **accounts, "conflict": conflict, "mode": mode, **settings}
    audit.record(by, Act.SYNC_CREATED, sync, after=after)
    scopes.tell_syncs(ghl)
    sync.refresh_from_db(fields=["notices"])
    return sync


def change_sync(sync: Sync, names: Collection[str], by: User | None = None) -> set[str]:
    """As `save_sync`, and what follows: contacts are compared again, or look at the clock anew."""
    changed = save_sync(sync, names, by)
    if changed & COMPARED_ANEW:
        actions.mapping_changed(sync, by)
    if changed & BY_THE_CLOCK:
        actions.clock_changed(sync)
    return changed


def save_sync(sync: Sync, names: Collection[str], by: User | None = None) -> set[str]:
    """Store these columns of a sync as they were changed; the names of those that were."""
    before = audit.saved(sync, names)
    sync.save(update_fields=names)
    after = audit.saved(sync, names)
    changed = {name for name in names if before[name] != after[name]}
    if changed:
        audit.record(by, Act.SYNC_CHANGED, sync, before, after)
    return changed


def _default_rows(sync: Sync) -> list[FieldMapping]:
    rows = (asdict(row) for row in DEFAULT_MAPPING)
    return [
        FieldMapping(
            sync=sync,
            position=position,
            name=row["name"],
            ghl_field=row["ghl"],
            centralstation_field=row["centralstation"],
            type=row["type"],
        )
        for position, row in enumerate(rows)
    ]
