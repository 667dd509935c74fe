"""GHL for the pages: contacts as a person edits them by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from crmsync.sandbox.core import Json
from crmsync.sandbox.desk import Desk, FormField, Glance, NoteView, TaskView
from crmsync.sandbox.ghl.location import Ghl

FIELDS = {
    "firstName": "First name",
    "lastName": "Last name",
    "email": "E-mail",
    "phone": "Phone",
    "companyName": "Company",
    "address1": "Street",
    "postalCode": "Postal code",
    "city": "City",
    "state": "State",
    "country": "Country",
    "website": "Website",
    "dateOfBirth": "Date of birth",
    "source": "Source",
}
KINDS = {"email": "email", "phone": "tel", "dateOfBirth": "date"}


class GhlDesk(Desk):
    title = "GoHighLevel"
    slug = "ghl"

    def __init__(self, crm: Ghl) -> None:
        self._crm = crm

    def glances(self) -> Iterable[Glance]:
        return (_glance(contact) for contact in list(self._crm.contacts.values()))

    def glance(self, id: str) -> Glance | None:
        contact = self._crm.contacts.get(id)
        return _glance(contact) if contact else None

    def fields(self, id: str) -> list[FormField]:
        contact = self._crm.contacts[id]
        own = [FormField(key, label, contact.get(key) or "", KINDS.get(key, "text")) for key, label in FIELDS.items()]
        value_by_id = {row["id"]: row["value"] for row in contact["customFields"]}
        custom = [
            FormField(f"custom.{one['id']}", one["name"], str(value_by_id.get(one["id"], ""))) for one in self._crm.custom_fields.values()
        ]
        return own + custom

    def save(self, id: str, form: Mapping[str, str]) -> None:
        fields: Json = {key: form[key] or None for key in FIELDS if key in form}
        custom = [{"id": key.partition(".")[2], "field_value": value} for key, value in form.items() if key.startswith("custom.")]
        self._crm.edit_contact(id, **fields, customFields=custom)

    def create(self, first: str, last: str, email: str) -> str:
        return self._crm.add_contact(firstName=first, lastName=last, email=email)

    def delete(self, id: str) -> None:
        self._crm.delete_contact(id)

    def add_tag(self, id: str, name: str) -> None:
        self._crm.add_tags(id, name)

    def remove_tag(self, id: str, name: str) -> None:
        self._crm.remove_tags(id, name)

    def notes(self, id: str) -> list[NoteView]:
        return [NoteView(note["id"], note.get("title") or "", note["body"], note["dateAdded"]) for note in self._crm.notes_of(id)]

    def save_note(self, id: str, note_id: str, title: str, text: str) -> None:
        named = {"title": title} if title else {}
        if note_id:
            self._crm.edit_note(id, note_id, body=text, **named)
        else:
            self._crm.add_note(id, text, **named)

    def delete_note(self, id: str, note_id: str) -> None:
        self._crm.delete_note(id, note_id)

    def tasks(self, id: str) -> list[TaskView]:
        return [TaskView(task["id"], task["title"], task["dueDate"], task["completed"]) for task in self._crm.tasks_of(id)]

    def save_task(self, id: str, task_id: str, title: str, due: str, done: bool) -> None:
        when = f"{due}T09:00:00Z" if due else datetime.now(UTC).isoformat()
        if task_id:
            same_day = self._crm.tasks[id][task_id]["dueDate"].date().isoformat() == due
            self._crm.edit_task(id, task_id, title=title, completed=done, **({} if same_day else {"dueDate": when}))
        else:
            self._crm.add_task(id, title, dueDate=when, completed=done)

    def delete_task(self, id: str, task_id: str) -> None:
        self._crm.delete_task(id, task_id)

    actions = {"expire": "Expire access tokens", "revoke": "Revoke all authorisations", "uninstall": "Uninstall the app"}

    def connection(self) -> Mapping[str, str]:
        settings, oauth = self._crm.settings, self._crm.oauth
        tokens = {"Authorisations": str(len(oauth.authorisations)), "Refreshes": str(oauth.refreshes)}
        return {"Location id": settings.location_id, "Client id": settings.client_id, "Client secret": settings.client_secret, **tokens}

    @property
    def webhook_url(self) -> str:
        return self._crm.webhook_url

    def act(self, action: str, webhook_url: str) -> None:
        match action:
            case "expire":
                self._crm.expire_tokens()
            case "revoke":
                self._crm.revoke()
            case "uninstall":
                self._crm.uninstall()
            case "webhook_url":
                if webhook_url and urlsplit(webhook_url).scheme not in ("http", "https"):
                    raise ValueError("The webhook URL must begin with http:// or https://.")
                self._crm.send_webhooks_to(webhook_url)
            case _:
                super().act(action, webhook_url)


def _glance(contact: Json) -> Glance:
    name, email, phone, company = (contact.get(key) or "" for key in ("name", "email", "phone", "companyName"))
    return Glance(contact["id"], name, email, phone, company, tuple(contact["tags"]), contact["dateUpdated"])
