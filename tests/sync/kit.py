"""Words for the tests of the sync: both simulated CRMs joined by a live sync, what to do with it, and what both sides show.

A person is seen in the same plain words on both sides (`Seen`), read from the simulations themselves, never through crmsync's clients.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from crmsync import jobs
from crmsync.engine.values import note_text, phone_e164
from crmsync.models import Contact, Issue, RateBudget, Run, Status, Sync
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.core import SimulatedCrm
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.traffic import CallRecord
from crmsync.sync import actions, runs
from crmsync.systems.ghl.client import NOBODY

ADA = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.org", "phone": "+493012345678"}
GRACE: dict[str, Any] = {"first_name": "Grace", "name": "Hopper", "emails": ["grace@example.org"], "tels": ["+493087654321"]}


@dataclass(frozen=True, slots=True)
class Seen:
    """A person as one CRM holds it. `notes` are (title, text), `tasks` (title, done), both sorted."""

    fields: Mapping[str, str | None]
    tags: list[str]
    notes: list[tuple[str | None, str]]
    tasks: list[tuple[str, bool]]


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


GHL_KEYS = {
    "first name": "firstName",
    "last name": "lastName",
    "email": "email",
    "phone": "phone",
    "company": "companyName",
    "street": "address1",
    "postal code": "postalCode",
    "city": "city",
    "state": "state",
    "country": "country",
    "website": "website",
}


def seen_in_ghl(crm: Ghl, id: str) -> Seen:
    contact = crm.details(id)
    assert contact is not None, "GoHighLevel doesn't have it"
    birthday = contact.get("dateOfBirth")
    fields = {name: contact.get(key) for name, key in GHL_KEYS.items()} | {"birthday": str(birthday)[:10] if birthday else None}
    return Seen(
        fields,
        sorted(contact["tags"]),
        sorted(((note.get("title") or None, note_text(note["body"])) for note in contact["notes"]), key=str),
        sorted((task["title"], task["completed"]) for task in contact["tasks"]),
    )


def seen_in_central(crm: CentralStation, id: str) -> Seen:
    person = crm.contact(id)
    assert person is not None, "CentralStationCRM doesn't have it"
    address: dict[str, Any] = next(iter(person["addrs"]), {})
    phone = _first(person["tels"], "name")
    fields = {
        "first name": person["first_name"],
        "last name": person["name"],
        "email": _first(person["emails"], "name"),
        "phone": phone_e164(phone, "DE") if phone else None,
        "company": _first([position for position in person["positions"] if not position["former"]], "company_name"),
        "street": address.get("street"),
        "postal code": address.get("zip"),
        "city": address.get("city"),
        "state": address.get("state_code"),
        "country": address.get("country_code"),
        "website": _first(person["homepages"], "name"),
        "birthday": _first([event for event in person["historic_events"] if event["atype"] == "birthday"], "name"),
    }
    return Seen(
        {name: value or None for name, value in fields.items()},
        sorted(tag["name"] for tag in person["tags"]),
        sorted(((note["name"] or None, note_text(note["content"])) for note in person["notes"]), key=str),
        sorted((task["name"], task["finished"]) for task in person["tasks"]),
    )


def _first(rows: list[dict[str, Any]], member: str) -> str | None:
    return rows[0][member] if rows else None
