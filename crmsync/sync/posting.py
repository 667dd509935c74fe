"""Posting a message to an address that a person gave: over https, to a public machine, following nobody elsewhere.

The CRMs' door (crmsync.systems.transport) is no use here: it spends a connection's budget and speaks a CRM's errors. The machine is looked
up once and the connection goes to what was checked, so that a name can't change its meaning in between."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

TIMEOUT_S = 10.0


class NotDelivered(Exception):
    """Why, in a sentence without the address."""


def check_address(url: str) -> None:
    """Raises `NotDelivered` where a message is never sent to; asks nobody."""
    parts = urlsplit(url)
    if settings.ALERTS_TO_ANY_ADDRESS and parts.scheme in ("http", "https") and parts.hostname:
        return
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
        raise NotDelivered(_("The address must begin with https:// and hold no password."))
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return
    _check_public(str(literal))


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Raises `NotDelivered` unless the answer is a 2xx. An answer that leads elsewhere isn't followed."""
    check_address(url)
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    try:
        line = _connected(parts.scheme, host, port)
        try:
            line.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, dict(headers))
            status = line.getresponse().status
        finally:
            line.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotDelivered(_("The machine doesn't answer (%(error)s).") % {"error": type(error).__name__}) from error
    if not 200 <= status < 300:
        raise NotDelivered(_("The machine answered %(status)s.") % {"status": status})


def _connected(scheme: str, host: str, port: int) -> http.client.HTTPConnection:
    address = str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])
    if not settings.ALERTS_TO_ANY_ADDRESS:
        _check_public(address)
    plain = socket.create_connection((address, port), timeout=TIMEOUT_S)
    line = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    line.sock = plain
    if scheme == "https":
        try:
            line.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        except OSError:
            plain.close()
            raise
    return line


def _check_public(address: str) -> None:
    if not ipaddress.ip_address(address.partition("%")[0]).is_global:
        raise NotDelivered(_("The address is in a private network, where no messages are sent to."))
