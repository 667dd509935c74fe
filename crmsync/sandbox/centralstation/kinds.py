"""The kinds of rows that hang on a person or company: members, defaults, rules (centralstationcrm.md, sections 3 to 5, 10, 11)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import phonenumbers

from crmsync.sandbox.centralstation.rows import Row

Problems = dict[str, list[str]]
"""A 422 as it goes out: each member at fault with its complaints."""

TEL_TYPES = ("office", "office_hq", "mobile", "fax", "private", "voip", "skype", "other")
ADDR_TYPES = ("work_hq", "work", "invoice", "delivery", "private", "other")
EVENT_TYPES = ("birthday", "anniversary", "first_met", "renewal", "other")
COUNTRIES = {
    "DE": "Deutschland",
    "AT": "Österreich",
    "CH": "Schweiz",
    "GB": "Vereinigtes Königreich",
    "US": "Vereinigte Staaten",
    "IE": "Irland",
    "FR": "Frankreich",
    "NL": "Niederlande",
    "BE": "Belgien",
    "LU": "Luxemburg",
    "IT": "Italien",
    "ES": "Spanien",
    "DK": "Dänemark",
    "PL": "Polen",
    "CZ": "Tschechien",
    "SE": "Schweden",
    "NO": "Norwegen",
    "FI": "Finnland",
    "PT": "Portugal",
    "LI": "Liechtenstein",
}
STATES = {
    "DE": {*["BW", "BY", "BE", "BB", "HB", "HH", "HE", "MV", "NI", "NW", "RP", "SL", "SN", "ST", "SH", "TH"]},
    "AT": {*"123456789"},
    "CH": {
        *[
            "AG",
            "AI",
            "AR",
            "BE",
            "BL",
            "BS",
            "FR",
            "GE",
            "GL",
            "GR",
            "JU",
            "LU",
            "NE",
            "NW",
            "OW",
            "SG",
            "SH",
            "SO",
            "SZ",
            "TG",
            "TI",
            "UR",
            "VD",
            "VS",
            "ZG",
            "ZH",
        ]
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of row. `envelopes` are the keys it may travel under (a contact detail's say which of five it is), `include` what people
    and companies list it as, `limits` the longest text of each member, `required` those that can't be blank, `check` what else is wrong,
    `derive` the read-only members that follow from the others."""

    table: str
    envelopes: tuple[str, ...]
    word: str
    defaults: Row
    limits: Mapping[str, int] = field(default_factory=dict)
    required: tuple[str, ...] = ("name",)
    check: Callable[[Row], Problems] = lambda row: {}
    derive: Callable[[Row, str], Row] = lambda row, country: {}

    def problems(self, row: Row) -> Problems:
        """What is wrong with a whole row, as the 422 tells it."""
        found: Problems = {name: ["can't be blank"] for name in self.required if row.get(name) in (None, "")}
        for name, limit in self.limits.items():
            if len(str(row.get(name) or "")) > limit:
                found.setdefault(name, []).append(f"is too long (maximum is {limit} characters)")
        return {**self.check(row), **found}


def _detail_problems(row: Row) -> Problems:
    allowed = TEL_TYPES if row["type"] == "Tel" else ("office", "private", "other")
    free = row["type"] in ("Im", "Sm")
    return {} if free or row.get("atype") in allowed else {"atype": ["is not included in the list"]}


def _clean_number(row: Row, country: str) -> Row:
    if row["type"] != "Tel":
        return {"name_clean": None}
    try:
        number = phonenumbers.parse(str(row["name"]), country)
    except phonenumbers.NumberParseException:
        return {"name_clean": re.sub(r"[^+\d]", "", str(row["name"]))}
    return {"name_clean": phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)}


def _addr_problems(row: Row) -> Problems:
    found: Problems = {} if row.get("city") or row.get("country_code") else {"city": ["can't be blank"]}
    country, state = row.get("country_code"), row.get("state_code")
    if country and not re.fullmatch(r"[A-Z]{2}", country):
        found["country_code"] = ["is not included in the list"]
    if state is None or (state and state not in STATES.get(country or "", {state})):
        found["state_code"] = ["is not included in the list"]
    return found if row.get("atype") in ADDR_TYPES else {**found, "atype": ["is not included in the list"]}


def _event_problems(row: Row) -> Problems:
    found: Problems = {} if row.get("atype") in EVENT_TYPES else {"atype": ["is not included in the list"]}
    return found if _date(row.get("name")) else {**found, "name": ["is invalid"]}


def _event_parts(row: Row, country: str) -> Row:
    day = _date(row["name"])
    return {"day": day.day, "month": day.month, "year": day.year} if day else {}


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _typed_copies(row: Row, country: str) -> Row:
    text = str(row["name"]).replace(",", ".")
    number = text if row.get("_ftype") == "decimal" and re.fullmatch(r"-?\d+(\.\d+)?", text) else None
    day = _date(row["name"]) if row.get("_ftype") == "date" else None
    return {"name_decimal": number, "name_date": day.isoformat() if day else None}


PRIMARY: Row = {"primary": None, "api_input": True}
DETAIL = Kind(
    table="contact_details",
    envelopes=("tel", "email", "homepage", "im", "sm"),
    word="contact_detail",
    defaults={"atype": None, "name": None, **PRIMARY},
    limits={"name": 250, "atype": 20},
    required=("name", "atype"),
    check=_detail_problems,
    derive=_clean_number,
)
ADDR = Kind(
    table="addrs",
    envelopes=("addr",),
    word="addr",
    defaults={"street": None, "zip": None, "city": None, "state_code": "", "country_code": None, "atype": "work_hq", **PRIMARY},
    limits={"zip": 20, "city": 120, "state_code": 10},
    required=(),
    check=_addr_problems,
    derive=lambda row, country: {"country_name": COUNTRIES.get(row.get("country_code") or "", row.get("country_code"))},
)
EVENT = Kind(
    table="historic_events",
    envelopes=("historic_event",),
    word="historic_event",
    defaults={"atype": None, "name": None, "desc": None, "api_input": True},
    check=_event_problems,
    derive=_event_parts,
)
CUSTOM = Kind(
    table="custom_fields",
    envelopes=("custom_field",),
    word="custom_field",
    defaults={"custom_fields_type_id": None, "name": None, "api_input": True},
    limits={"name": 255},
    required=("name", "custom_fields_type_id"),
    derive=_typed_copies,
)
TAG = Kind(table="tags", envelopes=("tag",), word="tag", defaults={"name": None, "api_input": True}, limits={"name": 60})
ASSISTANT = Kind(
    table="assis", envelopes=("assi",), word="assi", defaults={"name": None, "email": None, "tel": None, "primary": None, "api_input": True}
)
POSITION = Kind(
    table="positions",
    envelopes=("position",),
    word="position",
    defaults={
        "person_id": None,
        "company_id": None,
        "name": None,
        "department": None,
        "primary_function": False,
        "former": False,
        "api_input": True,
    },
    limits={"name": 80, "department": 100},
    required=(),
)
ATTACHED = (DETAIL, ADDR, EVENT, CUSTOM, TAG, ASSISTANT)
"""The kinds whose owner stands in `attachable_type` and `attachable_id`."""

PERSON_LIMITS = {"name": 80, "first_name": 60, "salutation": 80, "title": 80, "country_code": 10}
PERSON: Row = {
    **dict.fromkeys(("group_id", "user_id", "country_code", "salutation", "title", "gender_identity", "first_name", "name", "background")),
    "gender": "gender_unknown",
}
COMPANY: Row = dict.fromkeys(("group_id", "user_id", "name", "background"))
COMPANY_LIMITS = {"name": 80}

INCLUDES = {"tels": "Tel", "emails": "Email", "homepages": "Homepage", "ims": "Im", "sms": "Sm"}
"""What a contact detail is called where it is included, and its type."""


def detail_type(envelope: str) -> str:
    return envelope.title()


def given(kind: Kind, fields: Mapping[str, Any]) -> Row:
    """Members that this kind has; others are ignored, as Rails does."""
    return {name: value for name, value in fields.items() if name in kind.defaults}
