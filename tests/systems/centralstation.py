"""A CentralStation side whose answers a test writes itself: for what no CRM should answer, but one might."""

from __future__ import annotations

import json
from typing import Any

import httpx

from crmsync.systems.centralstation import CentralStationSystem
from crmsync.systems.centralstation.rows import GROUPS
from tests.systems.wire import OpenBudget

ROOT = "https://account.example"
KEY = "k3y-nobody-may-see"
EMPTY: dict[str, Any] = {group: [] for group in (*GROUPS, "companies", "tasks")}


class Script:
    """Answers by method and path (`GET /people/1`, below `/api`); each answer a body, a (status, body) or a function of the request.
    What isn't in it is a 404. `requests` are all that came, in order."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.get(f"{request.method} {request.url.path.removeprefix('/api')}", (404, {"error": "not found"}))
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, httpx.Response):
            return answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        return httpx.Response(status, json=body)

    def sent(self, method: str = "") -> list[tuple[str, Any]]:
        """What was sent: `PUT /people/1` and the body of each."""
        return [
            (f"{one.method} {one.url.path.removeprefix('/api')}", json.loads(one.content) if one.content else None)
            for one in self.requests
            if method in ("", one.method)
        ]


def scripted(answers: dict[str, Any], **options: Any) -> tuple[CentralStationSystem, Script]:
    script = Script(answers)
    return CentralStationSystem(ROOT, KEY, OpenBudget(), http=httpx.MockTransport(script), **options), script


def person(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"person": {"id": number, "name": "Beispiel", "first_name": "Ada", **EMPTY, **more}}
