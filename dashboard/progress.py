"""How far a run is and what it came to, read from its row: `Run.progress`, `counts` and `calls` as crmsync.sync.runs keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext_lazy

from crmsync.engine.records import SIDES
from crmsync.engine.write import WriteKind
from crmsync.models import Run, RunKind, RunStatus, Status
from crmsync.sync.fewest import Account, Why
from crmsync.sync.figures import Line, lines_of_run, requests_of_run
from crmsync.systems.errors import NAMES
from dashboard.looks import ATTENTION
from dashboard.verbs import Text

LISTS: dict[str, str | Promise] = {
    "contacts": _lazy("Contacts read from %(system)s"),
    "note": _lazy("Notes read from %(system)s"),
    "task": _lazy("Tasks read from %(system)s"),
}
FOUND = [*(f"{side}.{kind}" for side in SIDES for kind in WriteKind), *ATTENTION]
TELLING = ~Q(kind=RunKind.POLL) | ~Q(status=RunStatus.DONE) | Q(by__isnull=False) | Q(counts__has_any_keys=FOUND)
"""All runs but polls that found nothing to write and nothing to look at; one that a person started is shown to them whatever it found."""
LARGE = (RunKind.FIRST_SYNC, RunKind.FULL)


@dataclass(frozen=True, slots=True)
class Listing:
    """One list that a run reads page by page. `missing` is the permission that it lacks for it."""

    label: str
    count: int
    is_done: bool
    missing: str


SPARED: dict[Why, Text] = {
    Why.BUSY: ngettext_lazy(
        "%(shown)s was sent again: %(crm)s had asked for a rest (429).",
        "%(shown)s were sent again: %(crm)s had asked for a rest (429).",
        "n",
    ),
    Why.SILENT: ngettext_lazy(
        "%(shown)s got no answer or an error of %(crm)s's own.", "%(shown)s got no answer or an error of %(crm)s's own.", "n"
    ),
    Why.REFUSED: ngettext_lazy("%(shown)s was refused.", "%(shown)s were refused.", "n"),
    Why.LISTS: ngettext_lazy(
        "%(shown)s was for a page of a list: read once more to see what was written, or smaller than the largest there is.",
        "%(shown)s were for pages of lists: read once more to see what was written, or smaller than the largest there are.",
        "n",
    ),
    Why.LOOKS: ngettext_lazy(
        "%(shown)s looked at a contact once more: it was changed meanwhile, or waited longer than a copy may be believed.",
        "%(shown)s looked at contacts once more: they were changed meanwhile, or waited longer than a copy may be believed.",
        "n",
    ),
}
"""What requests were for that a run could have done without."""


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests of a run to one CRM, held against the fewest that would have done."""

    crm: str
    account: Account

    @property
    def sentence(self) -> str:
        made, fewest = self.account.made, self.account.fewest
        values = {"n": f"{made:,}", "fewest": f"{fewest or 0:,}"}
        if fewest is None or not made:
            return values["n"]
        text = _("%(n)s, the fewest possible") if made == fewest else _("%(n)s; the fewest possible were %(fewest)s")
        return text % values

    @property
    def reasons(self) -> list[str]:
        """What those were for that it could have done without, most first."""
        counted = sorted(self.account.why.items(), key=lambda one: -one[1])
        return [str(SPARED[why] % {"n": n, "shown": f"{n:,}", "crm": self.crm}) for why, n in counted]


@dataclass(frozen=True)
class RunProgress:
    """`counts` are the sync's contacts by status, now: how many are pending says how much is left."""

    run: Run
    counts: dict[str, int]

    @property
    def is_running(self) -> bool:
        return self.run.status == RunStatus.RUNNING

    @property
    def phase(self) -> str:
        if self.is_large and not self.run.progress.get("listed"):
            return _("Reading both accounts")
        if self.run.kind == RunKind.POLL and not self.left:
            return _("Looking for changes")
        return _("Comparing contacts and writing what differs")

    @property
    def is_large(self) -> bool:
        """Whether it compares everybody; any other run compares whoever is pending."""
        return self.run.kind in LARGE

    @property
    def compared(self) -> int:
        return sum(n for _status, n in self.ended)

    @property
    def total(self) -> int:
        return sum(self.counts.values()) if self.is_large else self.compared + self.left

    @property
    def left(self) -> int:
        return self.counts.get(Status.PENDING, 0)

    @property
    def done(self) -> int:
        return self.total - self.left

    @property
    def is_measurable(self) -> bool:
        """Whether a bar can show how far it is: while lists are read nobody knows how long they are."""
        return self.total > 0 and (bool(self.run.progress.get("listed")) if self.is_large else self.left > 0)

    @property
    def compares_since(self) -> datetime:
        """When it began to compare: reading lists goes at another pace."""
        listed_at = self.run.progress.get("listed_at")
        return datetime.fromisoformat(listed_at) if listed_at else self.run.started_at

    @property
    def ends_at(self) -> datetime | None:
        """When it will be through, at the pace that it has kept up so far; None while that can't be told."""
        if not (self.is_running and self.is_measurable and self.left and self.compared):
            return None
        now = timezone.now()
        return now + (now - self.compares_since) / self.compared * self.left

    @cached_property
    def lines(self) -> list[Line]:
        """What it wrote and what it found equal, by subject and CRM."""
        return lines_of_run(self.run)

    @cached_property
    def unchanged(self) -> int:
        """How many that it compared were equal as they were."""
        written_to = self.run.changes.aggregate(n=Count("contact", distinct=True))["n"]
        return max(0, sum(n for status, n in self.ended if status == Status.IN_SYNC) - int(written_to))

    @property
    def listings(self) -> list[Listing]:
        found = []
        for side in SIDES:
            for name, label in LISTS.items():
                if at := self.run.progress.get(f"{side}.{name}"):
                    text = str(label) % {"system": NAMES[side]}
                    found.append(Listing(text, at.get("count", 0), bool(at.get("done")), at.get("missing", "")))
        return found

    @property
    def ended(self) -> list[tuple[str, int]]:
        """(status, how many compared contacts ended in it). One that is pending was written to, and counts once that is verified."""
        return [(str(status), n) for status in Status if status != Status.PENDING and (n := self.run.counts.get(status))]

    @cached_property
    def requests(self) -> list[Requests]:
        """What it has asked of each CRM."""
        return [Requests(NAMES[side], one) for side, one in requests_of_run(self.run).items()]
