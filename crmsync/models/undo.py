"""What an undo left as it is, and why: the value wasn't ours any more, or can't be brought back."""

from __future__ import annotations

from django.db import models

from crmsync.models.contact import SIDE_CHOICES, Contact
from crmsync.models.history import Run


class NotUndone(models.Model):
    """One line of the list that an undo ends with. `name` is the field, tag, note or task; `why` one sentence."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="not_undone")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="+")
    label = models.CharField(max_length=250, blank=True)
    side = models.CharField(max_length=20, choices=SIDE_CHOICES, blank=True)
    name = models.CharField(max_length=200)
    why = models.TextField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["run", "contact", "side", "name"], name="not_undone_once_a_run")]

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"
