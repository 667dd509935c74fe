"""Why one field of a contact is as it is: what both sides show, what was agreed on, where it came from, and what keeps it apart.

Entry: `explain_field()`; `choices()` are the names it knows. Reads tables only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from crmsync.engine.base import Sent
from crmsync.engine.mapping import DEFAULT_MAPPING, ConflictRule, Pair
from crmsync.engine.profile import HELD_IN_PART
from crmsync.engine.records import SIDES, ItemKind, Side
from crmsync.engine.values import FieldType
from crmsync.models import Contact, FieldMapping, Result, Status
from crmsync.sync import reports, scopes
from crmsync.sync.facts import Fact, leading
from crmsync.sync.origins import Origin, origins
from crmsync.sync.reports import FieldRow
from crmsync.sync.spoken import relative
from crmsync.sync.state import base_of, field_map
from crmsync.sync.trail import change_fact
from crmsync.sync.why import Why, name_of
from crmsync.systems.errors import NAMES

TAGS, NOTES, TASKS = "tags", "notes", "tasks"
ITEM_KINDS = {NOTES: ItemKind.NOTE, TASKS: ItemKind.TASK}
LOOK_BACK = 50
"""So many writes in vain are looked through for one that was about the field."""


@dataclass(frozen=True, slots=True)
class FieldWhy:
    """`row` is what both sides show, None for tags, notes, tasks and what isn't mapped."""

    name: str
    sentence: str
    facts: list[Fact]
    row: FieldRow | None = None


def choices(contact: Contact) -> tuple[list[str], list[str]]:
    """The names that are brought over, and those that usually are and aren't here."""
    mapped = [row.name for row in contact.sync.mappings.all()]
    return [*mapped, TAGS, NOTES, TASKS], [row.name for row in DEFAULT_MAPPING if row.name not in mapped]


def explain_field(why: Why, name: str) -> FieldWhy:
    contact = why.contact
    if name == TAGS:
        return FieldWhy(name, _tags_sentence(why), [*_tag_facts(contact), *_may_write(contact, None)])
    if name in ITEM_KINDS:
        return FieldWhy(name, _items_sentence(why, name), [*_item_facts(contact, name), *_may_write(contact, None)])
    mapped = next((row for row in contact.sync.mappings.all() if row.name == name), None)
    if mapped is None:
        text = _("“%(field)s” isn't mapped in the sync “%(sync)s”, so it stays in each CRM as it is.")
        fact = leading("mappings", contact.sync_id, _("The mapping has no row for it."), _("Look at the mapping"))
        return FieldWhy(name, text % {"field": name, "sync": contact.sync.name}, [fact])
    row = next(one for one in reports.sides(contact) if one.name == name)
    origin = origins(contact).get(name)
    facts = [*_origin_facts(contact, origin), *_failed_facts(contact, name), *_may_write(contact, mapped)]
    return FieldWhy(name, _Field(why, mapped, row, origin).sentence(), facts, row)


class _Field:
    """One mapped field of one contact, and the sentence about it: what a person has to do first, then what is on its way, then what is."""

    def __init__(self, why: Why, mapped: FieldMapping, row: FieldRow, origin: Origin | None) -> None:
        self._why, self._contact = why, why.contact
        self._mapped, self._row, self._origin = mapped, row, origin
        base = base_of(why.contact, ())
        self._agreed: Pair | None = base.fields.get(mapped.name)
        self._sent: Sent | None = base.sent.get(mapped.name)
        self._values = {
            "field": mapped.name,
            "ghl": _quoted(row.ghl),
            "central": _quoted(row.centralstation),
            "contact": name_of(why.contact),
        }

    def sentence(self) -> str:
        return self._trouble() or self._on_its_way() or self._as_it_is()

    def _trouble(self) -> str:
        if self._row.is_open:
            return self._say(
                _("Both sides changed %(field)s (GoHighLevel %(ghl)s, CentralStationCRM %(central)s): somebody has to choose.")
            )
        if self._mapped.name in self._contact.stopped:
            return self._say(_("%(field)s is left alone: something else changed it back each time crmsync wrote it (ping-pong)."))
        if self._sent and not self._sent.kept:
            values = {"crm": NAMES[self._sent.side], "value": _quoted(_text(self._sent.value))}
            return self._say(_("%(field)s was sent to %(crm)s (%(value)s) and accepted, but not kept there."), **values)
        issue = self._contact.issue
        is_about_it = issue and issue.subject in (self._mapped.name, self._mapped.ghl_field, self._mapped.centralstation_field)
        if issue and is_about_it and self._contact.status == Status.FAILED:
            return f"{issue.explanation} {issue.what_to_do}"
        return ""

    def _on_its_way(self) -> str:
        if self._sent:
            return self._say(_("%(field)s was sent to %(crm)s, and hasn't been seen there yet."), crm=NAMES[self._sent.side])
        if not self._contact.is_linked:
            return self._say(_("%(field)s is in one CRM only, as the whole contact is. %(why)s"), why=self._why.sentence)
        if self._agreed is None and not self._contact.seen:
            return self._say(_("%(field)s hasn't been compared yet. %(why)s"), why=self._why.sentence)
        if self._row.differs:
            text = _("%(field)s differs (GoHighLevel %(ghl)s, CentralStationCRM %(central)s) and waits with the whole contact. %(why)s")
            return self._say(text, why=self._why.sentence)
        return ""

    def _as_it_is(self) -> str:
        if not self._row.ghl and not self._row.centralstation:
            return self._say(_("%(field)s is empty on both sides, so there is nothing to bring over."))
        if not self._same():
            return self._agreed_apart()
        if self._row.ghl == self._row.centralstation:
            return f"{self._say(_('%(field)s is the same on both sides: %(ghl)s.'))} {self._came_from()}"
        text = _("%(field)s is the same, written in two ways (GoHighLevel %(ghl)s, CentralStationCRM %(central)s): neither is rewritten.")
        return f"{self._say(text)} {self._came_from()}"

    def _agreed_apart(self) -> str:
        """The two differ, and that is agreed on: why it doesn't flow."""
        for side in SIDES:
            if self._mapped.direction == f"to_{side}":
                text = _("%(field)s goes to %(crm)s only, so %(other)s keeps its own (GoHighLevel %(ghl)s, CentralStationCRM %(central)s).")
                return self._say(text, crm=NAMES[side], other=NAMES[side.other])
        if FieldType(self._mapped.type) in HELD_IN_PART:
            text = _(
                "%(field)s stays apart (GoHighLevel %(ghl)s, CentralStationCRM %(central)s): CentralStationCRM knows the states of three "
                "countries only, and this is none of them."
            )
            return self._say(text)
        if self._mapped.centralstation_field == "name" and not self._row.ghl:
            text = _(
                "CentralStationCRM wants a %(field)s and there is none, so %(central)s stands in for it; it isn't brought to GoHighLevel."
            )
            return self._say(text)
        text = _(
            "%(field)s differs (GoHighLevel %(ghl)s, CentralStationCRM %(central)s), and that is agreed on: one of the two can't hold the "
            "other's value, or an undo left it so. It is brought over as soon as one of the two is changed."
        )
        return self._say(text)

    def _same(self) -> bool:
        region = self._contact.sync.home_region
        return self._agreed is None or field_map(self._mapped).same(*self._agreed, region)

    def _came_from(self) -> str:
        if self._origin is None:
            return _("It was equal already when the two were compared.")
        change = self._origin.change
        values = {"crm": NAMES[self._origin.side], "ago": relative(change.at), "cause": change.get_cause_display()}
        if self._origin.is_undo:
            return _("It was written back %(ago)s by an undo.") % values
        return _("It came from %(crm)s %(ago)s (%(cause)s).") % values

    def _say(self, text: str, **values: object) -> str:
        said = text % {**self._values, **values}
        return said[:1].upper() + said[1:]


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")


def _quoted(text: str) -> str:
    return f"“{text}”" if text else _("nothing")


def _origin_facts(contact: Contact, origin: Origin | None) -> Iterator[Fact]:
    if origin is None:
        return
    values = {
        "from": NAMES[origin.side],
        "to": NAMES[origin.side.other],
        "cause": origin.change.get_cause_display(),
        "who": origin.change.by,
    }
    text = (
        _("Brought from %(from)s to %(to)s (%(cause)s, %(who)s).")
        if origin.change.by
        else _("Brought from %(from)s to %(to)s (%(cause)s).")
    )
    yield change_fact(origin.change, (_("Written back to %(to)s (%(cause)s).") if origin.is_undo else text) % values)


def _failed_facts(contact: Contact, name: str) -> Iterator[Fact]:
    """The last write of it that came to nothing."""
    in_vain = contact.changes.filter(result__in=[Result.FAILED, Result.NOT_KEPT]).order_by("-id")[:LOOK_BACK]
    if failed := next((one for one in in_vain if name in one.after or name in one.before), None):
        values = {"crm": NAMES[Side(failed.side)], "value": _quoted(_text(failed.after.get(name))), "result": failed.get_result_display()}
        yield change_fact(failed, _("Sent to %(crm)s: %(value)s (%(result)s).") % values)


RULES = {
    ConflictRule.NEWEST: _lazy("When both sides change it, the newest change wins."),
    ConflictRule.GHL: _lazy("When both sides change it, GoHighLevel wins."),
    ConflictRule.CENTRALSTATION: _lazy("When both sides change it, CentralStationCRM wins."),
    ConflictRule.ASK: _lazy("When both sides change it, a person is asked."),
}


def _may_write(contact: Contact, mapped: FieldMapping | None) -> Iterator[Fact]:
    """Who is allowed to write: the direction, the rule for conflicts, the account's permissions."""
    sync = contact.sync
    if mapped is not None:
        values = {"ghl": mapped.ghl_field, "central": mapped.centralstation_field, "way": mapped.get_direction_display()}
        text = _("Mapped as %(ghl)s in GoHighLevel and %(central)s in CentralStationCRM, %(way)s.") % values
        yield leading("mappings", sync.pk, text, _("Look at the mapping"))
        if mapped.direction == FieldMapping.Direction.BOTH:
            yield Fact(str(RULES[ConflictRule(mapped.conflict or sync.conflict)]))
    if scopes.is_one_way(sync.ghl):
        yield leading("connection", sync.ghl_id, scopes.one_way(sync.ghl), _("Put it right"))


# Tags, notes and tasks


def _tags_sentence(why: Why) -> str:
    contact = why.contact
    if not contact.sync.sync_tags:
        return _switched_off(contact, _("Tags"))
    if TAGS in contact.stopped:
        return _("Tags are left alone: something else changed them back each time crmsync wrote them (ping-pong).")
    if TAGS in reports.open_choices(contact):
        return _("Both sides changed the tags: somebody has to choose.")
    if contact.base.get("tags") is None:
        return _("Tags haven't been compared yet. %(why)s") % {"why": why.sentence}
    unkept = sorted(name.removeprefix("tag:") for name in contact.sent if name.startswith("tag:"))
    if unkept:
        return _("These tags were sent and aren't seen yet: %(tags)s.") % {"tags": ", ".join(unkept)}
    tags = reports.tags_of(contact)
    if not tags:
        return _("When last compared, neither side had tags.")
    return ngettext(
        "When last compared, both sides had this tag: %(tags)s.", "When last compared, both sides had these tags: %(tags)s.", len(tags)
    ) % {"tags": ", ".join(tags)}


def _tag_facts(contact: Contact) -> Iterator[Fact]:
    known = origins(contact)
    for tag in reports.tags_of(contact):
        if origin := known.get(f"tag:{tag}"):
            yield change_fact(origin.change, _("“%(tag)s” came from %(crm)s.") % {"tag": tag, "crm": NAMES[origin.side]})
    yield Fact(_("Tags that differ in small and capital letters only are the same: GoHighLevel keeps small letters."))
    if contact.sync.created_tag:
        text = _("“%(tag)s” marks contacts that crmsync created in GoHighLevel, and stays there.") % {"tag": contact.sync.created_tag}
        yield leading("sync", contact.sync_id, text, _("The sync's settings"))


def _items_sentence(why: Why, name: str) -> str:
    contact, kind = why.contact, ITEM_KINDS[name]
    label = _("Notes") if kind is ItemKind.NOTE else _("Tasks")
    values: dict[str, object] = {"items": label, "why": why.sentence}
    if not (contact.sync.sync_notes if kind is ItemKind.NOTE else contact.sync.sync_tasks):
        return _switched_off(contact, label)
    if name in contact.stopped:
        return _("%(items)s are left alone: something else changed them back each time crmsync wrote them (ping-pong).") % values
    items = reports.items_of(contact, kind)
    if contested := sum(bool(item.contested) for item in items):
        text = ngettext(
            "%(items)s: both sides changed %(n)d of them to different texts, and somebody has to choose.",
            "%(items)s: both sides changed %(n)d of them to different texts, and somebody has to choose.",
            contested,
        )
        return text % {**values, "n": contested}
    if not items:
        return _("%(items)s: none is known on either side. %(why)s") % values
    both = sum(item.ghl_id is not None and item.centralstation_id is not None for item in items)
    values |= {"both": both, "ghl": sum(item.centralstation_id is None for item in items)}
    values["central"] = len(items) - both - int(str(values["ghl"]))
    if both == len(items):
        return (
            ngettext("%(items)s: the %(both)d that is known is on both sides.", "%(items)s: all %(both)d are on both sides.", both) % values
        )
    return _("%(items)s: %(both)d on both sides, %(ghl)d in GoHighLevel only, %(central)d in CentralStationCRM only. %(why)s") % values


def _item_facts(contact: Contact, name: str) -> Iterator[Fact]:
    for text in contact.sync.ghl.missing_scopes.values():
        yield leading("connection", contact.sync.ghl_id, str(text), _("Put it right"))
    yield leading("contact", contact.pk, _("Each one is shown with the side that it is on."), _("Show the contact"))
    if name == NOTES:
        yield Fact(_("An edited note in GoHighLevel is told of by its webhook, or found by the rotating comparison."))


def _switched_off(contact: Contact, what: str) -> str:
    return _("%(what)s aren't brought over: that is switched off in the settings of “%(sync)s”.") % {
        "what": what,
        "sync": contact.sync.name,
    }
