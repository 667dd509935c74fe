"""How long a request may wait for the database: `with bounded(4.5): …` ends in a `django.db.Error` rather than later.

A sender of webhooks gives up after some seconds and may never come again, where an answer of 429 in time would have made it. The bound
holds for everything in the block together: for opening the connection, for locks that others hold, for a server that is silent.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

CONNECT_S = 2
"""For one address of a PostgreSQL server; psycopg takes no less."""

CHECK_S = 0.9
"""For the question whether an open connection still works, which comes before the first statement."""

CUT_OFF_LATER_S = 0.2


def bounded(seconds: float) -> AbstractContextManager[None]:
    """The statements in the block take `seconds` at most, all together. What isn't a statement (a COMMIT that is slow) isn't bounded
    on SQLite."""
    connection = connections[DEFAULT_DB_ALIAS]
    until = time.monotonic() + seconds
    return _on_postgresql(connection, until) if connection.vendor == "postgresql" else _on_sqlite(connection, until)


@contextmanager
def _on_sqlite(connection: BaseDatabaseWrapper, until: float) -> Iterator[None]:
    """Each statement waits for locks only as long as is left."""

    def wait_until(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        connection.connection.execute(f"PRAGMA busy_timeout = {round(_left(until) * 1000)}")
        return execute(sql, params, many, context)

    usual_s = connection.settings_dict["OPTIONS"].get("timeout", 5.0)
    try:
        with _opened_with(connection, timeout=_left(until)):
            connection.ensure_connection()
        with connection.execute_wrapper(wait_until):
            yield
    finally:
        if connection.connection is not None:
            connection.connection.execute(f"PRAGMA busy_timeout = {round(usual_s * 1000)}")


@contextmanager
def _on_postgresql(connection: BaseDatabaseWrapper, until: float) -> Iterator[None]:
    """The server ends what waits for locks. Where the server itself is silent, a timer cuts the connection off, a little later."""
    if connection.connection is not None:
        with _cut_off_after(connection, min(CHECK_S, _left(until))):
            connection.close_if_health_check_failed()
    if connection.connection is None:
        with _opened_with(connection, connect_timeout=CONNECT_S):
            connection.connect()
    if (left_s := _left(until)) == 0:
        raise OperationalError("Opening the database took too long.")
    with _cut_off_after(connection, left_s + CUT_OFF_LATER_S), connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {max(1, round(left_s * 1000))}")
        try:
            yield
        finally:
            with suppress(DatabaseError):
                cursor.execute("RESET statement_timeout")


@contextmanager
def _opened_with(connection: BaseDatabaseWrapper, **options: object) -> Iterator[None]:
    """A connection that is opened in the block has these options. It is this thread's own, so nobody else's are touched."""
    usual = connection.settings_dict
    connection.settings_dict = {**usual, "OPTIONS": {**usual["OPTIONS"], **options}}
    try:
        yield
    finally:
        connection.settings_dict = usual


@contextmanager
def _cut_off_after(connection: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
    line = connection.connection
    timer = threading.Timer(seconds, _cut_off, [line.fileno()])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if line.closed:
            connection.close()  # so that the next statement opens a new one


def _cut_off(descriptor: int) -> None:
    """End the wait on our side. Asking the server to give up would be another wait, and psycopg holds all threads up meanwhile."""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as line:
        line.shutdown(socket.SHUT_RDWR)


def _left(until: float) -> float:
    return max(0.0, until - time.monotonic())


class Patience:
    """How long the threads of a process wait for the database. After one has waited in vain the next ones hardly do, until it answers
    again: they would only hold up those behind them, beyond the time that senders wait."""

    LONG_S, SHORT_S = 4.5, 0.25
    REMEMBERED_S = 10.0

    def __init__(self) -> None:
        self._short_until = 0.0

    @property
    def seconds(self) -> float:
        return self.SHORT_S if time.monotonic() < self._short_until else self.LONG_S

    def lose(self) -> None:
        self._short_until = time.monotonic() + self.REMEMBERED_S

    def regain(self) -> None:
        self._short_until = 0.0
