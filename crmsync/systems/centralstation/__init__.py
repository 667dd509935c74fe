"""CentralStationCRM: its operations, its records as the engine's, its client. `CentralStationSystem` and `webhooks` are used from outside."""

from crmsync.systems.centralstation import webhooks
from crmsync.systems.centralstation.client import CentralStationSystem

__all__ = ["CentralStationSystem", "webhooks"]
