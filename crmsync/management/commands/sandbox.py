"""`manage.py sandbox`: both CRMs, simulated, over HTTP, until Ctrl-C or SIGTERM."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crmsync.sandbox.running import add_arguments, options_of, run_until_stopped


class Command(BaseCommand):
    help = "Serve both CRMs, simulated, with realistic people, for trying things out. Ends with Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        run_until_stopped(options_of(options), self.stdout.write)
