"""What a person asked of many contacts at once, kept so that it is carried out in the background and taken up again where it was."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class BulkActionQuerySet(models.QuerySet["BulkAction"]):
    def under_way(self) -> BulkActionQuerySet:
        return self.filter(ended_at=None)

    def unattended(self, lost_before: datetime) -> BulkActionQuerySet:
        """Those to be carried out that nobody is at, or was heard of since."""
        return self.under_way().filter(Q(worked_at=None) | Q(worked_at__lt=lost_before))


class BulkAction(models.Model):
    """`verb` names what is done (crmsync.sync.bulk.VERBS), `detail` holds what else that needs, `selection` says to whom
    (crmsync.sync.selection.Selection). `total`: how many it was said to be for, and never more than so many; `taken` so far, in the order
    of their keys up to `after`. Those that came later than it was asked are above `upto`. `worked_at` is set while somebody is at it."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        STOPPED = "stopped", _("stopped")

    verb = models.CharField(max_length=20)
    detail = models.JSONField(default=dict)
    selection = models.JSONField(default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    begun_at = models.DateTimeField(auto_now_add=True)
    worked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField()
    taken = models.PositiveIntegerField(default=0)
    after = models.BigIntegerField(default=0)
    upto = models.BigIntegerField()

    objects = BulkActionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], condition=Q(ended_at=None), name="bulk_under_way")]

    def __str__(self) -> str:
        return f"{self.verb} {self.pk}"
