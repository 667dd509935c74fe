"""What a person may press on many contacts at once. Each takes rows in small batches, so that no write transaction is long."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.engine.records import Aspect
from crmsync.models import Act, Cause, Contact, Status, Sync
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import actions, audit

BATCH = 500


def retry(contacts: ContactQuerySet, by: AbstractBaseUser | None = None) -> int:
    """`actions.retry` in batches. Returns how many."""
    return sum(actions.retry(batch, by) for batch in _batches(contacts))


def sync_now(contacts: ContactQuerySet, by: AbstractBaseUser | None = None) -> int:
    """Look at these contacts now, but for those excluded; not before live changes, which a crowd would keep waiting. Returns how many."""
    count, now = 0, timezone.now()
    for batch in _batches(contacts.wanted()):
        with transaction.atomic():
            batch.update(asked_cause=Cause.RETRY, asked_by=by)
            batch.exclude(stopped=[]).update(stopped=[], let_go_at=now)
            batch.mark_dirty(Aspect.ALL, now)
            count += batch.update(status=Status.PENDING, reason="", due_at=now)
    return count


def exclude(contacts: ContactQuerySet, reason: str, by: AbstractBaseUser | None = None) -> int:
    """Leave these contacts alone from now on, for a reason that is shown beside each. Returns how many."""
    reason = reason.strip()[:300]
    if not reason:
        raise actions.ActionError(_("Say why they are excluded: others will want to know."))
    counts: dict[int, int] = {}
    for batch in _batches(contacts.wanted()):
        for sync_id in batch.values_list("sync_id", flat=True):
            counts[sync_id] = counts.get(sync_id, 0) + 1
        shown = _("Excluded: %(reason)s") % {"reason": reason}
        batch.update(exclusion=reason, status=Status.EXCLUDED, reason=shown, issue=None, held_by=None)
    for sync in Sync.objects.filter(pk__in=counts):
        audit.record(by, Act.CONTACT_EXCLUDED, sync, after={"reason": reason, "contacts": counts[sync.pk]})
    return sum(counts.values())


def _batches(contacts: ContactQuerySet) -> Iterator[ContactQuerySet]:
    ids = list(contacts.order_by().values_list("pk", flat=True))  # now, for acting changes what is found
    for start in range(0, len(ids), BATCH):
        yield Contact.objects.filter(pk__in=ids[start : start + BATCH])
