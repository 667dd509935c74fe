"""Sending what was planned: each write is recorded as a change, and the base moves with what the answer shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from django.utils import timezone

from crmsync.engine.base import Base, ItemBase
from crmsync.engine.items import changes_of, linked
from crmsync.engine.plan import Plan
from crmsync.engine.records import Item, Record, Side
from crmsync.engine.write import Write, WriteKind
from crmsync.models import Change, Contact, Result
from crmsync.sync import outcome
from crmsync.sync.outcome import Outcome
from crmsync.sync.reading import Reading, with_item, without_item
from crmsync.sync.session import Session
from crmsync.sync.state import item_row, plain, stored_sent
from crmsync.systems.base import System
from crmsync.systems.errors import CrmError, NotFound, PermissionMissing, Refused


class LeaseLost(Exception):
    """Another worker has the contact by now, or it is gone. Stop without a trace."""


class Writer:
    """Sends the writes of one contact. A write that is refused doesn't stop the others; the first failure decides the outcome."""

    def __init__(self, session: Session, contact: Contact, token: str) -> None:
        self._session = session
        self._contact = contact
        self._token = token
        self._failed: dict[tuple[object, ...], CrmError] = {}
        self._unverified: list[tuple[int, Write]] = []
        self.written: set[Side] = set()

    def has_failed(self, write: Write) -> bool:
        return _identity(write) in self._failed

    def failure(self) -> Outcome | None:
        if not self._failed:
            return None
        errors = sorted(self._failed.values(), key=lambda error: isinstance(error, PermissionMissing))
        return outcome.of_error(self._session.sync, self._contact, errors[0])

    def send(self, write: Write, reading: Reading, base: Base) -> tuple[Base, bool]:
        """Send one write, and bring `reading` up to what the answer shows. Returns the base, and whether it remains to be read back:
        an answer that shows the value is believed in bulk only.

        Raises what stops more than this write: `TryLater`, `CredentialsRefused`, `NotFound` (the record changed under us)."""
        agreed = self._agreed(write, base)
        try:
            if known := self._session.refused.get((write.side, write.kind)):
                raise known
            with self._session.writing(write.side):
                base, unseen = self._sent(write, reading, base)
        except (Refused, PermissionMissing) as error:
            if isinstance(error, PermissionMissing):
                self._session.refused[write.side, write.kind] = error
            self._failed[_identity(write)] = error
            self._record(write, Result.FAILED, error)
            return base, False
        except CrmError as error:
            self._record(write, Result.FAILED, error)
            raise
        Contact.objects.filter(pk=self._contact.pk).update(written_at=timezone.now())
        self.written.add(write.side)
        self._unverified.append((self._record(write, Result.ACCEPTED, agreed=agreed), write))
        self._session.count(f"{write.side}.{write.kind}")
        return base, unseen

    def confirm(self, plan_: Plan) -> None:
        """The plan made after the writes tells which of them were kept."""
        if not self._unverified:
            return
        lost = {side for side, _ in plan_.not_kept}
        open_ = set(plan_.base.sent)
        verified = [pk for pk, write in self._unverified if write.side not in lost and not open_ & set(write.sent)]
        Change.objects.filter(pk__in=verified).update(result=Result.VERIFIED)
        not_kept = [pk for pk, write in self._unverified if write.side in lost]
        Change.objects.filter(pk__in=not_kept).update(result=Result.NOT_KEPT)
        self._unverified = [(pk, write) for pk, write in self._unverified if pk not in verified and pk not in not_kept]

    def verify(self, is_there: Callable[[Write], bool]) -> list[Write]:
        """For writes that no plan follows: what was sent is looked up among what was read since. Returns those that weren't kept."""
        lost = [(pk, write) for pk, write in self._unverified if not is_there(write)]
        Change.objects.filter(pk__in=[pk for pk, _ in lost]).update(result=Result.NOT_KEPT)
        Change.objects.filter(pk__in=[pk for pk, write in self._unverified if is_there(write)]).update(result=Result.VERIFIED)
        self._unverified = []
        return [write for _, write in lost]

    def _sent(self, write: Write, reading: Reading, base: Base) -> tuple[Base, bool]:
        system, record = self._session.systems[write.side], reading.records[write.side]
        assert record is not None
        match write.kind:
            case WriteKind.UPDATE:
                shown = system.update(record, write.changes)
                reading.records[write.side] = shown or record
                return self._remember(base, write), shown is None or not self._session.is_bulk
            case WriteKind.ADD_TAGS | WriteKind.REMOVE_TAGS:
                send = system.add_tags if write.kind is WriteKind.ADD_TAGS else system.remove_tags
                reading.records[write.side] = send(record, write.tags)
                return self._remember(base, write), not self._session.is_bulk
            case _:
                return self._item_sent(write, system, record, reading, base)

    def _item_sent(self, write: Write, system: System, record: Record, reading: Reading, base: Base) -> tuple[Base, bool]:
        assert write.item is not None
        pair = _as_stored(base, write.pair)
        match write.kind:
            case WriteKind.CREATE_ITEM:
                created = system.create_item(record.id, write.item)
                return self._created(self._store(base, pair, linked(write, created)), linked(write, created), created, reading), False
            case WriteKind.UPDATE_ITEM:
                answer = system.update_item(record.id, write.item, changes_of(write.after))
                shown = answer or system.read_item(write.item.kind, record.id, write.item.id)
                reading.records[write.side] = with_item(record, shown)
                assert pair is not None
                return self._store(base, pair, replace(pair, sent={**pair.sent, **write.sent})), False
            case _:
                system.delete_item(record.id, write.item)
                reading.records[write.side] = self._after_delete(system, record, write.item)
                assert pair is not None
                return self._store(base, pair, replace(pair, gone=True)), False

    def _created(self, base: Base, link: ItemBase, shown: Item, reading: Reading) -> Base:
        """Look once whether what was just created is there: what is missing later was deleted. In bulk the
        pages at the end of the run tell; where there are none (GHL's notes), an answer that shows it has to do."""
        side = link.fresh
        assert side is not None
        record, pair = reading.records[side], _as_stored(base, link)
        assert record is not None
        assert pair is not None
        system = self._session.systems[side]
        if not self._session.is_bulk:
            try:
                shown = system.read_item(shown.kind, record.id, shown.id)
            except NotFound:
                return base
        reading.records[side] = with_item(record, shown)
        if self._session.is_bulk and shown.kind in system.bulk_items:
            return base
        return self._store(base, pair, replace(pair, fresh=None))

    @staticmethod
    def _after_delete(system: System, record: Record, item: Item) -> Record:
        """The record without the item; with it where it is shown still, which CentralStation is known for."""
        if item.shared:
            return without_item(record, item)
        try:
            return with_item(record, system.read_item(item.kind, record.id, item.id))
        except NotFound:
            return without_item(record, item)

    def _remember(self, base: Base, write: Write) -> Base:
        base = replace(base, sent={**base.sent, **write.sent})
        if not Contact.objects.filter(pk=self._contact.pk, lease_token=self._token).update(sent=stored_sent(base.sent)):
            raise LeaseLost
        return base

    def _store(self, base: Base, old: ItemBase | None, new: ItemBase) -> Base:
        """Store one item's base at once: the ids of what was just created must not get lost."""
        row = item_row(self._contact.pk, replace(new, ref=old.ref if old else None))
        row.save(force_insert=row.pk is None, force_update=row.pk is not None)
        new = replace(new, ref=row.pk)
        return replace(base, items=(*(item for item in base.items if item != old), new))

    def _record(self, write: Write, result: Result, error: CrmError | None = None, *, agreed: Sequence[str] = ()) -> int:
        return record_change(self._session, self._contact, write, result, error, agreed=agreed)

    def _agreed(self, write: Write, base: Base) -> list[str]:
        """The names of what `write` changes that both sides agree on until then. Of tags it is the contact as it was loaded that tells: the
        base moves before the first ones are sent."""
        if write.item:
            known = set(write.pair.fields) if write.pair else set()
        else:
            have_met = self._contact.verified_at is not None and self._contact.base.get("tags") is not None
            known = set(base.fields) | ({"tags"} if have_met else set())
        return sorted(known & {*write.before, *write.after})


def _as_stored(base: Base, planned: ItemBase | None) -> ItemBase | None:
    """The pair of a planned write as it is stored by now: with its row, and with what an earlier write of this pass has sent."""
    if planned is None:
        return None
    ids = (planned.kind, planned.ghl, planned.centralstation)
    return next((item for item in base.items if (item.kind, item.ghl, item.centralstation) == ids), planned)


def record_change(
    session: Session, contact: Contact, write: Write, result: Result, error: CrmError | None = None, *, agreed: Sequence[str] = ()
) -> int:
    """One line of the change log; its id."""
    change = Change.objects.create(
        sync=session.sync,
        contact=contact,
        run=session.run,
        label=contact.label,
        side=write.side,
        kind=write.kind,
        remote_id=(write.item.id if write.item else "") or contact.remote_id(write.side) or "",
        before=plain(write.before),
        after=plain(write.after),
        result=result,
        reason=error.message if error else "",
        http_status=error.status if error else None,
        trace_id=error.trace_id if error else "",
        cause=contact.asked_cause or session.cause,
        by_id=contact.asked_by_id or (session.by.pk if session.by else None),
        lag_s=None if session.is_bulk else _lag_s(contact),
        agreed=list(agreed),
    )
    return change.pk


def _lag_s(contact: Contact) -> float | None:
    """Seconds since it is known that there is something to do; two digits will do, and can be counted by value."""
    known_at = contact.dirty_since or contact.heard_at
    return float(f"{max(0.0, (timezone.now() - known_at).total_seconds()):.2g}") if known_at else None


def _identity(write: Write) -> tuple[object, ...]:
    """What makes two planned writes the same one, so that a refused one isn't sent again in the next pass."""
    item = (write.item.id or write.item.title, write.item.text) if write.item else None
    return write.side, write.kind, item, tuple(sorted(write.after)), tuple(sorted(write.before))
