"""What hosts hand over as arguments, made one: a range is rows of cells, whatever the host calls it.

A host passes None for an omitted argument, a scalar for a single cell, a flat sequence for a row or
column, and rows of cells for a range. Error cells come as `CellError`; blanks as None or "".
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from xl_rebal.backtest.prices import Prices
from xl_rebal.costs import CostModel, parse_costs
from xl_rebal.custodians import generic
from xl_rebal.custodians.columns import SYNONYMS, key
from xl_rebal.custodians.filetypes import FileType
from xl_rebal.custodians.sheets import Document, Sheet
from xl_rebal.errors import Fault, ReadError, RebalError, TableError
from xl_rebal.market_data.covariances import covariance_of_rows
from xl_rebal.market_data.price_tables import read_prices
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.models import targets_from_rows
from xl_rebal.portfolio.policies import Policy
from xl_rebal.portfolio.policy_text import SETTINGS, parse_policy, text_from_rows
from xl_rebal.portfolio.restrictions import Restriction, restrictions_from_rows
from xl_rebal.portfolio.tables import Column, TableSpec
from xl_rebal.portfolio.targets import Targets, parse_targets
from xl_rebal.risk.covariance import Covariance
from xl_rebal.risk.shock import parse_returns

Grid = list[list[Any]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CellError:
    """A cell that shows an error value such as #N/A."""

    text: str = "#N/A"

    def __str__(self) -> str:
        return self.text


def grid(value: Any) -> Grid:
    """Rows of cells without blank rows and columns at the end; [] for nothing.

    A flat sequence becomes a column. A whole column of a sheet shrinks to its filled part.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return []
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        return [[value]]
    rows = [list(row) if isinstance(row, (list, tuple)) else [row] for row in value]
    while rows and all(_blank(cell) for cell in rows[-1]):
        rows.pop()
    width = max((_filled_width(row) for row in rows), default=0)
    return [(row + [None] * width)[:width] for row in rows]


def _blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.replace("\u00a0", " ").strip())


def _filled_width(row: Sequence[Any]) -> int:
    for index in range(len(row), 0, -1):
        if not _blank(row[index - 1]):
            return index
    return 0


def single(value: Any, name: str) -> Any:
    """The one cell of an argument, None when blank; a larger range is refused."""
    found = grid(value)
    if not found:
        return None
    if len(found) > 1 or len(found[0]) > 1:
        raise TableError.of(
            where=name,
            what=f"is a range of {len(found)} by {len(found[0])} cells",
            remedy="point it at one cell",
        )
    cell = found[0][0]
    refuse_error(cell, name)
    return cell


def number(value: Any, name: str, default: float | None = None) -> float:
    """A number argument; `default` when blank, an error without one."""
    cell = single(value, name)
    if _blank(cell):
        if default is None:
            raise TableError.of(where=name, what="is blank", remedy="enter a number")
        return default
    if isinstance(cell, bool):
        raise TableError.of(
            where=name, what=f"{str(cell).upper()} is not a number", remedy="enter digits only"
        )
    if isinstance(cell, str) and "%" in cell:
        raise TableError.of(
            where=name, what=f"{cell!r} is a percentage", remedy="enter an amount of money"
        )
    try:
        return cells.number(cell)
    except ValueError as error:
        what, _, remedy = str(error).partition("; ")
        raise TableError.of(where=name, what=what, remedy=remedy) from None


def text(value: Any, name: str, default: str | None = None) -> str:
    """A text argument; `default` when blank, an error without one."""
    cell = single(value, name)
    if _blank(cell):
        if default is None:
            raise TableError.of(where=name, what="is blank", remedy="enter a text")
        return default
    return cells.text(cell)


_SERIAL_ZERO = dt.date(1899, 12, 30)  # serial 1 is 1900-01-01, for days from March 1900 on


def date(value: Any, name: str) -> dt.date | None:
    """A day: a date cell, a serial number such as TODAY() gives, or a text such as 2026-11-23; None when
    blank.
    """
    cell = single(value, name)
    if _blank(cell):
        return None
    try:
        return day(cell)
    except ValueError as error:
        what, _, remedy = str(error).partition("; ")
        raise TableError.of(where=name, what=what, remedy=remedy) from None


def day(cell: Any) -> dt.date:
    """One cell as a day; a number is a serial number, as a host passes dates on. Raises ValueError."""
    if isinstance(cell, bool):
        raise ValueError(f"{str(cell).upper()} is not a date; write it as 2026-11-23")
    if isinstance(cell, float) and 61 <= cell < 2_958_466:  # up to 9999-12-31
        return _SERIAL_ZERO + dt.timedelta(days=int(cell))
    return cells.date(cell)


def table(value: Any, spec: TableSpec, name: str) -> list[dict[str, Any]]:
    """Typed rows of a table argument; faults name the table, the row (1 is the header) and the header."""
    found = grid(value)
    if len(found) == 1 and spec.may_be_empty and _is_header(found[0], spec):
        return []
    _require_table(found, name, [c.name for c in spec.columns if c.required])
    _refuse_error_cells(found, name)
    header = [cells.text(cell) for cell in found[0]]
    rows = list(enumerate(found[1:], start=2))
    with _in_the_words_of(spec, header, name):
        return tables.read_rows(spec, header, rows, where=name)


def built(value: Any, spec: TableSpec, name: str, build: Callable[[list[dict[str, Any]]], T]) -> T:
    """What `build` makes of a table's rows; its faults too name the header as the sheet has it."""
    rows = table(value, spec, name)
    found = grid(value)
    with _in_the_words_of(spec, [cells.text(c) for c in found[0]] if found else [], name):
        return build(rows)


def _is_header(row: Sequence[Any], spec: TableSpec) -> bool:
    named = {column.name for cell in row if (column := spec.column_for(cells.text(cell)))}
    return named >= {column.name for column in spec.columns if column.required}


@contextmanager
def _in_the_words_of(spec: TableSpec, header: Sequence[str], name: str) -> Iterator[None]:
    """Faults that name the table and the header as the sheet has them: `tblTargets row 3, Target`."""
    titles = {column.name: title for title in header if (column := spec.column_for(title))}

    def where(text: str) -> str:
        place = re.sub(rf"^{re.escape(spec.name)} row ", f"{name} row ", text)
        return re.sub(r", column (\w+)$", lambda m: f", {titles.get(m[1], m[1])}", place)

    try:
        yield
    except RebalError as error:
        faults = [Fault(where=where(f.where), what=f.what, remedy=f.remedy) for f in error.faults]
        raise type(error)(*faults) from None


def _require_table(found: Grid, name: str, columns: Iterable[str]) -> None:
    if not found:
        raise TableError.of(
            where=name,
            what="is blank",
            remedy=f"point it at a table with the columns {', '.join(columns)}",
        )
    if len(found) == 1:
        raise TableError.of(
            where=name,
            what="has one row, and the first row is the header",
            remedy="include the rows below it",
        )


def refuse_error(cell: Any, where: str) -> None:
    """Refuse a cell that shows an error value."""
    if isinstance(cell, CellError):
        raise TableError.of(
            where=where, what=f"shows {cell}", remedy="correct the formula of that cell"
        )


def _refuse_error_cells(found: Grid, name: str) -> None:
    faults = [
        Fault(
            where=f"{name} row {row}, {_title(found, index)}",
            what=f"shows {cell}",
            remedy="correct the formula of that cell",
        )
        for row, line in enumerate(found, start=1)
        for index, cell in enumerate(line)
        if isinstance(cell, CellError)
    ]
    if faults:
        raise TableError(*faults)


def _title(found: Grid, index: int) -> str:
    return cells.text(found[0][index]) or f"column {index + 1}"


def holdings(value: Any, name: str = "tblHoldings") -> tuple[Holdings, tuple[str, ...]]:
    """Holdings of a range, read by the same reader as a file, and its warnings.

    TRUE, dates and numbers are no tickers: they are what Excel makes of `TRUE`, of `MAR1`, of `0700`
    and of `1E5`, so the fault says how to type such a symbol as text.
    """
    found = grid(value)
    _require_table(found, name, ("symbol", "quantity", "price"))
    _refuse_error_cells(found, name)
    _refuse_converted_symbols(found, name)
    _refuse_slips(found, name)
    sheet = Sheet(
        name=name, rows=found, lines=np.arange(1, len(found) + 1, dtype=np.int64), tables={}
    )
    document = Document(name=name, type=FileType.TEXT, sheets=(sheet,))
    try:
        statement = generic.read(document)
    except ReadError as error:
        raise TableError(*(_in_a_cell(fault, name) for fault in error.faults)) from None
    return statement.holdings, statement.warnings


def _in_a_cell(fault: Fault, name: str) -> Fault:
    """`tblHoldings line 7, column Quantity` of a file is `tblHoldings row 7, Quantity` of a sheet."""
    where = fault.where.replace(f"{name} line ", f"{name} row ").replace(", column ", ", ")
    return Fault(where=where, what=fault.what, remedy=fault.remedy)


def _refuse_converted_symbols(found: Grid, name: str) -> None:
    columns = [
        index
        for index, cell in enumerate(found[0])
        if tables.header_key(cell) in {"symbol", "ticker", "security", "tickersymbol"}
    ]
    faults = []
    for row, line in enumerate(found[1:], start=2):
        for index in columns:
            cell = line[index]
            if isinstance(cell, (bool, dt.date, int, float)):
                shown = str(cell).upper() if isinstance(cell, bool) else cells.text(cell)
                kind = (
                    "a logical value"
                    if isinstance(cell, bool)
                    else "a date"
                    if isinstance(cell, dt.date)
                    else "a number (leading zeros and letters as in 1E5 are lost)"
                )
                faults.append(
                    Fault(
                        where=f"{name} row {row}, {_title(found, index)}",
                        what=f"{shown} is {kind}, not a ticker",
                        remedy="type the ticker as text, with an apostrophe in front",
                    )
                )
    if faults:
        raise TableError(*faults)


def _refuse_slips(found: Grid, name: str) -> None:
    """Refuse a header that is nearly one of ours, and accounts typed both as numbers and as text."""
    known = {key(word): role for role, words in SYNONYMS.items() for word in words}
    faults = []
    for index, cell in enumerate(found[0]):
        word = key(cell) if isinstance(cell, str) else ""
        near = difflib.get_close_matches(word, known, n=1, cutoff=0.88) if word not in known else []
        if word and near and key(re.sub(r"\(.*?\)", "", str(cell))) not in known:
            faults.append(
                Fault(
                    where=f"{name}, {_title(found, index)}",
                    what=f"column {cell!r} is not known",
                    remedy=f"did you mean {known[near[0]]}? Rename or remove it",
                )
            )
        if known.get(word) == "account":
            kinds = {isinstance(line[index], str) for line in found[1:] if not _blank(line[index])}
            if len(kinds) > 1:
                faults.append(
                    Fault(
                        where=f"{name}, {_title(found, index)}",
                        what="some accounts are numbers and some are text, so 12 and 0012 would differ",
                        remedy="type all of them as text, with an apostrophe in front",
                    )
                )
    if faults:
        raise TableError(*faults)


def _with_header(found: Grid) -> Grid:
    """Two bare columns (class, weight) or two bare rows get the header that they lack."""
    if len(found) == 2 and len(found[0]) > 2 and all(_is_weight(c) for c in found[1][1:]):
        found = [list(pair) for pair in zip(*found, strict=True)]
    if len(found[0]) == 2 and _is_weight(found[0][1]):
        return [["asset_class", "target"], *found]
    return found


def _is_weight(cell: Any) -> bool:
    try:
        cells.number(cell)
    except ValueError:
        return False
    return True


def targets(value: Any, name: str = "tblTargets") -> dict[str, Targets]:
    """Models from a text, a table with the columns of `targets`, or two columns without a header."""
    found = grid(value)
    if not found:
        raise TableError.of(
            where=name, what="is blank", remedy='write them as "60% stocks, 40% bonds" or a table'
        )
    if len(found) == 1 and len(found[0]) == 1:
        cell = found[0][0]
        refuse_error(cell, name)
        return {"": parse_targets(cells.text(cell))}
    found = _with_header(found)
    rows = table(found, tables.MODELS, name)
    with _in_the_words_of(tables.MODELS, [cells.text(c) for c in found[0]], name):
        return targets_from_rows(rows)


def policy(value: Any, name: str = "tblPolicy") -> Policy:
    """A policy from a text or a two-column table; 5pp when left out."""
    return parse_policy(policy_text(value, name))


def policy_text(value: Any, name: str = "tblPolicy") -> str:
    """The text of a policy, as `policy` reads it."""
    found = grid(value)
    if not found:
        return "5pp"
    _refuse_error_cells(found, name)
    if len(found) == 1 and len(found[0]) == 1:
        cell = found[0][0]
        if isinstance(cell, float) and 0 < cell < 1:
            return f"{cell * 100:.10g}pp"
        return cells.text(cell)
    if not any(cells.text(row[0]).casefold() in {*SETTINGS, "setting", "name"} for row in found):
        return " ".join(cells.text(c) for row in found for c in row if not _blank(c))
    return text_from_rows(found)


def costs(value: Any, name: str = "tblCosts") -> CostModel:
    """A cost model from a text; free when left out."""
    found = grid(value)
    if not found:
        return CostModel()
    _refuse_error_cells(found, name)
    if len(found) > 1 and tables.header_key(found[0][0]) in {"cost", "costs", "tradingcosts"}:
        found = found[1:]
    words = ", ".join(" ".join(cells.text(c) for c in row if not _blank(c)) for row in found)
    return parse_costs(words)


def covariance(value: Any, wanted: Sequence[str], name: str) -> Covariance:
    """Annual covariances of classes, from a range of prices or of volatilities."""
    found = grid(value)
    _require_table(found, name, ("date", "a price column for each class"))
    _refuse_error_cells(found, name)
    return covariance_of_rows(found, wanted, where=name)


_RETURNS = TableSpec(
    name="returns",
    columns=(
        Column(name="asset_class", required=True, synonyms=("class", "asset")),
        Column(name="return", read=cells.fraction, required=True, synonyms=("shock", "move")),
    ),
)


def returns(value: Any, name: str = "returns") -> dict[str, float]:
    """Returns by class, from a text or a table of asset_class and return."""
    found = grid(value)
    if len(found) == 1 and len(found[0]) == 1:
        refuse_error(found[0][0], name)
        return parse_returns(cells.text(found[0][0]))
    if found and len(found[0]) == 2 and _is_weight(found[0][1]):
        found = [["asset_class", "return"], *found]
    return {row["asset_class"]: row["return"] for row in table(found, _RETURNS, name)}


_WEIGHTS = TableSpec(
    name="weights",
    columns=(
        Column(name="asset_class", required=True, synonyms=("class", "asset")),
        Column(name="weight", read=cells.fraction, required=True, synonyms=("target",)),
    ),
)


def weights(value: Any, name: str = "weights") -> dict[str, float]:
    """Weights by class that sum to 100%, from a text or a table; further columns are let be."""
    found = grid(value)
    if len(found) == 1 and len(found[0]) == 1:
        refuse_error(found[0][0], name)
        model = parse_targets(cells.text(found[0][0]))
        return {item.asset_class: item.target for item in model.items}
    _require_table(found, name, ("asset_class", "weight"))
    found = _with_header(found)
    keep = [i for i, cell in enumerate(found[0]) if _WEIGHTS.column_for(cells.text(cell))]
    result: dict[str, float] = {}
    for row in table([[line[i] for i in keep] for line in found], _WEIGHTS, name):
        result[row["asset_class"]] = result.get(row["asset_class"], 0.0) + row["weight"]
    total = sum(result.values())
    if abs(total - 1) > 1e-6:
        raise TableError.of(
            where=name,
            what=f"sum to {total * 100:.6g}%",
            remedy="give the weights of one portfolio",
        )
    return result


def prices(value: Any, name: str = "tblPrices") -> Prices:
    """Prices from a table: a column per symbol, or a row per date and symbol; the first row is the header."""
    found = grid(value)
    _require_table(found, name, ("Date", "one for each symbol"))
    _refuse_error_cells(found, name)
    return read_prices(found, where=name)


def restrictions(value: Any, name: str = "tblRestrictions") -> tuple[Restriction, ...]:
    """Restrictions from a table; none when left out or when the table has only its header."""
    found = grid(value)
    if not found:
        return ()
    rows = table(found, tables.RESTRICTIONS, name)
    with _in_the_words_of(tables.RESTRICTIONS, [cells.text(c) for c in found[0]], name):
        return restrictions_from_rows(rows)
