"""The mapping of a sync: which field goes where. Any change has all contacts compared again."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crmsync.models import FieldMapping, Sync
from crmsync.sync import actions, fields
from crmsync.systems.base import FieldInfo
from crmsync.systems.errors import CrmError
from dashboard import costs
from dashboard.access import MAPPINGS, VIEW, StaffRequest, needs
from dashboard.answers import show_form
from dashboard.forms.mappings import TYPES, NewRowForm, RowForm

TYPE_LABELS = {str(kind): label for kind, label in TYPES}
Known = tuple[list[FieldInfo], list[FieldInfo]]


def _sync(pk: int) -> Sync:
    return get_object_or_404(Sync.objects.select_related("ghl__budget", "centralstation__budget"), pk=pk)


def _mapping(pk: int) -> FieldMapping:
    return get_object_or_404(FieldMapping.objects.select_related("sync__ghl__budget", "sync__centralstation__budget"), pk=pk)


def _known(sync: Sync) -> tuple[Known, str]:
    """The real fields of both accounts, and why they can't be told where they can't."""
    try:
        return (fields.fields_of(sync.ghl), fields.fields_of(sync.centralstation)), ""
    except CrmError as error:
        return ([], []), error.message


@require_safe
@needs(VIEW)
def mappings(request: StaffRequest, pk: int) -> HttpResponse:
    sync = _sync(pk)
    known, trouble = _known(sync)
    rows = [_row(mapping, known) for mapping in sync.mappings.all()]
    return render(request, "mappings/page.html", {"sync": sync, "rows": rows, "trouble": trouble, "costs": costs.of_change(sync)})


def _row(mapping: FieldMapping, known: Known) -> dict[str, Any]:
    ghl, central = ({field.key: field.label for field in side} for side in known)
    return {
        "mapping": mapping,
        "ghl": ghl.get(mapping.ghl_field, mapping.ghl_field),
        "centralstation": central.get(mapping.centralstation_field, mapping.centralstation_field),
        "type": TYPE_LABELS.get(mapping.type, mapping.type),
        "form": RowForm(instance=mapping, prefix=str(mapping.pk)),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAPPINGS)
def add(request: StaffRequest, pk: int) -> HttpResponse:
    sync = _sync(pk)
    known, trouble = _known(sync)
    form = NewRowForm(sync, known, request.POST or None)
    if form.is_valid():
        form.save()
        return _changed(request, sync, _("The field is mapped. All contacts are compared again."))
    return show_form(request, "mappings/add.html", form, sync=sync, trouble=trouble, costs=costs.of_change(sync))


@require_POST
@needs(MAPPINGS)
def change(request: StaffRequest, pk: int) -> HttpResponse:
    mapping = _mapping(pk)
    form = RowForm(request.POST, instance=mapping, prefix=str(pk))
    if not form.is_valid():
        messages.error(request, _("Nothing was changed: choose a direction and a rule from the lists."))
        return redirect("mappings", mapping.sync_id)
    mapping.save(update_fields=["direction", "conflict"])
    return _changed(request, mapping.sync, _("Saved. All contacts are compared again."))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAPPINGS)
def remove(request: StaffRequest, pk: int) -> HttpResponse:
    mapping = _mapping(pk)
    if request.method != "POST":
        return render(request, "mappings/remove.html", {"mapping": mapping, "further": costs.of_change(mapping.sync)})
    mapping.delete()
    return _changed(request, mapping.sync, _("“%(name)s” is no longer kept the same.") % {"name": mapping.name})


def _changed(request: StaffRequest, sync: Sync, done: str) -> HttpResponse:
    actions.mapping_changed(sync, request.user)
    messages.success(request, done)
    return redirect("mappings", sync.pk)
