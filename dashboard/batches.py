"""What the brake holds, as staff see it: a title in numbers, samples, and what a yes or a no will do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync.engine.records import Side
from crmsync.models import Change, HeldBatch, RunKind, Sync
from crmsync.sync import prices
from crmsync.systems.errors import NAMES

Kind, State = HeldBatch.Kind, HeldBatch.State


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
    def samples(self) -> list[Change]:
        """The samples as the changes that they would be; none is stored."""
        return [Change(contact_id=sample.pop("contact"), **sample) for sample in map(dict, self.held.samples)]

    @property
    def few(self) -> list[Change]:
        return self.samples[:3]

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
                "%(n)d contact is brought over at once: what is held is written, in %(crm)s and where else it differs.",
                "%(n)d contacts are brought over at once: what is held is written, in %(crm)s and where else they differ.",
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
