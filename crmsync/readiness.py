"""Whether this process may begin: the database answers, and has every migration."""

from urllib.request import urlopen

from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor


def missing_migrations() -> list[str]:
    """Names of the migrations that this code has and the database has not. Raises `DatabaseError` where it doesn't answer."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def require_migrations() -> None:
    """Raises `ImproperlyConfigured`, which says what to do. Leaves no connection open, so that the caller may fork."""
    missing = missing_migrations()
    connections.close_all()
    if missing:
        raise ImproperlyConfigured(f"{len(missing)} migrations are missing in the database. Run: python manage.py migrate")


def is_ready(address: str) -> bool:
    """Whether what serves at `address` says so."""
    try:
        with urlopen(f"{address}/healthz", timeout=2):  # noqa: S310 - our own address
            return True
    except OSError:
        return False
