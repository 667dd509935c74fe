"""What a pasted text is taken for, and whom it finds."""

from __future__ import annotations

import pytest

from crmsync.models import Connection, Contact, MatchKey, Sync
from crmsync.sync import pasted
from crmsync.sync.pasted import Kind
from tests.dashboard.data import make_contact, make_sync

GHL_ID = "ocQHyuzHvysMo5N5VsXc"


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("ada@example.org", Kind.EMAIL, "ada@example.org"),
        (" Ada Lovelace <ada@example.org> ", Kind.EMAIL, "ada@example.org"),
        ("mailto:ada@example.org", Kind.EMAIL, "ada@example.org"),
        ("+49 30 123 45-67", Kind.PHONE, "+49 30 123 45-67"),
        ("030/1234567", Kind.PHONE, "030/1234567"),
        ("(0 30) 1 23 45 67", Kind.PHONE, "(0 30) 1 23 45 67"),
        ("tel:+49301234567", Kind.PHONE, "+49301234567"),
        (GHL_ID, Kind.GHL_ID, GHL_ID),
        ("4711", Kind.CENTRALSTATION_ID, "4711"),
        ("#41", Kind.OURS, "41"),
        ("Ada\u00a0 Lovelace", Kind.NAME, "Ada Lovelace"),
        ("„Ada Lovelace“", Kind.NAME, "Ada Lovelace"),
        ("Sales/Marketing", Kind.NAME, "Sales/Marketing"),
        ("2Go Maximiliansstraße", Kind.NAME, "2Go Maximiliansstraße"),
    ],
)
def test_a_text_is_taken_for_what_it_is(text: str, kind: Kind, found: str) -> None:
    read = pasted.read(text)
    assert (read.kind, read.text) == (kind, found)


@pytest.fixture
def sync(db: None) -> Sync:
    """Of the location loc1 and the account firma."""
    sync = make_sync()
    Connection.objects.filter(pk=sync.centralstation_id).update(root="https://firma.centralstationcrm.net")
    return sync


@pytest.mark.parametrize(
    "address",
    [
        f"https://app.gohighlevel.com/v2/location/loc1/contacts/detail/{GHL_ID}",
        f"https://app.gohighlevel.com/location/loc1/contacts/detail/{GHL_ID}?view=notes#top",
        f"https://crm.agentur-kern.de/v2/location/loc1/contacts/detail/{GHL_ID}/",
        f"app.gohighlevel.com/v2/location/loc1/contacts/detail/{GHL_ID}",
        f"https://crm.agentur-kern.de/#/v2/location/loc1/contacts/detail/{GHL_ID}",
    ],
)
def test_a_page_of_gohighlevel_names_its_contact(sync: Sync, address: str) -> None:
    read = pasted.read(address)
    assert (read.kind, read.text, read.accounts) == (Kind.GHL_ID, GHL_ID, (sync.ghl_id,))


@pytest.mark.parametrize(
    "address",
    [
        "https://firma.centralstationcrm.net/people/4711",
        "firma.centralstationcrm.net/people/4711",
        "https://firma.centralstationcrm.net/people/4711-ada-lovelace/edit?tab=notes#protocols",
    ],
)
def test_a_page_of_centralstation_names_its_person(sync: Sync, address: str) -> None:
    read = pasted.read(address)
    assert (read.kind, read.text, read.accounts) == (Kind.CENTRALSTATION_ID, "4711", (sync.centralstation_id,))


@pytest.mark.parametrize(
    ("address", "foreign"),
    [
        (f"https://app.gohighlevel.com/v2/location/other/contacts/detail/{GHL_ID}", "other"),
        ("https://nachbar.centralstationcrm.net/people/4711", "nachbar.centralstationcrm.net"),
    ],
)
def test_a_page_of_another_account_is_nobody_here(sync: Sync, address: str, foreign: str) -> None:
    make_contact(sync, ghl_id=GHL_ID, centralstation_id="4711")
    read = pasted.read(address)
    assert (read.foreign, pasted.contacts(read)) == (foreign, [])


def test_an_account_known_by_the_address_that_all_share_may_be_any(sync: Sync) -> None:
    Connection.objects.filter(pk=sync.centralstation_id).update(root="https://api.centralstationcrm.net")
    assert pasted.read("https://firma.centralstationcrm.net/people/4711").accounts == (sync.centralstation_id,)


@pytest.mark.parametrize(
    "address", ["https://crm.agentur-kern.de/v2/location/loc1/contacts/smart_list/All", "https://example.org/people", "http://["]
)
def test_another_page_names_nobody(sync: Sync, address: str) -> None:
    assert pasted.contacts(pasted.read(address)) == []


@pytest.mark.parametrize(
    "address", ["http://localhost/contacts/{pk}/", "http://localhost/contacts/{pk}/exclude", "http://localhost/why/{pk}/", "#{pk}"]
)
def test_our_own_page_names_its_contact(sync: Sync, address: str) -> None:
    contact = make_contact(sync)
    assert pasted.contacts(pasted.read(address.format(pk=contact.pk))) == [contact]


def test_the_same_id_in_another_account_is_another_person(sync: Sync) -> None:
    here, _there = make_contact(sync, centralstation_id="4711"), make_contact(make_sync("Hamburg"), centralstation_id="4711")
    assert pasted.contacts(pasted.read("https://firma.centralstationcrm.net/people/4711")) == [here]


def test_a_bare_id_finds_the_person_in_every_account(sync: Sync) -> None:
    both = [make_contact(one, centralstation_id="471199") for one in (sync, make_sync("Hamburg"))]
    assert pasted.contacts(pasted.read("471199")) == both


@pytest.mark.parametrize("text", ["0155 / 55 70 06-1", "+49 155 55700 61", "0049155557 0061"])
def test_a_phone_number_is_found_however_it_is_written(sync: Sync, text: str) -> None:
    contact = make_contact(sync)
    MatchKey.objects.create(sync=sync, contact=contact, side="ghl", kind="phone", value="+4915555700 61".replace(" ", ""))
    assert pasted.contacts(pasted.read(text)) == [contact]


def test_whoever_has_exactly_this_name_comes_first(sync: Sync) -> None:
    names = ["Ada Lovelace-King", "Ada Lovelace"]
    for name in names:
        make_contact(sync, label=name)
    assert [str(one) for one in pasted.contacts(pasted.read("ada lovelace"))] == names[::-1]


def test_more_than_can_be_shown_are_not_read(sync: Sync) -> None:
    for _ in range(pasted.MOST + 5):
        make_contact(sync, label="Ada")
    assert len(pasted.contacts(pasted.read("Ada"))) == pasted.MOST + 1


def test_no_secret_is_read(sync: Sync) -> None:
    make_contact(sync, label="Ada")
    [found] = pasted.contacts(pasted.read("Ada"))
    assert "credential" not in found.sync.ghl.__dict__


def test_a_contact_that_is_gone_is_not_found(db: None) -> None:
    assert (pasted.contacts(pasted.read("#41")), Contact.objects.count()) == ([], 0)
