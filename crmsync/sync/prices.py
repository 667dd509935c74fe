"""What a bulk action costs, told before it starts: requests to each side, how long they take, and whether the day has room for them.

Rough figures for a decision, not a bill: what is different isn't known before it is compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync.engine.records import SIDES, Aspect, ItemKind, Side
from crmsync.models import Item, RunKind, Sync
from crmsync.sync.fewest import pages, reads_of_one
from crmsync.sync.session import open_system
from crmsync.systems.errors import NAMES

PAGE = {Side.GHL: 100, Side.CENTRALSTATION: 250}
"""Contacts, notes or tasks that one request lists."""

MANY = 50
"""Retrying fewer contacts costs too little to speak of."""

ONE_CONTACT = {side: reads_of_one(side, Aspect.ALL) + 1 for side in SIDES}
"""Requests to compare one contact by itself and write to it once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """`calls` are requests by side, `seconds` what they take at the pace the CRMs allow, `left` what is left of the day (None: no limit is
    known). `may_grow`: what is missing on a side is created there, and its notes and tasks come on top."""

    calls: Mapping[Side, int]
    seconds: float
    left: Mapping[Side, int | None]
    may_grow: bool = False

    @property
    def sentence(self) -> str:
        values = {"ghl": f"{self.calls[Side.GHL]:,}", "central": f"{self.calls[Side.CENTRALSTATION]:,}", "time": _span(self.seconds)}
        if self.may_grow:
            text = _(
                "Requests: up to about %(ghl)s to GoHighLevel and %(central)s to CentralStationCRM, in %(time)s. Each note and task "
                "that is brought over is one more."
            )
        else:
            text = _("Requests: about %(ghl)s to GoHighLevel and %(central)s to CentralStationCRM, in %(time)s.")
        return text % values

    @property
    def warnings(self) -> list[str]:
        """One for each CRM whose day has no room for it."""
        text = _("%(crm)s takes only %(left)s more requests today. What doesn't fit goes on by itself when it takes more.")
        short = [(side, left) for side in SIDES if (left := self.left[side]) is not None and left < self.calls[side]]
        return [text % {"crm": NAMES[side], "left": f"{left:,}"} for side, left in short]


def totals(sync: Sync) -> dict[Side, int]:
    """How many contacts each account has. Asks both CRMs; raises `CrmError`."""
    found = {}
    for side, connection in ((Side.GHL, sync.ghl), (Side.CENTRALSTATION, sync.centralstation)):
        system = open_system(connection)
        try:
            found[side] = system.total()
        finally:
            system.close()
    return found


def price(sync: Sync, kind: RunKind, *, contacts: int = 0, totals: Mapping[Side, int] | None = None) -> Price:
    """What a run of this kind costs: a retry of so many `contacts`, a first sync of the accounts' `totals` (else of what is known)."""
    known = {} if kind == RunKind.RETRY else totals or {side: sync.contacts.known_on(side).count() for side in SIDES}
    match kind:
        case RunKind.RETRY:
            calls = {side: contacts * ONE_CONTACT[side] for side in SIDES}
        case RunKind.FIRST_SYNC:
            creates = {Side.GHL: sync.create_in_ghl, Side.CENTRALSTATION: sync.create_in_centralstation}
            calls = {side: n + (known[side.other] if creates[side] else 0) for side, n in _listing(sync, known).items()}
        case _:
            calls = _listing(sync, known)
    budgets = {Side.GHL: sync.ghl.budget, Side.CENTRALSTATION: sync.centralstation.budget}
    return Price(
        calls=calls,
        seconds=max(calls[side] * budgets[side].window_s / budgets[side].limit for side in SIDES),
        left={side: budgets[side].left_today for side in SIDES},
        may_grow=kind == RunKind.FIRST_SYNC,
    )


def _listing(sync: Sync, known: Mapping[Side, int]) -> dict[Side, int]:
    """Everything read once: by pages, but GoHighLevel's notes, a request a contact."""
    calls = {side: pages(known[side], PAGE[side]) for side in SIDES}
    for kind, is_synced in ((ItemKind.NOTE, sync.sync_notes), (ItemKind.TASK, sync.sync_tasks)):
        for side in SIDES if is_synced else ():
            items = Item.objects.filter(contact__sync=sync, kind=kind, **{f"{side}_id__isnull": False}).count()
            calls[side] += known[side] if (side, kind) == (Side.GHL, ItemKind.NOTE) else max(1, pages(items, PAGE[side]))
    return calls


def _span(seconds: float) -> str:
    if seconds < 60:
        return _("less than a minute")
    if seconds < 5400:
        minutes = ceil(seconds / 60)
        return ngettext("about %d minute", "about %d minutes", minutes) % minutes
    hours = round(seconds / 3600)
    return ngettext("about %d hour", "about %d hours", hours) % hours
