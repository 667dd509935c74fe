"""The web server: granian, one process with threads, in front of Django's WSGI application."""

import copy
import os
from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from crmsync.processes import die_with

APPLICATION = "crmsync.wsgi.application"

# A page waits for the database, not for a CRM: few threads do, and each one holds a database connection.
THREADS = min(8, (os.cpu_count() or 1) * 2 + 1)
KILL_AFTER_S = 7  # for requests under way at the end


def run(host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way are finished."""
    server = Server(
        APPLICATION,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=KILL_AFTER_S,
        log_level=LogLevels.warning,
        log_dictconfig=_log_config(),
    )
    server.serve(target_loader=partial(_load, os.getpid()), wrap_loader=False)


def _load(parent_pid: int) -> Callable[..., Any]:
    """Runs in the serving process: it dies with the one that restarts it. Loaded not before: static files are known from then on."""
    die_with(parent_pid)
    application: Callable[..., Any] = import_string(APPLICATION)
    return application


def _log_config() -> dict[str, Any]:
    """Ours, in a copy of its own, for granian adds its loggers to it."""
    config: dict[str, Any] = copy.deepcopy(settings.LOGGING)
    config["loggers"] |= {"_granian": {"propagate": True}, "granian.access": {"propagate": True}}
    return config
