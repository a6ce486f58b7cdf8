"""The federal figures that gains are taxed by, year by year; each file of `data/` names its sources."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources

from xl_rebal.errors import TaxError

YEARS = (2024, 2025, 2026)


class FilingStatus(StrEnum):
    """How a tax return is filed."""

    SINGLE = "single"
    JOINT = "married_joint"
    SEPARATE = "married_separate"
    HEAD = "head_of_household"
    SURVIVING = "surviving_spouse"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLaw:
    """The figures of one filing status in one year, in dollars.

    tops            upper edges of the ordinary brackets; the last is infinite.
    long_term_tops  taxable income up to which the rates for long-term gains reach; the last is infinite.
    deduction       the standard deduction.
    niit_threshold  modified adjusted gross income above which the net investment income tax starts.
    loss_limit      net capital loss that may be deducted from other income in one year.
    """

    tops: tuple[float, ...]
    long_term_tops: tuple[float, ...]
    deduction: float
    niit_threshold: float
    loss_limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class YearLaw:
    """The figures of one year: rates, and thresholds by filing status.

    sources  what each figure is taken from.
    """

    year: int
    ordinary_rates: tuple[float, ...]
    long_term_rates: tuple[float, ...]
    collectible_rate: float
    niit_rate: float
    by_status: Mapping[FilingStatus, StatusLaw]
    sources: Mapping[str, str]


@lru_cache(maxsize=len(YEARS))
def law_of(year: int) -> YearLaw:
    """The law of a year; raises TaxError for a year whose figures are not here: they are never guessed."""
    if year not in YEARS:
        known = ", ".join(map(str, YEARS))
        raise TaxError.of(
            where=f"tax year {year}",
            what="its figures are not known",
            remedy=f"use one of {known}, or state ordinary, long_term, niit and filing_status yourself",
        )
    path = resources.files("xl_rebal.tax") / "data" / f"{year}.toml"
    read = tomllib.loads(path.read_text(encoding="utf-8"))
    rates = read["rates"]
    return YearLaw(
        year=read["year"],
        ordinary_rates=tuple(rates["ordinary"]),
        long_term_rates=tuple(rates["long_term"]),
        collectible_rate=rates["collectible"],
        niit_rate=rates["niit"],
        by_status={
            status: StatusLaw(
                tops=(*map(float, read[status]["tops"]), math.inf),
                long_term_tops=(*map(float, read[status]["long_term_tops"]), math.inf),
                deduction=float(read[status]["deduction"]),
                niit_threshold=float(read[status]["niit_threshold"]),
                loss_limit=float(read[status]["loss_limit"]),
            )
            for status in FilingStatus
        },
        sources=read["sources"],
    )
