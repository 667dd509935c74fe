"""Creating a contact over there exactly once: announced before it is sent, looked for when its answer was lost."""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone

from crmsync.engine.base import Base
from crmsync.engine.matching import KeyKind
from crmsync.engine.plan import plan
from crmsync.engine.profile import after_create
from crmsync.engine.records import Aspect, Record, Side
from crmsync.engine.tags import PREFIX
from crmsync.engine.values import fold_tag
from crmsync.engine.write import Write
from crmsync.models import Contact, Result
from crmsync.sync import intake, partner
from crmsync.sync.reading import INDEX_LAG
from crmsync.sync.session import Session
from crmsync.sync.state import stored_base, stored_sent
from crmsync.sync.writing import LeaseLost, record_change
from crmsync.systems.errors import CrmError, Duplicate, NeedsPerson, PermissionMissing, RateLimited, Unanswered

SURELY_NOT_CREATED = (Duplicate, NeedsPerson, RateLimited)
"""Any other error is no proof: a 422 has left a contact behind (ghl.md, section 1), so the next try looks first."""


def create(session: Session, contact: Contact, token: str, write: Write, source: Record, base: Base) -> tuple[Record, Base]:
    """Create the contact on `write.side`, link it and store the base it begins with. It has no notes and tasks yet."""
    if known := session.refused.get((write.side, write.kind)):
        raise known
    if not Contact.objects.filter(pk=contact.pk, lease_token=token).update(creating_on=write.side, creating_since=timezone.now()):
        raise LeaseLost
    contact.creating_on, contact.creating_since = write.side, timezone.now()
    profile = {**write.changes, **session.policy.limits[write.side].stand_ins(write.changes)}
    try:
        with session.writing(write.side):
            created = session.systems[write.side].create(profile, write.tags)
    except CrmError as error:
        record_change(session, contact, write, Result.FAILED, error)
        if isinstance(error, PermissionMissing):
            session.refused[write.side, write.kind] = error
        if isinstance(error, SURELY_NOT_CREATED):
            Contact.objects.filter(pk=contact.pk).update(creating_on="")
            contact.creating_on = ""
        raise
    created = replace(created, notes=(), tasks=())
    partner.link(contact, token, created.side, created.id)
    base = _begin(session, base, source, created, write)
    Contact.objects.filter(pk=contact.pk, lease_token=token).update(
        base=stored_base(base), sent=stored_sent(base.sent), written_at=timezone.now()
    )
    record_change(session, contact, write, Result.VERIFIED)
    session.count(f"{write.side}.{write.kind}")
    return created, base


def _begin(session: Session, base: Base, source: Record, created: Record, write: Write) -> Base:
    sent = {name: one for name, one in write.sent.items() if not name.startswith(PREFIX)}
    base = after_create(base, source, created, session.mapping, sent)
    shown = {fold_tag(tag) for tag in created.tags}
    return replace(base, tags=frozenset(shown & {fold_tag(tag) for tag in source.tags}))


def adopt_lost(session: Session, contact: Contact, source: Record, token: str) -> Record | None:
    """What a create whose answer was lost left over there, if it did: a record nobody else is linked to that shows all we sent.

    Other records that the look finds are taken in, so that matching knows them."""
    side = Side(contact.creating_on)
    keys = partner.stored_keys(contact.pk, source.side)
    found = session.systems[side].find(emails=sorted(keys[KeyKind.EMAIL]), phones=sorted(keys[KeyKind.PHONE]), name=contact.label)
    linked = set(
        session.sync.contacts.on(side, [record.id for record in found])
        .exclude(ghl_id=None)
        .exclude(centralstation_id=None)
        .values_list(f"{side}_id", flat=True)
    )
    free = [record for record in found if record.id not in linked]
    for record in free:
        if is_what_we_sent(session, source, record):
            return record
    if side is Side.GHL and not (keys[KeyKind.EMAIL] or keys[KeyKind.PHONE]):
        _wait_for_index(contact)
    intake.take_in(session, free, read_at=timezone.now(), keep_copies=False)
    return None


def _wait_for_index(contact: Contact) -> None:
    """Only GHL's search finds somebody without e-mail and phone, and it lags behind: don't believe it too soon. Raises `Unanswered`."""
    found_from = (contact.creating_since or timezone.now()) + INDEX_LAG
    if (wait_s := (found_from - timezone.now()).total_seconds()) > 0:
        words = "GoHighLevel gave no answer when the contact was created. In a moment its search tells whether it is there."
        error = Unanswered(words, side=Side.GHL, operation="create-contact")
        error.retry_after_s = wait_s
        raise error


def is_what_we_sent(session: Session, source: Record, record: Record) -> bool:
    """Whether merging the two would change nothing that a create sends."""
    ghl, central = (source, record) if source.side is Side.GHL else (record, source)
    policy = replace(session.policy, aspects=Aspect.PROFILE)
    return not plan(Base(), ghl, central, session.mapping, policy).writes
