"""Amounts as people and exports write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.custodians.numbers import DecimalStyle, parse_column, style_evidence

POINT, COMMA = DecimalStyle.POINT, DecimalStyle.COMMA


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234.5", 1234.5),
        ("$1,234.56", 1234.56),
        ("-$1,234.56", -1234.56),
        ("$-1,234.56", -1234.56),
        ("+$9521.31", 9521.31),
        ("($11,529.57)", -11529.57),
        ("(12)", -12.0),
        ("$(12.50)", -12.5),
        ("12.5-", -12.5),
        ("\u22125.25", -5.25),
        ("$202,775.94 ", 202775.94),
        ("1 234.5", 1234.5),
        ("1\u00a0234.5", 1234.5),
        ("1\u202f234", 1234.0),
        ("1'234'567.8", 1234567.8),
        ("1’234.5", 1234.5),
        (".5", 0.5),
        ("-.29", -0.29),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("12,34,567.5", 1234567.5),
        ("0012", 12.0),
    ],
)
def test_english_forms(text, value):
    parsed = parse_column([text], POINT)
    assert parsed.values[0] == pytest.approx(value)
    assert not parsed.bad


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.234,56", 1234.56),
        ("-1.234,56", -1234.56),
        ("1234,5", 1234.5),
        ("1 234,5", 1234.5),
        ("(1.234.567,8)", -1234567.8),
        ("1.234,56 €", 1234.56),
        ("1.234", 1234.0),
        ("1.234,5-", -1234.5),
        (",5", 0.5),
    ],
)
def test_european_forms(text, value):
    parsed = parse_column([text], COMMA)
    assert parsed.values[0] == pytest.approx(value)
    assert not parsed.bad


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("$5", "USD"), ("€5", "EUR"), ("5 €", "EUR"), ("£1,000.00", "GBP"), ("USD5", "USD"),
        ("5 CHF", "CHF"), ("CHF 1'000.50", "CHF"), ("C$5", "CAD"), ("-£5", "GBP"), ("US$5", "USD"),
    ],
)  # fmt: skip
def test_currency_in_the_cell(text, code):
    parsed = parse_column([text, "7"], POINT)
    assert not parsed.bad
    assert parsed.currency is not None
    assert parsed.currency.tolist() == [code, ""]


@pytest.mark.parametrize(
    "text",
    [
        "abc", "12abc", "1,23,4", "1.2.3", "--5", "+-5", "1,2345", "5 XYZ", "#REF!", "nan", "NaN", "inf",
        "-inf", "1e999", "5%", "1_000", "(5", "０x1", "()", "$", "1 23",
    ],
)  # fmt: skip
def test_what_is_no_amount(text):
    parsed = parse_column(["1", text], POINT)
    assert list(parsed.bad) == [1], text
    assert math.isnan(parsed.values[1])


@pytest.mark.parametrize("text", ["", " ", "--", "-", "N/A", "n/a", "#N/A", "null", "—"])
def test_blank_is_no_error_and_not_zero(text):
    parsed = parse_column([text], POINT)
    assert math.isnan(parsed.values[0])
    assert not parsed.bad


def test_percent_only_where_it_may_stand():
    assert parse_column(["98.5%"], POINT, percent=True).values[0] == pytest.approx(0.985)
    assert "percentage" in parse_column(["98.5%"], POINT).bad[0]


def test_typed_cells_of_a_workbook():
    parsed = parse_column([1, 2.5, "3", None, True, float("nan"), float("inf")], POINT)
    assert parsed.values[:3].tolist() == [1.0, 2.5, 3.0]
    assert sorted(parsed.bad) == [4, 6]


def test_odd_cells_among_many_ordinary_ones():
    cells = ["1,000.5", "", "$2", "(3)", "x", "4"] * 700  # more odd cells than the quick run allows
    parsed = parse_column(cells, POINT)
    assert parsed.values[:4].tolist()[0] == 1000.5
    assert parsed.values[3::6].tolist() == [-3.0] * 700
    assert len(parsed.bad) == 700


@given(
    st.lists(
        st.decimals(min_value=-(10**9), max_value=10**9, places=4, allow_nan=False), min_size=1
    ),
    st.sampled_from(["plain", "$", "paren", "trailing"]),
    st.booleans(),
)
def test_formats_round_trip(amounts, form, grouped):
    for style in DecimalStyle:
        cells = []
        for amount in amounts:
            text = f"{abs(amount):,.4f}" if grouped else f"{abs(amount):.4f}"
            if style is COMMA:
                text = text.translate(str.maketrans(",.", ".,"))
            if form == "$":
                text = f"${text}"
            if amount < 0:
                text = {"paren": f"({text})", "trailing": f"{text}-"}.get(form, f"-{text}")
            cells.append(text)
        parsed = parse_column(cells, style)
        assert not parsed.bad
        assert parsed.values.tolist() == [float(a) for a in amounts]


@pytest.mark.parametrize(
    ("cells", "point", "comma"),
    [
        (["1,234.5"], True, False),
        (["1.234,5"], False, True),
        (["12.5"], True, False),
        (["12,5"], False, True),
        (["1,234,567"], True, False),
        (["1.234.567"], False, True),
        (["0.123"], True, False),
        (["1.234", "1,234"], False, False),
        (["1'234.567"], True, False),
        (["1234.567"], True, False),
        (["5"], False, False),
    ],
)
def test_evidence_for_the_decimal_sign(cells, point, comma):
    evidence = style_evidence(cells)
    assert (bool(evidence.point), bool(evidence.comma)) == (point, comma)


@given(st.lists(st.text("0123456789.+-", max_size=7), min_size=1))
def test_a_column_of_plain_numbers_is_its_cells(texts):
    """Understood at once, or beside a cell that is no plain number: the same numbers, the same bad cells."""
    alone, beside = parse_column(texts, POINT), parse_column([*texts, "$ 1"], POINT)
    assert list(map(repr, alone.values.tolist())) == list(map(repr, beside.values.tolist()[:-1]))
    assert alone.bad == beside.bad
