"""`manage.py connection`: the accounts in both CRMs, from the command line."""

import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from crmsync.engine.records import Side
from crmsync.management.command import Action, SubCommands, lines, secret_from_stdin
from crmsync.management.webhooks import ghl_rows, hook_rows, keys_from
from crmsync.models import Connection, Health
from crmsync.sync import actions, authorisation, hooks, setup
from crmsync.sync.connection_report import ConnectionReport
from crmsync.sync.hooks import HookHealth
from crmsync.systems.errors import CrmError

NOT_IN_ORDER = 3


def rate(text: str) -> tuple[int, float]:
    """`50/10`: 50 requests in 10 seconds."""
    requests, _, seconds = text.partition("/")
    try:
        limit, window_s = int(requests), float(seconds)
    except ValueError:
        limit, window_s = 0, 0.0
    if limit <= 0 or not 0 < window_s < float("inf"):
        raise ArgumentTypeError(f"{text!r} is no rate: it must look like 50/10, requests and seconds")
    return limit, window_s


class Command(SubCommands):
    help = "Connects, lists and tests accounts in GoHighLevel and CentralStationCRM."

    def add_actions(self) -> None:
        add = self.add_action("add", self.add, "Connect an account, after testing it.")
        systems = add.add_subparsers(metavar="SYSTEM", required=True, dest="system")
        ghl = systems.add_parser("ghl", help="A GoHighLevel location, by a private integration token or an access token.")
        ghl.add_argument("--location-id", metavar="L", help="With --oauth-stdin it is needed for an agency with several only.")
        proof = ghl.add_mutually_exclusive_group(required=True)
        proof.add_argument("--token-stdin", action="store_true", help="Read the token from standard input.")
        proof.add_argument(
            "--oauth-stdin",
            action="store_true",
            help="Take over an authorisation: read JSON with client_id, client_secret and refresh_token from standard input.",
        )
        ghl.add_argument("--api-url", default=setup.GHL_ROOT, metavar="URL", help="The root under which /contacts/ lives.")
        ghl.add_argument(
            "--authorize-url",
            default=authorisation.AUTHORIZE_ROOT,
            metavar="URL",
            help="Where Reconnect leads in the dashboard, with --oauth-stdin.",
        )
        ghl.add_argument(
            "--webhook-public-key-file",
            action="append",
            default=[],
            metavar="F",
            help="A public key (PEM, Ed25519 or RSA) that webhooks are signed with, instead of GoHighLevel's published ones; repeatable.",
        )
        central = systems.add_parser("centralstation", help="A CentralStationCRM account, by an API key.")
        central.add_argument("--account-url", required=True, metavar="URL", help="The root under which /api/people lives.")
        central.add_argument("--api-key-stdin", required=True, action="store_true", help="Read the API key from standard input.")
        for parser in (ghl, central):
            parser.add_argument("--name", required=True, metavar="N")
            parser.add_argument("--rate", type=rate, metavar="REQUESTS/SECONDS", help="The limit to assume until answers tell another.")
            parser.add_argument("--no-test", action="store_true", help="Store it without asking the CRM.")
            parser.add_argument("--json", action="store_true", help="Print JSON, one object a line.")
        self.add_action("list", self.list, "List all connections.")
        test = self.add_action(
            "test", self.test, "Test a connection: with reads, and for a GoHighLevel token one write that can't do anything."
        )
        test.add_argument("id", metavar="ID")
        details = self.add_action("show", self.details, "Tell all that is known of a connection, secrets left out; asks no CRM.")
        details.add_argument("id", metavar="ID")
        for name, action, help_text in (
            ("pause", actions.pause_connection, "Ask an account for nothing any more; its webhooks are stored."),
            ("resume", actions.resume_connection, "Go on with a paused connection, and catch up."),
        ):
            parser = self.add_action(name, self._changing(action), help_text)
            parser.add_argument("id", metavar="ID")
        webhooks = self.add_action("webhooks", self.webhooks, "Show where webhooks come to; keep CentralStationCRM's in order.")
        webhooks.add_argument("id", metavar="ID")
        verbs = webhooks.add_mutually_exclusive_group()
        verbs.add_argument(
            "--register", action="store_true", help="Register them in CentralStationCRM, and keep them in order from now on."
        )
        verbs.add_argument("--check", action="store_true", help="Ask how they are (the default).")
        verbs.add_argument("--remove", action="store_true", help="Delete ours there, and keep none from now on.")

    def add(self, options: dict[str, Any]) -> None:
        keys = keys_from(options.get("webhook_public_key_file", []))
        common = {"name": options["name"], "rate": options["rate"], "test": not options["no_test"]}
        try:
            if options["system"] == "ghl" and options["oauth_stdin"]:
                connection = _taken_over(options)
            elif options["system"] == "ghl":
                if options["location_id"] is None:
                    raise CommandError("--token-stdin needs --location-id.", returncode=2)
                token = secret_from_stdin("token")
                connection = setup.add_ghl_connection(location_id=options["location_id"], token=token, root=options["api_url"], **common)
            else:
                key = secret_from_stdin("API key")
                connection = setup.add_centralstation_connection(root=options["account_url"], api_key=key, **common)
        except setup.SetupError as error:
            raise CommandError(error.message) from error
        Connection.objects.filter(pk=connection.pk).update(webhook_keys=keys)
        if connection.health_reason:
            self.tell(connection.health_reason)
        self.show(options, {"id": connection.pk}, f"Connection {connection.pk} is stored.")

    def list(self, options: dict[str, Any]) -> None:
        self.show_all(options, map(_row, Connection.objects.without_secrets()))

    def test(self, options: dict[str, Any]) -> None:
        connection = setup.test_connection(connection_by_id(options["id"]))
        if connection.health not in (Health.OK, Health.LIMITED):
            raise CommandError(connection.health_reason)
        if connection.health_reason:
            self.tell(connection.health_reason)
        self.show(options, _row(connection))

    def details(self, options: dict[str, Any]) -> None:
        row = _details(ConnectionReport(connection_by_id(options["id"]), timezone.now()))
        self.show(options, row, lines(row))

    def _changing(self, action: Callable[[Connection], None]) -> Action:
        def change(options: dict[str, Any]) -> None:
            action(connection_by_id(options["id"]))
            self.show(options, _row(connection_by_id(options["id"])))

        return change

    def webhooks(self, options: dict[str, Any]) -> None:
        connection = connection_by_id(options["id"])
        if connection.side is Side.GHL:
            self._show_ghl(options, connection)
            return
        try:
            states = _asked(connection, options)
        except CrmError as error:
            raise CommandError(connection.hooks_notice or error.message) from error
        if options["remove"]:
            self.tell("Ours are removed.")
        else:
            self.show_all(options, hook_rows(states))
        if connection.hooks_notice:
            self.tell(connection.hooks_notice)
        if any(one.state is not HookHealth.OK for one in states):
            sys.exit(NOT_IN_ORDER)

    def _show_ghl(self, options: dict[str, Any], connection: Connection) -> None:
        if options["register"] or options["remove"]:
            raise CommandError("GoHighLevel's webhooks are set in its app, by a person. Without the option their addresses are shown.")
        for row in ghl_rows(connection):
            self.show(options, row)


def _asked(connection: Connection, options: dict[str, Any]) -> Sequence[hooks.HookState]:
    if options["remove"]:
        hooks.remove(connection)
        return []
    return hooks.register(connection) if options["register"] else hooks.check(connection)


class _Authorisation(TypedDict):
    client_id: str
    client_secret: str
    refresh_token: str


_AUTHORISATION = TypeAdapter(_Authorisation)


def _taken_over(options: dict[str, Any]) -> Connection:
    """Nothing about the JSON is repeated in an error: it holds secrets."""
    try:
        told = _AUTHORISATION.validate_json(sys.stdin.read())
    except ValueError:
        raise CommandError("Standard input must be JSON with client_id, client_secret and refresh_token.") from None
    connection = authorisation.take_over(
        name=options["name"],
        location_id=options["location_id"] or "",
        root=options["api_url"],
        authorize_root=options["authorize_url"],
        rate=options["rate"],
        **told,
    )
    if not connection.account_id and not connection.health_reason:
        connection.health_reason = "The agency has several locations, or none: choose one on the connection's page in the dashboard."
    return connection


def connection_by_id(text: str) -> Connection:
    connection = Connection.objects.filter(pk=text).first() if text.isdecimal() else None
    if connection is None:
        raise CommandError(f"There is no connection {text}. `manage.py connection list` shows them.")
    return connection


def _account(connection: Connection) -> dict[str, Any]:
    """What every answer about a connection begins with."""
    return {
        "id": connection.pk,
        "name": connection.name,
        "system": connection.system,
        "root": connection.root,
        "account_id": connection.account_id,
        "account_name": connection.account_name,
        "health": connection.health,
        "reason": connection.health_reason,
    }


def _row(connection: Connection) -> dict[str, Any]:
    return _account(connection) | {
        "credential": f"…{connection.credential_hint}",
        "paused": _iso(connection.paused_at),
        "missing_scopes": sorted(connection.missing_scopes),
    }


def _details(report: ConnectionReport) -> dict[str, Any]:
    connection, budget = report.connection, report.budget
    return _account(connection) | {
        "scopes": report.granted,
        "missing_scopes": report.missing,
        "webhook_url": report.webhook_url,
        "calls_used": budget.calls if budget else 0,
        "calls_left_today": budget.left_today if budget else None,
        "limit": f"{budget.limit}/{budget.window_s:g}" if budget else None,
        "blocked_until": _iso(report.blocked_until),
        "broken_until": _iso(report.broken_until),
        "coverage": report.coverage,
        "last_event": _iso(report.last_event),
        "echoes": report.echoes,
        "refused": {reason: one.count for reason, one in report.refusals.items()},
        "paused": _iso(connection.paused_at),
        "deaf": report.deafness,
        "hooks": report.hooks,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
