"""Values compared by meaning: what is the same to a person is the same to the merge, however each CRM writes it.

`meaning()` turns a value into a form that is equal for equal meanings; nothing that is written to a CRM ever passes through it.
"""

from __future__ import annotations

import html
import re
import unicodedata
from datetime import date, timedelta
from decimal import Decimal
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
    if type is FieldType.LIST:
        return _choices(value)
    text = _text(", ".join(value) if isinstance(value, tuple) else value or "")
    if not text:
        return None
    match type:
        case FieldType.EMAIL:
            return text.lower()
        case FieldType.CHOICE:
            return text.casefold()
        case FieldType.PHONE:
            return phone_e164(text, region) or re.sub(r"[^\d+]", "", text) or text
        case FieldType.DATE:
            return day(text) or text
        case FieldType.URL:
            return re.sub(r"^(https?://)?(www\.)?", "", text.casefold()).rstrip("/")
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
    """Without outer and double blanks, letters with their accents as one character each."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", value)).strip()


def _choices(value: Value) -> tuple[str, ...] | None:
    """The choices in any order; a CRM without lists holds them in one text, separated by commas."""
    texts = value if isinstance(value, tuple) else (value or "",)
    parts = {folded for text in texts for part in text.split(",") if (folded := _text(part).casefold())}
    return tuple(sorted(parts)) or None


def _number(text: str) -> str:
    try:
        return str((Decimal(text.replace(",", ".")) + 0).normalize())  # + 0: there is no -0
    except ArithmeticError:
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


_EPOCH = date(1970, 1, 1)


def day(text: str) -> str | None:
    """`YYYY-MM-DD` of a date, an ISO time or epoch milliseconds (GHL shows all three: ghl.md, section 3), else None."""
    try:
        if re.fullmatch(r"-\d{1,14}|\d{9,14}", text):
            return (_EPOCH + timedelta(milliseconds=int(text))).isoformat()
        return date.fromisoformat(text[:10]).isoformat()
    except (ValueError, OverflowError):
        return None


_BLOCK = re.compile(r"<\s*/?\s*(?:p|br|div|ul|ol|li|h[1-6]|table|tr|td|th|blockquote|pre|hr)\b[^>]*>", re.IGNORECASE)
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
    return _text(tag).lower()
