"""`manage.py move_from FILE`: from SQLite to PostgreSQL, with everything."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crmsync.moving import MoveError, move


class Command(BaseCommand):
    help = "Moves everything from an SQLite file into the new, empty PostgreSQL database of DATABASE_URL. The file stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="The SQLite file, such as /var/lib/crmsync/crmsync.sqlite3.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = move(options["file"], self._tell)
        except MoveError as error:
            raise CommandError(error.message) from error
        total, tables = sum(counts.values()), sum(map(bool, counts.values()))
        self.stdout.write(f"{total} rows of {tables} tables were moved, and both databases count the same. {options['file']} is as it was.")

    def _tell(self, table: str, rows: int) -> None:
        if rows:
            self.stderr.write(f"{table}: {rows}")
