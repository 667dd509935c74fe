"""A simulated CentralStationCRM account (centralstationcrm.md). `create_app()` gives the web application, `CentralStation` the account."""

from __future__ import annotations

from starlette.applications import Starlette

from crmsync.sandbox.centralstation import around, children, hooks, items, owners
from crmsync.sandbox.centralstation.desk import CentralStationDesk
from crmsync.sandbox.centralstation.seed import fill
from crmsync.sandbox.centralstation.simulation import CentralStation
from crmsync.sandbox.serving import build
from crmsync.sandbox.settings import CentralStationSettings

__all__ = ["CentralStation", "create_app"]


def create_app(settings: CentralStationSettings | None = None) -> Starlette:
    """An account with `settings.contacts` people; `app.state.crm` is the `CentralStation` itself."""
    crm = CentralStation(settings or CentralStationSettings())
    fill(crm)
    hooks.watch(crm)
    operations = [one for module in (owners, children, items, around, hooks) for one in module.operations.all]
    return build(crm, CentralStationDesk(crm), operations, hooks.HANDLERS)
