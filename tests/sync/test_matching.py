"""Who is the same person in both CRMs: what links, what is created, and what waits for a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from crmsync.models import Contact
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sync import actions
from crmsync.sync.actions import ActionError
from tests.sync.kit import ADA, Live


@pytest.mark.parametrize(
    ("in_ghl", "in_central"),
    [
        ({"firstName": "Ada", "lastName": "King", "email": "ADA@example.org"}, {"name": "Lovelace", "emails": ["ada@example.org"]}),
        ({"firstName": "Ada", "phone": "+493012345678"}, {"name": "Lovelace", "tels": ["030 12345678"]}),
        (
            {"firstName": "Ada", "lastName": "Lovelace", "companyName": "Engines"},
            {"first_name": "Ada", "name": "lovelace", "company": "Engines"},
        ),
        ({"lastName": "King", "email": "ada@example.org"}, {"name": "Lovelace", "emails": ["other@example.org", "ada@example.org"]}),
    ],
    ids=["e-mail", "phone", "name and company", "second e-mail"],
)
def test_two_records_of_one_person_are_linked_by(live: Live, in_ghl: dict[str, Any], in_central: dict[str, Any]) -> None:
    live.ghl.add_contact(**in_ghl)
    live.central.add_contact(**in_central)
    live.run()
    assert live.contact().is_linked
    assert live.counts() == (1, 1)


def test_a_name_without_a_company_links_nobody(live: Live) -> None:
    live.ghl.add_contact(firstName="Ada", lastName="Lovelace", email="a@example.org")
    live.central.add_contact(first_name="Ada", name="Lovelace")
    live.run()
    assert live.counts() == (2, 2)


def test_the_first_key_that_finds_anybody_decides(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    by_email = live.central.add_contact(name="Mail", emails=["ada@example.org"])
    live.central.add_contact(name="Phone", tels=["+493012345678"])
    live.run()
    assert live.contact(ghl_id=live.ghl.overview()[0]["id"]).centralstation_id == str(by_email)


def test_keys_that_are_switched_off_link_nobody(
    join: Callable[..., Live], ghl_sandbox: Ghl, centralstation_sandbox: CentralStation
) -> None:
    live = join(ghl_sandbox, centralstation_sandbox, match_by=["email"], create_in_ghl=False, create_in_centralstation=False)
    live.ghl.add_contact(firstName="Ada", phone="+493012345678")
    live.central.add_contact(name="Lovelace", tels=["+493012345678"])
    live.run()
    assert live.statuses() == ["excluded", "excluded"]


def test_where_creating_is_off_nothing_is_created_and_the_reason_says_so(
    join: Callable[..., Live], ghl_sandbox: Ghl, centralstation_sandbox: CentralStation
) -> None:
    live = join(ghl_sandbox, centralstation_sandbox, create_in_centralstation=False)
    live.ghl.add_contact(**ADA)
    live.run()
    assert live.counts() == (1, 0)
    assert "creating contacts in CentralStationCRM is switched off" in live.contact(status="excluded").reason


# Review


@pytest.fixture
def doubtful(live: Live) -> Contact:
    """Two people of CentralStation share the e-mail of one contact of GHL: that contact."""
    ghl_id = live.ghl.add_contact(firstName="Info", lastName="Desk", email="info@example.org")
    live.central.add_contact(first_name="Ada", name="Lovelace", emails=["info@example.org"])
    live.central.add_contact(first_name="Grace", name="Hopper", emails=["info@example.org"])
    live.run()
    return live.contact(ghl_id=ghl_id)


def test_two_candidates_are_a_review_and_nothing_is_written_for_any(live: Live, doubtful: Contact) -> None:
    assert live.statuses() == ["review", "review", "review"]
    assert live.writes() == []
    assert "e-mail" in doubtful.reason


def test_each_candidate_of_a_review_is_known_and_named(live: Live, doubtful: Contact) -> None:
    assert actions.candidates_of(doubtful).count() == 2
    assert live.sync.contacts.filter(centralstation_id__isnull=False, reason__gt="").count() == 2


def test_a_review_asks_the_crms_nothing_when_it_is_looked_at_again(live: Live, doubtful: Contact) -> None:
    with live.nothing_written():
        live.run()
        live.run(full=True)
    assert live.statuses() == ["review", "review", "review"]


def test_a_review_is_decided_by_linking(live: Live, doubtful: Contact) -> None:
    ada = live.contact(label__contains="Lovelace")
    actions.link(doubtful, ada)
    live.work()
    doubtful.refresh_from_db()
    assert (doubtful.centralstation_id, doubtful.status) == (ada.centralstation_id, "in_sync")
    assert live.counts() == (1, 2)


def test_a_review_is_decided_by_keeping_apart(live: Live, doubtful: Contact) -> None:
    actions.keep_apart(doubtful)
    live.work()
    assert live.counts() == (1, 3)
    doubtful.refresh_from_db()
    assert doubtful.status == "in_sync"


def test_a_review_ends_by_itself_when_one_candidate_gets_another_e_mail(live: Live, doubtful: Contact) -> None:
    grace = live.contact(label__contains="Hopper")
    row = (live.central.contact(str(grace.centralstation_id)) or {})["emails"][0]
    live.edit_in_central(grace, emails_attributes=[{"id": row["id"], "name": "grace@example.org"}])
    live.run()
    live.run()
    assert (live.contact(ghl_id=doubtful.ghl_id).is_linked, live.statuses()) == (True, ["in_sync", "in_sync"])


def test_two_contacts_of_ghl_for_one_person_of_centralstation_are_a_review(live: Live) -> None:
    live.ghl.add_contact(firstName="Ada", email="ada@example.org")
    live.ghl.add_contact(firstName="Ada", lastName="L.", email="ada@example.org")
    live.central.add_contact(first_name="Ada", name="Lovelace", emails=["ada@example.org"])
    live.run()
    assert live.statuses().count("review") >= 2
    assert live.counts() == (2, 1)


def test_of_twins_without_a_partner_the_first_is_created_and_the_other_waits(live: Live) -> None:
    first = live.central.add_contact(
        first_name="Ada", name="Lovelace", emails=["info@example.org"], created_at=datetime(2024, 1, 1, tzinfo=UTC)
    )
    second = live.central.add_contact(
        first_name="Grace", name="Hopper", emails=["info@example.org"], created_at=datetime(2024, 6, 1, tzinfo=UTC)
    )
    live.run()
    live.run(full=True)
    assert live.counts() == (1, 2)
    assert live.contact(centralstation_id=str(first)).status == "in_sync"
    assert live.contact(centralstation_id=str(second)).status == "review"


def test_contacts_that_are_linked_cannot_be_linked_again(live: Live, ada: Contact, doubtful: Contact) -> None:
    with pytest.raises(ActionError, match="can't be linked"):
        actions.link(doubtful, ada)


# Duplicates that matching doesn't know


def test_a_contact_that_ghl_knows_by_another_key_is_found_by_its_refusal(live: Live, ada: Contact) -> None:
    """GHL refuses a second contact with an e-mail, and says who has it; lists that lag hadn't told of it."""
    hidden = live.ghl.add_contact(firstName="Grace", email="grace@example.org")
    live.ghl.hidden.add(hidden)
    live.central.add_contact(first_name="Grace", name="Hopper", emails=["grace@example.org"])
    live.run()
    live.run()
    assert live.contact(ghl_id=hidden).is_linked
    assert live.counts() == (2, 2)
