"""A person's fields carried to its rows: the body of a create, and call by call the changes of an update.

Children are never changed through the person: a PUT with nested rows doubles them (centralstationcrm.md, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from pydantic import JsonValue

from crmsync.engine.records import FieldKey, Value
from crmsync.engine.values import day, fold_tag, same
from crmsync.systems.base import FieldInfo
from crmsync.systems.centralstation import operations as op
from crmsync.systems.centralstation.answers import ATYPE, refusal
from crmsync.systems.centralstation.api import Api
from crmsync.systems.centralstation.companies import Companies
from crmsync.systems.centralstation.fields import (
    ADDRESS_FIELDS,
    CUSTOM,
    DETAIL_GROUPS,
    PERSON_FIELDS,
    STANDARD,
    TAG_LENGTH,
    address_parts,
    custom_text,
    stand_ins,
    text_of,
)
from crmsync.systems.centralstation.records import address, birthday_row, custom_rows, ranked_addrs, ranked_details, ranked_positions
from crmsync.systems.centralstation.rows import Addr, CustomField, Detail, HistoricEvent, Person, Position, Row, Tag
from crmsync.systems.errors import NotFound, Refused
from crmsync.systems.operations import Operation

Changes = Mapping[FieldKey, Value]
Custom = Mapping[FieldKey, FieldInfo]

TYPES = {field.key: field.type for field in STANDARD}
FORMER: Mapping[str, JsonValue] = {"former": True, "primary_function": False}
"""A position that ended; only one may be primary, so that the ended one must not stay it (section 11)."""
OFFICE, OTHER = "office", "other"
"""The `atype` of e-mails, phones and homepages that we make, and the one to try when the first is refused (section 15)."""


@dataclass(frozen=True, slots=True)
class RowKind:
    """A kind of row below a person: its envelope, the person's list it is in, its shape and the three ways to write it."""

    envelope: str
    group: str
    shape: type[Row]
    create: Operation
    update: Operation
    delete: Operation


_DETAIL_OPERATIONS = (op.CREATE_CONTACT_DETAIL, op.UPDATE_CONTACT_DETAIL, op.DELETE_CONTACT_DETAIL)
DETAILS = {key: RowKind(key, group, Detail, *_DETAIL_OPERATIONS) for key, group in DETAIL_GROUPS.items()}
ADDR = RowKind("addr", "addrs", Addr, op.CREATE_ADDR, op.UPDATE_ADDR, op.DELETE_ADDR)
EVENT = RowKind(
    "historic_event", "historic_events", HistoricEvent, op.CREATE_HISTORIC_EVENT, op.UPDATE_HISTORIC_EVENT, op.DELETE_HISTORIC_EVENT
)
POSITION = RowKind("position", "positions", Position, op.CREATE_POSITION, op.UPDATE_POSITION, op.DELETE_POSITION)
CUSTOM_FIELD = RowKind("custom_field", "custom_fields", CustomField, op.CREATE_CUSTOM_FIELD, op.UPDATE_CUSTOM_FIELD, op.DELETE_CUSTOM_FIELD)
TAG = RowKind("tag", "tags", Tag, op.CREATE_TAG, op.UPDATE_TAG, op.DELETE_TAG)


def json_id(text: str) -> int | str:
    """An id as JSON wants it: integers for all types that are written here."""
    return int(text) if text.isdecimal() else text


def new_tags(tags: Sequence[str], present: Collection[str]) -> list[str]:
    """The tags to add: each word once, not those there already, not those too long to be kept."""
    folded = {fold_tag(tag) for tag in present}
    wanted = {fold_tag(tag): tag.strip() for tag in reversed(tags) if tag.strip() and len(tag.strip()) <= TAG_LENGTH}
    return [tag for key, tag in reversed(wanted.items()) if key not in folded]


def new_person(
    profile: Changes, tags: Sequence[str], company_id: str | None, custom: Custom, country: str, atype: str = OFFICE
) -> dict[str, JsonValue]:
    """The body of a create, rows nested; a birthday has no place in it (centralstationcrm.md, section 2)."""
    person: dict[str, JsonValue] = {key: text for key in PERSON_FIELDS if (text := text_of(profile.get(key)))}
    for key, group in DETAIL_GROUPS.items():
        if text := text_of(profile.get(key)):
            person[f"{group}_attributes"] = [{"atype": atype, "name": text, "api_input": True}]
    if parts := {key: part for key, part in address_parts(profile, country).items() if part}:
        person["addrs_attributes"] = [{**parts, "atype": "work_hq", "api_input": True}]
    if company_id:
        person["positions_attributes"] = [{"company_id": json_id(company_id), "primary_function": True, "former": False, "api_input": True}]
    if words := new_tags(tags, ()):
        person["tags_attributes"] = [{"name": word, "api_input": True} for word in words]
    if rows := [_custom_fields(key, value, custom) for key, value in profile.items() if key.startswith(CUSTOM) and text_of(value)]:
        person["custom_fields_attributes"] = list(rows)
    return person


def _custom_fields(key: FieldKey, value: Value, custom: Custom) -> dict[str, JsonValue]:
    text = custom_text(value, custom[key].type if key in custom else "")
    return {"custom_fields_type_id": json_id(key.removeprefix(CUSTOM)), "name": text}


class ProfileWriter:
    """Writes changes to one person's rows. `person` is what is known of it afterwards, unless `is_known` turned false:
    then an answer was only a message, and it has to be read."""

    def __init__(self, api: Api, companies: Companies, person: Person, custom: Custom, country: str) -> None:
        self.person = person
        self.is_known = True
        self._api = api
        self._companies = companies
        self._custom = custom
        self._country = country

    def set(self, changes: Changes) -> None:
        """Write them all. A refused one doesn't keep the others back; the first refusal is raised at the end, naming our field."""
        refusals = []
        for keys, write in self._steps(changes):
            try:
                write()
            except Refused as error:
                key = error.field if error.field in keys else keys[0]
                refusals.append(refusal(key, error.reason, operation=error.operation, status=error.status))
        if refusals:
            raise refusals[0]

    def add_tags(self, tags: Sequence[str]) -> None:
        """A tag that is refused counts as present (centralstationcrm.md, section 15)."""
        for word in new_tags(tags, [tag.name for tag in self.person.tags or ()]):
            try:
                self._post(TAG, {"name": word, "api_input": True})
            except Refused:
                self.is_known = False

    def remove_tags(self, tags: Sequence[str]) -> None:
        """All rows of each word: the same one may be there twice."""
        folded = {fold_tag(tag) for tag in tags}
        for row in self.person.tags or ():
            if fold_tag(row.name) in folded:
                self._delete(TAG, row)

    def _steps(self, changes: Changes) -> Iterator[tuple[list[FieldKey], Callable[[], None]]]:
        """The writes that `changes` take, each with the fields it carries."""
        if own := {key: value for key, value in changes.items() if key in PERSON_FIELDS}:
            yield list(own), partial(self._set_own, own)
        for key in DETAIL_GROUPS:
            if key in changes:
                yield [key], partial(self._set_detail, key, text_of(changes[key]))
        if parts := {key: value for key, value in changes.items() if key in ADDRESS_FIELDS}:
            yield list(parts), partial(self._set_address, parts)
        if "company_name" in changes:
            yield ["company_name"], partial(self._set_company, text_of(changes["company_name"]))
        if "birthday" in changes:
            yield ["birthday"], partial(self._set_birthday, text_of(changes["birthday"]))
        for key, value in changes.items():
            if key.startswith(CUSTOM):
                yield [key], partial(self._set_custom, key, value)

    # The person's own fields

    def _set_own(self, changes: Changes) -> None:
        fields = {key: text_of(value) for key, value in changes.items()}
        try:
            self._put_person(fields)
        except Refused as error:
            if error.field != "name" or "name" in fields or not self.person.name:
                raise
            self._put_person({**fields, "name": self.person.name})

    def _put_person(self, fields: Mapping[str, str]) -> None:
        answer = self._api.written(Person, op.UPDATE_PERSON, json={"person": dict(fields)}, id=self.person.id)
        if answer is None:
            self.is_known = False
            return
        own = {key: getattr(answer, key) for key in (*PERSON_FIELDS, "updated_at")}
        self.person = self.person.model_copy(update=own)

    # E-mail, phone, homepage

    def _set_detail(self, key: FieldKey, text: str) -> None:
        kind = DETAILS[key]
        rows = ranked_details(getattr(self.person, kind.group))
        spare = next((row for row in rows[1:] if text and same(row.name, text, TYPES[key], self._country)), None)  # type: ignore[arg-type]
        if spare is not None:
            self._promote(kind, spare, rows)
        elif text and rows:
            self._put_detail(kind, rows[0], {"name": text})
        elif text:
            self._post_detail(kind, text)
        elif rows:
            self._delete(kind, rows[0])

    def _promote(self, kind: RowKind, row: Detail, rows: Sequence[Detail]) -> None:
        """Make a row that is there already the primary one, rather than have the same value twice."""
        self._put_detail(kind, row, {"name": row.name, "primary": True})
        for other in rows:
            if other.primary and other.id != row.id:
                self._put_detail(kind, other, {"name": other.name, "primary": False})

    def _put_detail(self, kind: RowKind, row: Detail, fields: Mapping[str, JsonValue]) -> None:
        """With its `atype`, which is required (section 3), unless CentralStation refuses what it holds itself."""
        try:
            self._put(kind, row, {**fields, ATYPE: row.atype} if row.atype else fields)
        except Refused as error:
            if error.field != ATYPE or not row.atype:
                raise
            self._put(kind, row, fields)

    def _post_detail(self, kind: RowKind, text: str) -> None:
        fields: dict[str, JsonValue] = {"name": text, "api_input": True}
        try:
            self._post(kind, {**fields, ATYPE: OFFICE})
        except Refused as error:
            if error.field != ATYPE:
                raise
            self._post(kind, {**fields, ATYPE: OTHER})

    # The address

    def _set_address(self, changes: Changes) -> None:
        head = next(iter(ranked_addrs(self.person.addrs)), None)
        old = address(head) if head else {}
        after = {**old, **changes}
        parts = {key: part for key, part in address_parts(after, self._country).items() if key in changes}
        left = {**old, **parts}
        if not any(left.values()):
            if head:
                self._delete(ADDR, head)
        elif head is None:
            missing = {"country_code": self._country} if "country_code" in stand_ins(left, self._country) else {}
            filled = {key: part for key, part in parts.items() if part}
            self._post(ADDR, {**filled, **missing, ATYPE: "work_hq", "api_input": True})
        else:
            self._put_address(head, parts, needs_country=not (left.get("city") or left.get("country_code")))

    def _put_address(self, head: Addr, parts: dict[str, str], *, needs_country: bool) -> None:
        if needs_country:
            parts["country_code"] = self._country
        if not parts:
            return
        try:
            self._put(ADDR, head, dict(parts))
        except Refused as error:
            if error.field not in parts or parts[error.field]:
                raise
            self._put_address(head, {key: part for key, part in parts.items() if key != error.field}, needs_country=False)

    # Company, birthday, custom fields

    def _set_company(self, name: str) -> None:
        head = next(iter(ranked_positions(self.person.positions)), None)
        try:
            if name and head:
                self._move_position(head, self._companies.id_of(name))
            elif name:
                self._post_position(self._companies.id_of(name))
            elif head:
                self._put(POSITION, head, FORMER)
        except Refused:
            self._companies.forget(name)
            raise

    def _move_position(self, head: Position, company_id: str) -> None:
        """To another company, the job title kept. Whether a PUT may do that isn't documented (section 11), so it is looked at: where it
        may not, the old position ends and a new one begins."""
        if self._companies.positions_move is not False:
            self._put(POSITION, head, {"company_id": json_id(company_id)})
            now = next((row for row in self.person.positions or () if row.id == head.id), head)
            if now.company_id != company_id and self._companies.positions_move is None:
                now = self._api.one(Position, op.GET_POSITION, person_id=self.person.id, id=head.id)
                self._companies.positions_move = now.company_id == company_id
        if self._companies.positions_move is False:
            self._put(POSITION, head, FORMER)
            self._post_position(company_id)

    def _post_position(self, company_id: str) -> None:
        self._post(POSITION, {"company_id": json_id(company_id), "primary_function": True, "former": False, "api_input": True})

    def _set_birthday(self, text: str) -> None:
        row = birthday_row(self.person.historic_events)
        fields: dict[str, JsonValue] = {"atype": "birthday", "name": day(text) or text}
        self._set_row(EVENT, row, fields if text else None)

    def _set_custom(self, key: FieldKey, value: Value) -> None:
        row = custom_rows(self.person.custom_fields).get(key)
        self._set_row(CUSTOM_FIELD, row, _custom_fields(key, value, self._custom) if text_of(value) else None)

    # Rows

    def _set_row(self, kind: RowKind, row: Row | None, fields: Mapping[str, JsonValue] | None) -> None:
        """Nothing before: POST; changed: PUT; emptied: DELETE (centralstationcrm.md, section 10)."""
        if fields is None:
            if row:
                self._delete(kind, row)
        elif row:
            self._put(kind, row, fields)
        else:
            self._post(kind, fields)

    def _post(self, kind: RowKind, fields: Mapping[str, JsonValue]) -> None:
        body: JsonValue = {kind.envelope: dict(fields)}
        self._keep(kind, None, self._api.written(kind.shape, kind.create, json=body, person_id=self.person.id))

    def _put(self, kind: RowKind, row: Row, fields: Mapping[str, JsonValue]) -> None:
        body: JsonValue = {kind.envelope: dict(fields)}
        self._keep(kind, row, self._api.written(kind.shape, kind.update, json=body, person_id=self.person.id, id=row.id))

    def _delete(self, kind: RowKind, row: Row) -> None:
        with suppress(NotFound):
            self._api.send(kind.delete, person_id=self.person.id, id=row.id)
        self._replace(kind, row, None)
        self.is_known = self.is_known and kind is TAG

    def _keep(self, kind: RowKind, old: Row | None, answer: Row | None) -> None:
        if answer is None:
            self.is_known = False
        else:
            self._replace(kind, old, answer)

    def _replace(self, kind: RowKind, old: Row | None, new: Row | None) -> None:
        others = [row for row in getattr(self.person, kind.group) or () if old is None or row.id != old.id]
        rows = (*others, new) if new else tuple(others)
        self.person = self.person.model_copy(update={kind.group: rows})
