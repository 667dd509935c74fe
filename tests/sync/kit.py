"""Words for the tests of the sync: both simulated CRMs joined by a live sync, what to do with it, and what both sides show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from crmsync import jobs
from crmsync.models import Contact, Issue, RateBudget, Run, RunKind, Status, Sync
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.core import SimulatedCrm
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.traffic import CallRecord
from crmsync.sync import actions, runs
from crmsync.systems.ghl.client import NOBODY
from tests.sync.seen import Seen, seen_in_central, seen_in_ghl

ADA = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.org", "phone": "+493012345678"}
GRACE: dict[str, Any] = {"first_name": "Grace", "name": "Hopper", "emails": ["grace@example.org"], "tels": ["+493087654321"]}


@dataclass(frozen=True, slots=True)
class Live:
    """A sync that is live, and the two CRMs it joins."""

    sync: Sync
    ghl: Ghl
    central: CentralStation

    # Doing

    def run(self, *, full: bool = False) -> Run:
        """The first sync if none was made, else a poll or a full comparison, to its end."""
        self.sync.refresh_from_db()
        return runs.work_on(actions.start_run(self.sync, full=full))

    def poll(self) -> Run:
        """A poll that comes by itself."""
        self.sync.refresh_from_db()
        return runs.work_on(runs.begin(self.sync, RunKind.POLL))

    def retry(self, *contacts: Contact) -> None:
        """Press Retry on these, or on all that failed, and wait."""
        chosen = self.sync.contacts.filter(pk__in=[one.pk for one in contacts]) if contacts else self.sync.contacts.all()
        actions.retry(chosen.filter(status=Status.FAILED) if not contacts else chosen)
        self.work()

    def work(self) -> None:
        """What the jobs do: whatever is due by itself, live changes first."""
        jobs.live(self.sync.pk)
        jobs.work(self.sync.pk)

    def later(self) -> None:
        """Time passes: whatever waits for its next try is due, and a job comes by."""
        self.sync.contacts.filter(due_at__isnull=False).update(due_at=timezone.now())
        Sync.objects.filter(pk=self.sync.pk).update(rest_until=None)
        RateBudget.objects.update(broken_until=1)
        self.work()

    def edit_in_ghl(self, contact: Contact, **fields: Any) -> None:
        """As a user of GHL does it, by its own field names."""
        self.ghl.edit_contact(str(contact.ghl_id), **fields)

    def edit_in_central(self, contact: Contact, **fields: Any) -> None:
        self.central.edit_contact(str(contact.centralstation_id), **fields)

    def phone_in_central(self, contact: Contact, phone: str) -> None:
        """The first phone row there gets another number."""
        rows = (self.central.contact(str(contact.centralstation_id)) or {})["tels"]
        self.edit_in_central(contact, tels_attributes=[{"id": rows[0]["id"], "name": phone}])

    # Looking

    def contact(self, **which: Any) -> Contact:
        """The only contact, or the only one of these."""
        return self.sync.contacts.get(**which)

    def statuses(self) -> list[str]:
        return sorted(self.sync.contacts.values_list("status", flat=True))

    def issues(self) -> list[str]:
        """Codes of the open issues."""
        return sorted(Issue.objects.filter(sync=self.sync, closed_at=None).values_list("code", flat=True))

    def in_ghl(self, contact: Contact) -> Seen:
        contact.refresh_from_db()
        return seen_in_ghl(self.ghl, str(contact.ghl_id))

    def in_central(self, contact: Contact) -> Seen:
        contact.refresh_from_db()
        return seen_in_central(self.central, str(contact.centralstation_id))

    def counts(self) -> tuple[int, int]:
        """How many contacts there are in GHL and in CentralStation."""
        return len(self.ghl.overview()), len(self.central.overview())

    @contextmanager
    def nothing_written(self) -> Iterator[None]:
        before = len(self.writes())
        yield
        assert self.writes()[before:] == []

    def writes(self) -> list[CallRecord]:
        return writes(self.ghl) + writes(self.central)

    def clear_faults(self) -> None:
        self.ghl.clear_faults()
        self.central.clear_faults()


def writes(crm: SimulatedCrm) -> list[CallRecord]:
    """All calls that may change something, whatever became of them."""
    return [call for call in crm.calls() if call.method != "GET" and not call.path.endswith(("/search", NOBODY))]
