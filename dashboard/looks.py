"""How a state looks and what staff can do about it: an icon, a tone, a word and advice for each member of each closed set."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crmsync.models import BulkAction, Health, HeldBatch, Mode, Result, RunStatus, Status
from crmsync.sync.hooks import HookHealth


class Tone(StrEnum):
    """A colour by its meaning; crmsync.css has a class for each."""

    GOOD = "good"
    BUSY = "busy"
    WARN = "warn"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Look:
    """`none` is said where nothing has this state."""

    tone: Tone
    icon: str
    advice: str | Promise = ""
    none: str | Promise = ""


STATUS = {
    Status.IN_SYNC: Look(
        Tone.GOOD, "circle-check", _("Both sides were read and are equal in every mapped field."), _("Nothing is in sync yet.")
    ),
    Status.PENDING: Look(
        Tone.BUSY, "circle-dashed", _("This contact is about to be compared. There is nothing to do."), _("Nothing is pending.")
    ),
    Status.FAILED: Look(
        Tone.BAD,
        "alert-circle",
        _("Mend the cause, then press Retry. Where retrying can help, crmsync tries again by itself."),
        _("Nothing has failed."),
    ),
    Status.CONFLICT: Look(
        Tone.WARN,
        "arrows-split",
        _("Take the right value in the table below. The other fields go on meanwhile."),
        _("Nothing is in conflict."),
    ),
    Status.REVIEW: Look(
        Tone.WARN,
        "user-question",
        _("Compare them below. Nothing is written for any of them until somebody says."),
        _("Nothing is to be reviewed."),
    ),
    Status.WAITING: Look(
        Tone.WARN, "hourglass", _("It goes on by itself once what it waits for is there. Retry looks at once."), _("Nothing is waiting.")
    ),
    Status.EXCLUDED: Look(
        Tone.QUIET, "ban", _("This contact is left alone on both sides. Include takes it in again."), _("Nothing is excluded.")
    ),
    Status.QUARANTINED: Look(
        Tone.WARN,
        "archive",
        _("Nothing is written until somebody decides. Each button first says what it will do."),
        _("Nothing is quarantined."),
    ),
}
ATTENTION = (Status.FAILED, Status.CONFLICT, Status.REVIEW, Status.QUARANTINED, Status.WAITING)

HEALTH = {
    Health.UNTESTED: Look(Tone.QUIET, "circle-dashed"),
    Health.OK: Look(Tone.GOOD, "circle-check"),
    Health.LIMITED: Look(Tone.WARN, "alert-triangle"),
    Health.REFUSED: Look(Tone.BAD, "alert-circle"),
    Health.UNREACHABLE: Look(Tone.BAD, "alert-circle"),
    Health.RECONNECT: Look(Tone.BAD, "plug-connected"),
}
MODE = {
    Mode.DRAFT: Look(Tone.QUIET, "pencil"),
    Mode.LIVE: Look(Tone.GOOD, "refresh"),
    Mode.PAUSED: Look(Tone.WARN, "player-pause"),
}
RUN = {
    RunStatus.RUNNING: Look(Tone.BUSY, "refresh"),
    RunStatus.DONE: Look(Tone.GOOD, "circle-check"),
    RunStatus.FAILED: Look(Tone.BAD, "alert-circle"),
    RunStatus.INTERRUPTED: Look(Tone.WARN, "alert-triangle"),
}
RESULT = {
    Result.ACCEPTED: Look(Tone.BUSY, "clock"),
    Result.VERIFIED: Look(Tone.GOOD, "circle-check"),
    Result.NOT_KEPT: Look(Tone.BAD, "alert-triangle"),
    Result.FAILED: Look(Tone.BAD, "alert-circle"),
}


class HookWord(TextChoices):
    """crmsync.sync.hooks.HookHealth in words."""

    OK = HookHealth.OK.value, _("in order")
    MISSING = HookHealth.MISSING.value, _("missing")
    DISABLED = HookHealth.DISABLED.value, _("switched off by CentralStationCRM")
    FAILING = HookHealth.FAILING.value, _("deliveries fail")
    FOREIGN_ADDRESS = HookHealth.FOREIGN_ADDRESS.value, _("sends to an old address")
    DOUBLED = HookHealth.DOUBLED.value, _("registered twice")


HOOK = {word: Look(Tone.GOOD, "circle-check") if word == HookWord.OK else Look(Tone.BAD, "alert-circle") for word in HookWord}

REFUSALS: dict[str, str | Promise] = {
    "unsigned": _("without a signature"),
    "forged": _("with a wrong signature: the key may be another, or somebody else sent it"),
    "replayed": _("too old, or dated in the future"),
    "malformed": _("unreadable"),
    "oversized": _("too large"),
    "secret": _("at an address with a wrong secret"),
}
"""Why webhooks are refused, by the reasons of crmsync.systems.notice and crmsync.sync.receiving."""

BATCH = {
    HeldBatch.State.GATHERING: Look(Tone.BUSY, "circle-dashed"),
    HeldBatch.State.HELD: Look(Tone.WARN, "player-pause"),
    HeldBatch.State.APPROVED: Look(Tone.GOOD, "circle-check"),
    HeldBatch.State.REJECTED: Look(Tone.QUIET, "ban"),
    HeldBatch.State.OVER: Look(Tone.QUIET, "check"),
}

BULK = {
    BulkAction.State.RUNNING: Look(Tone.BUSY, "refresh"),
    BulkAction.State.DONE: Look(Tone.GOOD, "circle-check"),
    BulkAction.State.STOPPED: Look(Tone.QUIET, "ban"),
}

# By the word that templates use. Members of different sets are equal as text ("failed"), so the sets stay apart.
LOOKS: dict[str, list[tuple[TextChoices, Look]]] = {
    "status": [*STATUS.items()],
    "health": [*HEALTH.items()],
    "mode": [*MODE.items()],
    "run": [*RUN.items()],
    "result": [*RESULT.items()],
    "batch": [*BATCH.items()],
    "bulk": [*BULK.items()],
    "hook": [*HOOK.items()],
}


def look_of(kind: str, value: str) -> tuple[TextChoices, Look]:
    """The member of the set `kind` with this value, and how it looks."""
    return next((member, look) for member, look in LOOKS[kind] if member == value)
