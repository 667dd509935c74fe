"""A simulated GoHighLevel location (ghl.md). `create_app()` gives the web application, `Ghl` is the location behind it."""

from __future__ import annotations

from starlette.applications import Starlette

from crmsync.sandbox.ghl import around, contacts, items, search
from crmsync.sandbox.ghl.desk import GhlDesk
from crmsync.sandbox.ghl.location import Ghl
from crmsync.sandbox.ghl.seed import fill
from crmsync.sandbox.serving import build
from crmsync.sandbox.settings import GhlSettings

__all__ = ["Ghl", "create_app"]


def create_app(settings: GhlSettings | None = None) -> Starlette:
    """A location with `settings.contacts` people; `app.state.crm` is the `Ghl` itself."""
    crm = Ghl(settings or GhlSettings())
    fill(crm)
    return build(crm, GhlDesk(crm), [*contacts.operations.all, *search.operations.all, *items.operations.all, *around.operations.all])
