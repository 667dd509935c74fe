"""Finding the other half of a contact that is in one CRM only: linked where it is certain, created where nobody is it, else for a person.

Entry: `Pairing`, what a reconcile has in hand; it raises `Deferred` where somebody else is at the same person.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from crmsync.engine.matching import Create, KeyKind, Link, Review
from crmsync.engine.plan import plan
from crmsync.engine.records import Aspect, Record, Side
from crmsync.engine.write import Write
from crmsync.models import Contact, PageCopy, Status
from crmsync.sync import intake, outcome, partner
from crmsync.sync.creating import adopt_lost, create, is_what_we_sent
from crmsync.sync.outcome import Outcome
from crmsync.sync.partner import Deferred
from crmsync.sync.reading import Reading, confirm_absent_items, read_into, read_side, with_known_items
from crmsync.sync.session import Session
from crmsync.sync.state import RECORD, base_of
from crmsync.sync.writing import LeaseLost
from crmsync.systems.errors import Duplicate, NotFound

LEASE_FOR = timedelta(seconds=45)


class Pairing:
    """One contact under one lease: what is known of it by now, and who it is over there."""

    def __init__(self, session: Session, contact: Contact, token: str) -> None:
        self.session = session
        self.contact = contact
        self.token = token
        self.began = timezone.now()
        self.counter = contact.dirty_counter
        self.reading: Reading | None = None
        self.aspects = (Aspect(contact.dirty) if contact.is_linked else Aspect.ALL) & session.policy.aspects
        self.written: set[Side] = set()
        self.base = base_of(contact, contact.items.all())

    def hopeless(self) -> Outcome | None:
        """What can be said of an unlinked contact without asking a CRM, by what the pages told: a review, or that it stays where it is."""
        side = Side.GHL if self.contact.ghl_id else Side.CENTRALSTATION
        if not self.contact.label:  # an event told its id, and nobody has looked at it yet
            return None
        match partner.decide(self.contact, side, self.session.sync.match_by):
            case Review(kind, others):
                return outcome.review(kind, others) if self.is_there(side) else None
            case Create():
                return outcome.only_on(side) if side.other not in self.session.policy.create_on and self.is_there(side) else None
            case Link():
                return None

    def is_there(self, side: Side) -> bool:
        """Whether a page told of it lately, so that it needn't be asked for."""
        if self.contact.missing_on == side:
            return False
        copies = PageCopy.objects.filter(sync=self.session.sync, side=side, remote_id=self.contact.remote_id(side), kind=intake.CONTACT)
        if (copy := copies.first()) is not None:
            self.reading = Reading(records={side: RECORD.validate_python(copy.payload)})
        return copy is not None or not self.session.is_bulk

    def find_partner(self, reading: Reading) -> Outcome | None:
        """Link the contact, or create it over there. An outcome where neither can be; None when both sides are known."""
        record = next(record for record in reading.records.values() if record is not None)
        if self.contact.creating_on and (found := adopt_lost(self.session, self.contact, record, self.token)):
            return self.join(reading, found)
        match partner.decide(self.contact, record.side, self.session.sync.match_by):
            case Link(ref):
                return self.link(reading, record.side, ref)
            case Review(kind, others):
                return outcome.review(kind, others)
            case Create():
                return self.create(reading, record)

    def link(self, reading: Reading, side: Side, ref: int) -> Outcome | None:
        other = Contact.objects.filter(pk=ref, lease_until__lte=timezone.now()).first()
        if other is None or other.remote_id(side.other) is None:
            raise Deferred
        remote_id = str(other.remote_id(side.other))
        partner.link(self.contact, self.token, side.other, remote_id)
        self.base = base_of(self.contact, self.contact.items.all())
        del reading.records[side.other]
        read_into(reading, self.session, self.contact, side.other, self.aspects, fresh=False)
        if reading.missing:
            raise Deferred
        return None

    def join(self, reading: Reading, record: Record) -> Outcome | None:
        """What was created before its answer was lost is the other half."""
        partner.link(self.contact, self.token, record.side, record.id)
        reading.records[record.side] = read_side(self.session, reading, record.side, record.id, self.aspects)
        return None

    def create(self, reading: Reading, record: Record) -> Outcome | None:
        plan_ = plan(self.base, reading.records[Side.GHL], reading.records[Side.CENTRALSTATION], self.session.mapping, self.session.policy)
        if not plan_.writes:
            return outcome.only_on(record.side)
        if (ended := self.braked(list(plan_.writes))) is not None:
            return ended
        with partner.claimed(self.contact, record.side, self.token):
            if not isinstance(partner.decide(self.contact, record.side, self.session.sync.match_by), Create):
                raise Deferred(0.1)
            self.look_first(record.side)
            try:
                created, self.base = create(self.session, self.contact, self.token, plan_.writes[0], record, self.base)
            except Duplicate as error:
                return self.duplicate(record.side, error)
        self.written.add(created.side)
        reading.records[created.side], reading.read_at[created.side] = created, timezone.now()
        if not self.session.is_bulk:
            self.read_again(reading, [created.side], Aspect.PROFILE)
        intake.describe(self.session, [(self.contact, created)])
        return None

    def look_first(self, side: Side) -> None:
        """Ask whether the person is over there by now, for what tells of it may be on its way still, or its contact hasn't been read yet. A
        run that has just listed everything knows. Raises `Deferred` where there is somebody to link to or to ask about."""
        if self.session.is_bulk or self.contact.kept_apart:
            return
        keys = partner.stored_keys(self.contact.pk, side)
        emails, phones = sorted(keys[KeyKind.EMAIL]), sorted(keys[KeyKind.PHONE])
        name = "" if emails or phones else self.contact.label
        found = list(self.session.systems[side.other].find(emails=emails, phones=phones, name=name))
        if not found:
            return
        intake.take_in(self.session, found, read_at=timezone.now(), keep_copies=False)
        if not isinstance(partner.decide(self.contact, side, self.session.sync.match_by), Create):
            raise Deferred(0.1)

    def braked(self, writes: list[Write]) -> Outcome | None:
        """How it ends where the brake keeps these writes back."""
        return self.session.brake.check(self.contact, self.session.cause, writes)

    def waits_still(self) -> Outcome | None:
        """A contact that waits for a time needn't be read again before."""
        waits = self.contact.status == Status.WAITING and self.contact.issue_id is None and self.contact.held_by_id is None
        if not waits or not self.session.is_by_itself(self.contact):
            return None
        return self.session.brake.clock.waits(self.contact, creates=not self.contact.is_linked)

    def duplicate(self, side: Side, error: Duplicate) -> Outcome:
        """The CRM says that somebody has this e-mail or phone. Take that record in: if it is our match, the next try links it."""
        Contact.objects.filter(pk=self.contact.pk).update(creating_on="")
        if not error.other_id:
            raise error
        other = self.session.systems[side.other].read(error.other_id, Aspect.PROFILE | Aspect.TAGS)
        intake.take_in(self.session, [other], read_at=timezone.now(), keep_copies=False)
        match partner.decide(self.contact, side, self.session.sync.match_by):
            case Link():
                raise Deferred(0.1)
            case Review(kind, others):
                return outcome.review(kind, others)
            case Create():
                return self.not_ours(other, error)

    def not_ours(self, other: Record, error: Duplicate) -> Outcome:
        """No key of ours finds the record that has it. It may be what a lost create of ours left; else a person must say."""
        row = self.session.sync.contacts.on(other.side, [other.id]).first()
        ours = self.reading.records[other.side.other] if self.reading else None
        if row is None or ours is None:
            raise error
        if not row.is_linked and is_what_we_sent(self.session, ours, other):
            partner.link(self.contact, self.token, other.side, other.id)
            raise Deferred(0.1)
        return outcome.review("phone" if error.field == "phone" else "email", [row.pk])

    # What reading and writing need, too

    def describe(self, reading: Reading) -> None:
        for record in reading.records.values():
            if record is not None:
                intake.describe(self.session, [(self.contact, record)])

    def read_again(self, reading: Reading, sides: list[Side], aspects: Aspect) -> None:
        """Read these sides afresh; notes and tasks that aren't asked for stay as they are known."""
        for side in sides:
            record = read_side(self.session, reading, side, str(self.contact.remote_id(side)), aspects & self.aspects)
            if record is None:
                raise NotFound("The contact went away while it was synced.", side=side)
            reading.records[side] = with_known_items(record, reading.records[side])
        confirm_absent_items(self.session, self.contact, reading)

    def renew(self) -> None:
        if not Contact.objects.renew(self.contact.pk, self.token, timezone.now() + LEASE_FOR):
            raise LeaseLost
