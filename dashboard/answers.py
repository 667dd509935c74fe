"""How a view answers: with a page or its fragment, with a form and its errors, or back to where the button was pressed."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from crmsync.sync.actions import ActionError
from crmsync.sync.setup import SetupError
from dashboard.access import StaffRequest

T = TypeVar("T")


def show(request: StaffRequest, page: str, fragment: str, context: dict[str, Any]) -> HttpResponse:
    """The whole page, or for htmx the fragment that changes on it; both at one address, which a cache must know."""
    response = render(request, fragment if request.htmx else page, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def show_form(request: HttpRequest, page: str, form: BaseForm, **context: Any) -> HttpResponse:
    """The page with the form; 422 when it comes back with errors."""
    return render(request, page, {"form": form, **context}, status=422 if form.errors else 200)


def accepted(form: BaseForm, call: Callable[[], T]) -> T | None:
    """What `call` returns, or None with the refusal put beside the field that it names."""
    try:
        return call()
    except SetupError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return None


def back(request: HttpRequest, to: str, *args: object) -> HttpResponse:
    """To the page that the button was on (`next`), where that is one of ours, else `to`."""
    page = request.POST.get("next", "")
    return redirect(page if url_has_allowed_host_and_scheme(page, allowed_hosts=None) else resolve_url(to, *args))


def act(request: HttpRequest, call: Callable[[], object], done: str = "") -> bool:
    """Do it and say `done`, or say why it makes no sense any more. True when it was done."""
    try:
        call()
    except ActionError as error:
        messages.error(request, _("Nothing was done. %s") % error.message)
        return False
    if done:
        messages.success(request, done)
    return True
