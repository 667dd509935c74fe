"""What the brake holds, as a whole: a batch of contacts that waits for a person's yes or no, and a side that came back half empty.

A batch may have tens of thousands of contacts, so they are changed in steps: big updates keep all other writers of SQLite waiting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.engine.records import Aspect, Side
from crmsync.engine.write import Write, WriteKind
from crmsync.models import BulkAction, Cause, Contact, HeldBatch, HeldWrite, Status, Sync
from crmsync.models.contact import ContactQuerySet
from crmsync.sync.state import plain
from crmsync.systems.errors import NAMES

Kind, State = HeldBatch.Kind, HeldBatch.State

STEP = 500

KNOWN = 20
"""An account with fewer contacts than that may lose half of them without an alarm."""

BELIEVED_FOR = timedelta(days=1)


class SideVanished(Exception):
    """A side shows fewer than half of the contacts we know there. Nothing that would follow is done; `reason` says so."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def reason_of(batch: HeldBatch) -> str:
    """Why a contact of this batch waits."""
    if batch.state != State.REJECTED:
        return batch.explanation
    values = {"by": batch.by or _("somebody"), "day": timezone.localtime(batch.decided_at).date().isoformat()}
    return _("Rejected by %(by)s on %(day)s: not brought over. Press Retry to bring it over after all.") % values


def in_steps(contacts: ContactQuerySet) -> Iterator[ContactQuerySet]:
    """The same contacts, a few hundred at a time."""
    last = 0
    while ids := list(contacts.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:STEP]):
        yield Contact.objects.filter(pk__in=ids)
        last = ids[-1]


def contacts_of(batch: HeldBatch) -> ContactQuerySet:
    return Contact.objects.filter(held_by=batch)


def keep_writes(batch: HeldBatch, contact: Contact, writes: Iterable[Write]) -> None:
    """What this contact waits with, in place of what was planned for it before."""
    rows = [
        HeldWrite(batch=batch, contact=contact, side=write.side, kind=write.kind, before=plain(write.before), after=plain(write.after))
        for write in sorted(writes, key=lambda write: write.kind is not WriteKind.DELETE_ITEM)
    ]
    with transaction.atomic():
        HeldWrite.objects.filter(batch=batch, contact=contact).delete()
        HeldWrite.objects.bulk_create(rows)


def tell_contacts(batch: HeldBatch, but: int = 0) -> None:
    """Give its contacts their status and reason."""
    for some in in_steps(contacts_of(batch).wanted().exclude(pk=but)):
        leave(some, batch)


def leave(some: ContactQuerySet, batch: HeldBatch) -> int:
    """Let these contacts wait for what their batch waits for. One that is in a worker's hands is looked at once more: it doesn't know."""
    due_at = Case(When(lease_until__gt=timezone.now(), then=Value(timezone.now())), default=None)
    counter = F("dirty_counter") + 1
    return some.update(status=Status.WAITING, reason=reason_of(batch), issue=None, dirty_counter=counter, due_at=due_at)


def decide(batch: HeldBatch, state: HeldBatch.State, by: AbstractBaseUser | None) -> bool:
    """Note that what is held is approved or rejected; False when somebody has decided already."""
    decided = HeldBatch.objects.filter(pk=batch.pk, state=State.HELD)
    if not decided.update(state=state, decided_at=timezone.now(), by_id=by.pk if by else None):
        return False
    HeldBatch.objects.filter(pk=batch.pk).update(size=contacts_of(batch).count())  # now that none can join any more
    batch.refresh_from_db()
    HeldWrite.objects.filter(batch=batch).exclude(contact__held_by=batch).delete()  # whoever left before isn't what was decided about
    if batch.kind == Kind.MISSING:
        Sync.objects.filter(pk=batch.sync_id).update(poll_due_at=timezone.now())
    return True


def free(some: ContactQuerySet, action: BulkAction) -> int:
    """Make these contacts of an approved batch due, by the word of whoever approved it. Returns how many."""
    values = {"status": Status.PENDING, "reason": "", "issue": None, "held_by": None, "asked_in": action}
    some.mark_dirty(Aspect(0), timezone.now())
    return some.update(asked_cause=Cause.DECISION, asked_by=action.by_id, **values)


def believe(sync: Sync, side: Side, *, shown: int, known: int) -> None:
    """Raises `SideVanished`, and holds what would follow, where a side shows fewer than half of the contacts we know there: unless a person
    has said that it is true."""
    batches = HeldBatch.objects.filter(sync=sync, kind=Kind.MISSING, side=side)
    if known < KNOWN or 2 * shown >= known:
        batches.filter(state=State.HELD).update(state=State.OVER, decided_at=timezone.now())
        return
    if batches.filter(state=State.APPROVED, decided_at__gt=timezone.now() - BELIEVED_FOR).exists():
        return
    text = _(
        "%(crm)s shows %(shown)d contacts, and %(known)d are known there. Nothing was done that would follow from that. Look whether it is "
        "the right account and whether its contacts are there; approve if they are really gone."
    ) % {"crm": NAMES[side], "shown": shown, "known": known}
    with transaction.atomic():
        HeldBatch.objects.get_or_create(sync=sync, kind=Kind.MISSING, side=side, state=State.HELD, defaults={"explanation": text})
    raise SideVanished(text)
