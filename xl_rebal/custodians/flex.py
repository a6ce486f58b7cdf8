"""Interactive Brokers Flex queries (XML and CSV): positions, lots, cash, rates and totals.

SUMMARY rows are the positions and LOT rows the lots below them: never both. A query with LOT rows only
has the sum of the lots as its position. Money of each row is in the row's currency; `fxRateToBase`, a
conversion rate of the statement's last day, or the rate of the same currency in another row ties it to
the base currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from xl_rebal.custodians.assemble import assemble
from xl_rebal.custodians.dates import find_date, read_day
from xl_rebal.custodians.faults import Problems, listed
from xl_rebal.custodians.flex_records import (
    Record,
    csv_records,
    is_flex_csv,
    is_flex_xml,
    xml_records,
)
from xl_rebal.custodians.lot_rows import lots_of
from xl_rebal.custodians.numbers import ISO_CODES, Cell, DecimalStyle, parse_column
from xl_rebal.custodians.sheets import Document
from xl_rebal.custodians.statement import Statement
from xl_rebal.custodians.table import Defaults, Table
from xl_rebal.custodians.totals import summarise
from xl_rebal.errors import ReadError
from xl_rebal.portfolio.holdings import Kind

NAME = "ibkr"
_SUMMARY = "BASE_SUMMARY"
_LABELS = {"quantity": "Quantity", "price": "MarkPrice", "value": "PositionValue",
           "multiplier": "Multiplier", "fx": "FXRateToBase"}  # fmt: skip
_LOT_LABELS = {"quantity": "Quantity", "unit_cost": "CostBasisPrice", "cost": "CostBasisMoney",
               "acquired": "OpenDateTime"}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class _Query:
    """The records of all accounts, sorted by what they are; `trades` counts what is not read."""

    positions: list[Record] = field(default_factory=list)
    lots: list[Record] = field(default_factory=list)
    cash: list[Record] = field(default_factory=list)
    rates: list[Record] = field(default_factory=list)
    equity: list[Record] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    bases: dict[str, str] = field(default_factory=dict)
    until: str = ""
    trades: int = 0
    unknown: list[int] = field(default_factory=list)


def recognise(document: Document) -> bool:
    """A Flex query as XML or CSV."""
    return is_flex_xml(document) or is_flex_csv(document)


def read(document: Document) -> Statement:
    """Holdings and lots of every account; raises ReadError with every fault at once."""
    xml = is_flex_xml(document)
    query = _sorted(xml_records(document) if xml else csv_records(document))
    if not xml and not query.positions and not query.lots and not query.cash:
        what = "trades" if query.trades else "records without positions or cash"
        raise ReadError.of(
            where=document.name,
            what=f"is an Interactive Brokers Flex query of {what}, not of positions",
            remedy="add the sections Open Positions and Cash Report to the Flex query",
        )
    problems = Problems(document.name)
    if query.unknown:
        problems.warn(
            f"{listed(query.unknown)}: rows of a section that is neither positions, cash, rates, net asset "
            "value nor trades were not read"
        )
    base = _base(query, problems)
    rates = _rates(query, base)
    lots = lots_of([_lot(r) for r in query.lots], _LOT_LABELS, problems)
    positions = query.positions + _from_lots(query, problems)
    entries = [_position(r, rates) for r in positions]
    entries += _cash(query, rates, base, problems)
    accruals, totals = _equity(query, base)
    table = Table.of_entries(entries + accruals, _LABELS)
    defaults = Defaults(decimal=DecimalStyle.POINT, currency=base, price_percent=False)
    result = assemble(table, classify=lambda *_: "", defaults=defaults, problems=problems)
    problems.raise_faults()
    if not len(result.holdings):
        problems.warn("the Flex query has no open positions and no cash")
    dates = [d for r in (*positions, *query.equity) if (d := read_day(r.get("reportdate")))]
    as_of = max(dates) if dates else find_date(query.until)
    return Statement(
        custodian=NAME,
        source=document.name,
        as_of=as_of,
        as_of_text=as_of.isoformat() if as_of else "",
        base_currency=result.base_currency,
        accounts=summarise(result.holdings, query.names, totals, problems),
        holdings=result.holdings,
        warnings=tuple(problems.warnings),
        lots=lots,
    )


def _sorted(records: Iterable[Record]) -> _Query:
    query = _Query()
    for r in records:
        account = r.get("accountid")
        if r.section in {"flexstatement", "accountinformation"} and account:
            query.names[account] = r.get("acctalias", "name") or query.names.get(account, "")
            query.until = query.until or r.get("todate")
            if r.section == "accountinformation" and r.get("currency"):
                query.bases[account] = r.get("currency")
        elif r.section == "openposition" or (
            not r.section and r.has("symbol") and not r.has("buysell")
            and (r.has("quantity") or r.has("position"))
            and (r.has("markprice") or r.has("positionvalue") or r.has("levelofdetail"))
        ):  # fmt: skip
            lot = r.get("levelofdetail").upper() == "LOT"
            (query.lots if lot else query.positions).append(r)
        elif r.has("endingcash", "currency"):
            query.cash.append(r)
        elif r.has("fromcurrency", "tocurrency", "rate"):
            query.rates.append(r)
        elif r.has("total", "reportdate") and (r.has("cash") or r.has("stock")):
            query.equity.append(r)
        elif r.has("buysell") and (r.has("tradeprice") or r.has("tradedate")):
            query.trades += 1
        elif not r.section:
            query.unknown.append(r.line)
    return query


def _number(text: str) -> float:
    return float(parse_column([text], DecimalStyle.POINT).values[0])


def _base(query: _Query, problems: Problems) -> str:
    """The base currency: stated, else the one whose rate is 1; empty when the rows do not tell."""
    bases = set(query.bases.values())
    if len(bases) > 1:
        problems.warn(f"the accounts have several base currencies ({', '.join(sorted(bases))})")
        return ""
    if bases:
        return bases.pop()
    targets = {r.get("tocurrency") for r in query.rates} - {""}
    if len(targets) == 1:
        return targets.pop()
    rows = query.positions + query.lots
    ones = {r.get("currency") for r in rows if _number(r.get("fxratetobase")) == 1.0}
    if len(ones) == 1:
        return ones.pop()
    named = {r.get("currency") for r in rows + query.cash} - {"", _SUMMARY}
    rated = any(r.get("fxratetobase") for r in rows)
    return named.pop() if len(named) == 1 and not rated else ""


def _rates(query: _Query, base: str) -> dict[str, float]:
    """Currency -> base currency per unit: of the last day that the query holds rates for."""
    rates = {base: 1.0} if base else {}
    latest: dict[str, str] = {}
    for r in query.rates:
        code, day = r.get("fromcurrency"), r.get("reportdate")
        rate = _number(r.get("rate"))
        if r.get("tocurrency") in {base, ""} and rate > 0 and day >= latest.get(code, ""):
            latest[code], rates[code] = day, rate
    for r in query.positions + query.lots:
        rate = _number(r.get("fxratetobase"))
        if rate > 0:
            rates.setdefault(r.get("currency"), rate)
    return rates


def _position(r: Record, rates: Mapping[str, float]) -> dict[str, Cell]:
    code = r.get("currency")
    # A bond's price is in percent of par while its multiplier is stated as 1: its value tells.
    percent = r.get("assetcategory").upper() in {"BOND", "BILL"} and r.get("positionvalue")
    no_multiplier = percent or _number(r.get("multiplier")) == 0
    return {
        "account": r.get("accountid") or "Portfolio",
        "symbol": r.get("symbol") or r.get("isin", "conid"),
        "description": r.get("description"),
        "quantity": r.get("position", "quantity"),
        "multiplier": "" if no_multiplier else r.get("multiplier"),
        "price": r.get("markprice"),
        "value": r.get("positionvalue"),
        "currency": code,
        "fx": r.get("fxratetobase") or rates.get(code, ""),
        "kind": Kind.POSITION.value,
        "line": r.line,
    }


def _from_lots(query: _Query, problems: Problems) -> list[Record]:
    """One position for the lots of each security that has no SUMMARY row."""
    covered = {_key(r) for r in query.positions}
    sums: dict[tuple[str, str, str], list[Record]] = {}
    for r in query.lots:
        if _key(r) not in covered:
            sums.setdefault(_key(r), []).append(r)
    made = []
    for rows in sums.values():
        quantity = sum(_number(r.get("position", "quantity")) for r in rows)
        value = sum(_number(r.get("positionvalue")) for r in rows)
        values = dict(rows[0].values) | {"position": repr(quantity)}
        values["positionvalue"] = repr(value) if np.isfinite(value) else ""
        made.append(Record(section=rows[0].section, line=rows[0].line, values=values))
    if made:
        problems.warn(
            f"{listed(r.line for r in made)}: LOT rows without a SUMMARY row; the position is the sum "
            "of its lots"
        )
    return made


def _key(r: Record) -> tuple[str, str, str]:
    return r.get("accountid"), r.get("symbol") or r.get("isin", "conid"), r.get("currency")


def _lot(r: Record) -> dict[str, Cell]:
    return {
        "account": r.get("accountid") or "Portfolio",
        "symbol": r.get("symbol") or r.get("isin", "conid"),
        "acquired": r.get("opendatetime"),
        "quantity": r.get("position", "quantity"),
        "unit_cost": "" if r.get("costbasismoney") else r.get("costbasisprice"),
        "cost": r.get("costbasismoney"),
        "lot_id": r.get("originatingtransactionid"),
        "currency": r.get("currency"),
        "line": r.line,
    }


def _cash(
    query: _Query, rates: Mapping[str, float], base: str, problems: Problems
) -> list[dict[str, Cell]]:
    """Ending cash per account and currency; the base summary is what it must add up to."""
    entries: list[dict[str, Cell]] = []
    sums: dict[str, float] = {}
    summaries: dict[str, Record] = {}
    for r in query.cash:
        account, code = r.get("accountid") or "Portfolio", r.get("currency")
        if code.replace(" ", "_").upper().startswith("BASE"):
            summaries[account] = r
            continue
        amount = _number(r.get("endingcash"))
        rate = rates.get(code, float("nan"))
        sums[account] = sums.get(account, 0.0) + amount * rate if amount else sums.get(account, 0.0)
        settled = r.get("endingsettledcash")
        if settled and abs(_number(settled) - amount) > 0.005:
            problems.warn(
                f"line {r.line}: {code} cash of {amount:,.2f} counts what has not settled yet "
                f"(settled: {settled})"
            )
        if amount != 0:
            entries.append(_money(account, code, r.get("endingcash"), rates.get(code, ""), r.line))
    for account, r in summaries.items():
        stated = _number(r.get("endingcash"))
        if account not in sums and stated:
            entries.append(_money(account, base or "CASH", r.get("endingcash"), 1.0, r.line))
        elif account in sums and not abs(stated - sums[account]) <= 0.0101:
            problems.warn(
                f"line {r.line}: account {account} states cash of {stated:,.2f} {base} in all, its "
                f"currencies add up to {sums[account]:,.2f}"
            )
    return entries


def _money(account: str, code: str, amount: str, rate: Cell, line: int) -> dict[str, Cell]:
    return {
        "account": account, "symbol": code, "description": "Cash", "value": amount,
        "currency": code if code in ISO_CODES else "", "fx": rate, "kind": Kind.CASH.value,
        "line": line,
    }  # fmt: skip


def _equity(query: _Query, base: str) -> tuple[list[dict[str, Cell]], dict[str, float]]:
    """(accruals as pending rows, account -> stated total without them), of the last day of each."""
    last: dict[str, Record] = {}
    for r in query.equity:
        account = r.get("accountid") or "Portfolio"
        if account not in last or r.get("reportdate") >= last[account].get("reportdate"):
            last[account] = r
    accruals: list[dict[str, Cell]] = []
    totals: dict[str, float] = {}
    for account, r in last.items():
        total = _number(r.get("total"))
        for name, value in r.values.items():
            amount = _number(value) if name.endswith("accruals") else 0.0
            if amount and np.isfinite(amount):
                total -= amount
                words = "Dividend accruals" if "dividend" in name else "Interest accruals"
                accruals.append(
                    {
                        "account": account, "description": words, "value": value, "currency": base,
                        "fx": 1.0, "kind": Kind.PENDING.value, "line": r.line,
                    }
                )  # fmt: skip
        if np.isfinite(total):
            totals[account] = total
    return accruals, totals
