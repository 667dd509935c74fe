"""`manage.py connection`: the accounts in both CRMs, from the command line."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandError

from crmsync.management.command import SubCommands, secret_from_stdin
from crmsync.models import Connection, Health
from crmsync.sync import setup


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
        ghl.add_argument("--location-id", required=True, metavar="L")
        ghl.add_argument("--token-stdin", required=True, action="store_true", help="Read the token from standard input.")
        ghl.add_argument("--api-url", default=setup.GHL_ROOT, metavar="URL", help="The root under which /contacts/ lives.")
        central = systems.add_parser("centralstation", help="A CentralStationCRM account, by an API key.")
        central.add_argument("--account-url", required=True, metavar="URL", help="The root under which /api/people lives.")
        central.add_argument("--api-key-stdin", required=True, action="store_true", help="Read the API key from standard input.")
        for parser in (ghl, central):
            parser.add_argument("--name", required=True, metavar="N")
            parser.add_argument("--rate", type=rate, metavar="REQUESTS/SECONDS", help="The limit to assume until answers tell another.")
            parser.add_argument("--no-test", action="store_true", help="Store it without asking the CRM.")
            parser.add_argument("--json", action="store_true", help="Print JSON, one object a line.")
        self.add_action("list", self.list, "List all connections.")
        test = self.add_action("test", self.test, "Test a connection with reads only.")
        test.add_argument("id", metavar="ID")

    def add(self, options: dict[str, Any]) -> None:
        common = {"name": options["name"], "rate": options["rate"], "test": not options["no_test"]}
        try:
            if options["system"] == "ghl":
                token = secret_from_stdin("token")
                connection = setup.add_ghl_connection(location_id=options["location_id"], token=token, root=options["api_url"], **common)
            else:
                key = secret_from_stdin("API key")
                connection = setup.add_centralstation_connection(root=options["account_url"], api_key=key, **common)
        except setup.SetupError as error:
            raise CommandError(error.message) from error
        if connection.health_reason:
            self.tell(connection.health_reason)
        self.show(options, {"id": connection.pk}, f"Connection {connection.pk} is stored.")

    def list(self, options: dict[str, Any]) -> None:
        self.show_all(options, map(_row, Connection.objects.defer("credential")))

    def test(self, options: dict[str, Any]) -> None:
        connection = setup.test_connection(connection_by_id(options["id"]))
        if connection.health not in (Health.OK, Health.LIMITED):
            raise CommandError(connection.health_reason)
        if connection.health_reason:
            self.tell(connection.health_reason)
        self.show(options, _row(connection))


def connection_by_id(text: str) -> Connection:
    connection = Connection.objects.filter(pk=text).first() if text.isdecimal() else None
    if connection is None:
        raise CommandError(f"There is no connection {text}. `manage.py connection list` shows them.")
    return connection


def _row(connection: Connection) -> dict[str, Any]:
    return {
        "id": connection.pk,
        "name": connection.name,
        "system": connection.system,
        "root": connection.root,
        "account_id": connection.account_id,
        "account_name": connection.account_name,
        "credential": f"…{connection.credential_hint}",
        "health": connection.health,
        "reason": connection.health_reason,
        "missing_scopes": sorted(connection.missing_scopes),
    }
