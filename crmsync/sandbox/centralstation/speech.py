"""How CentralStationCRM speaks: key in a header, objects in envelopes, errors of several forms (centralstationcrm.md, section 1)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crmsync.sandbox.centralstation.rows import shown
from crmsync.sandbox.core import Answer, Call, Operation, Refusal, Speech
from crmsync.sandbox.settings import CentralStationSettings


class CentralStationSpeech(Speech):
    """CentralStationCRM's way to answer. A 429 is plain text and says how long to wait."""

    announces_wait = True

    def __init__(self, settings: CentralStationSettings) -> None:
        self._settings = settings

    def authorize(self, headers: Mapping[str, str], operation: Operation[Any]) -> str:
        key = headers.get("x-apikey", "")
        if key not in self._settings.api_keys:
            raise self.credentials_refused()
        return key

    def check_request(self, operation: Operation[Any], call: Call, headers: Mapping[str, str]) -> None:
        if call.body is not None and not headers.get("content-type", "").startswith("application/json"):
            raise Refusal(415, {"error": "unsupported-media-type", "description": "Content-Type must be application/json"})

    def encode(self, answer: Answer) -> tuple[bytes, dict[str, str]]:
        if answer.body is None:
            return b"", {}
        if isinstance(answer.body, str):
            return answer.body.encode(), {"content-type": "text/plain; charset=utf-8"}
        return json.dumps(answer.body, default=_encoded, ensure_ascii=False).encode(), {"content-type": "application/json; charset=utf-8"}

    def credentials_refused(self) -> Refusal:
        return Refusal(401, {"error": "unauthorized", "description": "API key is missing or invalid"})

    def scope_missing(self) -> Refusal:
        return Refusal(403, {"message": "not authorized"})

    def rate_limited(self, retry_after_s: float | None) -> Refusal:
        return Refusal(429, "Retry later\n", {"retry-after": str(math.ceil(retry_after_s or 1))})

    def server_error(self, status: int) -> Refusal:
        return Refusal(status, {"error": "internal-server-error"})

    def value_refused(self, field: str, words: str) -> Refusal:
        return Refusal(422, {field.rpartition(".")[2]: [words]})

    def malformed(self) -> Refusal:
        return Refusal(400, {"error": "bad-request", "description": "the body could not be parsed"})

    def no_such_route(self) -> Refusal:
        return Refusal(404, {"error": "not-found", "description": "No such route"})


def not_found() -> Refusal:
    return Refusal(404, {"error": "not-found", "description": "The record was not found or is not visible"})


def param_missing(name: str) -> Refusal:
    return Refusal(400, {"error": "param-missing", "description": f"param is missing or the value is empty: {name}"})


def envelope(call: Call, *names: str) -> tuple[str, dict[str, Any]]:
    """The envelope of the body and what is in it. Raises a 400 when none of `names` is there."""
    for name in names:
        if isinstance(call.body, dict) and isinstance(call.body.get(name), dict) and call.body[name]:
            return name, call.body[name]
    raise param_missing(names[0])


def _encoded(value: object) -> str:
    if isinstance(value, datetime):
        return shown(value)
    raise TypeError(type(value).__name__)
