"""Lists and search, which see a write only after a while and show names, street and birthday in their own form (ghl.md, section 3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from crmsync.sandbox.core import Answer, Call, Json, Operations, Refusal
from crmsync.sandbox.ghl import checks, values
from crmsync.sandbox.ghl.contacts import READ
from crmsync.sandbox.ghl.location import Ghl

operations: Operations[Ghl] = Operations()
PAGE_LIMIT, LIST_LIMIT, REACH = 500, 100, 10_000
SORTABLE = ("dateAdded", "dateUpdated", "firstNameLowerCase", "lastNameLowerCase", "email")
FILTERABLE = {
    *("id", "email", "phone", "firstNameLowerCase", "lastNameLowerCase", "fullNameLowerCase", "companyName", "businessName", "address"),
    *("city", "state", "country", "postalCode", "website", "timezone", "type", "source", "tags", "dnd", "assignedTo", "followers"),
    *("dateAdded", "dateUpdated", "dateOfBirth"),
}


@operations("POST", "/contacts/search", scope=READ)
def search_contacts_advanced(crm: Ghl, call: Call) -> Answer:
    asked = checks.checked(call.body, checks.SEARCH)
    _check_reach(asked)
    found = [contact for contact in _searched(crm, asked.get("query", "")) if _passes(contact, {"filters": asked.get("filters", [])})]
    keyed = _sorted(found, asked.get("sort") or [{"field": "dateAdded", "direction": "desc"}])
    start = _start(keyed, asked)
    page = keyed[start : start + asked["pageLimit"]]
    return Answer(200, {"contacts": [{**_search_form(crm, contact), "searchAfter": key} for key, contact in page], "total": len(keyed)})


@operations("GET", "/contacts", scope=READ)
def get_contacts(crm: Ghl, call: Call) -> Answer:
    """The deprecated list, newest first; goes on after `startAfter` (milliseconds) and `startAfterId`."""
    limit = _limit(call, 20, LIST_LIMIT)
    found = sorted(_searched(crm, call.query.get("query", "")), key=lambda one: (one["dateAdded"], one["id"]), reverse=True)
    ids = [contact["id"] for contact in found]
    after = call.query.get("startAfterId", "")
    start = ids.index(after) + 1 if after in ids else 0
    page = found[start : start + limit]
    return Answer(
        200, {"contacts": [_list_form(crm, one) for one in page], "count": len(page), "meta": _meta(crm, page, start, limit, len(found))}
    )


@operations("GET", "/contacts/business/{businessId}", scope=READ, name="get-contacts-by-businessId")
def get_contacts_by_business(crm: Ghl, call: Call) -> Answer:
    limit = _limit(call, 25, LIST_LIMIT)
    skip = int(call.query.get("skip") or 0)
    found = [one for one in _searched(crm, call.query.get("query", "")) if one.get("businessId") == call.params["businessId"]]
    return Answer(200, {"contacts": [_list_form(crm, one) for one in found[skip : skip + limit]], "count": len(found)})


def _check_reach(asked: Json) -> None:
    page, limit = asked.get("page", 1), asked["pageLimit"]
    checks.refuse([f"pageLimit must not be greater than {PAGE_LIMIT}"] if limit > PAGE_LIMIT else [])
    checks.refuse(["query must be shorter than or equal to 75 characters"] if len(asked.get("query", "")) > 75 else [])
    if "searchAfter" not in asked and page * limit > REACH:
        raise Refusal(400, {"statusCode": 400, "message": f"Only {REACH} records can be paged, use searchAfter"})


def _limit(call: Call, default: int, most: int) -> int:
    checks.refuse([] if call.query.get("locationId") else ["locationId should not be empty"])
    given = call.query.get("limit") or str(default)
    checks.refuse([] if given.isdigit() and 0 < int(given) <= most else [f"limit must not be greater than {most}"])
    return int(given)


def _searched(crm: Ghl, query: str) -> list[Json]:
    words = query.strip().lower()
    return [
        contact for contact in crm.seen() if words in " ".join(str(contact.get(key) or "").lower() for key in ("name", "email", "phone"))
    ]


def _start(keyed: list[tuple[list[Any], Json]], asked: Json) -> int:
    if not asked.get("searchAfter"):
        return int((asked.get("page", 1) - 1) * asked["pageLimit"])
    last = asked["searchAfter"][-1]
    return next((place + 1 for place, (_, contact) in enumerate(keyed) if contact["id"] == last), _place_after(keyed, asked))


def _place_after(keyed: list[tuple[list[Any], Json]], asked: Json) -> int:
    """Where the contact that `searchAfter` names would be, now that it is gone or elsewhere."""
    order = (asked.get("sort") or [{"field": "dateAdded", "direction": "desc"}])[0]
    value = asked["searchAfter"][0]
    past: Callable[[Any], bool] = (lambda one: one > value) if order["direction"] == "asc" else (lambda one: one < value)
    return next((place for place, (key, _) in enumerate(keyed) if past(key[0])), len(keyed))


def _sorted(found: list[Json], sort: list[Json]) -> list[tuple[list[Any], Json]]:
    """Contacts in the order asked for, each with its `searchAfter`: the sort values and the id."""
    checks.refuse(f"sort.field {one.get('field')} is not sortable" for one in sort if one.get("field") not in SORTABLE)
    keyed = sorted(
        (([*(_sort_value(one, order["field"]) for order in sort), one["id"]], one) for one in found), key=lambda pair: pair[0][-1]
    )
    for place, order in reversed(list(enumerate(sort))):
        keyed.sort(key=lambda pair: pair[0][place], reverse=order.get("direction") == "desc")
    return keyed


def _sort_value(contact: Json, field: str) -> Any:
    value = _value(contact, field)
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else str(value or "")


def _value(contact: Json, field: str) -> Any:
    match field:
        case "firstNameLowerCase" | "lastNameLowerCase":
            return str(contact.get(field.removesuffix("LowerCase")) or "").lower()
        case "fullNameLowerCase":
            return str(contact.get("name") or "").lower()
        case "address":
            return contact.get("address1")
        case "businessName":
            return contact.get("companyName")
        case _ if field.startswith("customFields."):
            return next((row["value"] for row in contact["customFields"] if row["id"] == field.partition(".")[2]), None)
        case _:
            return contact.get(field)


def _passes(contact: Json, filter: Json) -> bool:
    """A filter, or a group of filters; the top level is an AND."""
    if "filters" in filter:
        inner = [_passes(contact, one) for one in filter["filters"]]
        return any(inner) if filter.get("group") == "OR" else all(inner)
    field, operator = filter.get("field", ""), filter.get("operator", "")
    checks.refuse([] if field in FILTERABLE or field.startswith("customFields.") else [f"filters.field {field} is not filterable"])
    checks.refuse([] if operator in OPERATORS else [f"filters.operator {operator} is not valid"])
    return OPERATORS[operator](_value(contact, field), filter.get("value"))


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(value, list):
        return any(_equal(one, wanted) for one in value)
    if isinstance(wanted, list):
        return any(_equal(value, one) for one in wanted)
    return bool(_comparable(value, value) == _comparable(wanted, value))


def _contains(value: Any, wanted: Any) -> bool:
    return str(wanted).lower() in (" ".join(value) if isinstance(value, list) else str(value or "")).lower()


def _in_range(value: Any, bounds: Any) -> bool:
    if value is None or not isinstance(bounds, dict):
        return False
    own = _comparable(value, value)
    tests: dict[str, Callable[[Any], bool]] = {
        "gt": lambda bound: own > bound,
        "gte": lambda bound: own >= bound,
        "lt": lambda bound: own < bound,
        "lte": lambda bound: own <= bound,
    }
    return all(tests[name](_comparable(bound, value)) for name, bound in bounds.items() if name in tests)


def _comparable(one: Any, like: Any) -> Any:
    """`one` in a form that compares with `like`: a time as ISO text or as milliseconds, text without case."""
    if isinstance(like, datetime) and not isinstance(one, datetime):
        milliseconds = isinstance(one, int) or str(one).isdigit()
        moment = datetime.fromtimestamp(int(one) / 1000, like.tzinfo) if milliseconds else values.moment(one)
        checks.refuse([] if moment else ["filters.value must be a valid date"])
        return moment
    return one.lower() if isinstance(one, str) else one


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "not_eq": lambda value, wanted: not _equal(value, wanted),
    "contains": _contains,
    "not_contains": lambda value, wanted: not _contains(value, wanted),
    "exists": lambda value, _: value not in (None, "", []),
    "not_exists": lambda value, _: value in (None, "", []),
    "range": _in_range,
}


def _list_form(crm: Ghl, contact: Json) -> Json:
    """As lists show a contact: names in lower case, as typed only in `…Raw` (reported)."""
    shown = {key: value for key, value in contact.items() if key not in ("name", "lastActivity")}
    for key in ("firstName", "lastName"):
        typed = contact.get(key)
        shown |= {key: typed.lower() if typed else None} | ({f"{key}Raw": typed} if crm.settings.raw_names_in_lists else {})
    return {**shown, "contactName": str(contact.get("name") or "").lower() or None}


def _search_form(crm: Ghl, contact: Json) -> Json:
    """As search shows it: besides, the street as `address`, the date of birth as milliseconds."""
    shown = _list_form(crm, contact)
    shown |= {"address": shown.pop("address1", None), "dateOfBirth": values.epoch_ms(contact.get("dateOfBirth"))}
    return {**shown, "firstNameLowerCase": shown["firstName"], "lastNameLowerCase": shown["lastName"]}


def _meta(crm: Ghl, page: list[Json], start: int, limit: int, total: int) -> Json:
    more = bool(page) and start + len(page) < total
    last = int(page[-1]["dateAdded"].timestamp() * 1000) if page else None
    last_id = page[-1]["id"] if page else None
    number = start // limit + 1
    next_url = f"{crm.url}/contacts/?locationId={crm.location_id}&limit={limit}&startAfter={last}&startAfterId={last_id}" if more else None
    places = {"currentPage": number, "nextPage": number + 1 if more else None, "prevPage": number - 1 or None}
    return {"total": total, "nextPageUrl": next_url, "startAfterId": last_id, "startAfter": last, **places}
