"""Runs: the first sync, the full comparison, the poll, the retry. Each lists, marks what is dirty, and drains.

A run keeps where it is in its row (`progress`), so that one cut off is taken up by whoever comes next. Runs never exclude each other:
contacts are leased one by one, and a second process at the same run drains with the first.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync import stopping
from crmsync.engine.records import SIDES, Aspect, ItemKind, Side
from crmsync.models import Cause, Contact, PageCopy, Run, RunKind, RunStatus, Status, Sync
from crmsync.sync import intake, outcome, partner
from crmsync.sync.drain import REST_FOR, HandedOver, OutOfOrder, drain, is_paused, refuse
from crmsync.sync.heartbeat import Heartbeat
from crmsync.sync.session import Session, open_session
from crmsync.systems.base import Page
from crmsync.systems.errors import NAMES, CredentialsRefused, CrmError, PermissionMissing

log = logging.getLogger(__name__)

LOST_AFTER = timedelta(seconds=20)
OVERLAP = {Side.GHL: timedelta(seconds=90), Side.CENTRALSTATION: timedelta(seconds=150)}
"""A cursor looks so far back: GHL's index lags, CentralStation's stamps have seconds, clocks differ."""

CAUSES = {RunKind.FIRST_SYNC: Cause.FIRST_SYNC, RunKind.FULL: Cause.FULL, RunKind.POLL: Cause.POLL, RunKind.RETRY: Cause.RETRY}
BIG = (RunKind.FIRST_SYNC, RunKind.FULL)
"""Runs that list everything, and verify in bulk."""

UNDER_WAY = (RunStatus.RUNNING, RunStatus.INTERRUPTED)
"""Runs that go on: an interrupted one has met an account that was out of order, and is taken up after a rest."""

FAR_PAGES = 40
"""A poll looks through so many pages of open tasks or new notes at most; a full comparison finds the rest."""


class Work:
    """One process at a run: counts what it costs and says that it is alive, until `until` (monotonic; None: to the end)."""

    def __init__(self, run: Run, session: Session, until: float | None = None) -> None:
        self.run = run
        self.session = session
        self.until = until
        self.me = uuid.uuid4().hex
        self._told: Counter[str] = Counter()
        self._telling = threading.Lock()

    @property
    def sync(self) -> Sync:
        return self.session.sync

    def beat(self, *, now: bool = True) -> None:
        """Store how far we are. Raises `Stopped` or `HandedOver` where this is a good place to end."""
        Run.objects.filter(pk=self.run.pk, owner=self.me).update(progress=self.run.progress)
        self.tell()
        if stopping.is_requested():
            raise stopping.Stopped
        if (now and self.until is not None and time.monotonic() > self.until) or is_paused(self.sync):
            raise HandedOver

    def tell(self) -> None:
        """Add what was done since the last time to the run's counts, and say that we are alive, if the run is ours or everybody's."""
        with self._telling, transaction.atomic():
            run = Run.objects.select_for_update().get(pk=self.run.pk)
            with self.session.lock:
                now = Counter({f"calls.{side}": n for side, n in self.session.calls.items()})
                now.update({f"counts.{what}": n for what, n in self.session.counts.items()})
            for name, n in (now - self._told).items():
                group, _, key = name.partition(".")
                counts = run.calls if group == "calls" else run.counts
                counts[key] = counts.get(key, 0) + n
            self._told = now
            if run.owner in ("", self.me):
                run.heartbeat_at = timezone.now()
            run.save(update_fields=["calls", "counts", "heartbeat_at"])


def begin(sync: Sync, kind: RunKind, by: AbstractBaseUser | None = None) -> Run:
    """The run of this kind that is under way, else a new one."""
    under_way = sync.runs.filter(kind=kind, status__in=UNDER_WAY).first() if kind != RunKind.RETRY else None
    if under_way is None:
        return Run.objects.create(sync=sync, kind=kind, by_id=by.pk if by else None)
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
    with open_session(sync, CAUSES[kind], run=run, by=run.by, is_bulk=kind in BIG) as session:
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
        except CrmError as error:
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
    work.tell()
    Run.objects.filter(pk=work.run.pk).update(status=status, reason=reason, ended_at=timezone.now(), owner="")
    outcome.close_issues(work.sync)


# The first sync and the full comparison


def _compare_all(work: Work) -> None:
    """List both sides, match, mark everything, reconcile. Each phase is done once a run, by whoever holds it."""
    if not work.run.progress.get("listed"):
        _as_owner(work, lambda: _list_everything(work))
    _drain(work)
    if work.run.kind == RunKind.FIRST_SYNC:
        Sync.objects.filter(pk=work.sync.pk, first_sync_done_at=None).update(first_sync_done_at=timezone.now())
    PageCopy.objects.filter(sync=work.sync).delete()


def _as_owner(work: Work, action: Callable[[], None]) -> None:
    """Run `action` in one process only; others wait until it is done, and take over when its process is gone."""
    while True:
        lost = Q(heartbeat_at=None) | Q(heartbeat_at__lt=timezone.now() - LOST_AFTER) | Q(owner="")
        if Run.objects.filter(lost, pk=work.run.pk).update(owner=work.me, heartbeat_at=timezone.now()):
            work.run.refresh_from_db()
            if not work.run.progress.get("listed"):
                action()
            Run.objects.filter(pk=work.run.pk, owner=work.me).update(owner="", progress=work.run.progress)
            return
        stopping.wait(0.5)
        work.run.refresh_from_db()
        if work.run.progress.get("listed") or work.run.status != RunStatus.RUNNING:
            return


def _list_everything(work: Work) -> None:
    """Notes and tasks first, so that a person read afterwards is never older than what hangs on it."""
    progress = work.run.progress
    progress.setdefault("began", timezone.now().isoformat())
    for side in SIDES:
        for kind in sorted(work.session.systems[side].bulk_items):
            if kind.aspect in work.session.policy.aspects:
                _list_items(work, side, kind)
    for side in SIDES:
        _list_contacts(work, side)
    began = datetime.fromisoformat(progress["began"])
    _set_cursors(work.sync, dict.fromkeys(SIDES, began))
    _match(work)
    _mark_all(work.sync)
    progress["listed"] = True
    work.beat(now=False)


def _pages(work: Work, name: str, fetch: Callable[[str | None], tuple[int, str | None]]) -> None:
    """Fetch page after page of one list, from where the run is; each page counts and is a place to stop."""
    at = work.run.progress.setdefault(name, {"next": None, "count": 0, "done": False})
    while not at["done"]:
        count, at["next"] = fetch(at["next"])
        at["count"] += count
        at["done"] = at["next"] is None
        work.beat()


def _list_items(work: Work, side: Side, kind: ItemKind) -> None:
    def fetch(after: str | None) -> tuple[int, str | None]:
        read_at = timezone.now()
        page = work.session.systems[side].item_page(kind, after)
        intake.keep_items(work.sync, side, kind, page.items, read_at=read_at)
        return len(page.items), page.next

    try:
        _pages(work, f"{side}.{kind}", fetch)
    except PermissionMissing as error:
        work.run.progress[f"{side}.{kind}"] = {"next": None, "count": 0, "done": False, "missing": error.scope}
        _notice(work.sync, error)
    else:
        _forget_notice(work.sync, side)


def _list_contacts(work: Work, side: Side) -> None:
    shown = set(work.run.progress.setdefault("shown", {}).get(side, ()))

    def fetch(after: str | None) -> tuple[int, str | None]:
        read_at = timezone.now()
        page = work.session.systems[side].page(after)
        intake.take_in(work.session, page.records, read_at=read_at, keep_copies=True)
        shown.update(key for record in page.records for key, value in record.profile.items() if value is not None)
        work.run.progress["shown"][side] = sorted(shown)
        return len(page.records), page.next

    _pages(work, f"{side}.contacts", fetch)


def _match(work: Work) -> None:
    """Link what is certain before anything is written: that asks no CRM."""
    unlinked = work.sync.contacts.wanted().filter(centralstation_id=None, kept_apart=False)
    last = 0
    while batch := list(partner.with_namesakes(unlinked).filter(pk__gt=last).order_by("pk")[:200]):
        for contact in batch:
            partner.link_now(contact, Side.GHL, work.sync.match_by)
        last = batch[-1].pk
        work.beat(now=False)


def _mark_all(sync: Sync) -> None:
    """In small transactions: a big one would keep every other writer of SQLite waiting."""
    now, last = timezone.now(), 0
    contacts = sync.contacts.wanted()
    while batch := list(contacts.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:1000]):
        contacts.filter(pk__in=batch).mark_dirty(Aspect.ALL, now, is_suspect=False)
        last = batch[-1]


# The poll


def _poll(work: Work) -> None:
    notes_since = datetime.fromisoformat(work.sync.cursors[Side.CENTRALSTATION]) - OVERLAP[Side.CENTRALSTATION]
    for side in SIDES:
        _poll_side(work, side)
    if Aspect.TASKS in work.session.policy.aspects:
        _poll_open_tasks(work)
    if Aspect.NOTES in work.session.policy.aspects:
        _poll_new_notes(work, notes_since)
    for side in SIDES:
        _compare_totals(work, side)
    intake.mark_reviews(work.sync)
    _drain(work)


def _poll_side(work: Work, side: Side) -> None:
    """Take in what changed since the cursor. It moves when all pages are in; what they marked dirty is kept in the contacts."""
    cursor = datetime.fromisoformat(work.sync.cursors[side])
    newest, after = cursor, None
    while True:
        read_at = timezone.now()
        page: Page = work.session.systems[side].changed(cursor - OVERLAP[side], after)
        intake.take_in(work.session, page.records, read_at=read_at, keep_copies=False)
        newest = max([newest, *(record.updated_at for record in page.records if record.updated_at)])
        work.beat(now=False)
        if (after := page.next) is None:
            break
    _set_cursors(work.sync, {side: newest})


def _poll_open_tasks(work: Work) -> None:
    """GHL tells of no change of a task: compare the open ones. One that was open and isn't listed any more was done or deleted."""
    system, listed, after = work.session.systems[Side.GHL], set(), None
    try:
        for _page in range(FAR_PAGES):
            page = system.item_page(ItemKind.TASK, after, open_only=True)
            listed |= {item.id for item, _ in page.items}
            intake.mark_differing_items(work.session, Side.GHL, ItemKind.TASK, page.items)
            if (after := page.next) is None:
                intake.mark_vanished_tasks(work.session, Side.GHL, listed)
                break
            work.beat(now=False)
    except PermissionMissing as error:
        _notice(work.sync, error)
    else:
        _forget_notice(work.sync, Side.GHL)


def _poll_new_notes(work: Work, since: datetime) -> None:
    """CentralStation's notes, newest first, as far back as the last poll."""
    system, after = work.session.systems[Side.CENTRALSTATION], None
    for _page in range(FAR_PAGES):
        page = system.item_page(ItemKind.NOTE, after)
        new = [(item, owners) for item, owners in page.items if item.created_at is None or item.created_at >= since]
        intake.mark_differing_items(work.session, Side.CENTRALSTATION, ItemKind.NOTE, new)
        if not new or (after := page.next) is None:
            break
        work.beat(now=False)


def _compare_totals(work: Work, side: Side) -> None:
    """A side whose total isn't the number of contacts we know has lost some, or has some that no list of changes told of: look for them."""
    known = work.sync.contacts.filter(**{f"{side}_id__isnull": False}).exclude(missing_on=side)
    if work.session.systems[side].total() == known.count():
        return
    began, after, seen = timezone.now(), None, set()
    while True:
        page = work.session.systems[side].page(after)
        intake.take_in(work.session, page.records, read_at=began, keep_copies=False)
        seen |= {record.id for record in page.records}
        work.beat(now=False)
        if (after := page.next) is None:
            break
    lost = [pk for pk, remote_id in known.values_list("pk", f"{side}_id").iterator() if remote_id not in seen]
    for start in range(0, len(lost), 500):
        some = Contact.objects.filter(pk__in=lost[start : start + 500])
        some.update(missing_on=side)
        some.mark_dirty(Aspect.ALL, timezone.now())


# What all runs share


def _retry(work: Work) -> None:
    _drain(work)


def _drain(work: Work) -> None:
    """Work off what is due."""
    drain(work.session, until=work.until)
    work.beat()


def _set_cursors(sync: Sync, times: dict[Side, datetime]) -> None:
    with transaction.atomic():
        row = Sync.objects.select_for_update().get(pk=sync.pk)
        row.cursors |= {str(side): time.isoformat() for side, time in times.items()}
        row.save(update_fields=["cursors"])
    sync.cursors = row.cursors


def _notice(sync: Sync, error: PermissionMissing) -> None:
    sync.notices[error.side] = _("%(crm)s: the permission “%(scope)s” is missing. It is worked round, with more requests.") % {
        "crm": NAMES[error.side],
        "scope": error.scope,
    }
    Sync.objects.filter(pk=sync.pk).update(notices=sync.notices)


def _forget_notice(sync: Sync, side: Side) -> None:
    if sync.notices.pop(side, None) is not None:
        Sync.objects.filter(pk=sync.pk).update(notices=sync.notices)


def due_again(contacts: Iterable[int] | None, sync: Sync) -> None:
    """A person pressed: what waits for its next try is due once, now."""
    waiting = sync.contacts.wanted().filter(dirty__gt=0, status__in=[Status.FAILED, Status.WAITING])
    if contacts is not None:
        waiting = waiting.filter(pk__in=contacts)
    waiting.update(due_at=timezone.now())


_STEPS: dict[RunKind, Callable[[Work], None]] = {
    RunKind.FIRST_SYNC: _compare_all,
    RunKind.FULL: _compare_all,
    RunKind.POLL: _poll,
    RunKind.RETRY: _retry,
}
