"""Faults that can be switched on: which requests they hit, how often, and what goes wrong.

A fault is data; `crmsync.sandbox.serving` acts on it. The body of `POST /_sandbox/faults` is a `Fault` as JSON.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """What goes wrong. All but SLOW decide the answer."""

    SLOW = "slow"
    """The answer comes `latency_ms` later."""
    RATE_LIMITED = "rate_limited"
    """429 in this CRM's form, with `Retry-After: retry_after_s` where that is set (CentralStation: always)."""
    SERVER_ERROR = "server_error"
    """`status` (500) before anything was done."""
    ANSWER_LOST = "answer_lost"
    """Everything is done, then the connection breaks; with `status` (such as 504) that is answered instead."""
    FIELD_DROPPED = "field_dropped"
    """`field` is taken out of what was sent, and the answer is as if nothing had happened. Dots lead inwards: `email.name`."""
    VALUE_REFUSED = "value_refused"
    """A 422 in this CRM's form that says `words` of `field`, where its value matches the regular expression `pattern`."""
    NOT_KEPT = "not_kept"
    """The answer tells of a write that was not kept."""
    NOT_JSON = "not_json"
    """Everything is done, and the answer is an HTML page with the right status (or `status`)."""
    CANNED = "canned"
    """`status` (200) and `body` are answered, nothing is done: for answers without the documented shape."""
    SCOPE_MISSING = "scope_missing"
    """The token lacks the operation's scope (CentralStation: 403, the key's user lacks the right)."""
    CREDENTIALS_REFUSED = "credentials_refused"
    """The token or key is unknown."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault. It hits a share `rate` of the requests whose path matches the regular expression `path` and whose method is `method`
    (None: any), `times` times in all (None: until it is cleared)."""

    kind: FaultKind
    rate: float = 1.0
    times: int | None = None
    path: str | None = None
    method: str | None = None
    field: str | None = None
    pattern: str = ""
    words: str = "is invalid"
    status: int | None = None
    latency_ms: float = 1000.0
    retry_after_s: int | None = None
    body: Any = None
    hits: int = 0

    def __post_init__(self) -> None:
        self.kind = FaultKind(self.kind)
        self.method = self.method.upper() if self.method else None
        if not 0 <= self.rate <= 1:
            raise ValueError("rate is a share from 0 to 1")
        if self.kind is FaultKind.FIELD_DROPPED and not self.field:
            raise ValueError("Choose the field to drop.")
        if self.kind is FaultKind.VALUE_REFUSED and not self.field:
            raise ValueError("Choose the field whose values are refused.")
        for name, text in (("path", self.path or ""), ("pattern", self.pattern)):
            try:
                re.compile(text)
            except re.error as error:
                raise ValueError(f"{name} is not a regular expression: {error}") from error

    @classmethod
    def from_json(cls, body: object) -> Fault:
        """Raises ValueError with a sentence for whoever sent it."""
        if not isinstance(body, dict):
            raise ValueError("a fault is a JSON object")
        unknown = set(body) - {one.name for one in fields(cls)}
        if unknown or "kind" not in body:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}" if unknown else "kind is missing")
        return cls(**body)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def is_spent(self) -> bool:
        return self.times is not None and self.hits >= self.times

    def matches(self, method: str, path: str, body: object) -> bool:
        if self.is_spent or self.method not in (None, method) or not re.search(self.path or "", path):
            return False
        if self.kind is FaultKind.VALUE_REFUSED:
            return any(re.search(self.pattern, text) for text in values_of(body, self.field or ""))
        return self.kind is not FaultKind.FIELD_DROPPED or has_field(body, self.field or "")


class Faults:
    """The faults that are on, in the order they were added. Chance is seeded, so a test run repeats."""

    def __init__(self, seed: int = 1) -> None:
        self.active: list[Fault] = []
        self._chance = random.Random(seed)

    def add(self, fault: Fault) -> Fault:
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        self.active.clear()

    def take(self, method: str, path: str, body: object) -> list[Fault]:
        """What hits this request: every SLOW and FIELD_DROPPED that applies, and the first of the others."""
        taken: list[Fault] = []
        for fault in self.active:
            decides = fault.kind not in (FaultKind.SLOW, FaultKind.FIELD_DROPPED)
            if decides and any(one.kind not in (FaultKind.SLOW, FaultKind.FIELD_DROPPED) for one in taken):
                continue
            if fault.matches(method, path, body) and self._chance.random() < fault.rate:
                fault.hits += 1
                taken.append(fault)
        return taken


def has_field(body: object, field: str) -> bool:
    """Whether `body` carries `field`, with or without its envelope, as a member or as a row of a list that is named by `id` or `key`."""
    return bool(without_field(body, field) != body)


def values_of(body: Any, field: str) -> list[str]:
    """What `body` carries for `field`, with or without its envelope, as texts."""
    inner = [body, *body.values()] if isinstance(body, Mapping) and len(body) == 1 else [body]
    return [str(value) for one in inner for value in _values(one, field.split(".")) if value is not None]


def _values(body: Any, names: list[str]) -> list[Any]:
    name, *rest = names
    if isinstance(body, list):
        return [one.get("field_value") for one in body if isinstance(one, Mapping) and name in (one.get("id"), one.get("key"))]
    if not isinstance(body, Mapping) or name not in body:
        return []
    return _values(body[name], rest) if rest else [body[name]]


def without_field(body: Any, field: str) -> Any:
    inner = _without(body, field.split("."))
    if inner == body and isinstance(body, Mapping) and len(body) == 1:
        return {key: _without(value, field.split(".")) for key, value in body.items()}
    return inner


def _without(body: Any, names: list[str]) -> Any:
    name, *rest = names
    if isinstance(body, list):
        return [one for one in body if not (isinstance(one, Mapping) and name in (one.get("id"), one.get("key")))]
    if not isinstance(body, Mapping):
        return body
    if not rest:
        return {key: value for key, value in body.items() if key != name}
    return {key: _without(value, rest) if key == name else value for key, value in body.items()}
