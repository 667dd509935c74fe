"""The JSON border: answers become typed records here, or a clear error that names the field.

A package declares the shape of its answers as subclasses of `Shape` and reads them by `parse`. Fields that aren't declared are ignored.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from crmsync.engine.records import Side
from crmsync.systems.errors import NAMES, UnexpectedAnswer
from crmsync.systems.operations import Operation


class Shape(BaseModel):
    """A documented part of an answer. Numbers where text is documented are taken as text: ids come both ways."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True, populate_by_name=True, hide_input_in_errors=True)


T = TypeVar("T")

_PERSONAL = re.compile(r"\S*@\S+|\+?\d[\d\s()./-]{5,}\d")
_REASON_LENGTH = 200


def reason_of(text: str) -> str:
    """A CRM's own words for why it refuses, short, and without e-mail addresses and numbers that may be a person's."""
    return _PERSONAL.sub("…", text).strip()[:_REASON_LENGTH]


_adapters: dict[object, TypeAdapter[Any]] = {}
"""Building one is dear, using it cheap; there are as many as shapes."""


def _adapter(shape: type[T]) -> TypeAdapter[T]:
    if shape not in _adapters:
        _adapters[shape] = TypeAdapter(shape)
    return _adapters[shape]


def parse(shape: type[T], answer: JsonValue, *, side: Side, operation: Operation) -> T:
    """`answer` as a `shape` (a `Shape`, or such as `list[Person]`). Raises `UnexpectedAnswer` naming the first field that is amiss."""
    try:
        return _adapter(shape).validate_python(answer)
    except ValidationError as error:
        field, reason = _first_fault(error)
    place = f"the field {field}" if field else "the answer itself"
    raise UnexpectedAnswer(
        f"{NAMES[side]} answered “{operation.name}” in a form that isn't the documented one: {place} ({reason}).",
        side=side,
        operation=operation.name,
        field=field,
    )


def _first_fault(error: ValidationError) -> tuple[str, str]:
    """The path of the first bad field and pydantic's name for what is wrong with it; never the value, which may be a person's."""
    fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return ".".join(str(part) for part in fault["loc"]), fault["type"].replace("_", " ")
