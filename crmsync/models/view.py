"""Views of the contacts that people saved: a filter, a search and an order under a name."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, user: User) -> SavedViewQuerySet:
        """Their own, and those shared."""
        return self.filter(Q(owner=user) | Q(is_shared=True))

    def changeable_by(self, user: User, *, is_administrator: bool) -> SavedViewQuerySet:
        """Their own; an administrator looks after those shared, too."""
        return self.filter(Q(owner=user) | Q(is_shared=True)) if is_administrator else self.filter(owner=user)


class SavedView(models.Model):
    """`query` is what stands in the address of the list. A view is its owner's alone, or everybody's (`is_shared`); `owner` is None where
    whoever shared it has been removed."""

    name = models.CharField(_("name"), max_length=60)
    query = models.TextField(_("what it shows"), blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="saved_views")
    is_shared = models.BooleanField(_("shared with everybody"), default=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="saved_view_once_a_person")]

    def __str__(self) -> str:
        return self.name
