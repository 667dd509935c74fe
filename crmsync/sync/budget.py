"""The rate budget of a connection, in its database row: a sliding window that all processes and threads share.

Each request reserves the moment at which it may go: not before `limit` others have left the window. Waiting is sleeping until then, so
nobody polls. A fixed refill (a token bucket) would let twice the limit through in one window.
"""

from __future__ import annotations

import time
from bisect import insort

from django.db import connection as database
from django.db import transaction
from django.db.models import F

from crmsync import stopping
from crmsync.engine.records import Side
from crmsync.models import Connection, RateBudget
from crmsync.systems.errors import NAMES, RateLimited

DEFAULT_LIMITS = {Side.GHL: (100, 10.0), Side.CENTRALSTATION: (50, 10.0)}
"""Requests and seconds (ghl.md, section 1; centralstationcrm.md, section 1), until answers tell another."""

MARGIN_S = 0.25
"""A request that left late and one that left in time arrive closer together than they were reserved."""

PACE = 0.5
"""Requests keep this share of the average distance, so that a whole window's worth doesn't leave, and arrive, as one burst."""

LONGEST_WAIT_S = 40.0


def create_budget(connection: Connection, rate: tuple[int, float] | None = None) -> RateBudget:
    limit, window_s = rate or DEFAULT_LIMITS[connection.side]
    return RateBudget.objects.create(connection=connection, limit=limit, window_s=window_s)


class DatabaseBudget:
    """`crmsync.systems.base.Budget` for one connection."""

    def __init__(self, connection: Connection) -> None:
        self._pk = connection.pk
        self._side = connection.side
        self._learned: tuple[int | None, float | None, int | None] = (None, None, None)

    def acquire(self) -> None:
        while (wait_s := self._reserve()) > 0:
            stopping.wait(wait_s)
            if not self._is_blocked():
                return

    def learn(self, *, limit: int | None = None, window_s: float | None = None, left_today: int | None = None) -> None:
        told = (limit, window_s, None if left_today is None else left_today // 50)
        if told == self._learned:
            return
        self._learned = told
        values = {"limit": limit or None, "window_s": window_s or None, "left_today": left_today}
        RateBudget.objects.filter(pk=self._pk).update(**{name: value for name, value in values.items() if value is not None})

    def block(self, seconds: float) -> None:
        until = _now() + seconds
        RateBudget.objects.filter(pk=self._pk, blocked_until__lt=until).update(blocked_until=until)

    def _reserve(self) -> float:
        """Reserve the next free moment; how many seconds it is off."""
        with transaction.atomic():
            row = RateBudget.objects.select_for_update().get(pk=self._pk)
            now = _now()
            at = max(now, row.blocked_until)
            if row.slots:
                at = max(at, row.slots[-1] + PACE * row.window_s / row.limit)
            if len(row.slots) >= row.limit:
                at = max(at, row.slots[-row.limit] + row.window_s + MARGIN_S)
            if at - now > LONGEST_WAIT_S:
                raise self._too_far_off(at - now)
            insort(row.slots, at)
            RateBudget.objects.filter(pk=self._pk).update(slots=row.slots[-row.limit :], calls=F("calls") + 1)
        return at - now

    def _is_blocked(self) -> bool:
        """Whether a 429 was met while we slept: then what we reserved is void."""
        return RateBudget.objects.filter(pk=self._pk, blocked_until__gt=_now()).exists()

    def _too_far_off(self, seconds: float) -> RateLimited:
        error = RateLimited(f"{NAMES[self._side]} takes no requests for another {seconds:.0f} s.", side=self._side)
        error.retry_after_s = seconds
        return error


def _now() -> float:
    """Seconds since 1970 by the database's clock, which all machines share; SQLite's is this machine's."""
    if database.vendor != "postgresql":
        return time.time()
    with database.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        return float(cursor.fetchone()[0])
