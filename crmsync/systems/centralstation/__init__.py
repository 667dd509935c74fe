"""CentralStationCRM: its operations, its records as the engine's, its client.

From outside only `CentralStationSystem` and `webhooks` are used."""

from crmsync.systems.centralstation import webhooks
from crmsync.systems.centralstation.client import CentralStationSystem

__all__ = ["CentralStationSystem", "webhooks"]
