"""Refused values: which field an issue is about, who owns its value, what could be written instead, and that being written.

A correction is kept with its contact until the contact is reconciled: `carry_out` writes it to the side that owns the value, if that is
still the one that was seen, and the reconcile takes it from there like anybody's edit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db.models.fields.json import KeyTransform
from django.utils.translation import gettext as _

from crmsync.engine.corrections import Correction, Takes, corrections
from crmsync.engine.mapping import FieldMap
from crmsync.engine.mends import Way
from crmsync.engine.merge import pair_of
from crmsync.engine.records import SIDES, Aspect, Side, Value
from crmsync.engine.values import FieldType
from crmsync.engine.write import Write, WriteKind
from crmsync.models import Contact, Issue, Result
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import outcome, scopes
from crmsync.sync.fields import known_field
from crmsync.sync.outcome import Outcome
from crmsync.sync.state import mapping_of
from crmsync.sync.writing import Writer, record_change
from crmsync.systems.errors import NAMES, Refused

if TYPE_CHECKING:
    from crmsync.sync.reading import Reading
    from crmsync.sync.reconcile import Reconciliation

ABOUT_A_VALUE = ("refused", "not_taken", "not_kept")
"""Codes of issues that another value mends."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The field that an issue is about. `refused_by` is the side that won't have the value, `owner` the one that it comes from."""

    row: FieldMap
    refused_by: Side
    takes: Takes
    why_not: str
    """Why crmsync can't write it where it comes from, "" where it can."""

    @property
    def owner(self) -> Side:
        return self.refused_by.other

    def value(self, seen: dict[str, list[object]]) -> Value:
        """What `owner` showed when it was last tried."""
        return as_value((seen.get(self.row.name) or (None, None))[SIDES.index(self.owner)])

    def offered(self, value: Value, words: str = "") -> tuple[Correction, ...]:
        return corrections(value, self.takes, words)


def subject_of(issue: Issue) -> Subject | None:
    """None where the cause isn't about a field's value. The issue's sync and connections are read with it."""
    if issue.code not in ABOUT_A_VALUE or not issue.side:
        return None
    row = next((row for row in mapping_of(issue.sync) if row.name == issue.subject), None)
    if row is None:
        return None
    side = Side(issue.side)
    return Subject(row, side, _takes(issue, row, side), _why_not(issue, row, side.other))


def _takes(issue: Issue, row: FieldMap, side: Side) -> Takes:
    region = issue.sync.home_region
    info = known_field(issue.sync.ghl if side is Side.GHL else issue.sync.centralstation, row.key(side))
    if info is None:
        return Takes(type=row.type, region=region)
    type = FieldType(info.type)
    return Takes(type=row.type if type is FieldType.TEXT else type, capacity=info.capacity, options=info.options, region=region)


def _why_not(issue: Issue, row: FieldMap, owner: Side) -> str:
    names = {"owner": NAMES[owner], "other": NAMES[owner.other], "field": row.name}
    if owner is Side.GHL and scopes.is_one_way(issue.sync.ghl):
        return _("crmsync may not write to %(owner)s: correct it there.") % names
    if not row.direction.allows(owner):
        return _("“%(field)s” goes to %(other)s only, so that crmsync doesn't write it in %(owner)s: correct it there.") % names
    return ""


def as_value(stored: object) -> Value:
    """A value as the engine has it: JSON keeps lists."""
    if isinstance(stored, (list, tuple)):
        return tuple(str(one) for one in stored)
    return None if stored is None else str(stored)


def best(subject: Subject, contacts: ContactQuerySet) -> Iterator[tuple[int, Value, Correction]]:
    """Contact, refused value and what is offered first in its place, of those where something is. Reads no more of a row than that."""
    rows = contacts.annotate(both=KeyTransform(subject.row.name, "seen")).values_list("pk", "both", "reason")
    for pk, both, reason in rows.iterator(chunk_size=500):
        value = subject.value({subject.row.name: both} if isinstance(both, list) else {})
        if offered := subject.offered(value, reason):
            yield pk, value, offered[0]


def correct_alike(subject: Subject | None, contacts: ContactQuerySet, way: Way) -> list[int]:
    """Keep the correction of those whose value is mended in this way, for their next reconcile. Returns which they are."""
    if subject is None or subject.why_not:
        return []
    chosen = {pk: (value, one.value) for pk, value, one in best(subject, contacts) if one.way == way}
    rows = list(Contact.objects.filter(pk__in=chosen).only("pk", "corrections"))
    for row in rows:
        row.corrections = {**row.corrections, subject.row.name: [subject.owner, *chosen[row.pk]]}
    Contact.objects.bulk_update(rows, ["corrections"])
    return list(chosen)


def keep(contact: Contact, subject: Subject, before: Value, after: Value) -> None:
    """Keep one correction for the contact's next reconcile."""
    contact.corrections = {**contact.corrections, subject.row.name: [subject.owner, before, after]}
    Contact.objects.filter(pk=contact.pk).update(corrections=contact.corrections)


def carry_out(work: Reconciliation, reading: Reading) -> Outcome | None:
    """Write what a person corrected, each to the side that owns it. How the contact ends where that side won't have it either; else None.

    What isn't there any more as it was seen is left, and the log of changes says so. Raises as a write does, and is done again then."""
    corrections_, rows = work.contact.corrections, {row.name: row for row in work.session.mapping}
    writer = Writer(work.session, work.contact, work.token)
    for name, (side, before, after) in corrections_.items():
        if (row := rows.get(name)) is not None and work.contact.remote_id(Side(side)) is not None:
            _carry_out(work, reading, writer, _write(row, Side(side), as_value(before), as_value(after)))
    ended = writer.failure()
    if ended is None and writer.written:
        work.read_again(reading, sorted(writer.written), Aspect.PROFILE)
        lost = writer.verify(lambda write: _is_there(work, reading, write))
        ended = outcome.not_kept(work.session.sync, [(write.side, name) for write in lost for name in write.after]) if lost else None
        work.written |= writer.written
        work.describe(reading)
    Contact.objects.filter(pk=work.contact.pk, corrections=corrections_).update(corrections={})
    work.contact.corrections = {}
    return ended


def _write(row: FieldMap, side: Side, before: Value, after: Value) -> Write:
    return Write(side=side, kind=WriteKind.UPDATE, before={row.name: before}, after={row.name: after}, changes={row.key(side): after})


def _carry_out(work: Reconciliation, reading: Reading, writer: Writer, write: Write) -> None:
    [(key, after)], [(name, before)] = write.changes.items(), write.before.items()
    if not reading.is_fresh(write.side) or write.side in reading.indexed:
        work.read_again(reading, [write.side], Aspect.PROFILE)
    record = reading.records[write.side]
    current = record.profile.get(key) if record else None
    if current == after:
        return  # it is written, and whoever wrote it was cut off
    if current != before:
        words = _("It was changed in %(crm)s meanwhile, so nothing was overwritten.") % {"crm": NAMES[write.side]}
        record_change(work.session, work.contact, write, Result.FAILED, Refused(words, side=write.side))
        return
    work.renew()
    # To a person it is an edit of what both sides have: an undo takes it back on both.
    known = replace(work.base, fields={**work.base.fields, name: pair_of(write.side, before, None)})
    writer.send(write, reading, known)


def _is_there(work: Reconciliation, reading: Reading, write: Write) -> bool:
    record, rows = reading.records[write.side], {row.name: row for row in work.session.mapping}
    region = work.session.policy.region
    return record is not None and all(
        rows[name].same(record.profile.get(rows[name].key(write.side)), value, region) for name, value in write.after.items()
    )
