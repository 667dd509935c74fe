"""PostgreSQL, emptied row by row after a test. To truncate, it makes new files for every table and index, and takes longer than most
tests do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.postgresql.operations import DatabaseOperations as PostgresOperations


class DatabaseOperations(PostgresOperations):
    def sql_flush(self, style: Any, tables: Sequence[str], **options: Any) -> list[str]:
        """Foreign keys are looked at when the transaction ends, so that the tables may come in any order."""
        return [f"DELETE FROM {self.quote_name(table)}" for table in tables]  # noqa: S608  # our tables


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
