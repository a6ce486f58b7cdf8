"""What a table of positions says as a whole: its decimal sign, its currency, its dates.

The table is read a few households at a time, and each part must be read as the whole would be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from xl_rebal.batch.headings import Heading, role_cells
from xl_rebal.custodians import generic, kinds
from xl_rebal.custodians.columns import MONEY_ROLES
from xl_rebal.custodians.dates import find_date, stated_as_of
from xl_rebal.custodians.faults import Problems
from xl_rebal.custodians.mapping import ColumnMapping
from xl_rebal.custodians.money import decide_styles
from xl_rebal.custodians.numbers import (
    Cell,
    DecimalStyle,
    StyleEvidence,
    count_evidence,
    parse_column,
    style_evidence,
)
from xl_rebal.custodians.rates import base_currency
from xl_rebal.custodians.row_streams import Lined
from xl_rebal.custodians.sheets import as_text, filled
from xl_rebal.custodians.statement import Statement
from xl_rebal.custodians.table import Defaults, Table, columns_of
from xl_rebal.errors import ReadError
from xl_rebal.portfolio.holdings import Holdings

_DATED = ("as_of", "valuation_date")
_SAMPLE = 5000  # rows that decide what no single cell decides
_SLIPS = 0.01  # share of numbers in the other way that may be slips of the pen
_FOREIGN_SIGNS = ("€", "£", "¥", "EUR", "GBP", "CHF", "JPY", "CAD", "AUD")


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsContext:
    """How every part of the table is read.

    as_of     the latest day that the table states, None for none.
    several   True where its rows are of several days.
    rates     the one rate that the table states for a currency, filled in where a row leaves it blank.
    """

    heading: Heading
    mapping: ColumnMapping
    as_of: dt.date | None
    several: bool
    rates: dict[str, float]
    warnings: tuple[str, ...] = ()

    def read(self, rows: Sequence[Lined]) -> Statement | None:
        """The holdings of some rows, None for no rows; raises ReadError with every bad row."""
        if not rows:
            return None
        statement = generic.read(self.heading.document(self._rated(rows)), self.mapping)
        return replace(statement, holdings=self._dated(statement.holdings, rows))

    def _rated(self, rows: Sequence[Lined]) -> Sequence[Lined]:
        header = self.heading.header
        if not self.rates or header is None:
            return rows
        money, rate = header.index["currency"], header.index["fx"]
        result = []
        for line, row in rows:
            code = kinds.currency_code(as_text(row[money])) if money < len(row) else None
            if code in self.rates and rate < len(row) and not as_text(row[rate]):
                row = [*row[:rate], self.rates[code], *row[rate + 1 :]]
            result.append((line, row))
        return result

    def _dated(self, holdings: Holdings, rows: Sequence[Lined]) -> Holdings:
        """The day of each row's price, where the table's rows are of several days."""
        header = self.heading.header
        if not self.several or header is None or "as_of" not in header.index:
            return holdings
        cells = role_cells(header, "as_of", rows)
        days = {line: find_date(as_text(cell)) for (line, _), cell in zip(rows, cells, strict=True)}
        own = np.array([days.get(n) or "NaT" for n in holdings.line.tolist()], "datetime64[D]")
        return replace(holdings, priced=np.where(np.isnat(holdings.priced), own, holdings.priced))


@dataclass(slots=True)
class PositionsSurvey:
    """Collects the context while the rows go by; see `PositionsContext`."""

    heading: Heading
    _evidence: dict[str, StyleEvidence] = field(default_factory=dict)
    _sample: list[Lined] = field(default_factory=list)
    _days: dict[str, set[str]] = field(default_factory=dict)
    _foreign: bool = False

    def look(self, rows: Sequence[Lined]) -> None:
        """Take account of some rows."""
        header = self.heading.header
        assert header is not None
        self._sample += rows[: _SAMPLE - len(self._sample)]
        for role in MONEY_ROLES:
            if role not in header.index:
                continue
            cells = role_cells(header, role, rows)
            known = self._evidence.get(role, StyleEvidence(point="", comma="", undecided=""))
            if not (known.point and known.comma and known.undecided):
                found = style_evidence(cells)
                self._evidence[role] = StyleEvidence(
                    point=known.point or found.point,
                    comma=known.comma or found.comma,
                    undecided=known.undecided or found.undecided,
                )
            self._foreign = self._foreign or _names_a_currency(cells)
        for role in _DATED:
            if role in header.index:
                texts = {as_text(cell) for cell in set(role_cells(header, role, rows))}
                self._days.setdefault(role, set()).update(texts)

    def context(self, parts: Callable[[], Iterable[Sequence[Lined]]]) -> PositionsContext:
        """What the whole table says. `parts` gives its rows once more, where they are asked for.

        Raises ReadError where its numbers are written in two ways.
        """
        header, heading = self.heading.header, self.heading
        assert header is not None
        problems = Problems(heading.stream.name)
        style = self._style(problems, parts)
        as_of, several = self._as_of()
        line = heading.above[-1][0]
        mapping = ColumnMapping(decimal=style.value, header_row=line or None)
        rates: dict[str, float] = {}
        if "currency" in header.index or "fx" in header.index or self._foreign:
            base, rates = _currencies(heading, style, parts())
            mapping = replace(mapping, currency=base)
        return PositionsContext(
            heading=heading,
            mapping=mapping,
            as_of=as_of,
            several=several,
            rates=rates,
            warnings=tuple(problems.warnings),
        )

    def _style(
        self, problems: Problems, parts: Callable[[], Iterable[Sequence[Lined]]]
    ) -> DecimalStyle:
        """One decimal sign for the table, as `money.decide_styles` finds it."""
        points = any(e.point for e in self._evidence.values())
        commas = any(e.comma for e in self._evidence.values())
        if points and commas:
            return self._majority(parts())
        if points or commas:
            return DecimalStyle.POINT if points else DecimalStyle.COMMA
        header = self.heading.header
        assert header is not None
        table = Table(
            columns=columns_of([row for _, row in self._sample], header.index),
            labels={},
            lines=np.array([line for line, _ in self._sample], dtype=np.int64),
        )
        styles = decide_styles(table, Defaults(), problems)
        return next(iter(styles.values()), DecimalStyle.POINT)

    def _majority(self, parts: Iterable[Sequence[Lined]]) -> DecimalStyle:
        """The sign of all but a slip or two, whose rows are then bad ones; a real mixture is refused."""
        header = self.heading.header
        assert header is not None
        points = commas = 0
        for rows in parts:
            for role in self._evidence:
                more = count_evidence(role_cells(header, role, rows))
                points, commas = points + more[0], commas + more[1]
        if min(points, commas) > _SLIPS * max(points, commas):
            found = [e for each in self._evidence.values() for e in (each.point, each.comma) if e]
            raise ReadError.of(
                where=self.heading.where,
                what=f"numbers are written in two ways ({' and '.join(sorted(set(found))[:4])})",
                remedy="write all numbers of the table with the same decimal sign",
            )
        return DecimalStyle.POINT if points > commas else DecimalStyle.COMMA

    def _as_of(self) -> tuple[dt.date | None, bool]:
        """(the latest day, whether the column as_of has several): the first column that states one,
        else what stands above the header.
        """
        several = False
        for role in _DATED:
            days = {day for text in self._days.get(role, ()) if (day := find_date(text))}
            several = several or (role == "as_of" and len(days) > 1)
            if days:
                return max(days), several
        for _, row in self.heading.above[:-1]:
            for text in filled(row):
                if (found := stated_as_of(text)) is not None:
                    return found[0], False
        return None, False


def _names_a_currency(cells: Sequence[Cell]) -> bool:
    joined = "\n".join(cell for cell in cells if type(cell) is str)
    return any(sign in joined for sign in _FOREIGN_SIGNS)


def _currencies(
    heading: Heading, style: DecimalStyle, parts: Iterable[Sequence[Lined]]
) -> tuple[str, dict[str, float]]:
    """(the currency that the table counts in, the single rate of each currency that has one)."""
    header = heading.header
    assert header is not None
    sums: dict[tuple[str, float], float] = {}
    for rows in parts:
        parsed = {
            role: parse_column(role_cells(header, role, rows), style)
            for role in ("quantity", "price", "value", "fx")
        }
        in_cells = [parsed[r].currency for r in ("quantity", "price", "value")]
        found = next((codes for codes in in_cells if codes is not None), None)
        named = [
            kinds.currency_code(as_text(c)) or "" for c in role_cells(header, "currency", rows)
        ]
        value, quantity = parsed["value"].values, parsed["quantity"].values
        money = np.abs(np.where(np.isfinite(value), value, quantity))
        for place, (code, rate, amount) in enumerate(
            zip(named, parsed["fx"].values.tolist(), money.tolist(), strict=True)
        ):
            code = code or (str(found[place]) if found is not None else "")
            key = (code, rate if rate == rate else 0.0)  # 0 stands for no rate
            sums[key] = sums.get(key, 0.0) + (amount if amount == amount else 0.0)
    currency = np.array([code for code, _ in sums], dtype=object)
    fx = np.array([rate or np.nan for _, rate in sums], dtype=np.float64)
    base = base_currency(currency, fx, np.array(list(sums.values())), "")
    stated: dict[str, set[float]] = {}
    for code, rate in sums:
        if code and rate:
            stated.setdefault(code, set()).add(rate)
    has_both = {"currency", "fx"} <= header.index.keys()
    single = {code: rates.pop() for code, rates in stated.items() if len(rates) == 1}
    return base, single if has_both else {}
