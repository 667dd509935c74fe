"""What has to wait for a clock: everything in quiet hours, and new contacts beyond the share of an hour. Entry: `Brake.clock`."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.engine.write import WriteKind
from crmsync.models import Contact, Status, Sync
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import outcome
from crmsync.sync.outcome import Outcome

HOUR = timedelta(hours=1)
LOOK_AGAIN = timedelta(minutes=1)
COUNTED_FOR_S = 1.0


class Clock:
    """The clock of one sync, for all threads of a session. Its count is a second old at most, so several processes at once let a handful
    too many pass."""

    def __init__(self, sync: Sync) -> None:
        self._sync = sync
        self._lock = threading.Lock()
        self._created = 0
        self._oldest: datetime | None = None
        self._counted_until = 0.0

    def waits(self, contact: Contact, *, creates: bool) -> Outcome | None:
        """How a contact that would be written to by itself ends before its time; None where it needn't wait. `creates`: as a new one."""
        now = timezone.now()
        if until := quiet_until(self._sync, now):
            text = _("Quiet hours: nothing is written by itself until %(time)s. Then it goes on.")
        elif creates and (until := self._full_until(contact, now)):
            text = _(
                "As many contacts as may be within an hour were created by themselves. This one waits its turn; next look at %(time)s."
            )
        else:
            return None
        return outcome.waits_until(text, until, zone_of(self._sync))

    def count_created(self, n: int) -> None:
        """So many are created now; the log of changes tells of them later."""
        with self._lock:
            self._created += n

    def _full_until(self, contact: Contact, now: datetime) -> datetime | None:
        """When this contact's turn may come: after all that wait already and are older, at the pace of the share."""
        most = self._sync.creates_per_hour
        if most is None:
            return None
        with self._lock:
            self._count(now)
            if self._created < most:
                return None
            first = max((self._oldest or now) + HOUR, now + LOOK_AGAIN)
        before = waiting_to_be_created(self._sync).filter(pk__lt=contact.pk).count()
        return first + HOUR * before / max(most, 1)

    def _count(self, now: datetime) -> None:
        now_s = time.monotonic()
        if now_s <= self._counted_until:
            return
        creates = self._sync.changes.by_itself(now - HOUR).filter(kind=WriteKind.CREATE)
        times = creates.order_by("at").values_list("at", flat=True)
        self._created, self._oldest = len(times), times[0] if times else None
        self._counted_until = now_s + COUNTED_FOR_S


def waiting_for_a_clock(sync: Sync) -> ContactQuerySet:
    """Contacts that go on when their time has come."""
    return sync.contacts.wanted().filter(status=Status.WAITING, issue=None, held_by=None, dirty__gt=0, due_at__isnull=False)


def waiting_to_be_created(sync: Sync) -> ContactQuerySet:
    return waiting_for_a_clock(sync).filter(Q(ghl_id=None) | Q(centralstation_id=None))


def zone_of(sync: Sync) -> ZoneInfo:
    return ZoneInfo(sync.ghl.timezone or "Europe/Berlin")


def quiet_until(sync: Sync, now: datetime) -> datetime | None:
    """When the quiet hours that it is now end; None where it isn't any. They may span midnight, in the zone of the GHL location."""
    start, end = sync.quiet_from, sync.quiet_until
    if start is None or end is None or start == end:
        return None
    local = now.astimezone(zone_of(sync))
    clock = local.time()
    is_quiet = start <= clock < end if start < end else clock >= start or clock < end
    if not is_quiet:
        return None
    day = local.date() if clock < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, tzinfo=zone_of(sync))
