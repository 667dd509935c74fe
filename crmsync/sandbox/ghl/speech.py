"""How GHL speaks: Bearer token and `Version` header, a scope for each operation, error objects, rate headers (ghl.md, section 1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crmsync.sandbox.core import Answer, Call, Operation, Refusal, Speech
from crmsync.sandbox.ghl import values

if TYPE_CHECKING:
    from crmsync.sandbox.ghl.location import Ghl

VERSION = "2021-07-28"


class GhlSpeech(Speech):
    """GHL's way to answer. A 429 doesn't say how long to wait: `Retry-After` isn't promised."""

    def __init__(self, crm: Ghl) -> None:
        self._crm = crm
        self._settings = crm.settings
        self._spent_today = 0

    def authorize(self, headers: Mapping[str, str], operation: Operation[Any]) -> str:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token not in self._settings.tokens:
            raise (
                self.credentials_refused()
                if token
                else Refusal(401, {"statusCode": 401, "message": "Invalid JWT", "error": "Unauthorized"})
            )
        if headers.get("version") != VERSION:
            raise Refusal(401, {"statusCode": 401, "message": "version header was not found."})
        if operation.scope and operation.scope not in self._settings.tokens[token]:
            raise self.scope_missing()
        return token

    def check_request(self, operation: Operation[Any], call: Call, headers: Mapping[str, str]) -> None:
        body = call.body if isinstance(call.body, Mapping) and call.body.get("locationId") else {}
        asked = {place["locationId"] for place in (call.params, call.query, body) if "locationId" in place}
        if asked - {self._settings.location_id}:
            raise Refusal(403, {"statusCode": 403, "message": "The token does not have access to this location."})

    def encode(self, answer: Answer) -> tuple[bytes, dict[str, str]]:
        if isinstance(answer.body, str):
            return answer.body.encode(), {"content-type": "text/plain"}
        body = {**answer.body, "traceId": values.new_id()} if isinstance(answer.body, dict) else answer.body
        self._spent_today += 1
        headers = {
            "content-type": "application/json; charset=utf-8",
            "x-ratelimit-limit-daily": str(self._settings.daily_limit),
            "x-ratelimit-daily-remaining": str(max(0, self._settings.daily_limit - self._spent_today)),
            "x-ratelimit-interval-milliseconds": str(int(self._settings.window_s * 1000)),
            "x-ratelimit-max": str(self._settings.limit),
            "x-ratelimit-remaining": str(self._crm.window.remaining),
        }
        return json.dumps(body, default=_encoded, ensure_ascii=False).encode(), headers

    def credentials_refused(self) -> Refusal:
        return Refusal(401, {"statusCode": 401, "message": "Invalid token: access token is invalid", "error": "Unauthorized"})

    def scope_missing(self) -> Refusal:
        return Refusal(401, {"statusCode": 401, "message": "The token is not authorized for this scope."})

    def rate_limited(self, retry_after_s: float | None) -> Refusal:
        headers = {"retry-after": str(int(retry_after_s))} if retry_after_s is not None else None
        return Refusal(429, {"statusCode": 429, "message": "Too Many Requests"}, headers)

    def server_error(self, status: int) -> Refusal:
        return Refusal(status, {"statusCode": status, "message": "Internal server error"})

    def malformed(self) -> Refusal:
        return Refusal(400, {"statusCode": 400, "message": "Unexpected token in JSON"})

    def no_such_route(self) -> Refusal:
        return Refusal(404, {"statusCode": 404, "message": "Cannot find this route", "error": "Not Found"})


def _encoded(value: object) -> str:
    if isinstance(value, datetime):
        return values.iso(value)
    raise TypeError(type(value).__name__)
