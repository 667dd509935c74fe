"""One contact of an issue tried before all the others: whether the cause is gone is known then, at the price of one."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crmsync.models.bulk import BulkAction
from crmsync.models.contact import Contact
from crmsync.models.history import Issue


class Canary(models.Model):
    """A retry of what an issue holds up. `contact` is tried first, `others` is how many wait for what becomes of it.

    `only`: the ids of those others, where it isn't about all. `way`: how their values are corrected alike before they are tried (a
    crmsync.engine.mends.Way, "" for a plain retry). `done`: how many have followed, up to the id `after`. `asked_in`: the bulk action
    that it is part of."""

    class State(models.TextChoices):
        TRYING = "trying", _("trying one")
        FOLLOWING = "following", _("the others follow")
        WENT_THROUGH = "went_through", _("went through")
        FAILED_AGAIN = "failed_again", _("failed again")

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="canaries")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="+")
    others = models.PositiveIntegerField()
    only = models.JSONField(default=list)
    way = models.CharField(max_length=20, blank=True)
    after = models.BigIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=15, choices=State, default=State.TRYING)
    asked_in = models.ForeignKey(BulkAction, on_delete=models.SET_NULL, null=True, related_name="canaries")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    begun_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["issue"], condition=Q(state__in=["trying", "following"]), name="canary_once_an_issue")
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()} {self.pk}"
