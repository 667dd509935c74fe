"""People and companies, what hangs on them, and how a change moves their times (centralstationcrm.md, sections 2 to 5, 10, 11, 14).

The methods here raise a 422 for what the CRM refuses; operations and tests call the same ones. Rows are dicts in the form that the API
shows, unwrapped, times as datetimes; members that begin with an underscore are never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from crmsync.sandbox.centralstation import kinds
from crmsync.sandbox.centralstation.kinds import Kind, Problems
from crmsync.sandbox.centralstation.rows import Owner, Row, Table
from crmsync.sandbox.centralstation.speech import CentralStationSpeech, not_found
from crmsync.sandbox.core import Json, Refusal, SimulatedCrm
from crmsync.sandbox.settings import CentralStationSettings

OWNER_TYPES = {"people": "Person", "companies": "Company"}
NESTED = {
    **{f"{plural}_attributes": (kinds.DETAIL, detail) for plural, detail in kinds.INCLUDES.items()},
    **{f"{kind.table}_attributes": (kind, "") for kind in (kinds.ADDR, kinds.CUSTOM, kinds.TAG, kinds.ASSISTANT, kinds.POSITION)},
}


class Account(SimulatedCrm):
    """People and companies of one account, with the rows that hang on them. `CentralStation` completes it."""

    title = "CentralStationCRM"
    kept = ("tables", "activities")

    def __init__(self, settings: CentralStationSettings) -> None:
        super().__init__(settings)
        self.settings = settings
        self.speech = CentralStationSpeech(settings)
        names = (
            "people",
            "companies",
            "positions",
            "protocols",
            "tasks",
            "comments",
            "custom_fields_types",
            *(kind.table for kind in kinds.ATTACHED),
            "hooks",
        )
        self.tables = {name: Table(first_id=30_000_000 + 1_000_000 * place) for place, name in enumerate(names)}
        self.activities: list[Row] = []
        self.users: dict[int, Row] = {}
        for id in settings.api_keys.values():
            self.add_user(id, first="Katrin", name="Sommer", login="katrin.sommer@sandbox.example")
        self.tell: Callable[[str, int, str], None] = lambda type, id, event: None
        """Whom to tell that a person or company came, changed or went; all that changes at once is told once."""
        self._under_change: set[Owner] = set()
        self.owner_user_id = next(iter(settings.api_keys.values()))

    def now(self) -> datetime:
        return super().now().replace(microsecond=0)

    def table(self, name: str) -> Table:
        return self.tables[name]

    # People and companies

    def add_owner(
        self, type: str, fields: Mapping[str, Any], *, log: bool = True, by: int | None = None, at: datetime | None = None
    ) -> Row:
        """A new person or company with its nested rows; nothing is made when any of them is refused."""
        defaults = kinds.PERSON if type == "Person" else kinds.COMPANY
        own = {**defaults, **{key: value for key, value in fields.items() if key in defaults}}
        self.refuse({**_owner_problems(type, own), **self._nested_problems(type, fields)})
        at = at.astimezone(UTC).replace(microsecond=0) if at else self.now()
        stamps = {"created_by_user_id": by or self.owner_user_id, "updated_by_user_id": None, "created_at": at, "updated_at": at}
        row = self.owners(type).add({"account_id": self.settings.account_id, **own, **stamps, "_stream": at if log else None})
        with self._one_change(type, row["id"]):
            self._write_nested(type, row["id"], fields, at)
        self.log(type, row["id"], "create", {}, at=at, enabled=log)
        self.tell(type, row["id"], "create")
        return row

    def edit_owner(self, type: str, id: int, fields: Mapping[str, Any], *, log: bool = True, by: int | None = None) -> None:
        """Set members; nested rows with an id are changed, those without are added."""
        row = self.owner(type, id)
        new = {key: value for key, value in fields.items() if key in row and key in (kinds.PERSON if type == "Person" else kinds.COMPANY)}
        self.refuse({**_owner_problems(type, {**row, **new}), **self._nested_problems(type, fields)})
        changes = {key: [row[key], value] for key, value in new.items() if row[key] != value}
        with self._one_change(type, id):
            self._write_nested(type, id, fields, self.now())
        row |= new | {"updated_at": self.now(), "updated_by_user_id": by or self.owner_user_id}
        if log:
            row["_stream"] = self.now()
        self.log(type, id, "update", {"changes": changes}, enabled=log)
        if changes or any(fields.get(member) for member in NESTED):
            self.tell(type, id, "update")

    def delete_owner(self, type: str, id: int, *, log: bool = True) -> None:
        """What hangs on it goes along; a note of several people only loses this one."""
        self.owner(type, id)
        for table in self.tables.values():
            for row in table.of((type, id)):
                if table is self.table("protocols") and len(row["person_ids"] + row["company_ids"]) > 1:
                    row["person_ids" if type == "Person" else "company_ids"].remove(id)
                    table.disown(row["id"], (type, id))
                else:
                    table.remove(row["id"])
        self.owners(type).remove(id)
        self.log(type, id, "destroy", {}, enabled=log)
        self.tell(type, id, "destroy")

    @contextmanager
    def _one_change(self, type: str, id: int) -> Iterator[None]:
        """Rows that change within are part of a change that is told by itself."""
        self._under_change.add((type, id))
        try:
            yield
        finally:
            self._under_change.discard((type, id))

    def owners(self, type: str) -> Table:
        return self.table("people" if type == "Person" else "companies")

    def owner(self, type: str, id: int) -> Row:
        """Raises a 404 for an unknown one."""
        row = self.owners(type).rows.get(id)
        if row is None:
            raise not_found()
        return row

    def touch(self, type: str, id: int, *, updated: bool, at: datetime | None = None) -> None:
        """What a change of a child does to its owner: the stream always moves, `updated_at` where `updated` says so."""
        row = self.owners(type).rows.get(id)
        if row is None:
            return
        row["_stream"] = at or self.now()
        if updated and self.settings.children_move_person:
            row["updated_at"] = at or self.now()

    def log(
        self, type: str, id: int, verb: str, change: Json, *, about: Iterable[Owner] = (), at: datetime | None = None, enabled: bool = True
    ) -> None:
        """A line in the stream; `about` are the people and companies it is shown with."""
        if not enabled:
            return
        at = at or self.now()
        row: Row = {"id": 90_000_000 + 3 * len(self.activities), "attachable_id": id, "attachable_type": type, "verb": verb, "name": None}
        row |= {"change": {type.lower(): change} if change else {}, "confidential": False, "fav": False, "api_input": True}
        row |= {
            "account_id": self.settings.account_id,
            "user_id": self.owner_user_id,
            "created_at": at,
            "updated_at": at,
            "occurred_at": at,
        }
        self.activities.append({**row, "_about": {*about, (type, id)}})

    # What hangs on them

    def add_child(self, kind: Kind, owner: Owner, fields: Mapping[str, Any], *, detail: str = "", at: datetime | None = None) -> Row:
        """A new row; `detail` says which of the five a contact detail is (`Tel`)."""
        row = self._new_child(kind, owner, fields, detail)
        self.refuse(self._child_problems(kind, row))
        row |= self._derived(kind, row)
        at = at or self.now()
        owners = [owner] if kind is not kinds.POSITION else [("Person", row["person_id"]), ("Company", row["company_id"])]
        stored = self.table(kind.table).add({**row, "created_at": at, "updated_at": at}, *owners)
        self._keep_one_primary(kind, stored)
        self._child_moved(kind, stored, "create", at)
        return stored

    def edit_child(self, kind: Kind, row: Row, fields: Mapping[str, Any], at: datetime | None = None) -> None:
        fixed = ("person_id", "company_id", "custom_fields_type_id")
        new = {key: value for key, value in kinds.given(kind, fields).items() if key not in fixed}
        self.refuse(self._child_problems(kind, {**row, **new}))
        row |= new
        row |= self._derived(kind, row) | {"updated_at": at or self.now()}
        self._keep_one_primary(kind, row)
        self._child_moved(kind, row, "update", at)

    def delete_child(self, kind: Kind, row: Row) -> None:
        self.table(kind.table).remove(row["id"])
        self._child_moved(kind, row, "destroy", None)

    def child(self, kind: Kind, owner: Owner, id: int) -> Row:
        """Raises a 404 for one that isn't there, or hangs on another."""
        self.owner(*owner)
        for row in self.table(kind.table).of(owner):
            if row["id"] == id:
                return row
        raise not_found()

    def _new_child(self, kind: Kind, owner: Owner, fields: Mapping[str, Any], detail: str) -> Row:
        row = {**kind.defaults, **kinds.given(kind, fields)}
        if kind is kinds.POSITION:
            row |= {"person_id" if owner[0] == "Person" else "company_id": owner[1]}
            if row["company_id"] is None and fields.get("company_name"):
                row["company_id"] = self.company_named(str(fields["company_name"]))["id"]
            return row
        attached = {"account_id": self.settings.account_id, "attachable_type": owner[0], "attachable_id": owner[1]}
        if kind is kinds.CUSTOM:
            definition = self.table("custom_fields_types").rows.get(row["custom_fields_type_id"])
            attached |= {"_ftype": definition["ftype"] if definition else None}
        return {**({"type": detail} if kind is kinds.DETAIL else {}), **attached, **row}

    def _child_problems(self, kind: Kind, row: Row) -> Problems:
        found = kind.problems(row)
        if kind is kinds.CUSTOM and row["custom_fields_type_id"] not in self.table("custom_fields_types").rows:
            found.setdefault("custom_fields_type", ["must exist"])
        if kind is kinds.POSITION:
            pairs = (("person_id", "people"), ("company_id", "companies"))
            found |= {name.removesuffix("_id"): ["must exist"] for name, table in pairs if row[name] not in self.table(table).rows}
        if kind is kinds.TAG and not self.settings.repeated_tags and "id" not in row:
            taken = {one["name"] for one in self.table("tags").of((row["attachable_type"], row["attachable_id"]))}
            found |= {"name": ["has already been taken"]} if row["name"] in taken else {}
        return found

    def _derived(self, kind: Kind, row: Row) -> Row:
        if kind is kinds.POSITION:
            return {"company_name": self.table("companies").rows[row["company_id"]]["name"]}
        return kind.derive(row, self.settings.country)

    def _keep_one_primary(self, kind: Kind, row: Row) -> None:
        name = "primary_function" if kind is kinds.POSITION else "primary"
        if row.get(name):
            for other in self.table(kind.table).of(_owner_of(kind, row)):
                if other is not row and other.get("type") == row.get("type") and other[name]:
                    other[name] = False

    def _child_moved(self, kind: Kind, row: Row, verb: str, at: datetime | None) -> None:
        type, id = _owner_of(kind, row)
        self.touch(type, id, updated=True, at=at)
        self.log(type, id, "update", {kind.word: {"id": row["id"], "verb": verb}}, at=at)
        if self.settings.children_fire_hooks and (type, id) not in self._under_change:
            self.tell(type, id, "update")

    def company_named(self, name: str) -> Row:
        """The company of that name, made when there is none."""
        for row in self.table("companies").all():
            if row["name"].casefold() == name.strip().casefold():
                return row
        return self.add_owner("Company", {"name": name.strip()})

    # Nested rows

    def _write_nested(self, type: str, id: int, fields: Mapping[str, Any], at: datetime) -> None:
        for member, (kind, detail) in NESTED.items():
            for row in fields.get(member) or []:
                if "id" in row:
                    self.edit_child(kind, self.child(kind, (type, id), int(row["id"])), row, at)
                else:
                    self.add_child(kind, (type, id), row, detail=detail, at=at)

    def _nested_problems(self, type: str, fields: Mapping[str, Any]) -> Problems:
        found: Problems = {}
        for member, (kind, detail) in NESTED.items():
            for row in fields.get(member) or []:
                if "id" not in row and kind is not kinds.POSITION:
                    problems = self._child_problems(kind, self._new_child(kind, (type, 0), row, detail))
                    found |= {f"{member.removesuffix('_attributes')}.{name}": texts for name, texts in problems.items()}
        return found

    def refuse(self, problems: Problems) -> None:
        if problems:
            raise Refusal(422, problems)

    # Around

    def add_user(self, id: int, *, first: str, name: str, login: str) -> int:
        self.users[id] = {"id": id, "first": first, "name": name, "login": login}
        return id

    def add_custom_field_type(self, name: str, ftype: str = "string", options: list[str] | None = None, category: str = "Person") -> int:
        at = self.now()
        row: Row = {"account_id": self.settings.account_id, "name": name, "category": category, "ftype": ftype, "options": options}
        row |= {"position": 1, "api_only": False, "visible_for_all_groups": True, "created_at": at, "updated_at": at}
        return int(self.table("custom_fields_types").add(row)["id"])


def _owner_of(kind: Kind, row: Row) -> Owner:
    return ("Person", row["person_id"]) if kind is kinds.POSITION else (row["attachable_type"], row["attachable_id"])


def _owner_problems(type: str, row: Row) -> Problems:
    limits = kinds.PERSON_LIMITS if type == "Person" else kinds.COMPANY_LIMITS
    found: Problems = {} if str(row.get("name") or "").strip() else {"name": ["can't be blank"]}
    for name, limit in limits.items():
        if len(str(row.get(name) or "")) > limit:
            found[name] = [f"is too long (maximum is {limit} characters)"]
    return found
