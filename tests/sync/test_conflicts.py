"""Both sides changed the same field: who wins, and what a person decides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crmsync.engine.items import decision_name
from crmsync.engine.records import ItemKind, Side
from crmsync.models import Contact
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from crmsync.sync import actions
from crmsync.sync.actions import ActionError
from tests.sync.kit import ADA, Live

Joined = Callable[[str], Live]


@pytest.fixture
def joined(join: Callable[..., Live], ghl_sandbox: Ghl, centralstation_sandbox: CentralStation) -> Joined:
    """Ada in both CRMs, under the given conflict policy."""

    def joined(conflict: str) -> Live:
        live = join(ghl_sandbox, centralstation_sandbox, conflict=conflict)
        live.ghl.add_contact(**ADA)
        live.run()
        return live

    return joined


def both_change(live: Live) -> None:
    live.edit_in_ghl(live.contact(), phone="+4940111111", city="Bremen")
    live.phone_in_central(live.contact(), "+4940222222")


def phones(live: Live) -> tuple[str | None, str | None]:
    return live.in_ghl(live.contact()).fields["phone"], live.in_central(live.contact()).fields["phone"]


@pytest.mark.parametrize(("conflict", "winner"), [("ghl", "+4940111111"), ("centralstation", "+4940222222")])
def test_the_side_that_the_policy_names_wins(joined: Joined, conflict: str, winner: str) -> None:
    live = joined(conflict)
    both_change(live)
    live.run()
    assert phones(live) == (winner, winner)
    assert live.in_central(live.contact()).fields["city"] == "Bremen"
    assert live.statuses() == ["in_sync"]


def test_the_newest_change_wins(joined: Joined) -> None:
    live = joined("newest")
    both_change(live)
    live.central.touch("Person", int(live.contact().centralstation_id or 0), updated=True, at=live.central.now().replace(year=2030))
    live.run()
    assert phones(live) == ("+4940222222",) * 2


def test_a_person_is_asked_and_nothing_of_that_field_is_written(joined: Joined) -> None:
    live = joined("ask")
    both_change(live)
    live.run()
    contact = live.contact()
    assert (contact.status, "phone" in contact.reason) == ("conflict", True)
    assert phones(live) == ("+4940111111", "+4940222222")
    assert live.in_central(contact).fields["city"] == "Bremen"


@pytest.mark.parametrize(("side", "value"), [(Side.GHL, "+4940111111"), (Side.CENTRALSTATION, "+4940222222")])
def test_the_decision_of_a_person_is_carried_out(joined: Joined, side: Side, value: str) -> None:
    live = joined("ask")
    both_change(live)
    live.run()
    actions.decide_conflict(live.contact(), "phone", side)
    live.work()
    assert phones(live) == (value, value)
    assert live.statuses() == ["in_sync"]


def test_a_decision_is_for_that_one_time_only(joined: Joined) -> None:
    live = joined("ask")
    both_change(live)
    live.run()
    actions.decide_conflict(live.contact(), "phone", Side.GHL)
    live.work()
    live.edit_in_ghl(live.contact(), phone="+4940333333")
    live.phone_in_central(live.contact(), "+4940444444")
    live.run()
    assert live.statuses() == ["conflict"]


def test_a_conflict_is_asked_once_and_looked_at_in_vain(joined: Joined) -> None:
    live = joined("ask")
    both_change(live)
    live.run()
    with live.nothing_written():
        live.run()
        live.run(full=True)
    assert live.statuses() == ["conflict"]


def test_a_conflict_is_over_when_both_sides_get_the_same_value(joined: Joined) -> None:
    live = joined("ask")
    both_change(live)
    live.run()
    live.edit_in_ghl(live.contact(), phone="+4940222222")
    live.run()
    assert live.statuses() == ["in_sync"]


def test_two_values_that_meet_first_are_a_conflict_where_a_person_is_asked(
    join: Callable[..., Live], ghl_sandbox: Ghl, centralstation_sandbox: CentralStation
) -> None:
    live = join(ghl_sandbox, centralstation_sandbox, conflict="ask")
    live.ghl.add_contact(**ADA)
    live.central.add_contact(first_name="Augusta", name="Lovelace", emails=["ada@example.org"])
    live.run()
    contact: Contact = live.contact()
    assert (contact.status, "first name" in contact.reason) == ("conflict", True)
    assert live.in_central(contact).fields["phone"] == "+493012345678"


def test_only_a_contact_in_conflict_can_be_decided(joined: Joined) -> None:
    live = joined("ask")
    with pytest.raises(ActionError, match="isn't in conflict"):
        actions.decide_conflict(live.contact(), "phone", Side.GHL)


def two_contested_notes(joined: Joined) -> Live:
    live = joined("ask")
    contact = live.contact()
    ids = [live.ghl.add_note(str(contact.ghl_id), text) for text in ("First", "Second")]
    live.run(full=True)
    for note_id in ids:
        live.ghl.edit_note(str(contact.ghl_id), note_id, body=f"{note_id} by GHL")
        live.central.edit_note(str(contact.items.get(ghl_id=note_id).centralstation_id), content=f"{note_id} by CS")
    live.run(full=True)
    return live


def test_a_note_in_conflict_shows_both_texts(joined: Joined) -> None:
    live = two_contested_notes(joined)
    texts = [row.contested["text"] for row in live.contact().items.all()]
    assert texts == [[f"{row.ghl_id} by GHL", f"{row.ghl_id} by CS"] for row in live.contact().items.all()]


def test_each_note_in_conflict_is_decided_by_itself(joined: Joined) -> None:
    live = two_contested_notes(joined)
    first, second = live.contact().items.order_by("pk")
    actions.decide_conflict(live.contact(), decision_name(ItemKind.NOTE, "text", first.pk), Side.GHL)
    actions.decide_conflict(live.contact(), decision_name(ItemKind.NOTE, "text", second.pk), Side.CENTRALSTATION)
    live.work()
    wanted = {f"{first.ghl_id} by GHL", f"{second.ghl_id} by CS"}
    assert {text for _, text in live.in_ghl(live.contact()).notes} == {text for _, text in live.in_central(live.contact()).notes} == wanted
    assert live.statuses() == ["in_sync"]


def test_one_decided_note_leaves_the_other_in_conflict(joined: Joined) -> None:
    live = two_contested_notes(joined)
    first, _second = live.contact().items.order_by("pk")
    actions.decide_conflict(live.contact(), decision_name(ItemKind.NOTE, "text", first.pk), Side.GHL)
    live.work()
    assert live.statuses() == ["conflict"]
    assert [bool(row.contested) for row in live.contact().items.order_by("pk")] == [False, True]
    assert live.contact().decisions == {}
