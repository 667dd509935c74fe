"""Webhooks as they arrived, and what is counted of them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crmsync.models.connection import Connection


class EventQuerySet(models.QuerySet["Event"]):
    def waiting(self) -> EventQuerySet:
        """Stored and not handled yet, in the order of arrival."""
        return self.filter(handled_at=None).order_by("id")


class Event(models.Model):
    """One webhook: stored raw before it is answered, then handled. It is a hint which contact to read, never the truth.

    `via` is the address it came by; `type` the CRM's own name of it (`ContactUpdate`, `Person.update`), "" where it gave none."""

    class Via(models.TextChoices):
        APP = "app", _("signed by GoHighLevel")
        WORKFLOW = "workflow", _("a GoHighLevel workflow")
        HOOK = "hook", _("a CentralStationCRM webhook")

    class Outcome(models.TextChoices):
        USED = "used", _("used")
        NOT_USED = "not_used", _("not used")
        UNKNOWN = "unknown", _("about nobody known")

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="events")
    via = models.CharField(max_length=10, choices=Via)
    type = models.CharField(max_length=80, blank=True)
    webhook_id = models.CharField(max_length=100, null=True)
    body = models.TextField()
    received_at = models.DateTimeField(auto_now_add=True)
    handled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "webhook_id"], condition=Q(webhook_id__isnull=False), name="event_once_a_webhook_id"
            )
        ]
        indexes = [
            models.Index(fields=["connection", "id"], condition=Q(handled_at__isnull=True), name="event_waiting"),
            models.Index(fields=["received_at"], name="event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.type or self.via} {self.pk}"


class Tally(models.Model):
    """How often something happened on a connection in an hour (`hour` is when it began, UTC), and when last.

    Names: `event:TYPE` (one was handled), `refused:REASON` (one was turned away), `echo` (it told only of our own write), `announced` (it
    told of a change), `found` (a poll or comparison found a change of a contact that no event had told of)."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="tallies")
    hour = models.DateTimeField()
    name = models.CharField(max_length=100)
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "hour", "name"], name="tally_once_an_hour")]

    @classmethod
    def add(cls, connection_id: int, name: str, n: int = 1) -> None:
        now = timezone.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        row, is_new = cls.objects.get_or_create(
            connection_id=connection_id, hour=hour, name=name[:100], defaults={"count": n, "last_at": now}
        )
        if not is_new:
            cls.objects.filter(pk=row.pk).update(count=F("count") + n, last_at=now)

    @classmethod
    def take_back(cls, connection_id: int, name: str) -> None:
        """One that was counted lately proved to be something else."""
        row = cls.objects.filter(connection_id=connection_id, name=name, count__gt=0).order_by("-hour").first()
        if row is not None:
            cls.objects.filter(pk=row.pk, count__gt=0).update(count=F("count") - 1)
