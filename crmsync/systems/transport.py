"""One way to send an `Operation` to a CRM: pooled connections, time-outs, rate budget, repeats, errors. The only module that imports httpx.

What differs between the CRMs comes in as data and two functions: the headers or the credentials that prove who we are, `read_error` (what a
4xx means) and `read_limits` (what the headers tell of the rate limit). Everything that can be common is here:

    429                                  RateLimited; nobody sends until the pause is over      repeated
    too many failures in a row           Resting, and nothing is sent                           not repeated
    not connected                        Unavailable: surely not received                       repeated
    5xx, 408, not JSON, connection lost  Unavailable, or Unanswered if it isn't repeatable      repeated if repeatable
    401, the token isn't accepted        what `read_error` says                                 once, with a renewed token
    any other 4xx                        what `read_error` says                                 not repeated
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NoReturn, TypedDict, TypeVar

import httpx
import stamina
import stamina.instrumentation
from pydantic import JsonValue

from crmsync.engine.records import Side
from crmsync.systems.base import Budget, Credentials, OnCall
from crmsync.systems.errors import (
    NAMES,
    CredentialsRefused,
    CrmError,
    NeedsPerson,
    RateLimited,
    TryLater,
    Unanswered,
    Unavailable,
    UnexpectedAnswer,
)
from crmsync.systems.masking import exchange
from crmsync.systems.operations import Operation

# httpx logs each address at INFO, and addresses hold the e-mail or phone that is searched for.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

# stamina tells of each repeat as a warning; repeats are everyday here, and what comes of them is told by who called.
stamina.instrumentation.set_on_retry_hooks([])


class Limits(TypedDict, total=False):
    """What an answer's headers tell of the rate limit; the arguments of `Budget.learn`."""

    limit: int | None
    window_s: float | None
    left_today: int | None


E = TypeVar("E", bound=CrmError)

ReadError = Callable[[Operation, int, Mapping[str, str], JsonValue], CrmError]
"""What a status from 400 to 499 (but 408 and 429) means: operation, status, headers, body (None if empty)."""

Wire = httpx.BaseTransport
"""What takes httpx's place on the wire in tests."""

ReadLimits = Callable[[Mapping[str, str]], Limits]

ATTEMPTS = 5
PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
LONGEST_RETRY_AFTER_S = 30.0
"""A CRM that asks for a longer rest gets it, but nobody waits for it here: the contact is due again later."""
OVERALL_S = 60.0
TIMEOUT_S, CONNECT_S = 30.0, 5.0
LIMITS = httpx.Limits(max_connections=32, max_keepalive_connections=32, keepalive_expiry=4.0)
"""Idle connections are dropped before a server does (5 s is a common default): a create must not be sent into a closing one."""

_HOST = re.compile(r"[\w.-]+|[\da-fA-F:.]+")
"""A name or an address; httpx takes more for one than can ever be reached."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True, repr=False)
class _Request:
    """An operation with all that fills it in, but for the token. No repr: it may hold secrets."""

    operation: Operation
    path: str
    query: Mapping[str, str] | None = None
    json: JsonValue = None
    form: Mapping[str, str] | None = None


class Transport:
    """The way to one account of a CRM. Thread-safe; holds its connections until `close()`.

    `root` is what paths are appended to; `headers` go with each request, and so does the token of `credentials` where there are any.
    `on_call` is told of each request sent, repeats included. `http` takes httpx's place on the wire in tests of malformed answers.
    `attempts`: how often a request is sent at most; `timeout_s`: how long an answer may take.
    """

    def __init__(
        self,
        side: Side,
        root: str,
        headers: Mapping[str, str],
        budget: Budget,
        read_error: ReadError,
        read_limits: ReadLimits | None = None,
        on_call: OnCall | None = None,
        http: Wire | None = None,
        credentials: Credentials | None = None,
        attempts: int = ATTEMPTS,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.side = side
        self.on_call = on_call
        self._root = root.rstrip("/")
        self._budget = budget
        self._read_error = read_error
        self._read_limits = read_limits
        self._credentials = credentials
        self._attempts = attempts
        self._check_address()
        self._check_headers(headers)
        accepted = {"Accept": "application/json", **headers}
        timeout = httpx.Timeout(timeout_s, connect=CONNECT_S)
        self._client = httpx.Client(headers=accepted, timeout=timeout, limits=LIMITS, transport=http, trust_env=http is None)

    def __repr__(self) -> str:
        return f"<Transport to {self.side}>"

    def close(self) -> None:
        self._client.close()

    def call(self, operation: Operation, *, params: Mapping[str, object] | None = None, json: JsonValue = None, **ids: str) -> JsonValue:
        """Send it, again where that is safe and can help; the answer's JSON, None if it is empty. `params` that are None are left out.

        Takes one token of the budget for each request. Raises the errors of crmsync.systems.errors."""
        query = {name: _text(value) for name, value in (params or {}).items() if value is not None} or None
        return self._answer(_Request(operation, operation.address(**ids), query, json))

    def submit(self, operation: Operation, form: Mapping[str, str]) -> JsonValue:
        """The same with `form` as its body, as a web form sends it."""
        return self._answer(_Request(operation, operation.address(), form=form))

    def _answer(self, request: _Request) -> JsonValue:
        repeats = stamina.retry_context(
            on=_pause_before_repeat,
            attempts=self._attempts,
            timeout=OVERALL_S,
            wait_initial=PAUSE_S,
            wait_max=LONGEST_PAUSE_S,
            wait_jitter=PAUSE_S,
        )
        for attempt in repeats:
            self._budget.acquire()  # outside the attempt: a budget that says "too far off" is not asked again
            token = self._token()  # and so is whoever renews it
            with attempt:
                return self._try(request, token, attempt.num)
        raise AssertionError("stamina raises the last error")

    def _token(self) -> str | None:
        return self._credentials.token() if self._credentials else None

    def _try(self, request: _Request, token: str | None, attempt: int) -> JsonValue:
        """Send it; with a token that isn't accepted it had no effect, so it is sent again with the renewed one, whatever it is."""
        try:
            return self._once(request, token, attempt)
        except CredentialsRefused as error:
            if token is None or error.status != httpx.codes.UNAUTHORIZED or not self._renewed(token):
                raise
        self._budget.acquire()
        return self._once(request, self._token(), attempt)

    def _once(self, request: _Request, token: str | None, attempt: int) -> JsonValue:
        """Send it once, and tell the budget whether the CRM is in order."""
        response = None
        try:
            response = self._send(request, token)
            answer = self._read(request.operation, response, attempt)
        except CrmError as error:
            self._told(request.operation, error.code)
            error.exchange = _masked(request, response)
            if isinstance(error, Unavailable):
                self._budget.failed()
            else:
                self._budget.answered()
            raise
        self._told(request.operation)
        self._budget.answered()
        return answer

    def _told(self, operation: Operation, code: str = "") -> None:
        if self.on_call is not None:
            self.on_call(operation.name, code)

    def _renewed(self, refused: str) -> bool:
        return self._credentials is not None and self._credentials.renew(refused)

    def _send(self, request: _Request, token: str | None) -> httpx.Response:
        operation = request.operation
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        self._check_headers(headers)
        address = self._root + request.path
        try:
            return self._client.request(
                operation.method, address, params=request.query, json=request.json, data=request.form, headers=headers
            )
        except _NEVER_SENT as error:
            fault: CrmError = self._error(Unavailable, operation, f"can't be reached ({_kind(error)}): check the address")
        except httpx.HTTPError as error:
            fault = self._lost(operation, f"gave no answer ({_kind(error)})")
        raise fault  # here, not above: httpx's error holds the request, and with it the token

    def _read(self, operation: Operation, response: httpx.Response, attempt: int) -> JsonValue:
        status = response.status_code
        if self._read_limits is not None:
            self._budget.learn(**self._read_limits(response.headers))
        if status == httpx.codes.TOO_MANY_REQUESTS:
            self._raise_rate_limited(operation, response, attempt)
        if status >= 500 or status == httpx.codes.REQUEST_TIMEOUT:
            raise self._lost(operation, f"is out of order (status {status})", status, _retry_after(response.headers))
        body = self._json(operation, response)
        if status >= 400:
            raise self._read_error(operation, status, response.headers, body)
        if status >= 300:
            raise self._error(UnexpectedAnswer, operation, f"sent us elsewhere (status {status}): check the account's address", status)
        return body

    def _json(self, operation: Operation, response: httpx.Response) -> JsonValue:
        """An answer that isn't JSON comes from something between us and the CRM, whatever its status says: it counts as a 502."""
        if not response.content.strip():
            return None
        try:
            body: JsonValue = response.json()
        except ValueError:
            body = None
        else:
            return body
        raise self._lost(operation, f"answered something that isn't JSON (status {response.status_code})", response.status_code)

    def _raise_rate_limited(self, operation: Operation, response: httpx.Response, attempt: int) -> NoReturn:
        asked = _retry_after(response.headers)
        pause = asked if asked is not None else min(PAUSE_S * 2**attempt, LONGEST_PAUSE_S)
        self._budget.block(pause)
        error = self._error(RateLimited, operation, f"asks for a rest of {pause:.0f} s: too many requests", response.status_code)
        error.retry_after_s = pause
        raise error

    def _lost(self, operation: Operation, what: str, status: int | None = None, retry_after_s: float | None = None) -> Unavailable:
        """The error for a request that may have taken effect all the same."""
        kind = Unavailable if operation.repeatable else Unanswered
        error = self._error(kind, operation, what, status)
        error.retry_after_s = retry_after_s
        return error

    def _error(self, kind: type[E], operation: Operation, what: str, status: int | None = None) -> E:
        return kind(f"{NAMES[self.side]} {what}.", side=self.side, operation=operation.name, status=status)

    def _check_address(self) -> None:
        try:
            url = httpx.URL(self._root)
        except httpx.InvalidURL:
            url = httpx.URL("")
        if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.host):
            raise NeedsPerson(f"The address of {NAMES[self.side]} must look like https://example.com.", side=self.side)

    def _check_headers(self, headers: Mapping[str, str]) -> None:
        """A token with a line break or an umlaut can't be sent at all: something else was pasted."""
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise CredentialsRefused(f"The {NAMES[self.side]} credentials hold characters that no key has.", side=self.side)


def _masked(request: _Request, response: httpx.Response | None) -> dict[str, JsonValue]:
    """What may be kept of a request that failed, and of its answer."""
    answer: JsonValue = None
    if response is not None and response.content.strip():
        try:
            answer = response.json()
        except ValueError:
            answer = response.text
    sent: JsonValue = dict(request.form) if request.form is not None else request.json
    return exchange(
        method=request.operation.method,
        path=request.path,
        query=request.query,
        sent=sent,
        status=response.status_code if response is not None else None,
        answer=answer,
    )


def _pause_before_repeat(error: Exception) -> bool | float:
    """stamina's question after an error: repeat it (after its own pause: True, after these seconds), or not (False)?"""
    if not isinstance(error, TryLater) or isinstance(error, Unanswered):
        return False
    if error.retry_after_s is None:
        return True
    return error.retry_after_s if error.retry_after_s <= LONGEST_RETRY_AFTER_S else False


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of `Retry-After`, which is a number or a date (RFC 9110, 10.2.3); None where it is absent or neither."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kind(error: httpx.HTTPError) -> str:
    """What went wrong, in words, without httpx's own message."""
    match error:
        case httpx.TimeoutException():
            return "it took too long"
        case httpx.ConnectError():
            return "no connection"
        case _:
            return "the connection broke"
