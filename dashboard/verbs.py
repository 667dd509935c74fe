"""What staff can press on a contact: each verb with its button, who may, in which statuses it makes sense, and what to warn of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.contrib.auth.models import User
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crmsync.engine.records import Side
from crmsync.models import Contact, Status
from crmsync.sync import actions
from crmsync.sync.bulk import RETRYABLE
from crmsync.systems.errors import NAMES
from dashboard.access import RESOLVE, RETRY

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Verb:
    """`warning` is what will happen, said on a page of its own before it does; a verb without one is done at once. In texts {here} is the
    CRM that has the contact, {gone} the one where it was deleted or isn't yet."""

    name: str
    label: Text
    icon: str
    done: Text
    permission: str
    statuses: tuple[Status, ...]
    call: Callable[[Contact, User], object]
    warning: Text = ""
    is_danger: bool = False
    needs_both: bool = False

    def makes_sense_for(self, contact: Contact) -> bool:
        return contact.status in self.statuses and (contact.is_linked or not self.needs_both)

    def spoken_of(self, contact: Contact) -> Verb:
        """The same with the names of this contact's CRMs in its texts."""
        gone = _gone(contact)
        names = {"gone": NAMES[gone], "here": NAMES[gone.other]}
        label, done, warning = (str(text).format(**names) for text in (self.label, self.done, self.warning))
        return replace(self, label=label, done=done, warning=warning)


def _gone(contact: Contact) -> Side:
    if contact.missing_on:
        return Side(contact.missing_on)
    return Side.GHL if contact.ghl_id is None else Side.CENTRALSTATION


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
        label=_("None of these: create it in {gone}"),
        icon="plus",
        done=_("The contact will be created in {gone} as its own."),
        permission=RESOLVE,
        statuses=(Status.REVIEW,),
        call=actions.keep_apart,
        warning=_("None of the candidates is this person. The contact is created in {gone} as a contact of its own, and linked to it."),
    ),
    Verb(
        name="restore",
        label=_("Restore in {gone}"),
        icon="arrow-back-up",
        done=_("The contact will be created in {gone} again."),
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
        label=_("Delete in {here} too"),
        icon="trash",
        done=_("The contact is deleted in {here}, too."),
        permission=RESOLVE,
        statuses=(Status.QUARANTINED,),
        call=actions.delete_there_too,
        warning=_("The contact is deleted in {here} as well, with its notes and tasks there. crmsync can't bring it back."),
        is_danger=True,
    ),
    Verb(
        name="separate",
        label=_("Unlink"),
        icon="unlink",
        done=_("The two are no longer linked, and both are left alone."),
        permission=RESOLVE,
        statuses=(Status.IN_SYNC, Status.PENDING, Status.FAILED, Status.WAITING, Status.CONFLICT),
        call=actions.separate,
        warning=_(
            "Nothing is deleted or changed: the contact stays in both CRMs as it is now. It becomes two contacts here, both excluded, "
            "and neither is kept the same any more until somebody includes it again."
        ),
        needs_both=True,
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
    return [verb.spoken_of(contact) for verb in VERBS if verb.makes_sense_for(contact) and user.has_perm(verb.permission)]
