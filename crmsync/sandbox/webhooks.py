"""Sending webhooks, for both CRMs: in the background, with redelivery where the CRM does that, and with trouble that can be switched on.

`Webhooks.send()` answers at once; a few threads deliver. What was sent is kept by type, contact and outcome, without what was in it.
"""

from __future__ import annotations

import heapq
import http.client
import itertools
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

THREADS = 8
MOST_KEPT, MOST_WAITING = 20_000, 50_000
STOP_TIMEOUT_S = 2.0
NO_ANSWER = 0


class State(StrEnum):
    """How a webhook fares. DROPPED: on purpose, by `Trouble`."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    LOST = "lost"
    DROPPED = "dropped"


@dataclass(slots=True, kw_only=True)
class SentWebhook:
    """One webhook as it went out. `status` is the last answer's, 0 where none came. `contact_id` is the person's (or company's)."""

    type: str
    contact_id: str
    state: State = State.WAITING
    status: int | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What goes wrong on the way: the share that is dropped, the share that goes out twice, how much later each goes out, and within how
    many seconds they are shuffled."""

    drop: float = 0.0
    duplicate: float = 0.0
    delay_s: float = 0.0
    shuffle_s: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        if not (0 <= self.drop <= 1 and 0 <= self.duplicate <= 1):
            raise ValueError("drop and duplicate are shares from 0 to 1")
        if self.delay_s < 0 or self.shuffle_s < 0:
            raise ValueError("delay_s and shuffle_s are seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What to send where. `sign` gives the further headers for a body; `settled` is told at the end whether it was delivered."""

    type: str
    contact_id: str
    url: str
    body: bytes
    sign: Callable[[bytes], Mapping[str, str]] = lambda body: {}
    settled: Callable[[bool], None] = lambda delivered: None


@dataclass(order=True, slots=True)
class _Due:
    at: float
    number: int
    outgoing: Outgoing = field(compare=False)
    sent: SentWebhook = field(compare=False)


class Webhooks:
    """The sender of one CRM. A 429 is tried again `redeliveries` times, `pause_s` apart; any other failure loses the webhook.

    Iterating gives the latest `SentWebhook`s, oldest first."""

    def __init__(self, *, timeout_s: float, redeliveries: int = 0, pause_s: float = 0.0) -> None:
        self.timeout_s, self.redeliveries, self.pause_s = timeout_s, redeliveries, pause_s
        self.latest: deque[SentWebhook] = deque(maxlen=MOST_KEPT)
        self.counts: Counter[str] = Counter()
        self._due: list[_Due] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._busy = 0
        self._threads: list[threading.Thread] = []
        self._stopped = self._silent = False
        self.trouble()

    def trouble(self, **options: Any) -> Trouble:
        """Switch trouble on; `options` are the fields of `Trouble`, none of them switches it off. Raises ValueError."""
        self.current_trouble = Trouble(**options)
        self._chance = random.Random(self.current_trouble.seed)
        return self.current_trouble

    @contextmanager
    def silenced(self) -> Iterator[None]:
        """Whatever changes within isn't told."""
        self._silent, before = True, self._silent
        try:
            yield
        finally:
            self._silent = before

    def send(self, outgoing: Outgoing) -> None:
        """Send it soon, from another thread; without a URL, nothing happens."""
        if self._silent or not outgoing.url:
            return
        with self._changed:
            trouble = self.current_trouble
            dropped, twice = self._chance.random() < trouble.drop, self._chance.random() < trouble.duplicate
            if dropped or len(self._due) >= MOST_WAITING:
                self._remember(outgoing, State.DROPPED if dropped else State.LOST)
                return
            for _ in range(2 if twice else 1):
                at = time.monotonic() + trouble.delay_s + self._chance.random() * trouble.shuffle_s
                heapq.heappush(self._due, _Due(at, next(self._numbers), outgoing, self._remember(outgoing)))
            self.counts["duplicated"] += twice
            self._start()
            self._changed.notify_all()

    def stats(self) -> dict[str, int]:
        """How many were delivered, lost, dropped, duplicated and redelivered (attempts after a 429), and how many wait."""
        with self._changed:
            names = ("delivered", "lost", "dropped", "duplicated", "redelivered")
            return {name: self.counts[name] for name in names} | {"waiting": len(self._due) + self._busy}

    def wait(self, timeout_s: float = 10.0) -> None:
        """Returns once nothing waits to be sent. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._due and not self._busy, timeout_s):
                raise TimeoutError(f"{len(self._due)} webhooks wait, {self._busy} are under way")

    def reset(self) -> None:
        """Forget what was sent; what waits still goes out."""
        with self._changed:
            self.latest.clear()
            self.counts.clear()

    def stop(self) -> None:
        """Send no more: what waits is lost."""
        with self._changed:
            self._stopped = True
            self._due.clear()
            self._changed.notify_all()
        until = time.monotonic() + STOP_TIMEOUT_S
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def __iter__(self) -> Iterator[SentWebhook]:
        with self._changed:
            return iter(list(self.latest))

    def __len__(self) -> int:
        return len(self.latest)

    def _remember(self, outgoing: Outgoing, state: State = State.WAITING) -> SentWebhook:
        sent = SentWebhook(type=outgoing.type, contact_id=outgoing.contact_id, state=state)
        self.latest.append(sent)
        if state is not State.WAITING:
            self.counts[state] += 1
        return sent

    def _start(self) -> None:
        """Threads start with the first webhook; being daemons, they hold nobody up who wants to end."""
        if not self._threads and not self._stopped:
            self._threads = [threading.Thread(target=self._work, name=f"webhooks-{n}", daemon=True) for n in range(THREADS)]
            for thread in self._threads:
                thread.start()

    def _work(self) -> None:
        while due := self._next():
            status = _post(due.outgoing, self.timeout_s)
            if not self._again(due, status):
                due.outgoing.settled(due.sent.state is State.DELIVERED)
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def _next(self) -> _Due | None:
        with self._changed:
            while not self._stopped:
                wait = self._due[0].at - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    self._busy += 1
                    return heapq.heappop(self._due)
                self._changed.wait(wait)
        return None

    def _again(self, due: _Due, status: int) -> bool:
        """Take the answer down; whether the same webhook goes out again."""
        with self._changed:
            sent = due.sent
            sent.status, sent.attempts = status, sent.attempts + 1
            if status == 429 and sent.attempts <= self.redeliveries and not self._stopped:
                self.counts["redelivered"] += 1
                heapq.heappush(self._due, _Due(time.monotonic() + self.pause_s, next(self._numbers), due.outgoing, sent))
                return True
            sent.state = State.DELIVERED if 200 <= status < 300 else State.LOST
            self.counts[sent.state] += 1
            return False


def _post(outgoing: Outgoing, timeout_s: float) -> int:
    """The status of the answer, 0 where none came in time."""
    try:
        url = urlsplit(outgoing.url)
        connect = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = connect(url.hostname or "", url.port, timeout=timeout_s)
        try:
            path = (url.path or "/") + (f"?{url.query}" if url.query else "")
            headers = {"Content-Type": "application/json", **outgoing.sign(outgoing.body)}
            connection.request("POST", path, outgoing.body, headers)
            with connection.getresponse() as answer:
                return answer.status
        finally:
            with suppress(OSError):
                connection.close()
    except (OSError, ValueError, http.client.HTTPException):
        return NO_ANSWER
