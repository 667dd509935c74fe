"""What the pages need of a CRM: its contacts as form fields, tags, notes and tasks, and the changes a person makes by hand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class FormField:
    """One input of a contact's form. `kind` is an HTML input type, or `area`."""

    key: str
    label: str
    value: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Glance:
    """A contact as one line of the list."""

    id: str
    name: str
    email: str
    phone: str
    company: str
    tags: tuple[str, ...]
    updated: datetime


@dataclass(frozen=True, slots=True)
class NoteView:
    id: str
    title: str
    text: str
    when: datetime


@dataclass(frozen=True, slots=True)
class TaskView:
    id: str
    title: str
    due: datetime | None
    done: bool

    @property
    def overdue(self) -> bool:
        return not self.done and self.due is not None and self.due < datetime.now(UTC)


class Desk(ABC):
    """A person's hands on one CRM. Ids are text; a `Refusal` says what the CRM won't take."""

    title: str
    slug: str

    @abstractmethod
    def glances(self) -> Iterable[Glance]: ...

    @abstractmethod
    def glance(self, id: str) -> Glance | None: ...

    @abstractmethod
    def fields(self, id: str) -> list[FormField]: ...

    @abstractmethod
    def save(self, id: str, form: Mapping[str, str]) -> None:
        """`form` by the keys of `fields()`; an empty one clears."""

    @abstractmethod
    def create(self, first: str, last: str, email: str) -> str: ...

    @abstractmethod
    def delete(self, id: str) -> None: ...

    @abstractmethod
    def add_tag(self, id: str, name: str) -> None: ...

    @abstractmethod
    def remove_tag(self, id: str, name: str) -> None: ...

    @abstractmethod
    def notes(self, id: str) -> list[NoteView]: ...

    @abstractmethod
    def save_note(self, id: str, note_id: str, title: str, text: str) -> None:
        """An empty `note_id` makes a new one."""

    @abstractmethod
    def delete_note(self, id: str, note_id: str) -> None: ...

    @abstractmethod
    def tasks(self, id: str) -> list[TaskView]: ...

    @abstractmethod
    def save_task(self, id: str, task_id: str, title: str, due: str, done: bool) -> None:
        """`due` is a day, `YYYY-MM-DD`. An empty `task_id` makes a new one."""

    @abstractmethod
    def delete_task(self, id: str, task_id: str) -> None: ...

    # How others are connected

    @abstractmethod
    def connection(self) -> Mapping[str, str]:
        """What somebody needs who connects to this CRM, by its label."""

    actions: Mapping[str, str] = {}
    """What can be done to those who are connected: labels by action."""

    @property
    def webhook_url(self) -> str | None:
        """Where webhooks go, to be changed on the page; None where those who are connected say so themselves."""
        return None

    def act(self, action: str, webhook_url: str) -> None:
        """One of `actions`, or `webhook_url`. Raises ValueError for another."""
        raise ValueError(f"There is no action {action}.")
