"""What a person is told at once: what they chose, what they know of, and the messages on their way."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.models.connection import new_secret
from crmsync.models.fields import EncryptedTextField


class AlertKind(models.TextChoices):
    NEW_CAUSE = "new_cause", _("a new cause of failure")
    RECOVERED = "recovered", _("a cause of failure is over")
    CONNECTION = "connection", _("a connection needs attention, or works again")
    BACKLOG = "backlog", _("changes wait for too long, or no longer")
    BATCH = "batch", _("a batch is held, or decided")
    DEAFNESS = "deafness", _("a connection hears no webhooks any more, or hears them again")


class AlertChoice(models.Model):
    """What a person chose to be told of, and how. A webhook is signed with `webhook_secret`, which is theirs alone."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alert_choice")
    kinds = models.JSONField(default=list)
    backlog_minutes = models.PositiveIntegerField(default=30)
    by_email = models.BooleanField(default=True)
    webhook_url = models.CharField(max_length=500, blank=True)
    webhook_secret = EncryptedTextField(default=new_secret, editable=False)

    @property
    def secret_hint(self) -> str:
        return str(self.webhook_secret)[-4:]


class Alarm(models.Model):
    """Something that isn't as it should be, and that a person was told of or knew of when they chose. Deleted when it is over."""

    choice = models.ForeignKey(AlertChoice, on_delete=models.CASCADE, related_name="alarms")
    kind = models.CharField(max_length=20, choices=AlertKind)
    key = models.CharField(max_length=60)
    text = models.TextField()
    path = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["choice", "kind", "key"], name="alarm_once")]


class AlertMessage(models.Model):
    """One message on its way, or where it ended: delivered at `sent_at`, else due again at `due_at` (None: given up) for `failure`.

    `public_id` is the same in each try, so that a receiver knows what it has had."""

    class Via(models.TextChoices):
        EMAIL = "email", _("e-mail")
        WEBHOOK = "webhook", _("webhook")

    choice = models.ForeignKey(AlertChoice, on_delete=models.CASCADE, related_name="messages")
    public_id = models.UUIDField(default=uuid4, editable=False)
    via = models.CharField(max_length=10, choices=Via)
    kind = models.CharField(max_length=20)
    state = models.CharField(max_length=10)
    text = models.TextField()
    path = models.CharField(max_length=200)
    at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["due_at"], name="alert_message_due")]
