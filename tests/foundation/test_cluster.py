"""The background work under fire: real processes, really killed."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.foundation.installation import Installation, children, is_alive, kill, wait_until

pytestmark = pytest.mark.drill
PROCESSES = 5  # sentinel, two workers, pusher, monitor


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("todo", "done"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture(params=["database"])
def cluster(migrated: Installation, folder: Path, request: pytest.FixtureRequest) -> "Iterator[subprocess.Popen[bytes]]":
    if request.param == "redis":
        migrated.environment["REDIS_URL"] = redis_url()
    with migrated.running("-m", "tests.foundation.drill", DRILL=str(folder)) as process:
        assert wait_until(lambda: len(children(process.pid)) == PROCESSES, 20)
        yield process


def redis_url() -> str:
    url = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/15"
    try:
        with redis.from_url(url) as server:
            server.flushdb()
    except redis.ConnectionError:
        pytest.skip(f"there is no Redis at {url}")
    return url


def add_work(folder: Path, pieces: range) -> None:
    for piece in pieces:
        (folder / "todo" / f"{piece:04}").touch()


def done(folder: Path) -> int:
    return len(list((folder / "done").iterdir()))


@pytest.mark.parametrize("cluster", ["database", "redis"], indirect=True)
def test_nothing_is_lost_when_random_processes_are_killed(cluster: "subprocess.Popen[bytes]", folder: Path) -> None:
    dice = random.Random(7)
    for round_ in range(12):
        add_work(folder, range(round_ * 20, round_ * 20 + 20))
        if victims := children(cluster.pid):
            kill(dice.choice(victims))
        time.sleep(dice.uniform(0.3, 1.2))
    assert wait_until(lambda: done(folder) == 240, 15)
    assert cluster.poll() is None


def test_an_idle_worker_that_is_killed_is_replaced_and_work_goes_on(cluster: "subprocess.Popen[bytes]", folder: Path) -> None:
    sentinel = children(cluster.pid)[0]
    for victim in children(sentinel):
        kill(victim)
    add_work(folder, range(10))
    assert wait_until(lambda: done(folder) == 10, 10)
    assert wait_until(lambda: len(children(cluster.pid)) == PROCESSES, 5)


def test_a_killed_sentinel_is_replaced_and_leaves_no_orphan(cluster: "subprocess.Popen[bytes]", folder: Path) -> None:
    before = children(cluster.pid)
    kill(before[0])
    assert wait_until(lambda: not any(is_alive(pid) for pid in before), 2)
    add_work(folder, range(10))
    assert wait_until(lambda: done(folder) == 10, 10)


def test_nothing_goes_on_when_the_parent_is_killed(cluster: "subprocess.Popen[bytes]") -> None:
    family = children(cluster.pid)
    kill(cluster.pid)
    assert wait_until(lambda: not any(is_alive(pid) for pid in family), 2)


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_ten_seconds_in_the_middle_of_work(
    cluster: "subprocess.Popen[bytes]", folder: Path, signal_number: signal.Signals
) -> None:
    add_work(folder, range(2000))
    assert wait_until(lambda: done(folder) > 5, 10)
    family = children(cluster.pid)
    os.kill(cluster.pid, signal_number)
    assert cluster.wait(10) == 0
    assert not any(is_alive(pid) for pid in family)
