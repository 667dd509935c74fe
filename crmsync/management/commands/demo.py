"""`manage.py demo`: everything on this machine, with both CRMs simulated; afresh at every start."""

import os
import shutil
import socket
import sys
import webbrowser
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from crmsync import stopping
from crmsync.accounts import Role, add_account
from crmsync.management.arguments import contact_count, port_number
from crmsync.models import Connection, Mode
from crmsync.processes import Supervised, supervise
from crmsync.readiness import is_ready
from crmsync.sandbox.running import Addresses, Options, control, sandbox_process
from crmsync.sandbox.settings import DEMO_API_KEY, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_GHL_TOKEN, DEMO_LOCATION_ID
from crmsync.serving import local_address, require_free_port, serving
from crmsync.sync import actions, hooks, setup
from crmsync.sync.addresses import ghl_address

HOST = "127.0.0.1"
USUAL_PORT = 8000
EMAIL, PASSWORD = "demo@example.com", "demo-demo-demo"  # opens nothing but this demo, on this machine
MARK = "CRMSYNC_DEMO"

HASTE = 5
GHL_LIMIT, CENTRALSTATION_LIMIT = 100 * HASTE, 50 * HASTE
"""The real accounts allow 100 and 50 requests in 10 s, with which 500 contacts take a quarter of an hour: too long to look on."""

# The demo touches no real installation, whatever the shell has set for one.
NOT_OURS = {"DATABASE_URL", "REDIS_URL", "EMAIL_URL", "SECRET_KEY", "CREDENTIAL_KEYS", "BASE_URL", "ALLOWED_HOSTS", "DEBUG"}


class Command(BaseCommand):
    help = "Runs crmsync with both CRMs simulated, and opens it in a browser. Ctrl-C ends it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--contacts", type=contact_count, default=500, help="People in each simulated CRM (500).")
        parser.add_argument("--port", type=port_number, help="Port of the dashboard (8000, or a free one where that is in use).")
        parser.add_argument("--no-browser", action="store_true", help="Don't open a browser.")

    def handle(self, *args: Any, **options: Any) -> None:
        port = options["port"] or _free_port()
        address = local_address(HOST, port)
        require_free_port(HOST, port)
        if MARK not in os.environ:
            _begin_afresh(port)
        self._tell("crmsync's demo is starting: a new database, and both CRMs with their people ...")
        call_command("migrate", verbosity=0)
        with sandbox_process(simulation(options["contacts"])) as addresses:
            seed(addresses)
            connections.close_all()
            self._announce(address, addresses)
            self._serve(address, addresses, serving(HOST, port, settings.CRMSYNC_WORKERS), open_browser=not options["no_browser"])
            if addresses.have_ended:
                raise CommandError("The simulated CRMs have ended; start the demo again.")

    def _serve(self, address: str, simulated: Addresses, children: Sequence[Supervised], *, open_browser: bool) -> None:
        starting = [address]

        def look() -> None:
            if simulated.have_ended:
                stopping.request()
            elif starting and is_ready(address):
                self._tell("Ready. Ctrl-C ends it all.")
                if open_browser:
                    webbrowser.open(starting.pop())
                starting.clear()

        supervise(children, meanwhile=look)

    def _announce(self, address: str, simulated: Addresses) -> None:
        self._tell("")
        self._tell(f"  Dashboard           {address}")
        self._tell(f"  E-mail              {EMAIL}")
        self._tell(f"  Password            {PASSWORD}")
        self._tell(f"  GoHighLevel         {simulated.ghl}      (simulated: change contacts, switch faults on)")
        self._tell(f"  CentralStationCRM   {simulated.centralstation}      (simulated)")
        self._tell("")
        self._tell("  To try “Connect”, where GoHighLevel asks you to let an app in:")
        self._tell(f"  Client id           {DEMO_CLIENT_ID}")
        self._tell(f"  Client secret       {DEMO_CLIENT_SECRET}")
        self._tell(f"  Address             {simulated.ghl}      (of the API and of the authorisation page)")
        self._tell("")
        self._tell("  Its command line:   " + f"CRMSYNC_DATA={settings.CRMSYNC_DATA} BASE_URL={address} python manage.py sync status 1")
        self._tell("")

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _begin_afresh(port: int) -> None:
    """This command again, in an empty directory of its own: the simulated CRMs forget all when they end, so the database must, too.

    It then knows its own address, which is what the simulated CRMs send their webhooks to."""
    directory = settings.CRMSYNC_DATA / "demo"
    shutil.rmtree(directory, ignore_errors=True)
    environment = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    environment |= {"CRMSYNC_DATA": str(directory), "BASE_URL": local_address(HOST, port), MARK: "1"}
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *sys.argv[1:], f"--port={port}"]
    os.execve(command[0], command, environment)  # noqa: S606 - no shell


def simulation(contacts: int) -> Options:
    return Options(contacts=contacts, ghl_limit=GHL_LIMIT, centralstation_limit=CENTRALSTATION_LIMIT)


def seed(simulated: Addresses) -> None:
    """An account to sign in with, both connections, and a live sync between them, which has begun."""
    add_account(EMAIL, Role.ADMINISTRATOR, PASSWORD)
    ghl = setup.add_ghl_connection(name="Demo agency", location_id=DEMO_LOCATION_ID, token=DEMO_GHL_TOKEN, root=simulated.ghl)
    centralstation = setup.add_centralstation_connection(
        name="Demo team", api_key=DEMO_API_KEY, root=simulated.centralstation, rate=(CENTRALSTATION_LIMIT, 10)
    )
    hear(ghl, centralstation)
    actions.start_run(setup.create_sync(name="Agency and team", ghl=ghl, centralstation=centralstation, mode=Mode.LIVE, poll_every_s=5))


def hear(ghl: Connection, centralstation: Connection) -> None:
    """Have both simulated CRMs tell us of their changes: GoHighLevel as its app would be set up, CentralStation by its API."""
    ghl.webhook_keys = [control(ghl.root, "GET", "webhook-key")]
    ghl.save(update_fields=["webhook_keys"])
    control(ghl.root, "PUT", "webhook-url", {"url": ghl_address(ghl)})
    hooks.register(centralstation)


def _free_port() -> int:
    """The usual port, or where something else has it, any free one."""
    try:
        require_free_port(HOST, USUAL_PORT)
    except ImproperlyConfigured:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            return int(probe.getsockname()[1])
    return USUAL_PORT
