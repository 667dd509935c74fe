"""Changing a mapping: what can't go together is refused with the field named, what is saved becomes a revision, and all contacts are
compared again."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Max
from django.utils.translation import gettext as _

from crmsync.models import Act, FieldMapping, MappingRevision, Sync
from crmsync.sync import actions, audit, fields, revisions
from crmsync.sync.setup import SetupError

User = AbstractBaseUser


def add(row: FieldMapping, by: User | None = None) -> FieldMapping:
    """Store a new row; an empty name or type is taken from the fields. Raises `SetupError`, and `CrmError` where no fields can be read."""
    require_fit(row.sync, row)
    row.name = row.name.strip() or fields.label_of(row.sync.ghl, row.ghl_field)[:80]
    row.type = row.type or fields.type_of(row.sync, row.ghl_field, row.centralstation_field)
    for column in ("ghl_field", "centralstation_field", "name"):
        if row.sync.mappings.filter(**{column: getattr(row, column)}).exists():
            raise SetupError(_("“%(value)s” is in the mapping already.") % {"value": getattr(row, column)}, column)
    row.position = (row.sync.mappings.aggregate(last=Max("position"))["last"] or 0) + 1
    _save(row.sync, by, row)
    return row


def change(row: FieldMapping, by: User | None = None) -> bool:
    """Store another direction or conflict rule; False where both are as they were. Raises as `add`."""
    stored = FieldMapping.objects.get(pk=row.pk)
    if row.direction != stored.direction:
        require_fit(row.sync, row)
    return _save(row.sync, by, row)


def _save(sync: Sync, by: User | None, row: FieldMapping) -> bool:
    return _changed(sync, by, revisions.save(sync, by, row.save))


def remove(row: FieldMapping, by: User | None = None) -> None:
    """The field is kept the same no longer; its values stay."""
    _changed(row.sync, by, revisions.save(row.sync, by, row.delete))


def restore(revision: MappingRevision, by: User | None = None) -> bool:
    """Make a new revision that is as this one was. False where the mapping is so already. Raises as `add`, where a field is gone, say."""
    sync = revision.sync
    for values in revision.rows:
        require_fit(sync, FieldMapping(sync=sync, **values))
    return _changed(sync, by, revisions.save(sync, by, lambda: revisions.write(sync, revision.rows), revision.number))


def require_fit(sync: Sync, row: FieldMapping) -> None:
    """Raises `SetupError` for the first thing that is wrong with a pair."""
    for field, wrong in fields.fit(sync, row.ghl_field, row.centralstation_field, row.direction).wrong:
        raise SetupError(wrong, field)


def _changed(sync: Sync, by: User | None, has_changed: bool) -> bool:
    if has_changed:
        _record(sync, by)
        actions.mapping_changed(sync, by)
    return has_changed


def _record(sync: Sync, by: User | None) -> None:
    """The rows that differ, by their name; the number of the revision leads to the whole."""
    newest, *older = sync.revisions.all()[:2]
    rows = revisions.difference(older[0].rows if older else [], newest.rows)
    before = {row.name: row.before for row in rows if row.before}
    after = {row.name: row.after for row in rows if row.after}
    audit.record(by, Act.MAPPING_CHANGED, sync, {"revision": newest.number - 1, **before}, {"revision": newest.number, **after})
