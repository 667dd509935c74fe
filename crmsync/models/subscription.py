"""Reports that a person gets by e-mail."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Every(models.TextChoices):
    """The spans of time that reports are made of."""

    DAY = "day", _("day")
    WEEK = "week", _("week")
    MONTH = "month", _("month")


class ReportSubscription(models.Model):
    """A person gets the report of each day, week or month by e-mail once that is over, in the time zone where they asked.
    `sent_until`: the end of the last period sent, or when they asked: what was over before isn't sent."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="report_subscriptions")
    every = models.CharField(max_length=10, choices=Every)
    zone = models.CharField(max_length=64, default="UTC")
    sent_until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "every"], name="report_once_a_period")]
