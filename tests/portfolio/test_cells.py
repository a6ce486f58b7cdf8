"""One cell to one value, as people type them."""

from __future__ import annotations

import datetime as dt
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.portfolio import cells


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        (5, 5.0),
        ("5", 5.0),
        (" 1,234.50 ", 1234.5),
        ("$1,234,567", 1234567.0),
        ("-$12.00", -12.0),
        ("(12.50)", -12.5),
        ("($1,000)", -1000.0),
        ("−3", -3.0),  # the typographic minus that web pages use
        ("12%", 0.12),
        ("\u00a07\u00a0", 7.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("€ 5", 5.0),
    ],
)
def test_numbers_as_they_are_typed(typed: object, value: float) -> None:
    assert cells.number(typed) == pytest.approx(value, abs=1e-15)


@pytest.mark.parametrize(
    "typed",
    [
        "abc", "12a", "1,23", "1,2345", "1.2.3", "", "-", "%", "()", "(-5)", "--5", True,
        float("nan"), float("inf"), "nan", "inf", "1e999", "1.000,50", "=1+1", "#N/A", "5%%",
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_with_a_remedy(typed: object) -> None:
    with pytest.raises(ValueError, match=r"; enter digits only$"):
        cells.number(typed)


@given(st.floats(allow_nan=False, allow_infinity=False, width=64))
def test_a_number_survives_being_written(value: float) -> None:
    assert cells.number(repr(value)) == value
    assert cells.number(value) == value


@given(st.integers(-(10**12), 10**12))
def test_thousands_commas_change_nothing(value: int) -> None:
    assert cells.number(f"{value:,}") == value
    assert cells.number(f"${abs(value):,}") == abs(value)


@pytest.mark.parametrize("typed", ["5%", "5pp", "5 pp", "500bp", "500 bps", 0.05, "0.05", ".05"])
def test_five_percent_is_one_fraction_however_it_is_typed(typed: object) -> None:
    assert cells.fraction(typed) == pytest.approx(0.05, abs=1e-15)


@pytest.mark.parametrize("typed", [5, "5", 1, "25", -3])
def test_a_fraction_of_one_or_more_needs_a_unit(typed: object) -> None:
    with pytest.raises(ValueError, match=r"has no unit; write .*% or "):
        cells.fraction(typed)


@pytest.mark.parametrize("typed", ["x%", "pp", "%", "5%%", "nan%"])
def test_a_unit_alone_is_no_fraction(typed: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        cells.fraction(typed)


@pytest.mark.parametrize(
    "blank", [None, "", "  ", "--", "-", "N/A", "n/a", "None", float("nan"), "\u00a0"]
)
def test_blanks(blank: object) -> None:
    assert cells.is_blank(blank)


@pytest.mark.parametrize("value", [0, 0.0, "0", False, "#N/A", "x"])
def test_zero_is_not_blank(value: object) -> None:
    assert not cells.is_blank(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12345678.0, "12345678"),  # an account number that a spreadsheet made a number
        (1.5, "1.5"),
        (None, ""),
        (" VTI ", "VTI"),
        ("0012-77", "0012-77"),
        (dt.datetime(2026, 11, 23), "2026-11-23"),
    ],
)
def test_text(value: object, text: str) -> None:
    assert cells.text(value) == text


@given(st.lists(st.text("0123456789.+-", max_size=6) | st.just("9" * 400) | st.text(max_size=3)))
def test_plain_numbers_are_those_of_number(texts: list[str]) -> None:
    """A column at once is its cells one by one; what it leaves alone has a cell that is no plain number."""
    found = cells.plain_numbers(texts)
    if found is None:
        assert any(
            text and not re.fullmatch(r"[+-]?\d{1,300}(\.\d*)?", text, re.ASCII) for text in texts
        )
    else:
        assert [repr(v) for v in found.tolist()] == [
            repr(cells.number(text) if text else math.nan) for text in texts
        ]


@given(st.lists(st.text(max_size=8) | st.floats() | st.none() | st.just("\u00a0 x\u00a0")))
def test_texts_are_those_of_text(values: list[object]) -> None:
    expected = [cells.text(value) if isinstance(value, str) else value for value in values]
    assert list(map(repr, cells.texts(values))) == list(map(repr, expected))


@pytest.mark.parametrize("value", ["yes", "Y", "TRUE", True, 1, 1.0, "x"])
def test_yes(value: object) -> None:
    assert cells.yes_no(value) is True


@pytest.mark.parametrize("value", ["no", "N", "FALSE", False, 0, 0.0])
def test_no(value: object) -> None:
    assert cells.yes_no(value) is False


def test_neither_yes_nor_no() -> None:
    with pytest.raises(ValueError, match="neither yes nor no; write yes or no"):
        cells.yes_no("maybe")


@pytest.mark.parametrize(
    "value",
    ["2026-11-23", "11/23/2026", "2026/11/23", "20261123", 20261123, dt.date(2026, 11, 23),
     dt.datetime(2026, 11, 23, 16, 30)],
)  # fmt: skip
def test_dates(value: object) -> None:
    assert cells.date(value) == dt.date(2026, 11, 23)


@pytest.mark.parametrize("value", ["23/11/2026", "2026-02-30", "tomorrow", "11/23/26", 5])
def test_a_date_that_is_none_is_refused_with_a_remedy(value: object) -> None:
    with pytest.raises(ValueError, match="is not a date; write it as 2026-11-23"):
        cells.date(value)
