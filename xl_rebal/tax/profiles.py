"""Tax profiles: one tax return of one year, by stated rates or by its income and filing status."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from xl_rebal.errors import Fault, FaultList, TableError, TaxError
from xl_rebal.portfolio import tables
from xl_rebal.tax.law import YEARS, FilingStatus, StatusLaw, YearLaw, law_of

_WORDS = {
    "single": FilingStatus.SINGLE, "s": FilingStatus.SINGLE,
    "marriedjoint": FilingStatus.JOINT, "marriedfilingjointly": FilingStatus.JOINT,
    "joint": FilingStatus.JOINT, "mfj": FilingStatus.JOINT, "married": FilingStatus.JOINT,
    "marriedseparate": FilingStatus.SEPARATE, "marriedfilingseparately": FilingStatus.SEPARATE,
    "separate": FilingStatus.SEPARATE, "mfs": FilingStatus.SEPARATE,
    "headofhousehold": FilingStatus.HEAD, "head": FilingStatus.HEAD, "hoh": FilingStatus.HEAD,
    "survivingspouse": FilingStatus.SURVIVING, "qualifyingsurvivingspouse": FilingStatus.SURVIVING,
    "qss": FilingStatus.SURVIVING, "widow": FilingStatus.SURVIVING,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxProfile:
    """One tax return in one year. Rates are fractions, amounts dollars.

    ordinary     rate on short-term gains and other income; None: worked out from magi and filing_status
                 (with `long_term`: both are stated or neither).
    long_term    rate on long-term gains; None: worked out.
    niit         rate of the net investment income tax that applies; None: worked out.
    state        state and local rate on gains and income.
    magi         modified adjusted gross income of the year *without* any capital gain or loss.
    carry_short  short-term loss carried into the year, a positive number.
    carry_long   long-term loss carried into the year, a positive number.
    ytd_short    net short-term gain realised so far in the year, negative for a loss.
    ytd_long     net long-term gain realised so far in the year, negative for a loss.
    """

    tax_profile: str = ""
    year: int
    filing_status: FilingStatus | None = None
    ordinary: float | None = None
    long_term: float | None = None
    niit: float | None = None
    state: float = 0.0
    magi: float | None = None
    carry_short: float = 0.0
    carry_long: float = 0.0
    ytd_short: float = 0.0
    ytd_long: float = 0.0

    def __post_init__(self) -> None:
        faults = [
            Fault(where=f"tax profile {self.tax_profile!r}, {column}", what=what, remedy=remedy)
            for column, what, remedy in _faults(self)
        ]
        if faults:
            raise TaxError(*faults)

    @property
    def rates_by_law(self) -> bool:
        """True when the rates on gains are worked out from income and filing status."""
        return self.ordinary is None

    @property
    def law(self) -> YearLaw:
        """The federal figures of the profile's year."""
        return law_of(self.year)

    @property
    def nearest_law(self) -> YearLaw:
        """The figures of the known year nearest to its own, for what statute leaves unchanged."""
        return law_of(min(max(self.year, YEARS[0]), YEARS[-1]))

    @property
    def status_law(self) -> StatusLaw:
        """The federal figures of its year and filing status."""
        if self.filing_status is None:
            raise TaxError.of(
                where=f"tax profile {self.tax_profile!r}, filing_status",
                what="is blank",
                remedy=f"use one of {', '.join(FilingStatus)}",
            )
        return self.law.by_status[self.filing_status]

    @property
    def loss_limit(self) -> float:
        """Net loss that the year may deduct from other income: $3,000, filing separately $1,500."""
        status = self.filing_status or FilingStatus.SINGLE
        return self.nearest_law.by_status[status].loss_limit

    def in_words(self) -> str:
        """`2026, married_joint, MAGI 400,000, state 5%`."""
        words = [str(self.year)]
        if self.filing_status is not None:
            words.append(self.filing_status.value)
        if self.magi is not None:
            words.append(f"MAGI without gains {self.magi:,.0f}")
        for name in ("ordinary", "long_term", "niit", "state"):
            rate = getattr(self, name)
            if rate:
                words.append(f"{name} {rate * 100:g}%")
        return ", ".join(words)


def filing_status(text: str) -> FilingStatus:
    """The filing status that a word names; raises ValueError."""
    found = _WORDS.get(re.sub(r"[^a-z]", "", text.casefold()))
    if found is None:
        raise ValueError(f"{text!r} is not known; use one of {', '.join(FilingStatus)}")
    return found


def profiles_from_rows(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, int], TaxProfile]:
    """Tax profiles by name and year from the rows of `tax_profiles`; every bad row is reported."""
    faults = FaultList()
    result: dict[tuple[str, int], TaxProfile] = {}
    names = {field.name for field in fields(TaxProfile)}
    for row in rows:
        given = {name: value for name, value in row.items() if name in names}

        def at(column: str, what: str, remedy: str, row: Mapping[str, Any] = row) -> None:
            faults.extend([tables.fault_at("tax_profiles", row, column, what, remedy)])

        if given["year"] != int(given["year"]):
            at("year", f"{given['year']:g} is no year", "write it as 2026")
            continue
        given["year"] = int(given["year"])
        if "filing_status" in given:
            try:
                given["filing_status"] = filing_status(given["filing_status"])
            except ValueError as error:
                what, _, remedy = str(error).partition("; ")
                at("filing_status", what, remedy)
                continue
        key = (given["tax_profile"], given["year"])
        if key in result:
            at("tax_profile", f"{key[0]} stands twice for {key[1]}", "keep one row")
            continue
        try:
            result[key] = TaxProfile(**given)
        except TaxError as error:
            for fault in error.faults:
                at(fault.where.rpartition(", ")[2], fault.what, fault.remedy)
    faults.raise_as(TableError)
    return result


def profiles_of(profiles: Mapping[tuple[str, int], TaxProfile], year: int) -> dict[str, TaxProfile]:
    """The profiles of one year by name; raises TaxError for those that have none for it."""
    result = {name: p for (name, of), p in profiles.items() if of == year}
    faults = FaultList()
    for name in dict.fromkeys(name for name, _ in profiles):
        if name not in result:
            years = ", ".join(str(of) for other, of in profiles if other == name)
            faults.add(
                where=f"tax_profiles, {name}",
                what=f"is for {years}, and the trades are of {year}",
                remedy=f"add a row for {year}",
            )
    faults.raise_as(TaxError)
    return result


def _faults(profile: TaxProfile) -> list[tuple[str, str, str]]:
    """(column, what, remedy) of everything that is wrong with a profile."""
    found = []
    for name in ("ordinary", "long_term", "niit", "state"):
        rate = getattr(profile, name)
        if rate is not None and not 0 <= rate < 1:
            found.append((name, f"{rate:g} is no rate", "enter a fraction from 0 to less than 1"))
    for name in ("carry_short", "carry_long"):
        if not getattr(profile, name) >= 0:
            found.append((name, "is negative", "enter a loss carried forward as a positive number"))
    if (profile.ordinary is None) != (profile.long_term is None):
        blank = "ordinary" if profile.ordinary is None else "long_term"
        what = "is blank, and the other rate on gains is stated"
        found.append((blank, what, "state both ordinary and long_term, or neither"))
    missing = [n for n in ("ordinary", "long_term", "niit") if getattr(profile, n) is None]
    if not missing:
        return found
    which = ", ".join(missing)
    if profile.magi is None:
        what = f"is blank, and {which} must be worked out from it"
        found.append(("magi", what, f"enter the year's income without gains, or state {which}"))
    if profile.filing_status is None:
        what = f"is blank, and {which} must be worked out from it"
        found.append(("filing_status", what, f"use one of {', '.join(FilingStatus)}"))
    if profile.year not in YEARS:
        what = f"the figures of {profile.year} are not known"
        known = ", ".join(map(str, YEARS))
        found.append(("year", what, f"use one of {known}, or state ordinary, long_term and niit"))
    return found
