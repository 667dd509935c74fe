"""A sync opened for work: both systems with their budgets, the mapping and the policy, and what this piece of work has cost so far.

One session serves many threads. It holds sockets, so it is closed at the end: `with open_session(sync) as session`.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.contrib.auth.base_user import AbstractBaseUser

from crmsync.engine.mapping import FieldMap, Policy
from crmsync.engine.records import FieldKey, Item, Record, Side, Value
from crmsync.engine.write import WriteKind
from crmsync.models import Cause, Connection, Run, Sync
from crmsync.sync.budget import DatabaseBudget
from crmsync.sync.state import mapping_of, policy_of
from crmsync.systems.base import System
from crmsync.systems.centralstation.client import CentralStationSystem
from crmsync.systems.errors import CrmError, PermissionMissing
from crmsync.systems.ghl.client import GhlSystem


def open_system(connection: Connection, region: str = "DE") -> System:
    """The client of a connection, to be closed after use; `region` completes addresses and phone numbers.

    Raises `NeedsPerson` where address or credential can't be sent at all."""
    budget = DatabaseBudget(connection)
    user_id = connection.default_user_id or None
    if connection.side is Side.GHL:
        return GhlSystem(
            root=connection.root, token=connection.credential, location_id=connection.account_id, budget=budget, default_user_id=user_id
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

    `cause` and `by` go into the changes it records. `refused` remembers a missing permission: it is met once, not per contact. `outage`
    is the last error of a CRM that is out of order, `held` the tokens of the leases in hand."""

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
    outage: CrmError | None = None
    held: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def shown(self, side: Side) -> frozenset[FieldKey]:
        """The fields that this run's list of contacts has shown at least once: the list knows them."""
        return frozenset(self.run.progress.get("shown", {}).get(side, ())) if self.run else frozenset()

    def may_lack(self, record: Record) -> bool:
        """Whether a record from a list is empty where no list has ever shown anything: a single read may show more."""
        shown = self.shown(record.side)
        keys = {row.key(record.side) for row in self.mapping}
        return any(record.profile.get(key) is None and key not in shown for key in keys)

    def count(self, what: str, n: int = 1) -> None:
        with self.lock:
            self.counts[what] += n

    def count_call(self, side: Side) -> Callable[[str], None]:
        def count(operation: str) -> None:
            with self.lock:
                self.calls[side] += 1

        return count


@contextmanager
def open_session(
    sync: Sync, cause: Cause, *, run: Run | None = None, by: AbstractBaseUser | None = None, is_bulk: bool = False
) -> Iterator[Session]:
    systems = {
        side: open_system(connection, sync.home_region)
        for side, connection in ((Side.GHL, sync.ghl), (Side.CENTRALSTATION, sync.centralstation))
    }
    limits = {
        Side.GHL: SyncLimits(systems[Side.GHL]),
        Side.CENTRALSTATION: SyncLimits(systems[Side.CENTRALSTATION], "name", sync.last_name_stand_in),
    }
    session = Session(
        sync=sync, systems=systems, mapping=mapping_of(sync), policy=policy_of(sync, limits), cause=cause, by=by, run=run, is_bulk=is_bulk
    )
    for side, system in systems.items():
        system.on_call = session.count_call(side)
    try:
        yield session
    finally:
        for system in systems.values():
            system.close()
