"""What both sides must do alike: `SystemContract` is the meaning of `crmsync.systems.base.System` as tests.

A side subclasses it, gives a `system` fixture and says in its own field keys who the person of the tests is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from crmsync.engine.records import Aspect, FieldKey, Item, ItemKind, Record, Value
from crmsync.engine.values import FieldType, fold_tag, note_text, same
from crmsync.systems.base import Page, System
from crmsync.systems.errors import NotFound

NOTE = Item(kind=ItemKind.NOTE, title="Call", text="She rang back.\nAll is well.")
TASK = Item(kind=ItemKind.TASK, title="Send the offer", due="2026-12-01")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class SystemContract:
    """Each test is a sentence about any side."""

    person: dict[FieldKey, Value]
    """A profile with everything: in the side's own keys, values as the other side might show them."""
    city: FieldKey = "city"
    email: FieldKey = "email"
    phone: FieldKey
    unknown_id: str

    def person_named(self, number: int) -> dict[FieldKey, Value]:
        """A profile that nothing else in the account resembles: numbered names, e-mail and phone."""
        raise NotImplementedError

    def made(self, system: System, number: int = 1, tags: tuple[str, ...] = ()) -> Record:
        return system.read(system.create(self.person_named(number), tags).id, Aspect.ALL)

    def updated(self, system: System, record: Record, changes: dict[FieldKey, Value]) -> Record:
        """The record after an update as the side tells it, read back where it doesn't."""
        return system.update(record, changes) or system.read(record.id, Aspect.ALL)

    def walk(self, read: Callable[[str | None], Page]) -> list[Record]:
        """The records of all pages."""
        page = read(None)
        records = [*page.records]
        while page.next:
            page = read(page.next)
            records += page.records
        return records

    def types(self, system: System) -> dict[FieldKey, FieldType]:
        return {field.key: FieldType(field.type) for field in system.fields()}

    # The account

    def test_the_account_has_a_name_and_all_scopes(self, system: System) -> None:
        account = system.check()
        assert account.name
        assert account.missing_scopes == {}

    def test_every_field_of_a_record_can_be_mapped(self, system: System) -> None:
        record = system.create(self.person, ())
        assert set(record.profile) <= set(self.types(system))

    def test_each_request_is_told(self, system: System) -> None:
        told: list[str] = []
        system.on_call = lambda name, _code: told.append(name)
        system.total()
        assert len(told) == 1

    # Reading

    def test_a_created_contact_reads_as_it_was_sent(self, system: System) -> None:
        record = system.read(system.create(self.person, ()).id, Aspect.PROFILE)
        types = self.types(system)
        assert {key: record.profile[key] for key, value in self.person.items() if not same(record.profile[key], value, types[key])} == {}

    def test_notes_and_tasks_are_none_unless_asked_for(self, system: System) -> None:
        record = system.read(self.made(system).id, Aspect.PROFILE)
        assert record.notes is None

    def test_a_contact_without_notes_and_tasks_has_none_of_them(self, system: System) -> None:
        record = self.made(system)
        assert (record.notes, record.tasks) == ((), ())

    def test_a_contact_tells_when_it_was_made_and_changed(self, system: System) -> None:
        record = self.made(system)
        assert record.created_at
        assert record.updated_at
        assert abs(datetime.now(UTC) - record.created_at) < timedelta(minutes=1)

    def test_an_unknown_contact_is_not_found(self, system: System) -> None:
        with pytest.raises(NotFound):
            system.read(self.unknown_id, Aspect.ALL)

    def test_many_are_read_and_missing_ones_left_out(self, system: System) -> None:
        ids = [self.made(system, number).id for number in (1, 2)]
        assert {record.id for record in system.read_many([*ids, self.unknown_id])} == set(ids)

    # Lists

    def test_pages_hold_every_contact_once(self, system: System) -> None:
        ids = {self.made(system, number).id for number in (1, 2, 3)}
        assert sorted(record.id for record in self.walk(system.page)) == sorted(ids)

    def test_a_listed_contact_is_the_one_that_is_read(self, system: System) -> None:
        record = self.made(system, tags=("Kunde",))
        [listed] = system.page().records
        assert (dict(listed.profile), listed.tags) == (dict(record.profile), record.tags)

    def test_the_total_is_how_many_there_are(self, system: System) -> None:
        for number in (1, 2, 3):
            self.made(system, number)
        assert system.total() == 3

    def test_an_empty_account_has_one_empty_page(self, system: System) -> None:
        page = system.page()
        assert (page.records, page.next, system.total()) == ((), None, 0)

    def test_changed_tells_what_changed_since(self, system: System) -> None:
        record = self.made(system)
        before = (record.updated_at or LONG_AGO) - timedelta(seconds=1)
        assert {one.id for one in self.walk(partial(system.changed, before))} == {record.id}

    def test_changed_leaves_out_what_did_not_change_since(self, system: System) -> None:
        self.made(system)
        assert self.walk(partial(system.changed, datetime.now(UTC) + timedelta(days=2))) == []

    # Finding

    @pytest.mark.parametrize("by", ["email", "phone", "name"])
    def test_a_contact_is_found_by(self, system: System, by: str) -> None:
        record = self.made(system, 1)
        self.made(system, 2)
        profile = self.person_named(1)
        email, phone = str(profile[self.email]), str(profile[self.phone])
        match by:
            case "email":
                found = system.find(emails=[email])
            case "phone":
                found = system.find(phones=[phone])
            case _:
                found = system.find(name=self.full_name(profile))
        assert [one.id for one in found] == [record.id]

    def full_name(self, profile: dict[FieldKey, Value]) -> str:
        raise NotImplementedError

    def test_a_contact_is_found_with_its_whole_profile(self, system: System) -> None:
        record = self.made(system)
        [found] = system.find(emails=[str(self.person_named(1)[self.email])])
        assert dict(found.profile) == dict(record.profile)

    def test_nobody_is_found_by_what_nobody_has(self, system: System) -> None:
        self.made(system)
        assert system.find(emails=["nobody@example.org"], phones=["+49 30 999999"], name="Nobody Nowhere") == []

    # Writing the contact

    def test_an_update_leaves_all_other_fields_alone(self, system: System) -> None:
        record = system.read(system.create(self.person, ("Kunde",)).id, Aspect.ALL)
        after = self.updated(system, record, {self.city: "Bonn"})
        assert dict(after.profile) == {**record.profile, self.city: "Bonn"}
        assert after.tags == record.tags

    def test_none_clears_a_field(self, system: System) -> None:
        record = system.read(system.create(self.person, ()).id, Aspect.ALL)
        self.updated(system, record, {self.phone: None, self.city: None})
        after = system.read(record.id, Aspect.PROFILE)
        assert (after.profile[self.phone], after.profile[self.city]) == (None, None)

    def test_an_update_carries_notes_and_tasks_over(self, system: System) -> None:
        record = self.made(system)
        system.create_item(record.id, NOTE)
        after = self.updated(system, system.read(record.id, Aspect.ALL), {self.city: "Bonn"})
        assert len(after.notes or ()) == 1

    def test_tags_are_added_to_those_that_are_there(self, system: System) -> None:
        record = system.add_tags(self.made(system, tags=("Kunde",)), ["Messe", "VIP"])
        assert sorted(map(fold_tag, record.tags)) == ["kunde", "messe", "vip"]
        assert sorted(system.read(record.id, Aspect.TAGS).tags) == sorted(record.tags)

    def test_tags_are_removed_whatever_their_case_and_a_missing_one_is_no_error(self, system: System) -> None:
        record = system.remove_tags(self.made(system, tags=("Kunde", "VIP")), ["VIP", "nie gesehen"])
        assert [fold_tag(tag) for tag in record.tags] == ["kunde"]
        assert [fold_tag(tag) for tag in system.read(record.id, Aspect.TAGS).tags] == ["kunde"]

    def test_a_deleted_contact_is_gone_and_deleting_it_again_is_no_error(self, system: System) -> None:
        record = self.made(system)
        system.delete(record.id)
        system.delete(record.id)
        with pytest.raises(NotFound):
            system.read(record.id, Aspect.ALL)

    # Notes and tasks

    def test_a_note_reads_as_it_was_created(self, system: System) -> None:
        record = self.made(system)
        note = system.create_item(record.id, NOTE)
        [read] = system.read(record.id, Aspect.ALL).notes or ()
        assert (note.id, read.title, note_text(read.text)) == (read.id, NOTE.title, note_text(NOTE.text))

    def test_a_task_reads_as_it_was_created(self, system: System) -> None:
        record = self.made(system)
        task = system.create_item(record.id, TASK)
        [read] = system.read(record.id, Aspect.ALL).tasks or ()
        assert (task.id, read.title, read.done, str(read.due)[:10]) == (read.id, TASK.title, False, TASK.due)

    def test_a_note_changes_in_what_is_said_only(self, system: System) -> None:
        record = self.made(system)
        note = system.create_item(record.id, NOTE)
        system.update_item(record.id, note, {"text": "She did not."})
        after = system.read_item(ItemKind.NOTE, record.id, note.id)
        assert (after.title, note_text(after.text)) == (NOTE.title, "She did not.")

    def test_a_task_can_be_done_and_open_again(self, system: System) -> None:
        record = self.made(system)
        task = system.create_item(record.id, TASK)
        for done in (True, False):
            system.update_item(record.id, task, {"done": done})
            after = system.read_item(ItemKind.TASK, record.id, task.id)
            assert (after.done, after.title, after.due) == (done, task.title, task.due)

    def test_a_task_gets_another_title_and_due_time(self, system: System) -> None:
        record = self.made(system)
        task = system.create_item(record.id, TASK)
        system.update_item(record.id, task, {"title": "Call", "due": "2026-12-24T08:00:00+00:00"})
        after = system.read_item(ItemKind.TASK, record.id, task.id)
        assert (after.title, after.due) == ("Call", "2026-12-24T08:00:00+00:00")

    @pytest.mark.parametrize("item", [NOTE, TASK])
    def test_a_deleted_item_is_gone_and_deleting_it_again_is_no_error(self, system: System, item: Item) -> None:
        record = self.made(system)
        item = system.create_item(record.id, item)
        system.delete_item(record.id, item)
        system.delete_item(record.id, item)
        with pytest.raises(NotFound):
            system.read_item(item.kind, record.id, item.id)

    @pytest.mark.parametrize("item", [Item(kind=ItemKind.NOTE, text="Only text"), Item(kind=ItemKind.TASK, title="Only a title")])
    def test_what_an_item_lacks_is_filled_in_when_it_is_created(self, system: System, item: Item) -> None:
        assert system.create_item(self.made(system).id, item).id

    @pytest.mark.parametrize("item", [Item(kind=ItemKind.NOTE), Item(kind=ItemKind.TASK), NOTE, TASK])
    def test_stand_ins_need_no_stand_ins(self, system: System, item: Item) -> None:
        filled = system.item_stand_ins(item)
        assert system.item_stand_ins(filled) == filled

    def test_items_listed_in_bulk_name_their_contacts(self, system: System) -> None:
        record = self.made(system)
        for kind in system.bulk_items:
            item = system.create_item(record.id, NOTE if kind is ItemKind.NOTE else TASK)
            page = system.item_page(kind)
            assert [(one.id, ids) for one, ids in page.items] == [(item.id, (record.id,))]
            assert page.next is None
