"""Fixtures of the foundation's tests."""

import shutil
from pathlib import Path

import pytest

from tests.foundation.installation import Installation


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """Nothing done yet, not even `migrate`."""
    return Installation(tmp_path / "data")


@pytest.fixture(scope="session")
def _migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("migrated") / "data"
    result = Installation(data).manage("migrate", "--verbosity", "0")
    assert result.returncode == 0, result.stderr
    return data


@pytest.fixture
def migrated(installation: Installation, _migrated_once: Path) -> Installation:
    """A database with every migration, and nothing in it."""
    shutil.copytree(_migrated_once, installation.data)
    return installation
