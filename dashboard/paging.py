"""Pages by key: the last of many is as quick as the first, and steady while rows are added. Newest first, unless told otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import Combinable

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page. `newer` and `older` are the keys that the neighbouring pages begin at, None where there is no such page."""

    rows: list[Row]
    newer: int | None
    older: int | None

    @property
    def has_others(self) -> bool:
        return self.newer is not None or self.older is not None


@dataclass(frozen=True, slots=True)
class Order:
    """Rows sorted by `by`, and by their keys where that is equal. An index over `by` and the key makes its pages quick."""

    by: Combinable
    is_descending: bool = False


NEWEST = Order(F("pk"), is_descending=True)


def page_of(rows: QuerySet[Row], asked: Mapping[str, str], size: int = 50, order: Order = NEWEST) -> Page[Row]:
    """The page that `asked` names by `before` (what stands before this key) or `after` (what stands after it), else the first.

    One query; two where the order isn't by key: the address holds a key and nothing of a person, so the row's place is looked up. Where
    the row is gone, the first page is shown."""
    after, before = _key(asked.get("after")), _key(asked.get("before"))
    if before is not None:
        found = list(_beyond(rows, order, before, is_forward=False)[: size + 1])
        shown = found[:size][::-1]
        return Page(shown, _first(shown) if len(found) > size else None, _last(shown))
    found = list(_beyond(rows, order, after, is_forward=True)[: size + 1])
    shown = found[:size]
    return Page(shown, None if after is None else _first(shown), _last(shown) if len(found) > size else None)


def _beyond(rows: QuerySet[Row], order: Order, key: int | None, *, is_forward: bool) -> QuerySet[Row]:
    """The rows after `key` in this direction, nearest first."""
    is_descending = order.is_descending is is_forward
    compare, sign = ("lt", "-") if is_descending else ("gt", "")
    if order is NEWEST:
        beyond = rows if key is None else rows.filter(**{f"pk__{compare}": key})
        return beyond.order_by(f"{sign}pk")
    placed = cast("QuerySet[Row]", rows.alias(place=order.by))
    if key is not None:
        at = rows.model._default_manager.filter(pk=key).values_list(order.by)
        placed = placed.filter(_past(at[0][0], key, compare)) if at else placed
    return placed.order_by(f"{sign}place", f"{sign}pk")


def _past(place: Any, key: int, compare: str) -> Q:
    """Beyond (place, key), in a form that an index over both can begin at."""
    return Q(**{f"place__{compare}e": place}) & (Q(**{f"place__{compare}": place}) | Q(**{f"pk__{compare}": key}))


def _key(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _first(rows: list[Row]) -> int | None:
    return rows[0].pk if rows else None


def _last(rows: list[Row]) -> int | None:
    return rows[-1].pk if rows else None
