"""The mapping of a sync: which field goes where, and what it was before. Any change has all contacts compared again."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crmsync.models import FieldMapping, MappingRevision, Sync
from crmsync.sync import fields, revisions
from crmsync.sync import mappings as mapping
from crmsync.sync.setup import SetupError
from crmsync.systems.base import FieldInfo
from crmsync.systems.errors import CrmError
from dashboard import costs
from dashboard.access import MAPPINGS, VIEW, StaffRequest, needs
from dashboard.answers import accepted, show_form
from dashboard.forms.mappings import CONFLICTS, TYPES, ComparedForm, NewRowForm, PairForm, RowForm, shortened
from dashboard.paging import page_of

TYPE_LABELS = {str(kind): label for kind, label in TYPES}
CONFLICT_LABELS = dict(CONFLICTS)
Known = tuple[list[FieldInfo], list[FieldInfo]]


def _sync(pk: int) -> Sync:
    return get_object_or_404(Sync.objects.select_related("ghl__budget", "centralstation__budget"), pk=pk)


def _row_or_404(pk: int) -> FieldMapping:
    return get_object_or_404(FieldMapping.objects.select_related("sync__ghl__budget", "sync__centralstation__budget"), pk=pk)


def _revision(pk: int, number: int) -> MappingRevision:
    rows = MappingRevision.objects.select_related("sync__ghl", "sync__centralstation")
    return get_object_or_404(rows, sync=pk, number=number)


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
    example = fields.example_contact(sync)
    values = example.base.get("fields", {}) if example else {}
    rows = [_row(row, known, values.get(row.name) or (None, None)) for row in sync.mappings.all()]
    context = {"sync": sync, "rows": rows, "trouble": trouble, "example": example, "revision": sync.revisions.first()}
    return render(request, "mappings/page.html", context | {"costs": costs.of_change(sync)})


def _row(row: FieldMapping, known: Known, example: tuple[Any, Any]) -> dict[str, Any]:
    ghl, central = ({field.key: field.label for field in side} for side in known)
    return {
        "mapping": row,
        "ghl": ghl.get(row.ghl_field, row.ghl_field),
        "centralstation": central.get(row.centralstation_field, row.centralstation_field),
        "examples": [_short(value) for value in example],
        "type": TYPE_LABELS.get(row.type, row.type),
        "form": RowForm(instance=row, prefix=str(row.pk)),
    }


def _short(value: Any) -> str:
    return shortened(", ".join(value) if isinstance(value, list) else str(value or ""))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAPPINGS)
def add(request: StaffRequest, pk: int) -> HttpResponse:
    sync = _sync(pk)
    known, trouble = _known(sync)
    example = None if trouble else _example(sync)
    form = NewRowForm(sync, known, example, request.POST or None)
    if form.is_valid() and _added(form, request):
        messages.success(request, _("The field is mapped. All contacts are compared again."))
        return redirect("mappings", pk)
    return show_form(request, "mappings/add.html", form, sync=sync, trouble=trouble, example=example, costs=costs.of_change(sync))


def _example(sync: Sync) -> fields.Example | None:
    try:
        return fields.example(sync)
    except CrmError:  # the fields can be chosen without one
        return None


def _added(form: NewRowForm, request: StaffRequest) -> bool:
    try:
        return accepted(form, lambda: mapping.add(form.instance, request.user)) is not None
    except CrmError as error:
        form.add_error(None, error.message)
        return False


@require_safe
@needs(MAPPINGS)
def check(request: StaffRequest, pk: int) -> HttpResponse:
    """Whether the two fields chosen so far can go together, said while they are chosen."""
    sync, form = _sync(pk), PairForm(request.GET)
    if not form.is_valid():
        return render(request, "mappings/_pair.html")
    try:
        pair = fields.fit(sync, **form.cleaned_data)
        kind = fields.type_of(sync, form.cleaned_data["ghl_field"], form.cleaned_data["centralstation_field"])
    except CrmError as error:
        return render(request, "mappings/_pair.html", {"trouble": error.message})
    return render(request, "mappings/_pair.html", {"pair": pair, "kind": TYPE_LABELS[kind]})


@require_POST
@needs(MAPPINGS)
def change(request: StaffRequest, pk: int) -> HttpResponse:
    row = _row_or_404(pk)
    form = RowForm(request.POST, instance=row, prefix=str(pk))
    if not form.is_valid():
        messages.error(request, _("Nothing was changed: choose a direction and a rule from the lists."))
        return redirect("mappings", row.sync_id)
    try:
        is_changed = mapping.change(row, request.user)
    except (SetupError, CrmError) as error:
        messages.error(request, _("“%(name)s” was not changed: %(why)s") % {"name": row.name, "why": error.message})
    else:
        messages.success(request, _("Saved. All contacts are compared again.") if is_changed else _("Nothing to change."))
    return redirect("mappings", row.sync_id)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAPPINGS)
def remove(request: StaffRequest, pk: int) -> HttpResponse:
    row = _row_or_404(pk)
    if request.method != "POST":
        return render(request, "mappings/remove.html", {"mapping": row, "further": costs.of_change(row.sync)})
    name = row.name
    mapping.remove(row, request.user)
    messages.success(request, _("“%(name)s” is no longer kept the same.") % {"name": name})
    return redirect("mappings", row.sync_id)


# Revisions


@require_safe
@needs(VIEW)
def all_revisions(request: StaffRequest, pk: int) -> HttpResponse:
    sync = _sync(pk)
    page = page_of(sync.revisions.all(), request.GET)
    return render(request, "mappings/revisions.html", {"sync": sync, "page": page, "revisions": _with_differences(page.rows, sync)})


def _with_differences(shown: list[MappingRevision], sync: Sync) -> list[dict[str, Any]]:
    """Each with what it changed; the oldest of the page is compared with the one before it."""
    if not shown:
        return []
    before = sync.revisions.filter(number=shown[-1].number - 1).first()
    older = [*shown[1:], before]
    pairs = zip(shown, older, strict=True)
    return [{"revision": one, "differences": revisions.difference(other.rows if other else [], one.rows)} for one, other in pairs]


@require_safe
@needs(VIEW)
def revision(request: StaffRequest, pk: int, number: int) -> HttpResponse:
    """One revision and how it differs from another: the one before it, or the one asked for."""
    found = _revision(pk, number)
    form = ComparedForm(request.GET if "to" in request.GET else None, initial={"to": number - 1 or None})
    to = form.cleaned_data["to"] if form.is_valid() else number - 1
    other = found.sync.revisions.filter(number=to).first()
    form.fields["to"].widget.attrs["max"] = found.sync.revisions.all()[0].number
    if form.is_bound and form.is_valid() and other is None:
        form.add_error("to", _("There is no revision %(number)s.") % {"number": to})
    context = {"sync": found.sync, "revision": found, "other": other, "form": form, "latest": found.sync.revisions.all()[0].number}
    rows = _readable(revisions.difference(other.rows if other else [], found.rows), found.sync)
    return render(request, "mappings/revision.html", {**context, "differences": rows})


LABELS = {
    "name": _lazy("Name"),
    "centralstation_field": "CentralStationCRM",
    "type": _lazy("Compared as"),
    "direction": _lazy("Direction"),
    "conflict": _lazy("When both changed"),
}


def _readable(differences: list[revisions.RowDifference], sync: Sync) -> list[dict[str, Any]]:
    """With the labels of fields, rules and directions instead of their keys."""
    known, _trouble = _known(sync)
    labels: dict[str, dict[str, Any]] = {
        "ghl_field": {field.key: field.label for field in known[0]},
        "centralstation_field": {field.key: field.label for field in known[1]},
        "type": {**TYPE_LABELS},
        "direction": dict(FieldMapping.Direction.choices),
        "conflict": {**CONFLICT_LABELS},
    }

    def read(row: revisions.Row | None) -> dict[str, Any] | None:
        return {column: labels.get(column, {}).get(value, value) for column, value in row.items()} if row else None

    return [_shown(one, read(one.before), read(one.after)) for one in differences]


def _shown(one: revisions.RowDifference, before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, Any]:
    changed = [(LABELS[column], (before or {})[column], (after or {})[column]) for column in one.columns]
    return {"name": one.name, "before": before, "after": after, "changed": changed}


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAPPINGS)
def restore(request: StaffRequest, pk: int, number: int) -> HttpResponse:
    """Say what changes, then make a new revision that is as this one was."""
    found = _revision(pk, number)
    if request.method != "POST":
        rows = _readable(revisions.difference(revisions.rows_of(found.sync), found.rows), found.sync)
        return render(request, "mappings/restore.html", {"sync": found.sync, "revision": found, "differences": rows})
    try:
        is_changed = mapping.restore(found, request.user)
    except (SetupError, CrmError) as error:
        messages.error(request, _("Nothing was restored. %(why)s") % {"why": error.message})
        return redirect("mapping_revision", pk, number)
    done = _("Revision %(number)s is restored. All contacts are compared again.") if is_changed else _("The mapping is so already.")
    messages.success(request, done % {"number": number} if is_changed else done)
    return redirect("mappings", pk)
