"""A simulated GoHighLevel location (ghl.md). `create_app()` gives the web application, `Ghl` is the location behind it."""

from __future__ import annotations

from starlette.applications import Starlette

from crmsync.sandbox.ghl import around, consent, contacts, control, items, search, tokens
from crmsync.sandbox.ghl.desk import GhlDesk
from crmsync.sandbox.ghl.location import Ghl
from crmsync.sandbox.ghl.seed import fill
from crmsync.sandbox.serving import build
from crmsync.sandbox.settings import GhlSettings

__all__ = ["OPERATIONS", "Ghl", "create_app"]

OPERATIONS = tuple(one for module in (contacts, search, items, around, tokens) for one in module.operations.all)


def create_app(settings: GhlSettings | None = None) -> Starlette:
    """A location with `settings.contacts` people; `app.state.crm` is the `Ghl` itself."""
    crm = Ghl(settings or GhlSettings())
    with crm.webhooks.silenced():
        fill(crm)
    desk = GhlDesk(crm)
    return build(crm, desk, OPERATIONS, control.HANDLERS, consent.routes(crm, desk))
