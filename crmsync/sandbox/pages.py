"""Pages."""

from starlette.routing import Route

from crmsync.sandbox.core import SimulatedCrm


def page_routes(crm: SimulatedCrm) -> list[Route]:
    return []
