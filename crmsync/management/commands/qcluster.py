"""`manage.py qcluster`: the background work, in place of django-q2's command of the same name."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django_q.conf import Conf

from crmsync import cluster, in_use
from crmsync.management.arguments import worker_count
from crmsync.readiness import require_migrations


class Command(BaseCommand):
    help = "Runs the background work until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workers", type=worker_count, default=Conf.WORKERS, help="Worker processes (CRMSYNC_WORKERS, or 2).")

    def handle(self, *args: Any, **options: Any) -> None:
        require_migrations()
        in_use.share()
        Conf.WORKERS = options["workers"]
        Conf.QUEUE_LIMIT = options["workers"] ** 2
        cluster.run()
