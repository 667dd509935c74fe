"""Moving everything from an SQLite file into this installation's PostgreSQL database, all of it or nothing. Entry: `move()`.

Rows go model by model, in batches, inside one transaction of the new database: what fails, or counts differently at the end, leaves it as
empty as it was. The old one is read inside a transaction, too, which keeps other writers out, and stays as it is.

Rows are written raw, with their ids and times; secrets are decrypted and encrypted on the way, in memory only. `dumpdata` would write
them to a file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.db import DatabaseError, connection, connections, models, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_q.models import OrmQ

from crmsync import in_use
from crmsync.models import Contact, Run
from crmsync.sync.runs import LOST_AFTER

BATCH = 500
SOURCE = "moved_from"

MADE_BY_MIGRATE: tuple[type[models.Model], ...] = (Group.permissions.through, Group, Permission, ContentType)
"""In a new database, too: they give way to the old ones, for their ids are referred to."""

LEFT_BEHIND: tuple[type[models.Model], ...] = (OrmQ,)
"""Queued jobs are nudges: what there is to do stands in the other tables."""

Model = type[models.Model]
Tell = Callable[[str, int], object]


class MoveError(Exception):
    """Nothing was moved. `message` says why, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def move(file: Path, tell: Tell = lambda table, rows: None) -> dict[str, int]:
    """Copy all rows of the SQLite `file`, and say how many of each table; `tell` hears it as it goes on. Raises `MoveError`."""
    if connection.vendor != "postgresql":
        raise MoveError("Set DATABASE_URL to the new PostgreSQL database: it is what everything moves into.")
    if not file.is_file():
        raise MoveError(f"There is no file {file}.")
    with in_use.alone(file) as is_alone:
        if not is_alone:
            raise MoveError("serve, web or qcluster is running on that file. End it first: what it wrote meanwhile would be lost.")
        with _opened(file):
            return _move(tell)


@contextmanager
def _opened(file: Path) -> Iterator[None]:
    """The file as database `SOURCE`, nobody else writing to it."""
    options = {"transaction_mode": "IMMEDIATE", "timeout": 2}
    config = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file), "OPTIONS": options}
    connections.settings[SOURCE] = connections.configure_settings({"default": config})["default"]
    source = connections[SOURCE]
    try:
        source.ensure_connection()
        with transaction.atomic(using=SOURCE):
            yield
    except DatabaseError as error:
        if not isinstance(error.__cause__, sqlite3.DatabaseError):
            raise
        raise MoveError(f"{file} can't be read: {error}. Is something still running on it?") from error
    finally:
        source.close()
        del connections[SOURCE], connections.settings[SOURCE]


def _move(tell: Tell) -> dict[str, int]:
    _require_same_version()
    _require_rest()
    moved = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy and model not in LEFT_BEHIND]
    with transaction.atomic():
        _require_empty(moved)
        for model in MADE_BY_MIGRATE:
            model._base_manager.all().delete()
        counts = {}
        for model in moved:
            counts[model._meta.db_table] = _copy(model)
            tell(model._meta.db_table, counts[model._meta.db_table])
        connection.check_constraints()
        _go_on_counting(moved)
        _require_equal(moved)
    ContentType.objects.clear_cache()
    return counts


def _require_same_version() -> None:
    old, new = (set(MigrationRecorder(connections[name]).applied_migrations()) for name in (SOURCE, connection.alias))
    if old != new:
        raise MoveError("The two databases are of different versions. Run `python manage.py migrate` on both with this version, then move.")


def _require_rest() -> None:
    """A command of its own (`sync run --wait`) may be at work: it says so in the tables."""
    now = timezone.now()
    working = Run.objects.using(SOURCE).filter(ended_at=None, heartbeat_at__gt=now - LOST_AFTER).exists()
    if working or Contact.objects.using(SOURCE).filter(lease_until__gt=now).exists():
        raise MoveError("A run is at work in the old database. Wait for its end; where it was killed, for a minute.")


def _require_empty(moved: Iterable[Model]) -> None:
    for model in moved:
        if model not in MADE_BY_MIGRATE and model._base_manager.exists():
            raise MoveError(
                f"The new database isn't empty ({model._meta.db_table} has rows). Make a new one, and run `python manage.py migrate` only."
            )


def _copy(model: Model) -> int:
    rows = model._base_manager.using(SOURCE).order_by("pk").iterator(chunk_size=BATCH)
    count = 0
    while batch := list(islice(rows, BATCH)):
        _insert(model, batch)
        count += len(batch)
    return count


def _insert(model: Model, rows: Sequence[models.Model]) -> None:
    """Write rows as they are. PostgreSQL is stricter (lengths, for one): the first row that it refuses is named, without what is in it."""
    manager: Any = model._base_manager
    try:
        with transaction.atomic():
            manager._insert(rows, fields=model._meta.local_concrete_fields, using=connection.alias, raw=True)
    except DatabaseError as error:
        if len(rows) > 1:
            for row in rows:
                _insert(model, [row])
        why = type(error.__cause__).__name__
        raise MoveError(f"PostgreSQL doesn't take row {rows[0].pk} of {model._meta.db_table} ({why}). Nothing was moved.") from error


def _go_on_counting(moved: Sequence[Model]) -> None:
    """New ids begin after the highest that came along."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(moved)):
            cursor.execute(statement)


def _require_equal(moved: Iterable[Model]) -> None:
    for model in moved:
        there, here = (model._base_manager.using(name).count() for name in (SOURCE, connection.alias))
        if there != here:
            raise MoveError(f"{model._meta.db_table} has {there} rows in the old database and {here} in the new one. Nothing was moved.")
