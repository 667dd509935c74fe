"""What waits for a person's decision, one contact at a time, with both records side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crmsync.engine.records import SIDES, ItemKind, Side
from crmsync.models import Contact, Status
from crmsync.sync import actions, reports
from crmsync.sync.deciding import AT_ONCE, alike
from crmsync.systems.errors import NAMES
from dashboard.verbs import VERB_BY_NAME, Text

KINDS: dict[Status, Text] = {Status.CONFLICT: _("Conflicts"), Status.REVIEW: _("Reviews"), Status.QUARANTINED: _("Deleted on one side")}


def lengths() -> list[tuple[Status, Text, int]]:
    """Each queue with how many wait in it. One query."""
    counts = dict(Contact.objects.filter(status__in=KINDS).order_by().values_list("status").annotate(Count("pk")))
    return [(status, label, counts.get(status, 0)) for status, label in KINDS.items()]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to look at: its value on either side. `decision` names the choice, "" where there is none to make."""

    label: str
    ghl: str
    centralstation: str
    decision: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    contact: Contact
    values: dict[str, str]
    key: str
    why_not: str

    @property
    def where(self) -> str:
        """The CRMs that it is in."""
        return ", ".join(NAMES[side] for side in SIDES if self.contact.remote_id(side))


@dataclass(frozen=True)
class Turn:
    """The contact whose turn it is."""

    contact: Contact

    @cached_property
    def rows(self) -> list[Row]:
        """The choices first, then what else is filled in."""
        fields = reports.sides(self.contact)
        rows = [Row(one.label, one.ghl, one.centralstation, one.name if one.is_open else "", one.differs) for one in fields]
        for kind in ItemKind:
            for item in reports.items_of(self.contact, kind):
                rows += [Row(f"{item.title}: {one.name}", one.ghl, one.centralstation, one.decision, True) for one in item.contested]
        filled = [row for row in rows if row.decision or row.ghl or row.centralstation]
        return sorted(filled, key=lambda row: not row.decision)

    @cached_property
    def candidates(self) -> list[Candidate]:
        """Who may be the same person, those that can be linked first."""
        others = actions.candidates_of(self.contact).exclude(pk=self.contact.pk).select_related("sync__ghl")
        found = sorted(((bool(why := why_not(self.contact, other)), other.pk, other, why) for other in others), key=lambda one: one[:2])[:9]
        return [Candidate(other, _values(other), str(n), why) for n, (_is_out, _pk, other, why) in enumerate(found, 1)]

    @property
    def compared(self) -> list[tuple[str, str, list[str]]]:
        """(field, here, at each candidate) of what is filled in anywhere."""
        here = _values(self.contact)
        names = dict.fromkeys([*here, *(name for candidate in self.candidates for name in candidate.values)])
        return [(name, here.get(name, ""), [candidate.values.get(name, "") for candidate in self.candidates]) for name in names]

    @property
    def gone(self) -> str:
        """The CRM where it isn't."""
        missing = self.contact.missing_on or (Side.GHL if self.contact.ghl_id is None else Side.CENTRALSTATION)
        return NAMES[Side(missing)]

    @property
    def here(self) -> str:
        missing = self.contact.missing_on or (Side.GHL if self.contact.ghl_id is None else Side.CENTRALSTATION)
        return NAMES[Side(missing).other]

    @cached_property
    def alike(self) -> int:
        """With how many others one press decides."""
        return min(alike(self.contact).count(), AT_ONCE - 1)


def why_not(found: Contact, other: Contact) -> str:
    """What to do where the two can't be linked, "" where they can: each in one CRM, and not in the same."""
    shared = next((side for side in SIDES if found.remote_id(side) and other.remote_id(side)), None)
    if shared is None:
        return ""
    if found.is_linked or other.is_linked:
        text = gettext("Linked with another contact already: merge the two in %(crm)s, or exclude this one.")
        return text % {"crm": NAMES[shared]}
    create = VERB_BY_NAME["keep-apart"].spoken_of(found).label
    return gettext("In the same CRM: merge the two there, or press “%(create)s”.") % {"create": create}


def _values(contact: Contact) -> dict[str, str]:
    return {row.label: row.ghl or row.centralstation for row in reports.sides(contact) if row.ghl or row.centralstation}


def turn_of(status: Status, after: int) -> Turn | None:
    """Whose turn it is: the first that was not skipped."""
    waiting = Contact.objects.filter(status=status, pk__gt=after).select_related("sync__ghl", "sync__centralstation").order_by("pk")
    first = waiting.first()
    return Turn(first) if first else None
