"""The time zone of whoever looks, in which times and days are shown. The browser tells it in a cookie (static/zone.js); until then it
is UTC."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

COOKIE = "timezone"

Page = Callable[[HttpRequest], HttpResponseBase]


def browsers_zone(get_response: Page) -> Page:
    """Middleware: answer in the browser's time zone."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        with timezone.override(zone_named(request.COOKIES.get(COOKIE, ""))):
            return get_response(request)

    return answer


def zone_named(name: str) -> ZoneInfo:
    """The zone of this name, such as `Europe/Berlin`; UTC for what is none."""
    return ZoneInfo(name if name in _known() else "UTC")


@cache
def _known() -> frozenset[str]:
    """Those that the database knows, too: not this machine's own, such as `localtime`."""
    return frozenset(name for name in available_timezones() if "/" in name)
