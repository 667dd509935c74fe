"""A write as data: what a plan consists of, what a rehearsal would show, what a change records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crmsync.engine.base import ItemBase, Sent
from crmsync.engine.records import FieldKey, Item, Side, Value


class WriteKind(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    ADD_TAGS = "add_tags"
    REMOVE_TAGS = "remove_tags"
    CREATE_ITEM = "create_item"
    UPDATE_ITEM = "update_item"
    DELETE_ITEM = "delete_item"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write to one side. `before` and `after` hold the changing values by plain name, nothing else.

    `changes` are the same in the side's own keys, for CREATE and UPDATE. `item` is the note or task as it is there (or shall be, for
    CREATE_ITEM), `pair` its base, `source` the item on the other side. `sent` is what to remember once it is accepted."""

    side: Side
    kind: WriteKind
    before: Mapping[str, Value] = field(default_factory=dict)
    after: Mapping[str, Value] = field(default_factory=dict)
    changes: Mapping[FieldKey, Value] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    item: Item | None = None
    pair: ItemBase | None = None
    source: Item | None = None
    sent: Mapping[str, Sent] = field(default_factory=dict)

    @property
    def replaces(self) -> bool:
        """Whether something that is there now will not be there any more: then a copy that isn't fresh won't do."""
        match self.kind:
            case WriteKind.CREATE | WriteKind.ADD_TAGS | WriteKind.CREATE_ITEM:
                return False
            case WriteKind.UPDATE | WriteKind.UPDATE_ITEM:
                return any(value is not None for value in self.before.values())
            case WriteKind.REMOVE_TAGS | WriteKind.DELETE_ITEM:
                return True
