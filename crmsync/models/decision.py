"""What a person has just decided about a contact, with what it takes to undo it while nothing of it is written."""

from __future__ import annotations

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from crmsync.models.sync import Sync


class Decision(models.Model):
    """`rows` are the rows as they were (contacts, items, match keys), `held` each contact with its counter after the decision, `changes`
    the ids of the changes of a contact that another took in. Kept for as long as it can be undone, and no longer."""

    sync = models.ForeignKey(Sync, on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    label = models.CharField(max_length=250)
    rows = models.JSONField(default=list, encoder=DjangoJSONEncoder)
    held = models.JSONField(default=list)
    changes = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.label
