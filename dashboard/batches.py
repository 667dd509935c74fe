"""What the brake holds, as staff see it: a title in numbers, each contact with what waits for it, and what a yes or a no will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count, Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from crmsync.engine.records import SIDES, Side
from crmsync.engine.write import WriteKind
from crmsync.models import Contact, HeldBatch, HeldWrite, RunKind, Sync
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import prices
from crmsync.systems.errors import NAMES
from dashboard.verbs import Text

Kind, State = HeldBatch.Kind, HeldBatch.State


FEW = 3
WRITTEN: dict[WriteKind, Text] = {
    WriteKind.DELETE_ITEM: ngettext_lazy(
        "%(shown)s note or task is deleted in %(crm)s.", "%(shown)s notes and tasks are deleted in %(crm)s.", "n"
    ),
    WriteKind.REMOVE_TAGS: ngettext_lazy(
        "Tags are removed from %(shown)s contact in %(crm)s.", "Tags are removed from %(shown)s contacts in %(crm)s.", "n"
    ),
    WriteKind.CREATE: ngettext_lazy("%(shown)s contact is created in %(crm)s.", "%(shown)s contacts are created in %(crm)s.", "n"),
    WriteKind.UPDATE: ngettext_lazy("%(shown)s contact is changed in %(crm)s.", "%(shown)s contacts are changed in %(crm)s.", "n"),
    WriteKind.ADD_TAGS: ngettext_lazy(
        "Tags are added to %(shown)s contact in %(crm)s.", "Tags are added to %(shown)s contacts in %(crm)s.", "n"
    ),
    WriteKind.UPDATE_ITEM: ngettext_lazy(
        "%(shown)s note or task is changed in %(crm)s.", "%(shown)s notes and tasks are changed in %(crm)s.", "n"
    ),
    WriteKind.CREATE_ITEM: ngettext_lazy(
        "%(shown)s note or task is created in %(crm)s.", "%(shown)s notes and tasks are created in %(crm)s.", "n"
    ),
}


@dataclass(frozen=True, slots=True)
class HeldContact:
    """A contact and what waits for a yes with it. `writes` is empty where it joined before that was kept."""

    contact: Contact
    writes: list[HeldWrite]


@dataclass(frozen=True)
class BatchCard:
    """A batch and the number of contacts that wait with it."""

    held: HeldBatch
    count: int

    @property
    def pk(self) -> int:
        return self.held.pk

    @property
    def crm(self) -> str:
        return NAMES[Side(self.held.side)]

    @property
    def size(self) -> int:
        """How many contacts it is about: those that wait, or of a decided one those that it was decided for."""
        return self.held.size if self.held.decided_at else self.count

    @property
    def title(self) -> str:
        values = {"n": self.size, "crm": self.crm}
        match self.held.kind:
            case Kind.DELETIONS:
                text = ngettext("Deletions in %(crm)s: %(n)d contact", "Deletions in %(crm)s: %(n)d contacts", self.size)
            case Kind.CREATES:
                text = ngettext("%(n)d new contact in %(crm)s", "%(n)d new contacts in %(crm)s", self.size)
            case Kind.CHANGES:
                text = ngettext("Changes in %(crm)s: %(n)d contact", "Changes in %(crm)s: %(n)d contacts", self.size)
            case _:
                text = _("Contacts gone missing in %(crm)s")
        return text % values

    @cached_property
    def contacts(self) -> ContactQuerySet:
        """Those that wait; of a decided one those that it was decided for."""
        if self.held.state in (State.APPROVED, State.OVER):
            return Contact.objects.filter(Exists(self.held.writes.filter(contact=OuterRef("pk"))))
        return Contact.objects.filter(held_by=self.held)

    @cached_property
    def few(self) -> list[HeldContact]:
        """Some of them, as samples."""
        return self.held_contacts(list(self.contacts.order_by("pk")[:FEW]))

    def held_contacts(self, contacts: Sequence[Contact]) -> list[HeldContact]:
        """These contacts, each with what it waits with: one query."""
        found = self.held.writes.filter(contact__in=contacts)
        by_contact: dict[int, list[HeldWrite]] = {contact.pk: [] for contact in contacts}
        for write in found:
            by_contact[write.contact_id].append(write)
        return [HeldContact(contact, by_contact[contact.pk]) for contact in contacts]

    @cached_property
    def numbers(self) -> dict[tuple[WriteKind, Side], int]:
        """How many writes of each kind to each side it holds; one query."""
        writes = self.held.writes.filter(contact__in=self.contacts).order_by()
        rows = writes.values_list("kind", "side").annotate(n=Count("pk"))
        return {(WriteKind(kind), Side(side)): n for kind, side, n in rows}

    @property
    def sentences(self) -> list[str]:
        """What a yes writes, in numbers; what is deleted first."""
        return [
            str(WRITTEN[kind] % {"n": n, "shown": f"{n:,}", "crm": NAMES[side]})
            for kind in WRITTEN
            for side in SIDES
            if (n := self.numbers.get((kind, side)))
        ]

    @property
    def deletes(self) -> bool:
        return any(kind is WriteKind.DELETE_ITEM for kind, _side in self.numbers)

    def will(self, word: str) -> str:
        """What approving or rejecting will do, in numbers."""
        values = {"n": self.count, "crm": self.crm}
        if self.held.kind == Kind.MISSING:
            if word == "approve":
                text = _(
                    "The next run believes that these contacts are gone in %(crm)s: each is quarantined and waits for a decision of its "
                    "own. Nothing is deleted anywhere by itself."
                )
            else:
                text = _("Nothing is done. The next run looks again, and holds again if the contacts are still missing in %(crm)s.")
            return text % values
        if word == "approve":
            text = ngettext(
                "%(n)d contact is brought over at once. Both CRMs are read again first, and what differs by then is written.",
                "%(n)d contacts are brought over at once. Both CRMs are read again first, and what differs by then is written.",
                self.count,
            )
        else:
            text = ngettext(
                "Nothing is written. %(n)d contact stays as it is on both sides and waits, until somebody presses Retry on it or both "
                "sides are equal again.",
                "Nothing is written. %(n)d contacts stay as they are on both sides and wait, until somebody presses Retry on one or both "
                "sides are equal again.",
                self.count,
            )
        return text % values

    def price(self) -> prices.Price:
        return prices.price(self.held.sync, RunKind.RETRY, contacts=self.count)


def held_batches(sync: Sync) -> list[BatchCard]:
    """What waits for a decision, oldest first."""
    batches = sync.held_batches.filter(state=State.HELD).annotate(n=Count("contacts")).order_by("pk")
    return [BatchCard(batch, batch.n) for batch in batches]


def decided_batches(sync: Sync) -> list[BatchCard]:
    """The last ones that were decided, newest first."""
    batches = sync.held_batches.filter(decided_at__isnull=False).select_related("by").annotate(n=Count("contacts")).order_by("-pk")[:10]
    return [BatchCard(batch, batch.n) for batch in batches]
