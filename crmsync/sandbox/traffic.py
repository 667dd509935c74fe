"""What arrived: a sliding window that lets only so many requests through, and a count of all calls for tests and for the pages."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any


class SlidingWindow:
    """At most `limit` requests in any `window_s` seconds. Times are seconds of one monotonic clock."""

    def __init__(self, limit: int, window_s: float) -> None:
        self.limit = limit
        self.window_s = window_s
        self.total = 0
        self._admitted: deque[float] = deque()

    def admit(self, now: float) -> float:
        """0 when the request may pass, else the seconds until the next one may."""
        while self._admitted and self._admitted[0] <= now - self.window_s:
            self._admitted.popleft()
        if len(self._admitted) >= self.limit:
            return self._admitted[0] + self.window_s - now
        self._admitted.append(now)
        self.total += 1
        return 0.0

    @property
    def remaining(self) -> int:
        return max(0, self.limit - len(self._admitted))


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One request as it arrived and the status it was answered with (0: the connection was broken off)."""

    operation: str
    method: str
    path: str
    query: str
    body: Any
    status: int
    seconds: float


class Traffic:
    """Counts of all calls, by operation and status, the busiest stretch of ten seconds, and the latest calls themselves."""

    STRETCH_S = 10.0

    def __init__(self, keep: int = 5000) -> None:
        self.latest: deque[CallRecord] = deque(maxlen=keep)
        self.reset()

    def reset(self) -> None:
        self.latest.clear()
        self.counts: Counter[tuple[str, int]] = Counter()
        self.busiest = 0
        self.first_s: float | None = None
        self.last_s = 0.0
        self._arrivals: deque[float] = deque()

    def arrived(self, now: float) -> None:
        self.first_s = now if self.first_s is None else self.first_s
        self.last_s = now
        self._arrivals.append(now)
        while self._arrivals[0] <= now - self.STRETCH_S:
            self._arrivals.popleft()
        self.busiest = max(self.busiest, len(self._arrivals))

    def answered(self, record: CallRecord) -> None:
        self.counts[record.operation, record.status] += 1
        self.latest.append(record)

    def stats(self) -> dict[str, Any]:
        """`calls` by operation and status, `total`, `rate_limited` (429s), `max_in_10_s` (met, refused ones included), `span_s`."""
        calls: dict[str, dict[str, int]] = {}
        for (operation, status), count in sorted(self.counts.items()):
            calls.setdefault(operation, {})[str(status)] = count
        limited = sum(count for (_, status), count in self.counts.items() if status == 429)
        span = self.last_s - self.first_s if self.first_s is not None else 0.0
        return {
            "calls": calls,
            "total": self.counts.total(),
            "rate_limited": limited,
            "max_in_10_s": self.busiest,
            "span_s": round(span, 3),
        }
