"""What a mapping was: every save leaves a numbered revision, which can be compared and restored."""

from __future__ import annotations

from django.db import models

from crmsync.models.sync import Sync


class MappingRevision(models.Model):
    """A whole mapping after one save. `rows` are `FieldMapping`'s columns, in order; `by_name` is kept as text, for it outlives the account
    (empty: the command line). `restored` is the number of the revision that this one brought back."""

    sync = models.ForeignKey(Sync, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    at = models.DateTimeField(auto_now_add=True)
    by_name = models.CharField(max_length=254, blank=True)
    rows = models.JSONField(default=list)
    restored = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["sync", "number"], name="mapping_revision_once")]

    def __str__(self) -> str:
        return f"{self.sync_id}/{self.number}"
