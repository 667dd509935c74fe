"""CentralStationCRM: its operations, its records as the engine's, its client. From outside only `CentralStationSystem` is used."""

from crmsync.systems.centralstation.client import CentralStationSystem

__all__ = ["CentralStationSystem"]
