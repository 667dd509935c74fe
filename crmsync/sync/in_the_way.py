"""What keeps all contacts of a sync from going on, the uppermost first: a pause, an account that doesn't let us in, nobody at work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from crmsync.models import LOCKED_OUT, Act, Connection, Mode, RateBudget, Run, RunKind, Sync
from crmsync.sync.budget import now_s
from crmsync.sync.facts import Fact, Reason, last_act, leading, who
from crmsync.sync.runs import BIG, UNDER_WAY
from crmsync.sync.spoken import relative
from crmsync.systems.errors import NAMES

IDLE_AFTER = timedelta(minutes=2)
"""What is due is taken up within a second; after so long nobody is at work."""


@dataclass(frozen=True, slots=True)
class Hindrance:
    """`clause` goes on from *it waits:*, without a full stop."""

    reason: Reason
    clause: str
    fact: Fact


def hindrances(sync: Sync, now: datetime) -> list[Hindrance]:
    """All that is in the way of this sync as a whole. Queries grow with what is, not with contacts."""
    return [*_of_mode(sync), *_of_accounts(sync), *_of_order(sync, now), *_of_first_sync(sync)]


def _of_mode(sync: Sync) -> Iterator[Hindrance]:
    name = {"sync": sync.name}
    if sync.mode == Mode.DRAFT:
        clause = _("the sync “%(sync)s” is a draft, and was never set live") % name
        yield Hindrance(Reason.DRAFT, clause, leading("sync", sync.pk, _("The sync “%(sync)s” is a draft.") % name, _("Set it live")))
    elif sync.mode == Mode.PAUSED:
        entry = last_act("sync", sync.pk, Act.SYNC_PAUSED)
        clause, text = _("the sync “%(sync)s” is paused") % name, _("The sync “%(sync)s” is paused.") % name
        if entry:
            name |= {"who": who(entry), "ago": relative(entry.at)}
            clause = _("the sync “%(sync)s” was paused by %(who)s %(ago)s") % name
            text = _("The sync “%(sync)s” was paused by %(who)s.") % name
        yield Hindrance(Reason.SYNC_PAUSED, clause, leading("sync", sync.pk, text, _("Resume it"), entry.at if entry else None))


def _of_accounts(sync: Sync) -> Iterator[Hindrance]:
    accounts = (sync.ghl, sync.centralstation)
    yield from (_of_pause(one) for one in accounts if one.paused_at is not None)
    for one in accounts:
        if one.health in LOCKED_OUT:
            values = {"name": one.name, "reason": one.health_reason.rstrip(".")}
            clause = _("the connection “%(name)s” doesn't let crmsync in (%(reason)s)") % values
            text = _("The connection “%(name)s” doesn't let crmsync in: %(reason)s.") % values
            yield Hindrance(Reason.LOCKED_OUT, clause, leading("connection", one.pk, text, _("Put it right"), one.tested_at))


def _of_pause(connection: Connection) -> Hindrance:
    entry = last_act("connection", connection.pk, Act.CONNECTION_PAUSED)
    values = {"name": connection.name, "ago": relative(connection.paused_at) if connection.paused_at else ""}
    clause = _("the connection “%(name)s” was paused %(ago)s") % values
    text = _("The connection “%(name)s” was paused.") % values
    if entry:
        values["who"] = who(entry)
        clause = _("the connection “%(name)s” was paused by %(who)s %(ago)s") % values
        text = _("The connection “%(name)s” was paused by %(who)s.") % values
    fact = leading("connection", connection.pk, text, _("Resume it"), connection.paused_at)
    return Hindrance(Reason.CONNECTION_PAUSED, clause, fact)


def _of_order(sync: Sync, now: datetime) -> Iterator[Hindrance]:
    broken = RateBudget.objects.filter(connection__in=[sync.ghl_id, sync.centralstation_id], broken_until__gt=now_s())
    down = [row.connection_id for row in broken.only("connection_id")]
    for one in (sync.ghl, sync.centralstation):
        if one.pk in down:
            text = _("%(crm)s (“%(name)s”) is out of order: it is asked again by itself within seconds") % {
                "crm": NAMES[one.side],
                "name": one.name,
            }
            yield Hindrance(Reason.OUT_OF_ORDER, text, leading("connection", one.pk, f"{text}.", _("How it fares")))
    if not down and sync.rest_until and sync.rest_until > now:
        text = _("a CRM is out of order, so the sync “%(sync)s” rests for some seconds") % {"sync": sync.name}
        fact = leading("sync", sync.pk, _("A CRM is out of order, so the sync rests."), _("How it stands"), sync.rest_until)
        yield Hindrance(Reason.OUT_OF_ORDER, text, fact)


def _of_first_sync(sync: Sync) -> Iterator[Hindrance]:
    if sync.first_sync_done_at is not None:
        return
    run = sync.runs.filter(kind=RunKind.FIRST_SYNC, status__in=UNDER_WAY).first()
    if run is None:
        clause = _("the first sync of “%(sync)s” hasn't been started") % {"sync": sync.name}
        fact = leading("sync", sync.pk, _("The first sync hasn't been started."), _("Start it"))
    else:
        clause = _("the first sync of “%(sync)s” began %(ago)s, and hasn't come to it yet") % {
            "sync": sync.name,
            "ago": relative(run.started_at),
        }
        fact = leading("run", run.pk, _("The first sync is under way."), _("Watch it"), run.started_at)
    yield Hindrance(Reason.FIRST_SYNC, clause, fact)


def big_run(sync: Sync) -> Run | None:
    """The run over everybody that is under way."""
    return sync.runs.filter(kind__in=BIG, status__in=UNDER_WAY).first()


def nobody_at_work(sync: Sync, due_at: datetime, now: datetime) -> Hindrance | None:
    """Whether something is due for so long that the background work can't be running."""
    alive = [moment for moment in (sync.nudged_at, sync.live_nudged_at) if moment and moment > now - IDLE_AFTER]
    if due_at > now - IDLE_AFTER or alive:
        return None
    clause = _("it was due %(ago)s, and nobody has taken it up: the background work (qcluster) doesn't seem to run") % {
        "ago": relative(due_at)
    }
    return Hindrance(Reason.NO_WORKER, clause, Fact(_("Nobody is at work on this sync: see whether qcluster runs."), due_at))
