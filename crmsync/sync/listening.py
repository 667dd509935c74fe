"""How well a connection hears: what its webhooks told, what was found without them, and whether it has gone deaf. Reads tables only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync.engine.records import Side
from crmsync.models import Connection, Event, Tally

COVERAGE_OVER = timedelta(days=7)
DEAF_AFTER = timedelta(hours=3)
DEAF_FROM = 10
"""So many changes found in those hours, and no webhook: fewer may be of a kind that no webhook tells."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """How often something came, and when last."""

    count: int
    last_at: datetime


def coverage(connection: Connection) -> float | None:
    """The share (0 to 1) of the last week's changes that a webhook had told of before a poll found them; None where there were none."""
    counts = _counts(connection, timezone.now() - COVERAGE_OVER, ["announced", "found"])
    total = sum(counts.values())
    return counts.get("announced", 0) / total if total else None


def coverages() -> dict[int, float]:
    """`coverage` of all connections that heard or found anything, by id: one query."""
    rows = Tally.objects.filter(hour__gte=timezone.now() - COVERAGE_OVER, name__in=["announced", "found"]).values("connection")
    found = rows.annotate(n=Sum("count"), told=Sum("count", filter=Q(name="announced"))).values_list("connection", "n", "told")
    return {pk: (told or 0) / n for pk, n, told in found if n}


def last_event(connection: Connection) -> datetime | None:
    """When the last webhook came. The events themselves are pruned long before what is counted of them."""
    newest = Event.objects.filter(connection=connection).order_by("-id").first()
    if newest is not None:
        return newest.received_at
    return max((arrived.last_at for arrived in arrivals(connection).values()), default=None)


def echoes(connection: Connection) -> int:
    """How many webhooks told of nothing but our own writes."""
    return Tally.objects.filter(connection=connection, name="echo").aggregate(n=Sum("count"))["n"] or 0


def refused(connection: Connection) -> dict[str, int]:
    """How many webhooks were turned away, by reason."""
    return {reason: arrived.count for reason, arrived in refusals(connection).items()}


def refusals(connection: Connection) -> dict[str, Arrived]:
    return _by_suffix(connection, "refused:")


def arrivals(connection: Connection) -> dict[str, Arrived]:
    """What came, by the CRM's own names of its events."""
    return _by_suffix(connection, "event:")


def deafness(connection: Connection, now: datetime) -> str:
    """The alarm, in a sentence: webhooks were heard once, or should be; now others change things and none comes. "" where all is well."""
    if connection.paused_at is not None:
        return ""
    found = _counts(connection, now - DEAF_AFTER, ["found"]).get("found", 0)
    if found < DEAF_FROM:
        return ""
    heard_at = last_event(connection)
    if not (heard_at or connection.hooks_wanted) or (heard_at and heard_at > now - DEAF_AFTER):
        return ""
    return f"{_silence(found, heard_at, now)} {_what_to_check(connection, now)}"


def alarms(now: datetime) -> dict[int, str]:
    """The alarm of each connection that has gone deaf, by its id. One query where none is likely to have."""
    found = Tally.objects.filter(hour__gte=now - DEAF_AFTER, name="found").values("connection")
    suspects = found.annotate(n=Sum("count")).filter(n__gte=DEAF_FROM).values("connection")
    told = {one.pk: deafness(one, now) for one in Connection.objects.without_secrets().filter(pk__in=suspects)}
    return {pk: alarm for pk, alarm in told.items() if alarm}


def _silence(found: int, heard_at: datetime | None, now: datetime) -> str:
    if heard_at is None:
        return _("Polling found %(found)d changes, and no webhook has come yet.") % {"found": found}
    hours = int((now - heard_at).total_seconds() // 3600)
    text = ngettext(
        "Polling found %(found)d changes, no webhook for %(hours)d hour.",
        "Polling found %(found)d changes, no webhook for %(hours)d hours.",
        hours,
    )
    return text % {"found": found, "hours": hours}


def _what_to_check(connection: Connection, now: datetime) -> str:
    recent = {reason: one.count for reason, one in refusals(connection).items() if one.last_at > now - DEAF_AFTER}
    if recent:
        return _("Webhooks came and were refused (%(reasons)s): check the address and the keys.") % {"reasons": ", ".join(sorted(recent))}
    if connection.side is Side.GHL:
        return _("Check the webhook address and the chosen events in the app's settings, and that this server can be reached from outside.")
    return _("Press “Check and repair”, and make sure that this server can be reached from outside.")


def _counts(connection: Connection, since: datetime, names: list[str]) -> dict[str, int]:
    """Of the hours that began since then."""
    rows = Tally.objects.filter(connection=connection, hour__gte=since, name__in=names).values_list("name")
    return dict(rows.annotate(n=Sum("count")).values_list("name", "n"))


def _by_suffix(connection: Connection, prefix: str) -> dict[str, Arrived]:
    rows = Tally.objects.filter(connection=connection, name__startswith=prefix).values_list("name")
    found = rows.annotate(n=Sum("count"), last=Max("last_at")).values_list("name", "n", "last").order_by("name")
    return {name.removeprefix(prefix): Arrived(n, last) for name, n, last in found}
