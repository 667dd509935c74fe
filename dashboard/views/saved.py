"""Saved views of the contacts: kept under a name, renamed, shared, changed to what is shown now, deleted."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crmsync.models import SavedView
from crmsync.sync import saved_views
from dashboard.access import PEOPLE, VIEW, StaffRequest, needs
from dashboard.answers import accepted, show_form
from dashboard.forms.contacts import ContactFilter
from dashboard.forms.saved import SavedViewForm
from dashboard.saved import address_of

require_form = require_http_methods(["GET", "HEAD", "POST"])


@require_form
@needs(VIEW)
def add(request: StaffRequest) -> HttpResponse:
    """Keep what the address asks for."""
    asked = ContactFilter(request.GET)
    form = SavedViewForm(request.POST or None, instance=SavedView(owner=request.user, query=asked.query))
    if form.is_valid() and accepted(form, lambda: saved_views.save(form.instance, request.user)) is not None:
        messages.success(request, _("“%(name)s” is kept above the list.") % {"name": form.instance})
        return _show(form.instance)
    return show_form(request, "contacts/views/add.html", form, asked=asked, cancel=f"{reverse('contacts')}?{asked.query}")


@require_form
@needs(VIEW)
def edit(request: StaffRequest, pk: int) -> HttpResponse:
    view = _changeable(request, pk)
    form = SavedViewForm(request.POST or None, instance=view)
    if form.is_valid() and accepted(form, lambda: saved_views.save(view, request.user)) is not None:
        messages.success(request, _("Saved."))
        return _show(view)
    return show_form(request, "contacts/views/edit.html", form, pk=pk, cancel=address_of(view), asked=ContactFilter.of(view.query))


@require_POST
@needs(VIEW)
def update(request: StaffRequest, pk: int) -> HttpResponse:
    """Have the view show what the form asks for."""
    view = _changeable(request, pk)
    view.query = ContactFilter(request.POST).query
    saved_views.save(view, request.user)
    messages.success(request, _("“%(name)s” shows this from now on.") % {"name": view})
    return _show(view)


@require_form
@needs(VIEW)
def delete(request: StaffRequest, pk: int) -> HttpResponse:
    view = _changeable(request, pk)
    if request.method != "POST":
        return render(request, "contacts/views/delete.html", {"view": view, "cancel": address_of(view)})
    saved_views.delete(view, request.user)
    messages.success(request, _("“%(name)s” is deleted.") % {"name": view})
    return redirect("contacts")


def _changeable(request: StaffRequest, pk: int) -> SavedView:
    views = SavedView.objects.changeable_by(request.user, is_administrator=request.user.has_perm(PEOPLE))
    return get_object_or_404(views, pk=pk)


def _show(view: SavedView) -> HttpResponse:
    return redirect(address_of(view))
