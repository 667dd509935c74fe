"""What an undo comes to, as the page before it and the page of it say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, QuerySet, prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync.engine.records import SIDES, Side
from crmsync.engine.write import WriteKind
from crmsync.models import Change, Contact, Run, RunStatus
from crmsync.sync.undo import Undo, expected
from crmsync.systems.errors import NAMES


def in_numbers(changes: QuerySet[Change]) -> list[str]:
    """One sentence for each kind of write to each CRM, what is deleted first; one query."""
    found = {(kind, side): n for kind, side, n in changes.order_by().values_list("kind", "side").annotate(n=Count("pk"))}
    return [_sentence(kind, n, NAMES[side]) for kind in ORDER for side in SIDES if (n := found.get((kind, side)))]


ORDER = (
    WriteKind.CREATE,
    WriteKind.CREATE_ITEM,
    WriteKind.UPDATE,
    WriteKind.UPDATE_ITEM,
    WriteKind.ADD_TAGS,
    WriteKind.REMOVE_TAGS,
    WriteKind.DELETE_ITEM,
)


def _sentence(kind: WriteKind, n: int, crm: str) -> str:
    match kind:
        case WriteKind.CREATE:
            text = ngettext(
                "%(n)d contact that was created in %(crm)s is deleted there.",
                "%(n)d contacts that were created in %(crm)s are deleted there.",
                n,
            )
        case WriteKind.CREATE_ITEM:
            text = ngettext(
                "%(n)d note or task that was created in %(crm)s is deleted there.",
                "%(n)d notes and tasks that were created in %(crm)s are deleted there.",
                n,
            )
        case WriteKind.UPDATE:
            text = ngettext(
                "%(n)d update of a contact in %(crm)s is taken back.", "%(n)d updates of contacts in %(crm)s are taken back.", n
            )
        case WriteKind.UPDATE_ITEM:
            text = ngettext(
                "%(n)d update of a note or task in %(crm)s is taken back.", "%(n)d updates of notes and tasks in %(crm)s are taken back.", n
            )
        case WriteKind.ADD_TAGS:
            text = ngettext("Tags are removed in %(crm)s, %(n)d time.", "Tags are removed in %(crm)s, %(n)d times.", n)
        case WriteKind.REMOVE_TAGS:
            text = ngettext("Tags are added in %(crm)s again, %(n)d time.", "Tags are added in %(crm)s again, %(n)d times.", n)
        case WriteKind.DELETE_ITEM:
            text = ngettext(
                "%(n)d note or task that was deleted in %(crm)s is created again.",
                "%(n)d notes and tasks that were deleted in %(crm)s are created again.",
                n,
            )
    return text % {"n": n, "crm": crm}


def deletions(changes: QuerySet[Change]) -> int:
    """How many contacts, notes and tasks would be deleted."""
    return changes.filter(kind__in=[WriteKind.CREATE, WriteKind.CREATE_ITEM]).count()


@dataclass(frozen=True, slots=True)
class Preview:
    """One contact and what its undo is expected to come to; None where nothing is written to it."""

    contact: Contact
    planned: Undo | None

    @property
    def deletions(self) -> list[str]:
        return contact_deletions(self.planned.deletes) if self.planned else []


def contacts_of(changes: QuerySet[Change]) -> QuerySet[Contact]:
    """The contacts that these changes are about."""
    return Contact.objects.filter(Exists(changes.filter(contact=OuterRef("pk"))))


def previews(contacts: Sequence[Contact], changes: QuerySet[Change]) -> list[Preview]:
    """What undoing these changes is expected to come to, contact by contact; a constant number of queries."""
    prefetch_related_objects(contacts, "items", "sync__mappings", "sync__ghl")
    by_contact: dict[int, list[Change]] = {contact.pk: [] for contact in contacts}
    for change in changes.filter(contact__in=contacts):
        by_contact[change.contact_id or 0].append(change)
    return [Preview(one, _expected(one, by_contact[one.pk])) for one in contacts]


def _expected(contact: Contact, changes: Sequence[Change]) -> Undo | None:
    return None if contact.exclusion or not contact.is_linked else expected(contact, changes)


def contact_deletions(sides: Sequence[Side]) -> list[str]:
    text = _("The contact is deleted in %(crm)s, where crmsync created it. It is excluded then, so that it isn't created again.")
    return [text % {"crm": NAMES[side]} for side in sides]


@dataclass(frozen=True)
class UndoProgress:
    """How far an undo is, read from its run's row."""

    run: Run

    @property
    def is_running(self) -> bool:
        return self.run.status == RunStatus.RUNNING

    @property
    def total(self) -> int:
        return int(self.run.progress.get("total", 0))

    @property
    def done(self) -> int:
        return int(self.run.progress.get("done", 0))

    @property
    def ends_at(self) -> datetime | None:
        """When it will be through, at the pace that it has kept up so far; None while that can't be told."""
        if not (self.is_running and self.done and self.total > self.done):
            return None
        now = timezone.now()
        return now + (now - self.run.started_at) / self.done * (self.total - self.done)

    @property
    def of(self) -> str:
        """What is undone, in words."""
        names = {"change": _("One change"), "contact": _("All changes of one contact"), "run": _("Run %(number)d")}
        return names[self.run.progress["undo"]] % {"number": self.run.progress["pk"]}
