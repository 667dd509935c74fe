"""What crmsync remembers: connections, syncs and mappings, the state of every contact, and the record of what was done."""

from crmsync.models.alert import Alarm, AlertChoice, AlertKind, AlertMessage
from crmsync.models.audit import Act, AuditEntry
from crmsync.models.bulk import BulkAction
from crmsync.models.canary import Canary
from crmsync.models.connection import LOCKED_OUT, SECRETS, Connection, Health, RateBudget
from crmsync.models.contact import Claim, Contact, Item, MatchKey, PageCopy, Status
from crmsync.models.decision import Decision
from crmsync.models.event import Event, Tally
from crmsync.models.held import HeldWrite
from crmsync.models.history import BY_ITSELF, Cause, Change, HeldBatch, Issue, Result, Run, RunKind, RunStatus
from crmsync.models.revision import MappingRevision
from crmsync.models.subscription import Every, ReportSubscription
from crmsync.models.sync import Conflict, FieldMapping, MatchBy, Mode, Sync
from crmsync.models.undo import NotUndone
from crmsync.models.view import SavedView
from crmsync.models.visit import Visit

__all__ = [
    "BY_ITSELF",
    "LOCKED_OUT",
    "SECRETS",
    "Act",
    "Alarm",
    "AlertChoice",
    "AlertKind",
    "AlertMessage",
    "AuditEntry",
    "BulkAction",
    "Canary",
    "Cause",
    "Change",
    "Claim",
    "Conflict",
    "Connection",
    "Contact",
    "Decision",
    "Event",
    "Every",
    "FieldMapping",
    "Health",
    "HeldBatch",
    "HeldWrite",
    "Issue",
    "Item",
    "MappingRevision",
    "MatchBy",
    "MatchKey",
    "Mode",
    "NotUndone",
    "PageCopy",
    "RateBudget",
    "ReportSubscription",
    "Result",
    "Run",
    "RunKind",
    "RunStatus",
    "SavedView",
    "Status",
    "Sync",
    "Tally",
    "Visit",
]
