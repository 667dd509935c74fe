"""Why one field of a contact is as it is. Both CRMs simulated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from crmsync.engine.records import Aspect
from crmsync.models import Cause, Change, Contact, FieldMapping, Sync
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sync import actions
from crmsync.sync.why import explain
from crmsync.sync.why_field import FieldWhy, choices, explain_field
from tests.sync.kit import ADA, Live

Joined = Callable[..., Live]


@pytest.fixture
def joined(join: Callable[..., Live], ghl_sandbox: Ghl, centralstation_sandbox: CentralStation) -> Joined:
    return lambda **settings: join(ghl_sandbox, centralstation_sandbox, **settings)


def about(contact: Contact, name: str) -> FieldWhy:
    [why] = explain([Contact.objects.select_related("sync__ghl", "sync__centralstation", "issue", "held_by").get(pk=contact.pk)])
    return explain_field(why, name)


def said(contact: Contact, name: str) -> str:
    return about(contact, name).sentence


def facts(contact: Contact, name: str) -> list[str]:
    return [fact.text for fact in about(contact, name).facts]


def test_a_field_that_is_the_same_says_where_it_came_from_and_when(live: Live, ada: Contact) -> None:
    live.edit_in_ghl(ada, phone="+4940111111")
    live.poll()
    Change.objects.update(at=timezone.now() - timedelta(minutes=4))
    assert said(ada, "phone") == (
        "Phone is the same on both sides: “+4940111111”. It came from GoHighLevel 4\u00a0minutes ago (looking for changes)."
    )


def test_a_field_that_was_equal_from_the_beginning_says_so(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.add_contact(first_name="Ada", name="Lovelace", emails=["ada@example.org"])
    live.run()
    assert "It was equal already when the two were compared." in said(live.contact(), "last name")


def test_a_value_written_in_two_ways_is_the_same(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.add_contact(name="Lovelace", emails=["ada@example.org"], tels=["030 12345678"])
    live.run()
    assert "Phone is the same, written in two ways (GoHighLevel “+493012345678”, CentralStationCRM “030 12345678”)" in said(
        live.contact(), "phone"
    )


def test_a_field_that_is_empty_on_both_sides_says_so(ada: Contact) -> None:
    assert said(ada, "city") == "City is empty on both sides, so there is nothing to bring over."


def test_a_field_that_is_not_mapped_says_so(ada: Contact) -> None:
    assert said(ada, "shoe size") == "“shoe size” isn't mapped in the sync “Berlin”, so it stays in each CRM as it is."


def test_a_one_way_field_keeps_what_the_other_side_has(live: Live, ada: Contact) -> None:
    FieldMapping.objects.filter(sync=live.sync, name="city").update(direction="to_ghl")
    live.edit_in_ghl(ada, city="Bremen")
    live.run()
    assert said(ada, "city") == (
        "City goes to GoHighLevel only, so CentralStationCRM keeps its own (GoHighLevel “Bremen”, CentralStationCRM nothing)."
    )


def test_a_stand_in_for_a_last_name_is_told(live: Live) -> None:
    live.ghl.add_contact(firstName="Ada", email="ada@example.org")
    live.run()
    assert said(live.contact(), "last name") == (
        "CentralStationCRM wants a last name and there is none, so “ada” stands in for it; it isn't brought to GoHighLevel."
    )


def test_a_state_that_centralstation_has_no_code_for_is_told(live: Live) -> None:
    live.ghl.add_contact(**ADA, country="FR", state="Bretagne")
    live.run()
    assert "CentralStationCRM knows the states of three countries only" in said(live.contact(), "state")


def test_a_conflict_shows_both_values(joined: Joined) -> None:
    live = joined(conflict="ask")
    live.ghl.add_contact(**ADA)
    live.run()
    live.edit_in_ghl(live.contact(), phone="+4940111111")
    live.phone_in_central(live.contact(), "+4940222222")
    live.run()
    assert said(live.contact(), "phone") == (
        "Both sides changed phone (GoHighLevel “+4940111111”, CentralStationCRM “+4940222222”): somebody has to choose."
    )


def test_a_value_that_was_not_kept_says_which(live: Live) -> None:
    live.ghl.fault("field_dropped", field="phone")
    live.central.add_contact(first_name="Grace", name="Hopper", emails=["grace@example.org"], tels=["+493087654321"])
    live.run()
    assert said(live.contact(), "phone") == "Phone was sent to GoHighLevel (“+493087654321”) and accepted, but not kept there."


def test_another_field_of_a_failed_contact_is_not_to_blame(live: Live) -> None:
    live.ghl.fault("field_dropped", field="phone")
    live.central.add_contact(first_name="Grace", name="Hopper", emails=["grace@example.org"], tels=["+493087654321"])
    live.run()
    assert said(live.contact(), "email").startswith("Email is the same on both sides")


def test_a_field_that_something_always_changed_back_is_left_alone(ada: Contact) -> None:
    Contact.objects.update(stopped=["phone"])
    assert "Phone is left alone: something else changed it back" in said(ada, "phone")


def test_a_field_that_differs_waits_for_what_the_contact_waits_for(live: Live, ada: Contact) -> None:
    Contact.objects.filter(pk=ada.pk).mark_dirty(Aspect.ALL, timezone.now())
    Contact.objects.update(seen={"phone": ["+4940111111", "+493012345678"]})
    actions.pause(live.sync)
    assert said(ada, "phone") == (
        "Phone differs (GoHighLevel “+4940111111”, CentralStationCRM “+493012345678”) and waits with the whole contact. "
        "Ada Lovelace waits: the sync “Berlin” was paused by somebody on the command line just now."
    )


def test_a_contact_in_one_crm_only_says_why(joined: Joined) -> None:
    live = joined(create_in_centralstation=False)
    live.ghl.add_contact(**ADA)
    live.run()
    assert said(live.contact(), "phone").startswith("Phone is in one CRM only, as the whole contact is. Ada Lovelace is out of scope")


def test_what_may_be_written_is_among_the_facts(ada: Contact) -> None:
    assert facts(ada, "phone")[-2:] == [
        "Mapped as phone in GoHighLevel and tel in CentralStationCRM, both ways.",
        "When both sides change it, the newest change wins.",
    ]


def test_a_missing_permission_to_write_is_among_the_facts(live: Live, ada: Contact) -> None:
    live.sync.ghl.missing_scopes = {"contacts.write": "Nothing is written."}
    live.sync.ghl.save()
    assert facts(ada, "phone")[-1].startswith("One way only: from GoHighLevel to CentralStationCRM.")


def test_a_write_in_vain_is_among_the_facts(live: Live) -> None:
    live.ghl.fault("field_dropped", field="phone")
    live.central.add_contact(first_name="Grace", name="Hopper", emails=["grace@example.org"], tels=["+493087654321"])
    live.run()
    Change.objects.filter(kind="create").update(result="not_kept")
    assert "Sent to GoHighLevel: “+493087654321” (not kept)." in facts(live.contact(), "phone")


# Tags, notes, tasks


def test_tags_on_both_sides_are_named(live: Live) -> None:
    live.ghl.add_contact(**ADA, tags=["vip"])
    live.run()
    assert said(live.contact(), "tags") == "When last compared, both sides had this tag: vip."


def test_each_tag_says_where_it_came_from(live: Live) -> None:
    live.ghl.add_contact(**ADA)
    live.central.add_contact(name="Lovelace", emails=["ada@example.org"], tags=["VIP"])
    live.run()
    assert "“vip” came from CentralStationCRM." in facts(live.contact(), "tags")


@pytest.mark.parametrize(("name", "switch"), [("tags", "sync_tags"), ("notes", "sync_notes"), ("tasks", "sync_tasks")])
def test_what_is_switched_off_says_so(ada: Contact, name: str, switch: str) -> None:
    Sync.objects.update(**{switch: False})
    assert said(ada, name) == f"{name.capitalize()} aren't brought over: that is switched off in the settings of “Berlin”."


def test_notes_are_counted_by_where_they_are(live: Live, ada: Contact) -> None:
    live.ghl.add_note(str(ada.ghl_id), "Rang her")
    live.run(full=True)
    assert said(ada, "notes") == "Notes: the 1 that is known is on both sides."


def test_no_note_at_all_is_told(ada: Contact) -> None:
    assert said(ada, "notes").startswith("Notes: none is known on either side.")


def test_mapped_and_usual_fields_are_offered(live: Live, ada: Contact) -> None:
    FieldMapping.objects.filter(sync=live.sync, name="birthday").delete()
    mapped, unmapped = choices(ada)
    assert (mapped[-3:], unmapped) == (["tags", "notes", "tasks"], ["birthday"])


def test_a_value_written_back_by_an_undo_says_so(live: Live, ada: Contact) -> None:
    live.edit_in_ghl(ada, phone="+4940111111")
    live.poll()
    Change.objects.filter(kind="update").update(cause=Cause.UNDO)
    assert "It was written back" in said(ada, "phone")
