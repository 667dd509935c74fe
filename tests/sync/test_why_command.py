"""`manage.py why`."""

from __future__ import annotations

from crmsync.models import Contact
from tests.sync.conftest import Cli
from tests.sync.kit import GRACE, Live


def test_a_contact_is_explained(ada: Contact, cli: Cli) -> None:
    row = cli("why", "ada@example.org", "--json").row
    assert (row["id"], row["status"], row["reason"]) == (ada.pk, "in_sync", "in_sync")


def test_people_read_the_sentence_and_the_facts(ada: Contact, cli: Cli) -> None:
    lines = cli("why", "Ada Lovelace").out.splitlines()
    assert (lines[0], lines[1]) == (
        "Ada Lovelace is in sync: both sides were read and found equal just now.",
        f"  - In GoHighLevel, as {ada.ghl_id}.",
    )


def test_a_field_is_explained(ada: Contact, cli: Cli) -> None:
    assert cli("why", "Ada Lovelace", "--field", "city", "--json").row["field"]["sentence"].startswith("City is empty on both sides")


def test_nobody_known_is_told(ada: Contact, cli: Cli) -> None:
    answer = cli("why", "grace@example.org", "--json")
    assert (answer.status, answer.row["reason"], answer.row["answers"]) == (0, "unknown", [])


def test_both_crms_are_asked_where_wanted(live: Live, ada: Contact, cli: Cli) -> None:
    live.central.add_contact(**GRACE)
    assert [one["found"] for one in cli("why", "grace@example.org", "--ask", "--json").row["answers"]] == [True, False]
