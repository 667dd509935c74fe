"""Pages by key, newest first: the last of many is as quick as the first, and steady while rows are added."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

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


def page_of(rows: QuerySet[Row], asked: Mapping[str, str], size: int = 50) -> Page[Row]:
    """The page that `asked` names by `before` (newer than this key) or `after` (older than it), else the first. One query."""
    after, before = _key(asked.get("after")), _key(asked.get("before"))
    if before is not None:
        found = list(rows.filter(pk__gt=before).order_by("pk")[: size + 1])
        shown = found[:size][::-1]
        return Page(shown, _first(shown) if len(found) > size else None, _last(shown))
    found = list((rows if after is None else rows.filter(pk__lt=after)).order_by("-pk")[: size + 1])
    shown = found[:size]
    return Page(shown, None if after is None else _first(shown), _last(shown) if len(found) > size else None)


def _key(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _first(rows: list[Row]) -> int | None:
    return rows[0].pk if rows else None


def _last(rows: list[Row]) -> int | None:
    return rows[-1].pk if rows else None
