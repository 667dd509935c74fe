"""An issue as its pages show it: where to put it right, how a retry of it stands, and what support wants to know."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync.models import Canary, Issue, Status
from crmsync.sync.canary import AT_WORK, STUCK, held_up
from crmsync.systems.errors import NAMES, Resting, TryLater, Unanswered, Unavailable
from dashboard.access import CONNECTIONS, MAPPINGS
from dashboard.fixing import Similar, similar
from dashboard.looks import Tone

ADDRESS = (Unavailable.code, Unanswered.code, Resting.code, TryLater.code, "needs_person")
OF_A_FIELD = ("refused", "duplicate", "not_kept", "not_taken", "ping_pong")


@dataclass(frozen=True, slots=True)
class Way:
    """The page where a cause is put right, and what the link to it says. `is_allowed`: this user may go there."""

    url: str
    label: str
    is_allowed: bool


@dataclass(frozen=True, slots=True)
class Told:
    """How a retry stands, in one sentence."""

    text: str
    tone: Tone
    icon: str


@dataclass(frozen=True)
class IssueCard:
    issue: Issue
    user: User

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many contacts it holds up, by status."""
        return dict(self.issue.contacts.order_by().values_list("status").annotate(Count("pk")))

    @property
    def held_up(self) -> int:
        return sum(self.counts.values())

    @cached_property
    def retryable(self) -> int:
        return held_up(self.issue).count()

    @cached_property
    def canary(self) -> Canary | None:
        """The latest retry of all of it."""
        return self.issue.canaries.select_related("contact", "by").first()

    @property
    def is_trying(self) -> bool:
        return self.canary is not None and self.canary.state in AT_WORK

    @property
    def is_moving(self) -> bool:
        """Whether a look in two seconds will show something new."""
        return self.is_trying or bool(self.counts.get(Status.PENDING))

    @property
    def told(self) -> Told | None:
        return told_of(self.canary, self.counts.get(Status.PENDING, 0)) if self.canary else None

    @cached_property
    def way(self) -> Way | None:
        return way_to(self.issue, self.user)

    @cached_property
    def similar(self) -> list[Similar]:
        """What can be corrected alike, while nothing of it is being tried."""
        return [] if self.is_trying or self.issue.closed_at else similar(self.issue)

    @property
    def exchange(self) -> Exchange | None:
        return Exchange(self.issue.exchange) if self.issue.exchange else None

    @property
    def for_support(self) -> str:
        return support_text(self.issue, self.held_up)


def told_of(canary: Canary, pending: int) -> Told:
    numbers = {"name": str(canary.contact or _("the contact")), "n": canary.others, "pending": pending, "done": canary.done}
    match Canary.State(canary.state):
        case Canary.State.TRYING:
            return Told(_("Trying one: %(name)s. The others wait for what becomes of it.") % numbers, Tone.BUSY, "circle-dashed")
        case Canary.State.FAILED_AGAIN:
            text = ngettext(
                "%(name)s was tried and the same cause came back, so the other contact was not sent. Put the cause right first.",
                "%(name)s was tried and the same cause came back, so the other %(n)d were not sent. Put the cause right first.",
                canary.others,
            )
            if not canary.others:
                text = _("%(name)s was tried, and the same cause came back. Put it right first.")
            return Told(text % numbers, Tone.BAD, "alert-circle")
        case Canary.State.FOLLOWING:
            text = _("%(name)s went through, so the others follow: %(done)d of %(n)d so far.")
            return Told(text % numbers, Tone.BUSY, "circle-dashed")
        case Canary.State.WENT_THROUGH if not canary.done:
            return Told(_("%(name)s went through.") % numbers, Tone.GOOD, "circle-check")
        case Canary.State.WENT_THROUGH:
            text = ngettext(
                "%(name)s went through, so the other contact followed.",
                "%(name)s went through, so the other %(done)d followed.",
                canary.done,
            )
            still = ngettext("%(pending)d is on its way.", "%(pending)d are on their way.", pending) if pending else ""
            return Told(f"{text} {still}".strip() % numbers, Tone.BUSY if pending else Tone.GOOD, "circle-check")


def way_to(issue: Issue, user: User) -> Way | None:
    """Where the cause is put right; None where nothing of ours has to be changed. The issue's sync and connections are read with it."""
    if issue.code in OF_A_FIELD:
        return _way_to_mapping(issue, user)
    if not issue.side:
        return None
    connection = issue.sync.ghl if issue.side == "ghl" else issue.sync.centralstation
    may = user.has_perm(CONNECTIONS)
    if issue.code == "credentials_refused" and connection.is_oauth:
        return Way(reverse("connection_connect", args=[connection.pk]), _("Reconnect “%s”") % connection.name, may)
    if issue.code == "credentials_refused":
        return Way(reverse("connection_credential", args=[connection.pk]), _("Replace the credential of “%s”") % connection.name, may)
    if issue.code in ADDRESS:
        return Way(reverse("connection_edit", args=[connection.pk]), _("Check the address of “%s”") % connection.name, may)
    return Way(reverse("connection", args=[connection.pk]), _("Look at “%s”") % connection.name, True)


def _way_to_mapping(issue: Issue, user: User) -> Way:
    """The row of the mapping that the cause is about, by its own name or a CRM's; the whole mapping where it is about another thing."""
    names = Q(name=issue.subject) | Q(ghl_field=issue.subject) | Q(centralstation_field=issue.subject)
    row = issue.sync.mappings.filter(names).first() if issue.subject else None
    if row is None:
        return Way(reverse("mappings", args=[issue.sync_id]), _("Look at the mapping"), True)
    return Way(reverse("mapping_change", args=[row.pk]), _("Change how “%s” is mapped") % row.name, user.has_perm(MAPPINGS))


@dataclass(frozen=True, slots=True)
class Exchange:
    """The last request that failed, and its answer, as texts: names and types, no values."""

    kept: dict[str, object]

    @property
    def operation(self) -> str:
        return str(self.kept.get("operation") or "")

    @property
    def status(self) -> int | None:
        return self.kept.get("status")  # type: ignore[return-value]  # as crmsync.systems.masking wrote it

    @property
    def trace_id(self) -> str:
        return str(self.kept.get("trace_id") or "")

    @property
    def request(self) -> str:
        """The line, then what was sent."""
        query = self.kept.get("query") or ()
        names = "?" + "&".join(f"{name}=…" for name in query) if query else ""  # type: ignore[attr-defined]
        line = f"{self.kept.get('method', '')} {self.kept.get('path', '')}{names}".strip()
        return "\n".join(part for part in (line, _indented(self.kept.get("sent"))) if part)

    @property
    def response(self) -> str:
        line = f"HTTP {self.status}" if self.status else _("no answer")
        return "\n".join(part for part in (line, _indented(self.kept.get("answer"))) if part)


def _indented(shown: object) -> str:
    return "" if shown is None else json.dumps(shown, indent=2, ensure_ascii=False)


def support_text(issue: Issue, held_up: int) -> str:
    """All that support needs to begin with, to be sent to anybody: it holds no secret and nothing about a person."""
    lines = [
        f"crmsync, issue {issue.pk}: {issue.code}" + (f" ({issue.subject})" if issue.subject else ""),
        f"CRM: {NAMES[issue.side] if issue.side else 'both'}",  # type: ignore[index]  # a side is its name
        f"What: {issue.explanation}",
        f"Contacts held up: {held_up}",
        f"First seen: {issue.first_seen:%Y-%m-%d %H:%M:%S} UTC, last seen: {issue.last_seen:%Y-%m-%d %H:%M:%S} UTC",
    ]
    if issue.exchange:
        told = Exchange(issue.exchange)
        lines += [f"Operation: {told.operation}", f"Trace id: {told.trace_id or 'none'}", "", told.request, "", told.response]
    return "\n".join(lines)


def issues_in(*, is_open: bool) -> QuerySet[Issue]:
    """Issues with how many contacts each holds up now (`held_up`), and how many of them can be retried."""
    found = Issue.objects.filter(closed_at__isnull=is_open).select_related("sync")
    return found.annotate(
        held_up=Count("contacts"),
        retryable=Count("contacts", filter=Q(contacts__status__in=STUCK, contacts__held_by=None, contacts__exclusion="")),
    )
