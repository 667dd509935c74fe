"""What means the same to a person is the same to the engine, however each CRM writes it."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine.records import Value
from crmsync.engine.values import FieldType, day, fold_tag, is_html, meaning, note_text, same

T = FieldType


@pytest.mark.parametrize("type", FieldType)
@pytest.mark.parametrize("nothing", [None, "", "  ", "\n", (), ("",)])
def test_nothing_is_nothing_in_every_type(type: FieldType, nothing: Value) -> None:
    assert same(nothing, None, type)


@pytest.mark.parametrize(
    ("type", "one", "other"),
    [
        (T.TEXT, " Ada  Lovelace ", "Ada Lovelace"),
        (T.TEXT, "Müller", "Mu\u0308ller"),
        (T.EMAIL, "Ada@Example.ORG ", "ada@example.org"),
        (T.PHONE, "030 123456", "+49 30 123456"),
        (T.PHONE, "+49 (0)30 12 34 56", "+4930123456"),
        (T.PHONE, "0049 30 123456", "+4930123456"),
        (T.PHONE, "0171/555 01 00", "+491715550100"),
        (T.PHONE, "12-34", "12 34"),
        (T.DATE, "1990-05-06", "1990-05-06T00:00:00.000Z"),
        (T.DATE, "641952000000", "1990-05-06"),
        (T.DATE, "-86400000", "1969-12-31"),
        (T.CHOICE, "Gold", " gold"),
        (T.LIST, ("b", "A"), ("a", "B")),
        (T.LIST, ("A", "B"), "b, a"),
        (T.LIST, ("A",), "a"),
        (T.TEXT, ("A", "B"), "A, B"),
        (T.URL, "https://www.Example.org/", "example.org"),
        (T.URL, "www.example.org", "https://example.org"),
        (T.NUMBER, "1,50", "1.5"),
        (T.NUMBER, "100", "1e2"),
        (T.NUMBER, "-0", "0"),
        (T.COUNTRY, "de", "DE"),
        (T.STATE, "Bayern", "BY"),
        (T.STATE, "Bavaria", "DE-BY"),
        (T.STATE, "Wien", "9"),
        (T.STATE, "Somewhere", "somewhere"),
    ],
)
def test_these_mean_the_same(type: FieldType, one: Value, other: Value) -> None:
    assert same(one, other, type)


@pytest.mark.parametrize(
    ("type", "one", "other"),
    [
        (T.TEXT, "ada", "Ada"),
        (T.EMAIL, "strasse@example.org", "straße@example.org"),
        (T.PHONE, "+4930123456", "+4940123456"),
        (T.PHONE, "+4930123456", "+4930123456 ext. 5"),
        (T.DATE, "1990-05-06", "1990-06-05"),
        (T.LIST, ("A",), ("A", "B")),
        (T.URL, "example.org/a", "example.org/b"),
        (T.NUMBER, "15", "1.5"),
        (T.STATE, "Bayern", "Berlin"),
    ],
)
def test_these_do_not_mean_the_same(type: FieldType, one: Value, other: Value) -> None:
    assert not same(one, other, type)


@pytest.mark.parametrize("type", FieldType)
@given(text=st.one_of(st.text(max_size=30), st.from_regex(r"-?[0-9]{1,16}([.,e][0-9]{1,9})?", fullmatch=True)))
def test_whatever_is_typed_has_a_meaning(type: FieldType, text: str) -> None:
    found = meaning(text, type)
    assert len(str(found)) < 200
    assert same(text, text, type)


@pytest.mark.parametrize("text", ["-99999999999999", "2000-13-01", "soon", ""])
def test_what_is_no_date_is_none(text: str) -> None:
    assert day(text) is None


def test_a_national_number_belongs_to_the_home_region() -> None:
    assert meaning("01 234 5678", T.PHONE, "AT") == "+4312345678"


@pytest.mark.parametrize(("tag", "folded"), [(" VIP ", "vip"), ("Messe  2026", "messe 2026"), ("Straße", "straße"), ("ÄRZTE", "ärzte")])
def test_tags_are_folded_as_ghl_does(tag: str, folded: str) -> None:
    assert fold_tag(tag) == folded


# Notes


@pytest.mark.parametrize(
    "form",
    [
        "<p>One &amp; two</p><p>Three</p>",
        "<p>One &amp; two<br>Three</p>",
        "<div>One &amp; two</div>\n<div>Three</div>",
        "One &amp; two<div>Three</div>",
        "<ul><li>One &amp; two</li><li>Three</li></ul>",
        "One &amp; two<br/>Three",
        "  One & two  \n\nThree",
        "<p>One&nbsp;&amp; <b>two</b></p><style>p{}</style><script>alert(1)</script><p>Three</p>",
        "<table><tr><td>One &amp; two</td></tr><tr><td>Three</td></tr></table>",
    ],
)
def test_a_note_reads_the_same_in_html_and_plain(form: str) -> None:
    assert note_text(form) == "One & two\nThree"


@pytest.mark.parametrize("text", ["a < b", "1 <2> 3", "x<y and y>z", "<3", "Meier <meier@example.org>"])
def test_an_angle_bracket_does_not_make_a_note_html(text: str) -> None:
    assert not is_html(text)


plain = st.text(st.characters(codec="utf-8", exclude_characters="<>&\r", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20)


@given(st.lists(plain, max_size=5))
def test_a_plain_note_that_ghl_turns_into_html_reads_the_same(lines: list[str]) -> None:
    rewritten = "<p>" + "<br>".join(html.escape(line) for line in lines) + "</p>"
    assert note_text(rewritten) == note_text("\n".join(lines))


@given(st.text(max_size=40))
def test_reading_a_plain_note_again_changes_nothing(text: str) -> None:
    read = note_text(text.replace("&", "+").replace("<", "("))
    assert note_text(read) == read
