"""What was probably meant by a refused value: one function a kind of field, each giving the likeliest first, with what was changed.

Nothing here decides whether a value will do: `crmsync.engine.corrections` does, and offers what is left.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import phonenumbers

from crmsync.engine.places import COUNTRY_NAMES


class Way(StrEnum):
    """What was done to a value."""

    BLANKS = "blanks"
    """Blanks, line breaks and invisible characters that nobody typed on purpose."""
    SIGNS = "signs"
    """Blanks, brackets and strokes within a number."""
    WORDS = "words"
    """Words around the value itself; `before` is what went."""
    ONE_OF_MANY = "one_of_many"
    """Only one of several values was kept; `after` says which."""
    TYPO = "typo"
    COUNTRY_CODE = "country_code"
    """`after` was put before a number."""
    FORM = "form"
    """The same in the form that the field takes: a date, a number, a country's code, an address on the web."""
    CHOICE = "choice"
    LEFT_OUT = "left_out"
    """Of several choices, one that isn't offered."""
    CUT = "cut"
    """`after` is the length."""
    EMPTIED = "emptied"
    """It stood for nothing (`n/a`)."""


@dataclass(frozen=True, slots=True)
class Mend:
    """One thing that was changed; `before` and `after` are the parts it was about, "" where all of it was."""

    way: Way
    before: str = ""
    after: str = ""


Mended = tuple[str, tuple[Mend, ...]]
"""A value, and what was changed to come to it."""

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_NOTHING = frozenset(
    [
        "-",
        "--",
        "?",
        "0",
        "x",
        "xx",
        "xxx",
        "n/a",
        "na",
        "n.a.",
        "none",
        "no",
        "unknown",
        "kein",
        "keine",
        "keiner",
        "unbekannt",
        "entfällt",
    ]
)


def cleaned(text: str) -> str:
    """Without invisible characters, outer and double blanks and line breaks."""
    kept = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return " ".join("".join(" " if unicodedata.category(sign) == "Cc" else sign for sign in kept).split())


def stands_for_nothing(text: str) -> bool:
    return cleaned(text).casefold() in _NOTHING


# E-mail

PROVIDERS = (
    "gmail.com", "googlemail.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de", "outlook.com",
    "outlook.de", "hotmail.com", "hotmail.de", "live.com", "live.de", "yahoo.com", "yahoo.de", "icloud.com", "aol.com", "posteo.de",
)  # fmt: skip
_WRITTEN_AT = re.compile(r"\s*[\[({<]\s*(?:at|ät)\s*[\])}>]\s*|\s+(?:at|ät)\s+", re.IGNORECASE)
_WRITTEN_DOT = re.compile(r"\s*[\[({<]\s*(?:dot|punkt)\s*[\])}>]\s*|\s+(?:dot|punkt)\s+", re.IGNORECASE)
_IN_ANGLES = re.compile(r"^(.*)<\s*(?:mailto:)?([^<>]+@[^<>]+?)\s*>\s*$")


def email(text: str) -> Iterator[Mended]:
    """Its one address without what surrounds it; of several, each; then what looks mistyped."""
    plain = cleaned(text)
    parts = [part for part in re.split(r"\s*[;|/\n]\s*|,\s+|\s+(?:oder|und|or|and)\s+", plain) if "@" in part]
    for part in parts if len(parts) > 1 else [plain]:
        before = (Mend(Way.ONE_OF_MANY, plain, part),) if len(parts) > 1 else ()
        value, mends = _one_address(part)
        yield value, before + mends
    if len(parts) < 2 and len(found := re.findall(r"[^\s<>,;()\"']+@[^\s<>,;()\"']+", plain)) == 1:
        yield found[0].strip("."), (Mend(Way.WORDS, plain.replace(found[0], "").strip()),)


def _one_address(text: str) -> Mended:
    mends: list[Mend] = []
    if named := _IN_ANGLES.match(text):
        text = named[2]
        mends.append(Mend(Way.WORDS, named[1].strip(" \"'") or "<>"))
    if (bare := re.sub(r"^mailto:\s*", "", text, flags=re.IGNORECASE).strip(" <>\"'")) != text:
        mends.append(Mend(Way.WORDS, "mailto:" if "mailto:" in text.casefold() else "“”"))
        text = bare
    if "@" not in text and (spelt := _WRITTEN_AT.sub("@", text, count=1)) != text:
        text, mends = _WRITTEN_DOT.sub(".", spelt), [*mends, Mend(Way.TYPO, text, _WRITTEN_DOT.sub(".", spelt))]
    if (joined := re.sub(r"\s+", "", text)) != text:
        text = joined
        mends.append(Mend(Way.BLANKS))
    fixed = _retyped(text)
    if fixed != text:
        mends.append(Mend(Way.TYPO, *_differing(text, fixed)))
    return fixed, tuple(mends)


def _retyped(text: str) -> str:
    """Commas for dots, dots and signs twice, a dot at the end, a provider's name without its dot or its @."""
    local, at, domain = re.sub(r"@+", "@", text).partition("@")
    if not at:
        provider = next((one for one in PROVIDERS if text.casefold().endswith(one) and text.casefold() != one), None)
        return f"{text[: -len(provider)].rstrip('.')}@{provider}" if provider else text
    domain = re.sub(r"\.{2,}", ".", re.sub(r"[,;:]", ".", domain)).strip(".")
    known = {provider.replace(".", ""): provider for provider in PROVIDERS}
    return f"{re.sub(r'[.]{2,}', '.', local).strip('.,;')}@{known.get(domain.casefold(), domain)}"


def _differing(before: str, after: str) -> tuple[str, str]:
    """The half of an address that differs."""
    old, new = before.rpartition("@"), after.rpartition("@")
    return (old[2], new[2]) if old[0] == new[0] and old[1] else (before, after)


# Phone

_SPLIT_NUMBERS = re.compile(r"\s*[;|\n]\s*|\s*,\s+|\s+/\s+|\s+(?:oder|und|or|and)\s+", re.IGNORECASE)


def phone(text: str, region: str) -> Iterator[Mended]:
    """In the international form that both CRMs take (E.164); of several numbers, each."""
    plain = cleaned(text)
    parts = [part for part in _SPLIT_NUMBERS.split(plain) if sum(map(str.isdigit, part)) > 5]
    for part in parts if len(parts) > 1 else [plain]:
        before = (Mend(Way.ONE_OF_MANY, plain, part),) if len(parts) > 1 else ()
        if (found := _number(part, region)) is not None:
            yield found[0], before + found[1]


def _number(text: str, region: str) -> Mended | None:
    mends: list[Mend] = []
    if words := " ".join(re.findall(r"[^\W\d_]{2,}[.:]?|[^\W\d_]+[.:]", text)):
        mends.append(Mend(Way.WORDS, words))
    bare = re.sub(r"[^\W\d_]", "", text)
    if re.search(r"\d[oO]|[oO]\d", text):
        bare, mends = re.sub(r"[oO]", "0", text), [Mend(Way.TYPO, text, re.sub(r"[oO]", "0", text))]
    digits = re.sub(r"\D", "", bare)
    is_international = bare.lstrip(" (").startswith(("+", "00"))
    for candidate in (bare, f"+{digits}"):
        parsed = _parsed(candidate, region)
        if parsed is None:
            continue
        written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        code = f"+{parsed.country_code}"
        if not is_international:
            mends.append(Mend(Way.COUNTRY_CODE, "", code if candidate == bare else "+"))
        if re.sub(r"[\d+]", "", bare) or (is_international and not bare.startswith("+")):
            mends.append(Mend(Way.SIGNS))
        return written, tuple(mends)
    return None


def _parsed(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_valid_number(parsed) else None


# Date

MONTHS = {
    name: number
    for number, names in enumerate(
        ("januar january jan jän jänner", "februar february feb", "märz maerz march mär mar mrz", "april apr", "mai may", "juni june jun",
         "juli july jul", "august aug", "september sept sep", "oktober october okt oct", "november nov", "dezember december dez dec"), 1
    )
    for name in names.split()
}  # fmt: skip


def day(text: str, region: str) -> Iterator[Mended]:
    """As `YYYY-MM-DD`; where day and month could be either way round, first as one writes it in `region`."""
    plain = cleaned(text).casefold()
    day_first, month_first = r"(\d{1,2})\.?\s+([^\W\d_]+)\.?,?\s+(\d{4})", r"([^\W\d_]+)\.?\s+(\d{1,2}),?\s+(\d{4})"
    if named := re.search(day_first, plain) or re.search(month_first, plain):
        first, second, year = named.groups()
        number, month = (first, second) if first.isdigit() else (second, first)
        yield from _dates([(int(year), MONTHS.get(month, 0), int(number))])
        return
    if iso := re.fullmatch(r"(\d{4})[./\s-]+(\d{1,2})[./\s-]+(\d{1,2})\.?", plain):
        yield from _dates([tuple(map(int, iso.groups()))])
    elif local := re.fullmatch(r"(\d{1,2})[./\s-]+(\d{1,2})[./\s-]+(\d{4}|\d{2})\.?", plain):
        one, other, year = map(int, local.groups())
        year += 0 if year > 99 else 1900 if year > 30 else 2000
        ways = [(year, other, one), (year, one, other)]
        yield from _dates(ways[::-1] if region == "US" else ways)
    elif compact := re.fullmatch(r"(\d{4})(\d{2})(\d{2})", plain):
        yield from _dates([tuple(map(int, compact.groups()))])


def _dates(parts: Sequence[tuple[int, ...]]) -> Iterator[Mended]:
    for year, month, number in parts:
        try:
            yield date(year, month, number).isoformat(), (Mend(Way.FORM),)
        except ValueError:
            continue


# The others


def number(text: str) -> Iterator[Mended]:
    """Digits with a point, whatever groups thousands and names the currency."""
    bare = re.sub(r"[^\d.,-]", "", cleaned(text))
    whole, point, part = bare.rpartition("," if bare.rfind(",") > bare.rfind(".") else ".")
    is_thousands = point and len(part) == 3 and bool(whole.strip("-"))
    digits = re.sub(r"[.,]", "", whole if point and not is_thousands else bare)
    yield (f"{digits}.{part}" if point and not is_thousands else digits), (Mend(Way.FORM),)


def url(text: str) -> Iterator[Mended]:
    joined = re.sub(r"\s+", "", re.sub(r"\bwww\s+", "www.", cleaned(text), flags=re.IGNORECASE))
    rest = re.sub(r"^(?:h?t?tps?|http)[:;]*/*(?=[^/:;])", "", joined, flags=re.IGNORECASE) if "/" in joined or ":" in joined else joined
    host, slash, path = rest.partition("/")
    host = re.sub(r"\.{2,}", ".", re.sub(r"[,;]", ".", host)).strip(".")
    yield f"https://{host}{slash}{path}", (Mend(Way.FORM),)


def country(text: str) -> Iterator[Mended]:
    """The code of two letters for a country's name in German or English, or for the codes people use instead."""
    if code := COUNTRY_NAMES.get(cleaned(text).casefold().strip(".")):
        yield code, (Mend(Way.FORM),)


def choice(text: str, options: Sequence[str]) -> Iterator[Mended]:
    """The choices that it looks like, nearest first."""
    plain = cleaned(text).casefold().strip(".,;: ")
    likeness = {option: _likeness(plain, cleaned(option).casefold()) for option in options}
    for option in sorted(options, key=lambda one: (-likeness[one], one)):
        if plain and likeness[option] >= 0.6:
            yield option, (Mend(Way.CHOICE, text, option),)
        if likeness[option] == 1.0:
            return


def _likeness(text: str, option: str) -> float:
    """1 for the same, high for an abbreviation (its letters in order, the first one first), else how much is the same."""
    if text == option:
        return 1.0
    letters = iter(option)
    if text[:1] == option[:1] and len(text) > 1 and all(letter in letters for letter in text):
        return 0.8 + len(text) / max(len(option), 1) / 10
    return difflib.SequenceMatcher(None, text, option).ratio()


def choices(values: Sequence[str], options: Sequence[str]) -> Iterator[tuple[tuple[str, ...], tuple[Mend, ...]]]:
    """Each that isn't offered replaced by the nearest one, or left out where none is near."""
    kept: list[str] = []
    mends: list[Mend] = []
    offered = {option.strip().casefold() for option in options}
    for value in values:
        if value.strip().casefold() in offered:
            kept.append(value)
        elif near := next(choice(value, options), None):
            kept.append(near[0])
            mends += near[1]
        else:
            mends.append(Mend(Way.LEFT_OUT, value))
    if kept:
        yield tuple(dict.fromkeys(kept)), tuple(mends)


def cut(text: str, capacity: int) -> Iterator[Mended]:
    """To the last whole word that fits, unless that takes more than a third."""
    plain = cleaned(text)
    if len(plain) <= capacity:
        return
    short = plain[:capacity]
    whole = short if plain[capacity] == " " else short.rpartition(" ")[0]
    kept = (whole if len(whole) * 3 >= capacity * 2 else short).rstrip(" ,;-")
    yield kept, (Mend(Way.CUT, "", str(capacity)),)
