"""What is kept of a request and its answer: names and types, no value."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from crmsync.systems.masking import exchange, shape


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("ada@example.org", "text(15)"),
        (42, "number"),
        (True, "yes/no"),
        (None, "null"),
        ({"email": "ada@example.org"}, {"email": "text(15)"}),
        ({"ada@example.org": 1}, {"name(15)": "number"}),
        (["a", "b", "c", "d"], ["text(1)", "text(1)", "text(1)", "and 1 more"]),
    ],
    ids=repr,
)
def test_a_value_becomes_its_type_and_length(value: JsonValue, shown: JsonValue) -> None:
    assert shape(value) == shown


def test_nesting_ends_somewhere() -> None:
    value: JsonValue = "x"
    for _ in range(50):
        value = [value]
    assert len(str(shape(value))) < 50


def test_of_a_query_only_the_names_are_kept() -> None:
    kept = exchange(method="GET", path="/x", query={"email": "ada@example.org"}, sent=None, status=404, answer=None)
    assert kept["query"] == ["email"]
