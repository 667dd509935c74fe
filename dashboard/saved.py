"""The views above the list of contacts, as tabs: those that everybody has, those shared, and one's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crmsync.models import SavedView
from dashboard.access import PEOPLE
from dashboard.forms.contacts import ContactFilter
from dashboard.verbs import Text

BUILT_IN: dict[str, Text] = {"": _("All contacts"), "changed=24h&sort=updated": _("Changed in the last 24 hours")}


@dataclass(frozen=True, slots=True)
class Tab:
    """`view` is None for one that everybody has. `is_left`: the view was opened, and something else is asked for since."""

    label: Text
    address: str
    view: SavedView | None
    is_current: bool
    is_left: bool


@dataclass(frozen=True)
class Tabs:
    """An address says all that it shows (`?status=failed&view=3`), so that it can be passed on: `view` only says which tab it began at, and
    who can't see that one still sees what it shows."""

    user: User
    asked: ContactFilter

    @cached_property
    def views(self) -> list[SavedView]:
        return list(SavedView.objects.visible_to(self.user).order_by("is_shared", "name", "pk"))

    @cached_property
    def opened(self) -> SavedView | None:
        """The view that the address began at, else one that shows the same."""
        begun = self.asked.data.get("view")
        by_key = (view for view in self.views if str(view.pk) == begun)
        same = (view for view in self.views if view.query == self.asked.query)
        return next(by_key, None) or (None if self.asked.query in BUILT_IN else next(same, None))

    @property
    def is_left(self) -> bool:
        return self.opened is not None and self.opened.query != self.asked.query

    @property
    def can_be_kept(self) -> bool:
        """Whether what is shown is no view as yet."""
        return self.asked.query not in BUILT_IN and (self.opened is None or self.is_left)

    @property
    def is_changeable(self) -> bool:
        """Whether the opened view is this person's to change."""
        return self.opened is not None and (self.opened.owner_id == self.user.pk or (self.opened.is_shared and self.user.has_perm(PEOPLE)))

    def __iter__(self) -> Iterator[Tab]:
        for query, label in BUILT_IN.items():
            yield Tab(label, f"?{query}", None, self.opened is None and query == self.asked.query, False)
        for view in self.views:
            is_current = view == self.opened
            yield Tab(view.name, address_of(view), view, is_current, is_current and self.is_left)


def address_of(view: SavedView) -> str:
    """Where the list shows this view."""
    return f"{reverse('contacts')}?{view.query}{'&' if view.query else ''}view={view.pk}"
