"""Walking over all contacts, a page a call: by search, or by the deprecated list where an account refuses the search.

A mark, kept as text, says where to go on, also in another process. Results lag writes by a few seconds (ghl.md, section 3).
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from pydantic import JsonValue

from crmsync.engine.records import Record
from crmsync.systems.base import Page
from crmsync.systems.errors import NotFound, Refused
from crmsync.systems.ghl import operations as op
from crmsync.systems.ghl.answers import Contact, FoundContacts, ListedContacts
from crmsync.systems.ghl.api import Api
from crmsync.systems.ghl.fields import CustomFieldTypes
from crmsync.systems.ghl.records import record_of

PAGE_LIMIT = 100
QUERY_LENGTH = 75
Mark = dict[str, JsonValue]

log = logging.getLogger(__name__)


class ContactPages:
    """All contacts of a location, or those that changed."""

    def __init__(self, api: Api, types: CustomFieldTypes) -> None:
        self._api = api
        self._types = types

    def page(self, after: str | None) -> Page:
        """All contacts, oldest first (newest first where the search is refused)."""
        return self._walk(after, {"sort": [{"field": "dateAdded", "direction": "asc"}]})

    def changed(self, since: datetime, after: str | None) -> Page:
        """Contacts whose `dateUpdated` is at or after `since`; compared here again, since an account may ignore the filter."""
        bound = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{since.microsecond // 1000:03d}Z"
        filters: JsonValue = [{"field": "dateUpdated", "operator": "range", "value": {"gte": bound}}]
        page = self._walk(after, {"filters": filters, "sort": [{"field": "dateUpdated", "direction": "asc"}]})
        return Page(records=tuple(one for one in page.records if one.updated_at is None or one.updated_at >= since), next=page.next)

    def total(self) -> int:
        try:
            return self._search({"page": 1, "pageLimit": 1}).total or 0
        except (Refused, NotFound):
            return self._list({"limit": 1}).meta.total or 0

    def named(self, name: str) -> list[Record]:
        """Contacts whose first and last name together are `name`, case aside; at most one page is looked at."""
        wanted, query = _folded(name), name.strip()[:QUERY_LENGTH].strip()
        try:
            found = self._search({"page": 1, "pageLimit": PAGE_LIMIT, "query": query}).contacts
        except (Refused, NotFound):
            found = self._list({"limit": PAGE_LIMIT, "query": query}).contacts
        records = self._records(found)
        return [one for one in records if _folded(f"{one.profile['firstName'] or ''} {one.profile['lastName'] or ''}") == wanted]

    def _walk(self, after: str | None, wanted: Mark) -> Page:
        mark: Mark = json.loads(after) if after else {"page": 1, "seen": 0}
        if "list" in mark:
            return self._listed(mark)
        try:
            return self._found(mark, wanted)
        except (Refused, NotFound):
            if after:
                raise
            log.warning("ghl search refused", extra={"filtered": "filters" in wanted})
            return self._listed({"list": {}})

    def _found(self, mark: Mark, wanted: Mark) -> Page:
        place: Mark = {"searchAfter": mark["searchAfter"]} if "searchAfter" in mark else {"page": mark["page"]}
        answer = self._search({**place, "pageLimit": PAGE_LIMIT, **wanted})
        seen = _int(mark["seen"]) + len(answer.contacts)
        is_last = not answer.contacts or (len(answer.contacts) < PAGE_LIMIT and seen >= (answer.total or 0))
        return Page(records=self._records(answer.contacts), next=None if is_last else _next(mark, answer.contacts[-1], seen))

    def _listed(self, mark: Mark) -> Page:
        place = mark["list"] if isinstance(mark["list"], dict) else {}
        answer = self._list({**place, "limit": PAGE_LIMIT})
        start, start_id = answer.meta.startAfter, answer.meta.startAfterId
        is_last = not answer.contacts or not start_id or start_id == place.get("startAfterId")
        after = None if is_last else json.dumps({"list": {"startAfter": start, "startAfterId": start_id}})
        return Page(records=self._records(answer.contacts), next=after)

    def _search(self, body: Mark) -> FoundContacts:
        return self._api.ask(FoundContacts, op.SEARCH_CONTACTS, json={"locationId": self._api.location_id, **body})

    def _list(self, params: Mark) -> ListedContacts:
        return self._api.ask(ListedContacts, op.LIST_CONTACTS, params={"locationId": self._api.location_id, **params})

    def _records(self, contacts: list[Contact]) -> tuple[Record, ...]:
        return tuple(record_of(one, self._types, is_listed=True) for one in contacts)


def _next(mark: Mark, last: Contact, seen: int) -> str:
    """By `searchAfter`, which reaches beyond 10,000 records and doesn't slip when some are deleted; by page where it is missing."""
    if last.searchAfter:
        return json.dumps({"searchAfter": last.searchAfter, "seen": seen})
    return json.dumps({"page": _int(mark.get("page", 1)) + 1, "seen": seen})


def _int(value: JsonValue) -> int:
    assert isinstance(value, int)
    return value


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
