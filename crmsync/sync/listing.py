"""The first sync and the full comparison: list both sides, match, mark everything, reconcile. Entry: `compare_all()`.

Each list is taken in page by page, and the run remembers the next page: one that is cut off goes on there, in whatever process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from crmsync import stopping
from crmsync.engine.records import SIDES, Aspect, ItemKind, Record, Side
from crmsync.models import Item as ItemRow
from crmsync.models import PageCopy, Run, RunKind, RunStatus, Sync
from crmsync.models.contact import LONG_AGO
from crmsync.sync import intake, partner
from crmsync.sync.batches import believe
from crmsync.sync.work import Work, forget_missing, note_missing, set_cursors, stamps_of
from crmsync.systems.base import ItemPage
from crmsync.systems.errors import PermissionMissing

PROBED = 5

LOST_AFTER = timedelta(seconds=20)
"""A process that hasn't said for so long that it is alive is gone."""


def compare_all(work: Work) -> None:
    """List both sides, match, mark everything, reconcile. Each phase is done once a run, by whoever holds it."""
    if not work.run.progress.get("listed"):
        _as_owner(work, lambda: _list_everything(work))
    work.drain()
    _see_what_was_created(work)
    if work.run.kind == RunKind.FIRST_SYNC:
        Sync.objects.filter(pk=work.sync.pk, first_sync_done_at=None).update(first_sync_done_at=timezone.now())
    PageCopy.objects.filter(sync=work.sync).delete()


def _see_what_was_created(work: Work) -> None:
    """Notes and tasks that this run has created, looked for by pages: one that isn't there wasn't kept, one that goes missing later was
    deleted."""
    for side in SIDES:
        for kind in sorted(work.session.systems[side].bulk_items):
            fresh = ItemRow.objects.filter(contact__sync=work.sync, kind=kind, fresh=side)
            after: str | None = None
            while kind.aspect in work.session.policy.aspects and fresh.exists():
                page = _item_page(work, side, kind, after)
                fresh.filter(**{f"{side}_id__in": [item.id for item, _owners in page.items]}).update(fresh="")
                work.beat(now=False)
                if (after := page.next) is None:
                    break


def _item_page(work: Work, side: Side, kind: ItemKind, after: str | None) -> ItemPage:
    try:
        return work.session.systems[side].item_page(kind, after)
    except PermissionMissing:
        return ItemPage(items=(), next=None)


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
        believe(work.sync, side, shown=progress[f"{side}.contacts"]["count"], known=work.sync.contacts.known_on(side).count())
    set_cursors(work.sync, {side: _known_from(progress, side) for side in SIDES})
    _match(work)
    _mark_all(work.sync)
    progress |= {"listed": True, "listed_at": timezone.now().isoformat()}
    work.beat(now=False)


def _known_from(progress: Mapping[str, Any], side: Side) -> datetime:
    """From when on changes of a side may be missing in what was listed: when we began, or the newest change listed, by the CRM's own clock,
    where that is earlier. Our clock may be an hour ahead, and an hour's changes must not be passed over; a side without anybody tells no
    time at all."""
    newest = progress.get("newest", {}).get(side)
    return min(datetime.fromisoformat(progress["began"]), datetime.fromisoformat(newest) if newest else LONG_AGO)


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
        note_missing(work.sync, error)
    else:
        forget_missing(work.sync, side)


def _list_contacts(work: Work, side: Side) -> None:
    shown = set(work.run.progress.setdefault("shown", {}).get(side, ()))

    def fetch(after: str | None) -> tuple[int, str | None]:
        read_at = timezone.now()
        page = work.session.systems[side].page(after)
        intake.take_in(work.session, page.records, read_at=read_at, keep_copies=True)
        shown.update(key for record in page.records for key, value in record.profile.items() if value is not None)
        work.run.progress["shown"][side] = sorted(shown)
        _note_newest(work.run.progress, side, page.records)
        return len(page.records), page.next

    _pages(work, f"{side}.contacts", fetch)
    if not work.run.progress[f"{side}.contacts"].get("probed"):
        _probe(work, side)


def _note_newest(progress: dict[str, Any], side: Side, records: Sequence[Record]) -> None:
    """Keep the time of the newest change listed so far."""
    newest = progress.setdefault("newest", {})
    stamps = stamps_of(records)
    if known := newest.get(side):
        stamps.append(datetime.fromisoformat(known))
    if stamps:
        newest[side] = max(stamps).isoformat()


def _probe(work: Work, side: Side) -> None:
    """Does the list show every field? Where some field was empty throughout, look at a few contacts themselves: if they have it after all,
    every contact of that side is read by itself, before any is matched by what the list left out."""
    progress, keys = work.run.progress, {row.key(side) for row in work.session.mapping}
    copies = PageCopy.objects.filter(sync=work.sync, side=side, kind=intake.CONTACT, direct=False).order_by("pk")
    unseen = keys - set(progress["shown"][side])
    few = list(copies.values_list("remote_id", flat=True)[:PROBED]) if unseen else []
    read = list(work.session.systems[side].read_many(few))
    if any(record.profile.get(key) is not None for record in read for key in unseen):
        _read_each(work, side, copies)
    progress["shown"][side] = sorted(keys)
    progress[f"{side}.contacts"]["probed"] = True
    work.beat(now=False)


def _read_each(work: Work, side: Side, copies: QuerySet[PageCopy]) -> None:
    while ids := list(copies.values_list("remote_id", flat=True)[:PROBED]):
        read_at = timezone.now()
        records = list(work.session.systems[side].read_many(ids))
        intake.take_in(work.session, records, read_at=read_at, keep_copies=True, direct=True)
        copies.filter(remote_id__in=set(ids) - {record.id for record in records}).delete()
        work.beat()


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
