"""Every declared CentralStation operation, sent once to the simulated CRM: path, method and envelope are what it answers to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import JsonValue

from crmsync.engine.records import Side
from crmsync.sandbox import centralstation as sandbox
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.running import serving
from crmsync.sandbox.settings import DEMO_API_KEY, CentralStationSettings
from crmsync.systems.centralstation.answers import read_error
from crmsync.systems.centralstation.operations import OPERATIONS
from crmsync.systems.transport import Transport
from tests.systems.wire import OpenBudget

PERSON = {"person": {"name": "Beispiel"}}
NOTE = {"protocol": {"type": "ProtocolObjectNote", "content": "x", "format": "plaintext"}}
BODIES: dict[str, Any] = {
    "person": PERSON,
    "contact_detail": {"email": {"atype": "office", "name": "a@x.de"}},
    "addr": {"addr": {"city": "Köln", "atype": "work_hq"}},
    "historic_event": {"historic_event": {"atype": "birthday", "name": "1985-11-27"}},
    "company": {"company": {"name": "ACME"}},
    "tag": {"tag": {"name": "VIP"}},
    "protocol": NOTE,
    "task": {"task": {"name": "Call", "user_id": 4711}},
    "hook": {
        "hook": {
            "model": "Person",
            "event": "update",
            "target_url": "http://127.0.0.1:9/x",
            "object_type": "hook_with_structure_and_record",
            "hook_type": "url",
        }
    },
    "custom_fields_type": {"custom_fields_type": {"name": "Size", "category": "Person", "ftype": "string"}},
}
"""What is sent to create or update one, by the operation's last word; those that name other rows are made in `body_of`."""

QUERIES: dict[str, dict[str, object]] = {
    "search_contact_details": {"name": "a@x.de"},
    "search_people": {"email": "a@x.de"},
    "search_companies": {"name": "ACME"},
    "create_protocol": {"only_object_logging": True},
}


@pytest.fixture(scope="module")
def crm() -> Iterator[CentralStation]:
    app = sandbox.create_app(CentralStationSettings(limit=100_000))
    with serving(app):
        yield app.state.crm


@pytest.fixture(scope="module")
def transport(crm: CentralStation) -> Iterator[Transport]:
    transport = Transport(Side.CENTRALSTATION, crm.url, {"X-apikey": DEMO_API_KEY}, OpenBudget(), read_error)
    yield transport
    transport.close()


def body_of(name: str, person_id: str, company_id: int, type_id: int) -> JsonValue:
    verb, _, kind = name.partition("_")
    others: dict[str, Any] = {
        "position": {"position": {"company_id": company_id}},
        "custom_field": {"custom_field": {"custom_fields_type_id": type_id, "name": "x"}},
        "tagging": {"tag": {"attachable_type": "Person", "attachable_id": int(person_id), "name": "VIP"}},
    }
    body: JsonValue = {**BODIES, **others}.get(kind)
    return body if verb in ("create", "update") else None


class Account:
    """One person with one row of each kind, made anew for each operation, so that a delete harms no other."""

    def __init__(self, crm: CentralStation) -> None:
        self.type_id = crm.add_custom_field_type("Size")
        self.person_id = crm.add_contact(
            name="Beispiel",
            emails=["a@x.de"],
            tags=["VIP"],
            addr={"city": "Köln"},
            birthday="1985-11-27",
            company="ACME",
            custom_fields={str(self.type_id): "x"},
        )
        self.company_id = crm.company_named("ACME")["id"]
        self.note_id, self.task_id = crm.add_note(self.person_id, "x"), crm.add_task(self.person_id, "x")
        self.hook_id = crm.table("hooks").add({**BODIES["hook"]["hook"], "state": "disabled"})["id"]
        self._person: Any = crm.contact(self.person_id)

    def ids(self, path: str) -> dict[str, str]:
        """The ids that a path asks for: the row's own is named by what stands before it."""
        group = path.removesuffix("/{id}").rpartition("/")[2]
        return {"person_id": str(self.person_id), "id": str(self._id(group))}

    def _id(self, group: str) -> int:
        whole = {
            "hooks": self.hook_id,
            "people": self.person_id,
            "companies": self.company_id,
            "protocols": self.note_id,
            "tasks": self.task_id,
            "users": 4711,
        }
        rows = self._person.get("emails" if group == "contact_details" else group)
        return int(whole.get(group) or (self.type_id if group == "custom_fields_types" else rows[0]["id"] if rows else 0))


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_crm_answers_it(crm: CentralStation, transport: Transport, name: str) -> None:
    account, operation = Account(crm), OPERATIONS[name]
    ids = {key: value for key, value in account.ids(operation.path).items() if key in operation.path_names}
    body = body_of(name, str(account.person_id), account.company_id, account.type_id)
    if name == "create_comment":
        body = {"comment": {"attachable_type": "Task", "attachable_id": str(account.task_id), "name": "x"}}
    answer = transport.call(operation, params=QUERIES.get(name), json=body, **ids)
    assert isinstance(answer, list) is (name.startswith(("list_", "search_")))


@pytest.mark.parametrize("name", OPERATIONS)
def test_it_says_where_it_is_documented_and_what_may_be_repeated(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation.name == name
    assert operation.source.startswith("centralstationcrm.md, section")
    assert operation.repeatable is (operation.method != "POST")
