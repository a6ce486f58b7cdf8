"""Interactive Brokers activity statements (CSV): a section name and a row type lead every row.

`Open Positions,Data,Summary,…` rows are the holdings (the `Lot` rows below them are its lots); cash comes
from the Cash Report, else from Net Asset Value, whose total is what all must add up to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xl_rebal.custodians import columns
from xl_rebal.custodians.assemble import assemble
from xl_rebal.custodians.dates import find_date
from xl_rebal.custodians.faults import Problems
from xl_rebal.custodians.lot_rows import lots_of
from xl_rebal.custodians.numbers import ISO_CODES, Cell, DecimalStyle, parse_column
from xl_rebal.custodians.sheets import Document, Sheet, texts
from xl_rebal.custodians.statement import Statement
from xl_rebal.custodians.table import Defaults, Table
from xl_rebal.custodians.totals import summarise
from xl_rebal.errors import ReadError
from xl_rebal.portfolio.holdings import Kind

NAME = "ibkr"
_BASE_SUMMARY = "Base Currency Summary"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One row of a section: its type (Data, Total, …), line, plain cells, and cells by header."""

    type: str
    line: int
    cells: Sequence[str]
    named: Mapping[str, str]

    def get(self, *headers: str) -> str:
        """The first filled cell under one of the headers (by letters and digits)."""
        return next((v for h in headers if (v := self.named.get(h, ""))), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Activity:
    """One account's statement: section name -> its rows, under the headers in force there."""

    sections: Mapping[str, Sequence[_Row]]

    def rows(self, section: str, kind: str = "Data") -> Iterator[_Row]:
        return (row for row in self.sections.get(section, ()) if row.type == kind)

    def field(self, section: str, name: str) -> str:
        """The value of a `Field Name, Field Value` row."""
        return next(
            (r.get("fieldvalue") for r in self.rows(section) if r.get("fieldname") == name), ""
        )


def recognise(document: Document) -> bool:
    """The first rows are `Statement,Header,Field Name,…` or an Open Positions section."""
    return any(_is_activity(sheet) for sheet in document.sheets)


def _is_activity(sheet: Sheet) -> bool:
    leads = [tuple(texts(row[:2])) for row in sheet.rows[:2000] if len(row) > 2]
    return ("Statement", "Header") in leads or ("Open Positions", "Header") in leads


def read(document: Document) -> Statement:
    """Holdings of every account in the statement; raises ReadError with every fault at once."""
    sheet = next((s for s in document.sheets if _is_activity(s)), None)
    if sheet is None:
        raise ReadError.of(
            where=document.name,
            what="is no Interactive Brokers activity statement",
            remedy="leave the custodian out, or download the activity statement as CSV",
        )
    problems = Problems(document.name, "line" if not sheet.name else f"sheet {sheet.name!r} row")
    activities = list(_activities(sheet))
    entries: list[dict[str, Cell]] = []
    lots: list[dict[str, Cell]] = []
    names: dict[str, str] = {}
    totals: dict[str, float] = {}
    bases: set[str] = set()
    period = ""
    for activity in activities:
        account = activity.field("Account Information", "Account") or "Portfolio"
        base = activity.field("Account Information", "Base Currency")
        bases |= {base} if base else set()
        period = period or activity.field("Statement", "Period")
        if (
            names.setdefault(account, activity.field("Account Information", "Name"))
            and account in totals
        ):
            problems.warn(f"account {account} has more than one statement in this file")
        rates = _rates(activity, base, problems)
        found = _positions(activity, account, base, rates, problems) + _cash(
            activity, account, base, rates, problems
        )
        accruals, stated = _net_asset_value(activity, account, base)
        entries += found + accruals
        lots += _lots(activity, account, base)
        if stated is not None and {e["account"] for e in found} <= {account}:
            totals[account] = totals.get(account, 0.0) + stated
    table = Table.of_entries(entries, _LABELS)
    base = bases.pop() if len(bases) == 1 else ""
    if bases:
        problems.warn(f"the statements have several base currencies ({', '.join(sorted(bases))})")
    defaults = Defaults(decimal=DecimalStyle.POINT, currency=base)
    result = assemble(table, classify=lambda *_: "", defaults=defaults, problems=problems)
    open_lots = lots_of(lots, _LOT_LABELS, problems)
    problems.raise_faults()
    if not result.holdings.is_position.any():
        problems.warn("the statement has no open positions")
    return Statement(
        custodian=NAME,
        source=document.name,
        as_of=find_date(period),
        as_of_text=period,
        base_currency=result.base_currency,
        accounts=summarise(result.holdings, names, totals, problems),
        holdings=result.holdings,
        warnings=tuple(problems.warnings),
        lots=open_lots,
    )


def _activities(sheet: Sheet) -> Iterator[_Activity]:
    """The sheet parted at each `Statement,Header`: one part per account's statement."""
    sections: dict[str, list[_Row]] = {}
    header: list[str] = []
    for number, raw in enumerate(sheet.rows):
        row = texts(raw)
        if len(row) < 2 or not row[0]:
            continue
        section, kind, cells = row[0], row[1], row[2:]
        if kind == "Header":
            if section == "Statement" and sections:
                yield _Activity(sections=sections)
                sections = {}
            header = [columns.key(c) for c in cells]
            continue
        named = dict(zip(header, cells, strict=False))
        sections.setdefault(section, []).append(
            _Row(type=kind, line=sheet.line(number), cells=cells, named=named)
        )
    if sections:
        yield _Activity(sections=sections)


def _number(text: str) -> float:
    """A number of the statement; NaN when blank or none."""
    parsed = parse_column([text], DecimalStyle.POINT)
    return float(parsed.values[0])


def _rates(activity: _Activity, base: str, problems: Problems) -> dict[str, float]:
    """Currency -> base currency per unit, from the statement's own figures, best source first."""
    rates = {base: 1.0} if base else {}
    for section in ("Base Currency Exchange Rate", "Exchange Rates"):
        for row in activity.rows(section):
            rate = _number(row.get("exchangerate", "rate"))
            if rate > 0:
                rates.setdefault(row.get("currency"), rate)
    for row in activity.rows("Forex Balances"):
        code, rate = row.get("description"), _number(row.get("closeprice"))
        if code in ISO_CODES and rate > 0 and row.get("currency") == base:
            rates.setdefault(code, rate)
    for row in activity.rows("Mark-to-Market Performance Summary"):
        code, rate = row.get("symbol"), _number(row.get("currentprice"))
        if row.get("assetcategory") == "Forex" and code in ISO_CODES and rate > 0:
            rates.setdefault(code, rate)
    _rates_from_totals(activity, base, rates, problems)
    return rates


def _rates_from_totals(
    activity: _Activity, base: str, rates: dict[str, float], problems: Problems
) -> None:
    """A foreign section's total is followed by the same total in the base currency."""
    before: tuple[str, float, float] | None = None
    derived: dict[str, list[tuple[float, float]]] = {}
    for row in activity.sections.get("Open Positions", ()):
        if row.type != "Total":
            before = None
            continue
        filled = [c for c in row.cells if c]
        if len(filled) < 4:
            continue
        code, cost, value = filled[1], _number(filled[2]), _number(filled[3])
        if code != base:
            before = (code, cost, value)
        elif before is not None:
            derived.setdefault(before[0], []).append((before[2], value))
            before = None
    for code, pairs in derived.items():
        foreign, own = max(pairs, key=lambda p: abs(p[0]))
        if code not in rates and foreign and own / foreign > 0:
            rates[code] = own / foreign
            problems.warn(
                f"exchange rate of {code}: {own / foreign:.6f} {base}, derived from the statement's totals "
                f"({own:,.2f} {base} for {foreign:,.2f} {code})"
            )


def _positions(
    activity: _Activity,
    account: str,
    base: str,
    rates: Mapping[str, float],
    problems: Problems,
) -> list[dict[str, Cell]]:
    described = {
        symbol.strip(): row.get("description")
        for row in activity.rows("Financial Instrument Information")
        for symbol in row.get("symbol").split(",")
    }
    entries: list[dict[str, Cell]] = []
    for row in activity.rows("Open Positions"):
        if _DISCRIMINATOR.isdisjoint(row.named):
            problems.fault(
                row.line, "DataDiscriminator", "is missing from the header above",
                "download the statement again: without it lots would be counted as positions",
            )  # fmt: skip
            continue
        if row.get("datadiscriminator", "header") not in {"Summary", ""}:
            continue  # Lot rows repeat what the Summary row above them holds
        code = row.get("currency") or base
        entries.append(
            {
                "account": row.get("account") or account,
                "symbol": row.get("symbol"),
                "description": described.get(row.get("symbol"), ""),
                "quantity": row.get("quantity"),
                "multiplier": "" if _is_bond(row) else row.get("mult", "multiplier"),
                "price": row.get("closeprice"),
                "value": row.get("value"),
                "currency": code,
                "fx": rates.get(code, ""),
                "kind": Kind.POSITION.value,
                "line": row.line,
            }
        )
    return entries


def _is_bond(row: _Row) -> bool:
    """True for bonds with a value: their price is in percent of par, which Mult does not say."""
    category = row.get("assetcategory").casefold()
    return bool(row.get("value")) and ("bond" in category or "bill" in category)


def _lots(activity: _Activity, account: str, base: str) -> list[dict[str, Cell]]:
    """The `Lot` rows below each Summary; their day stands under `Open` where the statement shows it."""
    return [
        {
            "account": row.get("account") or account,
            "symbol": row.get("symbol"),
            "acquired": row.get("open"),
            "quantity": row.get("quantity"),
            "unit_cost": "" if row.get("costbasis") else row.get("costprice"),
            "cost": row.get("costbasis"),
            "currency": row.get("currency") or base,
            "line": row.line,
        }
        for row in activity.rows("Open Positions")
        if row.get("datadiscriminator") == "Lot"
    ]


def _cash(
    activity: _Activity, account: str, base: str, rates: Mapping[str, float], problems: Problems
) -> list[dict[str, Cell]]:
    """Ending cash per currency (settled and not): what Net Asset Value counts as cash."""
    ending: dict[tuple[str, str], tuple[str, int]] = {}
    settled: dict[tuple[str, str], str] = {}
    for row in activity.rows("Cash Report"):
        name, code = row.get("currencysummary"), row.get("currency")
        place = (row.get("account") or account, code)
        if name == "Ending Cash":
            ending[place] = (row.get("total"), row.line)
        elif name == "Ending Settled Cash":
            settled[place] = row.get("total")
            ending.setdefault(place, (row.get("total"), row.line))
    by_currency = {p: v for p, v in ending.items() if p[1] in ISO_CODES}
    summary = {p: v for p, v in ending.items() if p[1] == _BASE_SUMMARY}
    if not by_currency and summary:
        by_currency = {(p[0], base): v for p, v in summary.items()}
    if not by_currency:
        for row in activity.rows("Net Asset Value"):
            if row.get("assetclass") == "Cash":
                amount = row.get("currenttotal", "total")
                by_currency = {(account, base): (amount, row.line)} if amount else {}
    for place, text in settled.items():
        if place in by_currency and abs(_number(text) - _number(by_currency[place][0])) > 0.005:
            problems.warn(
                f"{place[1]} cash of {by_currency[place][0]} counts what has not settled yet "
                f"(settled: {text})"
            )
    return [
        {
            "account": owner, "symbol": code or "CASH", "description": "Cash", "value": amount,
            "currency": code, "fx": rates.get(code, ""), "kind": Kind.CASH.value, "line": line,
        }
        for (owner, code), (amount, line) in by_currency.items()
        if _number(amount) != 0
    ]  # fmt: skip


def _net_asset_value(
    activity: _Activity, account: str, base: str
) -> tuple[list[dict[str, Cell]], float | None]:
    """(accruals as pending rows, the stated total without them)."""
    accruals: list[dict[str, Cell]] = []
    total = None
    for row in activity.rows("Net Asset Value"):
        amount = _number(row.get("currenttotal"))
        if not np.isfinite(amount):
            continue  # the section's second table, rates of return
        name = row.get("assetclass")
        if name == "Total":
            total = amount
        elif "accrual" in name.casefold() and amount:
            accruals.append(
                {
                    "account": account, "description": name, "value": row.get("currenttotal"),
                    "currency": base, "fx": 1.0, "kind": Kind.PENDING.value, "line": row.line,
                }
            )  # fmt: skip
    if total is not None:
        total -= sum(_number(str(a["value"])) for a in accruals)
    return accruals, total


_DISCRIMINATOR = frozenset({"datadiscriminator", "header"})
_LOT_LABELS = {"quantity": "Quantity", "cost": "Cost Basis", "acquired": "Open"}
_LABELS = {"quantity": "Quantity", "price": "Close Price", "value": "Value", "multiplier": "Mult"}
