"""The poll: what changed since each side's cursor, what no list of changes tells, and whether a side has lost contacts. Entry: `poll()`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from crmsync.engine.records import SIDES, Aspect, ItemKind, Side
from crmsync.models import Contact, Run, Sync
from crmsync.sync import intake
from crmsync.sync.batches import believe
from crmsync.sync.work import OVERLAP, Work, forget_missing, note_missing, set_cursors, stamps_of
from crmsync.systems.base import Page
from crmsync.systems.errors import NotFound, PermissionMissing, UnexpectedAnswer

FAR_PAGES = 40
"""A poll looks through so many pages of open tasks or new notes at most; a full comparison finds the rest."""


SHARE = 0.25
"""Of the rate that polls take: one that costs much is made less often."""


def next_poll(sync: Sync, run: Run) -> datetime:
    """When to look for changes again after this poll: as often as the sync says, unless that costs more than a poll's share."""
    budgets = {Side.GHL: sync.ghl.budget, Side.CENTRALSTATION: sync.centralstation.budget}
    cost_s = max(run.calls.get(str(side), 0) * budget.window_s / (budget.limit * SHARE) for side, budget in budgets.items())
    return run.started_at + timedelta(seconds=max(sync.poll_every_s, cost_s))


def poll(work: Work) -> None:
    totals = {side: _total_to_believe(work, side) for side in SIDES}
    notes_since = datetime.fromisoformat(work.sync.cursors[Side.CENTRALSTATION]) - OVERLAP[Side.CENTRALSTATION]
    for side in SIDES:
        _poll_side(work, side)
    if Aspect.TASKS in work.session.policy.aspects:
        for side in SIDES:
            _poll_open_tasks(work, side)
    if Aspect.NOTES in work.session.policy.aspects:
        _poll_new_notes(work, notes_since)
    for side in SIDES:
        _compare_totals(work, side, totals[side])
    intake.mark_reviews(work.sync)
    work.drain()


def _poll_side(work: Work, side: Side) -> None:
    """Take in what changed since the cursor. It moves when all pages are in; what they marked dirty is kept in the contacts."""
    cursor = datetime.fromisoformat(work.sync.cursors[side])
    newest, after = cursor, None
    while True:
        read_at = timezone.now()
        page: Page = work.session.systems[side].changed(cursor - OVERLAP[side], after)
        intake.take_in(work.session, page.records, read_at=read_at, keep_copies=False)
        newest = max([newest, *stamps_of(page.records)])
        work.beat(now=False)
        if (after := page.next) is None:
            break
    set_cursors(work.sync, {side: newest})


def _poll_open_tasks(work: Work, side: Side) -> None:
    """No list of changes surely tells of a task: compare the open ones. One that was open and isn't listed any more was done or deleted."""
    system, listed, after = work.session.systems[side], set(), None
    try:
        for _page in range(FAR_PAGES):
            page = system.item_page(ItemKind.TASK, after, open_only=True)
            listed |= {item.id for item, _ in page.items}
            intake.mark_differing_items(work.session, side, ItemKind.TASK, page.items)
            if (after := page.next) is None:
                intake.mark_vanished_tasks(work.session, side, listed)
                break
            work.beat(now=False)
    except PermissionMissing as error:
        note_missing(work.sync, error)
    else:
        forget_missing(work.sync, side)


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


def _total(work: Work, side: Side) -> int | None:
    """How many contacts a side has; None where the account doesn't tell: then a full comparison finds what is lost."""
    try:
        return work.session.systems[side].total()
    except (NotFound, UnexpectedAnswer):
        return None


def _total_to_believe(work: Work, side: Side) -> int | None:
    """Before anything else: has a side come back empty, or half empty?"""
    total = _total(work, side)
    if total is not None:
        believe(work.sync, side, shown=total, known=work.sync.contacts.known_on(side).count())
    return total


def _compare_totals(work: Work, side: Side, total: int | None) -> None:
    """A side whose total isn't the number of contacts we know has lost some, or has some that no list of changes told of: look for them."""
    known = work.sync.contacts.known_on(side)
    if total in (None, known.count()) or _total(work, side) in (None, known.count()):
        return
    began, after, seen = timezone.now(), None, set()
    while True:
        page = work.session.systems[side].page(after)
        intake.take_in(work.session, page.records, read_at=began, keep_copies=False)
        seen |= {record.id for record in page.records}
        work.beat(now=False)
        if (after := page.next) is None:
            break
    believe(work.sync, side, shown=len(seen), known=known.count())
    lost = [pk for pk, remote_id in known.values_list("pk", f"{side}_id").iterator() if remote_id not in seen]
    for start in range(0, len(lost), 500):
        some = Contact.objects.filter(pk__in=lost[start : start + 500])
        some.update(missing_on=side)
        some.mark_dirty(Aspect.ALL, timezone.now())
