"""Fills an account with the people of the demo, in CentralStationCRM's form: rows for phones and e-mails, employers, birthdays."""

from __future__ import annotations

from datetime import datetime, timedelta

from crmsync.sandbox.centralstation.simulation import CentralStation
from crmsync.sandbox.people import Note, Person, people


def fill(crm: CentralStation) -> None:
    """Adds `settings.contacts` people; the same ids for the same seed."""
    if not crm.settings.contacts:
        return
    number = crm.add_custom_field_type("Kundennummer")
    crm.add_custom_field_type("Kundentyp", "select", ["Neu", "Bestand", "Ehemalig"])
    crm.add_user(4712, first="Ben", name="Winter", login="ben.winter@sandbox.example")
    today = crm.now().replace(hour=9, minute=0, second=0)
    for pair in people(crm.settings.contacts, crm.settings.seed):
        if pair.centralstation:
            _add(crm, pair.centralstation, number, today)


def _add(crm: CentralStation, person: Person, number_field: int, today: datetime) -> None:
    id = crm.add_contact(
        first_name=person.first,
        name=person.last or person.company or "Unbekannt",
        country_code="de" if person.country == "DE" else "en",
        user_id=crm.owner_user_id,
        emails=person.emails,
        tels=[{"atype": kind, "name": number} for kind, number in person.phones],
        homepages=[person.website] if person.website else [],
        tags=person.tags,
        addr=_addr(person),
        birthday=person.birthday,
        company=person.company,
        position=person.job,
        custom_fields={number_field: person.customer_number} if person.customer_number else {},
        created_at=today - timedelta(days=person.known_for_days),
    )
    for note in reversed(person.notes):
        _note(crm, id, note, today)
    for task in person.tasks:
        crm.add_task(
            id, task.title, precise_time=today + timedelta(days=task.due_in_days), finished=task.done, created_at=today - timedelta(days=50)
        )
    seen = min(today - timedelta(days=person.seen_days_ago), crm.now())  # nine o'clock may be still to come
    crm.owner("Person", id)["updated_at"] = crm.owner("Person", id)["_stream"] = seen


def _note(crm: CentralStation, id: int, note: Note, today: datetime) -> None:
    form = "html" if note.text.startswith("<") else "plaintext"
    crm.add_note(id, note.text, format=form, name=note.title, created_at=today - timedelta(days=note.days_ago))


def _addr(person: Person) -> dict[str, str | None] | None:
    if not person.city:
        return None
    state = {"state_code": person.state} if person.state else {}
    place = {"street": person.street, "zip": person.zip, "city": person.city, "country_code": person.country}
    return {**place, **state, "atype": "work_hq" if person.company else "private"}
