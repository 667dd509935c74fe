"""Fills a location with the people of the demo, in GHL's form: one e-mail and phone each, custom fields, a few appointments."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from crmsync.sandbox.ghl import values
from crmsync.sandbox.ghl.location import Ghl
from crmsync.sandbox.people import Person, people

APPOINTMENT_SHARE = 0.05


def fill(crm: Ghl) -> None:
    """Adds `settings.contacts` people; the same ids for the same seed. Visible in searches at once."""
    if not crm.settings.contacts:
        return
    chance = random.Random(crm.settings.seed)
    number = crm.add_custom_field("Customer number")
    crm.add_custom_field("Interest", "SINGLE_OPTIONS", ["Demo", "Offer", "Support"])
    crm.add_user(firstName="Ben", lastName="Winter", email="ben.winter@sandbox.example")
    today = crm.now().replace(hour=9, minute=0, second=0, microsecond=0)
    for pair in people(crm.settings.contacts, crm.settings.seed):
        if pair.ghl:
            _add(crm, pair.ghl, number, today, chance)
    crm.show_all()


def _add(crm: Ghl, person: Person, number_field: str, today: datetime, chance: random.Random) -> None:
    id = crm.add_contact(id=values.new_id(chance), dateAdded=today - timedelta(days=person.known_for_days), **_fields(person, number_field))
    seen = today - timedelta(days=person.seen_days_ago, minutes=chance.randint(0, 600))
    crm.contacts[id]["dateUpdated"] = crm.contacts[id]["lastActivity"] = min(seen, crm.now())  # nine o'clock may be still to come
    for note in reversed(person.notes):
        crm.add_note(id, note.text, dateAdded=today - timedelta(days=note.days_ago), **({"title": note.title} if note.title else {}))
    for task in person.tasks:
        crm.add_task(id, task.title, dueDate=today + timedelta(days=task.due_in_days), completed=task.done)
    if chance.random() < APPOINTMENT_SHARE:
        day = (today + timedelta(days=chance.randint(1, 20))).date()
        crm.add_appointment(id, "Kennenlernen", f"{day} 11:00:00", f"{day} 11:30:00")


def _fields(person: Person, number_field: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "firstName": person.first,
        "lastName": person.last,
        "email": person.emails[0] if person.emails else None,
        "phone": person.phones[0][1] if person.phones else None,
        "companyName": person.company,
        "address1": person.street,
        "city": person.city,
        "state": person.state,
        "postalCode": person.zip,
        "country": person.country,
        "website": person.website,
        "dateOfBirth": person.birthday,
        "source": "sandbox",
        "tags": list(person.tags),
    }
    custom = [{"id": number_field, "field_value": person.customer_number}] if person.customer_number else []
    return {key: value for key, value in fields.items() if value is not None} | {"customFields": custom}
