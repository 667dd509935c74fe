"""Who may see and press what: every view names the permission it needs."""

from collections.abc import Callable
from functools import wraps
from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from dashboard.first_password import has_first_password

VIEW = "crmsync.view_contact"
RETRY = "crmsync.retry_contact"
RESOLVE = "crmsync.resolve_contact"
RUN = "crmsync.run_sync"
CONNECTIONS = "crmsync.manage_connections"
MAPPINGS = "crmsync.manage_mappings"
PEOPLE = "crmsync.manage_people"


class StaffRequest(HttpRequest):
    """What a guarded view gets: somebody is signed in."""

    user: User  # never anonymous behind `needs`
    htmx: HtmxDetails


View = Callable[..., HttpResponseBase]


def needs(permission: str) -> Callable[[View], View]:
    """Sends strangers to sign in and answers 403 to who lacks `permission`; a first password must be changed before anything else."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(cast("StaffRequest", request))
            if has_first_password(request):
                return redirect("account_change_password")
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def _to_sign_in(request: StaffRequest) -> HttpResponse:
    """A page that refreshes itself after signing out is replaced whole; a redirect would put the sign-in form inside it."""
    if request.htmx:
        page = urlsplit(request.htmx.current_url or "/").path
        return HttpResponseClientRedirect(f"{resolve_url(settings.LOGIN_URL)}?next={page}")
    return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
