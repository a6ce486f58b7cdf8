"""OFX and QFX downloads of investment accounts: positions, available cash and the list of securities.

OFX 1.6 and 2.2, chapter 13: `UNITS` are negative or the position is SHORT; `CURRENCY` gives the price of
one unit of the row's currency in the statement's (`CURRATE`); `AVAILCASH` counts sweep funds too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xl_rebal.custodians import columns, kinds
from xl_rebal.custodians.assemble import assemble
from xl_rebal.custodians.dates import read_day
from xl_rebal.custodians.faults import Problems
from xl_rebal.custodians.numbers import Cell, DecimalStyle, parse_column
from xl_rebal.custodians.ofx_tree import Element, is_ofx, parse
from xl_rebal.custodians.sheets import Document
from xl_rebal.custodians.statement import Statement
from xl_rebal.custodians.table import Defaults, Table
from xl_rebal.custodians.totals import summarise
from xl_rebal.errors import ReadError
from xl_rebal.portfolio.holdings import Kind

NAME = "ofx"
_POSITIONS = ("POSMF", "POSSTOCK", "POSDEBT", "POSOPT", "POSOTHER")
_WORTH = {"networth", "accountvalue", "netaccountvalue", "totalaccountvalue", "totalvalue"}
_LABELS = {"quantity": "UNITS", "price": "UNITPRICE", "value": "MKTVAL", "fx": "CURRATE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Security:
    """An entry of the security list."""

    ticker: str
    name: str


def recognise(document: Document) -> bool:
    """An OFX or QFX file."""
    return is_ofx(document)


def read(document: Document) -> Statement:
    """Holdings of every investment account in the file; ReadError with every fault at once."""
    root = parse(document)
    statements = list(root.all("INVSTMTRS"))
    if not statements:
        bank = next(root.all("STMTRS"), None) or next(root.all("CCSTMTRS"), None)
        what = "of a bank or card account" if bank is not None else "without an investment account"
        raise ReadError.of(
            where=document.name,
            what=f"is an OFX download {what}: it holds no positions",
            remedy="download the investment account's file",
        )
    problems = Problems(document.name)
    _refuse_strays(root, problems)
    securities = _securities(root, problems)
    entries: list[dict[str, Cell]] = []
    names: dict[str, str] = {}
    totals: dict[str, float] = {}
    bases: dict[str, None] = {}
    days: list[dt.date] = []
    for statement in statements:
        account = statement.get("INVACCTFROM", "ACCTID") or "Portfolio"
        if account in names:
            problems.warn(f"account {account} has more than one statement in this file")
        names[account] = ""
        base = statement.get("CURDEF").upper()
        bases[base] = None
        day = read_day(statement.get("DTASOF")[:8])
        days += [day] if day else []
        held = [
            _position(pos, account, base, securities, problems)
            for listed in statement.all("INVPOSLIST")
            for kind in _POSITIONS
            for pos in listed.all(kind)
        ]
        held.sort(key=lambda e: int(e["line"]))
        entries += held + _cash(statement, account, base, held, problems)
        for entry in held:
            del entry["fund"]  # it has served to tell a sweep fund
        worth = _worth(statement)
        if worth is not None:
            totals[account] = worth
    base = next(iter(bases)) if len(bases) == 1 else ""
    if not base:
        problems.warn(f"the statements have several base currencies ({', '.join(sorted(bases))})")
    table = Table.of_entries(entries, _LABELS)
    defaults = Defaults(decimal=DecimalStyle.POINT, currency=base, price_percent=False)
    result = assemble(table, classify=lambda *_: "", defaults=defaults, problems=problems)
    problems.raise_faults()
    if not result.holdings.is_position.any():
        problems.warn("the download has no positions")
    as_of = max(days) if days else None
    return Statement(
        custodian=NAME,
        source=document.name,
        as_of=as_of,
        as_of_text=as_of.isoformat() if as_of else "",
        base_currency=result.base_currency,
        accounts=summarise(result.holdings, names, totals, problems),
        holdings=result.holdings,
        warnings=tuple(problems.warnings),
    )


def _refuse_strays(root: Element, problems: Problems) -> None:
    """Positions that stand in no statement's list: nobody's, and so lost if they were not refused."""
    placed = {
        id(inner)
        for statement in root.all("INVSTMTRS")
        for listed in statement.all("INVPOSLIST")
        for kind in _POSITIONS
        for pos in listed.all(kind)
        for inner in pos.all("INVPOS")
    }
    for inner in root.all("INVPOS"):
        if id(inner) not in placed:
            problems.fault(
                inner.line, "INVPOS", "stands outside of an account's list of positions",
                "download the file again",
            )  # fmt: skip


def _securities(root: Element, problems: Problems) -> dict[str, _Security]:
    """Unique id -> its ticker and name; an id that two tickers share stays an id."""
    found: dict[str, dict[str, _Security]] = {}
    for info in root.all("SECINFO"):
        entry = _Security(ticker=info.get("TICKER").strip(), name=info.get("SECNAME"))
        found.setdefault(info.get("SECID", "UNIQUEID"), {})[entry.ticker] = entry
    result = {}
    for unique, entries in found.items():
        if len(entries) > 1:
            tickers = ", ".join(entries)
            problems.warn(
                f"the security id {unique} stands for several tickers ({tickers}): its positions go by "
                "the id"
            )
        else:
            result[unique] = next(iter(entries.values()))
    return result


def _position(
    pos: Element,
    account: str,
    base: str,
    securities: Mapping[str, _Security],
    problems: Problems,
) -> dict[str, Cell]:
    inner = pos.child("INVPOS") or pos
    unique = inner.get("SECID", "UNIQUEID")
    security = securities.get(unique)
    code = inner.get("CURRENCY", "CURSYM").upper() or base
    units, value = inner.get("UNITS"), inner.get("MKTVAL")
    quantity: Cell = units
    money: Cell = value
    if inner.get("POSTYPE").upper() == "SHORT":
        quantity, money = _negative(units), _negative(value)
    entry: dict[str, Cell] = {
        "account": account,
        "symbol": security.ticker if security is not None and security.ticker else unique,
        "description": security.name if security is not None else "",
        "quantity": quantity,
        "price": inner.get("UNITPRICE"),
        "value": money,
        "currency": code,
        "fx": inner.get("CURRENCY", "CURRATE") if code != base else "",
        "kind": Kind.POSITION.value,
        "fund": pos.name == "POSMF",
        "line": inner.line,
    }
    # A bond without a market value: its units are face value and its price is in percent of par.
    if pos.name == "POSDEBT" and not value:
        entry["multiplier"] = 0.01
        problems.warn(
            f"line {inner.line}: a bond without a market value; its price was read as percent of par "
            "(multiplier 0.01)"
        )
    return entry


def _negative(text: str) -> Cell:
    """The amount below zero; what is no number is left to be reported."""
    number = parse_column([text], DecimalStyle.POINT).values[0]
    return -abs(float(number)) if np.isfinite(number) else text


def _number(text: str) -> float:
    number = float(parse_column([text], DecimalStyle.POINT).values[0])
    return number if np.isfinite(number) else 0.0


def _cash(
    statement: Element,
    account: str,
    base: str,
    held: list[dict[str, Cell]],
    problems: Problems,
) -> list[dict[str, Cell]]:
    """Available cash; a margin balance and pending deposits are listed and not counted."""
    balance = next(statement.all("INVBAL"), None)
    if balance is None:
        return []
    entries = []
    text, line = balance.get("AVAILCASH"), balance.line
    amount = _number(text)
    if text and (amount or not _is_number(text)):
        entries.append(_money(account, base, text, Kind.CASH, "Available cash", line))
    for entry in held if amount else ():
        same = abs(_number(str(entry["value"])) - amount) <= 0.0101
        sweep = kinds.is_sweep_fund(str(entry["symbol"]))
        if same and (sweep or (entry["fund"] and _number(str(entry["price"])) == 1.0)):
            entry["kind"] = Kind.PENDING.value
            problems.warn(
                f"line {entry['line']}: {entry['symbol']} is the sweep fund that the available cash of "
                f"{amount:,.2f} counts already: listed, not counted again"
            )
        elif sweep:
            problems.warn(
                f"line {entry['line']}: {entry['symbol']} is a sweep fund and the available cash of "
                f"{amount:,.2f} may count it: check that the money is not there twice"
            )
    margin = balance.get("MARGINBALANCE")
    if _number(margin):
        entries.append(_money(account, base, margin, Kind.PENDING, "Margin balance", line))
        problems.warn(f"line {line}: a margin balance of {margin} is listed and not counted")
    for bal in balance.all("BAL"):
        name = columns.key(bal.get("NAME"))
        if name in {"pendingdeposits", "unsettledcash"} and _number(bal.get("VALUE")):
            problems.warn(
                f"line {bal.line}: {bal.get('NAME')} of {bal.get('VALUE')} is not counted on its own"
            )
    return entries


def _is_number(text: str) -> bool:
    return not parse_column([text], DecimalStyle.POINT).bad


def _money(
    account: str, base: str, amount: str, kind: Kind, words: str, line: int
) -> dict[str, Cell]:
    return {
        "account": account, "symbol": base or "CASH", "description": words, "value": amount,
        "currency": base, "fx": 1.0, "kind": kind.value, "line": line,
    }  # fmt: skip


def _worth(statement: Element) -> float | None:
    """The account's value as its list of balances states it."""
    for bal in statement.all("BAL"):
        if columns.key(bal.get("NAME")) in _WORTH and _is_number(bal.get("VALUE")):
            return _number(bal.get("VALUE"))
    return None
