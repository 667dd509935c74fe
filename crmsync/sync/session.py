"""A sync opened for work: both systems with their budgets, the mapping and the policy, and what this piece of work has cost so far.

One session serves many threads. It holds sockets, so it is closed at the end: `with open_session(sync) as session`.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from django.contrib.auth.base_user import AbstractBaseUser

from crmsync.engine.mapping import FieldMap, Policy
from crmsync.engine.records import FieldKey, Item, Record, Side, Value
from crmsync.engine.write import WriteKind
from crmsync.models import BY_ITSELF, Cause, Connection, Contact, Run, Sync
from crmsync.sync import scopes
from crmsync.sync.brakes import Brake
from crmsync.sync.budget import DatabaseBudget
from crmsync.sync.fewest import called
from crmsync.sync.state import mapping_of, policy_of
from crmsync.sync.tokens import StoredCredentials
from crmsync.systems.base import FixedToken, OnCall, System
from crmsync.systems.centralstation.client import CentralStationSystem
from crmsync.systems.errors import NotFound, PermissionMissing, Refused
from crmsync.systems.ghl.client import GhlSystem


def open_system(connection: Connection, region: str = "DE", *, is_live: bool = False, is_test: bool = False) -> System:
    """The client of a connection, to be closed after use; `region` completes addresses and phone numbers, `is_live`: its requests go before
    all others, `is_test`: just this credential is tried, and permissions that were missing anew, and what comes out isn't stored here.

    Raises `NeedsPerson` where address or credential can't be sent at all."""
    budget = DatabaseBudget(connection, is_live=is_live)
    user_id = connection.default_user_id or None
    if connection.side is Side.GHL:
        return GhlSystem(
            root=connection.root,
            web_root=connection.web_root,
            credentials=FixedToken(connection.credential) if is_test and not connection.is_oauth else StoredCredentials(connection),
            location_id=connection.account_id,
            budget=budget,
            default_user_id=user_id,
            missing_scopes=scopes.not_granted(connection) if is_test else scopes.missing(connection),
            on_missing=None if is_test else partial(scopes.learn, connection.pk),
        )
    return CentralStationSystem(
        root=connection.root, api_key=connection.credential, budget=budget, default_user_id=user_id, default_country=region
    )


@dataclass(frozen=True, slots=True)
class SyncLimits:
    """A system's limits with the sync's own stand-in for a missing last name."""

    system: System
    last_name_key: FieldKey = ""
    last_name: str = ""

    def stand_ins(self, profile: Mapping[FieldKey, Value]) -> Mapping[FieldKey, Value]:
        found = dict(self.system.stand_ins(profile))
        if self.last_name and self.last_name_key in found:
            found[self.last_name_key] = self.last_name
        return found

    def item_stand_ins(self, item: Item) -> Item:
        return self.system.item_stand_ins(item)

    def can_hold(self, key: FieldKey, value: Value, profile: Mapping[FieldKey, Value]) -> bool:
        return self.system.can_hold(key, value, profile)


@dataclass
class Session:
    """What reconcile needs. `is_bulk`: a run over many, where writes are verified by pages instead of one by one.

    `calls` and `counts` are what `Run` keeps of them. `cause` and `by` go into the changes it records. `refused` remembers a missing
    permission: it is met once, not per contact. `held` are the tokens of the leases in hand, `unproved` sides where nobody knows yet
    whether we may write."""

    sync: Sync
    systems: Mapping[Side, System]
    mapping: tuple[FieldMap, ...]
    policy: Policy
    cause: Cause
    by: AbstractBaseUser | None = None
    run: Run | None = None
    is_bulk: bool = False
    calls: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    refused: dict[tuple[Side, WriteKind], PermissionMissing] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    unproved: set[Side] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    first_write: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.brake = Brake(self.sync)

    def shown(self, side: Side) -> frozenset[FieldKey]:
        """The fields that this run's list of contacts has shown at least once: the list knows them."""
        return frozenset(self.run.progress.get("shown", {}).get(side, ())) if self.run else frozenset()

    def may_lack(self, record: Record) -> bool:
        """Whether a record from a list is empty where no list has ever shown anything: a single read may show more."""
        shown = self.shown(record.side)
        keys = {row.key(record.side) for row in self.mapping}
        return any(record.profile.get(key) is None and key not in shown for key in keys)

    def is_by_itself(self, contact: Contact) -> bool:
        """Whether what is written to this contact has no person behind it."""
        return (contact.asked_cause or self.cause) in BY_ITSELF

    def count(self, what: str, n: int = 1) -> None:
        with self.lock:
            self.counts[what] += n

    @contextmanager
    def writing(self, side: Side) -> Iterator[None]:
        """Around each write: until one has shown whether we may write on `side`, one goes alone and the others wait for what becomes of
        it. What is refused for another reason was allowed."""
        if side not in self.unproved:
            yield
            return
        with self.first_write:
            try:
                yield
            except (PermissionMissing, Refused, NotFound):
                self.unproved.discard(side)
                raise
            self.unproved.discard(side)

    def count_call(self, side: Side) -> OnCall:
        def count(operation: str, code: str) -> None:
            with self.lock:
                self.calls[side] += 1
                self.calls[called(side, operation, code)] += 1

        return count


@contextmanager
def open_session(
    sync: Sync,
    cause: Cause,
    *,
    run: Run | None = None,
    by: AbstractBaseUser | None = None,
    is_bulk: bool = False,
    is_live: bool = False,
) -> Iterator[Session]:
    systems = {
        side: open_system(connection, sync.home_region, is_live=is_live)
        for side, connection in ((Side.GHL, sync.ghl), (Side.CENTRALSTATION, sync.centralstation))
    }
    limits = {
        Side.GHL: SyncLimits(systems[Side.GHL]),
        Side.CENTRALSTATION: SyncLimits(systems[Side.CENTRALSTATION], "name", sync.last_name_stand_in),
    }
    session = Session(
        sync=sync, systems=systems, mapping=mapping_of(sync), policy=policy_of(sync, limits), cause=cause, by=by, run=run, is_bulk=is_bulk
    )
    if not scopes.is_writing_known(sync.ghl):
        session.unproved.add(Side.GHL)
    for side, system in systems.items():
        system.on_call = session.count_call(side)
    try:
        yield session
    finally:
        for system in systems.values():
            system.close()
