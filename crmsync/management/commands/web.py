"""`manage.py web`: the pages alone, without the background work; `serve` runs both."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crmsync import in_use, web
from crmsync.management.arguments import port_number
from crmsync.readiness import require_migrations
from crmsync.staticfiles import collect


class Command(BaseCommand):
    help = "Serves the pages alone, for installations of several machines; `serve` runs the background work, too."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (127.0.0.1).")
        parser.add_argument("--port", type=port_number, default=8000, help="Port to listen on (8000).")

    def handle(self, *args: Any, **options: Any) -> None:
        require_migrations()
        in_use.share()
        collect()
        web.run(options["host"], options["port"])
