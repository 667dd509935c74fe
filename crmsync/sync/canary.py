"""Retry of all that an issue holds up: one goes first, and the others follow only if the same cause doesn't come back.

`retry_all` begins it, `follow_up` is what jobs call to see what has become of the one.
"""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.models import Canary, Contact, Issue, Status, Sync
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import bulk
from crmsync.sync.actions import ActionError, require_live, retry
from crmsync.sync.selection import Selection

STUCK = (Status.FAILED, Status.WAITING)


def held_up(issue: Issue) -> ContactQuerySet:
    """What a retry of the issue would try: not what a person excluded, what the brake holds, or what is being tried already."""
    return Contact.objects.filter(issue=issue, status__in=STUCK, held_by=None).wanted()


def retry_all(issue: Issue, by: AbstractBaseUser | None = None) -> Canary:
    """Try one contact now; a job sends the others after it, or leaves them where they are. Raises `ActionError`."""
    require_live(issue.sync)
    waiting = held_up(issue)
    first = waiting.order_by("-updated_at", "pk").first()
    if first is None:
        raise ActionError(_("Nothing is held up by this any more."))
    try:
        with transaction.atomic():
            begun = Canary.objects.create(issue=issue, contact=first, others=waiting.count() - 1, by_id=by.pk if by else None)
            one = Contact.objects.filter(pk=first.pk)
            retry(one, by)
            one.update(is_urgent=True)
    except IntegrityError as error:
        raise ActionError(_("One contact of these is being tried already.")) from error
    return begun


def follow_up(sync: Sync | None = None) -> None:
    """See what has become of those that went first, of this sync or of all, and let the others follow or stay."""
    trying = Canary.objects.filter(state=Canary.State.TRYING).select_related("issue", "contact", "by")
    for canary in trying if sync is None else trying.filter(issue__sync=sync):
        if canary.contact is None or canary.contact.status != Status.PENDING:
            _end(canary, is_back=canary.contact is not None and _is_held_up(canary.contact, canary.issue))


def _is_held_up(contact: Contact, issue: Issue) -> bool:
    return contact.issue_id == issue.pk and contact.status in STUCK


def _end(canary: Canary, *, is_back: bool) -> None:
    """Note how it went, once whoever looks, and let the others follow where the cause isn't back."""
    state = Canary.State.FAILED_AGAIN if is_back else Canary.State.WENT_THROUGH
    with transaction.atomic():
        mine = Canary.objects.filter(pk=canary.pk, state=Canary.State.TRYING).update(state=state, ended_at=timezone.now())
        if mine and not is_back:
            bulk.begin("retry", Selection(issue=canary.issue_id), canary.by)
