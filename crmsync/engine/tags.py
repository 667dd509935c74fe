"""Tags merge as sets: what was added or removed on one side since both agreed is added or removed on the other.

A tag is a field that is there or isn't, so it is merged as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crmsync.engine.base import Sent
from crmsync.engine.mapping import Pair, Policy
from crmsync.engine.merge import Agreed, NotKept, Take, merge, on, settle_sent
from crmsync.engine.records import SIDES, Record, Side, Value
from crmsync.engine.values import fold_tag
from crmsync.engine.write import Write, WriteKind

PREFIX = "tag:"
"""Before a folded tag, the name under which a sent tag is remembered."""


def plan_tags(
    base: frozenset[str] | None, records: Mapping[Side, Record], policy: Policy, sent: Mapping[str, Sent]
) -> tuple[list[Write], frozenset[str], dict[str, Sent]]:
    """Writes, the tags both have (and those being removed, until they are), what was sent and not kept. Without a base all are added."""
    ghl, central = ({fold_tag(tag): tag for tag in reversed(records[side].tags) if fold_tag(tag)} for side in SIDES)
    takes: dict[Side, dict[WriteKind, list[str]]] = {side: {WriteKind.ADD_TAGS: [], WriteKind.REMOVE_TAGS: []} for side in SIDES}
    agreed, open_ = set(), {}
    for folded in sorted(ghl.keys() | central.keys()):
        now = (ghl.get(folded), central.get(folded))
        known = settle_sent(sent.get(PREFIX + folded), _agreed(base, folded), now, _same)
        if isinstance(known, NotKept):
            open_[PREFIX + folded] = known.sent
            known = _agreed(base, folded)
        else:
            match merge(known, now, _same, policy.conflict, (None, None)):
                case Agreed(pair):
                    known = pair
                case Take(Side.CENTRALSTATION, str(tag)) if folded == fold_tag(policy.created_tag):
                    known = None  # the mark of what we created there stays there
                case Take(Side.GHL, None) if folded == fold_tag(policy.created_tag):
                    known = None
                case Take(to, None):
                    takes[to][WriteKind.REMOVE_TAGS].append(str(on(now, to)))
                case Take(to, str(tag)) if policy.can_hold(to, "tags", tag, {}):
                    takes[to][WriteKind.ADD_TAGS].append(tag)
        if known is not None and all(known):
            agreed.add(folded)
    kinds = (WriteKind.ADD_TAGS, WriteKind.REMOVE_TAGS)
    writes = [_write(side, kind, tags) for kind in kinds for side in SIDES if (tags := takes[side][kind])]
    return writes, frozenset(agreed), open_


def _agreed(base: frozenset[str] | None, folded: str) -> Pair | None:
    if base is None:
        return None
    return (folded, folded) if folded in base else (None, None)


def _same(one: Value, other: Value) -> bool:
    return one == other or (isinstance(one, str) and isinstance(other, str) and fold_tag(one) == fold_tag(other))


def _write(side: Side, kind: WriteKind, tags: Sequence[str]) -> Write:
    adding = kind is WriteKind.ADD_TAGS
    sent = {PREFIX + fold_tag(tag): _sent(side, tag) if adding else Sent(side=side, value=None, before=tag, source=None) for tag in tags}
    changed: dict[str, Value] = {"tags": tuple(tags)}
    return Write(side=side, kind=kind, before={} if adding else changed, after=changed if adding else {}, tags=tuple(tags), sent=sent)


def _sent(side: Side, tag: str) -> Sent:
    return Sent(side=side, value=tag, before=None, source=tag)
