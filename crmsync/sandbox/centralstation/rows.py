"""Rows in memory, and this CRM's times: whole seconds, shown with Berlin's offset (centralstationcrm.md, section 1.3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
Owner = tuple[str, int]
"""What a row hangs on: `("Person", 17)`."""

BERLIN = ZoneInfo("Europe/Berlin")


class Table:
    """Rows of one kind by id, oldest first; those of one owner are found without a walk. Ids rise, but not by one."""

    def __init__(self, first_id: int) -> None:
        self.rows: dict[int, Row] = {}
        self._owned: dict[Owner, list[int]] = {}
        self._owners: dict[int, list[Owner]] = {}
        self._next = first_id

    def add(self, row: Row, *owners: Owner) -> Row:
        self._next += 3
        stored = {"id": self._next, **row}
        self.rows[stored["id"]] = stored
        self.own(stored["id"], *owners)
        return stored

    def own(self, id: int, *owners: Owner) -> None:
        for owner in owners:
            self._owned.setdefault(owner, []).append(id)
            self._owners.setdefault(id, []).append(owner)

    def disown(self, id: int, *owners: Owner) -> None:
        for owner in list(owners):
            self._owned[owner].remove(id)
            self._owners[id].remove(owner)

    def remove(self, id: int) -> None:
        del self.rows[id]
        self.disown(id, *self._owners.get(id, []))

    def of(self, owner: Owner) -> list[Row]:
        return [self.rows[id] for id in list(self._owned.get(owner, ()))]

    def all(self) -> list[Row]:
        return list(self.rows.values())


def shown(value: datetime) -> str:
    return value.astimezone(BERLIN).strftime("%Y-%m-%dT%H:%M:%S.000%z")[:-2] + ":" + value.astimezone(BERLIN).strftime("%z")[-2:]


def moment(value: object) -> datetime | None:
    """A time as it is sent in; without an offset it is Berlin's, a date alone is its midnight. None for what isn't one."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(microsecond=0)
    try:
        parsed = datetime.fromisoformat(str(value).replace(" ", "+") if "T" in str(value) else str(value))
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=BERLIN)).astimezone(UTC).replace(microsecond=0)


def berlin_day(value: datetime | None) -> date | None:
    return value.astimezone(BERLIN).date() if value else None


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), BERLIN).astimezone(UTC)


def without_hidden(row: Row) -> Row:
    """Members that begin with an underscore are the simulation's own."""
    return {key: value for key, value in row.items() if not key.startswith("_")}


def words(text: str | None) -> list[str]:
    return (text or "").split()


def newest(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: int(row["id"]), reverse=True)
