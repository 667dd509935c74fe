"""`manage.py serve`: everything one machine needs, under one parent."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from crmsync import in_use
from crmsync.management.arguments import port_number, worker_count
from crmsync.processes import supervise
from crmsync.readiness import require_migrations
from crmsync.serving import local_address, serving


class Command(BaseCommand):
    help = "Serves the pages and does the background work until Ctrl-C or SIGTERM; restarts what dies."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (127.0.0.1).")
        parser.add_argument("--port", type=port_number, default=8000, help="Port to listen on (8000).")
        parser.add_argument(
            "--workers", type=worker_count, default=settings.CRMSYNC_WORKERS, help="Worker processes (CRMSYNC_WORKERS, or 2)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        require_migrations()
        in_use.share()
        children = serving(host, port, options["workers"])
        self.stderr.write(f"crmsync starts on {local_address(host, port)} (Ctrl-C ends it).")
        supervise(children)
