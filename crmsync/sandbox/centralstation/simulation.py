"""The whole account: notes, tasks and comments besides people and companies, and short ways for tests and seeds to fill it.

Source: centralstationcrm.md, sections 6 to 8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crmsync.sandbox.centralstation import kinds
from crmsync.sandbox.centralstation.account import Account
from crmsync.sandbox.centralstation.kinds import Problems
from crmsync.sandbox.centralstation.rows import Owner, Row, moment, without_hidden
from crmsync.sandbox.centralstation.speech import not_found
from crmsync.sandbox.centralstation.written import written_fields
from crmsync.sandbox.core import Json

NOTE: Row = {
    "type": "ProtocolObjectNote",
    "badge": "note",
    "format": "html",
    "name": None,
    "content": None,
    "confidential": False,
    "user_id": None,
    "occurred_at": None,
}
TASK: Row = {
    "name": None,
    "user_id": None,
    "attachable_type": None,
    "attachable_id": None,
    "task_list_id": None,
    "badge": "task",
    "precise_time": None,
    "end_time": None,
    "fuzzy": False,
    "finished": False,
}
NOTE_TYPES = ("ProtocolObjectNote", "ProtocolExternal", "ProtocolEmail", "ProtocolUserNote", "ProtocolAttachment")
NOTE_BADGES = ("note", "call", "email", "meeting", "other", "research", None)
FORMATS = ("plaintext", "markdown", "textile", "html")
TASK_BADGES = ("task", "call", "email", "visit", "preparation", "important", "meeting", "other")


class CentralStation(Account):
    """One CentralStationCRM account in memory. Ids may be given as numbers or as text."""

    def written_fields(self) -> dict[str, str]:
        return written_fields(NOTE, TASK)

    def add_note(self, person_id: int | str | None, content: str, **fields: Any) -> int:
        """A note of one person (or of `person_ids`, `company_ids`). Returns its id."""
        people = [int(person_id)] if person_id else []
        return int(self.add_protocol({"type": "ProtocolObjectNote", "person_ids": people, "content": content, **fields})["id"])

    def add_protocol(self, fields: Mapping[str, Any], by: int | None = None) -> Row:
        at = moment(fields.get("created_at")) or self.now()
        row = {**NOTE, "type": None, **_given(NOTE, fields)} | {
            key: list(fields.get(key) or []) for key in ("person_ids", "company_ids", "deal_ids", "project_ids")
        }
        self.refuse(self._note_problems(row))
        row |= {"user_id": row["user_id"] or by or self.owner_user_id, "occurred_at": moment(row["occurred_at"]) or at}
        row |= {
            "updated_by_user_id": None,
            "attachments_count": 0,
            "comments_count": 0,
            "data_hash": {},
            "account_id": self.settings.account_id,
        }
        stored = self.table("protocols").add({**row, "created_at": at, "updated_at": at}, *_owners(row))
        self._note_moved(stored, "create", at)
        return stored

    def edit_note(self, id: int | str, **fields: Any) -> None:
        row = self.row("protocols", int(id))
        new = _given(NOTE, fields) | {key: list(fields[key]) for key in ("person_ids", "company_ids") if key in fields}
        self.refuse(self._note_problems({**row, **new}))
        self.table("protocols").disown(row["id"], *_owners(row))
        row |= new | {"occurred_at": moment(new.get("occurred_at")) or row["occurred_at"]}
        row |= {"updated_at": self.now(), "updated_by_user_id": self.owner_user_id}
        self.table("protocols").own(row["id"], *_owners(row))
        self._note_moved(row, "update")

    def delete_note(self, id: int | str) -> None:
        row = self.row("protocols", int(id))
        self.table("protocols").remove(row["id"])
        self._note_moved(row, "destroy")

    def add_task(self, person_id: int | str | None, name: str, **fields: Any) -> int:
        """A task of one person; `fields`: precise_time (ISO text or datetime), fuzzy, finished, badge, user_id. Returns its id."""
        owner = {"attachable_type": "Person", "attachable_id": int(person_id)} if person_id else {}
        return int(self.write_task(None, {"user_id": self.owner_user_id, "name": name, **owner, **fields})["id"])

    def edit_task(self, id: int | str, **fields: Any) -> None:
        self.write_task(self.row("tasks", int(id)), fields)

    def write_task(self, row: Row | None, fields: Mapping[str, Any], by: int | None = None) -> Row:
        """A new task, or an existing one with other members."""
        at = moment(fields.get("created_at")) or self.now()
        new = {**(row or TASK), **_given(TASK, fields)}
        self.refuse(self._task_problems(new))
        new |= {key: moment(new[key]) if new[key] else None for key in ("precise_time", "end_time")}
        new |= {"updated_at": at, "updated_by_user_id": self.owner_user_id if row else None}
        if row is None:
            made = {
                "account_id": self.settings.account_id,
                "comments_count": 0,
                "created_by_user_id": by or self.owner_user_id,
                "created_at": at,
            }
            row = self.table("tasks").add({**new, **made}, *_attached(new))
        else:
            row |= new
        self._task_moved(row, "update" if row["updated_by_user_id"] else "create", at)
        return row

    def delete_task(self, id: int | str) -> None:
        row = self.row("tasks", int(id))
        self.table("tasks").remove(row["id"])
        self._task_moved(row, "destroy")

    def add_comment(self, type: str, id: int | str, name: str, user_id: int | None = None) -> Row:
        """A comment on a `Task` or `Protocol`; it moves its parent's `updated_at`."""
        parents = {"Task": "tasks", "Protocol": "protocols"}
        self.refuse({} if name else {"name": ["can't be blank"]})
        self.refuse({} if type in parents else {"attachable_type": ["is not included in the list"]})
        parent = self.row(parents[type], int(id))
        at = self.now()
        row = {"attachable_id": str(id), "attachable_type": type, "user_id": user_id or self.owner_user_id, "name": name, "created_at": at}
        parent |= {"updated_at": at, "comments_count": parent["comments_count"] + 1}
        (self._task_moved if type == "Task" else self._note_moved)(parent, "update")
        return self.table("comments").add({**row, "updated_at": at}, (type, int(id)))

    def row(self, table: str, id: int) -> Row:
        """Raises a 404 for an unknown one."""
        if id not in self.table(table).rows:
            raise not_found()
        return self.table(table).rows[id]

    def _note_problems(self, row: Row) -> Problems:
        found: Problems = {} if row["type"] in NOTE_TYPES else {"type": ["is not included in the list"]}
        found |= {} if row["format"] in FORMATS else {"format": ["is not included in the list"]}
        found |= {} if row["badge"] in NOTE_BADGES else {"badge": ["is not included in the list"]}
        found |= {"name": ["is too long (maximum is 100 characters)"]} if len(row["name"] or "") > 100 else {}
        unknown = [id for type, id in _owners(row) if id not in self.owners(type).rows]
        return found | ({"person_ids": ["must exist"]} if unknown else {})

    def _task_problems(self, row: Row) -> Problems:
        found: Problems = {} if str(row["name"] or "").strip() else {"name": ["can't be blank"]}
        found |= {"name": ["is too long (maximum is 255 characters)"]} if len(row["name"] or "") > 255 else {}
        found |= {} if row["user_id"] else {"user_id": ["can't be blank"]}
        found |= {"user": ["must exist"]} if row["user_id"] and row["user_id"] not in self.users else {}
        found |= {} if row["badge"] in TASK_BADGES else {"badge": ["is not included in the list"]}
        found |= {"precise_time": ["is invalid"]} if row["precise_time"] and not moment(row["precise_time"]) else {}
        unknown = [id for type, id in _attached(row) if type not in ("Person", "Company") or id not in self.owners(type).rows]
        return found | ({"attachable": ["must exist"]} if unknown else {})

    def _note_moved(self, row: Row, verb: str, at: datetime | None = None) -> None:
        self._moved("Protocol", row, _owners(row), verb, updated=True, at=at)

    def _task_moved(self, row: Row, verb: str, at: datetime | None = None) -> None:
        self._moved("Task", row, _attached(row), verb, updated=False, at=at)

    def _moved(self, type: str, row: Row, owners: list[Owner], verb: str, *, updated: bool, at: datetime | None) -> None:
        for owner in owners:
            self.touch(*owner, updated=updated, at=at)
        self.log(type, row["id"], verb, {}, about=owners, at=at)

    # Short ways for tests and seeds

    def add_contact(self, **fields: Any) -> int:
        """A person by the members of the API, and in short: `emails`, `tels`, `homepages` (texts or rows), `tags` (texts), `addr` (a row),
        `birthday`, `company`, `position` (a title), `custom_fields` (values by type id), `created_at`. Returns its id."""
        short = {key: fields.pop(key, None) for key in ("birthday", "company", "position", "addr", "custom_fields", "created_at")}
        rows = {
            f"{key}_attributes": [_detail_row(one) for one in fields.pop(key, ())] for key in ("emails", "tels", "homepages", "ims", "sms")
        }
        rows["tags_attributes"] = [{"name": tag} for tag in fields.pop("tags", ())]
        rows["addrs_attributes"] = [short["addr"]] if short["addr"] else []
        rows["custom_fields_attributes"] = [
            {"custom_fields_type_id": int(id), "name": value} for id, value in (short["custom_fields"] or {}).items()
        ]
        position = {"company_name": short["company"], "name": short["position"], "primary_function": True}
        rows["positions_attributes"] = [position] if short["company"] else []
        id = int(self.add_owner("Person", {**fields, **rows}, at=short["created_at"])["id"])
        if short["birthday"]:
            self.add_child(kinds.EVENT, ("Person", id), {"atype": "birthday", "name": short["birthday"]}, at=short["created_at"])
        return id

    def edit_contact(self, id: int | str, **fields: Any) -> None:
        """Members of the person, and nested rows as the API takes them (`emails_attributes`)."""
        self.edit_owner("Person", int(id), fields)

    def delete_contact(self, id: int | str) -> None:
        self.delete_owner("Person", int(id))

    def add_tags(self, id: int | str, *names: str) -> None:
        for name in names:
            self.add_child(kinds.TAG, ("Person", int(id)), {"name": name})

    def remove_tags(self, id: int | str, *names: str) -> None:
        for row in self.table("tags").of(("Person", int(id))):
            if row["name"] in names:
                self.delete_child(kinds.TAG, row)

    def contact(self, id: int | str) -> Json | None:
        """A person with all that hangs on it, unwrapped; `notes` and `tasks` too. None when there is none."""
        row = self.table("people").rows.get(int(id)) if str(id).isdigit() else None
        if row is None:
            return None
        owner = ("Person", row["id"])
        names = ("addrs", "historic_events", "custom_fields", "tags", "positions", "tasks")
        found: Json = {name: [without_hidden(one) for one in self.table(name).of(owner)] for name in names}
        notes = [protocol_form(one) for one in self.table("protocols").of(owner)]
        return {**without_hidden(row), **self._details_of(owner), **found, "notes": notes, "stream_updated_at": row["_stream"]}

    def _details_of(self, owner: Owner) -> Json:
        rows = self.table("contact_details").of(owner)
        return {word: [dict(one) for one in rows if one["type"] == type] for word, type in kinds.INCLUDES.items()}

    def notes_of(self, id: int | str) -> list[Json]:
        return [protocol_form(row) for row in self.table("protocols").of(("Person", int(id)))]

    def tasks_of(self, id: int | str) -> list[Json]:
        return [dict(row) for row in self.table("tasks").of(("Person", int(id)))]

    def tags_of(self, id: int | str) -> list[str]:
        return [row["name"] for row in self.table("tags").of(("Person", int(id)))]

    @property
    def hooks(self) -> list[Row]:
        """Those that are registered, oldest first; the rows themselves."""
        return self.table("hooks").all()

    def overview(self) -> list[Json]:
        return [self.contact(row["id"]) or {} for row in self.table("people").all()]

    def details(self, id: str) -> Json | None:
        return self.contact(id)


def protocol_form(row: Row) -> Json:
    """A note as it is shown: with the first of its people and companies besides all of them."""
    return {**row, **{f"{word}_id": row[f"{word}_ids"][0] if row[f"{word}_ids"] else None for word in ("person", "company")}}


def protocol_envelope(type: str) -> str:
    """`ProtocolObjectNote` answers under `protocol_object_note`."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", type).lower()


def _owners(row: Row) -> list[Owner]:
    return [("Person", int(id)) for id in row["person_ids"]] + [("Company", int(id)) for id in row["company_ids"]]


def _attached(row: Row) -> list[Owner]:
    return [(row["attachable_type"], int(row["attachable_id"]))] if row["attachable_id"] else []


def _given(members: Row, fields: Mapping[str, Any]) -> Row:
    return {name: value for name, value in fields.items() if name in members}


def _detail_row(one: str | Row) -> Row:
    return {"atype": "office", **({"name": one} if isinstance(one, str) else one)}
