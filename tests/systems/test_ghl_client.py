"""GoHighLevel's client against the simulated location, over real HTTP, and what the sandbox would never answer, by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import JsonValue

from crmsync.engine.records import Aspect, FieldKey, Item, ItemKind, Record, Side, Value
from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.settings import DEMO_GHL_READONLY_TOKEN, DEMO_GHL_TOKEN, DEMO_LOCATION_ID, GHL_SCOPES
from crmsync.systems.base import FixedToken, System
from crmsync.systems.errors import (
    CredentialsRefused,
    Duplicate,
    NotFound,
    PermissionMissing,
    RateLimited,
    Refused,
    Unanswered,
    UnexpectedAnswer,
)
from crmsync.systems.ghl import GhlSystem
from crmsync.systems.ghl import operations as op
from crmsync.systems.operations import Operation
from tests.systems.contract import SystemContract
from tests.systems.wire import OpenBudget, Wire, says

LIMITED_TOKEN = "pit-contacts-only"
Connect = Callable[..., GhlSystem]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """A client for a simulated location, closed when the test ends."""
    with ExitStack() as stack:

        def connect(crm: Ghl, token: str = DEMO_GHL_TOKEN, location_id: str = "") -> GhlSystem:
            system = GhlSystem(root=crm.url, credentials=FixedToken(token), location_id=location_id or crm.location_id, budget=OpenBudget())
            return stack.enter_context(closing(system))

        yield connect


@pytest.fixture
def system(ghl_sandbox: Ghl, connect: Connect) -> GhlSystem:
    return connect(ghl_sandbox)


def scripted(*answers: httpx.Response | Exception) -> tuple[GhlSystem, Wire]:
    """A client whose wire gives the answers listed."""
    wire = Wire(answers)
    return GhlSystem(root="http://crm.test", credentials=FixedToken("pit-secret"), location_id="loc", budget=OpenBudget(), http=wire), wire


def body(request: httpx.Request) -> Any:
    return json.loads(request.content)


class TestGhlAsASystem(SystemContract):
    """What both sides do alike."""

    phone = "phone"
    unknown_id = "NobodyHasThisId00000"
    person = {
        "firstName": "Änne",
        "lastName": "Groß",
        "email": "Aenne.Gross@Example.org",
        "phone": "0221 123456",
        "companyName": "Groß & Söhne",
        "address1": "Domstraße 1",
        "postalCode": "50667",
        "city": "Köln",
        "state": "NW",
        "country": "de",
        "website": "https://gross.example",
        "dateOfBirth": "1990-09-25",
    }

    def person_named(self, number: int) -> dict[FieldKey, Value]:
        return {"firstName": f"Ida{number}", "lastName": "Muster", "email": f"i{number}@example.org", "phone": f"+4922155500{number}"}

    def full_name(self, profile: dict[FieldKey, Value]) -> str:
        return f"{profile['firstName']} {profile['lastName']}"


# Who may do what


def test_a_location_tells_name_country_and_zone(system: GhlSystem) -> None:
    account = system.check()
    assert (account.name, account.country, account.timezone) == ("Sandbox Agency", "DE", "Europe/Berlin")


def test_a_wrong_token_is_refused(ghl_sandbox: Ghl, connect: Connect) -> None:
    with pytest.raises(CredentialsRefused, match="token"):
        connect(ghl_sandbox, token="pit-wrong").check()


def test_a_wrong_location_is_told_as_such(ghl_sandbox: Ghl, connect: Connect) -> None:
    with pytest.raises(CredentialsRefused, match="location"):
        connect(ghl_sandbox, location_id="AnotherLocation00001").check()


def test_a_token_that_may_not_read_contacts_is_no_use(serve_ghl: Callable[..., Ghl], connect: Connect) -> None:
    crm = serve_ghl(tokens={DEMO_GHL_TOKEN: GHL_SCOPES - {"contacts.readonly"}})
    with pytest.raises(PermissionMissing) as caught:
        connect(crm).check()
    assert caught.value.scope == "contacts.readonly"


def test_optional_scopes_that_are_missing_are_told_with_what_goes_without(serve_ghl: Callable[..., Ghl], connect: Connect) -> None:
    crm = serve_ghl(tokens={LIMITED_TOKEN: frozenset({"contacts.readonly", "contacts.write"})})
    missing = connect(crm, token=LIMITED_TOKEN).check().missing_scopes
    assert set(missing) == {"locations.readonly", "locations/tasks.readonly", "locations/customFields.readonly", "users.readonly"}
    assert all(words.endswith(".") for words in missing.values())


def test_without_the_scope_for_custom_fields_the_standard_ones_can_be_mapped(serve_ghl: Callable[..., Ghl], connect: Connect) -> None:
    crm = serve_ghl(tokens={LIMITED_TOKEN: frozenset({"contacts.readonly"})})
    assert "email" in {field.key for field in connect(crm, token=LIMITED_TOKEN).fields()}


def test_a_write_without_permission_names_the_scope(ghl_sandbox: Ghl, connect: Connect) -> None:
    with pytest.raises(PermissionMissing) as caught:
        connect(ghl_sandbox, token=DEMO_GHL_READONLY_TOKEN).create({"firstName": "Ida"}, ())
    assert (caught.value.scope, caught.value.operation) == ("contacts.write", "create-contact")


def test_the_token_is_nowhere_to_be_seen() -> None:
    system, _ = scripted(says(401, {"message": "Invalid JWT"}))
    with pytest.raises(CredentialsRefused) as caught:
        system.total()
    assert "pit-secret" not in repr(system) + str(caught.value) + repr(vars(caught.value))


# Every operation that is declared


NOT_SIMULATED = (op.CREATE_BUSINESS, op.UPDATE_BUSINESS, op.DELETE_BUSINESS)
DUE = "2026-12-01T12:00:00Z"
BODIES: dict[Operation, dict[str, JsonValue]] = {
    op.SEARCH_CONTACTS: {"locationId": DEMO_LOCATION_ID, "pageLimit": 1},
    op.CREATE_CONTACT: {"locationId": DEMO_LOCATION_ID, "email": "new@example.org"},
    op.UPDATE_CONTACT: {"city": "Bonn"},
    op.UPSERT_CONTACT: {"locationId": DEMO_LOCATION_ID, "email": "new@example.org"},
    op.ADD_TAGS: {"tags": ["a"]},
    op.REMOVE_TAGS: {"tags": ["a"]},
    op.CREATE_NOTE: {"body": "Hello"},
    op.UPDATE_NOTE: {"body": "Hello"},
    op.CREATE_TASK: {"title": "Call", "dueDate": DUE, "completed": False},
    op.UPDATE_TASK: {"title": "Call"},
    op.COMPLETE_TASK: {"completed": True},
    op.SEARCH_TASKS: {"limit": 1},
}


@pytest.mark.parametrize("operation", [one for one in op.OPERATIONS if one not in NOT_SIMULATED], ids=lambda operation: operation.name)
def test_every_operation_is_understood(operation: Operation, crm_and_ids: tuple[Ghl, dict[str, str]], connect: Connect) -> None:
    crm, ids = crm_and_ids
    params = {"locationId": DEMO_LOCATION_ID} if operation.method == "GET" else None
    connect(crm).call(operation, params=params, json=BODIES.get(operation), **ids)
    [call] = crm.calls()
    assert (call.operation, call.status < 300) == (operation.name, True)


@pytest.fixture
def crm_and_ids(ghl_sandbox: Ghl) -> tuple[Ghl, dict[str, str]]:
    """A location with one of everything that a path can name."""
    contact_id = ghl_sandbox.add_contact(firstName="Ida")
    return ghl_sandbox, {
        "contact_id": contact_id,
        "note_id": ghl_sandbox.add_note(contact_id, "Hello"),
        "task_id": ghl_sandbox.add_task(contact_id, "Call"),
        "business_id": ghl_sandbox.add_business("ACME"),
    }


@pytest.mark.parametrize("operation", NOT_SIMULATED, ids=lambda operation: operation.name)
def test_writing_a_business_is_sent_as_documented(operation: Operation) -> None:
    system, wire = scripted(says(200, {"success": True}))
    ids = {"business_id": "b1"} if operation.path_names else {}
    system.call(operation, params=None, json=None, **ids)
    assert (wire.requests[0].method, wire.requests[0].url.path) == (operation.method, operation.address(**ids))


def test_every_operation_says_where_it_is_documented_and_what_it_needs() -> None:
    assert all(operation.source and operation.scope for operation in op.OPERATIONS)
    assert len({operation.name for operation in op.OPERATIONS}) == len(op.OPERATIONS)


def test_what_creates_is_never_repeated() -> None:
    assert {operation.name for operation in op.OPERATIONS if not operation.repeatable} == {
        "create-contact",
        "upsert-contact",
        "create-note",
        "create-task",
        "create-business",
    }


# Reading


def test_items_alone_are_read_without_the_contact(system: GhlSystem, ghl_sandbox: Ghl) -> None:
    contact_id = ghl_sandbox.add_contact(firstName="Ida")
    ghl_sandbox.add_note(contact_id, "Hello")
    told: list[str] = []
    system.on_call = lambda name, _code: told.append(name)
    record = system.read(contact_id, Aspect.NOTES)
    assert (told, [note.text for note in record.notes or ()], dict(record.profile)) == (["get-all-notes"], ["Hello"], {})


def test_unknown_contacts_are_not_found_by_either_status(serve_ghl: Callable[..., Ghl], connect: Connect) -> None:
    for status in (400, 404):
        with pytest.raises(NotFound):
            connect(serve_ghl(missing_status=status)).read("NobodyHasThisId00000", Aspect.ALL)


def test_pages_go_on_where_they_stopped(ghl_sandbox: Ghl, system: GhlSystem) -> None:
    ids = {ghl_sandbox.add_contact(firstName=f"P{number}") for number in range(250)}
    pages = [system.page()]
    while mark := pages[-1].next:
        pages.append(system.page(mark))
    assert [len(page.records) for page in pages] == [100, 100, 50]
    assert {record.id for page in pages for record in page.records} == ids


def test_a_contact_deleted_between_two_pages_hides_no_other(ghl_sandbox: Ghl, system: GhlSystem) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    ids = [ghl_sandbox.add_contact(firstName="P", dateAdded=start + timedelta(minutes=number)) for number in range(150)]
    first = system.page()
    for contact_id in ids[:60]:
        ghl_sandbox.delete_contact(contact_id)
    second = system.page(first.next)
    assert {record.id for page in (first, second) for record in page.records} == set(ids)


@pytest.mark.parametrize(
    "refusal", [says(400, {"message": "bad"}), says(422, {"message": ["sort is bad"]}), says(404, {"message": "Cannot POST"})]
)
def test_where_the_search_is_refused_the_list_is_walked(ghl_sandbox: Ghl, system: GhlSystem, refusal: httpx.Response) -> None:
    ids = {ghl_sandbox.add_contact(firstName=f"P{number}") for number in range(130)}
    ghl_sandbox.fault("canned", path="/contacts/search$", status=refusal.status_code, body=refusal.json())
    found: list[str] = []
    page = system.changed(datetime(2000, 1, 1, tzinfo=UTC))
    found += [record.id for record in page.records]
    while page.next:
        page = system.changed(datetime(2000, 1, 1, tzinfo=UTC), page.next)
        found += [record.id for record in page.records]
    assert (set(found), len(found), system.total()) == (ids, 130, 130)
    assert [record.profile["firstName"] for record in system.find(name="p77", emails=[""])] == ["P77"]


def test_a_listed_name_is_as_typed(ghl_sandbox: Ghl, system: GhlSystem) -> None:
    ghl_sandbox.add_contact(firstName="Ida", lastName="McFly")
    [record] = system.page().records
    assert (record.profile["firstName"], record.profile["lastName"], dict(record.rows)) == ("Ida", "McFly", {})


def test_a_listed_name_in_lower_case_is_marked(serve_ghl: Callable[..., Ghl], connect: Connect) -> None:
    crm = serve_ghl(raw_names_in_lists=False)
    crm.add_contact(firstName="Ida")
    [record] = connect(crm).page().records
    assert record.rows == {"names_folded": True}


def test_open_tasks_are_listed_alone_when_only_they_are_wanted(ghl_sandbox: Ghl, system: GhlSystem) -> None:
    contact_id = ghl_sandbox.add_contact(firstName="Ida")
    ghl_sandbox.add_task(contact_id, "Done", completed=True)
    ghl_sandbox.add_task(contact_id, "Open")
    assert [item.title for item, _ in system.item_page(ItemKind.TASK, open_only=True).items] == ["Open"]


def test_tasks_go_on_after_a_hundred(ghl_sandbox: Ghl, system: GhlSystem) -> None:
    contact_id = ghl_sandbox.add_contact(firstName="Ida")
    for number in range(130):
        ghl_sandbox.add_task(contact_id, f"Task {number}")
    first = system.item_page(ItemKind.TASK)
    second = system.item_page(ItemKind.TASK, first.next)
    assert len({item.id for page in (first, second) for item, _ in page.items}) == 130
    assert second.next is None


def test_notes_are_not_listed_in_bulk(system: GhlSystem) -> None:
    with pytest.raises(ValueError, match="note"):
        system.item_page(ItemKind.NOTE)


def test_the_duplicate_search_finds_what_the_search_does_not_know_yet(serve_ghl: Callable[..., Ghl], connect: Connect) -> None:
    crm = serve_ghl(search_lag_s=60)
    contact_id = crm.add_contact(firstName="Ida", phone="0221 55500")
    assert [record.id for record in connect(crm).find(phones=["+4922155500"])] == [contact_id]


# Writing


def test_a_create_takes_one_call_with_its_tags(system: GhlSystem, ghl_sandbox: Ghl) -> None:
    record = system.create({"firstName": "Ida"}, ["Kunde"])
    assert record.tags == ("kunde",)
    assert [call.operation for call in ghl_sandbox.calls()] == ["create-contact"]


def test_a_second_contact_with_the_same_email_names_the_first(system: GhlSystem) -> None:
    first = system.create({"email": "ida@example.org"}, ())
    with pytest.raises(Duplicate) as caught:
        system.create({"email": "Ida@Example.org"}, ())
    assert (caught.value.other_id, caught.value.field) == (first.id, "email")


def test_a_create_whose_answer_is_lost_is_told_as_such(system: GhlSystem, ghl_sandbox: Ghl) -> None:
    ghl_sandbox.fault("answer_lost", method="POST")
    with pytest.raises(Unanswered):
        system.create({"firstName": "Ida"}, ())
    assert len(ghl_sandbox.contacts) == 1


@pytest.mark.usefixtures("quick_repeats")
def test_an_update_whose_answer_is_lost_is_sent_again(system: GhlSystem, ghl_sandbox: Ghl) -> None:
    record = system.create({"firstName": "Ida"}, ())
    ghl_sandbox.fault("answer_lost", method="PUT", times=1)
    after = system.update(record, {"city": "Bonn"})
    assert after
    assert after.profile["city"] == "Bonn"


def test_an_update_never_sends_tags_or_what_did_not_change(system: GhlSystem, ghl_sandbox: Ghl) -> None:
    record = system.create({"firstName": "Ida", "email": "ida@example.org"}, ["Kunde"])
    system.update(record, {"companyName": "ACME", "dateOfBirth": "1990-09-25"})
    assert ghl_sandbox.calls("update-contact")[-1].body == {"companyName": "ACME", "dateOfBirth": "1990-09-25"}


def test_where_a_country_cannot_be_cleared_the_rest_is_written(system: GhlSystem) -> None:
    record = system.create({"firstName": "Ida", "country": "DE", "city": "Köln"}, ())
    after = system.update(record, {"country": None, "city": "Bonn"})
    assert after
    assert (after.profile["country"], after.profile["city"]) == ("DE", "Bonn")


def test_a_postal_code_is_cleared_by_empty_text(system: GhlSystem) -> None:
    record = system.create({"firstName": "Ida", "postalCode": "50667"}, ())
    after = system.update(record, {"postalCode": None})
    assert after
    assert after.profile["postalCode"] is None


def test_a_refused_value_names_the_field_and_hides_the_value(system: GhlSystem) -> None:
    with pytest.raises(Refused) as caught:
        system.create({"email": "not an address"}, ())
    assert (caught.value.field, caught.value.reason) == ("email", "email must be an email")


def test_a_field_that_is_dropped_in_silence_is_missing_in_the_answer(system: GhlSystem, ghl_sandbox: Ghl) -> None:
    record = system.create({"firstName": "Ida"}, ())
    ghl_sandbox.fault("field_dropped", field="city")
    after = system.update(record, {"city": "Bonn"})
    assert after
    assert after.profile["city"] is None


def test_custom_fields_make_the_round_trip(system: GhlSystem, ghl_sandbox: Ghl) -> None:
    size = ghl_sandbox.add_custom_field("Size")
    colours = ghl_sandbox.add_custom_field("Colours", "MULTIPLE_OPTIONS", ["Red", "Blue"])
    wanted: dict[str, Value] = {f"customFields.{size}": "44", f"customFields.{colours}": ("Red", "Blue")}
    record = system.create({"firstName": "Ida", **wanted}, ())
    assert {key: record.profile[key] for key in wanted} == wanted
    cleared = system.update(record, {f"customFields.{colours}": None})
    assert cleared
    assert cleared.profile.get(f"customFields.{colours}") is None
    assert cleared.profile[f"customFields.{size}"] == "44"


def test_a_task_that_is_only_done_takes_the_operation_for_that(system: GhlSystem, ghl_sandbox: Ghl) -> None:
    record = system.create({"firstName": "Ida"}, ())
    task = system.create_item(record.id, Item(kind=ItemKind.TASK, title="Call"))
    system.update_item(record.id, task, {"done": True})
    assert ghl_sandbox.calls()[-1].operation == "update-task-completed"


def test_an_edited_task_keeps_the_text_only_ghl_has(system: GhlSystem, ghl_sandbox: Ghl) -> None:
    contact_id = ghl_sandbox.add_contact(firstName="Ida")
    task_id = ghl_sandbox.add_task(contact_id, "Call", body="Ask for the offer")
    system.update_item(contact_id, Item(kind=ItemKind.TASK, id=task_id, title="Call"), {"title": "Ring"})
    assert ghl_sandbox.tasks[contact_id][task_id]["body"] == "Ask for the offer"


def test_no_tags_no_call() -> None:
    system, wire = scripted(says(500))
    record = Record(side=Side.GHL, id="c1")
    assert system.add_tags(record, []) is record
    assert system.update(record, {}) is record
    assert wire.requests == []


# Answers that no documentation knows


def test_an_answer_without_its_envelope_names_the_field() -> None:
    system, _ = scripted(says(200, {"person": {}}))
    with pytest.raises(UnexpectedAnswer, match=r"get-contact.*contact"):
        system.read("c1", Aspect.ALL)


def test_an_update_that_is_answered_without_the_contact_tells_nothing() -> None:
    system, _ = scripted(says(200, {"succeded": True}))
    assert system.update(Record(side=Side.GHL, id="c1"), {"city": "Bonn"}) is None


def test_an_update_answered_without_tags_leaves_them_as_they_were() -> None:
    system, _ = scripted(says(200, {"contact": {"id": "c1", "city": "Bonn"}}))
    after = system.update(Record(side=Side.GHL, id="c1", tags=("a",)), {"city": "Bonn"})
    assert after
    assert after.tags == ("a",)


def test_a_duplicate_search_that_finds_nobody_may_also_say_so_by_a_refusal() -> None:
    system, _ = scripted(says(400, {"message": "Contact not found"}))
    assert system.find(emails=["a@x.de"]) == []


def test_a_search_without_search_after_goes_on_by_page() -> None:
    contacts = [{"id": f"c{number}"} for number in range(100)]
    system, wire = scripted(says(200, {"contacts": contacts, "total": 101}), says(200, {"contacts": [{"id": "last"}], "total": 101}))
    second = system.page(system.page().next)
    assert (body(wire.requests[1])["page"], second.next) == (2, None)


def test_a_search_that_gives_less_than_asked_goes_on_to_the_total() -> None:
    contacts = [{"id": "c1", "searchAfter": [1, "c1"]}]
    system, wire = scripted(says(200, {"contacts": contacts, "total": 2}))
    assert system.page(system.page().next).next is None
    assert body(wire.requests[1])["searchAfter"] == [1, "c1"]


def test_the_trace_id_is_kept_with_a_failure() -> None:
    system, _ = scripted(says(422, {"message": ["city must be a string"], "traceId": "abc"}))
    with pytest.raises(Refused) as caught:
        system.update(Record(side=Side.GHL, id="c1"), {"city": "Bonn"})
    assert caught.value.trace_id == "abc"


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (401, "version header was not found.", UnexpectedAnswer),
        (401, "Invalid JWT", CredentialsRefused),
        (403, "The token does not have access to this location.", CredentialsRefused),
        (403, "Forbidden", PermissionMissing),
        (400, "Contact with id c1 not found", NotFound),
        (400, "Something else", Refused),
        (422, [], Refused),
        (429, "Too many", RateLimited),
    ],
)
@pytest.mark.usefixtures("quick_repeats")
def test_each_refusal_has_its_meaning(status: int, message: Any, kind: type[Exception]) -> None:
    system, _ = scripted(says(status, {"statusCode": status, "message": message}))
    with pytest.raises(kind):
        system.read("c1", Aspect.ALL)


def test_the_link_to_a_contact_is_known_for_ghl_itself_only(system: GhlSystem) -> None:
    own = GhlSystem(credentials=FixedToken("pit-x"), location_id="loc", budget=OpenBudget())
    assert own.url("c1") == "https://app.gohighlevel.com/v2/location/loc/contacts/detail/c1"
    assert system.url("c1") is None
    own.close()


def test_a_white_label_opens_contacts_at_its_own_address() -> None:
    own = GhlSystem(credentials=FixedToken("pit-x"), location_id="loc", budget=OpenBudget(), web_root="https://app.agency.example")
    assert own.url("c1") == "https://app.agency.example/v2/location/loc/contacts/detail/c1"
    own.close()


def test_a_client_is_a_system(system: GhlSystem) -> None:
    known: System = system
    assert known.side is Side.GHL
