"""CentralStation's hooks of a connection: registered, checked, repaired, removed. GoHighLevel's are set in its app, by a person.

Only hooks whose address has our path, secret included, are ours; nobody else's is touched. A hook that CentralStation has given up, that
fails, or that sends to where we were before is deleted and made anew, which is the only way its API has.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.engine.records import Side
from crmsync.models import Act, Connection
from crmsync.models.connection import ConnectionQuerySet
from crmsync.sync import audit
from crmsync.sync.addresses import hook_address, hook_path
from crmsync.sync.outcome import explain
from crmsync.sync.session import open_system
from crmsync.systems.centralstation.client import CentralStationSystem
from crmsync.systems.centralstation.hooks import LONGEST_ADDRESS, Hook
from crmsync.systems.centralstation.webhooks import HOOKS
from crmsync.systems.errors import CrmError, NeedsPerson

User = AbstractBaseUser
log = logging.getLogger(__name__)

CHECK_EVERY = timedelta(hours=1)


class HookHealth(StrEnum):
    OK = "ok"
    MISSING = "missing"
    DISABLED = "disabled"
    FAILING = "failing"
    FOREIGN_ADDRESS = "foreign_address"
    DOUBLED = "doubled"


@dataclass(frozen=True, slots=True)
class HookState:
    """One hook that there should be, and how it is. `failed`: deliveries that failed, as CentralStation counts them."""

    model: str
    event: str
    state: HookHealth
    failed: int = 0


def register(connection: Connection, by: User | None = None) -> list[HookState]:
    """From now on crmsync keeps the hooks in order; how they are afterwards. Raises `CrmError`: then it is tried again in an hour."""
    connection.hooks_wanted, connection.hooks_checked_at = True, timezone.now()  # or `keep` would register them at the same time
    connection.save(update_fields=["hooks_wanted", "hooks_checked_at"])
    audit.record(by, Act.HOOKS_REGISTERED, connection)
    return _put_in_order(connection)


def check(connection: Connection) -> list[HookState]:
    """How the hooks are. Raises `CrmError`."""
    return _noted(connection, lambda crm: _states(connection, crm.hooks()))


def repair(connection: Connection, by: User | None = None) -> list[HookState]:
    """Make anew what isn't in order; how the hooks are afterwards. Raises `CrmError`."""
    states = _put_in_order(connection)
    audit.record(by, Act.HOOKS_REPAIRED, connection)
    return states


def _put_in_order(connection: Connection) -> list[HookState]:
    return _noted(connection, lambda crm: _repaired(connection, crm))


def remove(connection: Connection, by: User | None = None) -> None:
    """Delete ours, and keep none from now on. Raises `CrmError`."""
    connection.hooks_wanted = False
    connection.save(update_fields=["hooks_wanted"])
    audit.record(by, Act.HOOKS_REMOVED, connection)
    with _crm(connection) as crm:
        for hook in crm.hooks():
            if _is_ours(connection, hook):
                crm.remove_hook(hook.id)
    _note(connection, "", [])


def are_due(now: datetime) -> bool:
    return _due(now).exists()


def keep(now: datetime) -> None:
    """Check and repair, once an hour, where they are wanted. What goes wrong stands in `hooks_notice`."""
    for connection in _due(now):
        if not _due(now).filter(pk=connection.pk).update(hooks_checked_at=now):
            continue  # another process is at it
        try:
            _put_in_order(connection)
        except CrmError as error:
            log.warning("hooks couldn't be kept in order", extra={"connection": connection.pk, "code": error.code})


def _due(now: datetime) -> ConnectionQuerySet:
    wanted = Connection.objects.open().filter(system=Side.CENTRALSTATION, hooks_wanted=True)
    return wanted.filter(Q(hooks_checked_at=None) | Q(hooks_checked_at__lte=now - CHECK_EVERY))


def _crm(connection: Connection) -> closing[CentralStationSystem]:
    system = open_system(connection)
    assert isinstance(system, CentralStationSystem)
    return closing(system)


def _noted(connection: Connection, look: Callable[[CentralStationSystem], list[HookState]]) -> list[HookState]:
    """What `look` finds; what it comes to, or why it couldn't look, is noted for staff."""
    try:
        _require_short_addresses(connection)
        with _crm(connection) as crm:
            states = look(crm)
    except CrmError as error:
        _note(connection, _("The webhooks in CentralStationCRM couldn't be kept in order: %(reason)s") % {"reason": explain(error)[0]})
        raise
    _note(connection, unreachable(connection) or _out_of_order(states), states)
    return states


def _require_short_addresses(connection: Connection) -> None:
    if max(len(hook_address(connection, model, event)) for model, event in HOOKS) > LONGEST_ADDRESS:
        message = _("BASE_URL is too long: CentralStationCRM takes addresses of %(n)s characters at most.") % {"n": LONGEST_ADDRESS}
        raise NeedsPerson(message, side=Side.CENTRALSTATION)


def _note(connection: Connection, notice: str, states: Sequence[HookState] | None = None) -> None:
    """`states` are left as they were where they couldn't be found out."""
    connection.hooks_notice, connection.hooks_checked_at = notice, timezone.now()
    if states is not None:
        connection.hook_states = [asdict(one) for one in states]
    known = {name: getattr(connection, name) for name in ("hooks_notice", "hooks_checked_at", "hook_states")}
    Connection.objects.filter(pk=connection.pk).update(**known)


def unreachable(connection: Connection) -> str:
    """Empty where CentralStation may well reach us: also a simulated one, on this machine."""
    if not _is_inside(settings.BASE_URL) or _is_inside(connection.root):
        return ""
    return _("CentralStationCRM can't reach %(url)s from outside: set BASE_URL to the public address, then register the webhooks anew.") % {
        "url": settings.BASE_URL
    }


def _is_inside(url: str) -> bool:
    """Whether an address is this machine's, or of a private network."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


def _out_of_order(states: Sequence[HookState]) -> str:
    bad = ", ".join(f"{one.model} {one.event}" for one in states if one.state is not HookHealth.OK)
    return _("These webhooks in CentralStationCRM aren't in order: %(names)s.") % {"names": bad} if bad else ""


def _repaired(connection: Connection, crm: CentralStationSystem) -> list[HookState]:
    hooks = crm.hooks()
    states = _states(connection, hooks)
    bad = {(one.model, one.event) for one in states if one.state is not HookHealth.OK}
    stray = [hook for hook in hooks if _is_ours(connection, hook) and _event_of(hook) not in HOOKS]
    for hook in [*stray, *(hook for key in sorted(bad) for hook in _of(connection, hooks, *key))]:
        crm.remove_hook(hook.id)
    for model, event in (key for key in HOOKS if key in bad):
        crm.add_hook(model, event, hook_address(connection, model, event))
    return _states(connection, crm.hooks()) if bad else states


def _states(connection: Connection, hooks: Sequence[Hook]) -> list[HookState]:
    return [_state(connection, model, event, list(_of(connection, hooks, model, event))) for model, event in HOOKS]


def _state(connection: Connection, model: str, event: str, ours: Sequence[Hook]) -> HookState:
    """The first of its faults, the worst first."""
    failed = sum(hook.failed or 0 for hook in ours)
    faults = {
        HookHealth.MISSING: not ours,
        HookHealth.FOREIGN_ADDRESS: any(hook.target_url != hook_address(connection, model, event) for hook in ours),
        HookHealth.DISABLED: any(hook.is_disabled for hook in ours),
        HookHealth.FAILING: failed > 0,
        HookHealth.DOUBLED: len(ours) > 1,
    }
    return HookState(model, event, next((health for health, is_so in faults.items() if is_so), HookHealth.OK), failed)


def _of(connection: Connection, hooks: Sequence[Hook], model: str, event: str) -> Iterator[Hook]:
    """Ours among `hooks` that were registered for this model and event, whatever address of ours they have."""
    return (hook for hook in hooks if _is_ours(connection, hook) and _event_of(hook) == (model, event))


def _event_of(hook: Hook) -> tuple[str, str]:
    """Models are written in lower case here and there."""
    return (hook.model or "").capitalize(), (hook.event or "").lower()


def _is_ours(connection: Connection, hook: Hook) -> bool:
    path = urlsplit(hook.target_url or "").path
    return any(path == hook_path(connection, model, event) for model, event in HOOKS)
