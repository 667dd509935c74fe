"""What machines call. No sign-in, no redirect, no page: a status and a line of JSON."""

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crmsync.readiness import missing_migrations


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when requests can be served: the database answers and has every migration. Otherwise 503 and what is missing."""
    try:
        missing = missing_migrations()
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "reason": "The database doesn't answer."}, status=503)
    if missing:
        return JsonResponse({"status": "unavailable", "reason": "Migrations are missing."}, status=503)
    return JsonResponse({"status": "ok"})
