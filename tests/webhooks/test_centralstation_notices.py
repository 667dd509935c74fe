"""What CentralStationCRM's hooks say: only an integer id is taken from them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crmsync.engine.records import Aspect
from crmsync.systems.centralstation import webhooks
from crmsync.systems.notice import Malformed


@pytest.mark.parametrize("sent", [{"record": {"id": 7, "name": "x"}, "structure": {}}, {"person": {"id": 7}}, {"id": 7}, {"id": "7"}])
def test_the_id_is_found_in_each_form(sent: Any) -> None:
    assert webhooks.read("Person", "update", json.dumps(sent).encode()).contact_id == "7"


@pytest.mark.parametrize("id", [None, 0, -1, 7.5, True, "7a", "", "²", [7], 2**63, "9" * 5000])
def test_what_is_no_integer_is_malformed(id: Any) -> None:
    with pytest.raises(Malformed, match="no id"):
        webhooks.read("Person", "update", json.dumps({"record": {"id": id}}).encode())


@pytest.mark.parametrize("sent", [b"", b"[7]", b"7", b"{"])
def test_what_is_no_object_is_malformed(sent: bytes) -> None:
    with pytest.raises(Malformed):
        webhooks.read("Person", "update", sent)


@pytest.mark.parametrize(("model", "event"), webhooks.HOOKS)
def test_model_and_event_are_its_type(model: str, event: str) -> None:
    notice = webhooks.read(model, event, b'{"id": 7}')
    assert (notice.type, bool(notice.aspects), notice.is_gone) == (f"{model}.{event}", True, event == "destroy")


def test_another_model_tells_nothing_to_look_at() -> None:
    notice = webhooks.read("Company", "update", b'{"id": 7}')
    assert (notice.contact_id, notice.aspects) == (None, Aspect(0))
