"""CentralStation's hooks as its API keeps them: listed, added, removed. There is no changing one (centralstationcrm.md, section 13)."""

from __future__ import annotations

from contextlib import suppress

from crmsync.systems.centralstation import operations as op
from crmsync.systems.centralstation.api import Api
from crmsync.systems.centralstation.rows import Row, Text
from crmsync.systems.errors import NotFound

LONGEST_ADDRESS = 190
"""Characters of a hook's address."""


class Hook(Row):
    """`failed` counts the deliveries that failed; a disabled one delivers nothing any more."""

    model: Text = None
    event: Text = None
    target_url: Text = None
    state: Text = None
    failed: int | None = None

    @property
    def is_disabled(self) -> bool:
        return self.state is not None and self.state != "active"


class Hooks:
    """The hooks of an account, other people's included."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def all(self) -> list[Hook]:
        return list(self._api.every(Hook, op.LIST_HOOKS))

    def add(self, model: str, event: str, target_url: str) -> None:
        hook = {"model": model, "event": event, "target_url": target_url, "state": "active", "hook_type": "url"}
        self._api.send(op.CREATE_HOOK, json={"hook": {**hook, "object_type": "hook_with_structure_and_record"}})

    def remove(self, id: str) -> None:
        """One that is gone already is no error."""
        with suppress(NotFound):
            self._api.send(op.DELETE_HOOK, id=id)
