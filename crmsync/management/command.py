"""What all commands with sub-commands share: one JSON object a line for machines, plain text for people, secrets by standard input.

Exit status: 0 done, 1 configuration or unknown id (`CommandError`), 2 wrong usage (argparse), 3 done but some contacts failed, 141 nobody
reads on (`… | head -1`).
"""

import json
import os
import sys
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Callable, Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

Action = Callable[[dict[str, Any]], None]
NOBODY_READS = 128 + 13  # as a shell tells of a process that SIGPIPE ended


class SubCommands(BaseCommand):
    """A command made of sub-commands: `add_action` names each with the method that does it; every one takes `--json`."""

    _subparsers: "_SubParsersAction[Any]"

    def add_arguments(self, parser: CommandParser) -> None:
        self._subparsers = parser.add_subparsers(metavar="ACTION", required=True)
        self.add_actions()

    def add_actions(self) -> None:
        raise NotImplementedError

    def add_action(self, name: str, action: Action, help_text: str) -> ArgumentParser:
        """`action` gets the parsed options. Returns the parser, for the action's own arguments."""
        parser: ArgumentParser = self._subparsers.add_parser(name, help=help_text, description=help_text)
        parser.add_argument("--json", action="store_true", help="Print JSON, one object a line.")
        parser.set_defaults(action=action)
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            options["action"](options)
            self.stdout.flush()
        except BrokenPipeError:
            # What is still in the buffer goes nowhere, or Python would complain of it at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(NOBODY_READS)

    def show(self, options: dict[str, Any], row: dict[str, Any], text: str = "") -> None:
        """One answer on standard output: `row` as JSON where asked for, else `text`."""
        self.stdout.write(json.dumps(row, ensure_ascii=False, default=str) if options["json"] else text or _sentence(row))

    def show_all(self, options: dict[str, Any], rows: Iterable[dict[str, Any]]) -> None:
        """A list on standard output, one answer a line; people are told where it is empty."""
        is_empty = True
        for row in rows:
            self.show(options, row)
            is_empty = False
        if is_empty and not options["json"]:
            self.tell(_("None."))

    def tell(self, message: str) -> None:
        """A message for people, on standard error."""
        self.stderr.write(message)


def _sentence(row: dict[str, Any]) -> str:
    return "  ".join(f"{name}: {_plain(value)}" for name, value in row.items())


def lines(row: dict[str, Any]) -> str:
    """A row of many columns as people read it, a line each."""
    return "\n".join(f"{name}: {_plain(value)}" for name, value in row.items())


def _plain(value: Any) -> str:
    """A value as people read it: `in_sync 82, failed 1`. What is inside another value is left out where it is empty, or 0."""
    match value:
        case None | "" | []:
            return "-"
        case bool():
            return _("yes") if value else _("no")
        case list():
            return ", ".join(_plain(one) for one in value)
        case dict():
            return ", ".join(f"{name} {_inner(one)}" for name, one in value.items() if one or one is False) or "-"
        case _:
            return str(value)


def _inner(value: Any) -> str:
    return f"({_plain(value)})" if isinstance(value, dict) else _plain(value)


def secret_from_stdin(name: str) -> str:
    """The secret piped in, without the newline at its end. Raises `CommandError` when there is none."""
    secret = sys.stdin.read().strip()
    if not secret:
        raise CommandError(f"There is no {name} on standard input.")
    if not secret.isprintable():
        raise CommandError(f"The {name} on standard input has characters that can't be part of one, such as line breaks.")
    return secret
