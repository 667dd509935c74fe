"""What both CRMs look like from `crmsync.sync`: the verbs of a side, and what a side asks of its surroundings.

`System` is implemented once a CRM, in its package; both implementations pass the same test class. Every verb may raise the errors of
`crmsync.systems.errors`; those named in a docstring are part of its meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from crmsync.engine.records import Aspect, FieldKey, Item, ItemKind, Record, Side, Value

OnCall = Callable[[str, str], None]
"""Told the name of an operation that was sent, and the code of the error that it came to, "" where it was answered."""


class Budget(Protocol):
    """The rate budget of a connection, shared by all processes and threads. Implemented in `crmsync.sync.budget`."""

    def acquire(self) -> None:
        """Return when one request may be sent. Raises `RateLimited` when that is too far off to wait for, `Resting` when the CRM has been
        out of order lately and isn't asked."""

    def learn(self, *, limit: int | None = None, window_s: float | None = None, left_today: int | None = None) -> None:
        """Take over what an answer's headers say; it wins over what was configured. Cheap when nothing is new."""

    def block(self, seconds: float) -> None:
        """Nobody sends on this connection for so long: a 429 was met."""

    def answered(self) -> None:
        """The CRM has answered, whatever it said. Cheap where that is the rule."""

    def failed(self) -> None:
        """The CRM was out of order: it couldn't be reached, gave no answer, or a 5xx."""


class FreeBudget:
    """A `Budget` without limits, for what isn't counted (GoHighLevel's `/oauth`, *unverified*)."""

    def acquire(self) -> None: ...

    def learn(self, *, limit: int | None = None, window_s: float | None = None, left_today: int | None = None) -> None: ...

    def block(self, seconds: float) -> None: ...

    def answered(self) -> None: ...

    def failed(self) -> None: ...


class Credentials(Protocol):
    """The token that goes with each request, and its renewal. Shared by many threads. Implemented in `crmsync.sync.tokens`."""

    def token(self) -> str:
        """The one to send now, renewed ahead of its end. May wait for that. Raises `AuthorisationRefused`, `Unavailable`."""

    def renew(self, refused: str) -> bool:
        """The CRM didn't accept `refused`. True where `token` now gives another one; else it is for a person to act. Raises as `token`."""


class FixedToken:
    """`Credentials` that nobody renews."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token

    def renew(self, refused: str) -> bool:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whom the credentials belong to, and what they allow. `missing_scopes` maps a scope to what goes without it, in plain words."""

    name: str
    country: str | None = None
    timezone: str | None = None
    default_user_id: str | None = None
    missing_scopes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldInfo:
    """A field that can be mapped. `type` is one of crmsync.engine.values.FieldType, `group` the row it shares with others ("" for none).

    `capacity` is the longest text it holds (None: no limit known); `options` the choices of a choice field."""

    key: FieldKey
    label: str
    type: str
    group: str = ""
    custom: bool = False
    capacity: int | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of records. `next` goes into the next call to carry on from here, also in another process; None after the last."""

    records: tuple[Record, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPage:
    """One page of notes or tasks in bulk, each with the ids of the contacts it belongs to."""

    items: tuple[tuple[Item, tuple[str, ...]], ...]
    next: str | None


class System(Protocol):
    """One account in one CRM. Thread-safe; holds its connection pool until `close()`."""

    side: Side
    listed_aspects: Aspect
    """What the records of `page`, `changed` and `read_many` tell besides PROFILE | TAGS (CentralStation: TASKS)."""
    bulk_items: frozenset[ItemKind]
    """Kinds that `item_page` can list for all contacts at once (GHL: tasks; CentralStation: both)."""
    shows_writes: bool
    """True where the answer to `update` is the record itself; False where it has to be read back (CentralStation)."""
    on_call: OnCall | None
    """Told of each request that was sent, for counting; set by `sync`."""

    def close(self) -> None: ...

    def check(self, *, try_writing: bool = True) -> Account:
        """Prove the credentials by reads and, where only that tells (GHL), by one write that can't do anything (not without `try_writing`).

        Raises `CredentialsRefused`, `PermissionMissing` (for what nothing goes without), `Unavailable`."""

    def fields(self) -> list[FieldInfo]:
        """All fields a mapping can name, the account's custom ones included (without the scope for them: the standard ones)."""

    # Reading. `record.notes` and `record.tasks` are None unless asked for (or listed anyway).

    def read(self, id: str, aspects: Aspect) -> Record:
        """One contact, fresh. Notes are complete, over all pages. Raises `NotFound`."""

    def read_many(self, ids: Sequence[str]) -> Iterator[Record]:
        """Those of `ids` that are there, in bulk where the CRM can (else one by one), in any order. Missing ones are left out."""

    def page(self, after: str | None = None) -> Page:
        """All contacts, a page a call, each with PROFILE | TAGS | listed_aspects."""

    def changed(self, since: datetime, after: str | None = None) -> Page:
        """Contacts changed at or after `since` (UTC) as far as the CRM tells, a page a call; expect repeats."""

    def total(self) -> int:
        """How many contacts the account has."""

    def find(self, *, emails: Sequence[str] = (), phones: Sequence[str] = (), name: str = "") -> list[Record]:
        """Contacts that may have one of these values, not from an index that lags. Compare again: it may find too many."""

    def item_page(self, kind: ItemKind, after: str | None = None, *, open_only: bool = False) -> ItemPage:
        """Items of `kind` of all contacts, newest first, a page a call. Only for a kind in `bulk_items`. `open_only`: tasks not done."""

    def read_item(self, kind: ItemKind, contact_id: str, item_id: str) -> Item:
        """One item, fresh. Raises `NotFound`."""

    # Writing. Values are what the other CRM shows; the package turns them into its own form. Nothing here checks whether it was kept.

    def stand_ins(self, profile: Mapping[FieldKey, Value]) -> Mapping[FieldKey, Value]:
        """What a create sends where this CRM requires a value and `profile` (in this CRM's keys) has none. Deterministic."""

    def item_stand_ins(self, item: Item) -> Item:
        """`item` as a create sends it: what this CRM requires filled in, what it can't hold cut. Deterministic."""

    def can_hold(self, key: FieldKey, value: Value, profile: Mapping[FieldKey, Value]) -> bool:
        """Whether this CRM can take `value` there at all (a state without a code, say). `profile`: the values it goes along with."""

    def create(self, profile: Mapping[FieldKey, Value], tags: Sequence[str]) -> Record:
        """A new contact, with its stand-ins, in as few calls as the CRM allows; the record as the answers show it.

        Raises `Unanswered` when it may exist all the same, `Duplicate` when the CRM says who has it."""

    def update(self, record: Record, changes: Mapping[FieldKey, Value]) -> Record | None:
        """Set these fields of `record` (as last read) and leave all others alone; None clears. The record as the answer shows it, notes and
        tasks carried over, or None where the answers don't tell."""

    def add_tags(self, record: Record, tags: Sequence[str]) -> Record:
        """Add tags it hasn't yet; the record with the tags the answers show."""

    def remove_tags(self, record: Record, tags: Sequence[str]) -> Record:
        """Remove tags by folded name; one that isn't there is no error."""

    def create_item(self, contact_id: str, item: Item) -> Item:
        """A new note or task; the item as the answer shows it. Raises `Unanswered` when it may exist all the same."""

    def update_item(self, contact_id: str, item: Item, changes: Mapping[str, object]) -> Item | None:
        """Set `title`, `text`, `due` or `done`. The item as the answer shows it, or None where it doesn't tell."""

    def delete_item(self, contact_id: str, item: Item) -> None:
        """Delete it; one that is gone already is no error. A shared item only loses this contact."""

    def delete(self, id: str) -> None:
        """Delete the contact. One that is gone already is no error."""

    def url(self, id: str) -> str | None:
        """Where a person opens the contact in this CRM's web app, None where that isn't known."""
