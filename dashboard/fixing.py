"""A refused value as the pages show it: what is offered in its place, where it would be written, and how many look the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync.engine.corrections import Correction
from crmsync.engine.mends import Way
from crmsync.models import Contact, Issue
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import fixing, reports
from crmsync.sync.correcting import Subject, subject_of
from crmsync.sync.prices import MANY
from crmsync.systems.errors import NAMES
from dashboard.costs import of_retry


@dataclass(frozen=True, slots=True)
class Offered:
    """One value to press for: "" empties the field. `what` says what was changed."""

    correction: Correction

    @property
    def value(self) -> str:
        return fixing.shown(self.correction.value)

    @property
    def label(self) -> str:
        return _("Write “%s”") % self.value if self.value else _("Empty the field")

    @property
    def what(self) -> str:
        return fixing.what_was_changed(self.correction)


@dataclass(frozen=True)
class FixBox:
    """What can be done about the refused value of one contact."""

    contact: Contact
    offer: fixing.Offer

    @property
    def name(self) -> str:
        return self.offer.name

    @property
    def value(self) -> str:
        return fixing.shown(self.offer.value)

    @property
    def crm(self) -> str:
        return NAMES[self.offer.owner]

    @property
    def url(self) -> str | None:
        """Where a person opens the record that the value is in."""
        return reports.open_url(self.contact, self.offer.owner)

    @property
    def offered(self) -> list[Offered]:
        return [Offered(one) for one in self.offer.corrections]

    @property
    def first(self) -> Offered | None:
        return next(iter(self.offered), None)

    @cached_property
    def alike(self) -> Similar | None:
        """Others of its issue that are mended in the same way."""
        if self.contact.issue is None or not self.offer.corrections:
            return None
        way = self.offer.corrections[0].way
        return next((Similar(one, others=one.count - 1) for one in fixing.alike(self.contact.issue) if one.way == way), None)


@dataclass(frozen=True, slots=True)
class Similar:
    alike: fixing.Alike
    others: int

    @property
    def way(self) -> Way:
        return self.alike.way

    @property
    def text(self) -> str:
        """How many look the same besides the one at hand."""
        n = f"{self.others:,}" + ("+" if self.alike.is_more else "")
        return ngettext("%(n)s more looks the same", "%(n)s more look the same", self.others) % {"n": n}

    @property
    def label(self) -> str:
        """Of all that look the same."""
        n = f"{self.alike.count:,}" + ("+" if self.alike.is_more else "")
        return _("Correct %(n)s alike: %(how)s…") % {"n": n, "how": fixing.way_in_words(self.way)}


def fix_box(contact: Contact, subject: Subject | None = None) -> FixBox | None:
    """None where another value wouldn't help."""
    offer = fixing.offer(contact, subject)
    return FixBox(contact, offer) if offer else None


def similar(issue: Issue) -> list[Similar]:
    return [Similar(one, others=one.count - 1) for one in fixing.alike(issue)]


@dataclass(frozen=True)
class Prospect:
    """What correcting all alike would do, told before it does."""

    issue: Issue
    way: Way

    @cached_property
    def subject(self) -> Subject | None:
        return subject_of(self.issue)

    @cached_property
    def _ids(self) -> list[int]:
        return [pk for pk, _value, _one in islice(fixing.mended(self.issue, self.way), fixing.LOOKED_AT + 1)]

    @property
    def count(self) -> int:
        return min(len(self._ids), fixing.LOOKED_AT)

    @property
    def shown_count(self) -> str:
        return f"{self.count:,}" + ("+" if len(self._ids) > fixing.LOOKED_AT else "")

    @property
    def contacts(self) -> ContactQuerySet:
        return Contact.objects.filter(pk__in=self._ids).select_related("sync", "issue")

    @property
    def crm(self) -> str:
        return NAMES[self.subject.owner] if self.subject else ""

    @property
    def how(self) -> str:
        return fixing.way_in_words(self.way)

    @property
    def price(self) -> list[str]:
        return of_retry(self.issue.sync, self.count) if self.count >= MANY else []

    def boxes(self, rows: Sequence[Contact]) -> list[FixBox]:
        return [box for row in rows if (box := fix_box(row, self.subject)) is not None]
