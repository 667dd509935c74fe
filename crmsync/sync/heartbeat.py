"""Saying that a process is alive while it works, from a thread of its own: waits for a CRM may be long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from django.db import DatabaseError
from django.db import connection as database

EVERY_S = 5.0


class Heartbeat:
    """Calls `tell` every few seconds inside a `with` block. What it can't tell now it tells the next time."""

    def __init__(self, tell: Callable[[], object]) -> None:
        self._tell = tell
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="heartbeat")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._over.wait(EVERY_S):
                with suppress(DatabaseError):
                    self._tell()
        finally:
            database.close()
