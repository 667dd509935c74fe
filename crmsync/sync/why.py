"""Why a contact is as it is, in one sentence: the uppermost reason, and what happens next or what to press. Entry: `explain()`.

Reads tables only. Of several contacts each costs no query of its own; the chain of facts behind one is in crmsync.sync.trail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.engine.records import SIDES, Side
from crmsync.models import Act, AuditEntry, Contact, HeldBatch, MatchKey, Run, Status, Sync
from crmsync.sync.batches import reason_of
from crmsync.sync.facts import Reason, who
from crmsync.sync.in_the_way import Hindrance, big_run, hindrances, nobody_at_work
from crmsync.sync.spoken import listed, relative
from crmsync.systems.errors import NAMES

State = HeldBatch.State
NAMED = 3
"""So many of those that a contact could be are named in its sentence."""


@dataclass(frozen=True, slots=True)
class Why:
    """`then`: what happens next, or what to press; "" where there is nothing to add. `in_the_way`: what stops its whole sync."""

    contact: Contact
    reason: Reason
    sentence: str
    then: str = ""
    in_the_way: tuple[Hindrance, ...] = ()


def explain(contacts: Sequence[Contact]) -> list[Why]:
    """One sentence for each, in their order."""
    about = _About(contacts)
    return [about.why(contact) for contact in contacts]


def name_of(contact: Contact) -> str:
    """What a sentence calls it: one of which only an id is known has no name yet."""
    if contact.label:
        return contact.label
    side = Side.GHL if contact.ghl_id else Side.CENTRALSTATION
    return _("%(crm)s's contact %(id)s") % {"crm": NAMES[side], "id": contact.remote_id(side)}


def exclusion_of(contact: Contact, entries: Iterable[AuditEntry]) -> AuditEntry | None:
    """Who excluded it: it alone, or with many others (then the entry is the bulk action's)."""
    about = {("contact", contact.pk), ("bulkaction", contact.asked_in_id)}
    return max((one for one in entries if (one.object_kind, one.object_id) in about), key=lambda one: one.pk, default=None)


class _About:
    """What the sentences of several contacts share, asked for once."""

    def __init__(self, contacts: Sequence[Contact]) -> None:
        self._now = timezone.now()
        self._contacts = contacts
        self._in_the_way: dict[int, tuple[Hindrance, ...]] = {}
        self._exclusions: list[AuditEntry] | None = None
        self._keyed: set[int] | None = None
        self._runs: dict[int, Run | None] = {}
        self._labels: dict[int, str] | None = None

    def why(self, contact: Contact) -> Why:
        values = {"contact": name_of(contact)}
        match Status(contact.status):
            case Status.IN_SYNC:
                return self._in_sync(contact, values)
            case Status.PENDING:
                return self._pending(contact, values)
            case Status.FAILED:
                return self._failed(contact, values)
            case Status.WAITING:
                return self._waiting(contact, values)
            case Status.EXCLUDED:
                return self._excluded(contact, values)
            case Status.CONFLICT:
                values |= {"fields": listed(contact.conflicts)}
                sentence = _("%(contact)s is in conflict: both sides changed %(fields)s to different values.") % values
                return self._why(contact, Reason.CONFLICT, sentence, _("Somebody has to choose which one to keep; the other fields go on."))
            case Status.REVIEW:
                values |= {"others": listed(self._others(contact)) or _("another contact")}
                sentence = _("%(contact)s may be the same person as %(others)s: somebody has to say.") % values
                return self._why(
                    contact, Reason.REVIEW, sentence, f"{contact.reason} {_('Nothing is written for any of them until then.')}"
                )
            case Status.QUARANTINED:
                gone = Side(contact.missing_on) if contact.missing_on else Side.GHL
                values |= {"there": NAMES[gone], "here": NAMES[gone.other]}
                sentence = _("%(contact)s was deleted in %(there)s, and is in %(here)s still.") % values
                then = _("Somebody has to decide: delete it in %(here)s too, keep it and unlink, or restore it.") % values
                return self._why(contact, Reason.DELETED, sentence, then)

    def hindrances(self, contact: Contact) -> tuple[Hindrance, ...]:
        if contact.sync_id not in self._in_the_way:
            self._in_the_way[contact.sync_id] = tuple(hindrances(contact.sync, self._now))
        return self._in_the_way[contact.sync_id]

    def _why(self, contact: Contact, reason: Reason, sentence: str, then: str = "") -> Why:
        """For what doesn't come of the sync as a whole: what is in the way of it besides is told after it."""
        in_the_way = self.hindrances(contact)
        if in_the_way:
            besides = _("Besides, nothing goes on at present: %(clause)s.") % {"clause": in_the_way[0].clause}
            then = f"{then} {besides}".strip()
        return Why(contact, reason, sentence, then, in_the_way)

    def _stands(self, contact: Contact, hindrance: Hindrance) -> Why:
        """It waits for what all contacts of its sync wait for."""
        sentence = _("%(contact)s waits: %(clause)s.") % {"contact": name_of(contact), "clause": hindrance.clause}
        return Why(contact, hindrance.reason, sentence, _("It goes on by itself once that is put right."), self.hindrances(contact))

    # By status

    def _in_sync(self, contact: Contact, values: dict[str, str]) -> Why:
        if contact.verified_at is None:
            sentence = _("%(contact)s is in sync: nothing differed when both sides were last compared.") % values
        else:
            values["ago"] = relative(contact.verified_at)
            sentence = _("%(contact)s is in sync: both sides were read and found equal %(ago)s.") % values
        in_the_way = self.hindrances(contact)
        then = _("What changes now isn't brought over: %(clause)s.") % {"clause": in_the_way[0].clause} if in_the_way else ""
        return Why(contact, Reason.IN_SYNC, sentence, then, in_the_way)

    def _pending(self, contact: Contact, values: dict[str, str]) -> Why:
        now, due_at = self._now, contact.due_at
        if contact.lease_until > now:
            return self._why(contact, Reason.AT_WORK, _("%(contact)s is being compared right now.") % values)
        if in_the_way := self.hindrances(contact):
            return self._stands(contact, in_the_way[0])
        if contact.held_by and contact.held_by.state == State.GATHERING:
            sentence = _("%(contact)s waits some minutes: so much changes at once that crmsync counts first how much it is.") % values
            return self._why(contact, Reason.GATHERED, sentence, _("Then it is written, or somebody is asked."))
        if contact.awaiting_read_back:
            sentence = _("%(contact)s was written to, and is about to be read again, to see that it was kept.") % values
            return self._why(contact, Reason.READ_BACK, sentence)
        if due_at and (idle := nobody_at_work(contact.sync, due_at, now)):
            return self._stands(contact, idle)
        if run := self._run(contact.sync):
            values |= {"run": str(run.get_kind_display()), "ago": relative(run.started_at)}
            sentence = _("%(contact)s waits for its turn in the %(run)s that began %(ago)s.") % values
            return self._why(contact, Reason.DUE, sentence)
        return self._due(contact, values)

    def _due(self, contact: Contact, values: dict[str, str]) -> Why:
        if contact.due_at and contact.due_at > self._now:
            sentence = _("%(contact)s is compared next %(when)s.") % {**values, "when": relative(contact.due_at)}
        elif contact.asked_by:
            sentence = _("%(contact)s is about to be compared: %(who)s asked for it.") % {**values, "who": contact.asked_by}
        elif contact.dirty_since:
            values["ago"] = relative(contact.dirty_since)
            sentence = _("%(contact)s is about to be compared: a change was noticed %(ago)s.") % values
        else:
            sentence = _("%(contact)s is about to be compared.") % values
        return self._why(contact, Reason.DUE, sentence, _("There is nothing to do."))

    def _failed(self, contact: Contact, values: dict[str, str]) -> Why:
        sentence = _("%(contact)s failed: %(reason)s") % {**values, "reason": _within(contact.reason)}
        then = [contact.issue.what_to_do] if contact.issue and not contact.issue.closed_at else []
        if contact.due_at and contact.due_at > self._now:
            then.append(_("The next try comes by itself %(when)s.") % {"when": relative(contact.due_at)})
        return self._why(contact, Reason.FAILED, sentence, " ".join(then) or _("Mend the cause, then press Retry."))

    def _waiting(self, contact: Contact, values: dict[str, str]) -> Why:
        batch = contact.held_by
        if batch and batch.state == State.REJECTED:
            sentence = _("%(contact)s isn't brought over: %(reason)s") % {**values, "reason": _within(reason_of(batch))}
            return self._why(contact, Reason.REJECTED, sentence)
        if batch and batch.state != State.GATHERING:
            sentence = _("%(contact)s waits for a yes or no: %(reason)s") % {**values, "reason": _within(reason_of(batch))}
            return self._why(contact, Reason.HELD, sentence)
        sentence = _("%(contact)s waits: %(reason)s") % {**values, "reason": _within(contact.reason)}
        if contact.issue:
            return self._why(contact, Reason.PERMISSION, sentence, contact.issue.what_to_do)
        if in_the_way := self.hindrances(contact):
            return self._stands(contact, in_the_way[0])
        return self._why(contact, Reason.CLOCK, sentence, _("Retry brings it over at once."))

    def _excluded(self, contact: Contact, values: dict[str, str]) -> Why:
        if not contact.exclusion:
            return self._out_of_scope(contact, values)
        then = _("Neither CRM is written to until somebody presses Include again.")
        values["reason"] = contact.exclusion.rstrip(".")
        if entry := exclusion_of(contact, self._exclusion_entries()):
            values |= {"who": who(entry), "ago": relative(entry.at)}
            sentence = _("%(contact)s was excluded by %(who)s %(ago)s: %(reason)s.") % values
        else:
            sentence = _("%(contact)s is excluded: %(reason)s.") % values
        return self._why(contact, Reason.EXCLUDED, sentence, then)

    def _out_of_scope(self, contact: Contact, values: dict[str, str]) -> Why:
        """By a rule, not by a person: nobody over there is it, and it isn't created there."""
        here = Side.GHL if contact.ghl_id else Side.CENTRALSTATION
        values |= {"here": NAMES[here], "there": NAMES[here.other], "sync": contact.sync.name}
        creates = {Side.GHL: contact.sync.create_in_ghl, Side.CENTRALSTATION: contact.sync.create_in_centralstation}
        if creates[here.other]:
            text = _("%(contact)s is in %(here)s only, and none of its mapped fields has a value to create it with in %(there)s.")
            return self._why(contact, Reason.OUT_OF_SCOPE, text % values, _("It is looked at again as soon as it changes."))
        then = _("Switch creating on in the settings of “%(sync)s”, or create it in %(there)s by hand: then it is linked.") % values
        if contact.pk in self._with_keys():
            text = _(
                "%(contact)s is out of scope: it is in %(here)s only, nobody in %(there)s has its e-mail, phone or name with company, and "
                "the sync “%(sync)s” doesn't create contacts there."
            )
            return self._why(contact, Reason.OUT_OF_SCOPE, text % values, then)
        text = _(
            "%(contact)s has no key to match on: it is in %(here)s only, without an e-mail, a phone number or a name with a company, and "
            "the sync “%(sync)s” doesn't create contacts in %(there)s."
        )
        return self._why(contact, Reason.NO_KEY, text % values, then)

    # What several share

    def _run(self, sync: Sync) -> Run | None:
        if sync.pk not in self._runs:
            self._runs[sync.pk] = big_run(sync)
        return self._runs[sync.pk]

    def _others(self, contact: Contact) -> list[str]:
        """Names of those that it could be, a few of them."""
        if self._labels is None:
            wanted = {pk for one in self._contacts if one.status == Status.REVIEW for pk in one.candidates[:NAMED]}
            self._labels = {one.pk: str(one) for one in Contact.objects.filter(pk__in=wanted).only("label")}
        return [self._labels[pk] for pk in contact.candidates[:NAMED] if pk in self._labels and pk != contact.pk]

    def _exclusion_entries(self) -> list[AuditEntry]:
        if self._exclusions is None:
            excluded = [one for one in self._contacts if one.exclusion]
            alone = AuditEntry.objects.filter(
                object_kind="contact", object_id__in=[one.pk for one in excluded], act__in=[Act.CONTACT_EXCLUDED, Act.CONTACT_UNLINKED]
            )
            together = AuditEntry.objects.filter(
                object_kind="bulkaction",
                object_id__in={one.asked_in_id for one in excluded if one.asked_in_id},
                act=Act.CONTACTS_EXCLUDED,
            )
            self._exclusions = [*alone, *together]
        return self._exclusions

    def _with_keys(self) -> set[int]:
        if self._keyed is None:
            outside = [one.pk for one in self._contacts if one.status == Status.EXCLUDED and not one.exclusion]
            keys = MatchKey.objects.filter(contact__in=outside, side__in=SIDES)
            self._keyed = set(keys.values_list("contact", flat=True))
        return self._keyed


def _within(reason: str) -> str:
    """A sentence after a colon. It keeps its capital: it may begin with a CRM's or a field's name."""
    return reason.strip() or _("the cause isn't known any more.")
