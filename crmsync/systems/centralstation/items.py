"""Notes and tasks of people: protocols and tasks in CentralStation's words (centralstationcrm.md, sections 6 and 8).

A protocol may belong to several people; only what a person may see and typed as a note counts as one (`records.is_note`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import JsonValue

from crmsync.engine.records import Item, ItemKind
from crmsync.systems.base import ItemPage
from crmsync.systems.centralstation import operations as op
from crmsync.systems.centralstation.answers import not_found
from crmsync.systems.centralstation.api import Api
from crmsync.systems.centralstation.records import is_note, note_fields, note_item, task_fields, task_item, tasks_of
from crmsync.systems.centralstation.rows import Protocol, Task
from crmsync.systems.centralstation.writing import json_id
from crmsync.systems.errors import NotFound

Json = dict[str, JsonValue]
NEWEST_FIRST = {"order": "id-desc"}


class Items:
    """The notes and tasks of one account. `user_id` is asked whom a new task is for: CentralStation requires somebody."""

    def __init__(self, api: Api, user_id: Callable[[], str]) -> None:
        self._api = api
        self._user_id = user_id

    def notes(self, person_id: str) -> tuple[Item, ...]:
        """All notes of a person, over all pages. Looked at again here, should the filter not be understood."""
        rows = self._api.every(Protocol, op.LIST_PROTOCOLS, params={**NEWEST_FIRST, "person_id": person_id})
        return tuple(note_item(row) for row in sorted(rows, key=lambda row: row.age) if is_note(row) and person_id in row.people)

    def tasks(self, person_id: str) -> tuple[Item, ...]:
        rows = self._api.every(Task, op.LIST_PERSON_TASKS, params=NEWEST_FIRST, person_id=person_id)
        return tasks_of([row for row in rows if row.attachable_id in (None, person_id)])

    def note_page(self, number: int) -> ItemPage:
        """Notes of all people, newest first."""
        rows, more = self._api.page(Protocol, op.LIST_PROTOCOLS, number, params=NEWEST_FIRST)
        newest_first = sorted(rows, key=lambda row: row.age, reverse=True)
        items = tuple((note_item(row), row.people) for row in newest_first if is_note(row) and row.people)
        return ItemPage(items=items, next=str(number + 1) if more else None)

    def task_page(self, number: int, *, open_only: bool) -> ItemPage:
        """Tasks of all people, newest first: includes may leave out finished ones (section 2)."""
        params = {**NEWEST_FIRST, "state": "open"} if open_only else NEWEST_FIRST
        rows, more = self._api.page(Task, op.LIST_TASKS, number, params=params)
        owned = [row for row in rows if row.attachable_id and row.attachable_type in (None, "Person")]
        items = tuple((task_item(row), (str(row.attachable_id),)) for row in owned if not (open_only and row.finished))
        return ItemPage(items=items, next=str(number + 1) if more else None)

    def read(self, kind: ItemKind, person_id: str, id: str) -> Item:
        """Raises `NotFound` also for what is no longer this person's. A note made confidential is there still: it isn't to be deleted."""
        if kind is ItemKind.TASK:
            task = self._api.one(Task, op.GET_TASK, id=id)
            if task.attachable_id not in (None, person_id):
                raise not_found(op.GET_TASK)
            return task_item(task)
        note = self._api.one(Protocol, op.GET_PROTOCOL, id=id)
        if person_id not in note.people:
            raise not_found(op.GET_PROTOCOL)
        return note_item(note)

    def create(self, person_id: str, item: Item) -> Item:
        return self._create_task(person_id, item) if item.kind is ItemKind.TASK else self._create_note(person_id, item)

    def _create_task(self, person_id: str, item: Item) -> Item:
        owner: Json = {"user_id": json_id(self._user_id()), "attachable_type": "Person", "attachable_id": json_id(person_id)}
        due = {"due": item.due} if item.due else {}
        body: JsonValue = {"task": {**owner, "badge": "task", **task_fields({"title": item.title, "done": item.done, **due})}}
        return task_item(self._api.one(Task, op.CREATE_TASK, json=body))

    def _create_note(self, person_id: str, item: Item) -> Item:
        """Sent without a headline where the note has none: then CentralStation makes one, which isn't read as a title."""
        fields = note_fields(item, {"text": item.text})
        if not item.title:
            del fields["name"]
        fixed: Json = {"type": "ProtocolObjectNote", "badge": "note", "confidential": False, "person_ids": [json_id(person_id)]}
        title: Json = {"name": item.title} if item.title else {}
        body: JsonValue = {"protocol": {**fixed, **fields, **title}}
        return note_item(self._api.one(Protocol, op.CREATE_PROTOCOL, params={"only_object_logging": True}, json=body))

    def update(self, item: Item, changes: Mapping[str, object]) -> Item | None:
        if item.kind is ItemKind.TASK:
            task = self._api.written(Task, op.UPDATE_TASK, json={"task": task_fields(changes)}, id=item.id)
            return task_item(task) if task else None
        note = self._api.written(Protocol, op.UPDATE_PROTOCOL, json={"protocol": note_fields(item, changes)}, id=item.id)
        return note_item(note) if note else None

    def delete(self, person_id: str, item: Item) -> None:
        """A note is read first: one that has come to belong to others, too, only loses this person."""
        try:
            if item.kind is ItemKind.TASK:
                self._api.send(op.DELETE_TASK, id=item.id)
                return
            people = self._api.one(Protocol, op.GET_PROTOCOL, id=item.id).people
            others: list[JsonValue] = [json_id(other) for other in people if other != person_id]
            if not others:
                self._api.send(op.DELETE_PROTOCOL, id=item.id)
            elif person_id in people:
                self._api.send(op.UPDATE_PROTOCOL, json={"protocol": {"person_ids": others}}, id=item.id)
        except NotFound:
            pass
