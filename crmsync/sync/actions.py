"""What a person may press. Each action changes rows and leaves the work to a job; each says no, in words, where it makes no sense."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.engine.records import SIDES, Aspect, Side
from crmsync.models import Act, Canary, Cause, Connection, Contact, HeldBatch, Issue, MatchKey, Mode, Run, RunKind, Status, Sync
from crmsync.models.contact import ContactQuerySet
from crmsync.sync import audit, batches, bulk, canary, outcome, pressing, runs
from crmsync.sync.clock import waiting_for_a_clock
from crmsync.sync.retrying import retry as retry
from crmsync.sync.selection import Selection
from crmsync.sync.session import open_session
from crmsync.sync.undoing import changes_of
from crmsync.systems.errors import NAMES, CrmError

User = AbstractBaseUser


class ActionError(Exception):
    """The action makes no sense for this contact or sync (any more). `message` says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


# Syncs


def start_run(sync: Sync, *, full: bool = False, by: User | None = None) -> Run:
    """Begin a run (the first sync if none was made, a poll, or a full comparison); a job takes it from there."""
    require_live(sync)
    run = runs.begin(sync, runs.kind_of_next_run(sync, full=full), by, is_asked=True)
    runs.due_again(sync, by)
    return run


def undo(sync: Sync, kind: str, pk: int, by: User | None = None) -> Run:
    """Undo one `change`, all changes of one `contact` or of one `run`; a job takes it from there."""
    require_live(sync)
    newest = changes_of(kind, pk).first()
    if newest is None:
        raise ActionError(_("There is nothing to undo: crmsync has written nothing here."))
    progress = {"undo": kind, "pk": pk, "upto": newest.pk}
    return Run.objects.create(sync=sync, kind=RunKind.UNDO, by_id=by.pk if by else None, is_asked=True, progress=progress)


def require_live(sync: Sync) -> None:
    match sync.mode:
        case Mode.PAUSED:
            raise ActionError(_("“%(name)s” is paused: resume it first.") % {"name": sync.name})
        case Mode.DRAFT:
            raise ActionError(_("“%(name)s” is a draft: set it live first.") % {"name": sync.name})
    _require_no_pause(sync)


def _require_no_pause(sync: Sync) -> None:
    """A paused connection is asked for nothing, by a person neither."""
    for connection in Connection.objects.filter(pk__in=[sync.ghl_id, sync.centralstation_id]).exclude(paused_at=None).only("name"):
        raise ActionError(_("The connection “%(name)s” is paused: resume it first.") % {"name": connection.name})


def pause(sync: Sync, by: User | None = None) -> None:
    """Stop working on a sync. What changes meanwhile is found by the next poll."""
    if Sync.objects.filter(pk=sync.pk).exclude(mode=Mode.PAUSED).update(mode=Mode.PAUSED):
        audit.record(by, Act.SYNC_PAUSED, sync, {"mode": sync.mode}, {"mode": Mode.PAUSED})


def resume(sync: Sync, by: User | None = None) -> None:
    """Set a paused sync or a draft live; what happened meanwhile is caught up."""
    Sync.objects.filter(pk=sync.pk).update(mode=Mode.LIVE, poll_due_at=timezone.now(), rest_until=None)
    if sync.mode != Mode.LIVE:
        audit.record(by, Act.SYNC_LIVE, sync, {"mode": sync.mode}, {"mode": Mode.LIVE})


def pause_connection(connection: Connection, by: User | None = None) -> None:
    """Ask an account for nothing any more. Its webhooks are stored still, and handled when it goes on."""
    if Connection.objects.filter(pk=connection.pk, paused_at=None).update(paused_at=timezone.now()):
        audit.record(by, Act.CONNECTION_PAUSED, connection)


def resume_connection(connection: Connection, by: User | None = None) -> None:
    """Go on; its syncs catch up at once with what happened meanwhile."""
    if Connection.objects.filter(pk=connection.pk, paused_at__isnull=False).update(paused_at=None):
        audit.record(by, Act.CONNECTION_RESUMED, connection)
    syncs = Sync.objects.filter(Q(ghl=connection) | Q(centralstation=connection))
    syncs.update(poll_due_at=timezone.now(), rest_until=None)


def is_compared_anew(sync: Sync) -> bool:
    """Whether a change of fields or policy begins a full comparison."""
    return sync.first_sync_done_at is not None and sync.mode == Mode.LIVE


def mapping_changed(sync: Sync, by: User | None = None) -> None:
    """Fields or policy changed: compare all contacts anew, those excluded for lack of creating among them."""
    if is_compared_anew(sync):
        runs.begin(sync, RunKind.FULL, by)


def clock_changed(sync: Sync) -> None:
    """Quiet hours or the share of an hour changed: what waits for a time is told its new one."""
    for some in batches.in_steps(waiting_for_a_clock(sync)):
        some.update(due_at=timezone.now())


# Contacts


def retry_all(issue: Issue, by: User | None = None) -> Canary:
    """Try again all that an issue holds up, one first: see `canary.begin`."""
    require_live(issue.sync)
    if not canary.held_up(issue).exists():
        raise ActionError(_("Nothing is held up by this any more."))
    if (begun := canary.begin(issue, by)) is None:
        raise ActionError(_("One contact of these is being tried already."))
    return begun


def sync_now(contact: Contact, by: User | None = None) -> None:
    """Look at this contact now, whatever its status."""
    if contact.exclusion:
        raise ActionError(_("%(contact)s is excluded: include it first.") % {"contact": contact})
    make_due(contact, Cause.RETRY, by)


def decide_conflict(contact: Contact, field_name: str, side: Side, by: User | None = None) -> None:
    """Take the value of `side` for a field that both sides changed; for one of a single note or task, see engine.items.decision_name.

    While the contact is pending because one field was decided, the others can be, too."""
    with transaction.atomic():
        now = Contact.objects.select_for_update().get(pk=contact.pk)
        if now.status != Status.CONFLICT and not (now.status == Status.PENDING and now.conflicts):
            raise ActionError(_("%(contact)s isn't in conflict any more.") % {"contact": contact})
        Contact.objects.filter(pk=contact.pk).update(decisions={**now.decisions, field_name: str(side)})
        audit.record(by, Act.CONFLICT_DECIDED, contact, after={field_name: str(side)})
    make_due(contact, Cause.DECISION, by)


def link(contact: Contact, other: Contact, by: User | None = None) -> None:
    """These two are the same person: a review decided."""
    both = {side: contact.remote_id(side) or other.remote_id(side) for side in SIDES}
    if contact.is_linked or other.is_linked or None in both.values():
        raise ActionError(_("These two can't be linked: each must be in one CRM only, and not in the same."))
    with transaction.atomic():
        MatchKey.objects.filter(contact=other).update(contact=contact)
        other.changes.update(contact=contact)
        other.delete()
        Contact.objects.filter(pk=contact.pk).update(
            ghl_id=both[Side.GHL], centralstation_id=both[Side.CENTRALSTATION], candidates=[], kept_apart=False
        )
        audit.record(by, Act.CONTACTS_LINKED, contact, after={str(side): id for side, id in both.items()})
    make_due(contact, Cause.DECISION, by)


def keep_apart(contact: Contact, by: User | None = None) -> None:
    """Nobody over there is this one: it is created there as a contact of its own."""
    if contact.is_linked:
        raise ActionError(_("%(contact)s is linked already.") % {"contact": contact})
    Contact.objects.filter(pk=contact.pk).update(kept_apart=True, candidates=[])
    audit.record(by, Act.CONTACT_KEPT_APART, contact)
    make_due(contact, Cause.DECISION, by)


def exclude(contact: Contact, reason: str, by: User | None = None) -> None:
    """Leave a contact alone from now on, for a reason that is shown."""
    reason = reason.strip()
    if not reason:
        raise ActionError(_("Say why it is excluded: others will want to know."))
    _leave_alone(contact, reason)
    audit.record(by, Act.CONTACT_EXCLUDED, contact, after={"reason": reason})


def _leave_alone(contact: Contact, reason: str) -> None:
    Contact.objects.filter(pk=contact.pk).update(
        exclusion=reason[:300],
        status=Status.EXCLUDED,
        reason=_("Excluded: %(reason)s") % {"reason": reason[:300]},
        issue=None,
        held_by=None,
    )


# What the brake holds


def approve(batch: HeldBatch, by: User | None = None) -> None:
    """Let what is held happen: its contacts are due at once, by this person's word. A side that came back empty is believed for a day."""
    _decide(batch, HeldBatch.State.APPROVED, by)


def reject(batch: HeldBatch, by: User | None = None) -> None:
    """Write nothing of what is held. Each contact waits until somebody presses Retry on it, or both sides are equal again."""
    _decide(batch, HeldBatch.State.REJECTED, by)


def _decide(batch: HeldBatch, state: HeldBatch.State, by: User | None) -> None:
    is_yes = state == HeldBatch.State.APPROVED
    with transaction.atomic():
        if not batches.decide(batch, state, by):
            batch.refresh_from_db()
            raise ActionError(_("This was decided already: it is %(state)s.") % {"state": batch.get_state_display()})
        act = Act.BATCH_APPROVED if is_yes else Act.BATCH_REJECTED
        audit.record(by, act, batch, {"state": HeldBatch.State.HELD}, {"state": state, "sync": batch.sync_id})
        if batch.size:
            bulk.begin("approve" if is_yes else "reject", Selection(batch=batch.pk), by, total=batch.size)


def include(contact: Contact, by: User | None = None) -> None:
    """Take an excluded contact back."""
    Contact.objects.filter(pk=contact.pk).update(exclusion="", kept_apart=False)
    audit.record(by, Act.CONTACT_INCLUDED, contact, before={"reason": contact.exclusion})
    make_due(contact, Cause.DECISION, by)


# Deletions


def _missing_on(contact: Contact) -> Side:
    if contact.status != Status.QUARANTINED or not contact.missing_on:
        raise ActionError(_("%(contact)s isn't quarantined any more.") % {"contact": contact})
    return Side(contact.missing_on)


def delete_there_too(contact: Contact, by: User | None = None) -> None:
    """Delete the contact where it still is. Asks the CRM at once; raises `ActionError` with its reason when it refuses."""
    side = _missing_on(contact).other
    _require_no_pause(contact.sync)
    with open_session(contact.sync, Cause.DECISION, by=by) as session:
        try:
            session.systems[side].delete(str(contact.remote_id(side)))
        except CrmError as error:
            raise ActionError(outcome.explain(error)[0]) from error
    audit.record(by, Act.CONTACT_DELETED, contact, before={f"{side}_id": contact.remote_id(side)})
    contact.delete()


def unlink(contact: Contact, by: User | None = None) -> None:
    """Keep what is left of a contact that was deleted on one side, and don't bring it over again."""
    missing_on = _missing_on(contact)
    reason = _("Kept in %(crm)s only.") % {"crm": NAMES[missing_on.other]}
    _forget_side(contact, missing_on)
    _leave_alone(contact, reason)
    audit.record(by, Act.CONTACT_UNLINKED, contact, before={f"{missing_on}_id": contact.remote_id(missing_on)})


def separate(contact: Contact, by: User | None = None) -> None:
    """The two halves are no longer one contact: each stays as it is, excluded, until somebody includes it."""
    reason = _("Unlinked: no longer kept the same in both CRMs.")
    with transaction.atomic():
        now = Contact.objects.select_for_update().get(pk=contact.pk)
        if not now.is_linked or now.status == Status.QUARANTINED:
            raise ActionError(_("%(contact)s isn't linked any more.") % {"contact": contact})
        half = now.centralstation_id
        _forget_side(now, Side.CENTRALSTATION)
        Contact.objects.filter(pk=now.pk).update(conflicts=[], decisions={}, seen={}, lease_token="")  # who is at work on it stops
        other = Contact.objects.create(
            sync=now.sync, centralstation_id=half, label=now.label, email=now.email, phone=now.phone, exclusion=reason
        )
        for one in (now, other):
            _leave_alone(one, reason)
        audit.record(by, Act.CONTACT_UNLINKED, now, before={"centralstation_id": half})


def restore_there(contact: Contact, by: User | None = None) -> None:
    """Create the contact anew where it was deleted, with its notes and tasks."""
    missing_on = _missing_on(contact)
    _forget_side(contact, missing_on)
    Contact.objects.filter(pk=contact.pk).update(kept_apart=True)
    audit.record(by, Act.CONTACT_RESTORED, contact, before={f"{missing_on}_id": contact.remote_id(missing_on)})
    make_due(contact, Cause.DECISION, by)


def _forget_side(contact: Contact, side: Side) -> None:
    with transaction.atomic():
        contact.items.all().delete()
        contact.keys.filter(side=side).delete()
        Contact.objects.filter(pk=contact.pk).update(**{f"{side}_id": None}, base={}, sent={}, missing_on="")


def make_due(contact: Contact, cause: Cause, by: User | None) -> None:
    """Let a contact be reconciled at once, by a person's word."""
    one = Contact.objects.filter(pk=contact.pk)
    with transaction.atomic():
        pressing.let_go_again(one)
        one.mark_dirty(Aspect.ALL, timezone.now(), is_urgent=True)
        values = {"status": Status.PENDING, "reason": "", "held_by": None}
        one.update(asked_cause=cause, asked_by=by, due_at=timezone.now(), **values)


def candidates_of(contact: Contact) -> ContactQuerySet:
    """The contacts a review is about, besides this one."""
    return Contact.objects.filter(Q(pk__in=contact.candidates), sync=contact.sync)
