"""Web and background work under one parent: what `serve` and `demo` start."""

import os
import socket
import sys
from collections.abc import Mapping

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from crmsync.processes import Supervised


def manage(*arguments: str) -> list[str]:
    """The command line of a sub-process `manage.py ...`."""
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


def serving(host: str, port: int, workers: int, environment: Mapping[str, str] | None = None) -> list[Supervised]:
    """The web server and the cluster. Raises `ImproperlyConfigured` where something else listens on the port."""
    require_free_port(host, port)
    shared = {"BASE_URL": os.environ.get("BASE_URL") or local_address(host, port), **(environment or {})}
    return [
        Supervised("web", manage("web", "--host", host, "--port", str(port)), shared),
        Supervised("qcluster", manage("qcluster", "--workers", str(workers)), shared),
    ]


def require_free_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ImproperlyConfigured(f"Can't listen on {host}, port {port}: {error.strerror}. Choose another --port.") from error


def local_address(host: str, port: int) -> str:
    """Where a browser on this machine finds what listens on `host`."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - compared, not bound
    return f"http://{name}:{port}"
