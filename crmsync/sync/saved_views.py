"""Keeping views of the contacts. What happens to a shared one is in the audit log, for others rely on it; one's own isn't."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from crmsync.models import Act, SavedView
from crmsync.sync import audit
from crmsync.sync.setup import SetupError

KEPT = ("name", "query", "is_shared")


def save(view: SavedView, by: User) -> SavedView:
    """Keep a new view, or one as it was changed. Raises `SetupError` for a name that its owner uses already."""
    namesakes = SavedView.objects.filter(owner=view.owner, name=view.name).exclude(pk=view.pk)
    if namesakes.exists():
        raise SetupError(_("There is a view named “%(name)s” already.") % {"name": view.name}, "name")
    before = audit.saved(view, KEPT) if view.pk else {}
    with transaction.atomic():
        view.save()
        after = audit.saved(view, KEPT)
        if before != after and (before.get("is_shared") or view.is_shared):
            audit.record(by, Act.VIEW_CHANGED if before.get("is_shared") else Act.VIEW_SHARED, view, before, after)
    return view


def delete(view: SavedView, by: User) -> None:
    with transaction.atomic():
        if view.is_shared:
            audit.record(by, Act.VIEW_DELETED, view, before=audit.saved(view, KEPT))
        view.delete()


def outlive(owner: User) -> None:
    """Leave what this person shared to everybody, before the person is removed."""
    SavedView.objects.filter(owner=owner, is_shared=True).update(owner=None)
