"""Growing: everything moves from an SQLite file into PostgreSQL, or nothing does."""

from __future__ import annotations

import copy
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet

from crmsync.sandbox import centralstation, ghl
from crmsync.sandbox.core import SimulatedCrm
from crmsync.sandbox.running import serving
from crmsync.sandbox.settings import CentralStationSettings, GhlSettings
from tests.foundation.installation import Installation, free_port, wait_until
from tests.sync.conftest import drop_database, new_database
from tests.sync.field import PEOPLE, Field
from tests.sync.kit import writes

pytestmark = pytest.mark.postgres

SERVER = os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
KEYS = {"SECRET_KEY": "x" * 60, "CREDENTIAL_KEYS": Fernet.generate_key().decode()}
SIGNED_IN = """
from django.contrib.auth.models import User
from django.test import Client
client = Client()
client.force_login(User.objects.get(), backend="allauth.account.auth_backends.AuthenticationBackend")
print(client.cookies["sessionid"].value)
"""
ADD_ONE = "from crmsync.models import Contact; print(Contact.objects.create(sync_id=1, ghl_id='NewContact0000000001').pk)"


@pytest.fixture(scope="session", autouse=True)
def _needs_a_server() -> None:
    try:
        psycopg.connect(SERVER, connect_timeout=3).close()
    except psycopg.OperationalError:
        pytest.skip("there is no PostgreSQL")


@pytest.fixture(scope="session")
def _new(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    new = Installation(tmp_path_factory.mktemp("new") / "data", {"DATABASE_URL": new_database(SERVER), **KEYS})
    done = new.manage("migrate", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    yield new
    drop_database(new)


@pytest.fixture
def new(_new: Installation, tmp_path: Path) -> Iterator[Installation]:
    """An installation on a PostgreSQL database of its own, with every migration and nothing else."""
    template = _new.environment["DATABASE_URL"].rpartition("/")[2]
    new = Installation(tmp_path / "new", {**_new.environment, "DATABASE_URL": new_database(SERVER, template)})
    yield new
    drop_database(new)


@pytest.fixture(scope="session")
def _synced(_migrated_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """An installation on an SQLite file, with a person who may sign in and a sync that has made its first sync."""
    old = Installation(tmp_path_factory.mktemp("old") / "data", dict(KEYS))
    shutil.copytree(_migrated_once, old.data)
    words = ("user", "add", "ada@example.org", "--role", "administrator", "--password-stdin")
    assert old.manage(*words, stdin="correct horse battery").returncode == 0
    location, account = ghl.create_app(GhlSettings(limit=1000)), centralstation.create_app(CentralStationSettings(limit=1000))
    with serving(location), serving(account):
        field = Field(old, location.state.crm, account.state.crm)
        field.manage("sync", "run", "1", "--wait")
        yield field


@pytest.fixture
def synced(_synced: Field, tmp_path: Path) -> Field:
    """The same, with a file of its own. Both CRMs are everybody's: tests write nothing there."""
    field = copy.copy(_synced)
    field.installed = Installation(tmp_path / "old", dict(KEYS))
    shutil.copytree(_synced.installed.data, field.installed.data)
    return field


@pytest.fixture
def old(synced: Field) -> Installation:
    return synced.installed


def file_of(installation: Installation) -> Path:
    return installation.data / "crmsync.sqlite3"


def move(old: Installation, new: Installation) -> Any:
    return new.manage("move_from", str(file_of(old)))


def count(new: Installation, table: str) -> int:
    with psycopg.connect(new.environment["DATABASE_URL"]) as database:
        row = database.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    assert row is not None
    return int(row[0])


def rows(file: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(file)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: database.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables}  # noqa: S608


def written(field: Field) -> int:
    crms: list[SimulatedCrm] = [field.ghl, field.central]
    return sum(len(writes(crm)) for crm in crms)


def test_the_sync_goes_on_in_the_new_database_as_if_nothing_had_been(synced: Field, old: Installation, new: Installation) -> None:
    before, written_before = synced.manage("sync", "status", "1")["counts"], written(synced)
    done = move(old, new)
    assert done.returncode == 0, done.stderr
    synced.installed = new
    assert synced.manage("sync", "status", "1")["counts"] == before
    synced.manage("sync", "run", "1", "--wait")  # looks for changes, with the credentials that came along
    synced.manage("sync", "run", "1", "--full", "--wait")
    assert written(synced) == written_before
    synced.assert_the_same()


def test_history_and_ids_come_along(old: Installation, new: Installation) -> None:
    move(old, new)
    shown = "import json; from crmsync.models import Change; print(json.dumps(list(Change.objects.order_by('pk').values()), default=str))"
    old_changes, new_changes = (json.loads(one.manage("shell", "-v0", "-c", shown).stdout) for one in (old, new))
    assert len(old_changes) > 2 * PEOPLE
    assert new_changes == old_changes


def test_new_rows_are_numbered_after_the_old_ones(old: Installation, new: Installation) -> None:
    move(old, new)
    assert int(new.manage("shell", "-v0", "-c", ADD_ONE).stdout) > 2 * PEOPLE


def test_the_old_file_is_as_it_was(old: Installation, new: Installation) -> None:
    before = rows(file_of(old))
    move(old, new)
    assert rows(file_of(old)) == before


def test_who_is_signed_in_stays_so_with_the_same_role(old: Installation, new: Installation) -> None:
    session = old.manage("shell", "-v0", "-c", SIGNED_IN).stdout.strip()
    move(old, new)
    asked = f"from django.test import Client; c = Client(); c.cookies['sessionid'] = {session!r}; print(c.get('/people/').status_code)"
    assert new.manage("shell", "-v0", "-c", asked, ALLOWED_HOSTS="testserver").stdout.strip() == "200"


def test_a_database_that_is_not_empty_is_refused(old: Installation, new: Installation) -> None:
    move(old, new)
    again = move(old, new)
    assert (again.returncode, "isn't empty" in again.stderr) == (1, True)


def test_another_version_is_refused(old: Installation, new: Installation) -> None:
    with closing(sqlite3.connect(file_of(old))) as database, database:
        database.execute("DELETE FROM django_migrations WHERE name = '0003_real_time'")
    done = move(old, new)
    assert (done.returncode, "of different versions" in done.stderr) == (1, True)


def test_a_file_that_is_not_there_is_refused(new: Installation) -> None:
    done = new.manage("move_from", "/nowhere/crmsync.sqlite3")
    assert (done.returncode, "There is no file" in done.stderr) == (1, True)


def test_a_file_that_is_no_database_is_refused(new: Installation, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database " * 100)
    done = new.manage("move_from", str(tmp_path / "notes.txt"))
    assert (done.returncode, "can't be read" in done.stderr) == (1, True)


def test_nothing_moves_into_sqlite(old: Installation, tmp_path: Path) -> None:
    done = Installation(tmp_path / "other").manage("move_from", str(file_of(old)))
    assert (done.returncode, "Set DATABASE_URL" in done.stderr) == (1, True)


def test_without_the_key_of_the_credentials_nothing_moves(old: Installation, new: Installation) -> None:
    new.environment["CREDENTIAL_KEYS"] = Fernet.generate_key().decode()
    done = move(old, new)
    assert (done.returncode, "CREDENTIAL_KEYS lacks the key" in done.stderr) == (1, True)
    assert count(new, "auth_user") == 0


def test_what_postgresql_refuses_is_named_and_leaves_the_new_database_empty(old: Installation, new: Installation) -> None:
    with closing(sqlite3.connect(file_of(old))) as database, database:
        database.execute("UPDATE crmsync_contact SET email = ? WHERE id = 5", ["swordfish" * 50])
    done = move(old, new)
    assert (done.returncode, "row 5 of crmsync_contact (StringDataRightTruncation)" in done.stderr) == (1, True)
    assert (count(new, "crmsync_connection"), "swordfish" in done.stderr) == (0, False)


def test_after_a_failed_move_the_next_one_succeeds(old: Installation, new: Installation) -> None:
    with closing(sqlite3.connect(file_of(old))) as database, database:
        [email] = database.execute("SELECT email FROM crmsync_contact WHERE id = 5").fetchone()
        database.execute("UPDATE crmsync_contact SET email = ? WHERE id = 5", ["x" * 999])
    assert move(old, new).returncode == 1
    with closing(sqlite3.connect(file_of(old))) as database, database:
        database.execute("UPDATE crmsync_contact SET email = ? WHERE id = 5", [email])
    assert move(old, new).returncode == 0


def test_while_a_run_is_at_work_nothing_moves(synced: Field, old: Installation, new: Installation) -> None:
    leased = "from crmsync.models import Contact; Contact.objects.filter(pk=1).update(lease_until='2999-01-01T00:00:00Z')"
    synced.installed.manage("shell", "-v0", "-c", leased)
    done = move(old, new)
    assert (done.returncode, "A run is at work" in done.stderr) == (1, True)


@pytest.mark.parametrize("command", [("web", "--port"), ("qcluster", "--workers")], ids=lambda command: command[0])
def test_while_it_is_in_use_nothing_moves(old: Installation, new: Installation, command: tuple[str, str]) -> None:
    value = str(free_port()) if command[0] == "web" else "1"
    with old.running("manage.py", *command, value):
        assert wait_until(file_of(old).with_name("crmsync.sqlite3.in-use").exists, 20), old.output()
        assert "is running on that file" in move(old, new).stderr
    assert wait_until(lambda: move(old, new).returncode == 0, 10)


def test_a_writer_that_says_nothing_is_noticed(old: Installation, new: Installation) -> None:
    with closing(sqlite3.connect(file_of(old), isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        done = move(old, new)
    assert (done.returncode, "still running" in done.stderr) == (1, True)
