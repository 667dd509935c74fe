"""What both simulated CRMs are made of: operations, calls, answers, and the base class that holds one CRM's state.

A CRM is a class with its records in memory; its operations are plain functions `(crm, call) -> Answer`, declared beside the method,
path and scope they answer to. How requests travel there is in `crmsync.sandbox.serving`.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from crmsync.sandbox.faults import Fault, FaultKind, Faults
from crmsync.sandbox.settings import SandboxSettings
from crmsync.sandbox.traffic import CallRecord, SlidingWindow, Traffic
from crmsync.sandbox.webhooks import Webhooks

Json = dict[str, Any]
C = TypeVar("C", bound="SimulatedCrm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as an operation sees it: `params` from the path, `query`, the parsed `body`, and the `credential` it came with."""

    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    credential: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a body: JSON, text as it is, or nothing."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """An answer that ends the call early."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}")
        self.answer = Answer(status, body, headers or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[C]):
    """One thing the CRM can do. A `public` one needs no credentials, one that `takes_form` no JSON, one that isn't `counted` costs nothing
    of the rate limit."""

    method: str
    path: str
    name: str
    run: Callable[[C, Call], Answer]
    scope: str = ""
    public: bool = False
    takes_form: bool = False
    counted: bool = True


class Operations(Generic[C]):
    """The operations of one module: `@operations("GET", "/users/", scope=…)` above a function declares it under the function's name."""

    def __init__(self) -> None:
        self.all: list[Operation[C]] = []

    def __call__(self, method: str, path: str, *, name: str = "", **options: Any) -> Callable[..., Callable[[C, Call], Answer]]:
        """`options` are further fields of `Operation`."""

        def declare(run: Callable[[C, Call], Answer]) -> Callable[[C, Call], Answer]:
            self.all.append(Operation(method=method, path=path, name=name or run.__name__.replace("_", "-"), run=run, **options))
            return run

        return declare


class Speech(ABC):
    """How one CRM speaks: credentials, envelopes, refusals. Refusals are built here and raised by whoever needs one."""

    announces_wait = False
    """Whether a 429 at the rate limit carries `Retry-After`."""

    @abstractmethod
    def authorize(self, headers: Mapping[str, str], operation: Operation[Any]) -> str:
        """The credential the request came with. Raises `Refusal`."""

    @abstractmethod
    def check_request(self, operation: Operation[Any], call: Call, headers: Mapping[str, str]) -> None:
        """What holds for every operation (a location that must be the token's). Raises `Refusal`."""

    @abstractmethod
    def encode(self, answer: Answer) -> tuple[bytes, dict[str, str]]:
        """Body and headers as they go out."""

    @abstractmethod
    def credentials_refused(self) -> Refusal: ...

    @abstractmethod
    def scope_missing(self) -> Refusal: ...

    @abstractmethod
    def rate_limited(self, retry_after_s: float | None) -> Refusal: ...

    @abstractmethod
    def server_error(self, status: int) -> Refusal: ...

    @abstractmethod
    def value_refused(self, field: str, words: str) -> Refusal: ...

    @abstractmethod
    def malformed(self) -> Refusal:
        """The body isn't JSON."""

    @abstractmethod
    def no_such_route(self) -> Refusal: ...


class SimulatedCrm(ABC):
    """One account of one CRM, in memory. `url` is where it is served. Hold `lock` for changes from another thread that belong together."""

    title: str
    speech: Speech
    kept: tuple[str, ...]
    """The attributes that hold records: what a write that isn't kept is taken back from."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.lock = threading.RLock()
        self.url = ""
        self.faults = Faults(settings.seed)
        self.traffic = Traffic()
        self.window = SlidingWindow(settings.limit, settings.window_s)
        self.webhooks = Webhooks(timeout_s=settings.webhook_timeout_s)
        self.latency_ms = settings.latency_ms
        self.clock_offset_s = settings.clock_offset_s
        self.hidden: set[str] = set()
        """Ids (as text) that lists and searches leave out though a direct read finds them."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.clock_offset_s)

    # For tests, the control API and the pages.

    def fault(self, kind: FaultKind | str, **options: Any) -> Fault:
        """Switch a fault on; `options` are the fields of `Fault`."""
        return self.faults.add(Fault(kind=FaultKind(kind), **options))

    def switch_on(self, fault: Fault) -> Fault:
        """As a person asked for it. Raises ValueError, with a sentence, for a field that this CRM is never sent."""
        fields = self.written_fields()
        if fault.kind is FaultKind.FIELD_DROPPED and fault.field not in fields:
            known = ", ".join(name for name, label in fields.items() if label)
            raise ValueError(f"{self.title} is sent no field named “{fault.field}”. Choose one of these: {known}.")
        return self.faults.add(fault)

    def clear_faults(self) -> None:
        self.faults.clear()

    def stats(self) -> Json:
        return self.traffic.stats()

    def calls(self, operation: str = "") -> list[CallRecord]:
        """The latest calls, oldest first; of one operation where it is named (`create-note`)."""
        return [record for record in list(self.traffic.latest) if operation in ("", record.operation)]

    def snapshot(self) -> Json:
        return {name: deepcopy(getattr(self, name)) for name in self.kept}

    def restore(self, snapshot: Json) -> None:
        for name, value in snapshot.items():
            setattr(self, name, value)

    @abstractmethod
    def written_fields(self) -> dict[str, str]:
        """The names of all fields that can be sent in writes, each with what people call it ("" for those that nobody looks for)."""

    @abstractmethod
    def add_contact(self, **fields: Any) -> Any:
        """A new contact, as a user of this CRM would make it; its id."""

    @abstractmethod
    def edit_contact(self, id: Any, **fields: Any) -> None: ...

    @abstractmethod
    def delete_contact(self, id: Any) -> None: ...

    @abstractmethod
    def overview(self) -> list[Json]:
        """All contacts, as a direct read shows each."""

    @abstractmethod
    def details(self, id: str) -> Json | None:
        """One contact with its tags, notes and tasks; None when there is none."""
