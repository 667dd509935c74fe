"""Processes that live and die together: a child ends with its parent, and a supervisor restarts what dies."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from crmsync import stopping

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
STOP_WITHIN_S = 9.0  # what hasn't ended by then is killed, so that all is over within 10 s
RESTART_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)
STEADY_AFTER_S = 30.0  # who lived this long starts again at the shortest pause


def die_with(parent_pid: int) -> None:
    """From now on the kernel kills this process as soon as its parent, `parent_pid`, is gone, however it went (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it went before we could ask
        os._exit(1)


def start(command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """A child in a session of its own, so that Ctrl-C reaches it through us, in order; it dies with us."""
    return subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=partial(die_with, os.getpid()),  # safe, for this process has one thread
    )


class Supervised:
    """One command that is started again whenever it ends, after a pause that grows while it keeps ending at once."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None
        self.due = self.started = 0.0
        self.quick_ends = 0

    def tend(self) -> None:
        """Start it where it isn't running and its pause is over."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self.process, self.started = start(self.command, self.environment), now
        elif (status := self.process.poll()) is not None:
            self._plan_restart(status, now)

    def _plan_restart(self, status: int, now: float) -> None:
        self.quick_ends = 0 if now - self.started > STEADY_AFTER_S else self.quick_ends + 1
        pause = RESTART_PAUSES_S[min(self.quick_ends, len(RESTART_PAUSES_S) - 1)]
        self.process, self.due = None, now + pause
        log.error("a process ended and is started again", extra={"process_name": self.name, "exit_status": status, "pause_s": pause})

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.is_running():
            self.process.send_signal(number)


def supervise(children: Sequence[Supervised], meanwhile: Callable[[], object] = lambda: None) -> None:
    """Keep all `children` running until SIGTERM or Ctrl-C, then end them all, within 10 s. Calls `meanwhile` three times a second."""
    stopping.listen()
    try:
        while not stopping.is_requested():
            for child in children:
                child.tend()
            meanwhile()
            stopping.pause(0.3)
    finally:
        end(children)


def end(children: Sequence[Supervised]) -> None:
    """SIGTERM to all, and SIGKILL to who hasn't ended after 9 s."""
    until = time.monotonic() + STOP_WITHIN_S
    for child in children:
        child.signal(signal.SIGTERM)
    while any(child.is_running() for child in children) and time.monotonic() < until:
        time.sleep(0.05)
    for child in children:
        child.signal(signal.SIGKILL)
