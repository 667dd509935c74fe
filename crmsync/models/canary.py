"""One contact of an issue tried before all the others: whether the cause is gone is known then, at the price of one."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crmsync.models.contact import Contact
from crmsync.models.history import Issue


class Canary(models.Model):
    """A retry of all that an issue holds up. `contact` is tried first, `others` is how many wait for what becomes of it."""

    class State(models.TextChoices):
        TRYING = "trying", _("trying one")
        WENT_THROUGH = "went_through", _("went through")
        FAILED_AGAIN = "failed_again", _("failed again")

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="canaries")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="+")
    others = models.PositiveIntegerField()
    state = models.CharField(max_length=15, choices=State, default=State.TRYING)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    begun_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["issue"], condition=Q(state="trying"), name="canary_once_an_issue")]

    def __str__(self) -> str:
        return f"{self.get_state_display()} {self.pk}"
