"""The rate budget of a connection, in its database row: a sliding window that all processes and threads share, and a circuit breaker.

Each request reserves the moment at which it may go: not before `limit` others have left the window, and then sleeps until it has come. A
fixed refill (a token bucket) would let twice the limit through in one window. Live changes go first: background work reserves only what
is about to come, and nothing while live changes wait, so it yields within a second.

Where a CRM is out of order, `BREAK_AFTER` requests in a row tell. Then nobody asks for a while, one request probes, and the first
answer ends it.
"""

from __future__ import annotations

import time
from bisect import insort
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync import stopping
from crmsync.engine.records import Side
from crmsync.models import Connection, Contact, RateBudget, Status
from crmsync.systems.errors import NAMES, RateLimited, Resting, Unanswered, Unavailable

DEFAULT_LIMITS = {Side.GHL: (100, 10.0), Side.CENTRALSTATION: (50, 10.0)}
"""Requests and seconds (ghl.md, section 1; centralstationcrm.md, section 1), until answers tell another."""

MARGIN_S = 0.25
"""A request that left late and one that left in time arrive closer together than they were reserved."""

PACE = 0.5
"""Requests keep this share of the average distance, so that a whole window's worth doesn't leave, and arrive, as one burst."""

LONGEST_WAIT_S = 40.0

LIVE_FOR_S = 1.0
"""So long after a live request background work stands back, for another may follow."""

IN_SIGHT_S = 0.2
"""Background work reserves nothing that is farther off, so that live requests needn't queue behind it."""

KEPT_FOR_LIVE = 0.05
"""The share of a day's calls that background work doesn't touch."""

DAY_LOOK_S = 900.0
"""Where a day's calls are nearly used up, one request in so long looks whether a new day has come."""

A_DAY = {Side.GHL: 200_000}
"""Calls a day (ghl.md, section 1). CentralStationCRM tells of no such limit."""

BREAK_AFTER = 20
FIRST_REST_S, LONGEST_REST_S = 2.0, 15.0
PROBE_S = 10.0
"""So long others wait for the outcome of the request that probes."""


OUT_OF_ORDER = (Unavailable.code, Unanswered.code)


@dataclass(frozen=True, slots=True)
class Turn:
    """When to go on: at a moment that is reserved (`is_mine`), or to ask again."""

    wait_s: float
    is_mine: bool


def create_budget(connection: Connection, rate: tuple[int, float] | None = None) -> RateBudget:
    limit, window_s = rate or DEFAULT_LIMITS[connection.side]
    return RateBudget.objects.create(connection=connection, limit=limit, window_s=window_s)


class DatabaseBudget:
    """`crmsync.systems.base.Budget` for one connection. `is_live`: for changes that somebody waits for; other work stands back."""

    def __init__(self, connection: Connection, *, is_live: bool = False) -> None:
        self._pk = connection.pk
        self._side = connection.side
        self._is_live = is_live
        self._is_suspect = False
        self._learned: tuple[int | None, float | None, int | None] = (None, None, None)

    def acquire(self) -> None:
        asked = now_s()
        while (turn := self._reserve(asked)).wait_s > 0:
            stopping.wait(turn.wait_s)
            if turn.is_mine and not self._is_blocked():
                return

    def learn(self, *, limit: int | None = None, window_s: float | None = None, left_today: int | None = None) -> None:
        told = (limit, window_s, None if left_today is None else left_today // 50)
        if told == self._learned:
            return
        self._learned = told
        values = {"limit": limit or None, "window_s": window_s or None, "left_today": left_today}
        RateBudget.objects.filter(pk=self._pk).update(**{name: value for name, value in values.items() if value is not None})

    def block(self, seconds: float) -> None:
        until = now_s() + seconds
        RateBudget.objects.filter(pk=self._pk, blocked_until__lt=until).update(blocked_until=until)

    def answered(self) -> None:
        if not self._is_suspect:
            return
        self._is_suspect = False
        was_broken = RateBudget.objects.filter(pk=self._pk, failures__gte=BREAK_AFTER).exists()
        RateBudget.objects.filter(pk=self._pk).update(failures=0, broken_until=0)
        if was_broken:
            self._back_in_order()

    def failed(self) -> None:
        self._is_suspect = True
        RateBudget.objects.filter(pk=self._pk).update(failures=F("failures") + 1)
        row = RateBudget.objects.get(pk=self._pk)
        if row.failures >= BREAK_AFTER:
            rest_s = min(FIRST_REST_S * 2 ** ((row.failures - BREAK_AFTER) // 2), LONGEST_REST_S)
            RateBudget.objects.filter(pk=self._pk).update(broken_until=now_s() + rest_s)

    def _back_in_order(self) -> None:
        """What failed because the CRM was out of order is due now, not only after the pauses that have grown meanwhile."""
        held = Contact.objects.filter(Q(sync__ghl=self._pk) | Q(sync__centralstation=self._pk), status=Status.FAILED, dirty__gt=0)
        held.filter(issue__side=self._side, issue__code__in=OUT_OF_ORDER, due_at__isnull=False).update(due_at=timezone.now())

    def _reserve(self, asked: float) -> Turn:
        """Reserve the next free moment, or for background work learn when to ask again. Who `asked` long ago may reserve what is farther
        off, so that it gets its turn."""
        with transaction.atomic():
            row = RateBudget.objects.select_for_update().get(pk=self._pk)
            now = now_s()
            self._check_breaker(row, now)
            if not self._is_live:
                self._check_day(row, now)
                if row.live_until > now and now - asked < LONGEST_WAIT_S:
                    return Turn(min(row.live_until - now, IN_SIGHT_S), is_mine=False)
            at = self._next_moment(row, now)
            if not self._is_live and at - now > IN_SIGHT_S and now - asked < LONGEST_WAIT_S:
                return Turn(at - now - IN_SIGHT_S / 2, is_mine=False)
            if at - now > LONGEST_WAIT_S:
                raise self._too_far_off(at - now)
            insort(row.slots, at)
            day = datetime.fromtimestamp(now, UTC).date()
            changes: dict[str, Any] = {"slots": row.slots[-row.limit :], "calls": F("calls") + 1, "today": day}
            changes["calls_today"] = F("calls_today") + 1 if row.today == day else 1
            if self._is_live:
                changes["live_until"] = at + LIVE_FOR_S
            RateBudget.objects.filter(pk=self._pk).update(**changes)
        return Turn(at - now, is_mine=True)

    def _next_moment(self, row: RateBudget, now: float) -> float:
        at = max(now, row.blocked_until)
        if row.slots:
            at = max(at, row.slots[-1] + PACE * row.window_s / row.limit)
        if len(row.slots) >= row.limit:
            at = max(at, row.slots[-row.limit] + row.window_s + MARGIN_S)
        return at

    def _check_breaker(self, row: RateBudget, now: float) -> None:
        """Raises `Resting` while nobody may ask; afterwards lets one through, and the others wait for what becomes of it."""
        self._is_suspect = row.failures > 0
        if row.failures < BREAK_AFTER:
            return
        if row.broken_until > now:
            raise self._resting(row.broken_until - now)
        RateBudget.objects.filter(pk=self._pk).update(broken_until=now + PROBE_S)

    def _check_day(self, row: RateBudget, now: float) -> None:
        """Raises `RateLimited` where the day's calls are nearly used up, and lets one through in a while that learns of the next day."""
        kept = A_DAY.get(self._side, 0) * KEPT_FOR_LIVE
        lately = bool(row.slots) and now - row.slots[-1] < DAY_LOOK_S
        if row.left_today is not None and row.left_today < kept and lately:
            text = _("%(crm)s allows only %(n)d more requests today: they are kept for live changes.")
            error = RateLimited(text % {"crm": NAMES[self._side], "n": row.left_today}, side=self._side)
            error.retry_after_s = DAY_LOOK_S
            raise error

    def _resting(self, seconds: float) -> Resting:
        text = _("%(crm)s is out of order. It is asked again in %(s)d s.")
        error = Resting(text % {"crm": NAMES[self._side], "s": max(1, round(seconds))}, side=self._side)
        error.retry_after_s = seconds
        return error

    def _is_blocked(self) -> bool:
        """Whether a 429 was met while we slept: then what we reserved is void."""
        return RateBudget.objects.filter(pk=self._pk, blocked_until__gt=now_s()).exists()

    def _too_far_off(self, seconds: float) -> RateLimited:
        text = _("%(crm)s takes no requests for another %(s)d s.")
        error = RateLimited(text % {"crm": NAMES[self._side], "s": round(seconds)}, side=self._side)
        error.retry_after_s = seconds
        return error


def now_s() -> float:
    """Seconds since 1970 by the database's clock, which all machines share; SQLite's is this machine's."""
    if database.vendor != "postgresql":
        return time.time()
    with database.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        return float(cursor.fetchone()[0])
