"""What is offered in place of a refused value: a table of what people really type, and what holds for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine.corrections import Fault, Takes, corrections, fault, longest_told
from crmsync.engine.mends import Way
from crmsync.engine.records import Value
from crmsync.engine.values import FieldType

SALUTATIONS = ("Herr", "Frau", "Firma")


def offered(value: Value, type: FieldType, words: str = "", **takes: object) -> list[Value]:
    return [one.value for one in corrections(value, Takes(type=type, **takes), words)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("refused", "meant"),
    [
        ("ada@gmail,com", "ada@gmail.com"),
        (" ada@example.org", "ada@example.org"),
        ("ada @example.org", "ada@example.org"),
        ("ada@example.org\u200b", "ada@example.org"),
        ("Ada Lovelace <ada@example.org>", "ada@example.org"),
        ("mailto:ada@example.org", "ada@example.org"),
        ("ada (at) example (dot) org", "ada@example.org"),
        ("ada@example..org", "ada@example.org"),
        ("ada@example.org.", "ada@example.org"),
        ("ada@@example.org", "ada@example.org"),
        ("ada@gmailcom", "ada@gmail.com"),
        ("adagmail.com", "ada@gmail.com"),
        ("ada@example.org (privat)", "ada@example.org"),
    ],
)
def test_an_email_is_offered_as_it_was_meant(refused: str, meant: str) -> None:
    assert offered(refused, FieldType.EMAIL) == [meant]


@pytest.mark.parametrize(
    ("refused", "meant"),
    [
        ("030 / 123 45 67", "+49301234567"),
        ("(030) 1234567", "+49301234567"),
        ("0049 30 1234567", "+49301234567"),
        ("49 30 1234567", "+49301234567"),
        ("+49 (0)30 1234567", "+49301234567"),
        ("Tel. 030 1234567", "+49301234567"),
        ("0171/1234567 (privat)", "+491711234567"),
        ("O3O 1234567", "+49301234567"),
    ],
)
def test_a_phone_is_offered_in_the_form_that_both_crms_take(refused: str, meant: str) -> None:
    assert offered(refused, FieldType.PHONE) == [meant]


def test_a_phone_gets_the_code_of_the_home_region() -> None:
    assert offered("(020) 7946 0018", FieldType.PHONE, region="GB") == ["+442079460018"]


@pytest.mark.parametrize("text", ["a@example.org; b@example.org", "a@example.org / b@example.org", "a@example.org oder b@example.org"])
def test_of_several_emails_each_is_offered(text: str) -> None:
    assert offered(text, FieldType.EMAIL) == ["a@example.org", "b@example.org"]


def test_of_several_phones_each_is_offered() -> None:
    assert offered("030 1234567 oder 0171 1234567", FieldType.PHONE) == ["+49301234567", "+491711234567"]


@pytest.mark.parametrize(
    ("refused", "type", "meant"),
    [
        ("31.12.1980", FieldType.DATE, ["1980-12-31"]),
        ("31.12.80", FieldType.DATE, ["1980-12-31"]),
        ("1.2.05", FieldType.DATE, ["2005-02-01", "2005-01-02"]),
        ("12/31/1980", FieldType.DATE, ["1980-12-31"]),
        ("31. Dezember 1980", FieldType.DATE, ["1980-12-31"]),
        ("December 31, 1980", FieldType.DATE, ["1980-12-31"]),
        ("19801231", FieldType.DATE, ["1980-12-31"]),
        ("1.234,50 €", FieldType.NUMBER, ["1234.50"]),
        ("1,234.50", FieldType.NUMBER, ["1234.50"]),
        ("www example.de", FieldType.URL, ["https://www.example.de"]),
        ("http//example.de", FieldType.URL, ["https://example.de"]),
        ("example,de", FieldType.URL, ["https://example.de"]),
        ("Deutschland", FieldType.COUNTRY, ["DE"]),
        ("U.S.A.", FieldType.COUNTRY, ["US"]),
    ],
)
def test_other_kinds_are_offered_in_the_form_that_the_field_takes(refused: str, type: FieldType, meant: list[str]) -> None:
    assert offered(refused, type) == meant


def test_a_date_that_could_be_two_is_first_as_one_writes_it_in_the_region() -> None:
    assert offered("04/05/1980", FieldType.DATE, region="US") == ["1980-04-05", "1980-05-04"]


@pytest.mark.parametrize(("refused", "nearest"), [("Hr.", "Herr"), ("herrr", "Herr"), ("Fr", "Frau"), (" frau", "Frau")])
def test_a_choice_is_the_nearest_one(refused: str, nearest: str) -> None:
    assert offered(refused, FieldType.CHOICE, options=SALUTATIONS)[0] == nearest


def test_of_several_choices_what_is_not_offered_is_replaced_or_left_out() -> None:
    [one] = corrections(("Rot", "Blu", "Uhu"), Takes(type=FieldType.LIST, options=("rot", "blau")))
    assert (one.value, one.way) == (("Rot", "blau"), Way.LEFT_OUT)


def test_a_text_is_cut_at_the_last_word_that_fits() -> None:
    assert offered("Institut für angewandte Forschung", FieldType.TEXT, capacity=24) == ["Institut für angewandte"]


@pytest.mark.parametrize(
    ("words", "longest"),
    [
        ("is too long (maximum is 80 characters)", 80),
        ("firstName must be shorter than or equal to 40 characters", 40),
        ("value must not exceed 250 characters", 250),
        ("is not included in the list", None),
        ("is too short (minimum is 8 characters)", None),
    ],
)
def test_the_crm_s_words_tell_how_long_a_text_may_be(words: str, longest: int | None) -> None:
    assert longest_told(words) == longest


def test_a_text_is_cut_to_what_the_crm_says() -> None:
    assert offered("x" * 90, FieldType.TEXT, "is too long (maximum is 80 characters)") == ["x" * 80]


@pytest.mark.parametrize("type", [FieldType.EMAIL, FieldType.PHONE, FieldType.URL, FieldType.DATE])
@pytest.mark.parametrize("text", ["n/a", "-", "keine", "Unbekannt"])
def test_what_stands_for_nothing_is_offered_empty(text: str, type: FieldType) -> None:
    assert offered(text, type) == [None]


@pytest.mark.parametrize(
    ("refused", "type"),
    [
        ("no e-mail at all", FieldType.EMAIL),
        ("ada", FieldType.EMAIL),
        ("12", FieldType.PHONE),
        ("1961-02-30", FieldType.DATE),
        ("Narnia", FieldType.COUNTRY),
        ("fine", FieldType.TEXT),
        (None, FieldType.EMAIL),
    ],
)
def test_nothing_is_offered_where_nothing_sensible_is_known(refused: Value, type: FieldType) -> None:
    assert offered(refused, type) == []


def test_what_only_changes_the_form_is_the_same_way_however_it_was_typed() -> None:
    ways = {corrections(text, Takes(type=FieldType.PHONE))[0].way for text in ("030 1234567", "0049 30 1234567", "(030) 1234567")}
    assert ways == {Way.FORM}


@pytest.mark.parametrize(
    ("value", "takes", "wrong"),
    [
        ("", Takes(type=FieldType.TEXT), Fault.NOTHING),
        ("ada@example", Takes(type=FieldType.EMAIL), Fault.NO_EMAIL),
        ("12", Takes(type=FieldType.PHONE), Fault.NO_PHONE),
        ("soon", Takes(type=FieldType.DATE), Fault.NO_DATE),
        ("many", Takes(type=FieldType.NUMBER), Fault.NO_NUMBER),
        ("nowhere", Takes(type=FieldType.URL), Fault.NO_URL),
        ("Germany", Takes(type=FieldType.COUNTRY), Fault.NO_COUNTRY),
        ("Dr.", Takes(type=FieldType.CHOICE, options=SALUTATIONS), Fault.NOT_OFFERED),
        ("x" * 81, Takes(type=FieldType.TEXT, capacity=80), Fault.TOO_LONG),
        ("frau", Takes(type=FieldType.CHOICE, options=SALUTATIONS), None),
        ("ada@example.org", Takes(type=FieldType.EMAIL, capacity=250), None),
    ],
)
def test_what_is_wrong_with_a_typed_value_is_told_by_its_kind(value: Value, takes: Takes, wrong: Fault | None) -> None:
    assert fault(value, takes) == wrong


kinds = st.builds(
    Takes,
    type=st.sampled_from(FieldType),
    capacity=st.none() | st.integers(1, 300),
    options=st.sampled_from(((), SALUTATIONS)),
    region=st.sampled_from(["DE", "US", "GB"]),
)
texts = st.text(max_size=60) | st.text("0123456789+ ()/-.,@;<>aegiloru", max_size=40)


@given(texts, kinds, st.text(max_size=30))
def test_what_is_offered_is_another_value_that_the_field_takes(value: str, takes: Takes, words: str) -> None:
    for one in corrections(value, takes, words):
        assert one.value != value
        assert one.mends
        assert one.value is None or fault(one.value, takes) is None


@given(texts, kinds)
def test_the_same_value_is_offered_once_and_in_the_same_order(value: str, takes: Takes) -> None:
    found = [one.value for one in corrections(value, takes)]
    assert len(found) == len(set(found)) <= 3
    assert found == [one.value for one in corrections(value, takes)]
