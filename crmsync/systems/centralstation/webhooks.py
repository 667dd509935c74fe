"""CentralStationCRM's webhooks (hooks): which ones crmsync registers, and what one says (centralstationcrm.md, section 13).

They are signed by nobody: a secret address is their proof, and model and event are in it. Only an integer id is taken from the body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import JsonValue

from crmsync.engine.records import Aspect
from crmsync.systems.notice import NOTHING, Malformed, Notice, parse_object

PERSON, DESTROY = "Person", "destroy"
HOOKS = ((PERSON, "create"), (PERSON, "update"), (PERSON, DESTROY))
"""Model and event of each. Notes, tasks and tags have none."""

ASPECTS = {
    "create": Aspect.ALL,
    "update": Aspect.PROFILE | Aspect.TAGS | Aspect.TASKS,  # all that one request shows; notes would cost a second
    DESTROY: Aspect.PROFILE | Aspect.TAGS,
}

_BIGGEST_ID = 2**63


def read(model: str, event: str, body: bytes) -> Notice:
    """What the hook of `model` and `event` says. Raises `Malformed` where it names no record."""
    contact_id = _id(parse_object(body), model)
    if contact_id is None:
        raise Malformed(f"There is no id: neither in “record”, nor in “{model.lower()}”, nor beside them.")
    is_person = model == PERSON
    return Notice(
        type=f"{model}.{event}",
        contact_id=contact_id if is_person else None,
        aspects=ASPECTS.get(event, NOTHING) if is_person else NOTHING,
        is_gone=is_person and event == DESTROY,
    )


def _id(payload: Mapping[str, JsonValue], model: str) -> str | None:
    for place in (payload.get("record"), payload.get(model.lower()), payload.get(model), payload):
        number = place.get("id") if isinstance(place, Mapping) else None
        if isinstance(number, str) and re.fullmatch(r"\d{1,19}", number, re.ASCII):
            number = int(number)
        if isinstance(number, int) and not isinstance(number, bool) and 0 < number < _BIGGEST_ID:
            return str(number)
    return None
