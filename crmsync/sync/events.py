"""Handling events: each is a hint which contact to look at, and how soon. Entry: `take_up()`.

The contacts an event is about are marked dirty and urgent; a contact that nobody knows gets a row. Records are read when the contact is
reconciled, so events may come late, twice, in any order, or not at all.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from crmsync.engine.records import SIDES, Aspect, ItemKind, Side
from crmsync.models import Cause, Change, Connection, Contact, Event, Mode, Sync, Tally
from crmsync.models.connection import ConnectionQuerySet
from crmsync.models.contact import ContactQuerySet
from crmsync.sync.nudging import LIVE, nudge
from crmsync.sync.session import Session
from crmsync.systems.base import System
from crmsync.systems.centralstation import webhooks as centralstation_webhooks
from crmsync.systems.errors import CrmError
from crmsync.systems.ghl import webhooks as ghl_webhooks
from crmsync.systems.notice import Malformed, Notice

log = logging.getLogger(__name__)

FINDING = (Cause.POLL, Cause.RUN, Cause.SWEEP)
ECHO_WITHIN = timedelta(minutes=10)
ECHO_COMES_WITHIN, BEFORE_ITS_ANSWER = timedelta(seconds=10), timedelta(seconds=2)
"""An event may come before the answer to the write that it tells of."""

OVERTAKEN_WITHIN = timedelta(minutes=1)
"""A poll that finds a change while its event is on the way has found nothing that would have been missed."""

OWNER_PAGES = 3
AT_ONCE = 100
"""Events of one look at the table: they collapse to few contacts, and the transaction stays short."""


@dataclass
class Heard:
    """What a batch of events comes to: by contact id which aspects to look at, and which contacts are told to be gone."""

    aspects: dict[str, Aspect] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    events_by_id: dict[str, list[Event]] = field(default_factory=dict)

    def add(self, event: Event, contact_id: str, notice: Notice) -> None:
        self.aspects[contact_id] = self.aspects.get(contact_id, Aspect(0)) | notice.aspects
        self.events_by_id.setdefault(contact_id, []).append(event)
        if notice.is_gone:
            self.gone.add(contact_id)


def take_up(session: Session) -> int:
    """Handle what has arrived on both connections of a sync. Returns how many events there were."""
    sync = session.sync
    return sum(_take_up(session, side, sync.ghl if side is Side.GHL else sync.centralstation) for side in SIDES)


def _take_up(session: Session, side: Side, connection: Connection) -> int:
    count = 0
    while batch := list(Event.objects.filter(connection=connection).waiting()[:AT_ONCE]):
        _handle(session, side, connection, batch)
        count += len(batch)
    return count


def _handle(session: Session, side: Side, connection: Connection, batch: Sequence[Event]) -> None:
    heard, searched = Heard(), Searched(session.systems[side])
    for event in batch:
        event.outcome = Event.Outcome.NOT_USED
        if (notice := _read(event)) is None:
            continue
        if notice.is_uninstall and tells_of(notice, connection):
            event.outcome = Event.Outcome.USED  # when it came: receiving.py
        elif notice.aspects and notice.account_id in (None, connection.account_id):
            event.outcome = Event.Outcome.UNKNOWN
            for contact_id in [notice.contact_id] if notice.contact_id else searched.owners(notice):
                heard.add(event, contact_id, notice)
    with transaction.atomic():
        _mark(side, connection, heard)
        now = timezone.now()
        for outcome in Event.Outcome:
            ids = [event.pk for event in batch if event.outcome == outcome]
            Event.objects.filter(pk__in=ids).update(handled_at=now, outcome=outcome)
        _count_types(connection, batch)
    _wake_others(session, connection)


def _read(event: Event) -> Notice | None:
    """What an event says; None where it says nothing that could be read."""
    try:
        match event.via:
            case Event.Via.APP:
                return ghl_webhooks.read(event.body.encode())
            case Event.Via.WORKFLOW:
                return ghl_webhooks.read_workflow(event.body.encode())
            case _:
                model, _, what = event.type.partition(".")
                return centralstation_webhooks.read(model, what, event.body.encode())
    except Malformed:
        return None


def tells_of(notice: Notice, connection: Connection) -> bool:
    """Whether the app was uninstalled from this connection's location, or from the agency that its authorisation belongs to."""
    if not connection.is_oauth:
        return False
    if notice.account_id:
        return notice.account_id == connection.account_id
    return bool(notice.company_id) and notice.company_id == connection.company_id


class Searched:
    """Whose note or task it is that an event names without its contact: found in the newest of them, which are listed once for all events
    of a batch. An older one is found by the next poll."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._owners: dict[ItemKind, dict[str, tuple[str, ...]]] = {}

    def owners(self, notice: Notice) -> Sequence[str]:
        kind = notice.item_kind
        if kind is None or notice.item_id is None or kind not in self._system.bulk_items:
            return ()
        if kind not in self._owners:
            self._owners[kind] = self._newest(kind)
        return self._owners[kind].get(notice.item_id, ())

    def _newest(self, kind: ItemKind) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        after: str | None = None
        try:
            for _page in range(OWNER_PAGES):
                page = self._system.item_page(kind, after)
                found |= {item.id: owners for item, owners in page.items}
                if (after := page.next) is None:
                    break
        except CrmError as error:
            log.warning("the owners of items couldn't be looked up", extra={"side": str(self._system.side), "code": error.code})
        return found


def _mark(side: Side, connection: Connection, heard: Heard) -> None:
    """Mark the contacts dirty in every sync of this connection, and give those that are new a row."""
    syncs = Sync.objects.filter(Q(ghl=connection) | Q(centralstation=connection)).exclude(mode=Mode.DRAFT)
    for sync in syncs:
        _give_rows(sync, side, [contact_id for contact_id in heard.aspects if contact_id not in heard.gone])
        for aspects in set(heard.aspects.values()):
            ids = [contact_id for contact_id, wanted in heard.aspects.items() if wanted == aspects]
            _mark_heard(sync.contacts.on(side, ids), side, aspects, heard)
        known = sync.contacts.on(side, list(heard.aspects)).values_list(f"{side}_id", flat=True)
        for contact_id in known:
            for event in heard.events_by_id[contact_id]:
                event.outcome = Event.Outcome.USED


def _give_rows(sync: Sync, side: Side, ids: Iterable[str]) -> None:
    known = set(sync.contacts.on(side, list(ids)).values_list(f"{side}_id", flat=True))
    rows = [Contact(sync=sync, **{f"{side}_id": contact_id}) for contact_id in ids if contact_id not in known]
    Contact.objects.bulk_create(rows, ignore_conflicts=True)


def _mark_heard(contacts: ContactQuerySet, side: Side, aspects: Aspect, heard: Heard) -> None:
    """The echoes of a first sync or a full comparison are looked at in the background: they would hold up live changes for as long as it
    took."""
    now = timezone.now()
    by_heard: dict[tuple[str, ...], list[int]] = {}
    for pk, heard_on in contacts.values_list("pk", "heard_on"):
        by_heard.setdefault(tuple(sorted({*heard_on, side.value})), []).append(pk)
    for heard_on, ids in by_heard.items():
        Contact.objects.filter(pk__in=ids).update(heard_at=now, heard_on=list(heard_on))
    echoes = _bulk_echoes(contacts, side, heard)
    contacts.wanted().filter(pk__in=echoes).mark_dirty(aspects, now)
    contacts.wanted().exclude(pk__in=echoes).mark_dirty(aspects, now, is_urgent=True)


def _bulk_echoes(contacts: ContactQuerySet, side: Side, heard: Heard) -> set[int]:
    """Contacts whose events all came just when a run over everybody had written to them on that side."""
    written: dict[int, list[datetime]] = {}
    remote_ids = dict(contacts.values_list("pk", f"{side}_id"))
    since = min(event.received_at for events in heard.events_by_id.values() for event in events) - ECHO_COMES_WITHIN
    changes = Change.objects.filter(contact__in=remote_ids, side=side, at__gte=since, cause__in=(Cause.FIRST_SYNC, Cause.FULL))
    for pk, at in changes.values_list("contact", "at"):
        written.setdefault(pk, []).append(at)
    return {pk for pk, times in written.items() if all(_follows(event, times) for event in heard.events_by_id[remote_ids[pk]])}


def _follows(event: Event, times: Iterable[datetime]) -> bool:
    return any(at - BEFORE_ITS_ANSWER <= event.received_at <= at + ECHO_COMES_WITHIN for at in times)


def set_aside() -> None:
    """Events of a connection that no sync uses are of no use; they are counted, and no longer wait."""
    for connection in unused():
        waiting = Event.objects.filter(connection=connection).waiting()
        while batch := list(waiting.only("type", "via")[:AT_ONCE]):
            with transaction.atomic():
                Event.objects.filter(pk__in=[event.pk for event in batch]).update(handled_at=timezone.now(), outcome=Event.Outcome.NOT_USED)
                _count_types(connection, batch)


def unused() -> ConnectionQuerySet:
    """Connections with events waiting that no sync uses."""
    waiting = Event.objects.filter(connection=OuterRef("pk"), handled_at=None)
    return Connection.objects.without_secrets().filter(Exists(waiting), ghl_syncs=None, centralstation_syncs=None)


def _count_types(connection: Connection, batch: Sequence[Event]) -> None:
    for type, n in Counter(event.type or event.via for event in batch).items():
        Tally.add(connection.pk, f"event:{type}", n)


def account_for(session: Session, contact: Contact, written: Collection[Side]) -> None:
    """Count what a reconcile shows of the events: a change that one had told of, one that a poll found, or the echo of our own write."""
    heard = {Side(side) for side in contact.heard_on}
    for side in written:
        if side.other in heard:
            Tally.add(_connection_id(session, side.other), "announced")
        elif session.cause in FINDING and not contact.asked_cause:
            Tally.add(_connection_id(session, side.other), "found")
    for side in heard if not written else ():
        _account_for_no_news(session, contact, side)


def _account_for_no_news(session: Session, contact: Contact, side: Side) -> None:
    now = timezone.now()
    if contact.changes.filter(side=side, at__gt=now - ECHO_WITHIN).exists():
        Tally.add(_connection_id(session, side), "echo")
    elif contact.changes.filter(side=side.other, cause__in=FINDING, at__gt=now - OVERTAKEN_WITHIN).exists():
        Tally.add(_connection_id(session, side), "announced")
        Tally.take_back(_connection_id(session, side), "found")


def _connection_id(session: Session, side: Side) -> int:
    return session.sync.ghl_id if side is Side.GHL else session.sync.centralstation_id


def _wake_others(session: Session, connection: Connection) -> None:
    """Another sync of the same connection may have something due by now."""
    others = Sync.objects.live().filter(Q(ghl=connection) | Q(centralstation=connection)).exclude(pk=session.sync.pk)
    for sync in others.filter(first_sync_done_at__isnull=False):
        if sync.contacts.due(timezone.now()).filter(is_urgent=True).exists():
            nudge(sync.pk, LIVE)
