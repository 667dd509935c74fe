"""Values compared by meaning: what is the same to a person is the same to the merge, however each CRM writes it.

`meaning()` turns a value into a form that is equal for equal meanings; nothing that is written to a CRM ever passes through it.
"""

from __future__ import annotations

import html
import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache

import nh3
import phonenumbers

from crmsync.engine.places import STATES, state_code
from crmsync.engine.records import Value


class FieldType(StrEnum):
    """How a field's values are compared."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    DATE = "date"
    CHOICE = "choice"
    LIST = "list"
    URL = "url"
    NUMBER = "number"
    COUNTRY = "country"
    STATE = "state"


def meaning(value: Value, type: FieldType, region: str = "DE") -> str | tuple[str, ...] | None:
    """The comparable form of `value`; nothing, "" and blanks are all None. `region` (two letters) completes national phone numbers."""
    if value is None:
        return None
    if isinstance(value, tuple):
        parts = {part for part in (_text(one).casefold() for one in value) if part}
        return tuple(sorted(parts)) or None
    text = _text(value)
    if not text:
        return None
    match type:
        case FieldType.EMAIL | FieldType.CHOICE:
            return text.casefold()
        case FieldType.LIST:
            return (text.casefold(),)
        case FieldType.PHONE:
            return phone_e164(text, region) or re.sub(r"[^\d+]", "", text) or text
        case FieldType.DATE:
            return day(text) or text
        case FieldType.URL:
            return re.sub(r"^https?://(www\.)?", "", text.casefold()).rstrip("/")
        case FieldType.NUMBER:
            return _number(text)
        case FieldType.COUNTRY:
            return text.upper()
        case FieldType.STATE:
            return _state(text, region)
        case FieldType.TEXT:
            return text


def same(one: Value, other: Value, type: FieldType, region: str = "DE") -> bool:
    return one == other or meaning(one, type, region) == meaning(other, type, region)


def _text(value: str) -> str:
    return re.sub(r"\s+", " ", value).strip()


def _number(text: str) -> str:
    try:
        return f"{Decimal(text.replace(',', '.')).normalize():f}"
    except InvalidOperation:
        return text


def _state(text: str, region: str) -> str:
    """A state's code where exactly the countries with such states can tell; the home region decides between them."""
    for country in (region, *STATES):
        if code := state_code(text, country):
            return code
    return text.casefold()


@lru_cache(maxsize=4096)
def phone_e164(text: str, region: str) -> str | None:
    """`+493012345` for what can be read as a phone number, else None."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{written};ext={number.extension}" if number.extension else written


def day(text: str) -> str | None:
    """`YYYY-MM-DD` of a date, an ISO time or epoch milliseconds (GHL shows all three: ghl.md, section 3), else None."""
    if re.fullmatch(r"-?\d{9,14}", text):
        return datetime.fromtimestamp(int(text) / 1000, UTC).date().isoformat()
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return None


_BLOCK = re.compile(r"<\s*(?:br|/p|/div|/li|/h[1-6]|/tr|/blockquote|/pre)\b[^>]*>", re.IGNORECASE)
_HTML = re.compile(
    r"<\s*/?\s*(?:p|br|div|span|b|i|u|s|strong|em|ul|ol|li|a|h[1-6]|table|tbody|tr|td|th|blockquote|pre|code|font|img|hr)(?:\s[^>]*)?/?>",
    re.IGNORECASE,
)


def is_html(text: str) -> bool:
    """Whether a note is HTML: it has a tag, not merely a `<`."""
    return _HTML.search(text) is not None


def note_text(text: str | None) -> str:
    """What a person reads in a note, line by line, be it HTML or plain: for comparing, never for writing."""
    if not text:
        return ""
    if is_html(text):
        text = nh3.clean(_BLOCK.sub("\n", re.sub(r"\s+", " ", text)), tags=set())
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in html.unescape(text).splitlines())
    return "\n".join(line for line in lines if line)


def fold_tag(tag: str) -> str:
    """Tags are the same when they differ in case and outer blanks only: GHL folds both (ghl.md, section 3)."""
    return _text(tag).casefold()
