"""Repeats without their pauses, for the tests that ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture
def quick_repeats() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5, cap=True):
        yield
