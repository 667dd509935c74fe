"""Fixtures of the foundation's tests."""

from pathlib import Path

import pytest

from tests.foundation.installation import Installation


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """Nothing done yet, not even `migrate`."""
    return Installation(tmp_path / "data")


@pytest.fixture
def migrated(installation: Installation) -> Installation:
    assert installation.manage("migrate", "--verbosity", "0").returncode == 0
    return installation
