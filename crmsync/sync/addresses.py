"""Where webhooks come to: each connection's addresses, below BASE_URL.

An address for unsigned events holds a secret of its own, derived from the connection's: knowing one of them tells nothing of the others.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from django.conf import settings
from django.urls import reverse

from crmsync.models import Connection


def ghl_address(connection: Connection) -> str:
    """Takes events that GoHighLevel has signed."""
    return _absolute(reverse("ghl_webhook", args=[connection.pk]))


def workflow_address(connection: Connection) -> str:
    """Takes what a workflow's *Webhook* action sends, unsigned. The address is the proof: whoever knows it can use it."""
    return _absolute(reverse("ghl_workflow", args=[connection.pk, workflow_secret(connection)]))


def hook_address(connection: Connection, model: str, event: str) -> str:
    """Takes CentralStation's hook of that model and event."""
    return _absolute(hook_path(connection, model, event))


def hook_path(connection: Connection, model: str, event: str) -> str:
    return reverse("centralstation_hook", args=[connection.pk, model, event, hook_secret(connection, model, event)])


def workflow_secret(connection: Connection) -> str:
    return _derived(connection, "workflow")


def hook_secret(connection: Connection, model: str, event: str) -> str:
    return _derived(connection, f"hook/{model}/{event}")


def is_same(secret: str, expected: str) -> bool:
    """Compares in constant time."""
    return hmac.compare_digest(secret.encode(errors="replace"), expected.encode())


def _derived(connection: Connection, purpose: str) -> str:
    """32 URL-safe characters: 192 bits."""
    digest = hmac.digest(connection.webhook_secret.encode(), purpose.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:24]).decode()


def _absolute(path: str) -> str:
    return settings.BASE_URL + path
