"""Contacts that wait without anything being wrong with them: what for, how long, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min
from django.urls import reverse
from django.utils.translation import gettext as _

from crmsync.models import HeldBatch, Sync
from crmsync.sync.batches import reason_of
from crmsync.sync.clock import quiet_until, waiting_for_a_clock, waiting_to_be_created, zone_of


@dataclass(frozen=True, slots=True)
class Wait:
    """So many contacts wait for the same thing. `url` shows them."""

    what: str
    what_to_do: str
    count: int
    url: str


def waits(sync: Sync, now: datetime) -> list[Wait]:
    """What contacts of this sync wait for by somebody's word or by the clock. What the brake holds and what failed has cards of its own."""
    return [*_rejected(sync), *_for_the_clock(sync, now)]


def _rejected(sync: Sync) -> Iterator[Wait]:
    batches = sync.held_batches.filter(state=HeldBatch.State.REJECTED, contacts__isnull=False).select_related("by")
    for batch in batches.annotate(n=Count("contacts")):
        yield Wait(
            what=reason_of(batch),
            what_to_do=_("Changes to these contacts wait with it. Exclude those that are to stay as they are."),
            count=batch.n,
            url=reverse("batch", args=[batch.pk]),
        )


def _for_the_clock(sync: Sync, now: datetime) -> Iterator[Wait]:
    url = f"{reverse('contacts')}?sync={sync.pk}&status=waiting"
    if until := quiet_until(sync, now):
        if n := waiting_for_a_clock(sync).count():
            text = _("Quiet hours: nothing is written by itself until %(time)s.")
            yield Wait(text % {"time": f"{until:%H:%M}"}, _("They go on by themselves then."), n, url)
        return
    turns = waiting_to_be_created(sync).aggregate(n=Count("pk"), first=Min("due_at"))
    if turns["n"]:
        first = max(turns["first"], now).astimezone(zone_of(sync))
        yield Wait(
            what=_("New contacts wait their turn: at most %(n)d are created within an hour.") % {"n": sync.creates_per_hour or 0},
            what_to_do=_("They go on by themselves, the first at %(time)s. The sync's settings say how many an hour.")
            % {"time": f"{first:%H:%M}"},
            count=turns["n"],
            url=url,
        )
