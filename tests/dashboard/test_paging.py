"""Pages by key."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from crmsync.models import Contact, Sync
from dashboard.paging import page_of
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
