"""Reports by e-mail: of each day, week or month that is over, once, to who asked. Entry: `send_due()`."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from smtplib import SMTPException
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.models import Every, ReportSubscription, Sync
from crmsync.sync.periods import Period, Report, period, report

log = logging.getLogger(__name__)

MAY_READ = "crmsync.view_contact"


def is_wanted() -> bool:
    return ReportSubscription.objects.exists()


def subscribe(user: User, wanted: Iterable[str], now: datetime, zone: str = "UTC") -> None:
    """The person gets the reports of these periods, beginning with the one that isn't over yet, and no others. Days are those of `zone`."""
    chosen = [Every(every) for every in wanted]
    ReportSubscription.objects.filter(user=user).exclude(every__in=chosen).delete()
    for every in chosen:
        ReportSubscription.objects.update_or_create(
            user=user, every=every, defaults={"zone": zone}, create_defaults={"zone": zone, "sent_until": now}
        )


def send_due(now: datetime) -> None:
    """Send what is over and wasn't sent. What can't be sent now is due again; who may read no reports gets none."""
    if not settings.EMAIL_URL:
        return
    for every, zone in ReportSubscription.objects.order_by("every", "zone").values_list("every", "zone").distinct():
        with timezone.override(ZoneInfo(zone)):
            _send_each(Every(every), zone, now)


def _send_each(every: Every, zone: str, now: datetime) -> None:
    over = period(every, timezone.localdate(now)).previous
    due = ReportSubscription.objects.filter(every=every, zone=zone, sent_until__lt=over.end, user__is_active=True).select_related("user")
    text = ""
    for one in due:
        if one.user.has_perm(MAY_READ):
            text = text or told(report(list(Sync.objects.all()), over))
            _send(one, over, text)


def _send(one: ReportSubscription, over: Period, text: str) -> None:
    """Taken before it is sent, so that two workers don't send it twice, and given back where it can't be."""
    mine = ReportSubscription.objects.filter(pk=one.pk, sent_until=one.sent_until)
    if not mine.update(sent_until=over.end):
        return
    try:
        send_mail(_("[crmsync] Report of %(span)s") % {"span": _span(over)}, text, None, [one.user.email])
    except (OSError, SMTPException) as error:
        log.warning("a report couldn't be sent", extra={"user": one.user_id, "error": type(error).__name__})
        ReportSubscription.objects.filter(pk=one.pk, sent_until=over.end).update(sent_until=one.sent_until)


def told(found: Report) -> str:
    """A report as plain text: numbers and causes, and no contact's name or value but what a CRM's own reason tells."""
    of, whole = found.period, found.whole
    lines = [
        _("What crmsync did on %(span)s (%(zone)s)") % {"span": _span(of), "zone": timezone.get_current_timezone_name()},
        "",
        _("Changes written: %(n)s") % {"n": f"{whole.written:,}"},
        _("Contacts touched: %(n)s") % {"n": f"{found.contacts:,}"},
        _("Changes failed: %(n)s") % {"n": f"{whole.failed:,}"},
    ]
    half, most = whole.lag(0.5), whole.lag(0.95)
    if half is not None and most is not None:
        lines.append(_("Delay: half within %(half)s s, 95 %% within %(most)s s") % {"half": f"{half:g}", "most": f"{most:g}"})
    if found.causes:
        lines += ["", _("Why changes failed:")]
        lines += [f"- {cause.n:,}: {cause.text}" for cause in found.causes]
    address = f"{settings.BASE_URL.rstrip('/')}{reverse('reports')}?every={of.every}&day={of.first}"
    return "\n".join([*lines, "", _("With charts: %(address)s") % {"address": address}, ""])


def _span(of: Period) -> str:
    return f"{of.first}" if of.first == of.last else f"{of.first} – {of.last}"
