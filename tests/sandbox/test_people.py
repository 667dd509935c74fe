"""The people of the demo: enough of them, the same for the same seed, in both CRMs, and ugly where it counts."""

from __future__ import annotations

import pytest

from crmsync.sandbox import centralstation, ghl
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.people import Pair, people
from crmsync.sandbox.settings import CentralStationSettings, GhlSettings


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return people(500, 1)


@pytest.fixture(scope="module")
def location() -> Ghl:
    crm: Ghl = ghl.create_app(GhlSettings(contacts=200)).state.crm
    return crm


@pytest.fixture(scope="module")
def account() -> CentralStation:
    crm: CentralStation = centralstation.create_app(CentralStationSettings(contacts=200)).state.crm
    return crm


def test_each_crm_has_so_many_and_60_percent_are_in_both(pairs: list[Pair]) -> None:
    both = sum(pair.ghl is not None and pair.centralstation is not None for pair in pairs)
    here, there = sum(pair.ghl is not None for pair in pairs), sum(pair.centralstation is not None for pair in pairs)
    assert (here, there, both) == (500, 500, 300)


def test_the_same_seed_makes_the_same_people() -> None:
    assert people(50, 7) == people(50, 7)
    assert people(50, 7) != people(50, 8)


def test_nobody_shares_a_main_email_in_ghl(pairs: list[Pair]) -> None:
    emails = [pair.ghl.emails[0].lower() for pair in pairs if pair.ghl and pair.ghl.emails]
    assert len(emails) == len(set(emails))


def test_the_ugly_cases_are_there(pairs: list[Pair]) -> None:
    here = [pair.ghl for pair in pairs if pair.ghl]
    there = [pair.centralstation for pair in pairs if pair.centralstation]
    assert any(one.last is None for one in here)
    assert any(not one.emails and not one.phones for one in here)
    assert max(len(one.phones) for one in there) == 5
    assert sum(one.emails == ("info@kaesemarkt.example",) for one in there) == 2
    assert any(pair.ghl and pair.centralstation and (pair.ghl.last, pair.centralstation.last) == ("Mueller", "Müller") for pair in pairs)
    assert any(note.text.startswith("<p>") for one in here for note in one.notes)
    assert any(task.due_in_days < 0 and not task.done for one in here for task in one.tasks)


def test_ghl_keeps_every_phone_as_a_number(location: Ghl) -> None:
    phones = [contact["phone"] for contact in location.contacts.values() if contact.get("phone")]
    assert phones
    assert all(phone.startswith("+") for phone in phones)


def test_ids_repeat_with_the_seed(location: Ghl) -> None:
    again: Ghl = ghl.create_app(GhlSettings(contacts=200)).state.crm
    assert list(again.contacts) == list(location.contacts)


def test_everybody_is_filled_in(location: Ghl, account: CentralStation) -> None:
    assert (len(location.contacts), len(location.seen()), len(account.overview())) == (200, 200, 200)
    assert all(
        len(account.table(name).all()) > 20
        for name in ("contact_details", "addrs", "tags", "positions", "protocols", "tasks", "custom_fields")
    )
    assert account.table("historic_events").all()


def test_a_handful_of_people_works_too() -> None:
    assert [len(people(number, 1)) for number in (0, 1, 2, 5)] == [0, 1, 3, 7]
