"""How an operation is sent: what is repeated, what is told to the budget, what each failure becomes."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from pydantic import JsonValue

from crmsync.engine.records import Side
from crmsync.systems.border import Shape, parse, reason_of
from crmsync.systems.errors import (
    CredentialsRefused,
    CrmError,
    NeedsPerson,
    NotFound,
    RateLimited,
    Unanswered,
    Unavailable,
    UnexpectedAnswer,
)
from crmsync.systems.ghl.refusals import read_error, read_limits
from crmsync.systems.operations import Operation
from crmsync.systems.transport import Transport, _pause_before_repeat, _retry_after
from tests.systems.wire import OpenBudget, Wire, says

READ = Operation("read-thing", "GET", "/things/{thing_id}", scope="things.readonly")
CREATE = Operation("create-thing", "POST", "/things", scope="things.write", repeatable=False)
RESET = httpx.ReadError("connection reset")

pytestmark = pytest.mark.usefixtures("quick_repeats")


class Trial:
    """A transport whose wire gives the answers listed."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.budget = OpenBudget()
        self.wire = Wire(answers)
        self.told: list[tuple[str, str]] = []
        headers = {"Authorization": "Bearer secret-token"}
        self.transport = Transport(
            Side.GHL, "http://crm.test/root/", headers, self.budget, read_error, read_limits, self._tell, http=self.wire
        )

    def _tell(self, operation: str, code: str) -> None:
        self.told.append((operation, code))

    def read(self) -> JsonValue:
        return self.transport.call(READ, thing_id="1")

    def create(self) -> JsonValue:
        return self.transport.call(CREATE, json={"a": 1})

    @property
    def sent(self) -> int:
        return len(self.wire.requests)


def test_ids_in_the_path_are_percent_encoded() -> None:
    trial = Trial(says(200, {}))
    trial.transport.call(READ, thing_id="a/b c?")
    assert trial.wire.requests[0].url.raw_path == b"/root/things/a%2Fb%20c%3F"


def test_an_empty_id_never_becomes_the_address_of_the_list() -> None:
    with pytest.raises(ValueError, match="thing_id"):
        Trial(says(200, {})).transport.call(READ, thing_id="")


def test_a_plus_in_a_parameter_stays_a_plus_and_none_is_left_out() -> None:
    trial = Trial(says(200, {}))
    trial.transport.call(READ, params={"number": "+4930", "open": True, "none": None}, thing_id="1")
    assert trial.wire.requests[0].url.query == b"number=%2B4930&open=true"


def test_an_empty_answer_is_none() -> None:
    assert Trial(says(204)).read() is None


def test_each_request_takes_a_token_and_is_counted_repeats_included() -> None:
    trial = Trial(says(500), says(200, {"ok": True}))
    assert trial.read() == {"ok": True}
    assert (trial.budget.taken, trial.told) == (2, [("read-thing", "unavailable"), ("read-thing", "")])


def test_the_limits_in_the_headers_reach_the_budget() -> None:
    headers = {"X_RateLimit_Max": "100", "X_RateLimit_Interval_Milliseconds": "10000", "X_RateLimit_Daily_Remaining": "7"}
    trial = Trial(says(200, {}, **headers))
    trial.read()
    assert trial.budget.learned == {"limit": 100, "window_s": 10.0, "left_today": 7}


@pytest.mark.parametrize(
    "answer", [says(500, {}), says(503, "<html>"), says(200, "<html>"), says(404, "<html>"), RESET, httpx.ReadTimeout("")]
)
def test_a_read_is_repeated_until_it_is_answered(answer: httpx.Response | Exception) -> None:
    trial = Trial(answer, answer, says(200, {"ok": True}))
    assert trial.read() == {"ok": True}
    assert trial.sent == 3


def test_a_read_that_is_never_answered_is_unavailable_after_five_tries() -> None:
    trial = Trial(says(502, "<html>"))
    with pytest.raises(Unavailable) as caught:
        trial.read()
    assert (trial.sent, caught.value.status, type(caught.value)) == (5, 502, Unavailable)


@pytest.mark.parametrize("answer", [says(500, {}), says(504, "<html>"), says(201, "<html>"), RESET, httpx.ReadTimeout("")])
def test_a_create_that_may_have_taken_effect_is_not_repeated(answer: httpx.Response | Exception) -> None:
    trial = Trial(answer)
    with pytest.raises(Unanswered):
        trial.create()
    assert trial.sent == 1


@pytest.mark.parametrize("answer", [says(429, {}), httpx.ConnectError("refused"), httpx.ConnectTimeout("")])
def test_a_create_that_surely_was_not_taken_is_repeated(answer: httpx.Response | Exception) -> None:
    trial = Trial(answer, says(201, {"id": 1}))
    assert trial.create() == {"id": 1}


def test_a_rate_limit_stops_everybody_for_as_long_as_the_crm_asks() -> None:
    trial = Trial(says(429, "Retry later", Retry_After="7"), says(200, {}))
    trial.read()
    assert trial.budget.pauses == [7.0]


def test_a_rate_limit_without_a_time_pauses_longer_each_time() -> None:
    trial = Trial(says(429, {}))
    with pytest.raises(RateLimited):
        trial.read()
    assert trial.budget.pauses == [1.0, 2.0, 4.0, 8.0, 10.0]


def test_a_long_rest_is_not_waited_for_but_told() -> None:
    trial = Trial(says(429, {}, Retry_After="600"))
    with pytest.raises(RateLimited) as caught:
        trial.read()
    assert (trial.sent, caught.value.retry_after_s, trial.budget.pauses) == (1, 600.0, [600.0])


def test_retry_after_is_also_understood_as_a_date() -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    assert 15 < (_retry_after({"Retry-After": then}) or 0) <= 20
    assert _retry_after({"Retry-After": "soon"}) is None


def test_the_pause_before_a_repeat_is_what_the_crm_asked_for() -> None:
    error = RateLimited("", side=Side.GHL)
    error.retry_after_s = 3.0
    assert _pause_before_repeat(error) == 3.0
    assert _pause_before_repeat(NotFound("", side=Side.GHL)) is False


def test_a_refusal_is_not_repeated() -> None:
    trial = Trial(says(404, {"message": "gone"}))
    with pytest.raises(NotFound):
        trial.read()
    assert trial.sent == 1


def test_a_redirection_is_not_followed_with_the_token() -> None:
    trial = Trial(says(302, None, Location="http://elsewhere.test/"))
    with pytest.raises(UnexpectedAnswer, match="address"):
        trial.read()
    assert trial.sent == 1


def test_a_budget_that_is_spent_is_not_asked_again() -> None:
    trial = Trial(says(200, {}))

    def refuse() -> None:
        raise RateLimited("tomorrow", side=Side.GHL)

    trial.budget.acquire = refuse  # type: ignore[method-assign]
    with pytest.raises(RateLimited, match="tomorrow"):
        trial.read()
    assert trial.sent == 0


def test_no_error_leads_to_the_token_or_the_address() -> None:
    trial = Trial(httpx.ReadError("secret-token http://crm.test/?email=a@x.de"))
    with pytest.raises(Unavailable) as caught:
        trial.transport.call(READ, params={"email": "a@x.de"}, thing_id="1")
    error = caught.value
    assert "secret" not in str(error)
    assert "x.de" not in str(error)
    assert error.__context__ is None
    assert error.__cause__ is None


def test_the_log_of_httpx_which_has_addresses_is_off() -> None:
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)


def test_a_transport_does_not_show_its_headers() -> None:
    assert "secret" not in repr(Trial(says(200)).transport)


@pytest.mark.parametrize("root", ["", "crm.test", "ftp://crm.test", "http://", "http://[", "https://exa mple"])
def test_an_address_that_is_none_is_told_at_once(root: str) -> None:
    with pytest.raises(NeedsPerson, match="https://"):
        Transport(Side.GHL, root, {}, OpenBudget(), read_error)


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines"])
def test_a_key_that_cannot_be_sent_is_refused_at_once(key: str) -> None:
    with pytest.raises(CredentialsRefused):
        Transport(Side.GHL, "http://crm.test", {"X-apikey": key}, OpenBudget(), read_error)


def test_a_host_that_is_not_there_is_unavailable() -> None:
    transport = Transport(Side.GHL, "http://127.0.0.1:9", {}, OpenBudget(), read_error)
    with pytest.raises(Unavailable, match="can't be reached"):
        transport.call(READ, thing_id="1")
    transport.close()


class Thing(Shape):
    name: str
    tags: list[str] = []


def test_an_answer_without_the_documented_shape_names_the_field_but_no_value() -> None:
    with pytest.raises(UnexpectedAnswer, match=r"read-thing.*tags\.1") as caught:
        parse(Thing, {"name": "x", "tags": ["a", {"secret": "Anna"}]}, side=Side.GHL, operation=READ)
    assert caught.value.field == "tags.1"
    assert "Anna" not in str(caught.value)


def test_fields_that_nobody_documented_are_fine() -> None:
    assert parse(list[Thing], [{"name": 7, "new": True}], side=Side.GHL, operation=READ)[0].name == "7"


def test_a_reason_is_told_without_a_persons_data() -> None:
    assert reason_of("email anna@x.de is taken by +49 30 123456") == "email … is taken by …"


def test_every_error_is_one_of_ours() -> None:
    for status in range(400, 500):
        with pytest.raises(CrmError):
            Trial(says(status, {"message": "no"})).read()


class Renewable:
    """Credentials that are renewed as often as there are tokens left."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)
        self.refused: list[str] = []

    def token(self) -> str:
        return self._tokens[0]

    def renew(self, refused: str) -> bool:
        self.refused.append(refused)
        self._tokens = self._tokens[1:] or self._tokens
        return self._tokens[0] != refused


BAD_TOKEN = says(401, {"statusCode": 401, "message": "Invalid JWT"})


def with_tokens(*answers: httpx.Response | Exception, tokens: tuple[str, ...] = ("old", "new")) -> tuple[Transport, Wire, Renewable]:
    wire, credentials = Wire(answers), Renewable(*tokens)
    return Transport(Side.GHL, "http://crm.test", {}, OpenBudget(), read_error, credentials=credentials, http=wire), wire, credentials


def sent_tokens(wire: Wire) -> list[str]:
    return [request.headers["Authorization"] for request in wire.requests]


def test_a_token_that_is_refused_is_renewed_and_the_request_repeated() -> None:
    transport, wire, credentials = with_tokens(BAD_TOKEN, says(200, {"ok": True}))
    assert transport.call(READ, thing_id="1") == {"ok": True}
    assert (sent_tokens(wire), credentials.refused) == (["Bearer old", "Bearer new"], ["old"])


def test_even_a_create_is_repeated_with_the_new_token_for_it_had_no_effect() -> None:
    transport, wire, _ = with_tokens(BAD_TOKEN, says(201, {"id": 1}))
    assert transport.call(CREATE, json={}) == {"id": 1}
    assert len(wire.requests) == 2


def test_a_token_is_renewed_once_a_request() -> None:
    transport, wire, _ = with_tokens(BAD_TOKEN, tokens=("one", "two", "three"))
    with pytest.raises(CredentialsRefused):
        transport.call(READ, thing_id="1")
    assert sent_tokens(wire) == ["Bearer one", "Bearer two"]


def test_a_token_that_cant_be_renewed_is_not_sent_again() -> None:
    transport, wire, _ = with_tokens(BAD_TOKEN, tokens=("only",))
    with pytest.raises(CredentialsRefused):
        transport.call(READ, thing_id="1")
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "answer", [says(401, {"message": "The token is not authorized for this scope."}), says(403, {"message": "No access to this location."})]
)
def test_a_good_token_is_not_renewed_for_lack_of_a_permission(answer: httpx.Response) -> None:
    transport, _, credentials = with_tokens(answer)
    with pytest.raises(NeedsPerson):
        transport.call(READ, thing_id="1")
    assert credentials.refused == []


def test_a_token_with_characters_that_none_has_is_never_sent() -> None:
    transport, wire, _ = with_tokens(says(200, {}), tokens=("schlüssel",))
    with pytest.raises(CredentialsRefused):
        transport.call(READ, thing_id="1")
    assert wire.requests == []


def test_a_form_is_sent_as_one() -> None:
    transport, wire, _ = with_tokens(says(200, {}))
    transport.submit(CREATE, {"a": "1 2", "b": "&"})
    request = wire.requests[0]
    assert (request.headers["Content-Type"], request.content) == ("application/x-www-form-urlencoded", b"a=1+2&b=%26")
