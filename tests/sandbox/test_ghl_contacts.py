"""Contacts of the simulated GHL: what it takes, keeps, refuses and shows (ghl.md, section 3)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_LOCATION_ID
from tests.sandbox.conftest import ghl_client

Body = dict[str, Any]


def created(client: httpx.Client, **fields: Any) -> Body:
    answer = client.post("/contacts/", json={"locationId": DEMO_LOCATION_ID, **fields})
    assert answer.status_code == 201, answer.text
    contact: Body = answer.json()["contact"]
    return contact


def searched(client: httpx.Client, **body: Any) -> Body:
    answer = client.post("/contacts/search", json={"locationId": DEMO_LOCATION_ID, "pageLimit": 100, **body})
    assert answer.status_code == 200, answer.text
    found: Body = answer.json()
    return found


def test_an_id_has_20_characters(ghl: httpx.Client) -> None:
    assert re.fullmatch(r"[A-Za-z0-9]{20}", created(ghl, firstName="Ada")["id"])


def test_values_are_kept_in_ghls_form(ghl: httpx.Client) -> None:
    contact = created(ghl, email="Ada@Example.ORG", phone="0221 4710 123", tags=[" VIP ", "vip"], dateOfBirth="1990-02-01")
    kept = {key: contact[key] for key in ("email", "phone", "tags", "dateOfBirth")}
    assert kept == {"email": "ada@example.org", "phone": "+492214710123", "tags": ["vip"], "dateOfBirth": "1990-02-01"}


def test_names_are_read_as_typed(ghl: httpx.Client) -> None:
    id = created(ghl, firstName="Jörg", lastName="von Groß")["id"]
    contact = ghl.get(f"/contacts/{id}").json()["contact"]
    assert (contact["firstName"], contact["lastName"], contact["name"]) == ("Jörg", "von Groß", "Jörg von Groß")


def test_gender_and_a_bad_date_are_dropped_in_silence(ghl: httpx.Client) -> None:
    contact = created(ghl, firstName="Ada", gender="female", dateOfBirth="31.12.1990")
    assert not {"gender", "dateOfBirth"} & set(contact)


@pytest.mark.parametrize("field", ["gender", "id", "locationId", "emailLowerCase", "additionalEmails", "additionalPhones", "nickname"])
def test_an_update_with_a_field_off_the_list_is_422(ghl: httpx.Client, field: str) -> None:
    id = created(ghl, firstName="Ada")["id"]
    value = DEMO_LOCATION_ID if field == "locationId" else "x"
    answer = ghl.put(f"/contacts/{id}", json={field: value})
    assert (answer.status_code, answer.json()["message"]) == (422, [f"property {field} should not exist"])


def test_a_422_lists_every_complaint(ghl: httpx.Client) -> None:
    body = {"locationId": DEMO_LOCATION_ID, "nickname": "A", "email": "nowhere", "country": "", "postalCode": None}
    messages = ghl.post("/contacts/", json=body).json()["message"]
    assert messages == [
        "property nickname should not exist",
        "postalCode must be a string",
        "email must be an email",
        "country must be a valid country code",
    ]


def test_an_update_answers_with_the_contact(ghl: httpx.Client) -> None:
    id = created(ghl, firstName="Ada", city="Köln", companyName="A GmbH")["id"]
    answer = ghl.put(f"/contacts/{id}", json={"city": None, "companyName": "B GmbH"}).json()
    assert answer["succeded"] is True
    assert "city" not in answer["contact"]
    assert answer["contact"]["companyName"] == "B GmbH"


def test_tags_in_an_update_replace_all_tags(ghl: httpx.Client) -> None:
    id = created(ghl, firstName="Ada", tags=["a", "b"])["id"]
    assert ghl.put(f"/contacts/{id}", json={"tags": ["c"]}).json()["contact"]["tags"] == ["c"]


@pytest.mark.parametrize(("field", "value"), [("email", "ADA@example.org"), ("phone", "+49 221 4710123")])
def test_a_duplicate_names_who_has_it(ghl: httpx.Client, field: str, value: str) -> None:
    first = created(ghl, firstName="Ada", email="ada@example.org", phone="0221 4710123")
    answer = ghl.post("/contacts/", json={"locationId": DEMO_LOCATION_ID, field: value})
    assert answer.status_code == 400
    assert answer.json()["meta"] == {"contactId": first["id"], "contactName": "Ada", "matchingField": field}


def test_an_update_to_anothers_email_is_a_duplicate(ghl: httpx.Client) -> None:
    first, second = created(ghl, email="a@example.org"), created(ghl, email="b@example.org")
    answer = ghl.put(f"/contacts/{second['id']}", json={"email": "a@example.org"})
    assert (answer.status_code, answer.json()["meta"]["contactId"]) == (400, first["id"])


def test_a_location_may_allow_duplicates(serve_ghl: Callable[..., Ghl]) -> None:
    client = ghl_client(serve_ghl(allow_duplicates=True))
    assert created(client, email="a@example.org")["id"] != created(client, email="a@example.org")["id"]


def test_upsert_finds_by_email_and_leaves_out_anothers_phone(ghl: httpx.Client) -> None:
    first, second = created(ghl, email="a@example.org"), created(ghl, phone="0221 4710123")
    body = {"locationId": DEMO_LOCATION_ID, "email": "a@example.org", "phone": "0221 4710123", "city": "Köln"}
    answer = ghl.post("/contacts/upsert", json=body).json()
    assert (answer["new"], answer["contact"]["id"], answer["contact"].get("phone")) == (False, first["id"], None)
    assert ghl.get(f"/contacts/{second['id']}").json()["contact"]["phone"] == "+492214710123"


def test_upsert_makes_who_is_not_there(ghl: httpx.Client) -> None:
    assert ghl.post("/contacts/upsert", json={"locationId": DEMO_LOCATION_ID, "email": "new@example.org"}).json()["new"] is True


@pytest.mark.parametrize("status", [400, 404])
def test_a_deleted_contact_is_not_found(serve_ghl: Callable[..., Ghl], status: int) -> None:
    client = ghl_client(serve_ghl(missing_status=status))
    id = created(client, firstName="Ada")["id"]
    assert client.delete(f"/contacts/{id}").json()["succeded"] is True
    answer = client.get(f"/contacts/{id}")
    assert (answer.status_code, "not found" in answer.json()["message"]) == (status, True)


@pytest.mark.parametrize("query", [{"email": "ADA@example.org"}, {"number": "+492214710123"}])
def test_a_duplicate_search_finds_at_once(serve_ghl: Callable[..., Ghl], query: dict[str, str]) -> None:
    client = ghl_client(serve_ghl(search_lag_s=60))
    id = created(client, email="ada@example.org", phone="0221 4710123")["id"]
    answer = client.get("/contacts/search/duplicate", params={"locationId": DEMO_LOCATION_ID, **query})
    assert answer.json()["contact"]["id"] == id


def test_a_duplicate_search_may_find_nobody(ghl: httpx.Client) -> None:
    answer = ghl.get("/contacts/search/duplicate", params={"locationId": DEMO_LOCATION_ID, "email": "x@example.org"})
    assert answer.json()["contact"] is None


def test_search_shows_names_street_and_birthday_in_its_own_form(ghl: httpx.Client) -> None:
    created(ghl, firstName="Jörg", lastName="Groß", address1="Weg 1", dateOfBirth="1990-01-02")
    (contact,) = searched(ghl)["contacts"]
    assert (contact["firstName"], contact["firstNameRaw"], contact["lastNameLowerCase"]) == ("jörg", "Jörg", "groß")
    assert (contact["address"], contact["dateOfBirth"], "address1" in contact) == ("Weg 1", 631238400000, False)


def test_search_pages_and_counts(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    ids = {ghl_sandbox.add_contact(firstName=f"P{number}") for number in range(25)}
    pages = [searched(ghl, pageLimit=10, page=page) for page in (1, 2, 3, 4)]
    assert [len(page["contacts"]) for page in pages] == [10, 10, 5, 0]
    assert {contact["id"] for page in pages for contact in page["contacts"]} == ids
    assert pages[0]["total"] == 25


def test_search_goes_on_after_the_last_contact(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    ids = {ghl_sandbox.add_contact(firstName=f"P{number}") for number in range(25)}
    sort = [{"field": "dateUpdated", "direction": "asc"}]
    found: list[Body] = searched(ghl, pageLimit=10, sort=sort)["contacts"]
    while page := searched(ghl, pageLimit=10, sort=sort, searchAfter=found[-1]["searchAfter"])["contacts"]:
        found += page
    assert (len(found), {contact["id"] for contact in found}) == (25, ids)


def test_search_takes_500_a_page_at_most(ghl: httpx.Client) -> None:
    answer = ghl.post("/contacts/search", json={"locationId": DEMO_LOCATION_ID, "pageLimit": 501})
    assert (answer.status_code, answer.json()["message"]) == (422, ["pageLimit must not be greater than 500"])


def test_paging_ends_at_10_000(ghl: httpx.Client) -> None:
    assert ghl.post("/contacts/search", json={"locationId": DEMO_LOCATION_ID, "pageLimit": 500, "page": 21}).status_code == 400


@pytest.mark.parametrize(
    ("filter", "names"),
    [
        ({"field": "email", "operator": "eq", "value": "ADA@example.org"}, {"ada"}),
        ({"field": "tags", "operator": "contains", "value": "vip"}, {"ada"}),
        ({"field": "email", "operator": "not_exists"}, {"bob"}),
        ({"field": "firstNameLowerCase", "operator": "not_eq", "value": "ada"}, {"bob"}),
        ({"group": "OR", "filters": [{"field": "city", "operator": "eq", "value": v} for v in ("Köln", "Bonn")]}, {"ada", "bob"}),
        ({"field": "dateUpdated", "operator": "range", "value": {"gte": "2026-01-01T00:00:00Z"}}, {"ada", "bob"}),
        ({"field": "dateUpdated", "operator": "range", "value": {"lt": 1_700_000_000_000}}, set()),
    ],
)
def test_search_filters(ghl: httpx.Client, filter: Body, names: set[str]) -> None:
    created(ghl, firstName="Ada", email="ada@example.org", city="Köln", tags=["vip"])
    created(ghl, firstName="Bob", city="Bonn")
    assert {contact["firstName"] for contact in searched(ghl, filters=[filter])["contacts"]} == names


def test_search_refuses_an_unknown_filter(ghl: httpx.Client) -> None:
    created(ghl, firstName="Ada")
    body = {"locationId": DEMO_LOCATION_ID, "pageLimit": 10, "filters": [{"field": "nickname", "operator": "eq", "value": "x"}]}
    assert ghl.post("/contacts/search", json=body).status_code == 422


def test_lists_and_search_lag_behind_writes(serve_ghl: Callable[..., Ghl]) -> None:
    client = ghl_client(serve_ghl(search_lag_s=0.3))
    created(client, firstName="Ada")
    assert searched(client)["total"] == 0
    time.sleep(0.35)
    assert searched(client)["total"] == 1


def test_the_list_goes_on_by_start_after(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    ids = {ghl_sandbox.add_contact(firstName=f"P{number}") for number in range(25)}
    query, found = {"locationId": DEMO_LOCATION_ID, "limit": "10"}, []
    while True:
        answer = ghl.get("/contacts/", params=query).json()
        found += [contact["id"] for contact in answer["contacts"]]
        if not answer["meta"]["nextPage"]:
            break
        query |= {"startAfterId": answer["meta"]["startAfterId"], "startAfter": answer["meta"]["startAfter"]}
    assert (len(found), set(found), answer["meta"]["total"]) == (25, ids, 25)


def test_the_list_takes_100_at_most(ghl: httpx.Client) -> None:
    assert ghl.get("/contacts/", params={"locationId": DEMO_LOCATION_ID, "limit": 101}).status_code == 422


def test_contacts_of_a_business(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    business = ghl_sandbox.add_business("A GmbH")
    id = ghl_sandbox.add_contact(firstName="Ada", businessId=business)
    ghl_sandbox.add_contact(firstName="Bob")
    answer = ghl.get(f"/contacts/business/{business}", params={"locationId": DEMO_LOCATION_ID}).json()
    assert ([contact["id"] for contact in answer["contacts"]], answer["count"]) == ([id], 1)


def test_tags_are_added_and_removed(ghl: httpx.Client) -> None:
    id = created(ghl, firstName="Ada", tags=["a"])["id"]
    added = ghl.post(f"/contacts/{id}/tags", json={"tags": ["A", "B"]})
    assert (added.status_code, added.json()["tags"], added.json()["tagsAdded"]) == (201, ["a", "b"], ["b"])
    removed = ghl.request("DELETE", f"/contacts/{id}/tags", json={"tags": ["a", "c"]})
    assert (removed.status_code, removed.json()["tags"], removed.json()["tagsRemoved"]) == (200, ["b"], ["a"])


def test_the_location_learns_new_tags(ghl: httpx.Client) -> None:
    created(ghl, firstName="Ada", tags=["VIP"])
    assert [tag["name"] for tag in ghl.get(f"/locations/{DEMO_LOCATION_ID}/tags").json()["tags"]] == ["vip"]


def test_custom_fields_are_written_by_id_or_key_and_read_by_id(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    pin, size = ghl_sandbox.add_custom_field("Pin code"), ghl_sandbox.add_custom_field("Size")
    contact = created(ghl, customFields=[{"id": pin, "field_value": "1"}, {"key": "size", "field_value": "L"}])
    assert contact["customFields"] == [{"id": pin, "value": "1"}, {"id": size, "value": "L"}]
    listed = ghl.get(f"/locations/{DEMO_LOCATION_ID}/customFields", params={"model": "contact"}).json()["customFields"]
    assert [(one["fieldKey"], one["dataType"]) for one in listed] == [("contact.pin_code", "TEXT"), ("contact.size", "TEXT")]


def test_additional_emails_are_objects_here_and_texts_in_search(ghl: httpx.Client, ghl_sandbox: Ghl) -> None:
    id = ghl_sandbox.add_contact(firstName="Ada", additionalEmails=["two@example.org"])
    assert ghl.get(f"/contacts/{id}").json()["contact"]["additionalEmails"][0]["email"] == "two@example.org"
    assert searched(ghl)["contacts"][0]["additionalEmails"] == ["two@example.org"]


def test_the_location_and_its_users(ghl: httpx.Client) -> None:
    location = ghl.get(f"/locations/{DEMO_LOCATION_ID}").json()["location"]
    assert (location["country"], location["timezone"]) == ("DE", "Europe/Berlin")
    assert ghl.get("/users/", params={"locationId": DEMO_LOCATION_ID}).json()["users"][0]["name"] == "Katrin Sommer"
    assert ghl.get("/businesses/", params={"locationId": DEMO_LOCATION_ID}).json()["businesses"] == []
