"""What changed while a person was away: since the end of their last visit to the overview."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync.models import Change, HeldBatch, Issue, Result, Run, RunStatus, Sync, Visit

AWAY_AFTER = timedelta(minutes=30)
"""Who opens the overview again within this long hasn't been away."""

LOOK_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Happening:
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Away:
    """`since`: when the person was last seen. `happenings`: what happened then, nothing where all went on as it was."""

    since: datetime
    happenings: list[Happening]


def visit(user: User, now: datetime) -> datetime | None:
    """Note that a person opened the overview. Returns the end of their visit before; None at the first."""
    one, is_new = Visit.objects.get_or_create(user=user, defaults={"seen_at": now})
    if is_new:
        return None
    since = one.seen_at if now - one.seen_at > AWAY_AFTER else one.since
    Visit.objects.filter(pk=one.pk).update(seen_at=now, since=since)
    return since


def away(user: User, syncs: Iterable[Sync], now: datetime) -> Away | None:
    """None where the person was never here before. Looks back 30 days at most."""
    since = visit(user, now)
    if since is None:
        return None
    since = max(since, now - LOOK_BACK)
    return Away(since, [*_written(syncs, since), *_causes(since), *_stopped(since)])


def _written(syncs: Iterable[Sync], since: datetime) -> Iterable[Happening]:
    failed = Q(result__in=[Result.FAILED, Result.NOT_KEPT])
    n = Change.objects.filter(sync__in=syncs, at__gte=since).aggregate(
        all=Count("pk"), failed=Count("pk", filter=failed), contacts=Count("contact", distinct=True)
    )
    if done := n["all"] - n["failed"]:
        text = ngettext("%(n)s change written", "%(n)s changes written", done) % {"n": f"{done:,}"}
        contacts = ngettext("%(n)s contact", "%(n)s contacts", n["contacts"]) % {"n": f"{n['contacts']:,}"}
        yield Happening(_("%(changes)s (%(contacts)s)") % {"changes": text, "contacts": contacts}, reverse("runs"))
    if n["failed"]:
        text = ngettext("%(n)s change failed", "%(n)s changes failed", n["failed"])
        yield Happening(text % {"n": f"{n['failed']:,}"}, f"{reverse('contacts')}?status=failed")


def _causes(since: datetime) -> Iterable[Happening]:
    new = Q(first_seen__gte=since) | Q(reopened_at__gte=since)
    n = Issue.objects.filter(new | Q(closed_at__gte=since)).aggregate(
        new=Count("pk", filter=new & Q(closed_at=None)), over=Count("pk", filter=Q(closed_at__gte=since))
    )
    if n["new"]:
        text = ngettext("%(n)s new cause of failure", "%(n)s new causes of failure", n["new"])
        yield Happening(text % {"n": n["new"]}, reverse("issues"))
    if n["over"]:
        text = ngettext("%(n)s cause of failure is over", "%(n)s causes of failure are over", n["over"])
        yield Happening(text % {"n": n["over"]}, f"{reverse('issues')}?state=closed")


def _stopped(since: datetime) -> Iterable[Happening]:
    if failed := Run.objects.filter(status=RunStatus.FAILED, started_at__gte=since).count():
        yield Happening(ngettext("%(n)s run failed", "%(n)s runs failed", failed) % {"n": f"{failed:,}"}, reverse("runs"))
    if held := HeldBatch.objects.filter(state=HeldBatch.State.HELD, opened_at__gte=since).count():
        text = ngettext("%(n)s batch was held for your yes", "%(n)s batches were held for your yes", held)
        yield Happening(text % {"n": held}, reverse("overview"))
