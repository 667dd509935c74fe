"""CentralStation's answers without their envelopes: one object, one page of a list, or a whole list page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from pydantic import JsonValue

from crmsync.engine.records import Side
from crmsync.systems.border import parse
from crmsync.systems.centralstation.answers import account_full, not_found
from crmsync.systems.centralstation.rows import Row, Totals, is_message, unwrap, unwrap_rows
from crmsync.systems.errors import CrmError, Unanswered, Unavailable, UnexpectedAnswer
from crmsync.systems.operations import Operation
from crmsync.systems.transport import Transport

PERPAGE = 250
"""The most a list gives (centralstationcrm.md, section 1.1)."""

R = TypeVar("R", bound=Row)
Params = Mapping[str, object]


class Api:
    """The transport, read and written in rows."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def send(self, operation: Operation, *, params: Params | None = None, json: JsonValue = None, **ids: str) -> JsonValue:
        """The bare answer. Raises `NeedsPerson` when the account is full."""
        try:
            return self._transport.call(operation, params=params, json=json, **ids)
        except Unavailable as error:
            if error.status != 507:
                raise
            operation_name = error.operation
        raise account_full(operation_name)

    def one(self, shape: type[R], operation: Operation, *, params: Params | None = None, json: JsonValue = None, **ids: str) -> R:
        """One object. Raises `NotFound` where a read is answered by an error text instead, `Unanswered` where a create is."""
        row = self.written(shape, operation, params=params, json=json, **ids)
        if row is not None:
            return row
        raise not_found(operation) if operation.repeatable else _unshown(operation)

    def written(
        self, shape: type[R], operation: Operation, *, params: Params | None = None, json: JsonValue = None, **ids: str
    ) -> R | None:
        """The object where the answer shows it; None where it is but a message (centralstationcrm.md, section 1.2, trap b)."""
        answer = unwrap(self.send(operation, params=params, json=json, **ids))
        if answer is None or is_message(answer):
            return None
        return parse(shape, answer, side=Side.CENTRALSTATION, operation=operation)

    def page(self, shape: type[R], operation: Operation, number: int, *, params: Params | None = None, **ids: str) -> tuple[list[R], bool]:
        """The rows of one page, each once, and whether more may follow: only a page that isn't full is surely the last."""
        answer = self.send(operation, params={"page": number, "perpage": PERPAGE, **(params or {})}, **ids)
        rows: list[R] = parse(list[shape], unwrap_rows(answer), side=Side.CENTRALSTATION, operation=operation)  # type: ignore[valid-type]
        is_full = isinstance(answer, list) and len(answer) >= PERPAGE
        return list({row.id: row for row in rows}.values()), is_full

    def every(self, shape: type[R], operation: Operation, *, params: Params | None = None, **ids: str) -> Iterator[R]:
        """All rows of a list, holding one page; each once, though pages shift when rows are added meanwhile."""
        number, seen, more = 1, set[str](), True
        while more:
            rows, more = self.page(shape, operation, number, params=params, **ids)
            yield from (row for row in rows if row.id not in seen)
            seen |= {row.id for row in rows}
            number += 1

    def total(self, operation: Operation) -> int:
        """The number that a count tells. Raises `UnexpectedAnswer` where it tells none."""
        totals = parse(Totals, unwrap(self.send(operation)), side=Side.CENTRALSTATION, operation=operation)
        total = totals.total_entries if totals.total_entries is not None else totals.total_size
        if total is None:
            message = f"CentralStationCRM answered “{operation.name}” without total_entries."
            raise UnexpectedAnswer(message, side=Side.CENTRALSTATION, operation=operation.name, field="total_entries")
        return total


def _unshown(operation: Operation) -> CrmError:
    message = f"CentralStationCRM didn't show what “{operation.name}” made."
    return Unanswered(message, side=Side.CENTRALSTATION, operation=operation.name)
