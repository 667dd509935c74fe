"""What staff can press on a contact: each verb with its button, who may, in which statuses it makes sense, and what to warn of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crmsync.models import Contact, Status
from crmsync.sync import actions
from dashboard.access import RESOLVE, RETRY

Text = str | Promise
RETRYABLE = (Status.FAILED, Status.WAITING)


@dataclass(frozen=True, slots=True)
class Verb:
    """`warning` is what will happen, said on a page of its own before it does; {here} is the CRM that still has the contact,
    {gone} the one where it was deleted. A verb without a warning is done at once."""

    name: str
    label: Text
    icon: str
    done: Text
    permission: str
    statuses: tuple[Status, ...]
    call: Callable[[Contact, User], object]
    warning: Text = ""
    is_danger: bool = False

    def makes_sense_for(self, contact: Contact) -> bool:
        return contact.status in self.statuses


def _retry(contact: Contact, by: User) -> None:
    actions.retry(Contact.objects.filter(pk=contact.pk), by)


VERBS = (
    Verb(
        name="retry",
        label=_("Retry"),
        icon="refresh",
        done=_("The contact will be tried again now."),
        permission=RETRY,
        statuses=RETRYABLE,
        call=_retry,
    ),
    Verb(
        name="sync-now",
        label=_("Sync now"),
        icon="refresh",
        done=_("The contact will be compared now."),
        permission=RETRY,
        statuses=(Status.IN_SYNC, Status.PENDING, Status.CONFLICT, Status.REVIEW),
        call=actions.sync_now,
    ),
    Verb(
        name="keep-apart",
        label=_("None of these: create it over there"),
        icon="plus",
        done=_("The contact will be created as its own on the other side."),
        permission=RESOLVE,
        statuses=(Status.REVIEW,),
        call=actions.keep_apart,
        warning=_(
            "None of the candidates is this person. The contact is created in the other CRM as a contact of its own, and linked to it."
        ),
    ),
    Verb(
        name="restore",
        label=_("Restore there"),
        icon="arrow-back-up",
        done=_("The contact will be created again."),
        permission=RESOLVE,
        statuses=(Status.QUARANTINED,),
        call=actions.restore_there,
        warning=_("The contact is created again in {gone}, with all that {here} has of it: fields, tags, notes and tasks."),
    ),
    Verb(
        name="unlink",
        label=_("Keep and unlink"),
        icon="unlink",
        done=_("The contact is kept, and no longer linked."),
        permission=RESOLVE,
        statuses=(Status.QUARANTINED,),
        call=actions.unlink,
        warning=_("The contact stays in {here} as it is. It is no longer kept the same in {gone}, and isn't created there again."),
    ),
    Verb(
        name="delete-there",
        label=_("Delete there too"),
        icon="trash",
        done=_("The contact is deleted on the other side, too."),
        permission=RESOLVE,
        statuses=(Status.QUARANTINED,),
        call=actions.delete_there_too,
        warning=_("The contact is deleted in {here} as well, with its notes and tasks there. crmsync can't bring it back."),
        is_danger=True,
    ),
    Verb(
        name="include",
        label=_("Include again"),
        icon="plus",
        done=_("The contact is included again and will be compared now."),
        permission=RESOLVE,
        statuses=(Status.EXCLUDED,),
        call=actions.include,
    ),
)
VERB_BY_NAME = {verb.name: verb for verb in VERBS}


def verbs_for(contact: Contact, user: User) -> list[Verb]:
    """The buttons that this user gets on this contact now."""
    return [verb for verb in VERBS if verb.makes_sense_for(contact) and user.has_perm(verb.permission)]
