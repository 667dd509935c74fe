"""The brake: what happens by itself and would be too much at once is held until a person says yes. Entry: `Session.brake`.

Within ten minutes a sync lets so many deletions, new contacts and changed contacts pass. While so many contacts are due that it could be
more, those that would count are gathered, unwritten, until it is known: then all of them are held, or all are let go. What trickles in
passes one by one, up to the limit. What a person asked for (a run, a retry, a decision, an approved batch) is neither held nor counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.engine.records import Aspect, Side
from crmsync.engine.write import Write, WriteKind
from crmsync.models import BY_ITSELF, Cause, Contact, HeldBatch, Sync
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import outcome
from crmsync.sync.batches import contacts_of, in_steps, keep_writes, reason_of, tell_contacts
from crmsync.sync.clock import Clock
from crmsync.sync.outcome import Outcome
from crmsync.systems.errors import NAMES

Kind, State = HeldBatch.Kind, HeldBatch.State

WINDOW = timedelta(minutes=10)
FEW = 5
"""So many contacts with deletions are never too large a share: a small account isn't held for one deleted note."""

GATHER_FOR = timedelta(minutes=10)
"""While there is always something else due, what is gathered is let go after so long."""

COUNTED_FOR_S, LINKED_FOR_S = 1.0, 60.0
OPEN = (State.GATHERING, State.HELD)


@dataclass(slots=True)
class Counts:
    """What happened by itself within the window, with what waits from it: `deletions` are items, `deleting` and `changes` contacts.
    `crowd`: how many contacts are due."""

    deletions: int = 0
    deleting: int = 0
    creates: int = 0
    changes: int = 0
    crowd: int = 0

    def add(self, kind: str, items: int, contacts: int = 1) -> None:
        match kind:
            case Kind.DELETIONS:
                self.deletions += items
                self.deleting += contacts
            case Kind.CREATES:
                self.creates += contacts
            case Kind.CHANGES:
                self.changes += contacts


class Brake:
    """The brake of one sync, for all threads of a session. Its counts are a second old at most, so several processes at once let a handful
    too many pass."""

    def __init__(self, sync: Sync) -> None:
        self.clock = Clock(sync)
        self._sync = sync
        self._lock = threading.Lock()
        self._counts = Counts()
        self._counts_until = self._linked_until = 0.0
        self._linked = 0
        self._passed: set[int] = set()

    def check(self, contact: Contact, cause: Cause, writes: Sequence[Write]) -> Outcome | None:
        """How the contact ends instead of being written to; None where nothing is in the way.

        What is held or was rejected goes on by a person's word about this very contact, not by a run over all."""
        if contact.asked_cause and contact.asked_cause not in BY_ITSELF:
            return None
        held_by = contact.held_by
        if held_by is not None and held_by.state in (State.HELD, State.REJECTED):
            keep_writes(held_by, contact, writes)
            return outcome.held(reason_of(held_by))
        if held_by is not None and held_by.state == State.APPROVED:  # just now: whoever approved makes it due in a moment
            return outcome.gathered()
        if cause not in BY_ITSELF:
            return None
        creates = sum(write.kind is WriteKind.CREATE for write in writes)
        if ended := self.clock.waits(contact, creates=creates > 0):
            return ended
        if held_by is None or not was_let_go(held_by):
            with self._lock:
                found = self._too_much(contact, writes)
            if found is not None:
                return self._hold(contact, writes, *found)
        self._let_pass(contact, writes)
        self.clock.count_created(creates)
        return None

    # Counting

    def _let_pass(self, contact: Contact, writes: Iterable[Write]) -> None:
        """What is let pass now counts at once, before the log of changes tells of it."""
        with self._lock:
            self._passed.add(contact.pk)
            for kind, of_kind in by_kind(writes).items():
                self._counts.add(kind, len(of_kind))

    def _counted(self) -> Counts:
        now_s = time.monotonic()
        if now_s > self._counts_until:
            self._counts = self._count_anew(timezone.now())
            self._counts_until = now_s + COUNTED_FOR_S
        return self._counts

    def _count_anew(self, now: datetime) -> Counts:
        deletes, creates = Q(kind=WriteKind.DELETE_ITEM), Q(kind=WriteKind.CREATE)
        counts = Counts(
            **self._sync.changes.by_itself(now - WINDOW).aggregate(
                deletions=Count("pk", filter=deletes),
                deleting=Count("contact", filter=deletes, distinct=True),
                creates=Count("pk", filter=creates),
                changes=Count("contact", filter=~deletes & ~creates, distinct=True),
            ),
            crowd=self._sync.contacts.wanted().filter(dirty__gt=0, due_at__lte=now).count(),
        )
        lately = HeldBatch.objects.filter(sync=self._sync, opened_at__gt=now - WINDOW, state__in=[*OPEN, State.REJECTED])
        for kind, waiting in lately.values_list("kind").annotate(Count("contacts")).order_by():
            counts.add(kind, waiting, waiting)
        return counts

    def _linked_contacts(self) -> int:
        now_s = time.monotonic()
        if now_s > self._linked_until:
            self._linked = self._sync.contacts.filter(ghl_id__isnull=False, centralstation_id__isnull=False).count()
            self._linked_until = now_s + LINKED_FOR_S
        return self._linked

    # Deciding

    def _too_much(self, contact: Contact, writes: Sequence[Write]) -> tuple[HeldBatch.Kind, Side, HeldBatch.State] | None:
        """Of which kind these writes are too many, on which side; gathering where that isn't known yet."""
        counts = self._counted()
        others = max(counts.crowd - 1, 0)
        one = 0 if contact.held_by_id else 1  # what is gathered already is counted
        for kind, of_kind in by_kind(writes).items():
            items = one * len(of_kind)
            if not self._is_over(kind, counts, items + others, one + others) or (kind == Kind.CHANGES and self._is_counted(contact)):
                continue
            return kind, of_kind[0].side, State.HELD if self._is_over(kind, counts, items, one) else State.GATHERING
        return None

    def _is_over(self, kind: HeldBatch.Kind, counts: Counts, items: int, contacts: int) -> bool:
        """Whether so many more of this kind would be more than the sync lets pass."""
        sync = self._sync
        match kind:
            case Kind.DELETIONS:
                share = max(FEW, sync.hold_deletions_share * self._linked_contacts() // 100)
                return counts.deletions + items > sync.hold_deletions or counts.deleting + contacts > share
            case Kind.CREATES:
                return counts.creates + contacts > sync.hold_creates
            case _:
                share = sync.hold_changes_share * self._linked_contacts() // 100
                return counts.changes + contacts > max(sync.hold_changes, share)

    def _is_counted(self, contact: Contact) -> bool:
        """Whether this contact was changed within the window already: once more doesn't make more contacts."""
        since = timezone.now() - WINDOW
        if contact.pk in self._passed or contact.written_at is None or contact.written_at < since:
            return contact.pk in self._passed
        return contact.changes.by_itself(since).exists()

    def over_by_now(self, kind: HeldBatch.Kind) -> bool:
        """Whether what was written and what waits of this kind is too much together."""
        with self._lock:
            return self._is_over(kind, self._counted(), 0, 0)

    # Holding

    def _hold(self, contact: Contact, writes: Sequence[Write], kind: HeldBatch.Kind, side: Side, state: HeldBatch.State) -> Outcome:
        """Put the contact into the open batch of this kind and side. One that gathers is held as soon as one of them is too much."""
        with transaction.atomic():
            batch = self._open_batch(kind, side, state)
            is_news = batch.state == State.GATHERING and state == State.HELD
            if state == State.HELD and not batch.explanation:
                batch.state, batch.explanation = State.HELD, self.explain(kind, side)
            batch.size += contact.held_by_id != batch.pk
            batch.save(update_fields=["state", "explanation", "size"])
            keep_writes(batch, contact, writes)
            Contact.objects.filter(pk=contact.pk).update(held_by=batch)
        if contact.held_by_id is None:
            with self._lock:
                self._counts.add(kind, len(by_kind(writes)[kind]))
        contact.held_by = batch
        if is_news:
            tell_contacts(batch, but=contact.pk)
        return outcome.gathered() if batch.state == State.GATHERING else outcome.held(reason_of(batch))

    def _open_batch(self, kind: HeldBatch.Kind, side: Side, state: HeldBatch.State) -> HeldBatch:
        """The open batch of this kind and side, made if there is none, and locked. One that was decided or let go of before we had the lock
        takes nobody in any more."""
        while True:
            found, _is_new = HeldBatch.objects.get_or_create(
                sync=self._sync, kind=kind, side=side, state__in=OPEN, defaults={"state": state}
            )
            if batch := HeldBatch.objects.select_for_update().filter(pk=found.pk, state__in=OPEN).first():
                return batch

    def explain(self, kind: HeldBatch.Kind, side: Side) -> str:
        sync, done = self._sync, self._sync.changes.by_itself(timezone.now() - WINDOW)
        values: dict[str, object] = {"crm": NAMES[side]}
        match kind:
            case Kind.DELETIONS:
                values |= {"n": sync.hold_deletions, "share": sync.hold_deletions_share}
                values["done"] = done.filter(kind=WriteKind.DELETE_ITEM).count()
                text = _(
                    "Within 10 minutes more notes and tasks would be deleted by themselves than this sync lets pass (%(n)d, or in "
                    "%(share)d %% of its contacts). %(done)d were deleted; the others, in %(crm)s, wait for your yes."
                )
            case Kind.CREATES:
                values |= {"n": sync.hold_creates, "done": done.filter(kind=WriteKind.CREATE).count()}
                text = _(
                    "Within 10 minutes more contacts would be created by themselves than this sync lets pass (%(n)d). %(done)d were "
                    "created; the others, in %(crm)s, wait for your yes."
                )
            case _:
                changed = done.exclude(kind__in=[WriteKind.DELETE_ITEM, WriteKind.CREATE])
                values |= {"n": sync.hold_changes, "share": sync.hold_changes_share}
                values["done"] = changed.values("contact").distinct().count()
                text = _(
                    "Within 10 minutes more contacts would be changed by themselves than this sync lets pass (%(n)d, and %(share)d %% of "
                    "all). %(done)d were changed; the others, in %(crm)s, wait for your yes."
                )
        return text % values


def was_let_go(batch: HeldBatch) -> bool:
    """Whether what was gathered proved to be few. What was held and is over had lost all its contacts first."""
    return batch.state == State.OVER and batch.decided_at is None


def by_kind(writes: Iterable[Write]) -> dict[HeldBatch.Kind, list[Write]]:
    """The writes of one contact, by what the brake counts them as; the gravest first. Tags that are removed are changes."""
    kinds: dict[HeldBatch.Kind, list[Write]] = {}
    for write in sorted(writes, key=lambda write: write.kind is not WriteKind.DELETE_ITEM):
        match write.kind:
            case WriteKind.DELETE_ITEM:
                kind = Kind.DELETIONS
            case WriteKind.CREATE:
                kind = Kind.CREATES
            case _:
                kind = Kind.CHANGES
        kinds.setdefault(kind, []).append(write)
    return kinds


def let_go(sync: Sync) -> bool:
    """Nothing else is due: decide what was gathered. True if some of it may be written now.

    Besides, finish what we began in a process that is gone, and close batches of which nothing is left."""
    gathered = HeldBatch.objects.filter(sync=sync, state=State.GATHERING)
    let_go_of = [batch for batch in gathered if _decide_gathered(sync, batch)]
    _make_due(sync.contacts.filter(held_by__state=State.OVER, dirty__gt=0, due_at=None))
    empty = HeldBatch.objects.filter(~Exists(Contact.objects.filter(held_by=OuterRef("pk"))), sync=sync)
    for batch in empty.filter(state=State.HELD).exclude(kind=Kind.MISSING):
        _close_empty(batch)
    empty.filter(state=State.OVER, explanation="").delete()
    return bool(let_go_of)


def _decide_gathered(sync: Sync, batch: HeldBatch) -> bool:
    now = timezone.now()
    still = HeldBatch.objects.filter(pk=batch.pk, state=State.GATHERING)  # another process may be at it, too
    if Brake(sync).over_by_now(Kind(batch.kind)):
        batch.explanation = Brake(sync).explain(Kind(batch.kind), Side(batch.side))
        if still.update(state=State.HELD, explanation=batch.explanation):
            tell_contacts(batch)
        return False
    others_due = sync.contacts.wanted().filter(dirty__gt=0, due_at__lte=now).exists()
    if others_due and batch.opened_at > now - GATHER_FOR:
        return False
    if not still.update(state=State.OVER):
        return False
    _make_due(contacts_of(batch))
    return True


def _make_due(contacts: ContactQuerySet) -> None:
    for some in in_steps(contacts):
        some.mark_dirty(Aspect(0), timezone.now(), is_suspect=False)


def _close_empty(batch: HeldBatch) -> None:
    """A contact may be joining: whoever has the lock first is right."""
    with transaction.atomic():
        held = HeldBatch.objects.select_for_update().filter(pk=batch.pk, state=State.HELD)
        if held.exists() and not contacts_of(batch).exists():
            held.update(state=State.OVER, decided_at=timezone.now())
