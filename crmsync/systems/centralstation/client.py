"""CentralStationCRM as a `System`: the verbs of a side, told in its operations. Entry: `CentralStationSystem`.

People come 250 a page with all their rows and tasks; notes are listed for all people at once (centralstationcrm.md, section 14). Writes
are answered by messages, so that most have to be read back."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from crmsync.engine.records import Aspect, FieldKey, Item, ItemKind, Record, Side, Value
from crmsync.systems.base import Account, Budget, FieldInfo, ItemPage, OnCall, Page
from crmsync.systems.centralstation import operations as op
from crmsync.systems.centralstation.account import AccountFacts
from crmsync.systems.centralstation.answers import read_error
from crmsync.systems.centralstation.api import Api
from crmsync.systems.centralstation.companies import Companies
from crmsync.systems.centralstation.fields import CUSTOM, PERSON_FIELDS, STANDARD, can_hold, stand_ins, text_of
from crmsync.systems.centralstation.hooks import Hook, Hooks
from crmsync.systems.centralstation.items import Items
from crmsync.systems.centralstation.people import INCLUDES, People
from crmsync.systems.centralstation.records import sendable
from crmsync.systems.centralstation.rows import Person
from crmsync.systems.centralstation.writing import Custom, ProfileWriter, new_person
from crmsync.systems.errors import CrmError, NotFound, Refused, TryLater
from crmsync.systems.transport import Transport, Wire

log = logging.getLogger(__name__)


class CentralStationSystem:
    """One CentralStation account. `root` is the address under which `/api/people` lives; `default_user_id` whom new tasks are for (else
    the key's own user); `default_country` completes addresses and national phone numbers; `http` stands in for the wire in tests."""

    side = Side.CENTRALSTATION
    listed_aspects = Aspect.TASKS
    bulk_items = frozenset(ItemKind)
    shows_writes = False

    def __init__(
        self,
        root: str,
        api_key: str,
        budget: Budget,
        default_user_id: str | None = None,
        default_country: str = "DE",
        http: Wire | None = None,
    ) -> None:
        self._root = root.rstrip("/")
        self._country = default_country
        self._transport = Transport(self.side, self._root, {"X-apikey": api_key}, budget, read_error, http=http)
        self._api = Api(self._transport)
        self._companies = Companies(self._api)
        self._account = AccountFacts(self._api, default_user_id)
        self._people = People(self._api, self._companies)
        self._items = Items(self._api, self._account.user_id)
        self._hooks = Hooks(self._api)

    def __repr__(self) -> str:
        return f"<CentralStationSystem {self._root}>"

    @property
    def on_call(self) -> OnCall | None:
        return self._transport.on_call

    @on_call.setter
    def on_call(self, told: OnCall | None) -> None:
        self._transport.on_call = told

    def close(self) -> None:
        self._transport.close()

    def check(self, *, try_writing: bool = True) -> Account:
        """By reads only: a key may write what it may read."""
        return self._account.check(urlsplit(self._root).hostname or self._root)

    def fields(self) -> list[FieldInfo]:
        return [*STANDARD, *self._account.custom_fields(fresh=True).values()]

    def hooks(self) -> list[Hook]:
        """All hooks of the account. Raises `PermissionMissing`."""
        return self._hooks.all()

    def add_hook(self, model: str, event: str, target_url: str) -> None:
        """One that sends to `target_url`, 190 characters at most."""
        self._hooks.add(model, event, target_url)

    def remove_hook(self, id: str) -> None:
        """One that is gone already is no error."""
        self._hooks.remove(id)

    # Reading

    def read(self, id: str, aspects: Aspect) -> Record:
        record = self._people.read(id)
        return replace(record, notes=self._items.notes(id)) if Aspect.NOTES in aspects else record

    def read_many(self, ids: Sequence[str]) -> Iterator[Record]:
        return self._people.read_many(ids)

    def page(self, after: str | None = None) -> Page:
        return self._people.page(after)

    def changed(self, since: datetime, after: str | None = None) -> Page:
        return self._people.changed(since, after)

    def total(self) -> int:
        return self._people.total()

    def find(self, *, emails: Sequence[str] = (), phones: Sequence[str] = (), name: str = "") -> list[Record]:
        return self._people.find(emails, phones, name, self._country)

    def item_page(self, kind: ItemKind, after: str | None = None, *, open_only: bool = False) -> ItemPage:
        number = int(after or 1)
        return self._items.note_page(number) if kind is ItemKind.NOTE else self._items.task_page(number, open_only=open_only)

    def read_item(self, kind: ItemKind, contact_id: str, item_id: str) -> Item:
        return self._items.read(kind, contact_id, item_id)

    # Writing

    def stand_ins(self, profile: Mapping[FieldKey, Value]) -> Mapping[FieldKey, Value]:
        return stand_ins(profile, self._country)

    def item_stand_ins(self, item: Item) -> Item:
        return sendable(item)

    def can_hold(self, key: FieldKey, value: Value, profile: Mapping[FieldKey, Value]) -> bool:
        country = text_of(profile.get("country_code")) or self._country
        return can_hold(value, key, country, self._custom([key]))

    def create(self, profile: Mapping[FieldKey, Value], tags: Sequence[str]) -> Record:
        wanted = {**profile, **stand_ins(profile, self._country)}
        record = self._people.record(self._create_person(wanted, tags))
        missing = {
            key: value
            for key, value in wanted.items()
            if key not in PERSON_FIELDS and text_of(value) and record.profile.get(key) is None and self.can_hold(key, value, wanted)
        }
        return self._complete(record, missing, tags)

    def _create_person(self, wanted: Mapping[FieldKey, Value], tags: Sequence[str]) -> Person:
        """One POST; once more with another `atype` where ours is refused (centralstationcrm.md, section 15)."""
        company = text_of(wanted.get("company_name"))
        company_id = self._companies.id_of(company) if company else None
        body = new_person(wanted, tags, company_id, self._custom(wanted), self._country)
        try:
            return self._api.one(Person, op.CREATE_PERSON, params=INCLUDES, json={"person": body})
        except Refused as error:
            if error.field != "atype":
                raise
        body = new_person(wanted, tags, company_id, self._custom(wanted), self._country, atype="other")
        return self._api.one(Person, op.CREATE_PERSON, params=INCLUDES, json={"person": body})

    def _complete(self, record: Record, missing: Mapping[FieldKey, Value], tags: Sequence[str]) -> Record:
        """Add by their own routes what the create left out. The person exists by now, so a failure here isn't raised: the record
        returned shows what it lacks. What may pass by itself is looked at and tried once more."""
        for _ in range(2):
            writer = self._writer(record)
            try:
                writer.set({key: value for key, value in missing.items() if record.profile.get(key) is None})
                writer.add_tags(tags)
                return self._result(writer, record) or self._people.read(record.id)
            except CrmError as error:
                log.warning("a new contact is not complete", extra={"code": error.code, "operation": error.operation})
                record = self._people.read_or(record)
                if not isinstance(error, TryLater):
                    break
        return record

    def update(self, record: Record, changes: Mapping[FieldKey, Value]) -> Record | None:
        if "name" in changes and not text_of(changes["name"]):
            changes = {**changes, "name": stand_ins({**record.profile, **changes}, self._country)["name"]}
        writer = self._writer(record, changes)
        writer.set(changes)
        return self._result(writer, record)

    def add_tags(self, record: Record, tags: Sequence[str]) -> Record:
        writer = self._writer(record)
        writer.add_tags(tags)
        return self._result(writer, record) or replace(self._people.read(record.id), notes=record.notes)

    def remove_tags(self, record: Record, tags: Sequence[str]) -> Record:
        writer = self._writer(record)
        writer.remove_tags(tags)
        return self._result(writer, record) or record

    def create_item(self, contact_id: str, item: Item) -> Item:
        return self._items.create(contact_id, item)

    def update_item(self, contact_id: str, item: Item, changes: Mapping[str, object]) -> Item | None:
        return self._items.update(item, changes)

    def delete_item(self, contact_id: str, item: Item) -> None:
        self._items.delete(contact_id, item)

    def delete(self, id: str) -> None:
        with suppress(NotFound):
            self._api.send(op.DELETE_PERSON, id=id)

    def url(self, id: str) -> str | None:
        """The shared API host has no pages; each account's own has them beside its API."""
        return None if (urlsplit(self._root).hostname or "").startswith("api.") else f"{self._root}/people/{id}"

    def _custom(self, keys: Iterable[FieldKey]) -> Custom:
        return self._account.custom_fields() if any(key.startswith(CUSTOM) for key in keys) else {}

    def _writer(self, record: Record, changes: Iterable[FieldKey] = ()) -> ProfileWriter:
        person = Person.model_validate(record.rows) if record.rows else self._people.person(record.id)
        return ProfileWriter(self._api, self._companies, person, self._custom(changes), self._country)

    def _result(self, writer: ProfileWriter, before: Record) -> Record | None:
        if not writer.is_known:
            return None
        return replace(self._people.written(writer.person), notes=before.notes, tasks=before.tasks)
