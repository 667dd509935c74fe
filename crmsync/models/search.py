"""Indexes that only PostgreSQL has, for searching within a text or a list; on SQLite each is an ordinary one, and a search reads all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement


class _ByVendor(models.Index):
    """An index over its first column that PostgreSQL makes by `_for_postgresql`."""

    def create_sql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, using: str = "", **kwargs: Any) -> Statement:
        if schema_editor.connection.vendor != "postgresql":
            return super().create_sql(model, schema_editor, using, **kwargs)
        plain = str(super().create_sql(model, schema_editor, using, **kwargs))
        quote = schema_editor.quote_name
        columns = [quote(field.column) for field in model._meta.concrete_fields if field.column and field.name in self.fields]
        return Statement(self._for_postgresql(quote(self.name), quote(model._meta.db_table), columns, plain), table=model._meta.db_table)

    def _for_postgresql(self, name: str, table: str, columns: Sequence[str], plain: str) -> str:
        raise NotImplementedError


class SubstringIndex(_ByVendor):
    """For `__icontains` and `__istartswith` on several columns (the same index serves each of them).

    Trigrams are an extension that comes with PostgreSQL. Where the server lacks it or our user may not add it, the index is an ordinary
    one, and a search reads all rows."""

    def _for_postgresql(self, name: str, table: str, columns: Sequence[str], plain: str) -> str:
        parts = ", ".join(f"UPPER({column}::text) gin_trgm_ops" for column in columns)
        return (
            "DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm; "
            f"CREATE INDEX {name} ON {table} USING gin ({parts}); "
            "EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file THEN "
            f"{plain}; END $$"
        )


class TagIndex(_ByVendor):
    """For `<column>__tags__contains`: the list `tags` within a JSON column."""

    def _for_postgresql(self, name: str, table: str, columns: Sequence[str], plain: str) -> str:
        return f"CREATE INDEX {name} ON {table} USING gin (({columns[0]} -> 'tags') jsonb_path_ops)"
