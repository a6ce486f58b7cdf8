"""Tables of prices: a column per symbol, a row per date and symbol, or the header of yfinance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xl_rebal.backtest.prices import Days, Matrix, Prices, prices_from_returns
from xl_rebal.errors import Fault, FaultList, TableError
from xl_rebal.market_data.price_dates import read_date
from xl_rebal.portfolio import cells
from xl_rebal.portfolio.tables import header_key

Rows = Sequence[Sequence[Any]]
Where = Callable[[int], str]

_HEADER_ROWS = 40  # the first date is not looked for further down
_SHOWN = 20  # faults of one table that are listed
_DATE_NAMES = {"date", "day", "month", "year", "time", "timestamp", "datetime", "asof", "index", ""}
_SYMBOL_NAMES = {"symbol", "ticker", "security", "tickersymbol", "asset"}
# The field that a backtest wants, the best first: dividends belong to the return.
_FIELDS = (
    "adjclose",
    "adjustedclose",
    "adjclosing",
    "totalreturn",
    "price",
    "close",
    "value",
    "nav",
    "last",
)
_OTHER_FIELDS = {"open", "high", "low", "volume", "dividends", "stocksplits", "capitalgains"}
_BLANKS = {"", "nan", "null", "#n/a", "na", "n/a", "-", "--", "none", ".", "#na"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where things stand: the first row of data, the date's column, and the columns of prices.

    columns  (column, symbol) pairs of a wide table;  long: (symbol, price) columns, or None.
    """

    first: int
    date: int
    columns: tuple[tuple[int, str], ...] = ()
    long: tuple[int, int] | None = None
    note: str = ""


def read_prices(
    rows: Rows, *, where: str, line: Where | None = None, returns: bool = False
) -> Prices:
    """Prices from rows of cells; raises TableError with all faults that it found.

    line     words for the place of a row in messages, by its index.
    returns  the numbers are simple returns, from which prices that start at 1 are made.

    Rows out of order are sorted, with a note; a date that stands twice is refused.
    """
    at = line or (lambda index: f"{where} row {index + 1}")
    layout = _layout(rows, where)
    faults = FaultList()
    dates, kept = _dates(rows, layout, at, faults)
    if layout.long is not None:
        dates, symbols, values = _long(rows, layout, dates, kept, at, faults)
    else:
        symbols = tuple(symbol for _, symbol in layout.columns)
        values = _wide(rows, layout, kept, at, faults)
        _refuse_repeats(dates, kept, at, faults)
    _raise(faults, where)
    notes = [layout.note] if layout.note else []
    order = np.argsort(dates, kind="stable")
    if np.any(order[1:] < order[:-1]):
        dates, values = dates[order], values[order]
        notes.append("the rows were not in the order of their dates; they were sorted")
    if returns:
        made = prices_from_returns(dates, symbols, values, where=where)
        return Prices(
            dates=made.dates,
            symbols=made.symbols,
            values=made.values,
            notes=(*notes, *made.notes),
            where=where,
        )
    return Prices(dates=dates, symbols=symbols, values=values, notes=tuple(notes), where=where)


def _layout(rows: Rows, where: str) -> _Layout:
    for index, row in enumerate(rows[:_HEADER_ROWS]):
        column = next((c for c, cell in enumerate(row[:3]) if read_date(cell) is not None), None)
        if column is None:
            continue
        header = [list(each) for each in rows[:index] if any(_text(cell) for cell in each)]
        if not header:
            break
        return _headed(header, index, column, where)
    raise TableError.of(
        where=where,
        what="no row with a date stands below a header",
        remedy="give it a header such as Date,SPY,AGG and dates such as 2026-11-23",
    )


def _headed(header: list[list[Any]], first: int, date: int, where: str) -> _Layout:
    names = [_text(cell) for cell in header[-1]]
    keys = [header_key(name) for name in names]
    if len(header) > 1 and not any(keys[date + 1 :]):
        return _yfinance(header[:-1], first, date)
    if len(header) > 1 and {header_key(row[date]) for row in header} & {"ticker", "price"}:
        return _yfinance(header, first, date)
    symbol = next((c for c, key in enumerate(keys) if key in _SYMBOL_NAMES), None)
    if symbol is not None:
        price = next((keys.index(field) for field in _FIELDS if field in keys), None)
        if price is None:
            raise TableError.of(
                where=where,
                what=f"has a column {names[symbol]} and none of prices; found {', '.join(names)}",
                remedy="head the column of prices price, close or adj close",
            )
        note = f"prices are those of column {names[price]}"
        return _Layout(first=first, date=date, long=(symbol, price), note=note)
    columns = [(c, name) for c, name in enumerate(names) if c != date and name]
    if not columns:
        raise TableError.of(
            where=where, what="has no column of prices", remedy="head each column with its symbol"
        )
    fields = [header_key(name) in {*_FIELDS, *_OTHER_FIELDS} for _, name in columns]
    if len(columns) > 1 and all(fields):
        raise TableError.of(
            where=where,
            what=f"has the columns {', '.join(names)} of one security without its name",
            remedy="give it a column symbol, or head the column of prices with the symbol",
        )
    return _Layout(first=first, date=date, columns=tuple(columns))


def _yfinance(header: list[list[Any]], first: int, date: int) -> _Layout:
    """Fields in one row, tickers in another; the adjusted close of each ticker is taken."""
    rows = [[_text(cell) for cell in row] for row in header]
    known = {*_FIELDS, *_OTHER_FIELDS}

    def fields(row: list[str]) -> int:
        return sum(header_key(cell) in known for cell in row[date + 1 :])

    field_row = max(rows, key=fields)
    ticker_row = min(rows, key=fields)
    best: dict[str, tuple[int, int]] = {}
    for column in range(date + 1, len(field_row)):
        key = header_key(field_row[column])
        ticker = ticker_row[column] if column < len(ticker_row) else ""
        if key not in _FIELDS or not ticker:
            continue
        rank = _FIELDS.index(key)
        if ticker not in best or rank < best[ticker][0]:
            best[ticker] = (rank, column)
    columns = tuple((column, ticker) for ticker, (_, column) in best.items())
    taken = sorted({field_row[column] for column, _ in columns})
    return _Layout(
        first=first, date=date, columns=columns, note=f"prices are those of {', '.join(taken)}"
    )


def _text(cell: Any) -> str:
    return "" if cells.is_blank(cell) else cells.text(cell).strip("\ufeff")


def _dates(rows: Rows, layout: _Layout, at: Where, faults: FaultList) -> tuple[Days, list[int]]:
    """The dates of the rows that hold something, and which rows these are."""
    found: list[dt.date] = []
    kept: list[int] = []
    for index in range(layout.first, len(rows)):
        row = rows[index]
        cell = row[layout.date] if layout.date < len(row) else None
        date = read_date(cell)
        if date is None:
            if any(not _blank(each) for each in row):
                shown = _text(cell)
                faults.add(
                    where=at(index),
                    what=f"{shown!r} is not a date" if shown else "has no date",
                    remedy="write dates as 2026-11-23, and keep notes out of the table",
                )
            continue
        found.append(date)
        kept.append(index)
    return np.array(found, dtype="datetime64[D]"), kept


def _blank(cell: Any) -> bool:
    if cell is None:
        return True
    if isinstance(cell, str):
        return cell.strip().casefold() in _BLANKS
    return isinstance(cell, float) and cell != cell


def _number(cell: Any) -> float:
    """A number, NaN for a blank; raises ValueError in words."""
    if isinstance(cell, str):
        try:
            return float(cell)
        except ValueError:
            return float("nan") if _blank(cell) else cells.number(cell)
    if cell is None:
        return float("nan")
    return cells.number(cell) if cell == cell else float("nan")


def _wide(rows: Rows, layout: _Layout, kept: list[int], at: Where, faults: FaultList) -> Matrix:
    values = np.full((len(kept), len(layout.columns)), np.nan)
    for place, (column, symbol) in enumerate(layout.columns):
        for target, index in enumerate(kept):
            row = rows[index]
            if column < len(row):
                values[target, place] = _read(row[column], at, index, symbol, faults)
    return values


def _read(cell: Any, at: Where, index: int, symbol: str, faults: FaultList) -> float:
    try:
        return _number(cell)
    except (ValueError, TypeError) as error:
        what, _, _ = str(error).partition("; ")
        faults.add(
            where=f"{at(index)}, {symbol}",
            what=what,
            remedy="enter digits only, or leave the cell blank where there was no price",
        )
        return float("nan")


def _long(
    rows: Rows, layout: _Layout, dates: Days, kept: list[int], at: Where, faults: FaultList
) -> tuple[Days, tuple[str, ...], Matrix]:
    assert layout.long is not None
    symbol_column, price_column = layout.long
    days = np.unique(dates)
    place = np.searchsorted(days, dates).tolist()
    columns: dict[str, int] = {}
    found: dict[tuple[int, int], tuple[float, int]] = {}
    for where, index in zip(place, kept, strict=True):
        row = rows[index]
        symbol = _text(row[symbol_column]) if symbol_column < len(row) else ""
        if not symbol:
            faults.add(where=at(index), what="has no symbol", remedy="fill it in")
            continue
        column = columns.setdefault(symbol, len(columns))
        cell = row[price_column] if price_column < len(row) else None
        value = _read(cell, at, index, symbol, faults)
        if (where, column) in found:
            _refuse_repeat(f"{symbol} on {days[where]}", found[where, column][1], index, at, faults)
        found[where, column] = (value, index)
    values = np.full((len(days), len(columns)), np.nan)
    for (where, column), (value, _) in found.items():
        values[where, column] = value
    return days, tuple(columns), values


def _refuse_repeats(dates: Days, kept: list[int], at: Where, faults: FaultList) -> None:
    seen: dict[np.datetime64, int] = {}
    if len(np.unique(dates)) == len(dates):
        return
    for date, index in zip(dates, kept, strict=True):
        first = seen.setdefault(date, index)
        if first != index:
            _refuse_repeat(str(date), first, index, at, faults)


def _refuse_repeat(what: str, first: int, second: int, at: Where, faults: FaultList) -> None:
    faults.add(
        where=at(second),
        what=f"{what} stands twice, first at {at(first)}",
        remedy="keep one of the rows: the table may have been pasted together from two that overlap",
    )


def _raise(faults: FaultList, where: str) -> None:
    listed = list(faults)
    if len(listed) > _SHOWN:
        rest = len(listed) - _SHOWN
        more = Fault(where=where, what=f"and {rest} more faults", remedy="correct them all")
        raise TableError(*listed[:_SHOWN], more)
    faults.raise_as(TableError)
