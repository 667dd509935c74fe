"""Trying contacts again, as if for the first time: what a person's Retry comes to, of one contact or of many."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from crmsync.models import BulkAction, Cause
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import batches, pressing


def retry(
    contacts: ContactQuerySet, by: AbstractBaseUser | None = None, cause: Cause = Cause.RETRY, for_bulk: BulkAction | None = None
) -> int:
    """Try again what failed, as if for the first time: what wasn't kept is sent again. Returns how many."""
    count = 0
    for some in batches.in_steps(contacts.wanted()):
        with transaction.atomic():
            count += pressing.retry(some, by, for_bulk, cause)
    return count
