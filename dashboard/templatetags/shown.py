"""How single things are shown: badges, times, icons, values, the widget of a form field. `{% load shown %}`"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from crmsync.engine.records import Side
from crmsync.engine.values import note_text
from crmsync.engine.write import Write, WriteKind
from crmsync.models import Change, HeldWrite
from crmsync.sync.figures import Subject
from crmsync.sync.spoken import relative
from crmsync.sync.undo import UNDOABLE
from crmsync.systems.errors import NAMES
from dashboard.looks import REFUSALS, look_of

register = template.Library()

Written = Change | HeldWrite | Write
"""A write, done, held or planned."""


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the sprite, for the eye only: the word stands beside it."""
    return format_html(
        '<svg class="icon" width="24" height="24" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("vendor/tabler/icons.svg"),
        name,
    )


@register.simple_tag
def badge(kind: str, value: str) -> SafeString:
    """A state as icon and word, such as `{% badge "status" contact.status %}`; the kinds are in dashboard.looks."""
    member, look = look_of(kind, value)
    return format_html('<span class="state state-{}">{}<span>{}</span></span>', look.tone, icon(look.icon), member.label)


@register.simple_tag
def when(moment: datetime | None, nothing: str = "—") -> SafeString:
    """How long ago (or in how long), with the exact time as its title."""
    if moment is None:
        return format_html('<span class="text-secondary">{}</span>', nothing)
    exact = date_format(timezone.localtime(moment), "Y-m-d H:i:s T")
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, relative(moment))


@register.simple_tag
def moment_of(unit: str, moment: datetime) -> SafeString:
    """When an hour or a day began."""
    local = timezone.localtime(moment)
    text = date_format(local, "Y-m-d" if unit == "day" else "Y-m-d H:i T")
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), text)


@register.simple_tag
def figure(number: float | None) -> str:
    """A number of a chart's table: a dash for none, no digits behind the point that say nothing."""
    return "–" if number is None else f"{number:,g}" if number < 1000 else f"{number:,.0f}"


@register.simple_tag
def share(part: float) -> str:
    """A share (0 to 1) as percent, to a tenth; neither all nor nothing unless it is."""
    percent = round(part * 100, 1)
    if part > 0 and percent < 0.1:
        return _("less than 0.1 %")
    return _("%(percent)s %%") % {"percent": f"{min(percent, 99.9) if part < 1 else 100:g}"}


SUBJECTS = {Subject.CONTACTS: _lazy("Contacts"), Subject.TAGS: _lazy("Tags"), Subject.ITEMS: _lazy("Notes and tasks")}


@register.filter
def subject_label(subject: Subject) -> str:
    return str(SUBJECTS[subject])


@register.filter
def due(text: str) -> str:
    """When a task is due, from what the engine has: a day, or a day with a time."""
    moment = datetime.fromisoformat(text)
    return date_format(moment, "Y-m-d") if len(text) == 10 else date_format(timezone.localtime(moment), "Y-m-d H:i T")


@register.simple_tag
def lasted(start: datetime, end: datetime | None) -> str:
    """The time between two moments, to now where there is no end: `4 s`, `3 min 10 s`, `2 h 5 min`."""
    seconds = int(((end or timezone.now()) - start).total_seconds())
    if seconds < 60:
        return _("%(seconds)d s") % {"seconds": max(seconds, 0)}
    if seconds < 3600:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": seconds // 60, "seconds": seconds % 60}
    return _("%(hours)d h %(minutes)d min") % {"hours": seconds // 3600, "minutes": seconds % 3600 // 60}


@register.filter
def system(side: str) -> str:
    """The name of the CRM on this side, "" for none."""
    return NAMES[Side(side)] if side else ""


@register.filter
def other_system(side: str) -> str:
    return NAMES[Side(side).other] if side else ""


@register.simple_tag
def value(shown: object) -> SafeString:
    """A field's value as staff read it: lists with commas, notes without their HTML, yes and no, a dash for nothing."""
    if _is_nothing(shown):
        return format_html('<span class="nothing" title="{}">—</span>', _("nothing"))
    if isinstance(shown, bool):
        return format_html("{}", _("yes") if shown else _("no"))
    if isinstance(shown, list | tuple):
        return format_html("{}", ", ".join(str(one) for one in shown))
    lines = note_text(str(shown)).split("\n")
    return format_html_join(SafeString("<br>"), "{}", ((line,) for line in lines))


@register.simple_tag
def item_value(name: str, shown: str) -> SafeString:
    """A field of a note or task as staff read it; `done` is yes or no."""
    if name == "done":
        return value(bool(shown))
    return value(due(shown) if shown and name == "due" else shown)


@register.filter
def item(mapping: Mapping[str, Any] | None, key: str) -> Any:
    """`mapping[key]`, None where there is none, or no mapping."""
    return mapping.get(key) if mapping else None


@register.simple_tag
def widget(field: BoundField) -> SafeString:
    """The field's widget, dressed for the style sheet; its label says what a placeholder would."""
    match field.field.widget:
        case CheckboxSelectMultiple() | RadioSelect() | CheckboxInput():
            dress = "form-check-input"
        case Select():
            dress = "form-select"
        case _:
            dress = "form-control"
    return field.as_widget(attrs={"class": f"{dress} is-invalid" if field.errors else dress, "placeholder": False})


@register.filter
def percent(share: float) -> int:
    """0.987 as 98: never rounded up to all."""
    return int(share * 100 + 1e-9)


@register.filter
def refusal(reason: str) -> str:
    """Why a webhook was refused, in words."""
    return str(REFUSALS.get(reason, reason))


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def is_in(request: HttpRequest, section: str) -> bool:
    """Whether the page asked for belongs to one of these sections: the first word of its address's name."""
    match = request.resolver_match
    name = (match.url_name or "") if match else ""
    return any(name.startswith(word) for word in section.split())


KINDS = {
    WriteKind.CREATE: _lazy("Created in %(system)s"),
    WriteKind.UPDATE: _lazy("Updated in %(system)s"),
    WriteKind.ADD_TAGS: _lazy("Tags added in %(system)s"),
    WriteKind.REMOVE_TAGS: _lazy("Tags removed in %(system)s"),
    WriteKind.CREATE_ITEM: _lazy("%(item)s created in %(system)s"),
    WriteKind.UPDATE_ITEM: _lazy("%(item)s updated in %(system)s"),
    WriteKind.DELETE_ITEM: _lazy("%(item)s deleted in %(system)s"),
}
ITEM_KINDS = (WriteKind.CREATE_ITEM, WriteKind.UPDATE_ITEM, WriteKind.DELETE_ITEM)
DELETED = _lazy("Deleted in %(system)s")  # by a person's decision, never by a plan: no WriteKind


@register.filter
def change_title(change: Change) -> str:
    return str(KINDS.get(change.kind, DELETED)) % {"system": system(change.side), "item": _item_name(change)}  # type: ignore[call-overload]


WOULD = {
    WriteKind.CREATE: _lazy("would be created in %(system)s"),
    WriteKind.UPDATE: _lazy("would be updated in %(system)s"),
    WriteKind.ADD_TAGS: _lazy("tags would be added in %(system)s"),
    WriteKind.REMOVE_TAGS: _lazy("tags would be removed in %(system)s"),
    WriteKind.CREATE_ITEM: _lazy("%(item)s would be created in %(system)s"),
    WriteKind.UPDATE_ITEM: _lazy("%(item)s would be updated in %(system)s"),
    WriteKind.DELETE_ITEM: _lazy("%(item)s would be deleted in %(system)s"),
}


@register.filter
def is_undoable(change: Change) -> bool:
    """Whether a change took effect and is of a kind that can be taken back."""
    return change.result in UNDOABLE and change.kind in KINDS


@register.filter
def would_title(change: Written) -> str:
    """What a held change, or a planned write, would do."""
    return str(WOULD[WriteKind(change.kind)]) % {"system": system(change.side), "item": _item_name(change)}


def _item_name(change: Written) -> str:
    """Only a task has a due date or is done, only a note has a text; a title alone doesn't tell."""
    names = {*change.before, *change.after}
    if names & {"due", "done"}:
        return _("Task")
    return _("Note") if "text" in names else _("Note or task")


@register.filter
def differences(change: Written) -> list[tuple[str, Any, Any]]:
    """(field, before, after) of each field that the change touched, but for those that are empty before and after."""
    names = [*change.after, *(name for name in change.before if name not in change.after)]
    rows = [(name, _written(change, name, change.before), _written(change, name, change.after)) for name in names]
    return [row for row in rows if not (_is_nothing(row[1]) and _is_nothing(row[2]))]


def _written(change: Written, name: str, values: Mapping[str, Any]) -> Any:
    found = values.get(name)
    return due(found) if found and name == "due" and change.kind in ITEM_KINDS else found


def _is_nothing(shown: object) -> bool:
    return shown is None or shown == "" or shown == []


@register.filter
def unlocalized(number: float) -> str:
    """A number for an attribute of an SVG: two decimals, a point in every language."""
    return f"{number:.2f}"
