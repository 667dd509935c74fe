"""What every test may use: both simulated CRMs, an empty cache, and hypothesis without a time limit for each example."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from hypothesis import settings as hypothesis_settings

pytest_plugins = ["tests.sandbox_fixtures"]

# The machine may be busy with another test, so the time that one example takes says nothing.
hypothesis_settings.register_profile("default", deadline=None)
hypothesis_settings.register_profile("thorough", deadline=None, max_examples=2000)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that take longest come first, or one process would be at them when the others are through."""
    items.sort(key=lambda item: item.get_closest_marker("drill") is None)


@pytest.fixture(autouse=True)
def _no_attempts_counted() -> None:
    """Sign-in's rate limits begin anew with each test."""
    cache.clear()


@pytest.fixture(scope="session", autouse=True)
def _nobody_left_in_the_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A browser that keeps its connection to the pages keeps theirs to PostgreSQL, which then won't drop the tests' database."""
    yield
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                cursor.execute(f"SELECT pg_terminate_backend(pid) {others}")
        connection.close()
