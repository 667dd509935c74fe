"""What a connection's page and `manage.py connection show` tell of it, read from the tables. Asks no CRM, and shows no credential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from django.utils.translation import gettext as _

from crmsync.engine.records import Side
from crmsync.models import Connection, RateBudget
from crmsync.sync import listening, scopes
from crmsync.sync.addresses import ghl_address, workflow_address
from crmsync.systems.ghl.client import WITHOUT
from crmsync.systems.ghl.webhooks import EVENTS


@dataclass(frozen=True, slots=True)
class ListedEvent:
    """An event to choose in GHL's app, and whether it has ever come. One that isn't on the list has no purpose: it isn't used."""

    name: str
    purpose: str
    arrived: listening.Arrived | None


@dataclass(frozen=True, slots=True)
class ListedHook:
    """`state` as crmsync.sync.hooks found it last, "" where it isn't registered any more."""

    name: str
    state: str
    arrived: listening.Arrived | None


@dataclass(frozen=True)
class ConnectionReport:
    connection: Connection
    now: datetime

    @property
    def is_ghl(self) -> bool:
        return self.connection.side is Side.GHL

    # Webhooks

    @property
    def webhook_url(self) -> str | None:
        """None for CentralStation: its hooks have one each, which crmsync registers."""
        return ghl_address(self.connection) if self.is_ghl else None

    @property
    def workflow_url(self) -> str:
        return workflow_address(self.connection)

    @cached_property
    def coverage(self) -> float | None:
        return listening.coverage(self.connection)

    @cached_property
    def last_event(self) -> datetime | None:
        return listening.last_event(self.connection)

    @cached_property
    def echoes(self) -> int:
        return listening.echoes(self.connection)

    @cached_property
    def refusals(self) -> Mapping[str, listening.Arrived]:
        return listening.refusals(self.connection)

    @cached_property
    def deafness(self) -> str:
        return listening.deafness(self.connection, self.now)

    @cached_property
    def arrivals(self) -> Mapping[str, listening.Arrived]:
        return listening.arrivals(self.connection)

    @property
    def events(self) -> Sequence[ListedEvent]:
        """GHL's events that are of use, and below them what else has come."""
        wanted = {event.name: _(event.purpose) for event in EVENTS}
        others = [name for name in self.arrivals if name not in wanted]
        return [ListedEvent(name, wanted.get(name, ""), self.arrivals.get(name)) for name in [*wanted, *others]]

    @property
    def hooks(self) -> Sequence[Mapping[str, str]]:
        """CentralStation's: model, event, and the state they were found in last."""
        states: list[dict[str, str]] = self.connection.hook_states
        return states

    @property
    def hook_rows(self) -> Sequence[ListedHook]:
        """CentralStation's hooks with what came by them."""
        states = {f"{hook['model']}.{hook['event']}": hook["state"] for hook in self.hooks}
        names = [*states, *(name for name in self.arrivals if name not in states)]
        return [ListedHook(name, states.get(name, ""), self.arrivals.get(name)) for name in names]

    # Permissions

    @property
    def granted(self) -> Sequence[str] | None:
        """None where nobody told."""
        return self.connection.granted_scopes

    @property
    def missing(self) -> Mapping[str, str]:
        """Each missing permission with what goes without it."""
        known = {**WITHOUT, **self.connection.missing_scopes}
        return {
            scope: _(known[scope]) if scope in known else _("crmsync can't work without it.")
            for scope in sorted(scopes.missing(self.connection))
        }

    # Budget

    @property
    def budget(self) -> RateBudget | None:
        return getattr(self.connection, "budget", None)

    @property
    def broken_until(self) -> datetime | None:
        """Until then nobody asks, for the CRM is out of order; then one request probes."""
        return self._ahead(self.budget.broken_until if self.budget else 0)

    @property
    def blocked_until(self) -> datetime | None:
        """Until then the CRM takes no requests: it said so (429)."""
        return self._ahead(self.budget.blocked_until if self.budget else 0)

    def _ahead(self, epoch_s: float) -> datetime | None:
        return datetime.fromtimestamp(epoch_s, UTC) if epoch_s > self.now.timestamp() else None
