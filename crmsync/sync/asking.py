"""Asking both CRMs for somebody whom nobody knows here: by reads alone, before background work. Entry: `ask()`.

Whoever is found is taken in like anybody a poll finds, and read next: what is written then is for the sync to decide, and the brake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync.engine.matching import KeyKind, keys_of
from crmsync.engine.records import Aspect, Record
from crmsync.engine.values import phone_e164
from crmsync.models import LOCKED_OUT, Cause, Connection, Mode, RunKind, RunStatus, Sync
from crmsync.sync import intake, outcome
from crmsync.sync.facts import Fact, leading
from crmsync.sync.nudging import LIVE, nudge
from crmsync.sync.pasted import MOST, Kind, Pasted, about
from crmsync.sync.runs import BIG
from crmsync.sync.session import open_session, open_system
from crmsync.sync.spoken import listed
from crmsync.sync.state import mapping_of
from crmsync.systems.base import System
from crmsync.systems.errors import NAMES, CrmError, NotFound

ASPECTS = Aspect.PROFILE | Aspect.TAGS
ASKABLE = (Kind.EMAIL, Kind.PHONE, Kind.NAME, Kind.GHL_ID, Kind.CENTRALSTATION_ID)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an account said, in one sentence. `is_found`: it has whom we asked for; `is_wrong`: it couldn't be asked."""

    connection: Connection
    sentence: str
    is_found: bool = False
    is_wrong: bool = False


def unknown(pasted: Pasted) -> str:
    """What to say where nobody here is found."""
    values = {"text": pasted.text, "where": pasted.foreign}
    match pasted.kind:
        case Kind.EMAIL:
            text = _("No contact here has the e-mail address “%(text)s”.")
        case Kind.PHONE:
            text = _("No contact here has the phone number “%(text)s”.")
        case Kind.NAME:
            text = _("No contact here has “%(text)s” in its name, its e-mail address or its phone number.")
        case Kind.GHL_ID if pasted.foreign:
            text = _("That is a contact of another location of GoHighLevel (%(where)s): no connection here is for it.")
        case Kind.GHL_ID:
            text = _("No contact here has the id “%(text)s” in GoHighLevel.")
        case Kind.CENTRALSTATION_ID if pasted.foreign:
            text = _("That is a person in another account of CentralStationCRM (%(where)s): no connection here is for it.")
        case Kind.CENTRALSTATION_ID:
            text = _("No contact here has the id %(text)s in CentralStationCRM, and none has it as a phone number.")
        case Kind.OURS:
            text = _("crmsync has no contact %(text)s (any more): it was deleted, or has become one with another.")
        case Kind.PLACE:
            text = _("This address names no contact: open the contact over there, and copy the address of its page.")
    return text % values


def can_ask(pasted: Pasted) -> bool:
    return pasted.kind in ASKABLE and pasted.accounts != ()


def ask(pasted: Pasted) -> list[Answer]:
    """Each account that a sync uses, once, and what it said. Takes in whom it finds."""
    used = Connection.objects.filter(~Q(ghl_syncs=None) | ~Q(centralstation_syncs=None)).filter(about(pasted)).distinct()
    return [_ask(connection, pasted) for connection in used]


def _ask(connection: Connection, pasted: Pasted) -> Answer:
    values = {"crm": NAMES[connection.side], "name": connection.name}
    if connection.paused_at is not None:
        return Answer(connection, _("%(crm)s (“%(name)s”) wasn't asked: the connection is paused.") % values, is_wrong=True)
    if connection.health in LOCKED_OUT:
        values["reason"] = connection.health_reason
        return Answer(connection, _("%(crm)s (“%(name)s”) doesn't let crmsync in: %(reason)s") % values, is_wrong=True)
    syncs = list(_syncs_of(connection))
    try:
        with closing(open_system(connection, syncs[0].home_region, is_live=True)) as system:
            found = _search(system, pasted, syncs[0])
    except CrmError as error:
        values["reason"] = outcome.explain(error)[0]
        return Answer(connection, _("%(crm)s (“%(name)s”) couldn't be asked: %(reason)s") % values, is_wrong=True)
    if not found:
        return Answer(connection, _("%(crm)s (“%(name)s”) has nobody like this.") % values)
    news = _unknown_to(syncs, found)
    for sync in syncs:
        if sync.mode != Mode.DRAFT:
            _take_in(sync, found)
    return Answer(connection, _found(found, news, syncs, values), is_found=True)


def _syncs_of(connection: Connection) -> Iterable[Sync]:
    return Sync.objects.select_related("ghl", "centralstation").filter(Q(ghl=connection) | Q(centralstation=connection))


def _search(system: System, pasted: Pasted, sync: Sync) -> list[Record]:
    """Whoever has it; what a CRM finds besides is left out."""
    match pasted.kind:
        case Kind.EMAIL:
            return _having(system.find(emails=[pasted.text]), KeyKind.EMAIL, {pasted.text.lower()}, sync)
        case Kind.PHONE:
            number = phone_e164(pasted.text, sync.home_region) or pasted.text
            return _having(system.find(phones=[number]), KeyKind.PHONE, {number}, sync)
        case Kind.NAME:
            return system.find(name=pasted.text)[:MOST]
    try:
        return [system.read(pasted.text, ASPECTS)]
    except NotFound:
        return []


def _having(records: Iterable[Record], kind: KeyKind, values: set[str], sync: Sync) -> list[Record]:
    mapping = mapping_of(sync)
    keys = ((record, keys_of(record, mapping, sync.home_region)[kind]) for record in records)
    return [record for record, theirs in keys if values & theirs][:MOST]


def _unknown_to(syncs: Sequence[Sync], records: Sequence[Record]) -> list[Record]:
    """Those that a sync hasn't read yet."""
    ids = [record.id for record in records]
    known = [set(sync.contacts.on(records[0].side, ids).values_list(f"{records[0].side}_id", flat=True)) for sync in syncs]
    return [record for record in records if any(record.id not in theirs for theirs in known)]


def _take_in(sync: Sync, records: Sequence[Record]) -> None:
    """As if a poll had found them, but urgent: somebody waits for it."""
    now, side = timezone.now(), records[0].side
    with open_session(sync, Cause.POLL, is_live=True) as session:
        intake.take_in(session, records, read_at=now, keep_copies=False, direct=True)
    rows = sync.contacts.on(side, [record.id for record in records]).wanted()
    rows.mark_dirty(Aspect.ALL, now, is_urgent=True)
    if sync.mode == Mode.LIVE and sync.first_sync_done_at:
        nudge(sync.pk, LIVE)


def _found(records: Sequence[Record], news: Sequence[Record], syncs: Sequence[Sync], values: dict[str, str]) -> str:
    """Told of are those that are news, where there are any."""
    mapping, told = mapping_of(syncs[0]), news or records
    values["who"] = listed([_named(record.id, intake.label_of(record, mapping)[0]) for record in told])
    if not news:
        text = ngettext(
            "%(crm)s (“%(name)s”) has %(who)s, who is known here already.",
            "%(crm)s (“%(name)s”) has %(who)s, who are known here already.",
            len(told),
        )
    elif all(sync.mode == Mode.DRAFT for sync in syncs):
        text = ngettext(
            "%(crm)s (“%(name)s”) has %(who)s: it is read when its sync is set live.",
            "%(crm)s (“%(name)s”) has %(who)s: they are read when their sync is set live.",
            len(told),
        )
    else:
        text = ngettext(
            "%(crm)s (“%(name)s”) has %(who)s: it hadn't been read yet, and is marked to be read now.",
            "%(crm)s (“%(name)s”) has %(who)s: they hadn't been read yet, and are marked to be read now.",
            len(told),
        )
    return text % values


def _named(id: str, label: str) -> str:
    return _("%(label)s (id %(id)s)") % {"label": label or _("a contact without a name"), "id": id}


def last_looks() -> Iterator[Fact]:
    """When each sync last listed everybody, and last asked for changes: whoever came since isn't known here."""
    for sync in Sync.objects.exclude(mode=Mode.DRAFT).only("name"):
        done = sync.runs.filter(status=RunStatus.DONE)
        values = {"sync": sync.name}
        if whole := done.filter(kind__in=BIG).first():
            text = _("“%(sync)s” last read both CRMs as a whole.") % values
            yield leading("run", whole.pk, text, _("Show the run"), whole.ended_at)
        else:
            yield leading("sync", sync.pk, _("“%(sync)s” has never read both CRMs as a whole.") % values, _("Start it"))
        if polled := done.filter(kind=RunKind.POLL).first():
            yield Fact(_("“%(sync)s” last asked both CRMs what has changed.") % values, polled.ended_at)
