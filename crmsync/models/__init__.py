"""What crmsync remembers: connections, syncs and mappings, the state of every contact, and the record of what was done."""

from crmsync.models.connection import Connection, Health, RateBudget
from crmsync.models.contact import Claim, Contact, Item, MatchKey, PageCopy, Status
from crmsync.models.history import Cause, Change, Issue, Result, Run, RunKind, RunStatus
from crmsync.models.sync import Conflict, FieldMapping, MatchBy, Mode, Sync

__all__ = [
    "Cause",
    "Change",
    "Claim",
    "Conflict",
    "Connection",
    "Contact",
    "FieldMapping",
    "Health",
    "Issue",
    "Item",
    "MatchBy",
    "MatchKey",
    "Mode",
    "PageCopy",
    "RateBudget",
    "Result",
    "Run",
    "RunKind",
    "RunStatus",
    "Status",
    "Sync",
]
