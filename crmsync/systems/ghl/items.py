"""Notes and tasks of GoHighLevel contacts (ghl.md, section 3, Notes and Tasks)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue

from crmsync.engine.records import Item, ItemKind
from crmsync.systems.base import ItemPage
from crmsync.systems.errors import NotFound
from crmsync.systems.ghl import operations as op
from crmsync.systems.ghl.answers import Note, Notes, OneNote, OneTask, Task, Tasks
from crmsync.systems.ghl.api import Api

PAGE_LIMIT = 100
FAR_DUE = "2099-12-31T12:00:00+00:00"
"""The stand-in for a task's due time when not even the day it was made is known: it never comes up as overdue."""
NO_TEXT = "–"
NO_TITLE = "Task"
NOON = "T12:00:00+00:00"
"""A date without a time is sent as noon, UTC, which is the same day from America to Asia."""


class Items:
    """Notes and tasks, read and written."""

    def __init__(self, api: Api, assignee_id: str | None = None) -> None:
        self._api = api
        self._assignee_id = assignee_id

    def notes(self, contact_id: str) -> tuple[Item, ...]:
        return tuple(_note(one) for one in self._api.ask(Notes, op.LIST_NOTES, contact_id=contact_id).notes)

    def tasks(self, contact_id: str) -> tuple[Item, ...]:
        return tuple(_task(one) for one in self._api.ask(Tasks, op.LIST_TASKS, contact_id=contact_id).tasks)

    def task_page(self, after: str | None, *, open_only: bool) -> ItemPage:
        """Tasks of all contacts by the location's task search; `after` is how many to skip."""
        skip = int(after or 0)
        body: dict[str, JsonValue] = {"limit": PAGE_LIMIT, "skip": skip, **({"completed": False} if open_only else {})}
        tasks = self._api.ask(Tasks, op.SEARCH_TASKS, json=body).tasks
        items = tuple((_task(one), (one.contactId,) if one.contactId else ()) for one in tasks)
        return ItemPage(items=items, next=str(skip + len(tasks)) if len(tasks) >= PAGE_LIMIT else None)

    def read(self, kind: ItemKind, contact_id: str, item_id: str) -> Item:
        if kind is ItemKind.NOTE:
            return _note(self._api.ask(OneNote, op.GET_NOTE, contact_id=contact_id, note_id=item_id).note)
        return _task(self._api.ask(OneTask, op.GET_TASK, contact_id=contact_id, task_id=item_id).task)

    def create(self, contact_id: str, item: Item) -> Item:
        body = written(stand_ins(item), _fields(item))
        if item.kind is ItemKind.NOTE:
            return _note(self._api.ask(OneNote, op.CREATE_NOTE, contact_id=contact_id, json=body).note)
        assigned: dict[str, JsonValue] = {"assignedTo": self._assignee_id} if self._assignee_id else {}
        return _task(self._api.ask(OneTask, op.CREATE_TASK, contact_id=contact_id, json={**body, **assigned}).task)

    def update(self, contact_id: str, item: Item, changes: Mapping[str, object]) -> Item:
        """Only what changes is sent; what a task or note must have gets its stand-in where `changes` clears it."""
        values: dict[str, Any] = dict(changes)
        body = written(stand_ins(replace(item, **values)), set(changes))
        if item.kind is ItemKind.NOTE:
            return _note(self._api.ask(OneNote, op.UPDATE_NOTE, contact_id=contact_id, note_id=item.id, json=body).note)
        operation = op.COMPLETE_TASK if set(body) == {"completed"} else op.UPDATE_TASK
        return _task(self._api.ask(OneTask, operation, contact_id=contact_id, task_id=item.id, json=body).task)

    def delete(self, contact_id: str, item: Item) -> None:
        try:
            if item.kind is ItemKind.NOTE:
                self._api.send(op.DELETE_NOTE, contact_id=contact_id, note_id=item.id)
            else:
                self._api.send(op.DELETE_TASK, contact_id=contact_id, task_id=item.id)
        except NotFound:
            return


def stand_ins(item: Item) -> Item:
    """A note needs a text: its title stands in. A task needs a title and a due time: noon of the day it was made, else a day far off."""
    if item.kind is ItemKind.NOTE:
        return item if item.text else replace(item, text=item.title or NO_TEXT)
    made_on = item.created_at.astimezone(UTC).date().isoformat() + NOON if item.created_at else FAR_DUE
    return replace(item, title=item.title or NO_TITLE, due=item.due or made_on)


def written(item: Item, fields: set[str]) -> dict[str, JsonValue]:
    """The body that sets `fields` of `item`. A task's own text has no field of ours: it is left as it is."""
    if item.kind is ItemKind.NOTE:
        all_: dict[str, JsonValue] = {"title": item.title or "", "body": item.text}
        names = {"title": "title", "text": "body"}
    else:
        all_ = {"title": item.title, "dueDate": _written_due(item.due or FAR_DUE), "completed": item.done}
        names = {"title": "title", "due": "dueDate", "done": "completed"}
    return {name: all_[name] for field, name in names.items() if field in fields}


def _fields(item: Item) -> set[str]:
    """What a create sends: all, but for a note's title that it hasn't."""
    return {"title", "text", "due", "done"} - ({"title"} if item.kind is ItemKind.NOTE and not item.title else set())


def _written_due(due: str) -> str:
    moment = datetime.fromisoformat(due if "T" in due else due + NOON)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _note(note: Note) -> Item:
    return Item(kind=ItemKind.NOTE, id=note.id, title=note.title, text=note.body, created_at=note.dateAdded)


def _task(task: Task) -> Item:
    return Item(kind=ItemKind.TASK, id=task.id, title=task.title, due=task.dueDate, done=task.completed, created_at=task.dateAdded)
