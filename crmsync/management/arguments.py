"""Types of command-line arguments; a bad value is wrong usage (exit status 2)."""

from argparse import ArgumentTypeError


def _number(text: str, lowest: int, highest: int) -> int:
    if not text.isdecimal() or not lowest <= int(text) <= highest:
        raise ArgumentTypeError(f"{text!r} is not a number from {lowest} to {highest}")
    return int(text)


def worker_count(text: str) -> int:
    return _number(text, 1, 64)


def port_number(text: str) -> int:
    return _number(text, 1, 65535)


def contact_count(text: str) -> int:
    return _number(text, 1, 100_000)
