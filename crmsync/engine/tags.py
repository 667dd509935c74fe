"""Tags merge as sets: what was added or removed on one side since both agreed is added or removed on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crmsync.engine.base import Sent
from crmsync.engine.mapping import Policy
from crmsync.engine.merge import NotKept, settle_sent
from crmsync.engine.records import Record, Side, Value
from crmsync.engine.values import fold_tag
from crmsync.engine.write import Write, WriteKind

PREFIX = "tag:"
"""Before a folded tag, the name under which a sent tag is remembered."""


def plan_tags(
    base: frozenset[str] | None, records: Mapping[Side, Record], policy: Policy, known: Mapping[str, Sent], *, read_back: bool
) -> tuple[list[Write], frozenset[str], dict[str, Sent]]:
    """Writes, the tags both have (and those being removed, until they are), what was sent and not kept. Without a base all are added."""
    shown = {side: {fold_tag(tag): tag for tag in record.tags if fold_tag(tag)} for side, record in records.items()}
    ghl, central = shown[Side.GHL], shown[Side.CENTRALSTATION]
    add: dict[Side, list[str]] = {side: [] for side in records}
    remove: dict[Side, list[str]] = {side: [] for side in records}
    agreed, open_ = set(ghl.keys() & central.keys()), {}
    for folded in sorted(ghl.keys() ^ central.keys()):
        has = Side.GHL if folded in ghl else Side.CENTRALSTATION
        tag = shown[has][folded]
        verdict = settle_sent(known.get(PREFIX + folded), None, (ghl.get(folded), central.get(folded)), _same, read_back=read_back)
        if isinstance(verdict, NotKept):
            open_[PREFIX + folded] = verdict.sent
        elif base is not None and folded in base:
            remove[has].append(tag)
            agreed.add(folded)
        elif (limits := policy.limits.get(has.other)) is None or limits.can_hold("tags", tag, {}):
            add[has.other].append(tag)
    writes = [_write(side, WriteKind.ADD_TAGS, tags) for side, tags in add.items() if tags]
    writes += [_write(side, WriteKind.REMOVE_TAGS, tags) for side, tags in remove.items() if tags]
    return writes, frozenset(agreed), open_


def _same(one: Value, other: Value) -> bool:
    return one == other or (isinstance(one, str) and isinstance(other, str) and fold_tag(one) == fold_tag(other))


def _write(side: Side, kind: WriteKind, tags: Sequence[str]) -> Write:
    adding = kind is WriteKind.ADD_TAGS
    sent = {
        PREFIX + fold_tag(tag): Sent(
            side=side, value=tag if adding else None, before=None if adding else tag, source=tag if adding else None
        )
        for tag in tags
    }
    changed: dict[str, Value] = {"tags": tuple(tags)}
    return Write(side=side, kind=kind, before={} if adding else changed, after=changed if adding else {}, tags=tuple(tags), sent=sent)
