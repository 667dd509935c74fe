"""CentralStationCRM for the pages: people as a person edits them by hand, a row for each phone, e-mail and address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

from crmsync.sandbox.centralstation import kinds
from crmsync.sandbox.centralstation.kinds import Kind
from crmsync.sandbox.centralstation.rows import BERLIN, Owner, Row
from crmsync.sandbox.centralstation.simulation import CentralStation
from crmsync.sandbox.desk import Desk, FormField, Glance, NoteView, TaskView

FIELDS = {"first_name": "First name", "name": "Last name", "title": "Title", "salutation": "Salutation", "country_code": "Language"}
DETAILS = {"emails": ("Email", "E-mail", "email"), "tels": ("Tel", "Phone", "tel"), "homepages": ("Homepage", "Website", "text")}
POSITION = {"company_name": "Company", "name": "Job title"}
ADDRESS = {"street": "Street", "zip": "Postal code", "city": "City", "state_code": "State", "country_code": "Country"}


class CentralStationDesk(Desk):
    title = "CentralStationCRM"
    slug = "centralstation"

    def __init__(self, crm: CentralStation) -> None:
        self._crm = crm

    def glances(self) -> Iterable[Glance]:
        return (self._glance(row) for row in self._crm.table("people").all())

    def glance(self, id: str) -> Glance | None:
        row = self._crm.table("people").rows.get(int(id)) if id.isdigit() else None
        return self._glance(row) if row else None

    def _glance(self, row: Row) -> Glance:
        owner = ("Person", row["id"])
        email, phone = (next((one["name"] for one in self._details(owner, type)), "") for type in ("Email", "Tel"))
        company = next((one["company_name"] for one in self._crm.table("positions").of(owner)), "")
        name = f"{row['first_name'] or ''} {row['name']}".strip()
        return Glance(str(row["id"]), name, email, phone, company, tuple(self._crm.tags_of(row["id"])), row["updated_at"])

    def _details(self, owner: Owner, type: str) -> list[Row]:
        return [row for row in self._crm.table("contact_details").of(owner) if row["type"] == type]

    # The form. A key is a member, or group, row id (`new` for the empty row that adds one) and member: `tels.17.name`, `addrs.new.city`.

    def fields(self, id: str) -> list[FormField]:
        row, owner = self._crm.owner("Person", int(id)), ("Person", int(id))
        own = [FormField(key, label, row[key] or "") for key, label in FIELDS.items()]
        details = chain.from_iterable(self._detail_fields(owner, group) for group in DETAILS)
        return [
            *own,
            *self._position_fields(owner),
            *details,
            *self._address_fields(owner),
            *self._custom_fields(owner),
            *self._birthday_field(owner),
            _background(row),
        ]

    def _detail_fields(self, owner: Owner, group: str) -> list[FormField]:
        type, label, kind = DETAILS[group]
        rows = [
            FormField(f"{group}.{one['id']}.name", f"{label} ({one['atype']})", one["name"], kind) for one in self._details(owner, type)
        ]
        return [*rows, FormField(f"{group}.new.name", f"{label} (new)", "", kind)]

    def _position_fields(self, owner: Owner) -> list[FormField]:
        rows = self._crm.table("positions").of(owner) or [{"id": "new"}]
        return [FormField(f"positions.{row['id']}.{key}", label, row.get(key) or "") for row in rows for key, label in POSITION.items()]

    def _address_fields(self, owner: Owner) -> list[FormField]:
        rows = self._crm.table("addrs").of(owner) or [{"id": "new"}]
        return [FormField(f"addrs.{row['id']}.{key}", label, row.get(key) or "") for row in rows for key, label in ADDRESS.items()]

    def _custom_fields(self, owner: Owner) -> list[FormField]:
        row_by_type = {row["custom_fields_type_id"]: row for row in self._crm.table("custom_fields").of(owner)}
        types = [one for one in self._crm.table("custom_fields_types").all() if one["category"] == "Person"]
        rows = [(one, row_by_type.get(one["id"], {"id": f"new-{one['id']}", "name": ""})) for one in types]
        return [FormField(f"custom_fields.{row['id']}.name", one["name"], row["name"]) for one, row in rows]

    def _birthday_field(self, owner: Owner) -> list[FormField]:
        rows = [row for row in self._crm.table("historic_events").of(owner) if row["atype"] == "birthday"] or [{"id": "new", "name": ""}]
        return [FormField(f"historic_events.{row['id']}.name", "Birthday", row["name"], "date") for row in rows]

    def save(self, id: str, form: Mapping[str, str]) -> None:
        own = {key: form[key] or None for key in (*FIELDS, "background") if key in form}
        self._crm.edit_contact(id, **own)
        rows: dict[tuple[str, str], dict[str, str]] = {}
        for key, value in form.items():
            if key.count(".") == 2:
                group, row_id, member = key.split(".")
                rows.setdefault((group, row_id), {})[member] = value
        for (group, row_id), members in rows.items():
            self._save_row(("Person", int(id)), group, row_id, members)

    def _save_row(self, owner: Owner, group: str, row_id: str, members: dict[str, str]) -> None:
        kind, fixed = _kind(group, row_id)
        filled = {key: value for key, value in members.items() if value}
        if row_id.startswith("new"):
            if filled:
                self._crm.add_child(kind, owner, {**fixed, **filled}, detail=DETAILS[group][0] if group in DETAILS else "")
            return
        row = self._crm.child(kind, owner, int(row_id))
        moved = kind is kinds.POSITION and members["company_name"] != row["company_name"]
        if not filled or moved:
            self._crm.delete_child(kind, row)
            self._save_row(owner, group, "new", members)
        elif any((row.get(key) or "") != value for key, value in members.items()):
            self._crm.edit_child(kind, row, members)

    def create(self, first: str, last: str, email: str) -> str:
        return str(self._crm.add_contact(first_name=first, name=last, emails=[email] if email else []))

    def delete(self, id: str) -> None:
        self._crm.delete_contact(id)

    def add_tag(self, id: str, name: str) -> None:
        self._crm.add_tags(id, name)

    def remove_tag(self, id: str, name: str) -> None:
        self._crm.remove_tags(id, name)

    def notes(self, id: str) -> list[NoteView]:
        notes = [
            NoteView(str(note["id"]), note["name"] or "", note["content"] or "", note["created_at"]) for note in self._crm.notes_of(id)
        ]
        return sorted(notes, key=lambda note: note.when, reverse=True)

    def save_note(self, id: str, note_id: str, title: str, text: str) -> None:
        if note_id:
            self._crm.edit_note(note_id, name=title or None, content=text)
        else:
            self._crm.add_note(id, text, name=title or None, format="plaintext")

    def delete_note(self, id: str, note_id: str) -> None:
        self._crm.delete_note(note_id)

    def tasks(self, id: str) -> list[TaskView]:
        return [TaskView(str(task["id"]), task["name"], task["precise_time"], task["finished"]) for task in self._crm.tasks_of(id)]

    def save_task(self, id: str, task_id: str, title: str, due: str, done: bool) -> None:
        when = f"{due}T12:00:00" if due else None
        if task_id:
            old = self._crm.row("tasks", int(task_id))["precise_time"]
            kept = {} if old and due == old.astimezone(BERLIN).date().isoformat() else {"precise_time": when}
            self._crm.edit_task(task_id, name=title, finished=done, **kept)
        else:
            self._crm.add_task(id, title, precise_time=when, fuzzy=True, finished=done)

    def delete_task(self, id: str, task_id: str) -> None:
        self._crm.delete_task(task_id)

    def connection(self) -> Mapping[str, str]:
        hooks = {f"Hook {one['model']}.{one['event']} ({one['state']})": f"{one['failed']} failed" for one in self._crm.hooks}
        return {"API key": next(iter(self._crm.settings.api_keys)), **hooks}


def _background(row: Row) -> FormField:
    return FormField("background", "Background", row["background"] or "", "area")


def _kind(group: str, row_id: str) -> tuple[Kind, Row]:
    """The kind of row behind a form group, and what a new row needs besides what was typed."""
    match group:
        case "addrs":
            return kinds.ADDR, {"atype": "private"}
        case "positions":
            return kinds.POSITION, {"primary_function": True}
        case "historic_events":
            return kinds.EVENT, {"atype": "birthday"}
        case "custom_fields":
            return kinds.CUSTOM, {"custom_fields_type_id": int(row_id.removeprefix("new-"))}
        case _:
            return kinds.DETAIL, {"atype": "office"}
