"""The fewest calls that a first sync can do with, told from what both CRMs held before and after it.

What was there had to be listed, by the largest documented pages, and each GHL contact's notes read; what is different had to be written,
one call a contact, row, note or task; what CentralStation answers with a message only had to be looked at, a page of people at a time.
Writes that changed nothing, and reads beyond these, are what a sync could have done without. Names of operations are the sandbox's.
What a run's page says of it, `crmsync.sync.fewest`, is told from the run's own figures; the two are held against each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from crmsync.engine.records import Side
from crmsync.sync.fewest import MOST, pages

Json = dict[str, Any]
Contacts = Mapping[str, Json]
"""All contacts of a side by id, each with its rows, notes and tasks, as the sandbox's control API tells."""

GHL_CONTACTS_PAGE, GHL_TASKS_PAGE = MOST[Side.GHL, "contacts"], MOST[Side.GHL, "task"]
CENTRALSTATION_PAGE = MOST[Side.CENTRALSTATION, "contacts"]

STAMPS = {"dateUpdated", "lastActivity", "created_at", "updated_at", "stream_updated_at", "updated_by_user_id"}
"""What a CRM changes by itself."""

ROWS = {
    **dict.fromkeys(("emails", "tels", "homepages"), "person-contact-detail"),
    "addrs": "person-addr",
    "historic_events": "person-historic-event",
    "custom_fields": "person-custom-field",
    "tags": "person-tag",
    "positions": "person-position",
}
"""CentralStation's lists of rows below a person, and what their operations are called."""


def on_ghl(before: Contacts, after: Contacts) -> Counter[str]:
    """Calls by operation. A create carries the tags, and all tags of a contact are added by one call."""
    known = [(before[one], after[one]) for one in before.keys() & after.keys()]
    calls = Counter(
        {
            "search-contacts-advanced": pages(len(before), GHL_CONTACTS_PAGE),
            "task-search": pages(len(_rows(before.values(), "tasks")), GHL_TASKS_PAGE),
            "get-all-notes": len(before),
            "create-contact": len(after.keys() - before.keys()),
            "update-contact": sum(_own(old) != _own(new) for old, new in known),
            "add-tags": sum(bool({*new["tags"]} - {*old["tags"]}) for old, new in known),
            "remove-tags": sum(bool({*old["tags"]} - {*new["tags"]}) for old, new in known),
        }
    )
    return calls + _items(before, after, note="note")


def on_centralstation(before: Contacts, after: Contacts) -> Counter[str]:
    """Calls by operation. A create carries all rows but the birthday; elsewhere each row is a call, and so is each company made."""
    new = [after[one] for one in after.keys() - before.keys()]
    companies = _companies(before.values())
    calls = Counter(
        {
            "list-people": pages(len(before), CENTRALSTATION_PAGE),
            "list-protocols": pages(len(_rows(before.values(), "notes")), CENTRALSTATION_PAGE),
            "list-companies": pages(len(companies), CENTRALSTATION_PAGE),
            "create-company": len(_companies(after.values()) - companies),
            "create-person": len(new),
            "create-person-historic-event": len(_rows(new, "historic_events")),
        }
    )
    changes = [_person_changes(before[one], after[one]) for one in before.keys() & after.keys()]
    unseen = sum(any(not name.startswith("create-") for name in of_one) for of_one in changes)
    calls["list-people"] += pages(unseen, CENTRALSTATION_PAGE)
    return sum(changes, calls) + _items(before, after, note="protocol")


def _own(contact: Json) -> Json:
    """What isn't a row, a tag, a note or a task."""
    return {key: value for key, value in contact.items() if key not in STAMPS and key not in ROWS and key not in ("notes", "tasks")}


def _person_changes(old: Json, new: Json) -> Counter[str]:
    """The calls that make one person of CentralStation into what it is afterwards."""
    changes = Counter({"update-person": 1} if _own(old) != _own(new) else {})
    for group, name in ROWS.items():
        changes += _differing({row["id"]: row for row in old[group]}, {row["id"]: row for row in new[group]}, name)
    return changes


def _items(before: Contacts, after: Contacts, *, note: str) -> Counter[str]:
    calls: Counter[str] = Counter()
    for group, name in (("notes", note), ("tasks", "task")):
        calls += _differing(_rows(before.values(), group), _rows(after.values(), group), name)
    return calls


def _differing(old: Mapping[Any, Json], new: Mapping[Any, Json], name: str) -> Counter[str]:
    return +Counter(
        {
            f"create-{name}": len(new.keys() - old.keys()),
            f"update-{name}": sum(_own(old[one]) != _own(new[one]) for one in old.keys() & new.keys()),
            f"delete-{name}": len(old.keys() - new.keys()),
        }
    )


def _rows(contacts: Iterable[Json], group: str) -> dict[Any, Json]:
    """By id: a note of two people is one note."""
    return {row["id"]: row for contact in contacts for row in contact[group]}


def _companies(people: Iterable[Json]) -> set[Any]:
    return {row["company_id"] for person in people for row in person["positions"]}
