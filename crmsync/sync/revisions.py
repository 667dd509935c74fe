"""Numbered revisions of a mapping: each save makes one, any two can be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from crmsync.models import FieldMapping, MappingRevision, Sync

COLUMNS = ("name", "ghl_field", "centralstation_field", "type", "direction", "conflict")
UNKNOWN = "—"
"""Who made a mapping that is older than its revisions."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A row that isn't alike in two revisions, and the columns that differ. `before` is None where it was added, `after` where removed."""

    name: str
    before: Row | None
    after: Row | None
    columns: tuple[str, ...] = ()


def rows_of(sync: Sync) -> list[dict[str, Any]]:
    """The mapping as it is now."""
    return list(sync.mappings.values(*COLUMNS))


def save(sync: Sync, by: AbstractBaseUser | None, change: Callable[[], object], restored: int | None = None) -> bool:
    """Do `change` to the rows of a mapping and keep what comes of it as a revision. False where nothing changed."""
    with transaction.atomic():
        Sync.objects.select_for_update().get(pk=sync.pk)  # two who save at once get two numbers
        before = rows_of(sync)
        if before and not sync.revisions.exists():
            MappingRevision.objects.create(sync=sync, number=1, by_name=UNKNOWN, rows=before)
        change()
        after = rows_of(sync)
        if after == before:
            return False
        latest = sync.revisions.first()
        number = latest.number + 1 if latest else 1
        MappingRevision.objects.create(sync=sync, number=number, by_name=by.get_username() if by else "", rows=after, restored=restored)
    return True


def difference(before: Sequence[Row], after: Sequence[Row]) -> list[RowDifference]:
    """What changed from one mapping to another, in the order of the rows. A row is the same while its GoHighLevel field is."""
    old, new = ({row["ghl_field"]: row for row in rows} for rows in (before, after))
    found = []
    for key in dict.fromkeys([*new, *old]):
        one, other = old.get(key), new.get(key)
        columns = tuple(name for name in COLUMNS if one and other and one[name] != other[name])
        if one is None or other is None or columns:
            found.append(RowDifference((other or one or {})["name"], one, other, columns))
    return found


def write(sync: Sync, rows: Sequence[Row]) -> None:
    """Replace the mapping by `rows`, inside `save`. Nothing refers to a row but by its name."""
    sync.mappings.all().delete()
    FieldMapping.objects.bulk_create(FieldMapping(sync=sync, position=position, **row) for position, row in enumerate(rows))
