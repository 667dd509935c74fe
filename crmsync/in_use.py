"""Who works with an SQLite file: `serve`, `web` and `qcluster` share it, and a move to another database wants it alone.

A lock on a file beside it, which the kernel lets go of when its process ends, however that happens: nobody is left over.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.core.exceptions import ImproperlyConfigured
from django.db import connection

_shared: IO[str] | None = None


def _open(database: Path) -> IO[str]:
    return database.with_name(f"{database.name}.in-use").open("a")


def share() -> None:
    """From now on until it ends this process works with the database. Raises `ImproperlyConfigured` while it is being moved."""
    global _shared
    if connection.vendor != "sqlite":
        return
    _shared = _open(Path(connection.settings_dict["NAME"]))
    try:
        fcntl.flock(_shared, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ImproperlyConfigured("The database is just being moved to another: start with its DATABASE_URL afterwards.") from error


@contextmanager
def alone(database: Path) -> Iterator[bool]:
    """Whether nobody else works with it; nobody who shares it can begin until the end of the block."""
    with _open(database) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
