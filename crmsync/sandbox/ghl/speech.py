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

    def authorize(self, headers: Mapping[str, str], operation: Operation[Any]) -> str:
        if operation.public:
            return ""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        bearer = self._crm.oauth.bearer(token)
        if not token or (bearer and bearer.has_expired):
            raise Refusal(401, {"statusCode": 401, "message": "Invalid JWT", "error": "Unauthorized"})
        if scheme.lower() != "bearer" or bearer is None:
            raise self.credentials_refused()
        if headers.get("version") != VERSION:
            raise Refusal(401, {"statusCode": 401, "message": "version header was not found."})
        if operation.scope and operation.scope not in bearer.scopes:
            raise self.scope_missing()
        return token

    def check_request(self, operation: Operation[Any], call: Call, headers: Mapping[str, str]) -> None:
        if operation.takes_form and not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise Refusal(415, {"statusCode": 415, "message": "Unsupported Media Type"})
        if not operation.path.startswith("/oauth/"):
            self._check_location(call)

    def _check_location(self, call: Call) -> None:
        """An agency's token opens no location, a location's its own only."""
        body = call.body if isinstance(call.body, Mapping) and call.body.get("locationId") else {}
        asked = {place["locationId"] for place in (call.params, call.query, body) if "locationId" in place}
        bearer = self._crm.oauth.bearer(call.credential)
        if asked - {self._settings.location_id} or (bearer and bearer.location_id != self._settings.location_id):
            raise Refusal(403, {"statusCode": 403, "message": "The token does not have access to this location."})

    def encode(self, answer: Answer) -> tuple[bytes, dict[str, str]]:
        if isinstance(answer.body, str):
            return answer.body.encode(), {"content-type": "text/plain"}
        body = {**answer.body, "traceId": values.new_id()} if isinstance(answer.body, dict) else answer.body
        headers = {
            "content-type": "application/json; charset=utf-8",
            "x-ratelimit-limit-daily": str(self._settings.daily_limit),
            "x-ratelimit-daily-remaining": str(max(0, self._settings.daily_limit - self._crm.window.total)),
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

    def value_refused(self, field: str, words: str) -> Refusal:
        return Refusal(422, {"statusCode": 422, "message": [f"{field} {words}"], "error": "Unprocessable Entity"})

    def malformed(self) -> Refusal:
        return Refusal(400, {"statusCode": 400, "message": "Unexpected token in JSON"})

    def no_such_route(self) -> Refusal:
        return Refusal(404, {"statusCode": 404, "message": "Cannot find this route", "error": "Not Found"})


def _encoded(value: object) -> str:
    if isinstance(value, datetime):
        return values.iso(value)
    raise TypeError(type(value).__name__)
