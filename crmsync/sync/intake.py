"""Taking in what a page tells: every record gets a row with its match keys, and what differs from the base is marked dirty.

A page is a hint, never the truth: it says what to look at. Where a run is going to look at everything, the page is kept as a copy so that
it needn't be read again contact by contact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from crmsync.engine.items import differs
from crmsync.engine.mapping import FieldMap
from crmsync.engine.matching import Keys, keys_of
from crmsync.engine.merge import on
from crmsync.engine.records import SIDES, Aspect, Item, ItemKind, Record, Side, Value
from crmsync.models import Contact, MatchKey, PageCopy, Status, Sync
from crmsync.models import Item as ItemRow
from crmsync.sync.session import Session
from crmsync.sync.state import ITEM, RECORD, base_of

CONTACT = "contact"
"""`PageCopy.kind` of the contact itself; its notes and tasks have their ItemKind."""


def take_in(session: Session, records: Sequence[Record], *, read_at: datetime, keep_copies: bool, direct: bool = False) -> None:
    """Give each record its row, bring label and match keys up to date, and mark dirty what is new or differs from the base.

    With `keep_copies` nothing is marked: the run marks everything when it has listed both sides."""
    try:
        _take_in(session, records, read_at=read_at, keep_copies=keep_copies, direct=direct)
    except IntegrityError:  # two rows proved to be one person meanwhile, and the one in hand went: now it isn't found any more
        _take_in(session, records, read_at=read_at, keep_copies=keep_copies, direct=direct)


def _take_in(session: Session, records: Sequence[Record], *, read_at: datetime, keep_copies: bool, direct: bool) -> None:
    if not records:
        return
    side = records[0].side
    with transaction.atomic():
        rows = {row.remote_id(side): row for row in session.sync.contacts.on(side, [record.id for record in records])}
        new = [record for record in records if record.id not in rows]
        for row in Contact.objects.bulk_create([_new_row(session.sync, record) for record in new], ignore_conflicts=True):
            rows.setdefault(row.remote_id(side), row)
        rows |= {row.remote_id(side): row for row in session.sync.contacts.on(side, [record.id for record in new])}
        known = [(rows[record.id], record) for record in records]
        describe(session, known)
        unlinked = {row.remote_id(side) for row, _ in known if not row.is_linked}
        kept = records if keep_copies else [record for record in records if record.id in unlinked]
        keep(session.sync, kept, read_at=read_at, direct=direct)
        if not keep_copies:
            _mark_what_differs(session, known)


def _new_row(sync: Sync, record: Record) -> Contact:
    return Contact(
        sync=sync,
        ghl_id=record.id if record.side is Side.GHL else None,
        centralstation_id=record.id if record.side is Side.CENTRALSTATION else None,
        remote_created_at=record.created_at,
    )


def describe(session: Session, known: Sequence[tuple[Contact, Record]]) -> None:
    """Bring what staff find a contact by, and what matching finds it by, up to date."""
    named = []
    for row, record in known:
        if record.side is not Side.GHL and row.ghl_id is not None:
            continue  # one side names a contact, or its two ways to write a phone would take turns
        label, email, phone = label_of(record, session.mapping)
        if (label or row.label, email or row.email, phone or row.phone) != (row.label, row.email, row.phone):
            row.label, row.email, row.phone = label or row.label, email or row.email, phone or row.phone
            named.append(row)
    if named:
        Contact.objects.bulk_update(named, ["label", "email", "phone"])
    _store_keys(session, known)


def label_of(record: Record, mapping: Sequence[FieldMap]) -> tuple[str, str, str]:
    """Name (else company, e-mail or phone), e-mail and phone of a record, cut to what the columns hold."""
    by_name = {row.name: str(record.profile.get(row.key(record.side)) or "") for row in mapping}
    name = f"{by_name.get('first name', '')} {by_name.get('last name', '')}".strip()
    email, phone = by_name.get("email", ""), by_name.get("phone", "")
    return (name or by_name.get("company") or email or phone)[:250], email[:320], phone[:64]


def _store_keys(session: Session, known: Sequence[tuple[Contact, Record]]) -> None:
    side = known[0][1].side
    stored: dict[int, set[tuple[str, str]]] = {row.pk: set() for row, _ in known}
    for key in MatchKey.objects.filter(contact__in=stored, side=side):
        stored[key.contact_id].add((key.kind, key.value))
    new, stale = [], Q()
    for row, record in known:
        wanted = key_pairs(keys_of(record, session.mapping, session.policy.region))
        new += [MatchKey(sync=session.sync, contact=row, side=side, kind=kind, value=value) for kind, value in wanted - stored[row.pk]]
        for kind, value in stored[row.pk] - wanted:
            stale |= Q(contact=row, side=side, kind=kind, value=value)
    if stale:
        MatchKey.objects.filter(stale).delete()
    MatchKey.objects.bulk_create(new, ignore_conflicts=True)


def key_pairs(keys: Keys) -> set[tuple[str, str]]:
    return {(kind.value, value[:600]) for kind, values in keys.items() for value in values}


def keep(sync: Sync, records: Iterable[Record], *, read_at: datetime, direct: bool = False) -> None:
    """Keep records as copies, in place of older ones."""
    copies = [
        PageCopy(
            sync=sync,
            side=record.side,
            kind=CONTACT,
            remote_id=record.id,
            payload=RECORD.dump_python(record, mode="json"),
            read_at=read_at,
            direct=direct or record.side is Side.CENTRALSTATION,
        )
        for record in records
    ]
    _store_copies(copies)


def keep_items(sync: Sync, side: Side, kind: ItemKind, items: Iterable[tuple[Item, tuple[str, ...]]], *, read_at: datetime) -> None:
    """Keep notes or tasks listed in bulk, each with every contact it belongs to."""
    copies = {
        (owner, item.id): PageCopy(
            sync=sync, side=side, kind=kind, remote_id=owner, item_id=item.id, payload=ITEM.dump_python(item, mode="json"), read_at=read_at
        )
        for item, owners in items
        for owner in owners
    }
    _store_copies(list(copies.values()))


def _store_copies(copies: list[PageCopy]) -> None:
    PageCopy.objects.bulk_create(
        copies,
        update_conflicts=True,
        unique_fields=["sync", "side", "remote_id", "kind", "item_id"],
        update_fields=["payload", "read_at", "direct"],
    )


def _mark_what_differs(session: Session, known: Sequence[tuple[Contact, Record]]) -> None:
    now = timezone.now()
    items: dict[int, list[ItemRow]] = {row.pk: [] for row, _ in known}
    for item in ItemRow.objects.filter(contact__in=items):
        items[item.contact_id].append(item)
    by_aspects: dict[Aspect, list[int]] = {}
    for row, record in known:
        if row.exclusion:
            continue
        if aspects := _differing(session, row, items[row.pk], record):
            by_aspects.setdefault(aspects, []).append(row.pk)
    for aspects, ids in by_aspects.items():
        Contact.objects.filter(pk__in=ids).mark_dirty(aspects, now)


def _differing(session: Session, row: Contact, items: Sequence[ItemRow], record: Record) -> Aspect:
    """The aspects worth a look. A CRM's time of change that moved tells of notes and tasks, too."""
    if waits_for_a_change(row) and _is_as_tried(session, row, record):
        return Aspect(0)
    if not row.is_linked or not row.base or row.missing_on == record.side:
        return session.policy.aspects
    aspects = Aspect(0)
    base = base_of(row, items)
    fields = {mapped.name: (mapped, base.fields.get(mapped.name)) for mapped in session.mapping}
    if any(pair is None or not _is_as_agreed(session, mapped, on(pair, record.side), record) for mapped, pair in fields.values()):
        aspects |= Aspect.PROFILE
    if base.tags is None or set(base.tags) != session.policy.kept_same(record, base.tags):
        aspects |= Aspect.TAGS
    if record.tasks is not None and _tasks_differ(session, items, record):
        aspects |= Aspect.TASKS
    known: datetime | None = getattr(row, f"{record.side}_updated_at")
    if record.updated_at is None or known is None or record.updated_at > known:
        aspects |= Aspect.NOTES | Aspect.TASKS
    return aspects & session.policy.aspects


WAITS_FOR_A_CHANGE = Q(issue__isnull=False, status__in=(Status.FAILED, Status.WAITING), due_at=None, held_by=None)
"""The last try failed for a cause that doesn't pass by itself: it isn't tried again before something about it changes, or a person says
so."""


def waits_for_a_change(row: Contact) -> bool:
    """The same of a row at hand."""
    return row.issue_id is not None and row.status in (Status.FAILED, Status.WAITING) and row.due_at is None and row.held_by_id is None


def _is_as_tried(session: Session, row: Contact, record: Record) -> bool:
    """Whether a record is as it was when it was tried in vain. Stamps of whole seconds don't tell all, so values are compared, too; what a
    list doesn't show tells nothing."""
    known: datetime | None = getattr(row, f"{record.side}_updated_at")
    if known is None or record.updated_at is None or record.updated_at > known or row.missing_on == record.side:
        return False
    place = SIDES.index(record.side)
    for mapped in session.mapping:
        value, both = record.profile.get(mapped.key(record.side)), row.seen.get(mapped.name)
        if value is not None and both is not None and not _is_same_value(session, mapped, both[place], value, record):
            return False
    return True


def _is_as_agreed(session: Session, mapped: FieldMap, agreed: Value, record: Record) -> bool:
    """Whether a record shows what was agreed on. A list that has names in small letters only doesn't tell how they are written: else every
    poll would look at everybody."""
    return _is_same_value(session, mapped, agreed, record.profile.get(mapped.key(record.side)), record)


def _is_same_value(session: Session, mapped: FieldMap, agreed: Value, shown: Value, record: Record) -> bool:
    if mapped.same(tuple(agreed) if isinstance(agreed, list) else agreed, shown, session.policy.region):
        return True
    is_folded = bool(record.rows.get("names_folded"))
    return is_folded and isinstance(agreed, str) and isinstance(shown, str) and agreed.casefold() == shown.casefold()


def _tasks_differ(session: Session, items: Sequence[ItemRow], record: Record) -> bool:
    """Whether a task that the page brings is new or not as agreed on; what it doesn't bring may be finished, and isn't news."""
    rows = {str(getattr(row, f"{record.side}_id")): row for row in items if row.kind == ItemKind.TASK}
    return any(_is_news(session, record.side, item, rows.get(item.id)) for item in record.tasks or ())


def mark_differing_items(session: Session, side: Side, kind: ItemKind, items: Sequence[tuple[Item, tuple[str, ...]]]) -> int:
    """Mark the contacts whose listed notes or tasks are new or differ from their base. Returns how many items were news."""
    ids = [item.id for item, _ in items]
    rows: dict[tuple[str, str], ItemRow] = {}
    for row in ItemRow.objects.filter(contact__sync=session.sync, kind=kind, **{f"{side}_id__in": ids}).select_related("contact"):
        rows[str(row.contact.remote_id(side)), str(getattr(row, f"{side}_id"))] = row
    owners = {owner for item, item_owners in items for owner in item_owners if _is_news(session, side, item, rows.get((owner, item.id)))}
    if owners:  # what can't be created over there gets its notes and tasks when it can
        hopeless = session.sync.contacts.filter(WAITS_FOR_A_CHANGE, Q(ghl_id=None) | Q(centralstation_id=None))
        contacts = session.sync.contacts.on(side, sorted(owners)).wanted().filter(held_by=None)
        contacts.exclude(pk__in=hopeless.values("pk")).mark_dirty(kind.aspect, timezone.now())
    return len(owners)


def _is_news(session: Session, side: Side, item: Item, row: ItemRow | None) -> bool:
    if row is None:
        return True
    return differs(item, {name: pair[0 if side is Side.GHL else 1] for name, pair in row.base.items()}, session.policy)


def mark_vanished_tasks(session: Session, side: Side, listed: set[str]) -> None:
    """Contacts with a task that was open when both last agreed and isn't in the list of open ones: it was done, or deleted."""
    place = 0 if side is Side.GHL else 1
    rows = ItemRow.objects.filter(contact__sync=session.sync, kind=ItemKind.TASK, gone=False, **{f"{side}_id__isnull": False})
    owners = {
        row.contact_id
        for row in rows.iterator(chunk_size=500)
        if (row.base.get("done") or [None, None])[place] is None and getattr(row, f"{side}_id") not in listed
    }
    Contact.objects.filter(pk__in=owners, held_by=None).wanted().mark_dirty(Aspect.TASKS, timezone.now())


def mark_reviews(sync: Sync) -> None:
    """Reviews are decided anew whenever something may have changed: that asks no CRM."""
    sync.contacts.filter(status=Status.REVIEW, dirty=0).update(
        dirty=int(Aspect.ALL), dirty_counter=F("dirty_counter") + 1, due_at=timezone.now()
    )
