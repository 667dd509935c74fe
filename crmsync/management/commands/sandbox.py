"""`manage.py sandbox`: both CRMs, simulated, over HTTP, until Ctrl-C or SIGTERM."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crmsync.sandbox.running import add_arguments, run_until_stopped


class Command(BaseCommand):
    help = "Serve both CRMs, simulated, with realistic people, for trying things out. Ends with Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run_until_stopped(options, self._say)
        except OSError as error:
            raise CommandError(f"The sandbox can't open its ports: {error.strerror}. Choose others, or leave them out.") from error

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
