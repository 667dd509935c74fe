"""Fix it here: the corrected value offered in place of one that a CRM refused, and what a person may do with it.

A correction goes to the side that owns the value, never to the one that refused it; the reconcile that follows carries it over. Of many
that look the same, one goes first (`crmsync.sync.canary`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync.engine.corrections import Correction, Fault, Takes, fault
from crmsync.engine.mends import Mend, Way
from crmsync.engine.records import Side, Value
from crmsync.engine.values import FieldType
from crmsync.models import Act, Canary, Cause, Contact, Issue
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import audit, canary
from crmsync.sync.actions import ActionError, make_due, require_live
from crmsync.sync.canary import held_up
from crmsync.sync.correcting import Subject, best, keep, subject_of

LOOKED_AT, SEARCHED = 500, 5_000
"""So many contacts are looked at to tell how many look the same (past it nobody reads the last digit), and to find those that do."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be done about the refused value of one contact: `corrections` to choose from, best first; any other may be typed."""

    subject: Subject
    value: Value
    corrections: Sequence[Correction]

    @property
    def owner(self) -> Side:
        return self.subject.owner

    @property
    def name(self) -> str:
        return self.subject.row.name

    @property
    def why_not(self) -> str:
        return self.subject.why_not

    @property
    def options(self) -> tuple[str, ...]:
        return self.subject.takes.options


def offer(contact: Contact, subject: Subject | None = None) -> Offer | None:
    """None where no other value would mend what holds it up. `subject`: that of its issue, where it is known already."""
    subject = subject or (subject_of(contact.issue) if contact.issue else None)
    if subject is None or contact.status not in canary.STUCK or contact.exclusion or contact.held_by_id:
        return None
    if contact.remote_id(subject.owner) is None:
        return None
    value = subject.value(contact.seen)
    return Offer(subject, value, subject.offered(value, contact.reason))


def fix(contact: Contact, seen: str, text: str, by: AbstractBaseUser | None = None) -> None:
    """Write `text` in place of the value `seen` where it comes from, and try the contact again. A job does both.

    Raises `ActionError` where that can't be, or the value is another one by now."""
    require_live(contact.sync)
    found = offer(contact)
    if found is None:
        raise ActionError(_("%(contact)s isn't held up by a value any more.") % {"contact": contact})
    if found.why_not:
        raise ActionError(found.why_not)
    if shown(found.value) != seen:
        raise ActionError(_("The value has changed meanwhile: look at it again."))
    value = _typed(found, text)
    with transaction.atomic():
        keep(contact, found.subject, found.value, value)
        audit.record(by, Act.VALUE_CORRECTED, contact, {found.name: shown(found.value)}, {found.name: shown(value)})
    make_due(contact, Cause.FIX, by)


def _typed(found: Offer, text: str) -> Value:
    """The value that a text stands for. Raises `ActionError` with what is wrong with it; emptied is only what was offered so."""
    text = " ".join(text.split())
    if text == shown(found.value):
        raise ActionError(_("This is the value that was refused: type another one."))
    if not text and any(one.value is None for one in found.corrections):
        return None
    takes = found.subject.takes
    value: Value = tuple(filter(None, map(str.strip, text.split(",")))) if takes.type is FieldType.LIST else text
    if wrong := fault(value, takes):
        raise ActionError(wrong_with(wrong, takes))
    return value


# Those that look the same


@dataclass(frozen=True, slots=True)
class Alike:
    """Contacts of one issue whose values are mended in the same way. `is_more`: there are more than were counted."""

    way: Way
    count: int
    is_more: bool


def alike(issue: Issue) -> list[Alike]:
    """How many of those that it holds up can be corrected, by way, most first; only ways that more than one goes."""
    subject = subject_of(issue)
    if subject is None or subject.why_not:
        return []
    waiting = held_up(issue).order_by("pk")
    is_more = waiting.count() > LOOKED_AT
    counts = Counter(one.way for _pk, _value, one in best(subject, _first(waiting, LOOKED_AT)))
    return [Alike(way, n, is_more) for way, n in counts.most_common() if n > 1]


def _first(waiting: ContactQuerySet, n: int) -> ContactQuerySet:
    return waiting.filter(pk__in=list(waiting.values_list("pk", flat=True)[:n]))


def mended(issue: Issue, way: Way) -> Iterator[tuple[int, Value, Correction]]:
    """Contact, value and correction of those that it holds up and that are mended in this way, oldest first."""
    subject = subject_of(issue)
    if subject is not None and not subject.why_not:
        waiting = _first(held_up(issue).order_by("pk"), SEARCHED)
        yield from (found for found in best(subject, waiting) if found[2].way == way)


def fix_alike(issue: Issue, way: Way, by: AbstractBaseUser | None = None) -> Canary:
    """Correct all that are mended in this way: one first, the others if that went through. A job does it. Raises `ActionError`."""
    require_live(issue.sync)
    found = [pk for pk, _value, _one in islice(mended(issue, way), LOOKED_AT + 1)]
    if not found:
        raise ActionError(_("Nothing is held up by this any more."))
    others = len(found) - 1 if len(found) <= LOOKED_AT else held_up(issue).count() - 1
    with transaction.atomic():
        begun = canary.begin_corrected(issue, Contact.objects.get(pk=found[0]), others, way, by)
        if begun is None:
            raise ActionError(_("One contact of these is being tried already."))
        audit.record(by, Act.VALUE_CORRECTED, issue, after={"contacts": others + 1, "how": way_in_words(way)})
    return begun


# Words


def shown(value: Value) -> str:
    """A value as one text, as it is typed and compared."""
    return ", ".join(value) if isinstance(value, tuple) else value or ""


def what_was_changed(correction: Correction) -> str:
    """One sentence, without its full stop: what was done to the refused value."""
    text = ", ".join(filter(None, map(_changed, correction.mends)))
    return text[:1].upper() + text[1:]


def _changed(mend: Mend) -> str:
    names = {"before": mend.before, "after": mend.after}
    match mend.way:
        case Way.BLANKS:
            return _("stray blanks removed")
        case Way.SIGNS:
            return _("spaces, brackets and signs removed")
        case Way.WORDS:
            return _("“%(before)s” removed") % names
        case Way.ONE_OF_MANY:
            return _("only “%(after)s” kept") % names
        case Way.TYPO:
            return _("“%(before)s” → “%(after)s”") % names
        case Way.COUNTRY_CODE:
            return _("country code %(after)s added") % names
        case Way.FORM:
            return _("brought into the form that the field takes")
        case Way.CHOICE:
            return _("nearest choice: “%(after)s”") % names
        case Way.LEFT_OUT:
            return _("“%(before)s” left out: it isn't offered") % names
        case Way.CUT:
            return ngettext("cut to %(n)d character", "cut to %(n)d characters", int(mend.after)) % {"n": int(mend.after)}
        case Way.EMPTIED:
            return _("emptied: “%(before)s” stands for nothing") % names


def way_in_words(way: Way) -> str:
    """What is done to all of those that look the same."""
    match way:
        case Way.WORDS:
            return _("what stands around the value is removed")
        case Way.ONE_OF_MANY:
            return _("of several values the first one is kept")
        case Way.TYPO:
            return _("what looks mistyped is put right")
        case Way.CHOICE:
            return _("the nearest choice is taken")
        case Way.LEFT_OUT:
            return _("choices that aren't offered are left out")
        case Way.CUT:
            return _("it is cut to what fits")
        case Way.EMPTIED:
            return _("what stands for nothing is emptied")
        case _:
            return _("only its form changes")


def wrong_with(wrong: Fault, takes: Takes) -> str:
    match wrong:
        case Fault.NOTHING:
            return _("Type a value.")
        case Fault.NO_EMAIL:
            return _("This isn't an e-mail address, such as ada@example.org.")
        case Fault.NO_PHONE:
            return _("This isn't a phone number, such as +49 30 1234567.")
        case Fault.NO_DATE:
            return _("This isn't a date, such as 1980-12-31.")
        case Fault.NO_NUMBER:
            return _("This isn't a number, such as 12.50.")
        case Fault.NO_URL:
            return _("This isn't a web address, such as https://example.org.")
        case Fault.NO_COUNTRY:
            return _("This isn't a country's code of two letters, such as DE.")
        case Fault.NOT_OFFERED:
            return _("This isn't one of the choices: %(choices)s.") % {"choices": ", ".join(takes.options)}
        case Fault.TOO_LONG:
            return _("This is too long: %(n)d characters at most.") % {"n": takes.capacity or 0}
