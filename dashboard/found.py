"""What is told of the contacts found besides their rows: how many of each status, and all of them as a CSV file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from crmsync.models import Contact, Status
from crmsync.models.contact import ContactQuerySet
from dashboard.forms.contacts import ContactFilter

CAP = 1_000
"""Counting stops here: past it nobody reads the last digit, and a page of a million contacts isn't kept waiting."""

COLUMNS = (
    "id", "external_id", "status", "updated_at", "ghl_id", "centralstation_id", "sync", "name", "email", "phone", "reason", "verified_at",
)  # fmt: skip
CHUNK = 2_000


def counts(asked: ContactFilter) -> tuple[str, list[tuple[Status, str]]]:
    """How many contacts of any status, and how many of each that there is ("" where only counting all would tell).

    One query; where there are more than the cap, one more for each status, off an index, unless more than a sync is asked for."""
    found = asked.contacts().order_by()
    some = Counter(found.values_list("status", flat=True)[: CAP + 1])
    if some.total() <= CAP:
        return str(some.total()), [(status, str(some[status])) for status in Status if status in some]
    if asked.asked.keys() - {"sync", "status", "sort"}:
        return _capped(some.total()), [(status, "") for status in Status]
    each = [(status, found.filter(status=status).values("pk")[: CAP + 1].count()) for status in Status]
    return _capped(some.total()), [(status, _capped(n)) for status, n in each if n]


def _capped(n: int) -> str:
    return f"{CAP:,}+" if n > CAP else str(n)


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(contacts: ContactQuerySet) -> Iterator[str]:
    """The contacts as CSV, oldest first, read in chunks by key: no long transaction, and a million need no more memory than one chunk."""
    write = csv.writer(_Echo()).writerow
    yield "\ufeff" + write(COLUMNS)  # spreadsheets take a file without the mark for Latin-1
    rows, last = contacts.select_related("sync").order_by("pk"), 0
    while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):
        last = chunk[-1].pk
        yield "".join(write([_harmless(cell) for cell in _cells(contact)]) for contact in chunk)


def _cells(contact: Contact) -> list[str]:
    return [
        str(contact.pk),
        contact.ghl_id or contact.centralstation_id or "",
        contact.status,
        _time(contact.updated_at),
        contact.ghl_id or "",
        contact.centralstation_id or "",
        contact.sync.name,
        contact.label,
        contact.email,
        contact.phone,
        contact.reason,
        _time(contact.verified_at),
    ]


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else ""


def _harmless(cell: str) -> str:
    """A spreadsheet runs what begins like a formula, a phone number's + among it; behind an apostrophe it is text."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else cell
