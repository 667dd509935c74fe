"""What people do in two CRMs, as data: edits drawn from small pools, so that they meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from crmsync.engine.mapping import ConflictRule
from crmsync.engine.records import SIDES, Item, ItemKind, Side, Value
from tests.engine.world import CENTRAL, World, note, policy, task

POOLS: dict[str, Sequence[Value]] = {
    "first name": (None, "Ada", "Augusta", "Müller"),
    "last name": (None, "Lovelace", "King", "LOVELACE"),
    "email": (None, "Ada@Example.org", "ada@example.org", "king@example.org", "a.l@example.org"),
    "phone": (None, "030 123456", "+49 (30) 123456", "0171 5550100"),
    "company": (None, "Acme GmbH", "Beta AG"),
    "street": (None, "Weg 1", "Allee 2"),
    "postal code": (None, "10115", "50667"),
    "city": (None, "Berlin", "Köln"),
    "state": (None, "Bayern", "BE", "Nowhere"),
    "country": (None, "DE", "AT"),
    "website": (None, "www.ada.example", "https://ada.example/", "king.example"),
    "birthday": (None, "1990-05-06", "1991-07-08"),
}
ADDRESS = ("street", "postal code", "city", "state", "country")
TAGS = ("VIP", "vip", "Straße", "Messe 2026")
NOTES = (note("Hello"), note("One\nTwo", "Call"), note("<p>One</p><p>Two</p>"), note("a < b & c", "x" * 120), note("Bye\n\nAda", "Bye"))
TASKS = (task("Call back"), task("Call back", "2026-12-24", done=True), task("t" * 300, None), task("Offer", "2026-12-01T09:00:00+00:00"))


@dataclass(frozen=True)
class Edit:
    """One thing that a person does on one side. `touches` says which field (or kind of item, or `tags`) and which item of it."""

    touches: tuple[str, int]
    side: Side
    value: object

    def do(self, world: World) -> None:
        what, number = self.touches
        match self.value:
            case Item() as item:
                world.add_item(self.side, item)
            case (str(field), value):
                self._edit_item(world, ItemKind(what), number, field, value)
            case "delete":
                self._delete_item(world, ItemKind(what), number)
            case frozenset() as tags:
                world.crm(self.side).remove_tags(tuple(TAGS))
                world.crm(self.side).add_tags(tuple(sorted(tags)))
            case _:
                world.edit(self.side, **{what.replace(" ", "_"): self.value})  # type: ignore[arg-type]

    def _edit_item(self, world: World, kind: ItemKind, number: int, field: str, value: object) -> None:
        if number < len(items := world.items(self.side, kind)):
            world.edit_item(self.side, items[number].id, **{field: value})

    def _delete_item(self, world: World, kind: ItemKind, number: int) -> None:
        if number < len(items := world.items(self.side, kind)):
            del world.crm(self.side).items[items[number].id]


sides = st.sampled_from(SIDES)
rules = st.sampled_from([ConflictRule.NEWEST, ConflictRule.GHL, ConflictRule.CENTRALSTATION])


def field_edits(*, clears: bool = True) -> st.SearchStrategy[Edit]:
    """`clears`: whether the last name, city and country may be cleared, for which CentralStation gets a stand-in."""

    def of(name: str) -> st.SearchStrategy[Edit]:
        pool = POOLS[name] if clears or name not in ("last name", "city", "country") else POOLS[name][1:]
        return st.builds(Edit, touches=st.just((name, 0)), side=sides, value=st.sampled_from(pool))

    return st.sampled_from(sorted(POOLS)).flatmap(of)


tag_edits = st.builds(Edit, touches=st.just(("tags", 0)), side=sides, value=st.frozensets(st.sampled_from(TAGS), max_size=3))


def item_edits(kind: ItemKind, pool: Sequence[Item], changes: st.SearchStrategy[tuple[str, object]]) -> st.SearchStrategy[Edit]:
    numbers = st.integers(0, 2)
    return st.one_of(
        st.builds(Edit, touches=st.just((str(kind), -1)), side=sides, value=st.sampled_from(pool)),
        st.builds(Edit, touches=st.tuples(st.just(str(kind)), numbers), side=sides, value=changes),
        st.builds(Edit, touches=st.tuples(st.just(str(kind)), numbers), side=sides, value=st.just("delete")),
    )


note_edits = item_edits(
    ItemKind.NOTE,
    NOTES,
    st.one_of(
        st.tuples(st.just("text"), st.sampled_from(["Three\nFour", "<p>Five<br>Six</p>", "Hello"])),
        st.tuples(st.just("title"), st.sampled_from([None, "Visit", "y" * 130])),
    ),
)
task_edits = item_edits(
    ItemKind.TASK,
    TASKS,
    st.one_of(
        st.tuples(st.just("title"), st.sampled_from(["Call again", "u" * 260])),
        st.tuples(st.just("due"), st.sampled_from([None, "2026-12-31", "2027-01-02T10:00:00+00:00"])),
        st.tuples(st.just("done"), st.booleans()),
    ),
)
edits = st.one_of(field_edits(), field_edits(), tag_edits, note_edits, task_edits)
days = st.lists(edits, max_size=6)
"""What happens between two reconciles."""


@st.composite
def strangers(draw: st.DrawFn) -> World:
    """Two records that crmsync has just linked: whatever people entered on both sides."""
    world = World(policy=policy(draw(rules)))
    assert world.ghl is not None
    world.ghl.rewrites = draw(st.booleans())
    add_spares(world, draw(st.integers(0, 2)))
    for edit in draw(st.lists(edits, max_size=12)):
        edit.do(world)
    return world


@st.composite
def friends(draw: st.DrawFn) -> World:
    """A contact in sync, with spares in CentralStation, that has notes and tasks."""
    world = draw(strangers())
    world.settle()
    return world


def add_spares(world: World, number: int) -> None:
    assert world.central is not None
    for n in range(number + 1 if number else 0):
        world.central.add_row("emails", "private", name=f"spare{n}@example.org")
        world.central.add_row("tels", "mobile", name=f"+49 171 555010{n}")
        world.central.add_row("addrs", "invoice", street=f"Spare {n}", city="Bonn", country_code="DE")


def do_all(world: World, day: Sequence[Edit]) -> None:
    for edit in day:
        edit.do(world)


def rows_of(world: World) -> dict[str, list[tuple[int, str, str]]]:
    """CentralStation's rows by group: id, type and content."""
    central = world.crm(CENTRAL)
    rows = getattr(central, "rows", {})
    return {group: [(row["id"], row["atype"], str(sorted({**row, "id": 0}.items()))) for row in found] for group, found in rows.items()}
