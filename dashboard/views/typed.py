"""Answers while a form is filled in: what is wrong with one field."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dashboard.access import CONNECTIONS, StaffRequest, needs
from dashboard.forms.typed import CHECKS, faults


@require_safe
@needs(CONNECTIONS)
def typed(request: StaffRequest, check: str, pk: int | None = None) -> HttpResponse:
    """The field is the only one that its input sends, whatever its name."""
    if check not in CHECKS:
        raise Http404
    text = str(next(iter(request.GET.values()), ""))
    return render(request, "forms/_typed.html", {"faults": faults(check, text, pk)})
