"""The location: its records, the rules that guard them, and the few methods that change them (ghl.md, section 3).

The methods here keep values as GHL does, but ask no permission: the operations check, then call them; tests call them directly.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from crmsync.sandbox.core import Json
from crmsync.sandbox.ghl import values
from crmsync.sandbox.ghl.app import GhlApp
from crmsync.sandbox.ghl.speech import GhlSpeech
from crmsync.sandbox.ghl.written import written_fields
from crmsync.sandbox.settings import GhlSettings


class Ghl(GhlApp):
    """One GHL location in memory. Contacts, notes and tasks are dicts in the form that a direct read shows, times as datetimes."""

    title = "GoHighLevel"
    kept = ("contacts", "notes", "tasks", "tags", "index", "_unseen")

    def __init__(self, settings: GhlSettings) -> None:
        super().__init__(settings)
        self.speech = GhlSpeech(self)
        self.contacts: dict[str, Json] = {}
        self.notes: dict[str, dict[str, Json]] = {}
        self.tasks: dict[str, dict[str, Json]] = {}
        self.appointments: dict[str, list[Json]] = {}
        self.tags: dict[str, Json] = {}
        self.custom_fields: dict[str, Json] = {}
        self.businesses: dict[str, Json] = {}
        self.index: dict[str, Json] = {}
        self._unseen: list[tuple[float, str, Json | None]] = []
        self.add_user(firstName="Katrin", lastName="Sommer", email="katrin.sommer@sandbox.example")

    def written_fields(self) -> dict[str, str]:
        return written_fields(self.custom_fields)

    # Contacts

    def add_contact(self, **fields: Any) -> str:
        """A new contact, kept as GHL keeps it, without asking the duplicate rule. Also `additionalEmails`, `dateAdded`. Returns its id."""
        now = values.to_ms(fields.pop("dateAdded", None) or self.now())
        id = fields.pop("id", None) or values.new_id()
        contact: Json = {"id": id, "locationId": self.location_id, "type": "lead", "dnd": False, "tags": [], "customFields": []}
        contact |= {"additionalEmails": [], "additionalPhones": [], "followers": [], "dateAdded": now, "dateUpdated": now}
        self.contacts[id] = contact
        self.notes[id], self.tasks[id] = {}, {}
        self._write(contact, fields, now)
        self.events.contact("ContactCreate", contact)
        return id

    def edit_contact(self, id: str, **fields: Any) -> None:
        """Change a contact as a user would in GHL; None clears."""
        contact = self.contacts[id]
        before = dict(contact)
        written = self._write(contact, fields, values.to_ms(self.now()))
        self.events.contact_changed(contact, {name for name in written if contact.get(name) != before.get(name)})

    def _write(self, contact: Json, fields: Mapping[str, Any], now: datetime) -> Iterable[str]:
        """The names of all that was written."""
        kept = _named(contact, {key: self._kept(contact, key, value) for key, value in fields.items()})
        contact |= kept
        contact["dateUpdated"] = contact["lastActivity"] = now
        self.learn_tags(contact["tags"])
        self.show(contact["id"])
        return kept

    def _kept(self, contact: Json, key: str, value: Any) -> Any:
        match key:
            case "email":
                return str(value).strip().lower() if value else None
            case "phone":
                return values.phone_e164(str(value), self.settings.country) if value else None
            case "tags":
                return values.tag_names(value or [])
            case "dateOfBirth":
                return values.day(value) if value else None
            case "customFields":
                return self._custom(contact["customFields"], value or [])
            case _:
                return value.strip() or None if isinstance(value, str) else value

    def _custom(self, old: list[Json], rows: list[Json]) -> list[Json]:
        """Written by `id` or `key`, read by `id`; unknown fields are left out, fields that aren't named stay."""
        merged = {row["id"]: row["value"] for row in old}
        id_by_key = {definition["fieldKey"]: id for id, definition in self.custom_fields.items()}
        for row in rows:
            id = row.get("id") or id_by_key.get(row.get("key", "")) or id_by_key.get(f"contact.{row.get('key')}")
            if id in self.custom_fields:
                merged[id] = row.get("field_value", row.get("value"))
        return [{"id": id, "value": value} for id, value in merged.items() if value not in (None, "", [])]

    def delete_contact(self, id: str) -> None:
        if contact := self.contacts.get(id):
            self.events.contact("ContactDelete", contact)
        for records in (self.contacts, self.notes, self.tasks, self.appointments):
            records.pop(id, None)
        self.show(id)

    def contact(self, id: str) -> Json | None:
        """The contact as a direct read shows it, None when there is none."""
        contact = self.contacts.get(id)
        return read_form(contact) if contact else None

    def duplicate_of(self, email: str | None, phone: str | None, besides: str = "") -> tuple[Json, str] | None:
        """Who has this e-mail or phone already, and which of the two; the e-mail wins."""
        for field, value in (("email", email), ("phone", phone)):
            for contact in list(self.contacts.values()) if value else ():
                if contact["id"] != besides and value in (contact.get(field), *contact[f"additional{field.title()}s"]):
                    return contact, field
        return None

    # Lists and searches see a write only after a while.

    def show(self, id: str) -> None:
        contact = self.contacts.get(id)
        self._unseen.append((time.monotonic() + self.settings.search_lag_s, id, dict(contact) if contact else None))

    def show_all(self) -> None:
        """Lists and searches know everything from now on."""
        self._unseen.clear()
        self.index = {id: dict(contact) for id, contact in self.contacts.items()}

    def seen(self) -> list[Json]:
        """All contacts as lists and searches know them by now, oldest first."""
        while self._unseen and self._unseen[0][0] <= time.monotonic():
            _, id, contact = self._unseen.pop(0)
            self.index.pop(id, None) if contact is None else self.index.__setitem__(id, contact)
        return [contact for id, contact in list(self.index.items()) if id not in self.hidden]

    # Tags, notes, tasks: notes and tasks leave the contact's `dateUpdated` alone.

    def learn_tags(self, names: list[str]) -> None:
        known = {tag["name"] for tag in self.tags.values()}
        for name in names:
            if name not in known:
                id = values.new_id()
                self.tags[id] = {"id": id, "name": name, "locationId": self.location_id}

    def add_tags(self, contact_id: str, *tags: str) -> list[str]:
        """Returns those that weren't there."""
        old = self.contacts[contact_id]["tags"]
        new = [name for name in values.tag_names(tags) if name not in old]
        if new:
            self.edit_contact(contact_id, tags=[*old, *new])
        return new

    def remove_tags(self, contact_id: str, *tags: str) -> list[str]:
        """Returns those that were there."""
        old = self.contacts[contact_id]["tags"]
        gone = [name for name in values.tag_names(tags) if name in old]
        if gone:
            self.edit_contact(contact_id, tags=[name for name in old if name not in gone])
        return gone

    def add_note(self, contact_id: str, body: str, **fields: Any) -> str:
        """`fields`: title, userId, color, pinned, dateAdded. Returns the note's id."""
        id = values.new_id()
        note = {"id": id, "contactId": contact_id, "dateAdded": values.to_ms(self.now()), "body": self._note_body(body), **fields}
        self.notes[contact_id][id] = note
        self.events.note("NoteCreate", note)
        return id

    def edit_note(self, contact_id: str, note_id: str, **fields: Any) -> None:
        if "body" in fields:
            fields["body"] = self._note_body(fields["body"])
        note = self.notes[contact_id][note_id]
        before = dict(note)
        note.update(fields)
        if note != before:
            self.events.note("NoteUpdate", note)

    def _note_body(self, body: str) -> str:
        if not self.settings.wraps_notes or "<" in body:
            return body
        return "<p>" + body.replace("\n", "<br>") + "</p>"

    def delete_note(self, contact_id: str, note_id: str) -> None:
        self.events.note("NoteDelete", self.notes[contact_id].pop(note_id))

    def notes_of(self, contact_id: str) -> list[Json]:
        """Newest first."""
        notes = list(reversed(self.notes.get(contact_id, {}).values()))
        return sorted(
            ({**note, "bodyText": values.plain(note["body"])} for note in notes), key=lambda note: note["dateAdded"], reverse=True
        )

    def add_task(self, contact_id: str, title: str, **fields: Any) -> str:
        """`fields`: body, dueDate (ISO text or datetime; default now), completed, assignedTo. Returns the task's id."""
        id = values.new_id()
        due = values.moment(fields.pop("dueDate", None) or self.now())
        task = {"id": id, "contactId": contact_id, "title": title, "body": "", "completed": False, "dueDate": due, **fields}
        self.tasks[contact_id][id] = task
        self.events.task("TaskCreate", task)
        return id

    def edit_task(self, contact_id: str, task_id: str, **fields: Any) -> None:
        """Of all that can change, webhooks tell of one thing only: that a task is done."""
        if "dueDate" in fields:
            fields["dueDate"] = values.moment(fields["dueDate"])
        task = self.tasks[contact_id][task_id]
        was_done = task["completed"]
        task.update(fields)
        if task["completed"] and not was_done:
            self.events.task("TaskComplete", task)

    def delete_task(self, contact_id: str, task_id: str) -> None:
        self.events.task("TaskDelete", self.tasks[contact_id].pop(task_id))

    def tasks_of(self, contact_id: str) -> list[Json]:
        return list(self.tasks.get(contact_id, {}).values())

    # Around

    def add_custom_field(self, name: str, data_type: str = "TEXT", options: list[str] | None = None) -> str:
        id = values.new_id()
        key = f"contact.{name.lower().replace(' ', '_')}"
        self.custom_fields[id] = {"id": id, "name": name, "fieldKey": key, "dataType": data_type, "placeholder": "", "model": "contact"}
        self.custom_fields[id] |= {"position": 50 * len(self.custom_fields), "locationId": self.location_id}
        if options:
            self.custom_fields[id] |= {"picklistOptions": options, "isAllowedCustomOption": False}
        return id

    def add_user(self, **fields: Any) -> str:
        id = fields.pop("id", None) or values.new_id()
        name = f"{fields.get('firstName', '')} {fields.get('lastName', '')}".strip()
        roles = {"type": "account", "role": "admin", "locationIds": [self.location_id]}
        self.users[id] = {"id": id, "name": name, "phone": "", "roles": roles, "deleted": False, **fields}
        return id

    def add_business(self, name: str, **fields: Any) -> str:
        id = values.new_id()
        self.businesses[id] = {"id": id, "name": name, "locationId": self.location_id, **fields}
        return id

    def add_appointment(self, contact_id: str, title: str, start: str, end: str, **fields: Any) -> str:
        """Times are `2026-07-16 11:00:00`, in the location's zone."""
        id = values.new_id()
        event: Json = {"id": id, "calendarId": "SandboxCalendar00001", "status": "booked", "appointmentStatus": "confirmed", "title": title}
        event |= {
            "startTime": start,
            "endTime": end,
            "contactId": contact_id,
            "locationId": self.location_id,
            "notes": "",
            "users": [],
        }
        self.appointments.setdefault(contact_id, []).append(event | fields)
        return id

    def overview(self) -> list[Json]:
        return [read_form(contact) for contact in list(self.contacts.values())]

    def details(self, id: str) -> Json | None:
        contact = self.contact(id)
        return {**contact, "notes": self.notes_of(id), "tasks": self.tasks_of(id)} if contact else None


def _named(contact: Json, fields: Json) -> Json:
    """`name` alone is split at its first blank; it always reads as first and last name together."""
    if "name" in fields and "firstName" not in fields and "lastName" not in fields:
        first, _, last = (fields["name"] or "").partition(" ")
        fields |= {"firstName": first or None, "lastName": last or None}
    first, last = (fields.get(key, contact.get(key)) for key in ("firstName", "lastName"))
    return {**fields, "name": " ".join(part for part in (first, last) if part) or None}


def read_form(contact: Json) -> Json:
    """A contact as a direct read and the answers to writes show it; empty fields are left out."""
    lower = {f"{key}LowerCase": contact.get(source) for key, source in (("firstName",) * 2, ("lastName",) * 2, ("fullName", "name"))}
    lower = {key: value.lower() for key, value in lower.items() if value} | {"emailLowerCase": contact.get("email")}
    objects = {"additionalEmails": [{"email": email, "validEmail": None} for email in contact["additionalEmails"]]}
    return {key: value for key, value in {**contact, **lower, **objects}.items() if value is not None}
