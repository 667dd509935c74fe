"""GoHighLevel: its operations, its records as the engine's, its client. From outside only `GhlSystem` is used."""

from crmsync.systems.ghl.client import GhlSystem

__all__ = ["GhlSystem"]
