"""What the tests of the clients share: a budget that never says no, and answers made by hand for what the sandbox would never say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import httpx

Respond = Callable[[httpx.Request], httpx.Response]


class OpenBudget:
    """Lets everything through at once and remembers what it was told."""

    def __init__(self) -> None:
        self.taken = 0
        self.learned: dict[str, Any] = {}
        self.pauses: list[float] = []
        self.outcomes: list[bool] = []

    def acquire(self) -> None:
        self.taken += 1

    def learn(self, *, limit: int | None = None, window_s: float | None = None, left_today: int | None = None) -> None:
        self.learned = {"limit": limit, "window_s": window_s, "left_today": left_today}

    def block(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def answered(self) -> None:
        self.outcomes.append(True)

    def failed(self) -> None:
        self.outcomes.append(False)


class Wire(httpx.MockTransport):
    """Answers in order, the last one for ever; an exception among them is raised. `requests` are those that came."""

    def __init__(self, answers: Iterable[httpx.Response | Exception]) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)
        super().__init__(self._respond)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def says(status: int, body: Any = None, **headers: str) -> httpx.Response:
    """An answer: JSON, or text as it is; underscores in header names are dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, str):
        return httpx.Response(status, text=body, headers=named)
    return httpx.Response(status, json=body, headers=named) if body is not None else httpx.Response(status, headers=named)
