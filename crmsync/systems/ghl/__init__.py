"""GoHighLevel: its operations, its records as the engine's, its client. From outside only `GhlSystem` and `webhooks` are used."""

from crmsync.systems.ghl import webhooks
from crmsync.systems.ghl.client import GhlSystem

__all__ = ["GhlSystem", "webhooks"]
