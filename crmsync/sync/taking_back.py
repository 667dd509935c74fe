"""Taking back an administrative act: what was before it is put back, as a new act. Entry: `offers()`.

Offered only where it makes sense: what it was about is there, and is still as the act left it. (A mapping's earlier revision can always be
restored.) The rest stays a record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models

from crmsync.accounts import Role
from crmsync.models import Act, AuditEntry, Contact, MappingRevision, Status, Sync
from crmsync.sync import actions, audit, mappings, people, setup
from crmsync.sync.actions import ActionError


@dataclass(frozen=True, slots=True)
class TakeBack:
    """`now` and `then` name what would change; `call` does it in somebody's name, and raises `ActionError` where it can't be done.
    `revision` is the one of a mapping that would be restored, `sync` the one whose settings would change."""

    now: Mapping[str, Any]
    then: Mapping[str, Any]
    call: Callable[[User], object]
    revision: MappingRevision | None = None
    sync: Sync | None = None


def offers(entries: Iterable[AuditEntry]) -> dict[int, TakeBack]:
    """What can be taken back, by the entry's key. As many queries for many entries as for one."""
    asked = [entry for entry in entries if entry.act in HOW]
    found = {kind: _objects(kind, asked) for kind in {HOW[Act(entry.act)][0] for entry in asked}}
    taken = {}
    for entry in asked:
        kind, how = HOW[Act(entry.act)]
        about = found[kind].get(entry.object_id)
        if about is not None and entry.object_kind == kind._meta.model_name and (offer := how(entry, about)):
            taken[entry.pk] = offer
    return taken


def _objects(kind: type[models.Model], entries: list[AuditEntry]) -> dict[int, Any]:
    keys = [entry.object_id for entry in entries if entry.object_kind == kind._meta.model_name]
    rows = kind._default_manager.filter(pk__in=keys)
    match kind.__name__:
        case "User":
            rows = rows.prefetch_related("groups")
        case "Sync":
            rows = rows.select_related("ghl__budget", "centralstation__budget").prefetch_related("revisions")
    return {row.pk: row for row in rows}


def _settings(entry: AuditEntry, sync: Sync) -> TakeBack | None:
    names = [name for name in entry.before if name in SETTINGS]
    now = audit.plain({name: getattr(sync, name) for name in names})
    then = {name: entry.before[name] for name in names if now[name] == entry.after.get(name)}

    def put_back(by: User) -> None:
        for name, value in then.items():
            setattr(sync, name, SETTINGS[name].to_python(value))
        try:
            sync.full_clean()
        except ValidationError as error:
            raise ActionError(" ".join(error.messages)) from error
        setup.change_sync(sync, list(then), by)

    return TakeBack({name: now[name] for name in then}, then, put_back, sync=sync) if then else None


def _mapping(entry: AuditEntry, sync: Sync) -> TakeBack | None:
    number, rows = entry.before.get("revision"), list(sync.revisions.all())
    before = next((one for one in rows if one.number == number), None)
    if before is None or before.rows == rows[0].rows:
        return None
    return TakeBack({"revision": rows[0].number}, {"revision": number}, lambda by: mappings.restore(before, by), before, sync)


def _exclusion(entry: AuditEntry, contact: Contact) -> TakeBack | None:
    if contact.status != Status.EXCLUDED or contact.exclusion != str(entry.after.get("reason"))[:300]:
        return None
    return TakeBack({"reason": contact.exclusion}, {"reason": ""}, lambda by: actions.include(contact, by))


def _inclusion(entry: AuditEntry, contact: Contact) -> TakeBack | None:
    reason = str(entry.before.get("reason") or "")
    if contact.exclusion or not reason:
        return None
    return TakeBack({"reason": ""}, {"reason": reason}, lambda by: actions.exclude(contact, reason, by))


def _role(entry: AuditEntry, user: User) -> TakeBack | None:
    then, now = entry.before.get("role"), {group.name for group in user.groups.all()} & set(Role)
    if then not in set(Role) or now != {entry.after.get("role")}:
        return None
    return TakeBack({"role": ", ".join(now)}, {"role": then}, lambda by: people.change_role(user, Role(then), by))


def _access(entry: AuditEntry, user: User) -> TakeBack | None:
    was_active = entry.act == Act.ACCESS_TAKEN
    if user.is_active == was_active:
        return None
    return TakeBack({"access": user.is_active}, {"access": was_active}, lambda by: people.set_access(user, is_active=was_active, by=by))


SETTINGS = {field.name: field for field in Sync._meta.fields if field.name not in ("ghl", "centralstation", "mode")}
HOW: dict[Act, tuple[type[models.Model], Callable[[AuditEntry, Any], TakeBack | None]]] = {
    Act.SYNC_CHANGED: (Sync, _settings),
    Act.MAPPING_CHANGED: (Sync, _mapping),
    Act.CONTACT_EXCLUDED: (Contact, _exclusion),
    Act.CONTACT_INCLUDED: (Contact, _inclusion),
    Act.ROLE_CHANGED: (User, _role),
    Act.ACCESS_TAKEN: (User, _access),
    Act.ACCESS_GIVEN: (User, _access),
}
