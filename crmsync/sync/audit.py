"""Who did what, when, and what it was before: `record` is called by whatever carries out an administrative act."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext as _

from crmsync.models import Act, AuditEntry, Connection


def record(
    by: AbstractBaseUser | None,
    act: Act,
    object: models.Model,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Keep one act. `by` is None on the command line. Of `before` and `after` what is the same in both is left out; never pass a secret."""
    old, new = plain(before or {}), plain(after or {})
    same = {name for name in old if name in new and old[name] == new[name]}
    return AuditEntry.objects.create(
        by_id=by.pk if by else None,
        by_name=by.get_username() if by else "",
        act=act,
        object_kind=object._meta.model_name or "",
        object_id=object.pk,
        object_name=str(object)[:300],
        before={name: value for name, value in old.items() if name not in same},
        after={name: value for name, value in new.items() if name not in same},
    )


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON will give it back: times as text, tuples as lists."""
    read: dict[str, Any] = json.loads(json.dumps(dict(values), cls=DjangoJSONEncoder))
    return read


def saved(object: models.Model, names: Iterable[str]) -> dict[str, Any]:
    """What these columns hold in the database now: the *before* of a change that is only in memory yet."""
    values: dict[str, Any] = type(object)._default_manager.values(*names).get(pk=object.pk)
    return values


def masked(hint: str) -> str:
    """All that is told of a secret: its last four characters, or nothing of a short one."""
    return f"•••• {hint}".strip()


def replaced(by_hint: str) -> str:
    return _("replaced by %s") % masked(by_hint)


def of_connection(connection: Connection) -> dict[str, str]:
    """What describes a connection, without its secrets."""
    facts = {"name": connection.name, "system": connection.system, "root": connection.root, "account_id": connection.account_id}
    return {name: value for name, value in facts.items() if value} | {"credential": masked(connection.credential_hint)}
