"""The one decision: base, GHL and CentralStation in, a `Plan` out. Entry: `plan()`.

Pure, so that reconcile, a retry and a rehearsal ask the same question for nothing. The same input gives the same plan, to the byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from crmsync.engine.base import Base, ItemBase
from crmsync.engine.items import Contested, ItemsMerge
from crmsync.engine.mapping import FieldMap, Policy
from crmsync.engine.profile import ProfileMerge, plan_create
from crmsync.engine.records import Aspect, ItemKind, Record, Side
from crmsync.engine.tags import plan_tags
from crmsync.engine.write import Write


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`writes` in the order to send them; `base` as far as it is agreed on already, without them.

    `conflicts` are plain names a person must choose for, `contested` the notes and tasks among them. `not_kept` says on which side which
    value was accepted and isn't there, `unheld` where there is no place for one (a choice that isn't offered, say)."""

    writes: tuple[Write, ...] = ()
    base: Base
    conflicts: tuple[str, ...] = ()
    contested: tuple[Contested, ...] = ()
    not_kept: tuple[tuple[Side, str], ...] = ()
    unheld: tuple[tuple[Side, str], ...] = ()


def plan(
    base: Base,
    ghl: Record | None,
    centralstation: Record | None,
    mapping: Sequence[FieldMap],
    policy: Policy,
) -> Plan:
    """What to write so that both sides agree. A record that is None isn't there: the other is brought over, where creating is on.

    The records were read after what `base` remembers as sent was accepted. Notes and tasks that weren't read (None on a side) are left out
    of it."""
    if ghl is None or centralstation is None:
        return _one_sided(base, ghl or centralstation, mapping, policy)
    records = {Side.GHL: ghl, Side.CENTRALSTATION: centralstation}
    profile = ProfileMerge(base, records, mapping, policy).part()
    writes, conflicts, not_kept = list(profile.writes), list(profile.conflicts), list(profile.not_kept)
    after = replace(base, fields=profile.agreed, sent=profile.sent)
    if Aspect.TAGS in policy.aspects:
        tag_writes, tags, open_ = plan_tags(base.tags, records, policy, base.sent)
        writes += tag_writes
        not_kept += [(sent.side, f"tag {sent.value or sent.before}") for sent in open_.values()]
        after = replace(after, tags=tags, sent={**after.sent, **open_})
    items: list[ItemBase] = []
    contested: list[Contested] = []
    for kind in ItemKind:
        of_kind = [item for item in base.items if item.kind is kind]
        if kind.aspect not in policy.aspects or any(record.items(kind) is None for record in records.values()):
            items += of_kind
            continue
        part = ItemsMerge(kind, of_kind, records, policy, base.decisions).part()
        writes += part.writes
        items += part.bases
        conflicts += part.conflicts
        contested += part.contested
        not_kept += part.not_kept
    return Plan(
        writes=tuple(writes),
        base=replace(after, items=tuple(items)),
        conflicts=tuple(conflicts),
        contested=tuple(contested),
        not_kept=tuple(not_kept),
        unheld=tuple(profile.unheld),
    )


def _one_sided(base: Base, source: Record | None, mapping: Sequence[FieldMap], policy: Policy) -> Plan:
    if source is None or source.side.other not in policy.create_on:
        return Plan(base=base)
    return Plan(writes=(plan_create(source, mapping, policy, with_tags=Aspect.TAGS in policy.aspects),), base=base)
