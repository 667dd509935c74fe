"""Telling people at once of what changed for the worse or the better, by e-mail and by signed webhook. Entries: `watch()`, `deliver()`.

What is wrong now is compared with what each person knows of: one message for a change of state, never one a run. A message is a row first,
and is tried again until it is delivered or has grown too old."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from crmsync.models import LOCKED_OUT, Alarm, AlertChoice, AlertKind, AlertMessage, Connection, Health, HeldBatch, Issue, Sync
from crmsync.models.connection import new_secret
from crmsync.sync import listening, posting
from crmsync.sync.figures import oldest_unsynced
from crmsync.sync.mailing import MAY_READ

log = logging.getLogger(__name__)

TRIES = 10
FIRST_PAUSE = timedelta(minutes=1)
"""Doubled after each try in vain: the last is about nine hours after the first."""

AT_ONCE = 15
"""Each may wait for its time-out, and a job must end long before it is killed; the next one goes on."""

KEEP = timedelta(days=14)
SIGNATURE = "X-Crmsync-Signature"


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that isn't as it should be. `since`: a backlog counts only once it is older than the person chose."""

    kind: AlertKind
    key: str
    text: str
    path: str
    since: datetime | None = None


def is_wanted() -> bool:
    return AlertChoice.objects.exists()


def choose(user: User, now: datetime, *, kinds: Sequence[str], backlog_minutes: int, by_email: bool, webhook_url: str) -> AlertChoice:
    """Keep what a person chose. What is wrong already is no news, and is told when it is over."""
    values = {"kinds": list(kinds), "backlog_minutes": backlog_minutes, "by_email": by_email, "webhook_url": webhook_url}
    found = conditions(now)
    with transaction.atomic():
        choice, _is_new = AlertChoice.objects.update_or_create(user=user, defaults=values)
        choice.alarms.all().delete()
        Alarm.objects.bulk_create(_alarm(choice, one) for one in _concerning(choice, found, now))
    return choice


def renew_secret(user: User) -> str | None:
    """A new secret, which is told this once; None where there is no webhook. The old one counts no more: what its receiver refuses until it
    knows the new one is tried again for hours."""
    secret = new_secret()
    choice = AlertChoice.objects.filter(user=user).exclude(webhook_url="").first()
    if choice is None:
        return None
    choice.webhook_secret = secret
    choice.save(update_fields=["webhook_secret"])
    return secret


def send_test(user: User, now: datetime) -> None:
    """A message by each way that the person chose, sent by a job."""
    for choice in AlertChoice.objects.filter(user=user):
        _queue(choice, now, "test", "test", _("This is a test: alerts from crmsync reach you here."), reverse("notifications"))
    async_task("crmsync.jobs.tell")


def watch(now: datetime) -> None:
    """Find what began and what is over since the last look, and queue a message for each."""
    choices = list(AlertChoice.objects.select_related("user").prefetch_related("alarms"))
    found = conditions(now) if choices else []
    for choice in choices:
        known = {(alarm.kind, alarm.key): alarm for alarm in choice.alarms.all()}
        current = {(one.kind.value, one.key): one for one in _concerning(choice, found, now)}
        for key in current.keys() - known.keys():
            _began(choice, current[key], now)
        for key in known.keys() - current.keys():
            _ended(choice, known[key], now)


def deliver(now: datetime) -> None:
    """Send what is due. What can't be delivered is due again, ever later, and given up after some hours."""
    AlertMessage.objects.filter(at__lt=now - KEEP).delete()
    due = AlertMessage.objects.filter(sent_at=None, due_at__lte=now).select_related("choice__user").order_by("due_at", "id")
    for message in due[:AT_ONCE]:
        pause = FIRST_PAUSE * 2**message.attempts
        due_at = now + pause if message.attempts + 1 < TRIES else None
        mine = AlertMessage.objects.filter(pk=message.pk, attempts=message.attempts, sent_at=None)
        if mine.update(attempts=F("attempts") + 1, due_at=due_at):
            _try(message, now)


def signature(secret: str, body: bytes) -> str:
    """What the header holds: HMAC-SHA256 over the raw body, in hexadecimal."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def conditions(now: datetime) -> list[Condition]:
    """All that isn't as it should be; reads tables only."""
    issues = Issue.objects.filter(closed_at=None).select_related("sync")
    broken = Connection.objects.without_secrets().filter(health__in=[*LOCKED_OUT, Health.UNREACHABLE])
    held = HeldBatch.objects.filter(state=HeldBatch.State.HELD).select_related("sync")
    return [
        *(_condition(AlertKind.NEW_CAUSE, one.pk, one.sync.name, one.explanation, "issue") for one in issues),
        *(_condition(AlertKind.CONNECTION, one.pk, one.name, one.get_health_display(), "connection") for one in broken),
        *(_condition(AlertKind.BATCH, one.pk, one.sync.name, one.explanation, "batch") for one in held),
        *_deaf(now),
        *_backlogs(),
    ]


def _condition(kind: AlertKind, pk: int, name: str, what: str, page: str, since: datetime | None = None) -> Condition:
    return Condition(kind, str(pk), f"{name}: {what}", reverse(page, args=[pk]), since)


def _deaf(now: datetime) -> Iterable[Condition]:
    alarms = listening.alarms(now)
    for one in Connection.objects.without_secrets().filter(pk__in=alarms) if alarms else ():
        yield _condition(AlertKind.DEAFNESS, one.pk, one.name, alarms[one.pk], "connection")


def _backlogs() -> Iterable[Condition]:
    for sync in Sync.objects.live():
        if since := oldest_unsynced(sync):
            yield _condition(AlertKind.BACKLOG, sync.pk, sync.name, _("a change waits longer than it should to be written."), "sync", since)


def _concerning(choice: AlertChoice, found: Iterable[Condition], now: datetime) -> Iterable[Condition]:
    """What this person wants to be told of."""
    kinds = {*choice.kinds, *([AlertKind.NEW_CAUSE.value] if AlertKind.RECOVERED in choice.kinds else [])}
    patience = timedelta(minutes=choice.backlog_minutes)
    return [one for one in found if one.kind in kinds and (one.since is None or now - one.since > patience)]


def _alarm(choice: AlertChoice, one: Condition) -> Alarm:
    return Alarm(choice=choice, kind=one.kind, key=one.key, text=one.text, path=one.path)


@transaction.atomic
def _began(choice: AlertChoice, one: Condition, now: datetime) -> None:
    values = {"text": one.text, "path": one.path}
    _alarm_row, is_new = Alarm.objects.get_or_create(choice=choice, kind=one.kind, key=one.key, defaults=values)
    if is_new and one.kind in choice.kinds:
        _queue(choice, now, one.kind, "began", one.text, one.path)


@transaction.atomic
def _ended(choice: AlertChoice, alarm: Alarm, now: datetime) -> None:
    kind = AlertKind.RECOVERED if alarm.kind == AlertKind.NEW_CAUSE else AlertKind(alarm.kind)
    gone, _rows = Alarm.objects.filter(pk=alarm.pk).delete()
    if gone and kind in choice.kinds:
        _queue(choice, now, kind, "ended", _("Over: %(what)s") % {"what": alarm.text}, alarm.path)


def _queue(choice: AlertChoice, now: datetime, kind: str, state: str, text: str, path: str) -> None:
    ways = {AlertMessage.Via.EMAIL: choice.by_email, AlertMessage.Via.WEBHOOK: bool(choice.webhook_url)}
    for via in (via for via, is_chosen in ways.items() if is_chosen):
        AlertMessage.objects.create(choice=choice, via=via, kind=kind, state=state, text=text, path=path, at=now, due_at=now)


def _try(message: AlertMessage, now: datetime) -> None:
    user = message.choice.user
    try:
        if not (user.is_active and user.has_perm(MAY_READ)):
            raise posting.NotDelivered(_("This person may not see crmsync any more."))
        _by_email(message) if message.via == AlertMessage.Via.EMAIL else _by_webhook(message)
    except posting.NotDelivered as error:
        log.warning("an alert couldn't be delivered", extra={"alert": message.pk, "via": message.via})
        AlertMessage.objects.filter(pk=message.pk).update(failure=str(error)[:300])
    else:
        AlertMessage.objects.filter(pk=message.pk).update(sent_at=now, due_at=None, failure="")


def _address(path: str) -> str:
    return settings.BASE_URL.rstrip("/") + path


def _by_email(message: AlertMessage) -> None:
    if not settings.EMAIL_URL:
        raise posting.NotDelivered(_("No e-mail can be sent from here yet."))
    subject = f"[crmsync] {message.text.splitlines()[0][:120]}"
    try:
        send_mail(subject, f"{message.text}\n\n{_address(message.path)}\n", None, [message.choice.user.email])
    except (OSError, SMTPException) as error:
        raise posting.NotDelivered(_("The mail server refused it (%(error)s).") % {"error": type(error).__name__}) from error


def _by_webhook(message: AlertMessage) -> None:
    choice = message.choice
    if not choice.webhook_url:
        raise posting.NotDelivered(_("There is no address to send it to any more."))
    told = {"id": str(message.public_id), "kind": message.kind, "state": message.state, "text": message.text}
    body = json.dumps({**told, "url": _address(message.path), "at": message.at.isoformat()}).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "crmsync", SIGNATURE: signature(choice.webhook_secret, body)}
    posting.post(choice.webhook_url, body, headers)
