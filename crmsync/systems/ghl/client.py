"""GoHighLevel as a `System`: one location, with a private integration token or an access token. Entry: `GhlSystem`.

What is common to all requests is in `crmsync.systems.transport`, what is peculiar to GoHighLevel in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

from pydantic import JsonValue

from crmsync.engine.records import Aspect, FieldKey, Item, ItemKind, Record, Side, Value
from crmsync.engine.values import fold_tag
from crmsync.systems.base import Account, Budget, Credentials, FieldInfo, ItemPage, OnCall, Page
from crmsync.systems.errors import CredentialsRefused, NotFound, PermissionMissing, Refused, UnexpectedAnswer
from crmsync.systems.ghl import fields, items, records
from crmsync.systems.ghl import operations as op
from crmsync.systems.ghl.answers import CustomField, CustomFields, Location, MaybeContact, OneContact, OneLocation, Tags
from crmsync.systems.ghl.api import Api
from crmsync.systems.ghl.pages import ContactPages
from crmsync.systems.ghl.refusals import read_error, read_limits, wrong_location
from crmsync.systems.operations import Operation
from crmsync.systems.texts import gettext_noop
from crmsync.systems.transport import Transport, Wire

ROOT = "https://services.leadconnectorhq.com"
VERSION = "2021-07-28"
WEB_ROOT = "https://app.gohighlevel.com"
_PAGE = "/v2/location/{}/contacts/detail/{}"
T = TypeVar("T")

_CONTACT_ITSELF = Aspect.PROFILE | Aspect.TAGS

WITHOUT = {
    op.LOCATION: gettext_noop("The country that completes phone numbers and the time zone aren't known."),
    op.TASKS: gettext_noop("Tasks are read contact by contact, so a change to a task is found later."),
    op.CUSTOM_FIELDS: gettext_noop("Custom fields can't be mapped."),
    op.USERS: gettext_noop("The location's users can't be shown."),
    op.WRITE: gettext_noop("Nothing can be written to GoHighLevel: the sync goes one way only, from GoHighLevel to CentralStationCRM."),
}
"""Scopes that sync can do without, and what goes without them."""

NOBODY = "crmsync-asks-whether-it-may-write"
"""No contact has an id with dashes."""


class GhlSystem:
    """One GoHighLevel location. `default_user_id`: whom new tasks are given to (None: nobody). `missing_scopes`: what the token is known to
    lack, and so isn't tried; `on_missing` is told of what comes out besides. `http` stands in for the wire in tests."""

    side = Side.GHL
    listed_aspects = Aspect(0)
    bulk_items = frozenset({ItemKind.TASK})
    shows_writes = True

    def __init__(
        self,
        *,
        credentials: Credentials,
        location_id: str,
        budget: Budget,
        root: str = ROOT,
        web_root: str = "",
        default_user_id: str | None = None,
        missing_scopes: Iterable[str] = (),
        on_missing: Callable[[PermissionMissing], None] | None = None,
        http: Wire | None = None,
    ) -> None:
        self._web_root = web_root or (WEB_ROOT if root.rstrip("/") == ROOT else "")
        self._transport = Transport(
            Side.GHL, root, {"Version": VERSION}, budget, read_error, read_limits, http=http, credentials=credentials
        )
        self._api = Api(self._transport, location_id, missing_scopes, on_missing)
        self._types = fields.CustomFieldTypes(self._custom_fields)
        self._pages = ContactPages(self._api, self._types)
        self._items = items.Items(self._api, default_user_id)

    def __repr__(self) -> str:
        return f"<GhlSystem {self._api.location_id}>"

    @property
    def on_call(self) -> OnCall | None:
        return self._transport.on_call

    @on_call.setter
    def on_call(self, tell: OnCall | None) -> None:
        self._transport.on_call = tell

    def close(self) -> None:
        self._transport.close()

    def call(self, operation: Operation, *, params: Mapping[str, object] | None = None, json: JsonValue = None, **ids: str) -> JsonValue:
        """Any operation of `crmsync.systems.ghl.operations`, for what no verb below covers; the location's id in paths is filled in."""
        return self._api.send(operation, params=params, json=json, **ids)

    # The account

    def check(self, *, try_writing: bool = True) -> Account:
        """Raises `CredentialsRefused` for a token or a location that isn't right, `PermissionMissing` without contacts.readonly."""
        missing: dict[str, str] = {}
        location = self._probe(missing, op.LOCATION, self._location) or Location()
        self._pages.total()
        self._probe(missing, op.TASKS, lambda: self._api.send(op.SEARCH_TASKS, json={"limit": 1}))
        self._probe(missing, op.CUSTOM_FIELDS, self._custom_fields)
        self._probe(missing, op.USERS, lambda: self._api.send(op.LIST_USERS, params=self._here()))
        if try_writing and not self._may_write():
            missing[op.WRITE] = WITHOUT[op.WRITE]
        name = location.name or self._api.location_id
        return Account(name=name, country=location.country, timezone=location.timezone, missing_scopes=missing)

    @staticmethod
    def _probe(missing: dict[str, str], scope: str, read: Callable[[], T]) -> T | None:
        """What `read` gives; or None, and what goes without it noted in `missing`."""
        try:
            return read()
        except (PermissionMissing, NotFound, Refused):
            missing[scope] = WITHOUT[scope]
            return None

    def _may_write(self) -> bool:
        """Found out by an update that can't do anything: empty, of a contact that can't exist. What is refused for another reason than
        the scope would have been allowed."""
        try:
            self._api.send(op.UPDATE_CONTACT, contact_id=NOBODY, json={})
        except PermissionMissing:
            return False
        except (NotFound, Refused, CredentialsRefused, UnexpectedAnswer):
            return True
        return True

    def _location(self) -> Location:
        try:
            return self._api.ask(OneLocation, op.GET_LOCATION).location
        except (NotFound, Refused):
            raise wrong_location() from None

    def _custom_fields(self) -> list[CustomField]:
        return self._api.ask(CustomFields, op.LIST_CUSTOM_FIELDS, params={"model": "contact"}).customFields

    def _here(self) -> dict[str, object]:
        return {"locationId": self._api.location_id}

    def fields(self) -> list[FieldInfo]:
        return [*fields.STANDARD, *(one for one in map(fields.info, self._types.all()) if one)]

    # Reading

    def read(self, id: str, aspects: Aspect) -> Record:
        """One call each for the contact itself, its notes, its tasks. Where neither profile nor tags are asked for, the contact itself
        isn't read: the record then has its id and items only."""
        record = self._contact(id) if aspects & _CONTACT_ITSELF else Record(side=Side.GHL, id=id)
        notes = self._items.notes(id) if Aspect.NOTES in aspects else None
        tasks = self._items.tasks(id) if Aspect.TASKS in aspects else None
        return replace(record, notes=notes, tasks=tasks)

    def _contact(self, contact_id: str) -> Record:
        return records.record_of(self._api.ask(OneContact, op.GET_CONTACT, contact_id=contact_id).contact, self._types)

    def read_many(self, ids: Sequence[str]) -> Iterator[Record]:
        for contact_id in ids:
            try:
                record = self._contact(contact_id)
            except NotFound:
                continue
            yield record

    def page(self, after: str | None = None) -> Page:
        return self._pages.page(after)

    def changed(self, since: datetime, after: str | None = None) -> Page:
        """By `dateUpdated`, which notes and tasks may not move; where an account refuses that filter, by walking over all."""
        return self._pages.changed(since, after)

    def total(self) -> int:
        return self._pages.total()

    def find(self, *, emails: Sequence[str] = (), phones: Sequence[str] = (), name: str = "") -> list[Record]:
        """By the duplicate search, which doesn't lag but tells one contact a value; a name by the search, which lags a few seconds."""
        ids = [self._duplicate_id("email", one) for one in emails] + [self._duplicate_id("number", one) for one in phones]
        found = {record.id: record for record in self.read_many(list(dict.fromkeys(filter(None, ids))))}
        if name.strip():
            found |= {record.id: record for record in self._pages.named(name) if record.id not in found}
        return list(found.values())

    def _duplicate_id(self, kind: str, value: str) -> str | None:
        if not value.strip():
            return None
        try:
            found = self._api.ask(MaybeContact, op.FIND_DUPLICATE, params={**self._here(), kind: value}).contact
        except (NotFound, Refused):  # nobody has it, or nobody can have it
            return None
        return found.id if found else None

    def item_page(self, kind: ItemKind, after: str | None = None, *, open_only: bool = False) -> ItemPage:
        if kind not in self.bulk_items:
            raise ValueError(f"GoHighLevel can't list every {kind} at once")
        return self._items.task_page(after, open_only=open_only)

    def read_item(self, kind: ItemKind, contact_id: str, item_id: str) -> Item:
        return self._items.read(kind, contact_id, item_id)

    # Writing

    def stand_ins(self, profile: Mapping[FieldKey, Value]) -> Mapping[FieldKey, Value]:
        """None: GoHighLevel requires no field of a contact."""
        return {}

    def item_stand_ins(self, item: Item) -> Item:
        return items.stand_ins(item)

    def can_hold(self, key: FieldKey, value: Value, profile: Mapping[FieldKey, Value]) -> bool:
        custom = self._types.get(key.removeprefix(fields.CUSTOM)) if key.startswith(fields.CUSTOM) else None
        return fields.can_hold(key, value, custom)

    def create(self, profile: Mapping[FieldKey, Value], tags: Sequence[str]) -> Record:
        body = records.new_body(profile, tags, self._api.location_id, self._types)
        return records.record_of(self._api.ask(OneContact, op.CREATE_CONTACT, json=body).contact, self._types)

    def update(self, record: Record, changes: Mapping[FieldKey, Value]) -> Record | None:
        """Where GoHighLevel refuses to clear the postal code or country, the rest is sent without it: the answer shows what wasn't kept."""
        try:
            return self._update(record, changes)
        except Refused as error:
            rest = {key: value for key, value in changes.items() if value or key not in fields.HARD_TO_CLEAR}
            if len(rest) == len(changes) or error.field not in {"", *(changes.keys() - rest.keys())}:
                raise
        return self._update(record, rest) if rest else self._contact_with_items(record)

    def _update(self, record: Record, changes: Mapping[FieldKey, Value]) -> Record | None:
        if not changes:
            return record
        body = records.body_of(changes, self._types)
        contact = self._api.ask(MaybeContact, op.UPDATE_CONTACT, contact_id=record.id, json=body).contact
        if contact is None:
            return None
        shown = records.record_of(contact, self._types)
        return replace(shown, tags=record.tags if contact.tags is None else shown.tags, notes=record.notes, tasks=record.tasks)

    def _contact_with_items(self, record: Record) -> Record:
        return replace(self._contact(record.id), notes=record.notes, tasks=record.tasks)

    def add_tags(self, record: Record, tags: Sequence[str]) -> Record:
        return self._set_tags(op.ADD_TAGS, record, list(tags))

    def remove_tags(self, record: Record, tags: Sequence[str]) -> Record:
        spelled = {fold_tag(tag): tag for tag in record.tags}
        return self._set_tags(op.REMOVE_TAGS, record, [spelled.get(fold_tag(tag), tag) for tag in tags])

    def _set_tags(self, operation: Operation, record: Record, tags: list[str]) -> Record:
        """By the tag operations only: tags in a PUT would replace all there are (ghl.md, section 3)."""
        if not tags:
            return record
        names: list[JsonValue] = [*tags]
        shown = self._api.ask(Tags, operation, contact_id=record.id, json={"tags": names}).tags
        return replace(record, tags=tuple(shown)) if shown is not None else self._contact_with_items(record)

    def create_item(self, contact_id: str, item: Item) -> Item:
        return self._items.create(contact_id, item)

    def update_item(self, contact_id: str, item: Item, changes: Mapping[str, object]) -> Item | None:
        return self._items.update(contact_id, item, changes)

    def delete_item(self, contact_id: str, item: Item) -> None:
        self._items.delete(contact_id, item)

    def delete(self, id: str) -> None:
        try:
            self._api.send(op.DELETE_CONTACT, contact_id=id)
        except NotFound:
            return

    def url(self, id: str) -> str | None:
        """Known for GoHighLevel itself and for a white label whose address was given, not for a simulator."""
        page = _PAGE.format(quote(self._api.location_id, safe=""), quote(id, safe=""))
        return f"{self._web_root}{page}" if self._web_root else None
