"""How webhooks travel: in the background, again after a 429 alone, and through trouble."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from crmsync.sandbox.ghl import Ghl
from crmsync.sandbox.webhooks import MOST_KEPT, NO_ANSWER, Outgoing, SentWebhook, State, Webhooks
from tests.sandbox.conftest import client, ghl_client
from tests.sandbox.listener import Listener

ROOT = Path(__file__).parents[2]
UNFINISHED = """
import socket
from crmsync.sandbox.webhooks import Outgoing, Webhooks
silent = socket.create_server(("127.0.0.1", 0))
webhooks = Webhooks(timeout_s=60)
webhooks.send(Outgoing(type="T", contact_id="1", url=f"http://127.0.0.1:{silent.getsockname()[1]}/", body=b"{}"))
silent.accept()
"""
SHORT = {"webhook_pause_s": 0.01}


def send(webhooks: Webhooks, url: str, count: int = 1) -> None:
    for number in range(count):
        webhooks.send(Outgoing(type="T", contact_id=str(number), url=url, body=b'{"type": "%d"}' % number))


@pytest.fixture
def webhooks() -> Webhooks:
    return Webhooks(timeout_s=10, redeliveries=6, pause_s=0.01)


def outcome(webhooks: Webhooks) -> SentWebhook:
    webhooks.wait()
    [sent] = webhooks
    return sent


def test_it_goes_to_the_whole_address_as_json(webhooks: Webhooks, listener: Listener) -> None:
    send(webhooks, listener.url)
    assert outcome(webhooks) == SentWebhook(type="T", contact_id="0", state=State.DELIVERED, status=200, attempts=1)
    assert listener.requests[0][0]["content-type"] == "application/json"


def test_a_slow_receiver_delays_no_answer(serve_ghl: Callable[..., Ghl], listener: Listener) -> None:
    listener.slow_s = 1.0
    crm = serve_ghl(webhook_url=listener.url)
    id = crm.add_contact(firstName="Ada")
    began = time.monotonic()
    ghl_client(crm).put(f"/contacts/{id}", json={"city": "London"})
    assert time.monotonic() - began < 0.5


def test_a_429_is_asked_again(webhooks: Webhooks, listener: Listener) -> None:
    listener.answers = [429, 429]
    send(webhooks, listener.url)
    assert outcome(webhooks).attempts == 3
    assert len({body for _, body in listener.requests}) == 1
    assert webhooks.stats() == {"delivered": 1, "lost": 0, "dropped": 0, "duplicated": 0, "redelivered": 2, "waiting": 0}


def test_after_six_redeliveries_it_is_lost(webhooks: Webhooks, listener: Listener) -> None:
    listener.answers = [429] * 20
    send(webhooks, listener.url)
    assert outcome(webhooks) == SentWebhook(type="T", contact_id="0", state=State.LOST, status=429, attempts=7)


@pytest.mark.parametrize("status", [301, 400, 401, 404, 500, 503])
def test_any_other_answer_loses_it(webhooks: Webhooks, listener: Listener, status: int) -> None:
    listener.answers = [status]
    send(webhooks, listener.url)
    assert outcome(webhooks) == SentWebhook(type="T", contact_id="0", state=State.LOST, status=status, attempts=1)


def test_no_answer_in_time_loses_it(webhooks: Webhooks, listener: Listener) -> None:
    listener.slow_s, webhooks.timeout_s = 0.6, 0.3
    send(webhooks, listener.url)
    assert outcome(webhooks) == SentWebhook(type="T", contact_id="0", state=State.LOST, status=NO_ANSWER, attempts=1)


def test_nobody_there_loses_it(webhooks: Webhooks) -> None:
    send(webhooks, "http://127.0.0.1:9/")
    assert outcome(webhooks).state is State.LOST


def test_without_an_address_nothing_is_sent(webhooks: Webhooks) -> None:
    send(webhooks, "")
    assert len(webhooks) == 0


def test_what_is_kept_stays_bounded(webhooks: Webhooks) -> None:
    webhooks.trouble(drop=1.0)
    send(webhooks, "http://127.0.0.1:9/", MOST_KEPT + 10)
    assert (len(webhooks), webhooks.stats()["dropped"]) == (MOST_KEPT, MOST_KEPT + 10)


def test_a_stopped_sender_sends_no_more(webhooks: Webhooks, listener: Listener) -> None:
    webhooks.trouble(delay_s=60)
    send(webhooks, listener.url)
    webhooks.stop()
    assert (webhooks.stats()["waiting"], listener.requests) == (0, [])


def test_a_webhook_under_way_keeps_no_process_alive() -> None:
    assert subprocess.run([sys.executable, "-c", UNFINISHED], cwd=ROOT, timeout=20, check=False).returncode == 0


# Trouble


def test_a_share_is_dropped(webhooks: Webhooks, listener: Listener) -> None:
    webhooks.trouble(drop=0.3)
    send(webhooks, listener.url, 200)
    webhooks.wait()
    assert 40 <= webhooks.stats()["dropped"] <= 80
    assert len(listener.requests) + webhooks.stats()["dropped"] == 200


def test_a_share_goes_out_twice(webhooks: Webhooks, listener: Listener) -> None:
    webhooks.trouble(duplicate=0.5)
    send(webhooks, listener.url, 40)
    webhooks.wait()
    assert sorted(set(Counter(listener.types).values())) == [1, 2]
    assert len(listener.requests) == 40 + webhooks.stats()["duplicated"]


def test_each_goes_out_later(webhooks: Webhooks, listener: Listener) -> None:
    webhooks.trouble(delay_s=0.2)
    began = time.monotonic()
    send(webhooks, listener.url)
    webhooks.wait()
    assert time.monotonic() - began >= 0.2


def test_they_are_shuffled(webhooks: Webhooks, listener: Listener) -> None:
    webhooks.trouble(shuffle_s=0.5)
    send(webhooks, listener.url, 20)
    webhooks.wait()
    order = [int(body["type"]) for body in listener.bodies]
    assert sorted(order) == list(range(20))
    assert sum(abs(place - number) for place, number in enumerate(order)) > 40


def test_the_same_seed_drops_the_same(webhooks: Webhooks) -> None:
    def dropped() -> list[str]:
        webhooks.reset()
        webhooks.trouble(drop=0.5, seed=7)
        send(webhooks, "http://127.0.0.1:9/", 50)
        return [sent.contact_id for sent in webhooks if sent.state is State.DROPPED]

    assert dropped() == dropped() != []


@pytest.mark.parametrize("bad", [{"drop": 1.1}, {"duplicate": -0.1}, {"delay_s": -1}, {"shuffle_s": -1}])
def test_trouble_that_makes_no_sense_is_refused(webhooks: Webhooks, bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="are s"):
        webhooks.trouble(**bad)


# The control API


def test_trouble_and_counts_by_control(serve_ghl: Callable[..., Ghl], listener: Listener) -> None:
    crm = serve_ghl(webhook_url=listener.url)
    browser = client(crm.url)
    assert browser.put("/_sandbox/webhooks/trouble", json={"drop": 1.0}).json()["drop"] == 1.0
    id = crm.add_contact(firstName="Ada")
    told = browser.get("/_sandbox/webhooks").json()
    assert (told["dropped"], [one["contact_id"] for one in told["latest"]]) == (1, [id])
    assert browser.delete("/_sandbox/webhooks").json()["dropped"] == 0
    assert browser.put("/_sandbox/webhooks/trouble", json={"drop": 2}).status_code == 400


def test_the_clock_by_control(ghl_sandbox: Ghl) -> None:
    httpx.put(f"{ghl_sandbox.url}/_sandbox/clock", json={"ahead_s": 3600})
    assert ghl_sandbox.clock_offset_s == 3600


def test_the_settings_reach_the_sender(serve_ghl: Callable[..., Ghl], listener: Listener) -> None:
    crm = serve_ghl(webhook_url=listener.url, webhook_redeliveries=1, **SHORT)
    listener.answers = [429] * 3
    crm.add_contact(firstName="Ada")
    crm.webhooks.wait()
    assert len(listener.requests) == 2
