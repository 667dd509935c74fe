"""What a person asks of some contacts at once, a few hundred at most: rows are changed, and the lanes do the rest. `for_bulk` is the
bulk action behind it, whose page tells what became of them."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.engine.records import Aspect
from crmsync.models import BulkAction, Cause, Item, Status, Sync
from crmsync.models.contact import ContactQuerySet


def retry(some: ContactQuerySet, by: AbstractBaseUser | None, for_bulk: BulkAction | None = None, cause: Cause = Cause.RETRY) -> int:
    """Try again what failed, as if for the first time: what wasn't kept is sent again. Returns how many."""
    items = Item.objects.filter(contact__in=some)
    items.update(sent={})
    items.exclude(fresh="").update(fresh="", base={})  # created and not there: without a base it is no deletion, and created again
    let_go_again(some)
    some.mark_dirty(Aspect.ALL, timezone.now())
    Sync.objects.filter(contacts__in=some).update(rest_until=None)
    values = {"sent": {}, "attempts": 0, "status": Status.PENDING, "held_by": None, "asked_in": for_bulk}
    return some.update(asked_cause=cause, asked_by=by, due_at=timezone.now(), **values)


def compare(some: ContactQuerySet, by: AbstractBaseUser | None, for_bulk: BulkAction | None = None) -> int:
    """Look at these contacts now; not before live changes, which a crowd would keep waiting. Returns how many."""
    let_go_again(some)
    some.mark_dirty(Aspect.ALL, timezone.now())
    values = {"status": Status.PENDING, "reason": "", "asked_in": for_bulk}
    return some.update(asked_cause=Cause.RETRY, asked_by=by, due_at=timezone.now(), **values)


def exclude(some: ContactQuerySet, reason: str, for_bulk: BulkAction | None = None) -> int:
    """Leave these contacts alone from now on, for a reason that is shown beside each. Returns how many."""
    return some.update(
        exclusion=reason,
        status=Status.EXCLUDED,
        reason=_("Excluded: %(reason)s") % {"reason": reason},
        issue=None,
        held_by=None,
        asked_in=for_bulk,
    )


def let_go_again(contacts: ContactQuerySet) -> None:
    """Fields that went to and fro are tried again."""
    contacts.exclude(stopped=[]).update(stopped=[], let_go_at=timezone.now())
