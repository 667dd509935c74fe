"""What a held batch holds: each write as it would be, with its contact."""

from __future__ import annotations

from django.db import models

from crmsync.models.contact import SIDE_CHOICES, Contact
from crmsync.models.history import HeldBatch


class HeldWrite(models.Model):
    """One write that waits for a person's yes, as it was planned last; `kind` is an engine.write.WriteKind."""

    batch = models.ForeignKey(HeldBatch, on_delete=models.CASCADE, related_name="writes")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="held_writes")
    side = models.CharField(max_length=20, choices=SIDE_CHOICES)
    kind = models.CharField(max_length=20)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["batch", "contact"], name="held_write_of_contact")]

    def __str__(self) -> str:
        return f"{self.kind} {self.side}"
