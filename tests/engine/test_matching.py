"""Who is the same person: keys in order, the first that finds anybody decides, and a match is unique seen from both sides."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine.mapping import DEFAULT_MAPPING
from crmsync.engine.matching import Candidate, Create, KeyKind, Keys, Link, Review, find_partner, keys_of
from crmsync.engine.records import Record, Side, Value

GHL, CENTRAL = Side.GHL, Side.CENTRALSTATION
EMAIL, PHONE, NAME = KeyKind
ORDER = (EMAIL, PHONE, NAME)


@dataclass
class Somebody:
    side: Side
    keys: Keys
    ref: int
    partner: int | None = None


@dataclass
class Town:
    """All records of both sides. Those that come first are older."""

    people: dict[int, Somebody] = field(default_factory=dict)
    order: Sequence[KeyKind] = ORDER

    def add(self, side: Side, *, email: str = "", phone: str = "", name: str = "", linked: bool = False) -> int:
        """A record with these keys (several by blanks). Its number."""
        ref = len(self.people) + 1
        keys = {kind: frozenset(text.split()) for kind, text in ((EMAIL, email), (PHONE, phone), (NAME, name))}
        self.people[ref] = Somebody(side, keys, ref, partner=0 if linked else None)
        return ref

    def decide(self, ref: int) -> Link | Create | Review:
        person = self.people[ref]
        return find_partner(self._candidate(person), person.keys, self.order, View(self, person.side))

    def act(self, ref: int) -> Link | Create | Review | None:
        """Decide and do it; None for who has a partner already."""
        person = self.people[ref]
        if person.partner is not None:
            return None
        decision = self.decide(ref)
        match decision:
            case Link(other):
                assert self.people[other].partner is None
                person.partner, self.people[other].partner = other, ref
            case Create():
                new = self.add(person.side.other)
                self.people[new].keys, self.people[new].partner, person.partner = person.keys, ref, new
        return decision

    def links(self) -> set[tuple[int, int]]:
        """Pairs of records that were there from the beginning or created."""
        return {(ref, person.partner) for ref, person in self.people.items() if person.partner and person.side is GHL}

    def _candidate(self, person: Somebody) -> Candidate:
        made = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=person.ref)
        return Candidate(ref=person.ref, linked=person.partner is not None, created_at=made)

    def having(self, side: Side, kind: KeyKind, values: Collection[str]) -> list[Candidate]:
        return [self._candidate(one) for one in self.people.values() if one.side is side and one.keys[kind] & set(values)]


@dataclass
class View:
    """The town as seen from one side: a `Crowd`."""

    town: Town
    side: Side

    def sharing(self, kind: KeyKind, values: Collection[str], *, mine: bool) -> Sequence[Candidate]:
        return self.town.having(self.side if mine else self.side.other, kind, values)

    def keys(self, ref: int, *, mine: bool) -> Keys:
        assert (self.town.people[ref].side is self.side) is mine
        return self.town.people[ref].keys


# The sentences


@pytest.mark.parametrize("key", ["email", "phone", "name"])
def test_one_candidate_links(key: str) -> None:
    town = Town()
    ada, there = town.add(GHL, **{key: "a"}), town.add(CENTRAL, **{key: "a"})  # type: ignore[arg-type]
    assert (town.decide(ada), town.decide(there)) == (Link(there), Link(ada))


def test_none_creates() -> None:
    town = Town()
    town.add(CENTRAL, email="b")
    assert town.decide(town.add(GHL, email="a", phone="1", name="x")) == Create()


def test_somebody_without_any_key_is_created() -> None:
    town = Town()
    town.add(CENTRAL)
    town.add(GHL)
    assert town.decide(town.add(GHL)) == Create()


def test_two_candidates_are_for_a_person_to_decide() -> None:
    town = Town()
    ada, one, two = town.add(GHL, email="a"), town.add(CENTRAL, email="a"), town.add(CENTRAL, email="a")
    assert town.decide(ada) == Review(EMAIL, (one, two))
    assert town.decide(one) == Review(EMAIL, (ada, two))


def test_a_later_key_never_breaks_a_tie() -> None:
    town = Town()
    ada, one, two = town.add(GHL, email="a", phone="1"), town.add(CENTRAL, email="a", phone="1"), town.add(CENTRAL, email="a")
    assert town.decide(ada) == Review(EMAIL, (one, two))


def test_nobody_is_created_who_shares_a_key_with_somebody_that_has_candidates() -> None:
    town = Town()
    first, second, there = town.add(GHL, email="a"), town.add(GHL, email="a", name="x"), town.add(CENTRAL, name="x")
    assert town.decide(first) == Review(EMAIL, (second,))
    assert (town.decide(second), town.decide(there)) == (Link(there), Link(second))


def test_a_second_email_that_is_shared_over_there_keeps_nobody_from_being_linked() -> None:
    town = Town()
    ada, grace = town.add(GHL, email="a"), town.add(GHL, email="g")
    there = town.add(CENTRAL, email="a info@"), town.add(CENTRAL, email="g info@")
    assert (town.decide(ada), town.decide(grace)) == (Link(there[0]), Link(there[1]))


def test_the_first_key_that_finds_anybody_decides_over_a_later_one() -> None:
    town = Town()
    ada, by_email, by_phone = town.add(GHL, email="a", phone="1"), town.add(CENTRAL, email="a"), town.add(CENTRAL, phone="1")
    assert town.decide(ada) == Link(by_email)
    assert isinstance(town.decide(by_phone), Review)


def test_a_key_that_finds_nobody_leaves_it_to_the_next() -> None:
    town = Town()
    ada, there = town.add(GHL, email="a", phone="1"), town.add(CENTRAL, email="b", phone="1")
    assert town.decide(ada) == Link(there)


def test_keys_are_tried_in_the_order_of_the_sync() -> None:
    town = Town(order=(PHONE, EMAIL))
    ada, _, by_phone = town.add(GHL, email="a", phone="1"), town.add(CENTRAL, email="a"), town.add(CENTRAL, phone="1")
    assert town.decide(ada) == Link(by_phone)


def test_a_key_that_the_sync_leaves_out_finds_nobody() -> None:
    town = Town(order=(EMAIL,))
    town.add(CENTRAL, phone="1")
    assert town.decide(town.add(GHL, phone="1")) == Create()


def test_two_people_who_share_an_address_with_one_over_there_are_reviewed_both() -> None:
    town = Town()
    one, two, there = town.add(GHL, email="info@"), town.add(GHL, email="info@"), town.add(CENTRAL, email="info@")
    assert town.decide(one) == Review(EMAIL, (two, there))
    assert town.decide(two) == Review(EMAIL, (one, there))
    assert town.decide(there) == Review(EMAIL, (one, two))


def test_a_match_must_be_the_others_own_first_choice() -> None:
    town = Town()
    by_phone, by_email = town.add(GHL, phone="1"), town.add(GHL, email="a")
    there = town.add(CENTRAL, email="a", phone="1")
    assert town.decide(by_phone) == Review(PHONE, (by_email, there))
    assert town.decide(there) == Link(by_email)


def test_who_has_a_partner_already_is_no_match() -> None:
    town = Town()
    ada, there = town.add(GHL, email="a"), town.add(CENTRAL, email="a", linked=True)
    assert town.decide(ada) == Review(EMAIL, (there,))


def test_of_two_with_the_same_key_on_one_side_the_first_is_created_and_the_other_reviewed() -> None:
    town = Town()
    first, second = town.add(GHL, email="a"), town.add(GHL, email="a")
    assert (town.decide(second), town.decide(first)) == (Review(EMAIL, (first,)), Create())


def test_the_second_stays_in_review_when_the_first_was_created() -> None:
    town = Town()
    first, second = town.add(GHL, email="a"), town.add(GHL, email="a")
    town.act(first)
    assert isinstance(town.decide(second), Review)


def test_who_of_two_was_first_is_told_by_age_and_then_by_number() -> None:
    old, new = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    assert Candidate(ref=2, created_at=old).age < Candidate(ref=1, created_at=new).age
    assert Candidate(ref=2, created_at=new).age < Candidate(ref=1).age
    assert Candidate(ref=1).age < Candidate(ref=2).age


# In any crowd

letters = st.lists(st.sampled_from("abc"), max_size=2).map(" ".join)
somebodies = st.fixed_dictionaries({"email": letters, "phone": letters, "name": st.sampled_from(["", "x", "y"])})
crowds = st.lists(st.tuples(st.sampled_from(Side), somebodies), min_size=1, max_size=7)


def town_of(crowd: Sequence[tuple[Side, dict[str, str]]]) -> Town:
    town = Town()
    for side, keys in crowd:
        town.add(side, **keys)  # type: ignore[arg-type]
    return town


@given(crowds)
def test_a_link_is_seen_from_both_sides(crowd: Sequence[tuple[Side, dict[str, str]]]) -> None:
    town = town_of(crowd)
    for ref in list(town.people):
        match town.decide(ref):
            case Link(other):
                assert town.decide(other) == Link(ref)


@given(crowds.flatmap(lambda crowd: st.tuples(st.just(crowd), st.permutations(range(1, len(crowd) + 1)))))
def test_deciding_in_any_order_gives_the_same_links(drawn: tuple[Sequence[tuple[Side, dict[str, str]]], Sequence[int]]) -> None:
    crowd, order = drawn
    ends = []
    for sequence in (sorted(order), order):
        town = town_of(crowd)
        for ref in sequence:
            town.act(ref)
        ends.append({(one, other) for one, other in town.links() if max(one, other) <= len(crowd)})
    assert ends[0] == ends[1]


@given(crowds)
def test_nobody_is_created_who_has_candidates_and_nobody_is_linked_twice(crowd: Sequence[tuple[Side, dict[str, str]]]) -> None:
    town = town_of(crowd)
    for ref, person in list(town.people.items()):
        found = [one for kind in ORDER for one in town.having(person.side.other, kind, person.keys[kind]) if person.keys[kind]]
        assert not (isinstance(town.act(ref), Create) and found)
    partners = [person.partner for person in town.people.values() if person.partner]
    assert len(partners) == len(set(partners))


@given(crowds)
def test_deciding_again_changes_nothing(crowd: Sequence[tuple[Side, dict[str, str]]]) -> None:
    town = town_of(crowd)
    for ref in list(town.people) * 2:
        town.act(ref)
    links = town.links()
    for ref in list(town.people):
        assert isinstance(town.act(ref), Review | None)
    assert town.links() == links


# Keys


def central(spares: Sequence[dict[str, Value]] = (), **profile: Value) -> Keys:
    return keys_of(Record(side=CENTRAL, id="7", profile=profile, spares={"any": tuple(spares)}), DEFAULT_MAPPING, "DE")


def test_every_email_and_phone_is_a_key_in_comparable_form() -> None:
    keys = central([{"email": "B@x.org"}, {"tel": "0171 5550100"}], email=" A@x.org", tel="030/123456")
    assert keys == {EMAIL: {"a@x.org", "b@x.org"}, PHONE: {"+4930123456", "+491715550100"}, NAME: frozenset()}


def test_the_name_is_a_key_with_its_company_only() -> None:
    assert central(first_name="Ada ", name="LOVELACE", company_name="Acme")[NAME] == {"ada lovelace / acme"}
    assert central(first_name="Ada", name="Lovelace")[NAME] == central(company_name="Acme")[NAME] == frozenset()


@pytest.mark.parametrize("text", ["k.A.", "-", "none", "0", "110", "n/a"])
def test_what_is_no_email_or_phone_number_is_no_key(text: str) -> None:
    keys = central(email=text, tel=text)
    assert (keys[EMAIL], keys[PHONE]) == (frozenset(), frozenset())
