"""A request and its answer without any value: what support needs to see of them, and nothing that is secret or somebody's own.

Names of members stay, values become their type and length: `{"email": "text(23)", "tags": ["text(5)", "and 3 more"]}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import JsonValue

SHOWN = 3
"""So many of a list's elements tell of all of them."""

DEEPEST = 6
_NAME = re.compile(r"[A-Za-z][A-Za-z_.\-]{0,59}")
"""What a member of an API may be called. Anything else may be an e-mail, an id or a number that serves as a key."""


def shape(value: JsonValue, depth: int = 0) -> JsonValue:
    """`value` with every value in it replaced by its type and length."""
    match value:
        case None:
            return "null"
        case bool():
            return "yes/no"
        case int() | float():
            return "number"
        case str():
            return f"text({len(value)})"
        case _ if depth == DEEPEST:
            return "…"
        case list():
            shown = [shape(one, depth + 1) for one in value[:SHOWN]]
            return [*shown, f"and {len(value) - SHOWN} more"] if len(value) > SHOWN else shown
        case dict():
            return {_name(name): shape(one, depth + 1) for name, one in value.items()}


def exchange(
    *, method: str, path: str, query: Mapping[str, str] | None, sent: JsonValue, status: int | None, answer: JsonValue
) -> dict[str, JsonValue]:
    """What is kept of a request that failed. `path` holds ids and no more; of the query only the names stay."""
    names: list[JsonValue] = [*sorted(query or {})]
    return {
        "method": method,
        "path": path,
        "query": names,
        "sent": None if sent is None else shape(sent),
        "status": status,
        "answer": None if answer is None else shape(answer),
    }


def _name(name: str) -> str:
    return name if _NAME.fullmatch(name) else f"name({len(name)})"
