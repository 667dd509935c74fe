"""A django-q2 cluster that goes on after any of its processes is killed, and ends cleanly on SIGTERM.

    qcluster (`run`)            restarts the sentinel; ends all
    └── Sentinel                guards its children, asks what is due
        ├── worker ...          run jobs
        ├── pusher              broker -> task queue
        └── monitor             result queue -> database

What stock django-q2 does not survive is a kill of a process that holds a lock of a multiprocessing queue: an idle worker always does, and a
semaphore has no owner, so nobody can ever take it again (django-q2 issue 23). Hence:

- A child that died of anything but its own exit takes all its brothers with it, and the queues: they all start anew.
- The sentinel and `run` take no lock that a child can hold, or take it with a time-out; they speak to children by signals.
- Every process is killed by the kernel when its parent is gone, so that nothing works on unguarded (Linux).

What a killed worker had in hand stays due in our own tables and is taken up again.
"""

import logging
import multiprocessing
import multiprocessing.queues
import os
import queue
import signal
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django import db
from django.utils.module_loading import import_string
from django_q import cluster as stock
from django_q.conf import Conf
from django_q.status import Stat

from crmsync import stopping
from crmsync.processes import die_with

log = logging.getLogger(__name__)

CYCLE_S = 0.5  # between two looks at the children
TICK_EVERY_S = 1.0
SCHEDULES_EVERY_S = 30.0
RESPAWN_GRACE_S = 3.0  # for the brothers of a killed child to finish the contact they are at
STOP_GRACE_S = 7.0  # for the workers; then the monitor has a second, and `run` a second more
TICK = "crmsync.jobs.tick"

_fork = multiprocessing.get_context("fork")

# Reading a queue's size takes a lock that a killed child may hold.
Conf.QSIZE = False


class Told(Exception):
    """SIGTERM came while a child was waiting for work."""


class Inbox:
    """A child's queue, for reading: it ends (with django-q2's "STOP") when the child is told to stop.

    `drain`: first hand out what is still in it.
    """

    def __init__(self, source: "multiprocessing.queues.Queue[Any]", *, drain: bool) -> None:
        self._source = source
        self._drain = drain
        self._is_waiting = False
        signal.signal(signal.SIGTERM, self._on_sigterm)

    def get(self) -> Any:
        try:
            self._is_waiting = True
            if not stopping.is_requested():
                return self._source.get()
        except Told:
            pass
        finally:
            self._is_waiting = False
        return self._rest()

    def _rest(self) -> Any:
        try:
            return self._source.get(timeout=0.2) if self._drain else "STOP"
        except queue.Empty:
            return "STOP"

    def _on_sigterm(self, *_: object) -> None:
        stopping.request()
        if self._is_waiting:
            self._is_waiting = False
            raise Told


class StopRequested:
    """Stands in for the Event by which stock django-q2 stops its pusher: an Event is a lock, too."""

    def is_set(self) -> bool:
        return stopping.is_requested()


def _work(parent_pid: int, tasks: Any, results: Any, *rest: Any) -> None:
    die_with(parent_pid)
    stock.worker(Inbox(tasks, drain=False), results, *rest)


def _push(parent_pid: int, tasks: Any, _event: Any, *rest: Any) -> None:
    die_with(parent_pid)
    stopping.listen(signal.SIGTERM)
    stock.pusher(tasks, StopRequested(), *rest)


def _monitor(parent_pid: int, results: Any, *rest: Any) -> None:
    die_with(parent_pid)
    stock.monitor(Inbox(results, drain=True), *rest)


TARGETS: dict[Any, Callable[..., None]] = {stock.worker: _work, stock.pusher: _push, stock.monitor: _monitor}


class Flag:
    """What the sentinel says of itself (started, stopping); nobody else reads it."""

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set


class Sentinel(stock.Sentinel):  # type: ignore[misc]  # django_q is untyped
    """Guards the children. Replaces every part of the stock one that waits for a lock."""

    pool: list[Any]
    monitor: Any
    pusher: Any

    def start(self) -> None:
        stopping.listen(signal.SIGTERM)
        self.broker.ping()
        self.spawn_cluster()
        self.start_event.set()
        self.guard()
        self.stop()

    def status(self) -> Any:
        if stopping.is_requested():
            return Conf.STOPPING
        return Conf.IDLE if self.start_event.is_set() else Conf.STARTING

    def spawn_process(self, target: Any, *args: Any) -> Any:
        process: Any = _fork.Process(target=TARGETS[target], args=(os.getpid(), *args), name=f"{target.__name__}-{uuid.uuid4().hex[:8]}")
        process.daemon = True
        if target is stock.worker:
            process.timer = args[2]
            self.pool.append(process)
        process.start()
        return process

    def guard(self) -> None:
        log.info("background work is running", extra={"workers": self.pool_size})
        tick = Regularly(TICK_EVERY_S, _tick)
        schedules = Regularly(SCHEDULES_EVERY_S, lambda: stock.scheduler(broker=self.broker))
        while not stopping.is_requested():
            self._look_after_children()
            tick()
            schedules()
            Stat(self).save()
            stopping.pause(CYCLE_S)

    def _look_after_children(self) -> None:
        dead = [child for child in self._children() if not child.is_alive()]
        if any(child.exitcode != 0 for child in dead):
            log.error("a process was killed; all start anew", extra={"exit_statuses": [child.exitcode for child in dead]})
            self._respawn_all()
            return
        for child in dead:
            self.reincarnate(child)
        for worker in self.pool:
            _kill_if_overdue(worker)

    def reincarnate(self, process: Any) -> None:
        """In place of a child that ended by itself: a worker after its 500 jobs, the pusher after the broker went away."""
        db.connections.close_all()
        if process is self.monitor:
            self.monitor = self.spawn_monitor()
        elif process is self.pusher:
            self.pusher = self.spawn_pusher()
        else:
            self.pool.remove(process)
            self.spawn_worker()
        self.reincarnations += 1

    def _children(self) -> list[Any]:
        return [*self.pool, self.monitor, self.pusher]

    def _respawn_all(self) -> None:
        _end(self._children(), RESPAWN_GRACE_S)
        self.task_queue = stock.Queue(maxsize=Conf.QUEUE_LIMIT)
        self.result_queue = stock.Queue()
        self.reincarnations += 1
        self.spawn_cluster()

    def stop(self) -> None:
        """Workers finish the contact they are at; the monitor then saves what they have told."""
        log.info("background work is ending")
        _end([self.pusher, *self.pool], STOP_GRACE_S)
        _end([self.monitor], 1.0)


def _end(children: Sequence[Any], grace_s: float) -> None:
    """SIGTERM to all, and SIGKILL to who is still there `grace_s` later."""
    until = time.monotonic() + grace_s
    for child in children:
        child.terminate()
    for child in children:
        child.join(max(0.0, until - time.monotonic()))
        child.kill()
        child.join()


def _kill_if_overdue(worker: Any) -> None:
    """Counts down the time of the job in hand, as the stock guard does. A worker ends an overdue job itself; this is for one that can't."""
    lock = worker.timer.get_lock()
    if not lock.acquire(timeout=0.1):
        return
    try:
        if worker.timer.value > 0:
            worker.timer.value = max(0.0, worker.timer.value - CYCLE_S)
            if worker.timer.value == 0:
                worker.kill()
    finally:
        lock.release()


class Regularly:
    """Calls `action` when it is called itself, but not before `seconds` have passed since the last time."""

    def __init__(self, seconds: float, action: Callable[[], None]) -> None:
        self._seconds = seconds
        self._action = action
        self._due = 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + self._seconds
            self._action()


def _tick() -> None:
    """Let crmsync look for what is due. Whatever goes wrong there, guarding goes on."""
    try:
        db.close_old_connections()
        import_string(TICK)()
    except Exception:
        log.exception("looking for due work failed")


def _guard(parent_pid: int) -> None:
    die_with(parent_pid)
    Sentinel(Flag(), Flag(), uuid.uuid4())


def run() -> None:
    """Run a cluster until SIGTERM or Ctrl-C, then end it within 10 s. Another sentinel takes the place of one that dies."""
    stopping.listen()
    while not stopping.is_requested():
        db.connections.close_all()
        sentinel: Any = _fork.Process(target=_guard, args=(os.getpid(),), name="sentinel")
        sentinel.start()
        while sentinel.is_alive() and not stopping.is_requested():
            stopping.pause(0.3)
        if not stopping.is_requested():
            log.error("the sentinel ended and is started again", extra={"exit_status": sentinel.exitcode})
            stopping.pause(1.0)
    _end([sentinel], STOP_GRACE_S + 1.8)
