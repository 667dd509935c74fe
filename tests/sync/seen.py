"""A person as each simulated CRM holds it, in the same plain words: read from the simulations themselves, never through our clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crmsync.engine.values import note_text, phone_e164
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl


@dataclass(frozen=True, slots=True)
class Seen:
    """A person as one CRM holds it. `notes` are (title, text), `tasks` (title, done), both sorted."""

    fields: Mapping[str, str | None]
    tags: list[str]
    notes: list[tuple[str | None, str]]
    tasks: list[tuple[str, bool]]


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
