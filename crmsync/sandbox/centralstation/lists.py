"""What all lists share: pages, order, filters (centralstationcrm.md, section 1.1). Several filters must all hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from crmsync.sandbox.centralstation.rows import Row, moment
from crmsync.sandbox.core import Call, Refusal

T = TypeVar("T")
PER_PAGE, MOST_PER_PAGE = 50, 250
ORDERS = {
    "abc": "name",
    "name": "name",
    "new": "created_at",
    "created_at": "created_at",
    "update": "updated_at",
    "updated_at": "updated_at",
    "activity": "_stream",
    "id": "id",
    "occurred_at": "occurred_at",
}
FILTER = re.compile(r"filter\[(\w+)\]\[(\w+)\]")


def page_of(rows: list[T], call: Call) -> list[T]:
    """More than 250 a page are cut to 250."""
    page, size = _number(call, "page", 1), min(_number(call, "perpage", PER_PAGE), MOST_PER_PAGE)
    return rows[(page - 1) * size : page * size]


def ordered(rows: list[Row], call: Call, default: str = "id-asc") -> list[Row]:
    """An unknown order is the default one."""
    for wanted in (call.query.get("order", default), default):
        name, _, direction = wanted.rpartition("-")
        if name in ORDERS and direction in ("asc", "desc"):
            return sorted(rows, key=lambda row: _sort_key(row.get(ORDERS[name]), row["id"]), reverse=direction == "desc")
    return rows


def _sort_key(value: Any, id: int) -> tuple[bool, Any, int]:
    return value is not None, value.casefold() if isinstance(value, str) else value if value is not None else 0, id


def filtered(rows: list[Row], call: Call) -> list[Row]:
    """Raises a 400 for a member that the rows don't have, an unknown operator, or `between` without exactly two values."""
    for name, value in call.query.items():
        if found := FILTER.fullmatch(name):
            rows = [row for row in rows if _holds(row, found[1], found[2], value)]
    return rows


def _holds(row: Row, member: str, operator: str, wanted: str) -> bool:
    if member not in row or operator not in OPERATORS:
        raise Refusal(400, {"error": "filter-invalid", "description": f"filter[{member}][{operator}] is not supported"})
    value = row[member]
    return value is not None and OPERATORS[operator](value, wanted)


def like(value: Any, text: str) -> Any:
    """`text` from a query as the same sort of thing as `value`."""
    if isinstance(value, datetime):
        return moment(text) or _refuse(text)
    if isinstance(value, bool):
        return text in ("true", "1")
    if isinstance(value, int):
        return int(text) if re.fullmatch(r"-?\d+", text) else _refuse(text)
    return text


def _refuse(text: str) -> Any:
    raise Refusal(400, {"error": "filter-invalid", "description": f"{text} does not fit"})


def _between(value: Any, wanted: str) -> bool:
    bounds = wanted.split(",")
    if len(bounds) != 2:
        _refuse(wanted)
    return bool(like(value, bounds[0]) <= value <= like(value, bounds[1]))


def _like(value: Any, wanted: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in wanted.split("%"))
    return re.fullmatch(pattern, str(value), re.IGNORECASE | re.DOTALL) is not None


OPERATORS: Mapping[str, Callable[[Any, str], bool]] = {
    "equal": lambda value, wanted: bool(value == like(value, wanted)),
    "larger_than": lambda value, wanted: bool(value > like(value, wanted)),
    "smaller_than": lambda value, wanted: bool(value < like(value, wanted)),
    "between": _between,
    "in": lambda value, wanted: value in [like(value, one) for one in wanted.split(",")],
    "like": _like,
}


def _number(call: Call, name: str, default: int) -> int:
    given = call.query.get(name, "")
    return max(1, int(given)) if given.isdigit() else default
