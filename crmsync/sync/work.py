"""One process at a run: what it has cost, how far it is, and that it is alive. Listing, polling and draining report here."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync import stopping
from crmsync.engine.records import Record, Side
from crmsync.models import Run, Sync
from crmsync.sync import canary
from crmsync.sync.drain import HandedOver, drain, is_paused
from crmsync.sync.session import Session
from crmsync.systems.errors import NAMES, PermissionMissing

OVERLAP = {Side.GHL: timedelta(seconds=90), Side.CENTRALSTATION: timedelta(seconds=150)}
"""A cursor looks so far back: GHL's index lags, CentralStation's stamps have seconds, clocks differ."""

CLOCKS_DIFFER = timedelta(hours=2)


def stamps_of(records: Iterable[Record]) -> list[datetime]:
    """When these were changed, by their CRM's clock. A time further ahead than clocks differ is a slip in one record: a cursor that
    followed it would miss what changes until then."""
    latest = timezone.now() + CLOCKS_DIFFER
    return [record.updated_at for record in records if record.updated_at and record.updated_at <= latest]


class Work:
    """One process at a run: counts what it costs and says that it is alive, until `until` (monotonic; None: to the end)."""

    def __init__(self, run: Run, session: Session, until: float | None = None) -> None:
        self.run = run
        self.session = session
        self.until = until
        self.me = uuid.uuid4().hex
        self._told: Counter[str] = Counter()
        self._telling = threading.Lock()

    @property
    def sync(self) -> Sync:
        return self.session.sync

    def beat(self, *, now: bool = True) -> None:
        """Store how far we are. Raises `Stopped` or `HandedOver` where this is a good place to end."""
        Run.objects.filter(pk=self.run.pk, owner=self.me).update(progress=self.run.progress)
        self.tell()
        if stopping.is_requested():
            raise stopping.Stopped
        if (now and self.until is not None and time.monotonic() > self.until) or is_paused(self.sync):
            raise HandedOver

    def tell(self) -> None:
        """Add what was done since the last time to the run's counts, and say that we are alive, if the run is ours or everybody's."""
        with self._telling, transaction.atomic():
            run = Run.objects.select_for_update().get(pk=self.run.pk)
            with self.session.lock:
                now = Counter({f"calls.{side}": n for side, n in self.session.calls.items()})
                now.update({f"counts.{what}": n for what, n in self.session.counts.items()})
            for name, n in (now - self._told).items():
                group, _, key = name.partition(".")
                counts = run.calls if group == "calls" else run.counts
                counts[key] = counts.get(key, 0) + n
            self._told = now
            if run.owner in ("", self.me):
                run.heartbeat_at = timezone.now()
            run.save(update_fields=["calls", "counts", "heartbeat_at"])

    def drain(self) -> None:
        """Work off what is due, and what follows where one went first."""
        drain(self.session, until=self.until)
        while canary.follow_up(self.sync):
            drain(self.session, until=self.until)
        self.beat()


def set_cursors(sync: Sync, times: dict[Side, datetime]) -> None:
    with transaction.atomic():
        row = Sync.objects.select_for_update().get(pk=sync.pk)
        row.cursors |= {str(side): time.isoformat() for side, time in times.items()}
        row.save(update_fields=["cursors"])
    sync.cursors = row.cursors


def note_missing(sync: Sync, error: PermissionMissing) -> None:
    text = _("%(crm)s: the permission “%(scope)s” is missing. It is worked round, with more requests.")
    _set_notice(sync, error.side, text % {"crm": NAMES[error.side], "scope": error.scope})


def forget_missing(sync: Sync, side: Side) -> None:
    if side in sync.notices:
        _set_notice(sync, side, "")


def _set_notice(sync: Sync, code: str, text: str) -> None:
    """Others write notices of theirs at the same time."""
    with transaction.atomic():
        row = Sync.objects.select_for_update().get(pk=sync.pk)
        row.notices = {**{key: value for key, value in row.notices.items() if key != code}, **({str(code): text} if text else {})}
        row.save(update_fields=["notices"])
    sync.notices = row.notices
