"""Which contacts a list shows and in what order, which of them a button is for, and the reason for leaving one out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlencode

from django import forms
from django.db.models import F
from django.db.models.functions import Upper
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from crmsync.models import Issue, Status, Sync
from crmsync.models.contact import ContactQuerySet
from crmsync.sync.selection import Selection
from dashboard.paging import NEWEST, Order

CHANGED = {
    "1h": (timedelta(hours=1), _("in the last hour")),
    "24h": (timedelta(hours=24), _("in the last 24 hours")),
    "7d": (timedelta(days=7), _("in the last 7 days")),
    "30d": (timedelta(days=30), _("in the last 30 days")),
}
ORDERS = {
    "": (NEWEST, _("Newest first")),
    "name": (Order(Upper("label")), _("By name")),
    "updated": (Order(F("updated_at"), is_descending=True), _("Updated last")),
    "stale": (Order(F("updated_at")), _("Updated longest ago")),
}
MOST_NAMED = 500
CAUSES = 100
"""So many open causes are offered to choose from."""


CHIPS = {
    "q": _("“%(value)s”"),
    "sync": _("Sync: %(value)s"),
    "status": _("Status: %(value)s"),
    "issue": _("Cause: %(value)s"),
    "tag": _("Tag: %(value)s"),
    "changed": _("Updated %(value)s"),
    "sort": _("Sorted: %(value)s"),
}


@dataclass(frozen=True, slots=True)
class Chip:
    """One thing that is asked for, in words; `without` is the address without it."""

    name: str
    text: str
    without: str


class ContactFilter(forms.Form):
    """What is asked for in the address. What can't be understood there is left out, and the form's errors say so."""

    q = forms.CharField(
        label=_("Search"), required=False, max_length=200, error_messages={"max_length": _("The text is too long to search for.")}
    )
    sync = forms.ModelChoiceField(
        Sync.objects.all(),
        label=_("Sync"),
        required=False,
        empty_label=_("All syncs"),
        error_messages={"invalid_choice": _("There is no such sync: the contacts of all are shown.")},
    )
    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[("", _("Any status")), *Status.choices],
        error_messages={"invalid_choice": _("There is no status “%(value)s”: contacts of any status are shown.")},
    )
    issue = forms.ModelChoiceField(
        Issue.objects.all(),
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": _("What held these contacts up is no longer known: all contacts are shown.")},
    )
    tag = forms.CharField(label=_("Tag"), required=False, max_length=100)
    changed = forms.ChoiceField(
        label=_("Updated"),
        required=False,
        choices=[("", _("Any time")), *((key, text) for key, (_span, text) in CHANGED.items())],
        error_messages={"invalid_choice": _("There is no time “%(value)s”: contacts updated at any time are shown.")},
    )
    sort = forms.ChoiceField(
        label=_("Sort"),
        required=False,
        choices=[(key, text) for key, (_order, text) in ORDERS.items()],
        error_messages={"invalid_choice": _("There is no order “%(value)s”: the newest are shown first.")},
    )

    @cached_property
    def selection(self) -> Selection:
        """The contacts asked for."""
        self.is_valid()  # what is not valid is not in `cleaned_data`
        asked = self.cleaned_data
        sync, issue, changed = asked.get("sync"), asked.get("issue"), asked.get("changed")
        return Selection(
            text=asked.get("q", ""),
            sync=sync.pk if sync else None,
            status=asked.get("status", ""),
            issue=issue.pk if issue else None,
            tag=asked.get("tag", ""),
            updated_since=timezone.now() - CHANGED[changed][0] if changed else None,
        )

    def contacts(self) -> ContactQuerySet:
        """The contacts asked for, of any status: what the counts beside each status count."""
        return self._contacts.all()

    @cached_property
    def _contacts(self) -> ContactQuerySet:
        return replace(self.selection, status="").contacts()

    def with_status(self) -> ContactQuerySet:
        """The contacts asked for."""
        found, status = self.contacts(), self.selection.status
        return found.filter(status=status) if status else found

    @property
    def order(self) -> Order:
        self.is_valid()
        return ORDERS[self.cleaned_data.get("sort", "")][0]

    @property
    def asked(self) -> dict[str, str]:
        """What was understood of the address, as it stands there."""
        self.is_valid()
        return {name: str(value.pk if hasattr(value, "pk") else value) for name, value in self.cleaned_data.items() if value}

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the order was asked for."""
        return bool(self.asked.keys() - {"sort"})

    @property
    def query(self) -> str:
        return urlencode(self.asked)

    @classmethod
    def of(cls, query: str) -> ContactFilter:
        """What was asked for by an address."""
        return cls(QueryDict(query))

    @property
    def words(self) -> list[Chip]:
        """What is asked for in words, each with what is asked for without it."""
        return [Chip(name, self._word(name), urlencode(self._but(name))) for name in self.asked]

    @property
    def chips(self) -> list[Chip]:
        """Without what the list says anyway: its status and its order."""
        return [chip for chip in self.words if chip.name not in ("status", "sort")]

    def _word(self, name: str) -> str:
        value = self.cleaned_data[name]
        choices = dict(getattr(self.fields[name], "choices", ())) if isinstance(value, str) else {}
        return CHIPS[name] % {"value": choices.get(value, value)}

    def _but(self, name: str) -> dict[str, str]:
        view = {"view": self.data["view"]} if self.data.get("view") else {}
        return {key: value for key, value in self.asked.items() if key != name} | view


def are_many_syncs() -> bool:
    """Whether a list has to say which sync a contact belongs to."""
    return Sync.objects.count() > 1


class ExcludeForm(forms.Form):
    reason = forms.CharField(
        label=_("Why is this contact left out?"),
        max_length=300,
        help_text=_("Shown beside the contact, so that others understand. For example: asked not to be contacted."),
    )


WHICH = {"ticked": _("Those ticked"), "page": _("All on this page"), "all": _("All that match")}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which contacts a button above the list is for: those ticked, those on the page, or all that the filter (in the same form) finds."""

    posted: QueryDict

    @property
    def which(self) -> str:
        return self.posted.get("which", "")

    @property
    def pks(self) -> list[int]:
        """Those ticked or on the page, by key, whichever is asked for."""
        page = self.posted.get("page", "").split(",")
        named = self.posted.getlist("ticked") if self.which == "ticked" else page if self.which == "page" else []
        return [int(text) for text in named if text.isascii() and text.isdigit() and len(text) < 19][:MOST_NAMED]

    def selection(self, asked: ContactFilter) -> Selection:
        return asked.selection if self.which == "all" else Selection(keys=tuple(self.pks))
