"""Carrying out an undo: a run that takes its contacts one by one, writes back what is still ours and lists what isn't.

What it writes is a person's edit, made through us: the reconcile that follows, in the same run, carries it to the other side. Undone twice
it does nothing the second time, so that a run cut off is taken up where it was.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync import stopping
from crmsync.engine.items import same_of, value_of
from crmsync.engine.plan import plan
from crmsync.engine.records import Aspect, Record, Side
from crmsync.engine.values import fold_tag
from crmsync.engine.write import Write, WriteKind
from crmsync.models import Cause, Change, Contact, Item, NotUndone, Result, Run, Status
from crmsync.sync import outcome
from crmsync.sync.pairing import LEASE_FOR
from crmsync.sync.reading import Reading, read
from crmsync.sync.reconcile import Reconciliation
from crmsync.sync.session import Session
from crmsync.sync.undo import UNDOABLE, Kept, Undo, plan_undo
from crmsync.sync.work import Work
from crmsync.sync.writing import LeaseLost, Writer, record_change
from crmsync.systems.errors import CrmError, NeedsPerson, TryLater

CLAIM_TRIES, CLAIM_PAUSE_S = 40, 0.5
"""A contact in other hands is waited for: a reconcile takes seconds."""

DELETED = "delete"
"""The kind of a change that deleted a contact: no plan does that, only a person."""


def changes_of(kind: str, pk: int) -> QuerySet[Change]:
    """The changes that undoing one `change`, all of one `contact` or all of one `run` is about, newest first."""
    names = {"change": "pk", "contact": "contact", "run": "run"}
    return Change.objects.filter(**{names[kind]: pk}, result__in=UNDOABLE).exclude(kind=DELETED).order_by("-id")


def undo(work: Work) -> None:
    """The step of a run of kind *undo*; `progress` says of what, and how far it is."""
    progress = work.run.progress
    changes = changes_of(progress["undo"], progress["pk"]).filter(pk__lte=progress["upto"])
    contacts = changes.exclude(contact=None).order_by("contact_id").values_list("contact_id", flat=True).distinct()
    progress.setdefault("total", contacts.count())
    for contact_id in list(contacts.filter(contact_id__gt=progress.get("after", 0))):
        kept = undo_contact(work.session, contact_id, list(changes.filter(contact=contact_id)))
        _list(work.run, contact_id, kept)
        progress |= {"after": contact_id, "done": progress.get("done", 0) + 1}
        Run.objects.filter(pk=work.run.pk).update(progress=progress)
        work.beat()
    work.drain()


def _list(run: Run, contact_id: int, kept: Iterable[Kept]) -> None:
    contact = Contact.objects.filter(pk=contact_id).first()
    label = contact.label if contact else ""
    rows = [NotUndone(run=run, contact=contact, label=label, side=one.side, name=one.name[:200], why=one.why) for one in kept]
    NotUndone.objects.bulk_create(rows, ignore_conflicts=True)


def undo_contact(session: Session, contact_id: int, changes: Sequence[Change]) -> list[Kept]:
    """Undo these changes of one contact, as far as they are still ours. Returns what was left as it is.

    Raises what stops the whole run: `TryLater`, `NeedsPerson`, `stopping.Stopped`; the contact is given back all the same."""
    token = uuid.uuid4().hex
    side = Side(changes[0].side)
    busy = Kept(side, _("contact"), _("It was being worked on all the time: undo it again."))
    if not _claim(contact_id, token):
        return [busy]
    session.held.add(token)
    try:
        contact = Contact.objects.get(pk=contact_id)
        contact.asked_cause, contact.asked_by = "", None  # what is written now is the undo's, whoever asked for the reconcile that is due
        return OneUndo(session, contact, token, changes).run()
    except LeaseLost:
        return [busy]
    except (TryLater, NeedsPerson):
        raise
    except CrmError as error:  # about this contact alone: the others go on
        return [Kept(error.side, _("contact"), outcome.explain(error)[0])]
    finally:
        session.held.discard(token)
        Contact.objects.filter(pk=contact_id, lease_token=token).update(lease_token="", lease_until=timezone.now())


def _claim(contact_id: int, token: str) -> bool:
    for _try in range(CLAIM_TRIES):
        now = timezone.now()
        if Contact.objects.claim(contact_id, token, now, now + LEASE_FOR):
            return True
        stopping.wait(CLAIM_PAUSE_S)
    return False


class OneUndo:
    """One contact under one lease."""

    def __init__(self, session: Session, contact: Contact, token: str, changes: Sequence[Change]) -> None:
        self.session = session
        self.contact = contact
        self.changes = changes
        self.work = Reconciliation(session, contact, token)
        self.writer = Writer(session, contact, token)

    def run(self) -> list[Kept]:
        side = Side(self.changes[0].side)
        if self.contact.exclusion or not self.contact.is_linked:
            return [Kept(side, _("contact"), _("It is excluded or in one CRM only: nothing is written to it."))]
        reading = read(self.session, self.contact, Aspect.ALL, fresh=True)
        if reading.missing:
            return [Kept(missing, _("contact"), _("It was deleted there.")) for missing in sorted(reading.missing)]
        undo = self._planned(reading)
        if undo.is_empty:
            return undo.kept
        try:
            kept = [*undo.kept, *self._written(undo, reading)]
            kept += [one for side in undo.deletes for one in self._deleted(side)]
        finally:
            self._make_due()
        return kept

    def _planned(self, reading: Reading) -> Undo:
        """The base is first moved as a reconcile would, so that nothing that was written and not yet seen is taken for an edit."""
        records = _both(reading)
        settled = plan(self.work.base, records[Side.GHL], records[Side.CENTRALSTATION], self.session.mapping, self.session.policy)
        self.work.move_base(settled.base)
        return plan_undo(self.changes, records, self.work.base, self.session.mapping, self.session.policy)

    def _written(self, undo: Undo, reading: Reading) -> list[Kept]:
        self.work.move_base(undo.base)
        kept: list[Kept] = []
        for write in undo.writes:
            self.work.renew()
            if write.kind is WriteKind.CREATE_ITEM:
                kept += self._created_again(write, reading)
                continue
            try:
                self.work.base, _unseen = self.writer.send(write, reading, self.work.base)
            except (TryLater, NeedsPerson):
                raise
            except CrmError as error:
                kept.append(Kept(write.side, _named(write), outcome.explain(error)[0]))
                continue
            if self.writer.has_failed(write):
                kept.append(Kept(write.side, _named(write), _("It was refused: see the timeline.")))
            elif write.kind is WriteKind.DELETE_ITEM and write.pair and write.pair.ref:
                Item.objects.filter(pk=write.pair.ref).update(**{f"{write.side}_id": None}, gone=False, fresh="", base={}, sent={})
        now = read(self.session, self.contact, Aspect.ALL, fresh=True) if self.writer.written else reading
        lost = self.writer.verify(lambda write: self._is_there(write, now.records[write.side]))
        return kept + [Kept(write.side, _named(write), _("It was sent and accepted, but isn't there.")) for write in lost]

    def _created_again(self, write: Write, reading: Reading) -> list[Kept]:
        """A note or task that was deleted. It isn't linked: the reconcile carries it over, but where it was a copy, to that again."""
        record, item = reading.records[write.side], write.item
        assert record is not None
        assert item is not None
        try:
            created = self.session.systems[write.side].create_item(record.id, item)
        except CrmError as error:
            record_change(self.session, self.contact, write, Result.FAILED, error)
            if isinstance(error, (TryLater, NeedsPerson)):
                raise
            return [Kept(write.side, _named(write), outcome.explain(error)[0])]
        record_change(self.session, self.contact, write, Result.ACCEPTED)
        if write.pair and write.pair.ref:
            Item.objects.filter(pk=write.pair.ref).update(**{f"{write.side}_id": created.id}, fresh=write.side)
        self.session.count(f"{write.side}.{write.kind}")
        return []

    def _is_there(self, write: Write, record: Record | None) -> bool:
        if record is None:
            return False
        tags = {fold_tag(tag) for tag in record.tags}
        wanted = {fold_tag(tag) for tag in write.tags}
        item = next((one for one in record.items(write.item.kind) or () if one.id == write.item.id), None) if write.item else None
        match write.kind:
            case WriteKind.UPDATE:
                rows = [row for row in self.session.mapping if row.name in write.after]
                region = self.session.policy.region
                return all(row.same(record.profile.get(row.key(write.side)), write.after[row.name], region) for row in rows)
            case WriteKind.ADD_TAGS:
                return wanted <= tags
            case WriteKind.REMOVE_TAGS:
                return not wanted & tags
            case WriteKind.DELETE_ITEM:
                return item is None
            case _:
                policy = self.session.policy
                return item is not None and all(same_of(name, policy)(value_of(item, name), back) for name, back in write.after.items())

    def _deleted(self, side: Side) -> list[Kept]:
        """Delete what was created there, and leave the other half alone, so that it isn't created again."""
        remote_id, by = str(self.contact.remote_id(side)), self.session.by
        try:
            self.session.systems[side].delete(remote_id)
        except (TryLater, NeedsPerson):
            raise
        except CrmError as error:
            return [Kept(side, _("contact"), outcome.explain(error)[0])]
        reason = _("Undone: what crmsync had created was deleted again.")
        with transaction.atomic():
            Change.objects.create(
                sync=self.session.sync,
                contact=self.contact,
                run=self.session.run,
                label=self.contact.label,
                side=side,
                kind=DELETED,
                remote_id=remote_id,
                result=Result.ACCEPTED,
                cause=Cause.UNDO,
                by_id=by.pk if by else None,
            )
            self.contact.items.all().delete()
            self.contact.keys.filter(side=side).delete()
            Contact.objects.filter(pk=self.contact.pk).update(
                **{f"{side}_id": None}, base={}, sent={}, seen={}, conflicts=[], dirty=0, due_at=None, dirty_since=None,
                exclusion=reason, status=Status.EXCLUDED, reason=_("Excluded: %(reason)s") % {"reason": reason}, issue=None, held_by=None,
            )  # fmt: skip
        self.session.count(f"{side}.{DELETED}")
        return []

    def _make_due(self) -> None:
        """Let a reconcile carry it to the other side, as this person's doing."""
        by = self.session.by
        one = Contact.objects.filter(pk=self.contact.pk).wanted()
        one.update(status=Status.PENDING, reason="", issue=None, held_by=None, asked_cause=Cause.UNDO, asked_by_id=by.pk if by else None)
        one.mark_dirty(Aspect.ALL, timezone.now())
        one.update(due_at=timezone.now())


def _both(reading: Reading) -> dict[Side, Record]:
    return {side: record for side, record in reading.records.items() if record is not None}


def _named(write: Write) -> str:
    """What a write is about, in the words of the list."""
    if write.item:
        return str(write.item.kind)
    return ", ".join(write.tags or sorted(write.after))
