"""How GHL keeps what it is given: phones in E.164, e-mails and tags in lower case, dates as `YYYY-MM-DD`, times as UTC with milliseconds.

Source: ghl.md, sections 1 and 3 (traps).
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterable
from datetime import UTC, date, datetime

import phonenumbers

ALPHABET = string.ascii_letters + string.digits
_ids = random.SystemRandom()


def new_id(chance: random.Random = _ids) -> str:
    """An opaque id of 20 characters."""
    return "".join(chance.choices(ALPHABET, k=20))


def phone_e164(text: str, country: str) -> str:
    """`text` in E.164, completed by `country`; what can't be a number stays as it is."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return text.strip()
    possible = phonenumbers.is_possible_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if possible else text.strip()


def tag_names(tags: Iterable[object]) -> list[str]:
    """Lower case, trimmed, each once, in order."""
    return list(dict.fromkeys(name for name in (str(tag).strip().lower() for tag in tags) if name))


def day(value: object) -> str | None:
    """`YYYY-MM-DD`, or None for what isn't a date: GHL drops that without a word."""
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        return None


def epoch_ms(value: str | None) -> int | None:
    """Search shows a date of birth as midnight UTC in milliseconds."""
    return int(datetime.fromisoformat(f"{value}T00:00:00+00:00").timestamp() * 1000) if value else None


def moment(value: object) -> datetime | None:
    """A time as it is sent in, in UTC; None for what isn't one."""
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return to_ms((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC))


def to_ms(value: datetime) -> datetime:
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


def iso(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"


def plain(html: str) -> str:
    """The `bodyText` beside a note's HTML."""
    return re.sub(r"<[^>]+>", "", re.sub(r"<br\s*/?>|</p>", "\n", html)).strip()
