"""The values worth offering in place of one that a CRM refused, best first. Entry: `corrections()`; `fault()` says what is wrong with one.

Pure: it knows the field's kind, how long it may be and its choices, and what the CRM said; not the contact, and no CRM.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from crmsync.engine import mends
from crmsync.engine.mends import Mend, Way
from crmsync.engine.records import Value
from crmsync.engine.values import FieldType, day, phone_e164

MOST = 3
"""More to choose from is no help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Takes:
    """What a field takes: its kind, the longest text (None: not known), its choices (empty: any). `region` completes numbers and dates."""

    type: FieldType
    capacity: int | None = None
    options: tuple[str, ...] = ()
    region: str = "DE"


@dataclass(frozen=True, slots=True)
class Correction:
    """A value to write instead, None to empty the field, and what was changed to come to it."""

    value: Value
    mends: tuple[Mend, ...]

    @property
    def way(self) -> Way:
        """What corrections that look the same have in common: the weightiest thing that was changed, or only the form."""
        heaviest = max((mend.way for mend in self.mends), key=WEIGHT.index)
        return heaviest if WEIGHT.index(heaviest) > WEIGHT.index(Way.FORM) else Way.FORM


WEIGHT = (
    Way.BLANKS, Way.SIGNS, Way.COUNTRY_CODE, Way.FORM, Way.WORDS, Way.CUT, Way.CHOICE, Way.TYPO, Way.ONE_OF_MANY, Way.LEFT_OUT, Way.EMPTIED,
)  # fmt: skip
"""From what nobody would mind to what somebody should look at."""


class Fault(StrEnum):
    """Why a field can't take a value."""

    NOTHING = "nothing"
    NO_EMAIL = "no_email"
    NO_PHONE = "no_phone"
    NO_DATE = "no_date"
    NO_NUMBER = "no_number"
    NO_URL = "no_url"
    NO_COUNTRY = "no_country"
    NOT_OFFERED = "not_offered"
    TOO_LONG = "too_long"


SHORTEST_NUMBER = 5
"""Digits of a phone number that somebody outside could call."""

_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_EMAIL = re.compile(rf"[\w!#$%&'*+/=?^`{{|}}~-]+(?:\.[\w!#$%&'*+/=?^`{{|}}~-]+)*@(?:{_LABEL}\.)+[^\W\d_]{{2,63}}")
_URL = re.compile(rf"(?:https?://)?(?:{_LABEL}\.)+[^\W\d_]{{2,63}}(?::\d{{1,5}})?(?:[/?#]\S*)?", re.IGNORECASE)


def fault(value: Value, takes: Takes) -> Fault | None:
    """What is wrong with `value` as far as can be told here; the CRM has the last word."""
    texts = value if isinstance(value, tuple) else (value or "",)
    if not any(text.strip() for text in texts):
        return Fault.NOTHING
    if takes.options and not {text.strip().casefold() for text in texts} <= {option.strip().casefold() for option in takes.options}:
        return Fault.NOT_OFFERED
    text = ", ".join(texts)
    if (wrong := _fault_of_kind(text, takes)) is not None:
        return wrong
    return Fault.TOO_LONG if takes.capacity is not None and len(text) > takes.capacity else None


def _fault_of_kind(text: str, takes: Takes) -> Fault | None:
    match takes.type:
        case FieldType.EMAIL:
            return None if _EMAIL.fullmatch(text) else Fault.NO_EMAIL
        case FieldType.PHONE:
            return None if phone_e164(text, takes.region) and sum(map(str.isdigit, text)) >= SHORTEST_NUMBER else Fault.NO_PHONE
        case FieldType.DATE:
            return None if day(text) else Fault.NO_DATE
        case FieldType.NUMBER:
            return None if re.fullmatch(r"-?\d+(?:[.,]\d+)?", text) else Fault.NO_NUMBER
        case FieldType.URL:
            return None if _URL.fullmatch(text) else Fault.NO_URL
        case FieldType.COUNTRY:
            return None if re.fullmatch(r"[A-Za-z]{2}", text) else Fault.NO_COUNTRY
        case FieldType.TEXT | FieldType.CHOICE | FieldType.LIST | FieldType.STATE:
            return None


EMPTIABLE = (FieldType.EMAIL, FieldType.PHONE, FieldType.URL, FieldType.DATE, FieldType.NUMBER)


def corrections(value: Value, takes: Takes, words: str = "") -> tuple[Correction, ...]:
    """What to offer in place of the refused `value`, best first; nothing where nothing sensible is known.

    `words` are the CRM's: they may tell how long a text may be."""
    if value is None:
        return ()
    takes = _as_told(takes, words)
    found: dict[Value, Correction] = {}
    for correction in _candidates(value, takes):
        is_new = correction.value != value and correction.value not in found
        if is_new and correction.mends and (correction.value is None or fault(correction.value, takes) is None):
            found[correction.value] = correction
    return tuple(found.values())[:MOST]


def _as_told(takes: Takes, words: str) -> Takes:
    told = longest_told(words)
    if told is None:
        return takes
    return Takes(type=takes.type, capacity=min(told, takes.capacity or told), options=takes.options, region=takes.region)


def longest_told(words: str) -> int | None:
    """The longest text allowed, by a CRM's words, such as `is too long (maximum is 80 characters)`."""
    told = re.search(r"(?:maximum|max\.?|at most|shorter than or equal to|no more than|exceed)\D{0,20}?(\d{1,6})\b", words, re.IGNORECASE)
    return int(told[1]) or None if told else None


def _candidates(value: str | tuple[str, ...], takes: Takes) -> Iterator[Correction]:
    if isinstance(value, tuple) or takes.type is FieldType.LIST:
        yield from _of_a_list(value, takes.options)
        return
    if takes.type in EMPTIABLE and mends.stands_for_nothing(value):
        yield Correction(None, (Mend(Way.EMPTIED, value),))
        return
    if (plain := mends.cleaned(value)) != value and not takes.options:
        yield Correction(plain, (Mend(Way.BLANKS),))
    for text, mended in _of_kind(plain, takes):
        yield Correction(text, mended or (Mend(Way.BLANKS),))
    if takes.capacity is not None and takes.type in (FieldType.TEXT, FieldType.CHOICE):
        yield from (Correction(text, mended) for text, mended in mends.cut(value, takes.capacity))


def _of_a_list(value: str | tuple[str, ...], options: Sequence[str]) -> Iterator[Correction]:
    values = tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value
    for chosen, mended in mends.choices(values, options) if options else ():
        yield Correction(chosen, mended or (Mend(Way.FORM),))


def _of_kind(text: str, takes: Takes) -> Iterator[mends.Mended]:
    if takes.options:
        yield from mends.choice(text, takes.options)
        return
    match takes.type:
        case FieldType.EMAIL:
            yield from mends.email(text)
        case FieldType.PHONE:
            yield from mends.phone(text, takes.region)
        case FieldType.DATE:
            yield from mends.day(text, takes.region)
        case FieldType.NUMBER:
            yield from mends.number(text)
        case FieldType.URL:
            yield from mends.url(text)
        case FieldType.COUNTRY:
            yield from mends.country(text)
        case FieldType.TEXT | FieldType.CHOICE | FieldType.LIST | FieldType.STATE:
            return
