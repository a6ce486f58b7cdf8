"""Prices of the past, validated and aligned to what a model needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xl_rebal.drift import class_columns
from xl_rebal.errors import Fault, FaultList, TableError
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.policies import Calendar
from xl_rebal.portfolio.targets import Targets

Days = NDArray[np.datetime64]
Matrix = NDArray[np.float64]

_LEAST, _MOST = 1e-12, 1e15  # no prices lie outside; sums of money would overflow
_SHOWN = 20  # faults of one kind that are listed before the rest is counted
LONGEST_GAP = 10  # rows in a row that an asset may miss: a fund closes no longer for holidays
# One-day price ratios that a split makes and a market hardly ever does.
_SPLITS = (1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 50.0, 100.0)
_SPLIT_NEAR = 0.03  # the market moves on the day of a split, too
_DAILY = 5  # days between rows up to which a file counts as daily, and splits are looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices by date and symbol.

    dates    (T,) datetime64[D], ascending, each once.
    symbols  S names, each once.
    values   (T, S) positive prices; NaN where there is none.
    notes    what the reader did to them (sorted, rows left out), in words.
    where    what messages call the table.
    """

    dates: Days
    symbols: tuple[str, ...]
    values: Matrix
    notes: tuple[str, ...] = ()
    where: str = "prices"

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.dates), len(self.symbols)):
            raise ValueError(f"{self.values.shape} values for {len(self.dates)} dates")
        faults = FaultList()
        _check_names(self.symbols, self.where, faults)
        if len(self.dates) > 1 and not np.all(np.diff(self.dates) > np.timedelta64(0, "D")):
            raise ValueError("dates must ascend")
        with np.errstate(invalid="ignore"):
            bad = (self.values <= 0) | np.isinf(self.values)
        rows, columns = np.nonzero(bad)
        for row, column in list(zip(rows.tolist(), columns.tolist(), strict=True))[:_SHOWN]:
            faults.add(
                where=f"{self.where}, {self.dates[row]}, {self.symbols[column]}",
                what=f"a price of {self.values[row, column]:g} is not possible",
                remedy="correct it, or leave the cell blank where there was no price",
            )
        if len(rows) > _SHOWN:
            faults.add(
                where=self.where, what=f"and {len(rows) - _SHOWN} more", remedy="correct them all"
            )
        faults.raise_as(TableError)

    def column(self, name: str) -> int | None:
        """The column of a target class: by its symbol, else by the class that it means."""
        for index, symbol in enumerate(self.symbols):
            if symbol == name:
                return index
        folded = [symbol.casefold() for symbol in self.symbols]
        if name.casefold() in folded:
            return folded.index(name.casefold())
        keys = [classes.key(symbol) for symbol in self.symbols]
        wanted = classes.key(name)
        return keys.index(wanted) if keys.count(wanted) == 1 else None


def _check_names(symbols: Sequence[str], where: str, faults: FaultList) -> None:
    seen: set[str] = set()
    for symbol in symbols:
        if not symbol:
            faults.add(where=where, what="a price column has no name", remedy="name its symbol")
        elif symbol.casefold() in seen:
            faults.add(
                where=where,
                what=f"{symbol} has two columns of prices",
                remedy="keep one of them",
            )
        seen.add(symbol.casefold())


def prices_from_returns(
    dates: Days, symbols: Sequence[str], returns: Matrix, *, where: str = "prices"
) -> Prices:
    """Prices that start at 1 one period before the first return; a blank before the first or after
    the last return of a column stays blank.
    """
    faults = FaultList()
    with np.errstate(invalid="ignore"):
        rows, columns = np.nonzero((returns <= -1) | np.isinf(returns))
    for row, column in list(zip(rows.tolist(), columns.tolist(), strict=True))[:_SHOWN]:
        faults.add(
            where=f"{where}, {dates[row]}, {symbols[column]}",
            what=f"a return of {returns[row, column] * 100:g}% leaves nothing",
            remedy="returns are fractions such as 0.012; prices need no --returns",
        )
    faults.raise_as(TableError)
    known = np.isfinite(returns)
    growth = np.cumprod(np.where(known, 1 + returns, 1.0), axis=0)
    before = before_first(dates)
    values = np.vstack([np.ones(returns.shape[1]), growth])
    has = np.vstack([np.zeros(returns.shape[1], dtype=bool), known])
    has[:-1] |= known  # a return needs a price at both of its ends
    return Prices(
        dates=np.concatenate([[before], dates]),
        symbols=tuple(symbols),
        values=np.where(has, values, np.nan),
        notes=("returns were linked to prices that start at 1",),
        where=where,
    )


def usual_step(dates: Days) -> int:
    """The usual number of days from one row to the next: 1 daily, 7 weekly, 28 to 31 monthly."""
    if len(dates) < 2:
        return 1
    steps = np.diff(dates).astype(np.int64)
    return int(np.partition(steps, len(steps) // 2)[len(steps) // 2])


def after_last(dates: Days) -> np.datetime64:
    """The day on which the row after the last one would stand."""
    return _neighbour(dates, dates[-1], 1)


def before_first(dates: Days) -> np.datetime64:
    """The day on which the row before the first one would stand."""
    return _neighbour(dates, dates[0], -1)


def _neighbour(dates: Days, day: np.datetime64, sign: int) -> np.datetime64:
    step = usual_step(dates)
    if step in range(28, 32):  # monthly: the last day of the month before or after
        month = day.astype("datetime64[M]") + np.timedelta64(sign, "M")
        following = (month + np.timedelta64(1, "M")).astype("datetime64[D]")
        return np.datetime64(following - np.timedelta64(1, "D"))
    found = day + np.timedelta64(sign * step, "D")
    weekends = np.any(~np.is_busday(dates)) if step < _DAILY else True
    while not weekends and not np.is_busday(found):
        found = found + np.timedelta64(sign, "D")
    return np.datetime64(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """The prices that one model is tested on: no gaps, one column per class, cash last.

    targets   the model; `names` its classes with cash last (also when it targets none).
    price     (K + 1, T) prices, a row per class; the cash row is 1 unless the file prices cash.
    target    (K + 1,) target weights.
    periods   rows a year, for annual figures: 252 daily, 52, 12, 4, 1.
    notes     the sample, its gaps, what was left out.
    cache     what policies share and is worked out once: returns, days of calendar rules.
    """

    targets: Targets
    names: tuple[str, ...]
    dates: Days
    price: Matrix
    target: Matrix
    periods: float
    notes: tuple[str, ...] = ()
    cache: dict[object, Any] = field(init=False, default_factory=dict, compare=False, repr=False)

    @property
    def years(self) -> float:
        """Calendar time from the first to the last row, in years of 365.25 days."""
        return float((self.dates[-1] - self.dates[0]).astype(np.int64)) / 365.25

    @property
    def returns(self) -> Matrix:
        """(K + 1, T - 1) simple returns."""
        if "returns" not in self.cache:
            self.cache["returns"] = self.price[:, 1:] / self.price[:, :-1] - 1
        result: Matrix = self.cache["returns"]
        return result

    @property
    def variances(self) -> Matrix:
        """(K + 1,) sample variances of the returns of a row; 0 for a single return."""
        if "variances" not in self.cache:
            found = self.returns
            many = found.shape[1] > 1
            self.cache["variances"] = (
                np.var(found, axis=1, ddof=1) if many else np.zeros(len(found))
            )
        result: Matrix = self.cache["variances"]
        return result

    def period_ends(self, unit: str) -> NDArray[np.int64]:
        """Last rows of the calendar months (`M`) or years (`Y`), the last row of all among them."""
        if unit not in self.cache:
            label = self.dates.astype(f"datetime64[{unit}]")
            self.cache[unit] = np.append(np.flatnonzero(label[1:] != label[:-1]), len(label) - 1)
        result: NDArray[np.int64] = self.cache[unit]
        return result

    def since(self, row: int) -> Market:
        """The market from a row on; calendar rules keep their days."""
        later = replace(self, dates=self.dates[row:], price=self.price[:, row:])
        for rule, mask in self.cache.items():
            if isinstance(rule, Calendar):
                later.cache[rule] = mask[row:]
        return later

    def day(self, index: int) -> dt.date:
        """The date of a row."""
        found = self.dates[index].astype("datetime64[D]").item()
        assert isinstance(found, dt.date)
        return found


def periods_a_year(dates: Days) -> float:
    """252 for daily rows (the usual convention), 52 weekly, 12 monthly, 4 quarterly, 1 yearly."""
    step = usual_step(dates)
    for most, periods in ((4, 252.0), (10, 52.0), (45, 12.0), (130, 4.0)):
        if step <= most:
            return 365.0 if step == 1 and _every_day(dates) else periods
    return 1.0


def _every_day(dates: Days) -> bool:
    """Weekends have rows as well, as crypto markets do."""
    return bool(np.mean(~np.is_busday(dates)) > 0.2)


def align(
    prices: Prices,
    targets: Targets,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
    accept_jumps: bool = False,
) -> Market:
    """The market of a model: from the first day on which every class has a price to the last.

    A day between on which a class has no price is no trading day and is left out, up to 10 in a
    row; a longer gap is refused. Raises TableError, all faults together.
    """
    names = _names(targets)
    columns = _columns(prices, targets, names)
    priced = [column for column in columns if column is not None]
    dates, values, notes = common_days(
        prices, priced, start=start, end=end, accept_jumps=accept_jumps
    )
    price = np.ones((len(names), len(dates)))
    for place, column in enumerate(columns):
        if column is not None:
            price[place] = values[:, priced.index(column)]
    weight = dict(zip(targets.classes, targets.weights.tolist(), strict=True))
    if targets.cash and columns[-1] is None:
        notes.append("cash earns no interest: the prices have no column for it")
    return Market(
        targets=targets,
        names=names,
        dates=dates,
        price=price,
        target=np.array([weight.get(name, 0.0) for name in names]),
        periods=periods_a_year(dates),
        notes=(*prices.notes, *notes),
    )


def common_days(
    prices: Prices,
    columns: Sequence[int],
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
    accept_jumps: bool = False,
) -> tuple[Days, Matrix, list[str]]:
    """The T days on which each of the C columns has a price, the (T, C) prices, and what was left out.

    Raises TableError for fewer than two days, longer gaps, and jumps that look like splits.
    """
    inside = np.ones(len(prices.dates), dtype=bool)
    if start is not None:
        inside &= prices.dates >= np.datetime64(start)
    if end is not None:
        inside &= prices.dates <= np.datetime64(end)
    dates = prices.dates[inside]
    values = prices.values[inside][:, list(columns)]
    of = [prices.symbols[column] for column in columns]
    _require_prices(dates, values, of, prices.where)
    keep, notes = _trading_days(dates, values, of, prices, start)
    dates, values = dates[keep], values[keep]
    if len(dates) < 2:
        raise TableError.of(
            where=prices.where,
            what=f"there is {len(dates)} day on which all of {', '.join(of)} have a price",
            remedy="two are needed at least; give a longer history",
        )
    if not accept_jumps:
        _refuse_splits(dates, values, of, prices.where)
    return dates, values, notes


def _names(targets: Targets) -> tuple[str, ...]:
    listed = class_columns(targets)
    cash = [name for name in listed if classes.is_cash(name)]
    if len(cash) > 1:
        raise TableError.of(
            where="targets",
            what=f"{' and '.join(cash)} are all cash",
            remedy="a backtest knows one cash class; add their weights together",
        )
    return (*(name for name in listed if name not in cash), *cash)


def _columns(prices: Prices, targets: Targets, names: Sequence[str]) -> list[int | None]:
    columns = [prices.column(name) for name in names]
    missing = [n for n, c in zip(names[:-1], columns[:-1], strict=True) if c is None]
    if missing:
        shown = ", ".join(prices.symbols[:30])
        raise TableError(
            *(
                Fault(
                    where=f"{prices.where}, target {name}",
                    what="there is no column of prices for it",
                    remedy=f"targets of a backtest name price columns; there are: {shown}",
                )
                for name in missing
            )
        )
    if len(names) < 2:
        raise TableError.of(
            where="targets", what="they hold only cash", remedy="name an asset that has prices"
        )
    return columns


def _require_prices(dates: Days, values: Matrix, of: Sequence[str], where: str) -> None:
    if not len(dates):
        raise TableError.of(
            where=where,
            what="no row lies between the start and the end",
            remedy="correct --start and --end",
        )
    faults = FaultList()
    for column, symbol in enumerate(of):
        if np.all(np.isnan(values[:, column])):
            faults.add(
                where=f"{where}, {symbol}",
                what=f"the column has no price from {dates[0]} to {dates[-1]}",
                remedy="fill it in, or leave the symbol out of the targets",
            )
        elif not _LEAST <= np.nanmin(values[:, column]) <= np.nanmax(values[:, column]) <= _MOST:
            faults.add(
                where=f"{where}, {symbol}",
                what=f"the column has prices below {_LEAST:g} or above {_MOST:g}",
                remedy="correct them, or give prices in another unit",
            )
    faults.raise_as(TableError)


def _trading_days(
    dates: Days, values: Matrix, of: Sequence[str], prices: Prices, start: dt.date | None
) -> tuple[NDArray[np.int64], list[str]]:
    """The rows to keep, and in words what was left out."""
    has = np.isfinite(values)
    first = int(max(np.argmax(has[:, k]) for k in range(len(of))))
    last = int(min(len(dates) - 1 - np.argmax(has[::-1, k]) for k in range(len(of))))
    notes: list[str] = []
    late = [of[k] for k in range(len(of)) if np.argmax(has[:, k]) == first]
    if first > 0:
        asked = f" (asked for {start})" if start is not None else ""
        notes.append(f"starts on {dates[first]}, when {', '.join(late)} begins{asked}")
    early = [of[k] for k in range(len(of)) if len(dates) - 1 - np.argmax(has[::-1, k]) == last]
    if last < len(dates) - 1:
        notes.append(f"ends on {dates[last]}, the last price of {', '.join(early)}")
    faults = FaultList()
    if last >= first:
        for column, symbol in enumerate(of):
            _refuse_gap(dates, has[:, column], first, last, f"{prices.where}, {symbol}", faults)
    faults.raise_as(TableError)
    complete: NDArray[np.bool_] = np.logical_and.reduce(has, axis=1)
    complete[:first] = False
    complete[last + 1 :] = False
    left_out = (last - first + 1) - int(complete.sum()) if last >= first else 0
    if left_out:
        many = "s" if left_out > 1 else ""
        notes.append(f"{left_out} day{many} left out on which some class has no price")
    return np.flatnonzero(complete), notes


def _refuse_gap(
    dates: Days, has: NDArray[np.bool_], first: int, last: int, where: str, faults: FaultList
) -> None:
    known = np.flatnonzero(has[first : last + 1]) + first
    if len(known) < 2:
        return
    gaps = np.diff(known) - 1
    longest = int(np.argmax(gaps))
    if gaps[longest] > LONGEST_GAP:
        faults.add(
            where=where,
            what=f"{gaps[longest]} rows without a price, from {dates[known[longest] + 1]} to "
            f"{dates[known[longest + 1] - 1]}",
            remedy="fill the gap, or leave it outside (a backtest: --start or --end)",
        )


def _refuse_splits(dates: Days, values: Matrix, of: Sequence[str], where: str) -> None:
    """Refuse jumps that look like splits of unadjusted closes, naming date and symbol."""
    daily = usual_step(dates) <= _DAILY
    ratio = values[1:] / values[:-1]
    size = np.maximum(ratio, 1 / ratio)
    near = 0.0
    faults = []
    for row, column in np.argwhere(size > 1.45 if daily else size > 1.9).tolist():
        near = min(_SPLITS, key=lambda split: abs(size[row, column] / split - 1))
        if abs(size[row, column] / near - 1) > (_SPLIT_NEAR if daily else 0.01):
            continue
        kind = f"{near:g}-for-1 split" if ratio[row, column] < 1 else f"1-for-{near:g} merger"
        faults.append(
            Fault(
                where=f"{where}, {dates[row + 1]}, {of[column]}",
                what=f"the price goes from {values[row, column]:g} to "
                f"{values[row + 1, column]:g}, which looks like a {kind}",
                remedy="use adjusted closes; if the move is real, a backtest takes it with --accept-jumps",
            )
        )
    if faults:
        raise TableError(*faults[:_SHOWN])


def in_words(notes: Iterable[str]) -> str:
    """Notes as one text."""
    return "; ".join(notes)
