"""Pages by key."""

from __future__ import annotations

import pytest
from django.db.models import F
from pytest_django import DjangoAssertNumQueries

from crmsync.models import Contact, Sync
from dashboard.paging import Order, page_of
from tests.dashboard.data import make_contact


@pytest.fixture
def pks(sync: Sync) -> list[int]:
    """Seven contacts, newest first."""
    return [make_contact(sync).pk for _ in range(7)][::-1]


def rows(**asked: str) -> list[int]:
    return [row.pk for row in page_of(Contact.objects.all(), asked, size=3).rows]


def test_the_first_page_has_the_newest(pks: list[int]) -> None:
    assert rows() == pks[:3]


def test_older_goes_on_where_the_page_ended(pks: list[int]) -> None:
    assert rows(after=str(pks[2])) == pks[3:6]


def test_newer_leads_back_to_the_same_page(pks: list[int]) -> None:
    assert rows(before=str(pks[3])) == pks[:3]


def test_the_first_page_has_no_newer_one(pks: list[int]) -> None:
    page = page_of(Contact.objects.all(), {}, size=3)
    assert (page.newer, page.older) == (None, pks[2])


def test_the_last_page_has_no_older_one(pks: list[int]) -> None:
    page = page_of(Contact.objects.all(), {"after": str(pks[5])}, size=3)
    assert (page.newer, page.older) == (pks[6], None)


def test_back_at_the_first_page_there_is_no_newer_one(pks: list[int]) -> None:
    page = page_of(Contact.objects.all(), {"before": str(pks[3])}, size=3)
    assert (page.newer, page.older) == (None, pks[2])


@pytest.mark.parametrize("nonsense", ["x", "-1", "²", "9" * 30, ""])
def test_a_key_that_is_none_is_the_first_page(pks: list[int], nonsense: str) -> None:
    assert rows(after=nonsense) == pks[:3]


def test_a_page_is_one_query(pks: list[int], django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        page_of(Contact.objects.all(), {"after": str(pks[1])}, size=3)


BY_NAME = Order(F("label"))


def by_name(**asked: str) -> list[str]:
    return [row.label for row in page_of(Contact.objects.all(), asked, size=2, order=BY_NAME).rows]


@pytest.fixture
def named(sync: Sync) -> dict[str, str]:
    """The keys of five contacts, two of one name, by name."""
    return {label: str(make_contact(sync, label=label).pk) for label in ("d", "b", "a", "b", "c")}


def test_the_next_page_by_name_begins_after_the_row_named(named: dict[str, str]) -> None:
    assert by_name(after=named["b"]) == ["c", "d"]


def test_the_page_before_by_name_ends_at_the_row_named(named: dict[str, str]) -> None:
    assert by_name(before=named["c"]) == ["b", "b"]


def test_rows_of_one_name_are_told_apart_by_key(named: dict[str, str]) -> None:
    pages = by_name(), by_name(after=str(int(named["b"]) - 2))
    assert pages == (["a", "b"], ["b", "c"])


def test_after_a_row_that_is_gone_comes_the_first_page(named: dict[str, str]) -> None:
    assert by_name(after="999999") == ["a", "b"]
