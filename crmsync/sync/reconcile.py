"""The one function that does all the work: `reconcile(session, contact_id)`.

Take the lease, read both sides, plan, send each write and move the base with it, and plan again until there is nothing left to write. The
last, empty plan is the verification: a write that is planned a second time wasn't kept. A worker that dies leaves the contact dirty and
its lease to expire, and the next one does the same from the start.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from crmsync import stopping
from crmsync.engine.base import Base
from crmsync.engine.plan import Plan
from crmsync.engine.records import SIDES, Aspect, ItemKind, Record, Side
from crmsync.engine.write import Write
from crmsync.models import Change, Contact, HeldBatch, Result, Status
from crmsync.sync import correcting, events, intake, outcome
from crmsync.sync.figures import ITEMS
from crmsync.sync.outcome import Outcome
from crmsync.sync.pairing import LEASE_FOR, Pairing
from crmsync.sync.partner import Deferred
from crmsync.sync.ping_pong import plan_without, to_and_fro
from crmsync.sync.reading import Reading, no_longer_fresh, read, read_side, with_known_items
from crmsync.sync.session import Session
from crmsync.sync.state import base_of, item_bases, store_contested, store_items, stored_base, stored_sent
from crmsync.sync.writing import LeaseLost, Writer
from crmsync.systems.errors import CredentialsRefused, CrmError, NotFound, RateLimited, Resting, TryLater

TRIES = 3
PAUSE_S = 1.0
PASSES = 8
"""Plans a reconcile may need: create, fill, read back. More means that a CRM answers something else each time."""

SAME_STAMP = timedelta(seconds=2)

UNDECIDED = (HeldBatch.State.GATHERING, HeldBatch.State.OVER)
"""Batches that a contact leaves as soon as it comes to another end."""

IN_VAIN = (Result.FAILED, Result.NOT_KEPT)

VERIFY_WITHIN = timedelta(seconds=120)
"""A contact whose bulk verification doesn't come is looked at by itself after that."""


def reconcile(session: Session, contact_id: int) -> Status | None:
    """Make one contact the same on both sides, as far as that can be done now. Returns its status, None if it was in other hands.

    Raises `CredentialsRefused` and `Resting` (nothing else can be done on this connection) and `stopping.Stopped`, with the contact given
    back."""
    token = uuid.uuid4().hex
    now = timezone.now()
    if not Contact.objects.claim(contact_id, token, now, now + LEASE_FOR):
        return None
    session.held.add(token)
    try:
        return _reconcile(session, contact_id, token)
    finally:
        session.held.discard(token)


def _reconcile(session: Session, contact_id: int, token: str) -> Status | None:
    contact = Contact.objects.get(pk=contact_id)
    work = Reconciliation(session, contact, token)
    try:
        ended = work.to_the_end()
    except Resting as error:
        work.give_back(timezone.now() + timedelta(seconds=error.retry_after_s or 0))
        raise
    except CrmError as error:
        ended = outcome.of_error(session.sync, contact, error)
        work.settle(ended)
        if isinstance(error, CredentialsRefused):
            raise
    except Deferred as deferred:
        work.give_back(timezone.now() + timedelta(seconds=deferred.seconds))
        return None
    except stopping.Stopped:
        work.give_back(timezone.now())
        raise
    except LeaseLost:
        return None
    except IntegrityError:
        if Contact.objects.filter(pk=contact_id, lease_token=token).exists():
            raise
        return None  # what we wrote about a row that is gone: it proved to be the same person as another
    return ended.status if ended else None


class Reconciliation(Pairing):
    """One contact under one lease, to its end: both halves known, written to until they agree, and given back."""

    def to_the_end(self) -> Outcome | None:
        """Try, and again after a short pause where that can help at once. None: the contact proved to be nothing (gone on both sides)."""
        for attempt in range(TRIES):
            try:
                ended = self.once(fresh=attempt > 0)
            except (TryLater, NotFound) as error:
                if attempt == TRIES - 1 or isinstance(error, (RateLimited, Resting)):
                    raise
                self.renew()
                stopping.wait(PAUSE_S * (attempt + 1))
                self.base = base_of(self.contact, self.contact.items.all())
            else:
                if ended is not None:
                    self.settle(ended)
                return ended
        raise AssertionError("the last try returns or raises")

    def once(self, *, fresh: bool) -> Outcome | None:
        self.renew()
        if (ended := self.waits_still()) is not None:
            return ended
        if not self.contact.is_linked and not self.contact.creating_on and (ended := self.hopeless()) is not None:
            return ended
        reading = self.reading = read(self.session, self.contact, self.aspects, fresh=fresh)
        self.look_closer(reading)
        if not fresh:
            self.count_items(reading)
        if reading.missing:
            return self.missing(reading)
        self.describe(reading)
        if self.contact.corrections and (ended := correcting.carry_out(self, reading)) is not None:
            return ended
        self.move_base(replace(self.base, items=no_longer_fresh(self.base.items, reading)))
        if not self.contact.is_linked and (ended := self.find_partner(reading)) is not None:
            return ended
        return self.agree(reading)

    def look_closer(self, reading: Reading) -> None:
        """A list may not show every field: where a field is empty that no list has ever shown, the record itself is read."""
        for side in list(reading.indexed):
            record = reading.records[side]
            if record is None or not self.session.may_lack(record):
                continue
            direct = read_side(self.session, reading, side, record.id, Aspect.PROFILE)
            reading.records[side] = with_known_items(direct, record) if direct else None

    def count_items(self, reading: Reading) -> None:
        """How many notes and tasks are compared, by side."""
        kinds = [kind for kind in ItemKind if kind.aspect in self.aspects]
        for side, record in reading.records.items():
            self.session.count(f"{side}.{ITEMS}", sum(len(record.items(kind) or ()) for kind in kinds) if record else 0)

    def missing(self, reading: Reading) -> Outcome | None:
        """Deleted over there: a person decides. A row that is nowhere any more goes."""
        here = [side for side in SIDES if self.contact.remote_id(side) is not None and side not in reading.missing]
        if not here:
            Contact.objects.filter(pk=self.contact.pk, lease_token=self.token).delete()
            return None
        missing_on = here[0].other
        Contact.objects.filter(pk=self.contact.pk).update(missing_on=missing_on)
        return outcome.quarantined(missing_on)

    # Agreeing

    def agree(self, reading: Reading) -> Outcome:
        """Plan and write until the plan is empty."""
        writer = Writer(self.session, self.contact, self.token)
        for _ in range(PASSES):
            ghl, central = reading.records[Side.GHL], reading.records[Side.CENTRALSTATION]
            plan_ = plan_without(self.contact.stopped, self.base, ghl, central, self.session.mapping, self.session.policy)
            self.move_base(plan_.base)
            writer.confirm(plan_)
            writes = [write for write in plan_.writes if not writer.has_failed(write)]
            if not writes:
                return writer.failure() or self.verdict(plan_, reading, writer)
            if (ended := self.braked(writes)) is not None:
                return ended
            if self.stop_ping_pong(writes):
                continue
            if stale := self.stale(reading, writes):
                self.read_again(reading, stale, _aspects(writes))
                continue
            unseen = set()
            for write in writes:
                self.renew()
                self.base, is_unseen = writer.send(write, reading, self.base)
                if write.item is None and not writer.has_failed(write):
                    self.written.add(write.side)
                unseen |= {write.side} if is_unseen else set()
            if unseen and self.session.is_bulk and not writer.failure():
                return self.verify_later(reading)
            self.read_again(reading, sorted(unseen), Aspect.PROFILE)
        return writer.failure() or outcome.not_kept(self.session.sync, [(write.side, "profile") for write in plan_.writes])

    def stop_ping_pong(self, writes: list[Write]) -> bool:
        """Whether some of this goes to and fro: it is left out from now on."""
        if not self.session.is_by_itself(self.contact) or not (names := to_and_fro(self.contact, writes)):
            return False
        self.contact.stopped = sorted({*self.contact.stopped, *names})
        Contact.objects.filter(pk=self.contact.pk).update(stopped=self.contact.stopped)
        return True

    def stale(self, reading: Reading, writes: list[Write]) -> list[Side]:
        """Sides whose record is too old to replace a value there."""
        stale = {write.side for write in writes if write.replaces and not reading.is_fresh(write.side)}
        return sorted(stale)

    def move_base(self, base: Base) -> None:
        if base == self.base:
            return
        store_items(self.contact.pk, self.base.items, base.items)
        Contact.objects.filter(pk=self.contact.pk, lease_token=self.token).update(base=stored_base(base), sent=stored_sent(base.sent))
        if any(item.ref is None for item in base.items):
            base = replace(base, items=item_bases(self.contact.items.all()))
        self.base = base

    def verdict(self, plan_: Plan, reading: Reading, writer: Writer) -> Outcome:
        if plan_.contested or self.contact.conflicts:
            store_contested(self.contact.pk, plan_.contested)
        if plan_.not_kept:
            return outcome.not_kept(self.session.sync, plan_.not_kept)
        if plan_.unheld:
            return outcome.unheld(self.session.sync, plan_.unheld)
        if plan_.conflicts:
            self.forget_decisions()
            return outcome.conflict(plan_.conflicts)
        if self.contact.stopped:
            return outcome.ping_pong(self.session.sync, self.contact.stopped)
        if writer.written:
            self.describe(reading)
        times = {f"{side}_updated_at": self.known_until(side, reading, writer) for side in SIDES}
        Contact.objects.filter(pk=self.contact.pk).update(verified_at=timezone.now(), decisions={}, **times)
        return outcome.IN_SYNC

    def forget_decisions(self) -> None:
        """What was decided is carried out by now, while other fields wait still; a decision that came meanwhile stays."""
        Contact.objects.filter(pk=self.contact.pk, decisions=self.contact.decisions).update(decisions={})

    def known_until(self, side: Side, reading: Reading, writer: Writer) -> datetime | None:
        """Up to which change, by the CRM's own clock, all has been seen: an echo of our own writes is not news.

        None, so that it is looked at once more, where another change may bear the same stamp (CentralStation counts in seconds)."""
        record = reading.records[side]
        if record is None:
            return None
        newest = _newest(record)
        if side in writer.written:
            return newest
        return newest if newest and newest < reading.read_at[side] - SAME_STAMP else None

    def verify_later(self, reading: Reading) -> Outcome:
        """Leave the read-back to a page that tells of many. GHL's side is kept as it is known now."""
        if ghl := reading.records[Side.GHL]:
            intake.keep(self.session.sync, [ghl], read_at=timezone.now(), direct=True)
        Contact.objects.filter(pk=self.contact.pk).update(awaiting_read_back=True)
        return Outcome(status=Status.PENDING, stays_dirty=True, retry_at=timezone.now() + VERIFY_WITHIN)

    # The lease

    def seen(self) -> dict[str, object]:
        """What both sides showed last, by the mapping's names; {} where nothing could be read."""
        records = self.reading.records if self.reading else {}
        if not any(records.values()):
            return {}
        profiles = [record.profile if (record := records.get(side)) else {} for side in SIDES]
        return {
            row.name: [profile.get(row.key(side)) for side, profile in zip(SIDES, profiles, strict=True)] for row in self.session.mapping
        }

    def tried_with(self) -> dict[str, datetime]:
        """The newest that each side showed, so that what hasn't changed since isn't tried again by itself: see `intake`."""
        newest = {side: _newest(record) for side, record in self.reading.records.items() if record} if self.reading else {}
        return {f"{side}_updated_at": stamp for side, stamp in newest.items() if stamp}

    def tried_in_vain(self) -> QuerySet[Change]:
        """What this reconcile sent to no avail, and no cause is named of yet."""
        return Change.objects.filter(contact=self.contact.pk, at__gte=self.began, issue=None, result__in=IN_VAIN)

    def how_it_ends(self, ended: Outcome) -> dict[str, object]:
        """What the contact's row says from now on, but for what is due and whose it is."""
        is_in_vain = ended.status == Status.FAILED and ended.stays_dirty
        values: dict[str, object] = {
            "status": ended.status,
            "reason": ended.reason,
            "candidates": list(ended.candidates),
            "conflicts": list(ended.conflicts),
            "attempts": self.contact.attempts + 1 if is_in_vain else 0,
            "updated_at": timezone.now(),
        }
        if ended.status != Status.PENDING:  # until it is known how it went, what held it up isn't over
            values["issue"] = ended.issue
        if self.session.policy.aspects in self.aspects:
            values["compared_at"] = timezone.now()
        if ended.status == Status.IN_SYNC:
            values["held_by"] = None
        if ended.status not in (Status.QUARANTINED, Status.PENDING):
            values["missing_on"] = ""
        if ended.status != Status.PENDING:
            values["awaiting_read_back"] = False
        if ended.status == Status.IN_SYNC:
            values["seen"] = {}
        elif seen := self.seen():
            values["seen"] = seen
        if ended.issue is not None:
            values |= self.tried_with()
        return values

    def settle(self, ended: Outcome) -> None:
        """Store status and reason, clear what was dirty when we began, and let go of the contact."""
        mine = Contact.objects.filter(pk=self.contact.pk, lease_token=self.token)
        if mine.update(**self.how_it_ends(ended)) and ended.issue is not None:
            self.tried_in_vain().update(issue=ended.issue)
        if not ended.is_held:  # an error doesn't let go what is held or was rejected
            mine.filter(held_by__state__in=UNDECIDED).update(held_by=None)
        unchanged = mine.filter(dirty_counter=self.counter)
        if ended.stays_dirty:
            unchanged.update(due_at=ended.retry_at)
            if ended.status == Status.PENDING and not ended.is_held:
                unchanged.update(dirty=int(Aspect.PROFILE))
        else:
            unchanged.update(dirty=0, dirty_since=None, due_at=None, is_urgent=False, heard_on=[], asked_cause="", asked_by=None)
        mine.filter(status=Status.IN_SYNC, dirty__gt=0).update(status=Status.PENDING)
        mine.update(lease_token="", lease_until=timezone.now())
        events.account_for(self.session, self.contact, self.written)
        if not ended.status == self.contact.status == Status.REVIEW:  # decided anew by each poll, and no news
            self.session.count(ended.status)

    def give_back(self, due_at: datetime) -> None:
        Contact.objects.filter(pk=self.contact.pk, lease_token=self.token).update(lease_token="", lease_until=timezone.now(), due_at=due_at)


def _newest(record: Record) -> datetime | None:
    """When it was last changed, its notes and tasks included, by the CRM's own clock."""
    items = (*(record.notes or ()), *(record.tasks or ()))
    stamps = [record.updated_at, *(item.updated_at or item.created_at for item in items)]
    return max((stamp for stamp in stamps if stamp), default=None)


def _aspects(writes: list[Write]) -> Aspect:
    """The aspects that these writes are about."""
    found = Aspect.PROFILE
    for write in writes:
        found |= write.item.kind.aspect if write.item else Aspect(0)
    return found
