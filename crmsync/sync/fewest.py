"""The fewest requests that a run could have done with, told from what it did, and what the others were for. Pure. Entry: `account()`.

Whatever is to be compared has to be read once, by the largest pages that the CRMs document where a run reads everything, else contact by
contact; each write is a request, and what was written is looked at once afterwards, for a 200 is no proof. The rest was for nothing that
anybody wanted: sent again because a CRM was busy or silent, refused, or read more than once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil

from crmsync.engine.records import Aspect, ItemKind, Side
from crmsync.systems.centralstation import operations as central
from crmsync.systems.errors import NotFound, RateLimited, TryLater, Unanswered, Unavailable
from crmsync.systems.ghl import operations as ghl

MOST = {
    (Side.GHL, "contacts"): 500,
    (Side.GHL, "task"): 100,
    (Side.CENTRALSTATION, "contacts"): 250,
    (Side.CENTRALSTATION, "note"): 250,
}
"""What one request lists at most (ghl.md, section 3; centralstationcrm.md, section 1.1). GoHighLevel's task search tells no limit: 100 is
what all its other lists give. CentralStation's tasks come with the people."""

LISTS = {
    Side.GHL: {ghl.SEARCH_CONTACTS.name: "contacts", ghl.LIST_CONTACTS.name: "contacts", ghl.SEARCH_TASKS.name: "task"},
    Side.CENTRALSTATION: {central.LIST_PEOPLE.name: "contacts", central.LIST_PROTOCOLS.name: "note", central.LIST_TASKS.name: "task"},
}
"""What lists everything, by operation."""

BY_NAME = {
    Side.GHL: {operation.name: operation for operation in ghl.OPERATIONS},
    Side.CENTRALSTATION: central.OPERATIONS,
}
TRY_LATER = (TryLater.code, Unavailable.code, Unanswered.code)


def called(side: Side, operation: str, code: str) -> str:
    """By which name `Run.calls` counts a request: by its operation where it was answered, else by the error's code. That something isn't
    there is an answer to whoever asked for it."""
    is_answer = not code or (code == NotFound.code and BY_NAME[side][operation].reads)
    return f"{side}.{operation if is_answer else code}"


def reads_of_one(side: Side, aspects: Aspect) -> int:
    """Requests to read one contact by itself: GoHighLevel tells notes and tasks apart from it, CentralStation notes."""
    apart = (Aspect.NOTES, Aspect.TASKS) if side is Side.GHL else (Aspect.NOTES,)
    return 1 + sum(aspect in aspects for aspect in apart)


def pages(count: int, most: int) -> int:
    return ceil(count / most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a run did on one side: how many `contacts`, `note` and `task` its lists told (None: it didn't list everything), how many
    contacts it compared and in which aspects, and how many of them it wrote to without creating them."""

    listed: Mapping[str, int] | None
    compared: int
    aspects: Aspect
    changed: int = 0


class Why(StrEnum):
    """What a request that could have been spared was for."""

    BUSY = "busy"
    SILENT = "silent"
    REFUSED = "refused"
    LISTS = "lists"
    LOOKS = "looks"


@dataclass(frozen=True, slots=True)
class Account:
    """The requests to one side, `made` and at least needed (None: it isn't known any more); `why` there are more, with how many."""

    made: int
    fewest: int | None
    why: Mapping[Why, int] = field(default_factory=dict)


def account(side: Side, calls: Mapping[str, int], done: Done) -> Account:
    """`calls` as `Run.calls` keeps them; those of a run of an older release know no operations."""
    made = calls.get(side, 0)
    known = {name.partition(".")[2]: n for name, n in calls.items() if name.startswith(f"{side}.")}
    if made and not known:
        return Account(made, None)
    answered = {name: n for name, n in known.items() if name in BY_NAME[side]}
    failed = {name: n for name, n in known.items() if name not in BY_NAME[side]}
    busy, silent = failed.get(RateLimited.code, 0), sum(failed.get(code, 0) for code in TRY_LATER)
    why = {
        Why.BUSY: busy,
        Why.SILENT: silent,
        Why.REFUSED: sum(failed.values()) - busy - silent,
        Why.LISTS: sum(n - _pages_needed(side, name, n, done) for name, n in answered.items()),
        Why.LOOKS: _looks(side, answered) - _looks_needed(side, answered, done),
    }
    return Account(made, made - sum(why.values()), {one: n for one, n in why.items() if n})


def _pages_needed(side: Side, name: str, made: int, done: Done) -> int:
    """Of the requests to a list; all of any other operation."""
    what = LISTS[side].get(name)
    if done.listed is None or what is None:
        return made
    if (side, what) not in MOST:
        return 0
    most = MOST[side, what]
    needed = max(1, pages(done.listed.get(what, 0), most))
    if side is Side.CENTRALSTATION and what == "contacts":
        needed += pages(done.changed, most)  # its answers to writes don't show the person
    return min(made, needed)


def _is_look(side: Side, name: str) -> bool:
    """Whether it reads something of one contact."""
    operation = BY_NAME[side][name]
    return operation.reads and not {"contact_id", "person_id", "id"}.isdisjoint(operation.path_names)


def _looks(side: Side, answered: Mapping[str, int]) -> int:
    return sum(n for name, n in answered.items() if _is_look(side, name))


def _looks_needed(side: Side, answered: Mapping[str, int], done: Done) -> int:
    if done.listed is None:
        writes = sum(n for name, n in answered.items() if not BY_NAME[side][name].reads)
        needed = done.compared * reads_of_one(side, done.aspects) + writes
    else:
        has_notes = side is Side.GHL and ItemKind.NOTE.aspect in done.aspects
        needed = done.listed.get("contacts", 0) if has_notes else 0
    return min(needed, _looks(side, answered))
