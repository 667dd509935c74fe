"""What `manage.py connection` says of webhooks: keys from files, the addresses of a GoHighLevel account, CentralStation's hooks."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Max

from crmsync.models import Connection, Tally
from crmsync.sync.addresses import ghl_address, workflow_address
from crmsync.sync.hooks import HookState
from crmsync.systems.ghl import webhooks


def keys_from(files: Sequence[str]) -> list[str]:
    """The public key in each file (PEM). Raises `CommandError` naming the file that has none."""
    return [_key_from(name) for name in files]


def _key_from(name: str) -> str:
    try:
        return webhooks.read_key(Path(name).read_text())
    except OSError as error:
        raise CommandError(f"{name} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise CommandError(f"{name} holds no public key: this isn't text.") from None
    except ValueError as error:
        raise CommandError(f"{name} holds no public key to use: {error}.") from error


def ghl_rows(connection: Connection) -> Iterator[dict[str, Any]]:
    """The two addresses, then the events to choose in the app's settings, each with when one came last."""
    yield {"webhook_url": ghl_address(connection), "workflow_url": workflow_address(connection)}
    last_at = dict(Tally.objects.filter(connection=connection, count__gt=0).values_list("name").annotate(Max("last_at")))
    for event in webhooks.EVENTS:
        yield {"event": event.name, "scope": event.scope, "last_at": last_at.get(f"event:{event.name}"), "purpose": event.purpose}


def hook_rows(states: Sequence[HookState]) -> Iterator[dict[str, Any]]:
    for one in states:
        yield {"model": one.model, "event": one.event, "state": str(one.state), "failed": one.failed}
