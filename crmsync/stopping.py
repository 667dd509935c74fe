"""Asking a process to end: whoever works for long looks here between two pieces of work, and stops at a good place.

stopping.listen()                        # SIGTERM and Ctrl-C no longer end the process by themselves
for contact in due:
    if stopping.is_requested():
        break                            # what is left stays due
"""

import signal
import time

_requested = False


class Stopped(Exception):
    """We were asked to end while waiting. What is under way is given back as it is."""


def listen(*signals: signal.Signals) -> None:
    """Take these signals (without any: SIGTERM and SIGINT) as a request to stop, from now on. Main thread only."""
    for number in signals or (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: request())


def request() -> None:
    """From now on `is_requested` is true in this process. Safe in a signal handler: it takes no lock."""
    global _requested
    _requested = True


def is_requested() -> bool:
    return _requested


def pause(seconds: float) -> None:
    """Sleep, but no longer than a tenth of a second after a request to stop."""
    until = time.monotonic() + seconds
    while not _requested and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.1))


def wait(seconds: float) -> None:
    """Sleep. Raises `Stopped` when a request to stop comes before the end."""
    pause(seconds)
    if _requested:
        raise Stopped
