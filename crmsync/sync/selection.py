"""Which contacts are meant: what is searched for and chosen from, as a list shows it and as a bulk action keeps it. Reads tables only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from crmsync.engine.values import fold_tag
from crmsync.models import Contact
from crmsync.models.contact import ContactQuerySet
from crmsync.sync.search import mentions


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Contacts that fit all that is said here; all contacts where nothing is. `sync`, `issue`, `batch` (that holds them) and `bulk` (the
    action that asked for them last) are keys, `keys` those of the contacts themselves."""

    text: str = ""
    sync: int | None = None
    status: str = ""
    issue: int | None = None
    tag: str = ""
    updated_since: datetime | None = None
    batch: int | None = None
    bulk: int | None = None
    keys: tuple[int, ...] | None = None

    def contacts(self) -> ContactQuerySet:
        found = Contact.objects.all()
        if self.keys is not None:
            found = found.filter(pk__in=self.keys)
        if self.sync is not None:
            found = found.filter(sync=self.sync)
        if self.issue is not None:
            found = found.filter(issue=self.issue)
        if self.batch is not None:
            found = found.filter(held_by=self.batch)
        if self.bulk is not None:
            found = found.filter(asked_in=self.bulk)
        if self.status:
            found = found.filter(status=self.status)
        if self.tag:
            found = found.filter(_tagged(self.tag))
        if self.updated_since is not None:
            found = found.filter(updated_at__gte=self.updated_since)
        if self.text:
            found = found.filter(mentions(self.text))
        return found

    def to_json(self) -> dict[str, Any]:
        """What it says, for a row that is carried out later."""
        said: dict[str, Any] = {name: value for name in self.__slots__ if (value := getattr(self, name)) not in ("", None)}
        if self.updated_since is not None:
            said["updated_since"] = self.updated_since.isoformat()
        return said

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Selection:
        values = dict(said)
        if "updated_since" in values:
            values["updated_since"] = datetime.fromisoformat(values["updated_since"])
        if "keys" in values:
            values["keys"] = tuple(values["keys"])
        return cls(**values)


def _tagged(tag: str) -> Q:
    """Agreed on by both sides, in whatever case it is written here."""
    if connection.vendor == "postgresql":
        return Q(base__tags__contains=[fold_tag(tag)])
    texts = {json.dumps(fold_tag(tag), ensure_ascii=is_ascii) for is_ascii in (True, False)}
    return Q(*(Q(base__tags__icontains=text) for text in texts), _connector=Q.OR)  # the list as text, in which quotes end a tag
