"""Fix it here: a refused value is corrected where it comes from, and carried over; of many that look the same, one first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from crmsync.engine.mends import Way
from crmsync.models import Act, AuditEntry, Canary, Cause, Connection, Contact, FieldMapping, Issue, Result
from crmsync.sync import actions, fixing, runs
from crmsync.sync.actions import ActionError
from crmsync.sync.canary import retry_chosen
from crmsync.systems.ghl import operations as op
from tests.dashboard.data import make_user
from tests.sync.kit import Live, writes

BAD, GOOD = "grace@gmail,com", "grace@gmail.com"


def with_email(live: Live, *emails: str) -> None:
    """Somebody in CentralStation with each of these, and a run."""
    for n, email in enumerate(emails):
        live.central.add_contact(first_name=f"Grace{n}", name="Hopper", emails=[email])
    live.run()


@pytest.fixture
def refused(live: Live) -> Contact:
    """Grace, whom GHL won't create for her e-mail."""
    with_email(live, BAD)
    assert live.statuses() == ["failed"]
    return live.contact()


def emails(live: Live, contact: Contact) -> tuple[str | None, str | None]:
    contact.refresh_from_db()
    there = live.in_ghl(contact).fields["email"] if contact.ghl_id else None
    return there, live.in_central(contact).fields["email"]


def test_what_is_offered_says_what_was_changed_and_where_it_goes(refused: Contact) -> None:
    offer = fixing.offer(refused)
    assert offer is not None
    [correction] = offer.corrections
    told = fixing.what_was_changed(correction)
    assert (offer.owner, offer.value, correction.value, told) == ("centralstation", BAD, GOOD, "“gmail,com” → “gmail.com”")


def test_a_correction_is_written_where_the_value_comes_from_and_carried_over(live: Live, refused: Contact) -> None:
    fixing.fix(refused, BAD, GOOD)
    live.work()
    assert (emails(live, refused), live.statuses(), live.issues()) == ((GOOD, GOOD), ["in_sync"], [])


def test_a_correction_is_somebodys_doing_verified_and_in_the_audit_log(live: Live, refused: Contact) -> None:
    user = make_user(None)
    fixing.fix(refused, BAD, GOOD, user)
    live.work()
    change = refused.changes.get(side="centralstation", cause=Cause.FIX)
    entry = AuditEntry.objects.get(act=Act.VALUE_CORRECTED)
    assert (change.result, change.by_id, change.before, change.after) == (Result.VERIFIED, user.pk, {"email": BAD}, {"email": GOOD})
    assert (entry.before, entry.after) == ({"email": BAD}, {"email": GOOD})


def test_what_somebody_changed_meanwhile_is_not_overwritten(live: Live, refused: Contact) -> None:
    fixing.fix(refused, BAD, GOOD)
    row = (live.central.contact(str(refused.centralstation_id)) or {})["emails"][0]
    live.edit_in_central(refused, emails_attributes=[{"id": row["id"], "name": "grace@navy.mil"}])
    live.work()
    told = refused.changes.get(side="centralstation", result=Result.FAILED).reason
    assert emails(live, refused) == ("grace@navy.mil", "grace@navy.mil")
    assert "nothing was overwritten" in told


def test_a_value_that_is_another_one_by_now_on_our_side_is_not_corrected(refused: Contact) -> None:
    with pytest.raises(ActionError, match="changed meanwhile"):
        fixing.fix(refused, "another@gmail,com", GOOD)


@pytest.mark.parametrize(("typed", "words"), [("grace", "isn't an e-mail"), (BAD, "type another one"), ("", "Type a value")])
def test_a_typed_value_is_checked_by_its_kind(refused: Contact, typed: str, words: str) -> None:
    with pytest.raises(ActionError, match=words):
        fixing.fix(refused, BAD, typed)


def test_a_value_refused_in_an_update_is_corrected_on_both_sides(live: Live, ada: Contact) -> None:
    row = (live.central.contact(str(ada.centralstation_id)) or {})["emails"][0]
    live.edit_in_central(ada, emails_attributes=[{"id": row["id"], "name": "ada@gmx,de"}])
    live.run()
    ada.refresh_from_db()
    fixing.fix(ada, "ada@gmx,de", "ada@gmx.de")
    live.work()
    assert (emails(live, ada), live.statuses()) == (("ada@gmx.de", "ada@gmx.de"), ["in_sync"])


def test_a_name_too_long_for_centralstation_is_cut_in_ghl(live: Live) -> None:
    live.ghl.add_contact(firstName="Anna " * 15 + "Maria", lastName="Hall", email="anna@example.org")
    live.run()
    contact = live.contact()
    offer = fixing.offer(contact)
    assert offer is not None
    fixing.fix(contact, fixing.shown(offer.value), fixing.shown(offer.corrections[0].value))
    live.work()
    name = ("Anna " * 12).strip()
    assert (live.in_ghl(contact).fields["first name"], live.in_central(contact).fields["first name"]) == (name, name)


def test_a_phone_is_brought_into_the_form_that_ghl_takes(live: Live) -> None:
    live.ghl.fault("value_refused", field="phone", pattern="[^+0-9]", words="must be a valid phone number")
    live.central.add_contact(first_name="Grace", name="Hopper", tels=["Tel. 030 / 123 45 67"])
    live.run()
    contact = live.contact()
    offer = fixing.offer(contact)
    assert offer is not None
    told = fixing.what_was_changed(offer.corrections[0])
    assert told == "“Tel.” removed, country code +49 added, spaces, brackets and signs removed"
    fixing.fix(contact, fixing.shown(offer.value), fixing.shown(offer.corrections[0].value))
    live.work()
    assert (live.in_ghl(contact).fields["phone"], live.in_central(contact).fields["phone"]) == ("+49301234567", "+49301234567")


def test_a_choice_that_ghl_does_not_offer_is_brought_to_the_nearest_one(live: Live) -> None:
    field = live.ghl.add_custom_field("Anrede", "SINGLE_OPTIONS", ["Herr", "Frau"])
    FieldMapping.objects.create(
        sync=live.sync, name="salutation", ghl_field=f"customFields.{field}", centralstation_field="salutation", type="choice"
    )
    live.central.add_contact(first_name="Grace", name="Hopper", salutation="Fr.")
    live.run()
    contact = live.contact()
    offer = fixing.offer(contact)
    assert offer is not None
    assert ([one.value for one in offer.corrections], offer.options) == (["Frau"], ("Herr", "Frau"))
    fixing.fix(contact, "Fr.", "Frau")
    live.work()
    assert live.statuses() == ["in_sync"]
    assert (live.central.contact(str(contact.centralstation_id)) or {})["salutation"] == "Frau"


def test_a_correction_can_be_undone(live: Live, refused: Contact) -> None:
    fixing.fix(refused, BAD, GOOD)
    live.work()
    change = refused.changes.get(side="centralstation", cause=Cause.FIX)
    runs.work_on(actions.undo(live.sync, "change", change.pk))
    assert live.in_central(refused).fields["email"] == BAD


def test_a_worker_that_dies_before_it_is_written_leaves_the_correction_to_the_next(live: Live, refused: Contact) -> None:
    fixing.fix(refused, BAD, GOOD)
    live.central.fault("server_error", method="PUT")
    live.work()
    live.clear_faults()
    live.later()
    assert (emails(live, refused), live.statuses()) == ((GOOD, GOOD), ["in_sync"])


def test_where_crmsync_may_not_write_it_says_so_and_offers_no_button(live: Live) -> None:
    live.ghl.add_contact(firstName="A" * 70, lastName="Hall", email="anna@example.org")
    live.run()
    Connection.objects.filter(pk=live.sync.ghl_id).update(missing_scopes={op.WRITE: "nothing is written"})
    contact = Contact.objects.select_related("sync__ghl", "sync__centralstation", "issue").get()
    offer = fixing.offer(contact)
    assert offer is not None
    assert "correct it there" in offer.why_not
    with pytest.raises(ActionError, match="correct it there"):
        fixing.fix(contact, fixing.shown(offer.value), "Anna")


def test_a_field_that_goes_one_way_is_not_corrected_against_its_direction(live: Live, refused: Contact) -> None:
    FieldMapping.objects.filter(sync=live.sync, name="email").update(direction="to_ghl")
    offer = fixing.offer(refused)
    assert offer is not None
    assert "goes to GoHighLevel only" in offer.why_not


def test_a_paused_sync_corrects_nothing(live: Live, refused: Contact) -> None:
    actions.pause(live.sync)
    with pytest.raises(ActionError, match="resume it first"):
        fixing.fix(Contact.objects.get(), BAD, GOOD)


# Alike


ALIKE = ("a@gmail,com", "b@gmx,de", "c@web,de", "no e-mail at all", "Dora <d@example.org>")


@pytest.fixture
def many(live: Live) -> Issue:
    """Five whose e-mail GHL refuses; three of them are mistyped in the same way."""
    with_email(live, *ALIKE)
    return Issue.objects.select_related("sync__ghl", "sync__centralstation").get()


def test_those_that_look_the_same_are_counted(many: Issue) -> None:
    assert [(one.way, one.count) for one in fixing.alike(many)] == [(Way.TYPO, 3)]


def test_those_that_look_the_same_are_corrected_and_the_others_left(live: Live, many: Issue) -> None:
    fixing.fix_alike(many, Way.TYPO)
    live.work()
    live.work()
    canary = Canary.objects.get()
    assert live.statuses() == ["failed", "failed", "in_sync", "in_sync", "in_sync"]
    assert (canary.state, canary.done, len(live.ghl.overview())) == (Canary.State.WENT_THROUGH, 2, 3)


def test_where_the_first_fails_again_the_others_are_not_corrected(live: Live, many: Issue) -> None:
    live.ghl.fault("canned", method="POST", path="/contacts$", status=422, body={"message": ["email must be an email"]})
    before = len(writes(live.central))
    fixing.fix_alike(many, Way.TYPO)
    live.work()
    live.work()
    assert Canary.objects.get().state == Canary.State.FAILED_AGAIN
    assert len(writes(live.central)) == before + 1
    assert live.statuses() == ["failed"] * 5


# What is tried again by itself


def changes(live: Live) -> int:
    return len(writes(live.ghl))


def test_what_was_refused_is_not_tried_again_by_a_poll_that_finds_it_unchanged(live: Live, refused: Contact) -> None:
    before = changes(live)
    for _ in range(3):
        live.poll()
    assert changes(live) == before


def test_a_task_of_what_was_refused_does_not_have_it_tried_again(live: Live, refused: Contact) -> None:
    live.central.add_task(str(refused.centralstation_id), "Send the offer")
    live.poll()
    before = changes(live)
    for _ in range(2):
        live.poll()
    assert changes(live) == before


def test_it_is_tried_again_when_something_about_it_changed(live: Live, refused: Contact) -> None:
    before = changes(live)
    Contact.objects.update(centralstation_updated_at=timezone.now() - timedelta(minutes=1))
    live.edit_in_central(refused, first_name="Amazing")
    live.poll()
    assert changes(live) == before + 1


def test_a_poll_beside_a_canary_tries_none_of_the_others(live: Live) -> None:
    with_email(live, *ALIKE[:3])
    actions.retry_all(Issue.objects.get())
    before = changes(live)
    live.poll()
    live.poll()
    assert changes(live) == before + 1
    assert Canary.objects.get().state == Canary.State.FAILED_AGAIN


def test_a_run_that_a_person_starts_tries_one_of_a_cause(live: Live) -> None:
    with_email(live, *ALIKE[:3])
    before = changes(live)
    live.run()
    assert changes(live) == before + 1


def test_one_that_is_tried_again_for_another_cause_decides_nothing_yet(live: Live) -> None:
    with_email(live, *ALIKE[:3])
    actions.retry_all(Issue.objects.get())
    live.ghl.fault("server_error", method="POST", path="/contacts$")
    live.poll()
    assert Canary.objects.get().state == Canary.State.TRYING
    live.clear_faults()
    live.later()
    assert Canary.objects.get().state == Canary.State.FAILED_AGAIN


def test_of_chosen_contacts_of_one_cause_one_goes_first_and_no_other_follows(live: Live) -> None:
    with_email(live, *ALIKE[:3])
    chosen = list(live.sync.contacts.order_by("pk")[:2])
    before = changes(live)
    begun = retry_chosen(Contact.objects.filter(pk__in=[one.pk for one in chosen]))
    assert (begun.tried, begun.waiting) == (1, 1)
    live.work()
    assert changes(live) == before + 1
