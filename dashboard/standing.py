"""What the overview says of all syncs and connections together: what needs a person, and how each connection fares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from crmsync.models import LOCKED_OUT, Connection, Status
from crmsync.sync import listening
from crmsync.sync.budget import A_DAY, KEPT_FOR_LIVE
from dashboard.cards import SyncCard
from dashboard.queues import KINDS
from dashboard.verbs import Text

DECIDED_BY_PEOPLE: dict[Status, Text] = {
    Status.FAILED: ngettext_lazy("%(shown)s contact failed", "%(shown)s contacts failed", "n"),
    Status.CONFLICT: ngettext_lazy("%(shown)s conflict", "%(shown)s conflicts", "n"),
    Status.REVIEW: ngettext_lazy("%(shown)s contact to review", "%(shown)s contacts to review", "n"),
    Status.QUARANTINED: ngettext_lazy("%(shown)s contact quarantined", "%(shown)s contacts quarantined", "n"),
}


@dataclass(frozen=True, slots=True)
class Need:
    """Something that doesn't go on without a person, and the page where they deal with it."""

    text: str
    url: str


def needs(cards: Sequence[SyncCard], fares: Iterable[Fare]) -> list[Need]:
    """What waits for a person, of all syncs together, as the pages are where it is dealt with: accounts first, for nothing moves without
    them."""
    return [*_accounts(fares), *_decisions(cards)]


def _accounts(fares: Iterable[Fare]) -> Iterator[Need]:
    for fare in fares:
        connection, text = fare.connection, ""
        if connection.health in LOCKED_OUT:
            text = _("%(name)s doesn't let crmsync in")
        elif fare.alarm:
            text = _("%(name)s tells of no changes any more")
        if text:
            yield Need(text % {"name": connection.name}, reverse("connection", args=[connection.pk]))


def _decisions(cards: Sequence[SyncCard]) -> Iterator[Need]:
    for batch in (batch for card in cards for batch in card.batches):
        yield Need(_("Held: %(what)s") % {"what": batch.title}, reverse("batch", args=[batch.pk]))
    if causes := sum(len(card.issues) for card in cards):
        text = ngettext("%(n)d cause of failure", "%(n)d causes of failure", causes) % {"n": causes}
        yield Need(text, reverse("issues"))
    for status, words in DECIDED_BY_PEOPLE.items():
        if n := sum(card.counts.get(status, 0) for card in cards):
            yield Need(str(words % {"n": n, "shown": f"{n:,}"}), _page_of(status))


def _page_of(status: Status) -> str:
    """Where contacts of this status are dealt with."""
    return reverse("queue", args=[status]) if status in KINDS else f"{reverse('contacts')}?status={status}"


@dataclass(frozen=True, slots=True)
class Fare:
    """How a connection fares. `coverage`: the share (0 to 1) of the week's changes that webhooks told of first, None where there were none.
    `used` and `left`: requests of this day (UTC; left by the CRM's own count, None: it sets no limit), `reserved` of them for live
    changes."""

    connection: Connection
    alarm: str
    coverage: float | None
    used: int
    left: int | None
    reserved: int


def fares(now: datetime) -> list[Fare]:
    """All connections, in a constant number of queries while none has gone deaf."""
    alarms, coverages = listening.alarms(now), listening.coverages()
    connections = Connection.objects.without_secrets().select_related("budget")
    return [_fare(one, now, alarms, coverages) for one in connections]


def _fare(connection: Connection, now: datetime, alarms: Mapping[int, str], coverages: Mapping[int, float]) -> Fare:
    budget = connection.budget
    return Fare(
        connection=connection,
        alarm=alarms.get(connection.pk, ""),
        coverage=coverages.get(connection.pk),
        used=budget.calls_today if budget.today == now.astimezone(UTC).date() else 0,
        left=budget.left_today,
        reserved=int(A_DAY.get(connection.side, 0) * KEPT_FOR_LIVE),
    )
