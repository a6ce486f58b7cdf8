"""The day of a cell, and the date in a sentence."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.custodians.dates import find_date, read_day


@pytest.mark.parametrize(
    "cell",
    [
        "2026-01-31", "2026/01/31", "20260131", "01/31/2026", "1/31/2026", "31-JAN-26", "31-Jan-2026",
        "01/31/2026 13:22:52", "2026-01-31;095038", "20260131;095038", "2026-01-31, 09:30:00",
        "2026-01-31T09:30:00", "01/31/2026 01:02 PM ET", " 2026-01-31 ", dt.date(2026, 1, 31),
        dt.datetime(2026, 1, 31, 9, 30),
    ],
)  # fmt: skip
def test_days(cell):
    assert read_day(cell) == dt.date(2026, 1, 31)


@pytest.mark.parametrize(
    "cell",
    ["", "--", "soon", "31/01/2026", "2026-02-30", "2026-01-31x", "126349109", "2026", "1.5", None, 5,
     "01/31/20266", "31-XYZ-26", "00/00/0000"],
)  # fmt: skip
def test_what_is_no_day(cell):
    assert read_day(cell) is None


@given(st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31)))
def test_every_day_in_every_way(day):
    ways = (day.isoformat(), f"{day:%Y%m%d}", f"{day:%m/%d/%Y}", f"{day:%Y/%m/%d};101112")
    assert {read_day(text) for text in ways} == {day}


def test_a_date_with_a_clock_between():
    assert find_date("as of Tue Sep 28  23:17:11 EDT 2021") == dt.date(2021, 9, 28)
    assert find_date("Tue Mar 03  19:13:09 EDT 2026 from 01/01/2026 to 03/04/2026") == dt.date(
        2026, 3, 4
    )
