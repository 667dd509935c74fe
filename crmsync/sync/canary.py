"""Retry of what an issue holds up: one goes first, and the others follow only if the same cause doesn't come back.

`begin` is for one issue, `retry_chosen` and `retry_step` (of a bulk action) for contacts of any; `follow_up` is what jobs call to see what
has become of the one, and to send the others after it, some hundreds at a time. A row says how far that is, so that whoever comes next
goes on with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils import timezone

from crmsync.engine.mends import Way
from crmsync.models import BulkAction, Canary, Cause, Contact, Issue, Status, Sync
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import correcting
from crmsync.sync.correcting import Subject
from crmsync.sync.retrying import retry
from crmsync.sync.selection import Selection

STUCK = (Status.FAILED, Status.WAITING)
AT_WORK = (Canary.State.TRYING, Canary.State.FOLLOWING)
PROVES_NOTHING = (Status.EXCLUDED, Status.QUARANTINED)
"""A contact that ended so tells nothing of the cause."""

STEP, STEPS = 500, 10
"""Contacts in one short transaction, and so many of those in a row: a job has other things to do, too."""


def held_up(issue: Issue) -> ContactQuerySet:
    """What a retry of the issue would try: not what a person excluded, what the brake holds, or what is being tried already."""
    return Contact.objects.filter(issue=issue, status__in=STUCK, held_by=None).wanted()


def begin(
    issue: Issue, by: AbstractBaseUser | None = None, *, only: list[int] | None = None, for_bulk: BulkAction | None = None
) -> Canary | None:
    """Try one contact now; a job sends the others after it, or leaves them where they are. `only`: of these, where not of all.

    None where nothing is held up, or one is being tried already."""
    waiting = held_up(issue).filter(pk__in=only) if only else held_up(issue)
    first = waiting.order_by("-updated_at", "pk").first()
    if first is None:
        return None
    return _try(Canary(issue=issue, contact=first, others=waiting.count() - 1, only=only or [], asked_in=for_bulk), by)


def begin_corrected(issue: Issue, first: Contact, others: int, way: Way, by: AbstractBaseUser | None = None) -> Canary | None:
    """Correct one contact's value; a job corrects the others in the same way if that went through. None where one is being tried."""
    return _try(Canary(issue=issue, contact=first, others=others, way=way), by)


def _try(canary: Canary, by: AbstractBaseUser | None) -> Canary | None:
    assert canary.contact is not None
    canary.by_id = by.pk if by else None
    one, subject = Contact.objects.filter(pk=canary.contact.pk), _subject_of(canary)
    try:
        with transaction.atomic():
            canary.save()
            _send(canary, one, subject)
            one.update(is_urgent=True)
    except IntegrityError:
        return None
    return canary


def _subject_of(canary: Canary) -> Subject | None:
    """Asked for before a transaction, for the account may have to be asked which fields it has."""
    return correcting.subject_of(canary.issue) if canary.way else None


def _send(canary: Canary, contacts: ContactQuerySet, subject: Subject | None) -> int:
    if not canary.way:
        return retry(contacts, canary.by, for_bulk=canary.asked_in)
    corrected = correcting.correct_alike(subject, contacts, Way(canary.way))
    return retry(Contact.objects.filter(pk__in=corrected), canary.by, Cause.FIX)


@dataclass(slots=True)
class Begun:
    """What `retry_chosen` came to: how many are tried now, how many wait for what becomes of those, and how many of an issue of which one
    is being tried already: those were left alone."""

    tried: int = 0
    waiting: int = 0
    left: int = 0


def retry_chosen(contacts: ContactQuerySet, by: AbstractBaseUser | None = None) -> Begun:
    """Try these again: of those that one issue holds up, one first."""
    begun = Begun()
    counts = contacts.order_by().exclude(issue=None).values_list("issue").annotate(n=Count("pk"))
    many = {issue_id: n for issue_id, n in counts if n > 1}
    alone = list(contacts.exclude(issue__in=many).order_by().values_list("pk", flat=True))
    for issue in Issue.objects.filter(pk__in=many):
        chosen = list(contacts.filter(issue=issue).order_by().values_list("pk", flat=True))
        is_all = held_up(issue).count() <= len(chosen)
        if (canary := begin(issue, by, only=None if is_all else chosen)) is None:
            begun.left += len(chosen)
        else:
            begun.tried, begun.waiting = begun.tried + 1, begun.waiting + canary.others
    for start in range(0, len(alone), STEP):
        begun.tried += retry(Contact.objects.filter(pk__in=alone[start : start + STEP]), by)
    return begun


def retry_step(some: ContactQuerySet, action: BulkAction) -> int:
    """Try these again, who are some of those that a bulk action is for: of all of them that one issue holds up, one first. Returns for how
    many that was done; not for those of an issue whose one failed again meanwhile, or that somebody else is trying."""
    taken = retry(some.filter(issue=None), action.by, for_bulk=action)
    held = some.exclude(issue=None).order_by("issue", "pk").values_list("issue", "pk")
    for issue_id, pairs in groupby(list(held), key=lambda pair: pair[0]):
        taken += _retry_of(Issue.objects.get(pk=issue_id), [pk for _issue, pk in pairs], action)
    return taken


def _retry_of(issue: Issue, pks: list[int], action: BulkAction) -> int:
    mine = action.canaries.filter(issue=issue).first()
    if mine is None:
        chosen = list(Selection.from_json(action.selection).contacts().filter(pk__in=held_up(issue)).values_list("pk", flat=True))
        only = None if len(chosen) == held_up(issue).count() else chosen
        return len(pks) if begin(issue, action.by, only=only, for_bulk=action) else 0
    match Canary.State(mine.state):
        case Canary.State.TRYING:
            return len(pks)  # they are among its others
        case Canary.State.FOLLOWING | Canary.State.WENT_THROUGH:
            return retry(Contact.objects.filter(pk__in=pks), action.by, for_bulk=action)
        case Canary.State.FAILED_AGAIN:
            return 0


def follow_up(sync: Sync | None = None) -> int:
    """See what has become of those that went first, of this sync or all, and let the others follow or stay. Returns how many followed."""
    at_work = Canary.objects.filter(state__in=AT_WORK).select_related("issue__sync", "contact", "by")
    count = 0
    for canary in at_work if sync is None else at_work.filter(issue__sync=sync):
        if canary.state == Canary.State.TRYING:
            _look_at(canary)
        subject = _subject_of(canary)
        for _step in range(STEPS):
            sent = _let_follow(canary.pk, subject)
            count += sent or 0
            if sent is None:
                break
    return count


def _look_at(canary: Canary) -> None:
    """See what has become of the one that went first."""
    if canary.contact is None or canary.contact.status in PROVES_NOTHING or canary.contact.held_by_id is not None:
        _try_another(canary)
    elif (is_back := _is_back(canary, canary.contact)) is not None:
        _decide(canary, is_back=is_back)


def _try_another(canary: Canary) -> None:
    """The one that went first was excluded, deleted or held meanwhile: another goes in its place, where there is one."""
    waiting = held_up(canary.issue).filter(pk__in=canary.only) if canary.only else held_up(canary.issue)
    first, subject = waiting.order_by("-updated_at", "pk").first(), _subject_of(canary)
    trying = Canary.objects.filter(pk=canary.pk, state=Canary.State.TRYING, contact=canary.contact)
    if first is None:
        trying.update(state=Canary.State.WENT_THROUGH, others=0, ended_at=timezone.now())
        return
    with transaction.atomic():
        if trying.update(contact=first, others=max(0, canary.others - 1)):
            _send(canary, Contact.objects.filter(pk=first.pk), subject)


def _is_back(canary: Canary, contact: Contact) -> bool | None:
    """Whether the one that went first is held up by the same cause again. None while that isn't known: it is being tried, or something
    that passes by itself has come in between."""
    if contact.issue_id == canary.issue_id and contact.status in STUCK:
        return True
    is_tried_again = contact.status == Status.FAILED and contact.due_at is not None
    return None if contact.status == Status.PENDING or is_tried_again else False


def _decide(canary: Canary, *, is_back: bool) -> None:
    trying = Canary.objects.filter(pk=canary.pk, state=Canary.State.TRYING)
    if is_back:
        trying.update(state=Canary.State.FAILED_AGAIN, ended_at=timezone.now())
    else:
        trying.update(state=Canary.State.FOLLOWING)


def _let_follow(pk: int, subject: Subject | None) -> int | None:
    """Send some more after the one that went through. None where nobody follows, or all have followed by now."""
    with transaction.atomic():
        canary = Canary.objects.select_for_update(of=("self",)).select_related("issue__sync", "by", "asked_in").get(pk=pk)
        if canary.state != Canary.State.FOLLOWING:
            return None
        waiting = held_up(canary.issue).filter(pk__gt=canary.after)
        if canary.only:
            waiting = waiting.filter(pk__in=canary.only)
        some = list(waiting.order_by("pk").values_list("pk", flat=True)[:STEP])
        if not some:
            canary.state, canary.ended_at = Canary.State.WENT_THROUGH, timezone.now()
            canary.save(update_fields=["state", "ended_at"])
            return None
        sent = _send(canary, Contact.objects.filter(pk__in=some), subject)
        canary.after, canary.done = some[-1], canary.done + sent
        canary.save(update_fields=["after", "done"])
        return sent
