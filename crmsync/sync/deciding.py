"""Decisions one after the other: what `actions` offers for a conflict, a review and a deletion, for one contact or for all that are alike,
carried out a moment later, so that the last one can be undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from django.contrib.auth.base_user import AbstractBaseUser
from django.core import serializers
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.engine.records import Side
from crmsync.models import Act, Change, Contact, Decision, Item, MatchKey, Status
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import actions, audit, reports
from crmsync.sync.actions import ActionError

UNDO_FOR = timedelta(seconds=15)
AT_ONCE = 50
"""So many alike are decided with one press: it has to answer at once."""


class Word(StrEnum):
    """What is decided. Deleting isn't here: it can't be undone, so it is asked for one by one."""

    TAKE = "take"
    LINK = "link"
    KEEP_APART = "keep-apart"
    RESTORE = "restore"
    UNLINK = "unlink"


@dataclass(frozen=True, slots=True)
class Choice:
    """`sides` for TAKE: the side whose value is right, by the name of what is chosen for; `every` that side for all. `other` for LINK."""

    word: Word
    sides: Mapping[str, Side] = field(default_factory=dict)
    every: Side | None = None
    other: Contact | None = None


def alike(contact: Contact) -> ContactQuerySet:
    """The other contacts that wait for the same reason."""
    same = Contact.objects.filter(sync=contact.sync_id, status=contact.status, reason=contact.reason, missing_on=contact.missing_on)
    return same.exclude(pk=contact.pk).order_by("pk")


def decide(contact: Contact, choice: Choice, by: AbstractBaseUser | None, *, for_alike: bool = False) -> int:
    """Do what was chosen, for those that are alike, too, and give the person `UNDO_FOR` before anything is written. Returns for how many.

    Raises `ActionError` where it makes no sense for `contact`; of the others, those for which it makes none are left."""
    if for_alike and choice.word is Word.LINK:
        raise ActionError(_("Who is the same person has to be said for each contact."))
    with transaction.atomic():
        rows = [contact, *(alike(contact)[: AT_ONCE - 1] if for_alike else ())]
        decision = _remember(rows, choice, by)
        _carry_out(contact, choice, by)
        done = 1
        for row in rows[1:]:
            with suppress(ActionError), transaction.atomic():
                _carry_out(row, choice, by)
                done += 1
        concerned = Contact.objects.filter(pk__in=[row.pk for row in rows])
        concerned.filter(status=Status.PENDING).update(due_at=timezone.now() + UNDO_FOR)
        decision.held = [list(pair) for pair in concerned.values_list("pk", "dirty_counter")]
        decision.save(update_fields=["held"])
    return done


def _carry_out(contact: Contact, choice: Choice, by: AbstractBaseUser | None) -> None:
    match choice.word:
        case Word.TAKE:
            _take(contact, choice, by)
        case Word.LINK:
            if choice.other is None:
                raise ActionError(_("That contact is gone."))
            actions.link(contact, choice.other, by)
        case Word.KEEP_APART:
            _require(contact, Status.REVIEW)
            actions.keep_apart(contact, by)
        case Word.RESTORE:
            actions.restore_there(contact, by)
        case Word.UNLINK:
            actions.unlink(contact, by)


def _take(contact: Contact, choice: Choice, by: AbstractBaseUser | None) -> None:
    _require(contact, Status.CONFLICT)
    open_ = reports.open_choices(contact)
    sides = dict.fromkeys(open_, choice.every) if choice.every else choice.sides
    if not sides:
        raise ActionError(_("Choose a value first."))
    for name, side in sorted(sides.items()):
        actions.decide_conflict(contact, name, side, by)


def _require(contact: Contact, status: Status) -> None:
    if Contact.objects.get(pk=contact.pk).status != status:
        raise ActionError(_("The contact is not in that state any more."))


def _remember(rows: list[Contact], choice: Choice, by: AbstractBaseUser | None) -> Decision:
    """Keep the rows as they are. What can't be undone any more is forgotten."""
    Decision.objects.filter(at__lt=timezone.now() - 4 * UNDO_FOR).delete()
    contacts = [*rows, *([choice.other] if choice.other else [])]
    ids = [contact.pk for contact in contacts]
    fresh = sorted(Contact.objects.filter(pk__in=ids), key=lambda row: ids.index(row.pk))
    kept = [*fresh, *Item.objects.filter(contact__in=ids), *MatchKey.objects.filter(contact__in=ids)]
    changes = {str(choice.other.pk): list(choice.other.changes.values_list("pk", flat=True))} if choice.other else {}
    return Decision.objects.create(
        sync_id=rows[0].sync_id,
        by_id=by.pk if by else None,
        label=str(rows[0]),
        rows=serializers.serialize("python", kept),
        changes=changes,
    )


def last_decision(by: AbstractBaseUser) -> Decision | None:
    """What this person may undo now."""
    return Decision.objects.filter(by_id=by.pk, undone_at=None, at__gte=timezone.now() - UNDO_FOR).first()


def undo(decision: Decision, by: AbstractBaseUser | None = None) -> None:
    """Put everything back as it was before. Raises `ActionError` where something is being written, or was."""
    now = timezone.now()
    try:
        with transaction.atomic():
            held: dict[int, int] = dict(decision.held)
            rows = Contact.objects.select_for_update().filter(pk__in=held)
            untouched = [row for row in rows if row.dirty_counter == held[row.pk] and row.lease_until <= now]
            mine = Decision.objects.filter(pk=decision.pk, undone_at=None).update(undone_at=now)
            if not mine or len(untouched) != len(held) or decision.at < now - UNDO_FOR:
                raise ActionError(_("It is too late to undo this: it is being written, or was."))
            Item.objects.filter(contact__in=held).delete()
            MatchKey.objects.filter(contact__in=held).delete()
            for stored in serializers.deserialize("python", decision.rows):
                stored.save()
            Contact.objects.filter(pk__in=held).update(dirty_counter=F("dirty_counter") + 100)  # whoever began meanwhile sees it differ
            for pk, ids in decision.changes.items():
                Change.objects.filter(pk__in=ids).update(contact=int(pk))
            for row in untouched:
                audit.record(by, Act.DECISION_UNDONE, row)
    except IntegrityError as error:
        raise ActionError(_("It is too late to undo this: it is being written, or was.")) from error
