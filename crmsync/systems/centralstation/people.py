"""Reading people, one or many, always with all rows that make up a profile (centralstationcrm.md, sections 2 and 14)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from crmsync.engine.records import Record
from crmsync.engine.values import FieldType, phone_e164, same
from crmsync.systems.base import Page
from crmsync.systems.centralstation import operations as op
from crmsync.systems.centralstation.api import PERPAGE, Api, Params
from crmsync.systems.centralstation.companies import Companies
from crmsync.systems.centralstation.fields import DETAIL_GROUPS
from crmsync.systems.centralstation.records import record_of
from crmsync.systems.centralstation.rows import (
    BERLIN,
    GROUPS,
    Addr,
    CustomField,
    Detail,
    HistoricEvent,
    Person,
    Position,
    Row,
    Tag,
    Task,
)
from crmsync.systems.errors import CrmError, NotFound, Refused, UnexpectedAnswer
from crmsync.systems.operations import Operation

INCLUDES: Params = {"includes": " ".join((*GROUPS, "companies", "tasks")), "methods": "stream_updated_at"}
OLDEST_FIRST: Params = {"order": "new-asc"}
"""By age, not by change: a person changed while pages are read keeps its place, so that none is skipped."""

UPDATED, STREAM, STREAM_ALONE = "updated", "stream", "stream-alone"
"""The passes of `changed`; the last where the first wasn't accepted, so that somebody answers for both."""

_CHILDREN: dict[str, tuple[Operation, type[Row]]] = {
    "tags": (op.LIST_PERSON_TAGS, Tag),
    "addrs": (op.LIST_ADDRS, Addr),
    "custom_fields": (op.LIST_CUSTOM_FIELDS, CustomField),
    "historic_events": (op.LIST_HISTORIC_EVENTS, HistoricEvent),
    "positions": (op.LIST_POSITIONS, Position),
    "tasks": (op.LIST_PERSON_TASKS, Task),
}


class People:
    """The people of one account, as records."""

    def __init__(self, api: Api, companies: Companies) -> None:
        self._api = api
        self._companies = companies

    def record(self, person: Person) -> Record:
        """As a read shows it: complete."""
        return self.written(self._completed(person))

    def written(self, person: Person) -> Record:
        """As writing left it: nothing is read."""
        return record_of(person, self._companies.name_of)

    def person(self, id: str) -> Person:
        return self._completed(self._api.one(Person, op.GET_PERSON, params=INCLUDES, id=id))

    def read(self, id: str) -> Record:
        return self.record(self.person(id))

    def read_or(self, known: Record) -> Record:
        """Read it afresh, or what is `known` where that fails."""
        try:
            return self.read(known.id)
        except CrmError:
            return known

    def page(self, after: str | None) -> Page:
        number = int(after or 1)
        people, more = self._page(number)
        return Page(records=self._records(people), next=str(number + 1) if more else None)

    def changed(self, since: datetime, after: str | None) -> Page:
        """Two passes: people whose own fields changed, then those with anything new on their stream (notes, tasks). Where the account
        doesn't tell when that was, the record has no time of change either, so that nobody takes it for known.

        The time has an offset *and* is German, the zone of times without one; a second is taken off, since whether the filter is
        strict isn't known (centralstationcrm.md, section 15)."""
        pass_, _, number = (after or f"{UPDATED}:1").partition(":")
        start = (since - timedelta(seconds=1)).astimezone(BERLIN).isoformat(timespec="seconds")
        filters = {"filter[updated_at][larger_than]": start} if pass_ == UPDATED else {"stream_updated_at_after": start}
        try:
            people, more = self._page(int(number), filters)
        except Refused:
            if pass_ == STREAM_ALONE:
                raise
            return Page(records=(), next=f"{STREAM_ALONE}:1" if pass_ == UPDATED else None)
        following = f"{STREAM}:1" if pass_ == UPDATED else None
        records = self._records(people)
        if pass_ != UPDATED:
            untold = {person.id for person in people if person.stream_updated_at is None}
            records = tuple(replace(record, updated_at=None) if record.id in untold else record for record in records)
        return Page(records=records, next=f"{pass_}:{int(number) + 1}" if more else following)

    def read_many(self, ids: Sequence[str]) -> Iterator[Record]:
        for chunk in _chunks(list(dict.fromkeys(ids))):
            yield from self._read_chunk(chunk)

    def _read_chunk(self, ids: list[str]) -> Iterator[Record]:
        """By one filter; one by one whom the answer lacks, if it shows that the filter wasn't understood."""
        try:
            people, _ = self._page(1, {"filter[id][in]": ",".join(ids)})
        except Refused:
            people, understood = [], False
        else:
            understood = all(person.id in ids for person in people)
        found = {person.id: person for person in people if person.id in ids}
        yield from map(self.record, found.values())
        for missing in () if understood else ids:
            if missing not in found:
                with suppress(NotFound):
                    yield self.read(missing)

    def total(self) -> int:
        """`/people/count`, or `/people/stats` as another source calls it (centralstationcrm.md, section 2)."""
        try:
            return self._api.total(op.COUNT_PEOPLE)
        except (NotFound, UnexpectedAnswer):
            return self._api.total(op.PEOPLE_STATS)

    def find(self, emails: Sequence[str], phones: Sequence[str], name: str, region: str) -> list[Record]:
        """By each value; whether the search is exact isn't known, so what it finds is compared again here."""
        asked = [{"email": email.strip()} for email in emails if email.strip()]
        asked += [{"phone": form} for form in _phone_forms(phones, region)]
        asked += [{"name": ending} for ending in _endings(name)]
        found: dict[str, Person] = {}
        for query in asked:
            found |= {one.id: one for one in self._api.every(Person, op.SEARCH_PEOPLE, params={**query, **INCLUDES})}
        people = map(self._completed, found.values())
        return [self.written(person) for person in people if _is_one(person, emails, phones, name, region)]

    def _page(self, number: int, filters: Params | None = None) -> tuple[list[Person], bool]:
        return self._api.page(Person, op.LIST_PEOPLE, number, params={**OLDEST_FIRST, **(filters or {}), **INCLUDES})

    def _records(self, people: Iterable[Person]) -> tuple[Record, ...]:
        return tuple(map(self.record, sorted(people, key=lambda person: person.age)))

    def _completed(self, person: Person) -> Person:
        """With the rows that an include should have brought and didn't, read by their own routes."""
        lacking = [group for group in (*GROUPS, "tasks") if getattr(person, group) is None]
        if not lacking:
            return person
        rows: dict[str, tuple[Row, ...]] = {group: self._children(person.id, group) for group in lacking if group in _CHILDREN}
        if not set(lacking).isdisjoint(DETAIL_GROUPS.values()):
            rows |= self._details(person.id)
        return person.model_copy(update=rows)

    def _children(self, person_id: str, group: str) -> tuple[Row, ...]:
        operation, shape = _CHILDREN[group]
        try:
            return tuple(self._api.every(shape, operation, params={"order": "id-asc"}, person_id=person_id))
        except NotFound:
            return ()

    def _details(self, person_id: str) -> dict[str, tuple[Row, ...]]:
        rows = list(self._api.every(Detail, op.LIST_CONTACT_DETAILS, params={"order": "id-asc"}, person_id=person_id))
        return {group: tuple(row for row in rows if row.kind == key) for key, group in DETAIL_GROUPS.items()}


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    """At most a page each, and an address well below 4,000 characters (a comma takes three of them)."""
    chunk: list[str] = []
    length = 0
    for one in ids:
        length += len(one) + 3
        if chunk and (len(chunk) == PERPAGE or length > 3_400):
            yield chunk
            chunk, length = [], len(one) + 3
        chunk.append(one)
    if chunk:
        yield chunk


def _phone_forms(phones: Iterable[str], region: str) -> list[str]:
    """As given and as E.164: which of them the search compares isn't known."""
    forms = [form for phone in phones if phone.strip() for form in (phone.strip(), phone_e164(phone, region))]
    return list(dict.fromkeys(form for form in forms if form))


def _endings(name: str) -> list[str]:
    """The search is by last name alone, and where that begins can't be told from a full name ("Anna von der Heide")."""
    words = name.split()
    return [" ".join(words[start:]) for start in reversed(range(len(words)))][:4]


def _is_one(person: Person, emails: Sequence[str], phones: Sequence[str], name: str, region: str) -> bool:
    return (
        any(same(row.name, email, FieldType.EMAIL) for row in person.emails or () for email in emails)
        or any(same(row.name, phone, FieldType.PHONE, region) for row in person.tels or () for phone in phones)
        or bool(name.strip() and same(f"{person.first_name or ''} {person.name or ''}", name, FieldType.CHOICE))
    )
