"""Fills the CRM."""

from typing import Any


def fill(crm: Any) -> None: ...
