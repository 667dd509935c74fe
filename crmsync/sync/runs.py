"""Runs: the first sync, the full comparison, the poll, the retry. Beginning one, doing it, and what becomes of it.

A run keeps where it is in its row (`progress`), so that one cut off is taken up by whoever comes next. Runs never exclude each other:
contacts are leased one by one, and a second process at the same run drains with the first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import timezone

from crmsync import stopping
from crmsync.engine.records import Side
from crmsync.models import Cause, PageCopy, Run, RunKind, RunStatus, Sync
from crmsync.sync import canary, outcome
from crmsync.sync.batches import SideVanished
from crmsync.sync.drain import HandedOver, OutOfOrder, reachable, refuse, unreachable
from crmsync.sync.heartbeat import Heartbeat
from crmsync.sync.listing import LOST_AFTER, compare_all
from crmsync.sync.polling import poll
from crmsync.sync.session import open_session
from crmsync.sync.undoing import undo
from crmsync.sync.work import Work
from crmsync.systems.errors import CredentialsRefused, CrmError, TryLater

__all__ = ["BIG", "LOST_AFTER", "UNDER_WAY", "begin", "due_again", "kind_of_next_run", "work_on"]

CAUSES = {
    RunKind.FIRST_SYNC: Cause.FIRST_SYNC,
    RunKind.FULL: Cause.FULL,
    RunKind.POLL: Cause.POLL,
    RunKind.RETRY: Cause.AUTOMATIC_RETRY,  # a contact that a person asked for says so itself; what else is due comes along
    RunKind.UNDO: Cause.UNDO,
}
BIG = (RunKind.FIRST_SYNC, RunKind.FULL)
"""Runs that list everything, and verify in bulk."""

REST_FOR = timedelta(seconds=15)
"""A run that lists everything and met an error that is nobody's outage is taken up after so long."""

UNDER_WAY = (RunStatus.RUNNING, RunStatus.INTERRUPTED)
"""Runs that go on: an interrupted one has met an account that was out of order, and is taken up after a rest."""


def begin(sync: Sync, kind: RunKind, by: AbstractBaseUser | None = None, *, is_asked: bool = False) -> Run:
    """The run of this kind that is under way, else a new one. `is_asked`: a person wants it, and a poll that came by itself isn't that."""
    runs = sync.runs.filter(kind=kind, status__in=UNDER_WAY)
    if is_asked and kind == RunKind.POLL:
        runs = runs.filter(is_asked=True)
    under_way = runs.first() if kind != RunKind.RETRY else None
    if under_way is None:
        return Run.objects.create(sync=sync, kind=kind, by_id=by.pk if by else None, is_asked=is_asked)
    Run.objects.filter(pk=under_way.pk).update(status=RunStatus.RUNNING, ended_at=None, reason="")
    return under_way


def kind_of_next_run(sync: Sync, *, full: bool) -> RunKind:
    if sync.first_sync_done_at is None:
        return RunKind.FIRST_SYNC
    return RunKind.FULL if full else RunKind.POLL


def work_on(run: Run, *, until: float | None = None) -> Run:
    """Do a run, or go on with it. Comes back with its state: done, failed with a reason, or running still when `until` came first.

    Raises `stopping.Stopped` after leaving the run where it can be taken up."""
    sync = Sync.objects.select_related("ghl", "centralstation").get(pk=run.sync_id)
    kind = RunKind(run.kind)
    Run.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING, reason="")
    cause = Cause.RUN if kind == RunKind.POLL and run.is_asked else CAUSES[kind]
    with open_session(sync, cause, run=run, by=run.by, is_bulk=kind in BIG) as session:
        work = Work(run, session, until)
        try:
            with Heartbeat(work.tell):
                _STEPS[kind](work)
            _end(work, RunStatus.DONE)
        except HandedOver:
            _leave(work)
        except stopping.Stopped:
            _leave(work)
            raise
        except OutOfOrder as fault:
            _end(work, RunStatus.FAILED, fault.reason)
        except SideVanished as fault:
            PageCopy.objects.filter(sync=sync).delete()
            _close(work, RunStatus.FAILED, fault.reason)
        except CrmError as error:
            if isinstance(error, TryLater):
                unreachable(sync, error)
            if isinstance(error, CredentialsRefused):
                refuse(sync.ghl if error.side is Side.GHL else sync.centralstation, error)
            reason, _what, _subject = outcome.explain(error)
            _end(work, RunStatus.FAILED, reason)
    run.refresh_from_db()
    return run


def _leave(work: Work) -> None:
    """Let go of a run, for whoever comes next to take up."""
    work.tell()
    Run.objects.filter(pk=work.run.pk, owner__in=["", work.me]).update(heartbeat_at=None, owner="")


def _end(work: Work, status: RunStatus, reason: str = "") -> None:
    """Close a run. One that lists everything isn't over by a failure: it rests, and is taken up where it was."""
    if status == RunStatus.FAILED and work.run.kind in BIG:
        _leave(work)
        Run.objects.filter(pk=work.run.pk).update(status=RunStatus.INTERRUPTED, reason=reason)
        Sync.objects.filter(pk=work.sync.pk).update(rest_until=timezone.now() + REST_FOR)
        return
    _close(work, status, reason)


def _close(work: Work, status: RunStatus, reason: str) -> None:
    work.tell()
    if status == RunStatus.DONE and work.run.kind != RunKind.RETRY:
        reachable(work.sync)
    Run.objects.filter(pk=work.run.pk).update(status=status, reason=reason, ended_at=timezone.now(), owner="")
    outcome.close_issues(work.sync)


def due_again(sync: Sync, by: AbstractBaseUser | None = None) -> None:
    """A person pressed: what waits for its next try is due once, now; what waits for its cause to be put right is tried again, one first.
    What the brake holds waits for a word about itself."""
    waiting = sync.contacts.wanted().filter(dirty__gt=0, held_by=None, status__in=canary.STUCK)
    canary.retry_chosen(waiting.filter(due_at=None), by)
    waiting.exclude(due_at=None).update(due_at=timezone.now())


_STEPS: dict[RunKind, Callable[[Work], None]] = {
    RunKind.FIRST_SYNC: compare_all,
    RunKind.FULL: compare_all,
    RunKind.POLL: poll,
    RunKind.RETRY: Work.drain,
    RunKind.UNDO: undo,
}
