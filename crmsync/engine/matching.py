"""Which record over there is the same person? Match keys are tried in order; the first that finds anybody decides.

A match must be unique seen from both sides, and two records of one side are never merged: what isn't certain goes to a person.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from crmsync.engine.mapping import FieldMap
from crmsync.engine.records import FieldKey, Record, Value
from crmsync.engine.values import FieldType, meaning


class KeyKind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    NAME = "name"


Keys = Mapping[KeyKind, frozenset[str]]

_IS_KEY = {FieldType.EMAIL: re.compile(r"[^@\s]+@[^@\s]+"), FieldType.PHONE: re.compile(r"\+\d{7}")}


def keys_of(record: Record, mapping: Sequence[FieldMap], region: str) -> Keys:
    """What `record` can be found by: every e-mail and phone it has, and its whole name with the company (both, or not at all)."""
    profiles = (record.profile, *(row for rows in record.spares.values() for row in rows))
    return {
        KeyKind.EMAIL: _values(profiles, record, mapping, FieldType.EMAIL, region),
        KeyKind.PHONE: _values(profiles, record, mapping, FieldType.PHONE, region),
        KeyKind.NAME: _name(record, mapping),
    }


def _values(
    profiles: Sequence[Mapping[FieldKey, Value]], record: Record, mapping: Sequence[FieldMap], type: FieldType, region: str
) -> frozenset[str]:
    """What isn't an e-mail or a phone number ("k.A.", "none", an extension) is shared by people who have nothing else in common."""
    keys = [row.key(record.side) for row in mapping if row.type is type]
    found = {meaning(profile.get(key), type, region) for profile in profiles for key in keys}
    return frozenset(value for value in found if isinstance(value, str) and _IS_KEY[type].match(value))


def _name(record: Record, mapping: Sequence[FieldMap]) -> frozenset[str]:
    by_name = {row.name: record.profile.get(row.key(record.side)) for row in mapping}
    person = " ".join(_folded(by_name.get(name)) for name in ("first name", "last name")).strip()
    company = _folded(by_name.get("company"))
    return frozenset({f"{person} / {company}"}) if person and company else frozenset()


def _folded(value: Value) -> str:
    return str(meaning(value, FieldType.TEXT) or "").casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A contact as matching sees it. `linked`: it has a partner already. `created_at`: in its CRM, for who was first."""

    ref: int
    linked: bool = False
    created_at: datetime | None = None

    @property
    def age(self) -> tuple[datetime, int]:
        return self.created_at or datetime.max.replace(tzinfo=UTC), self.ref


class Crowd(Protocol):
    """All records that are known. `mine` is the side of the contact that looks for its partner."""

    def sharing(self, kind: KeyKind, values: Collection[str], *, mine: bool) -> Sequence[Candidate]:
        """Records of that side with one of these values."""

    def keys(self, ref: int, *, mine: bool) -> Keys:
        """The keys of a record of that side."""


@dataclass(frozen=True, slots=True)
class Link:
    ref: int


@dataclass(frozen=True, slots=True)
class Create:
    """Nobody over there is this person."""


@dataclass(frozen=True, slots=True)
class Review:
    """A person must say. `others` are the contacts in question."""

    kind: KeyKind
    others: tuple[int, ...]


def find_partner(subject: Candidate, keys: Keys, order: Sequence[KeyKind], crowd: Crowd) -> Link | Create | Review:
    """Decide for one unlinked contact. Reads only; two that decide at once are kept apart by claims on their keys."""
    kind, found = _first(keys, order, crowd, mine=False)
    if kind is None:
        return _create_unless_twin(subject, keys, order, crowd)
    refs = {candidate.ref for candidate in found}
    if len(refs) == 1 and not found[0].linked:
        _, back = _first(crowd.keys(found[0].ref, mine=False), order, crowd, mine=True)
        if {candidate.ref for candidate in back} == {subject.ref}:
            return Link(found[0].ref)
        refs |= {candidate.ref for candidate in back}
    return Review(kind, tuple(sorted(refs - {subject.ref})))


def _create_unless_twin(subject: Candidate, keys: Keys, order: Sequence[KeyKind], crowd: Crowd) -> Create | Review:
    """Two unlinked records of one side with the same key: the first is created over there, the other waits for a person.

    So does the first where the other has somebody over there: who is decided on sooner must make no difference."""
    for kind in order:
        twins = [other for other in crowd.sharing(kind, keys[kind], mine=True) if other.ref != subject.ref] if keys[kind] else []
        if any(twin.linked or twin.age < subject.age or _finds_anybody(twin, order, crowd) for twin in twins):
            return Review(kind, tuple(sorted(twin.ref for twin in twins)))
    return Create()


def _finds_anybody(twin: Candidate, order: Sequence[KeyKind], crowd: Crowd) -> bool:
    return _first(crowd.keys(twin.ref, mine=True), order, crowd, mine=False)[0] is not None


def _first(keys: Keys, order: Sequence[KeyKind], crowd: Crowd, *, mine: bool) -> tuple[KeyKind | None, Sequence[Candidate]]:
    for kind in order:
        if keys[kind] and (found := crowd.sharing(kind, keys[kind], mine=mine)):
            return kind, found
    return None, ()
