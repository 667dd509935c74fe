"""What every test may use: both simulated CRMs, an empty cache, and hypothesis without a time limit for each example."""

import os

import pytest
from django.core.cache import cache
from hypothesis import settings as hypothesis_settings

pytest_plugins = ["tests.sandbox_fixtures"]

# The machine may be busy with another test, so the time that one example takes says nothing.
hypothesis_settings.register_profile("default", deadline=None)
hypothesis_settings.register_profile("thorough", deadline=None, max_examples=2000)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def _no_attempts_counted() -> None:
    """Sign-in's rate limits begin anew with each test."""
    cache.clear()
