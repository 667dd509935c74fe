"""GoHighLevel's operations, sent for one location, with answers as typed records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import JsonValue

from crmsync.engine.records import Side
from crmsync.systems.border import parse
from crmsync.systems.operations import Operation
from crmsync.systems.transport import Transport

T = TypeVar("T")


class Api:
    """The transport of one location."""

    def __init__(self, transport: Transport, location_id: str) -> None:
        self.transport = transport
        self.location_id = location_id

    def send(self, operation: Operation, *, params: Mapping[str, object] | None = None, json: JsonValue = None, **ids: str) -> JsonValue:
        """The bare answer; the location's id in the path is filled in."""
        return self.transport.call(operation, params=params, json=json, **{"location_id": self.location_id, **ids})

    def ask(
        self, shape: type[T], operation: Operation, *, params: Mapping[str, object] | None = None, json: JsonValue = None, **ids: str
    ) -> T:
        """The answer as `shape`. Raises `UnexpectedAnswer` where it isn't one."""
        return parse(shape, self.send(operation, params=params, json=json, **ids), side=Side.GHL, operation=operation)
