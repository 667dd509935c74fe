"""GoHighLevel's operations, sent for one location, with answers as typed records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from pydantic import JsonValue

from crmsync.engine.records import Side
from crmsync.systems.border import parse
from crmsync.systems.errors import PermissionMissing
from crmsync.systems.ghl.refusals import permission_missing
from crmsync.systems.operations import Operation
from crmsync.systems.transport import Transport

T = TypeVar("T")


class Api:
    """The transport of one location. What the token lacks the scope for isn't sent: `missing` holds those scopes, and grows with what
    GoHighLevel refuses for lack of one; `on_missing` is told of each, once."""

    def __init__(
        self,
        transport: Transport,
        location_id: str,
        missing_scopes: Iterable[str] = (),
        on_missing: Callable[[PermissionMissing], None] | None = None,
    ) -> None:
        self.transport = transport
        self.location_id = location_id
        self.missing = set(missing_scopes)
        self._on_missing = on_missing

    def send(self, operation: Operation, *, params: Mapping[str, object] | None = None, json: JsonValue = None, **ids: str) -> JsonValue:
        """The bare answer; the location's id in the path is filled in. Raises `PermissionMissing` without a request where that is known."""
        if operation.scope in self.missing:
            raise permission_missing(operation)
        try:
            return self.transport.call(operation, params=params, json=json, **{"location_id": self.location_id, **ids})
        except PermissionMissing as error:
            self._learn(error)
            raise

    def _learn(self, error: PermissionMissing) -> None:
        if error.scope and error.scope not in self.missing:
            self.missing.add(error.scope)
            if self._on_missing is not None:
                self._on_missing(error)

    def ask(
        self, shape: type[T], operation: Operation, *, params: Mapping[str, object] | None = None, json: JsonValue = None, **ids: str
    ) -> T:
        """The answer as `shape`. Raises `UnexpectedAnswer` where it isn't one."""
        return parse(shape, self.send(operation, params=params, json=json, **ids), side=Side.GHL, operation=operation)
