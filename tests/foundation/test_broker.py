"""The database as queue."""

import threading
import time
from collections.abc import Iterator

import pytest

from crmsync import broker
from crmsync.broker import POLL_S, WakeUpBroker

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Iterator[WakeUpBroker]:
    broker = WakeUpBroker("tests")
    broker._wait()  # takes the address
    yield broker
    if broker._bell:
        broker._bell.close()


def test_a_job_is_taken_once(queue: WakeUpBroker) -> None:
    queue.enqueue("job")
    assert [payload for _, payload in queue.dequeue()] == ["job"]
    assert not queue.dequeue()


def test_a_new_job_wakes_who_waits(queue: WakeUpBroker) -> None:
    threading.Timer(0.1, broker.ring).start()
    began = time.monotonic()
    queue._wait()
    assert time.monotonic() - began < POLL_S


def test_a_second_cluster_on_the_machine_looks_once_a_second(queue: WakeUpBroker) -> None:
    began = time.monotonic()
    WakeUpBroker("tests")._wait()
    assert time.monotonic() - began >= POLL_S


def test_ringing_while_nobody_listens_is_no_error() -> None:
    broker.ring()
