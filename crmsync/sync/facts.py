"""The words of *Why?*: what it comes to in one word, and the facts that lead there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.urls import reverse
from django.utils.translation import gettext as _

from crmsync.models import AuditEntry


class Reason(StrEnum):
    """Why a contact is as it is. Of several that hold at once the uppermost is told: what would have to go first."""

    IN_SYNC = "in_sync"
    AT_WORK = "at_work"
    DUE = "due"
    READ_BACK = "read_back"
    FIRST_SYNC = "first_sync"
    NO_WORKER = "no_worker"
    DRAFT = "draft"
    SYNC_PAUSED = "sync_paused"
    CONNECTION_PAUSED = "connection_paused"
    LOCKED_OUT = "locked_out"
    OUT_OF_ORDER = "out_of_order"
    GATHERED = "gathered"
    HELD = "held"
    REJECTED = "rejected"
    CLOCK = "clock"
    PERMISSION = "permission"
    EXCLUDED = "excluded"
    OUT_OF_SCOPE = "out_of_scope"
    NO_KEY = "no_key"
    REVIEW = "review"
    CONFLICT = "conflict"
    DELETED = "deleted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Fact:
    """One link of the chain: what is known, since when, and (`url`, `link`) where it is looked at or put right. `is_cause`: it is what the
    contact is held up by."""

    text: str
    at: datetime | None = None
    url: str = ""
    link: str = ""
    is_cause: bool = False

    @property
    def is_outside(self) -> bool:
        """Whether it leads to a CRM."""
        return not self.url.startswith("/")


def leading(page: str, pk: object, text: str, link: str, at: datetime | None = None) -> Fact:
    """A fact with the page that it leads to."""
    return Fact(text, at, reverse(page, args=[pk]), link)


def last_act(kind: str, pk: int, *acts: str) -> AuditEntry | None:
    """The last of these acts on this object, as the audit log has it."""
    return AuditEntry.objects.filter(object_kind=kind, object_id=pk, act__in=acts).order_by("-id").first()


def who(entry: AuditEntry) -> str:
    return entry.by_name or _("somebody on the command line")
