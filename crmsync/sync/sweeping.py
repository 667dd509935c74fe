"""The rotating full comparison: whom nobody has looked at for longest is compared in every aspect, a few at a time, all the time.

It finds what no event and no poll tells of (an edited note in GoHighLevel, an event that was lost). It takes what is left: a quarter of the
day's calls, or of the rate where a CRM counts no days; and half of the rate while events miss much.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.utils import timezone

from crmsync.engine.records import SIDES, Aspect, Side
from crmsync.models import Cause, Connection, Status, Sync
from crmsync.sync import listening
from crmsync.sync.drain import drain
from crmsync.sync.nudging import WORK
from crmsync.sync.session import open_session

AT_ONCE = 20
SELDOM, OFTEN = timedelta(minutes=10), timedelta(seconds=30)
"""Nobody is compared twice within so long: where events tell nearly all, and where they don't."""

COMPARED = (Status.IN_SYNC, Status.FAILED, Status.CONFLICT)

LOOK_AGAIN = timedelta(seconds=15)
SHARE, WHOLE = 0.25, 0.5
GOOD_COVERAGE = 0.95
A_DAY_S = 86_400


def sweep(sync: Sync, *, until: float) -> None:
    """Compare the next few contacts, and say when to go on. Raises what `drain` raises."""
    hears_well = all(_hears_well(connection) for connection in (sync.ghl, sync.centralstation))
    before = timezone.now() - (SELDOM if hears_well else OFTEN)
    rows = sync.contacts.wanted().filter(status__in=COMPARED, dirty=0, compared_at__lt=before)
    ids = list(rows.order_by("compared_at").values_list("pk", flat=True)[:AT_ONCE])
    pause = LOOK_AGAIN
    try:
        if ids:
            sync.contacts.filter(pk__in=ids).mark_dirty(Aspect.ALL, timezone.now(), is_suspect=False)
            with open_session(sync, Cause.SWEEP) as session:
                try:
                    drain(session, until=until, lane=WORK)
                finally:
                    pause = pause_after(sync, session.calls)
    finally:
        Sync.objects.filter(pk=sync.pk).update(sweep_due_at=timezone.now() + pause)


def pause_after(sync: Sync, calls: Mapping[str, int]) -> timedelta:
    """How long to wait so that this piece was no more than its share of both budgets."""
    connections = {Side.GHL: sync.ghl, Side.CENTRALSTATION: sync.centralstation}
    return timedelta(seconds=max(calls[side] / _calls_per_s(connections[side]) for side in SIDES))


def _calls_per_s(connection: Connection) -> float:
    budget, share = connection.budget, SHARE if _hears_well(connection) else WHOLE
    of_rate = share * budget.limit / budget.window_s
    if budget.left_today is None:
        return of_rate
    return min(of_rate, share * max(budget.left_today, 1) / A_DAY_S)


def _hears_well(connection: Connection) -> bool:
    """Where nothing has changed yet, nothing has been missed."""
    coverage = listening.coverage(connection)
    return coverage is None or coverage >= GOOD_COVERAGE
