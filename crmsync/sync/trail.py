"""The trail behind a *Why?*: what is known of one contact, since when and by what, up to the reason. Entry: `trail()`. Asks no CRM."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from crmsync.engine.matching import KeyKind
from crmsync.engine.records import SIDES, Side
from crmsync.engine.write import WriteKind
from crmsync.models import Act, Change, Contact, HeldBatch, MatchKey, Result, RunKind, RunStatus
from crmsync.sync.actions import candidates_of
from crmsync.sync.facts import Fact, Reason, last_act, leading, who
from crmsync.sync.in_the_way import big_run
from crmsync.sync.reports import open_url
from crmsync.sync.spoken import listed
from crmsync.sync.why import Why
from crmsync.systems.errors import NAMES

KEYS = {KeyKind.EMAIL: _lazy("e-mail"), KeyKind.PHONE: _lazy("phone number"), KeyKind.NAME: _lazy("name and company")}


def trail(why: Why) -> list[Fact]:
    """From what the contact is to what holds it up, the uppermost last."""
    contact = why.contact
    return [
        *_of_sides(contact),
        *_of_matching(contact),
        *_of_comparing(contact),
        *_of_writing(contact),
        *_of_what_is_due(contact),
        *_of_sync(contact),
        *(replace(fact, is_cause=True) for fact in _of_status(contact, why.reason)),
        *(replace(hindrance.fact, is_cause=True) for hindrance in reversed(why.in_the_way)),
    ]


def way_out(facts: Sequence[Fact]) -> Fact | None:
    """The fact that leads to where the uppermost cause is put right."""
    return next((fact for fact in reversed(facts) if fact.is_cause and fact.url), None)


def change_fact(change: Change, text: str) -> Fact:
    """A fact that leads to this change in the contact's history."""
    url = f"{reverse('contact', args=[change.contact_id])}?after={change.pk + 1}#change-{change.pk}"
    return Fact(text, change.at, url, _("Show the change"))


def _of_sides(contact: Contact) -> Iterator[Fact]:
    for side in SIDES:
        values = {"crm": NAMES[side], "id": contact.remote_id(side)}
        if contact.missing_on == side:
            yield Fact(_("Deleted in %(crm)s, where it was %(id)s.") % values)
        elif contact.remote_id(side) is None and contact.creating_on == side:
            text = _("Sent to %(crm)s to be created there, and the answer got lost: it is looked for before it is sent again.") % values
            yield Fact(text, contact.creating_since)
        elif contact.remote_id(side) is None:
            yield Fact(_("Not in %(crm)s.") % values)
        else:
            url = open_url(contact, side)
            yield Fact(_("In %(crm)s, as %(id)s.") % values, None, url or "", _("Open in %(crm)s") % values if url else "")
    yield leading("contact", contact.pk, _("Known to crmsync."), _("Show the contact"), contact.created_at)


def _of_matching(contact: Contact) -> Iterator[Fact]:
    keys = list(MatchKey.objects.filter(contact=contact).order_by("kind", "value").values_list("side", "kind", "value"))
    if not contact.is_linked:
        named = [f"{KEYS[KeyKind(kind)]} {value}" for _side, kind, value in keys]
        yield Fact(_("Can be matched by: %(keys)s.") % {"keys": ", ".join(named)} if named else _("Has nothing to be matched by."))
    elif (entry := last_act("contact", contact.pk, Act.CONTACTS_LINKED, Act.CONTACT_RESTORED)) and entry.act == Act.CONTACTS_LINKED:
        yield Fact(_("The two were linked by %(who)s.") % {"who": who(entry)}, entry.at)
    elif created := contact.changes.filter(kind=WriteKind.CREATE).exclude(result=Result.FAILED).first():
        values = {"crm": NAMES[Side(created.side)], "cause": created.get_cause_display()}
        yield change_fact(created, _("Nobody in %(crm)s was this person, so crmsync created it there (%(cause)s).") % values)
    elif shared := _shared(contact, keys):
        yield Fact(_("Matched by the same %(key)s: %(value)s.") % {"key": KEYS[shared[0]], "value": shared[1]})
    else:
        yield Fact(_("Linked once; by now the two have no e-mail, phone number or name with company in common."))


def _shared(contact: Contact, keys: Sequence[tuple[str, str, str]]) -> tuple[KeyKind, str] | None:
    """The first key, in the sync's order, that both sides have."""
    for kind in map(KeyKind, contact.sync.match_by):
        ghl, central = ({value for on, of, value in keys if on == side and of == kind} for side in SIDES)
        if both := sorted(ghl & central):
            return kind, both[0]
    return None


def _of_comparing(contact: Contact) -> Iterator[Fact]:
    if contact.heard_at:
        yield Fact(_("A webhook told of a change."), contact.heard_at)
    if contact.compared_at and contact.compared_at != contact.verified_at:
        yield Fact(_("Both sides were last read and compared, in all that is mapped."), contact.compared_at)
    if contact.verified_at:
        yield Fact(_("Both sides were last found equal."), contact.verified_at)
    if not contact.compared_at and not contact.verified_at:
        yield Fact(_("Not compared yet."))


def _of_writing(contact: Contact) -> Iterator[Fact]:
    last = contact.changes.select_related("by").first()
    if last is None:
        yield Fact(_("crmsync has written nothing to it."))
        return
    values = {
        "crm": NAMES[Side(last.side)],
        "names": listed(sorted({*last.before, *last.after})) or last.kind,
        "result": last.get_result_display(),
        "cause": last.get_cause_display(),
        "who": last.by,
    }
    text = _("Last written to %(crm)s: %(names)s (%(cause)s; %(result)s).")
    if last.by:
        text = _("Last written to %(crm)s: %(names)s (%(cause)s, %(who)s; %(result)s).")
    yield change_fact(last, text % values)


def _of_what_is_due(contact: Contact) -> Iterator[Fact]:
    if contact.dirty and contact.dirty_since:
        yield Fact(_("A change was noticed that isn't brought over yet."), contact.dirty_since)
    if contact.asked_by:
        yield Fact(_("%(who)s asked to compare it.") % {"who": contact.asked_by})
    if contact.attempts:
        tries = ngettext("Tried %(n)d time in vain.", "Tried %(n)d times in vain.", contact.attempts) % {"n": contact.attempts}
        yield Fact(tries)
    if contact.dirty and contact.due_at:
        is_ahead = contact.due_at > timezone.now()
        yield Fact(_("Compared next.") if is_ahead else _("Due to be compared."), contact.due_at)


def _of_status(contact: Contact, reason: Reason) -> Iterator[Fact]:
    for other in candidates_of(contact).exclude(pk=contact.pk)[:10] if reason is Reason.REVIEW else ():
        places = listed([NAMES[side] for side in SIDES if other.remote_id(side)])
        text = _("Could be %(other)s, in %(crm)s.") % {"other": other, "crm": places}
        yield leading("contact", other.pk, text, _("Show it"))
    if reason in (Reason.REVIEW, Reason.CONFLICT, Reason.DELETED):
        yield leading("contact", contact.pk, _("Waits for a person's decision."), _("Decide it"))
    if contact.stopped:
        names = {"fields": listed(contact.stopped)}
        yield Fact(_("Left alone because something else changed it back each time: %(fields)s.") % names)
    if contact.exclusion:
        yield Fact(_("Excluded: %(reason)s") % {"reason": contact.exclusion})
    elif reason in (Reason.OUT_OF_SCOPE, Reason.NO_KEY):
        there = Side.CENTRALSTATION if contact.ghl_id else Side.GHL
        creates = contact.sync.create_in_centralstation if there is Side.CENTRALSTATION else contact.sync.create_in_ghl
        text = _("The sync creates contacts in %(crm)s.") if creates else _("The sync doesn't create contacts in %(crm)s.")
        yield leading("sync", contact.sync_id, text % {"crm": NAMES[there]}, _("The sync's settings"))
    if contact.held_by and contact.held_by.state != HeldBatch.State.GATHERING:
        batch = contact.held_by
        text = _("Held with others: %(explanation)s") % {"explanation": batch.explanation}
        yield leading("batch", batch.pk, text, _("Show what it is held with"), batch.decided_at or batch.opened_at)
    if contact.issue and not contact.issue.closed_at:
        text = _("The cause: %(explanation)s") % {"explanation": contact.issue.explanation}
        since = contact.issue.reopened_at or contact.issue.first_seen
        yield leading("issue", contact.issue.pk, text, _("Show the cause"), since)


def _of_sync(contact: Contact) -> Iterator[Fact]:
    sync = contact.sync
    polled = sync.runs.filter(kind=RunKind.POLL, status=RunStatus.DONE).first()
    if polled is not None:
        yield Fact(_("Both CRMs were last asked what has changed."), polled.ended_at or polled.started_at)
    if run := big_run(sync):
        text = _("A %(run)s is under way.") % {"run": run.get_kind_display()}
        yield leading("run", run.pk, text, _("Watch it"), run.started_at)
