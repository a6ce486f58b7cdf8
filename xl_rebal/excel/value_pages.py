"""Tables as values: the drift table of Check Drift, and what the worksheet functions would show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xl_rebal.bands import check
from xl_rebal.drift import weighable
from xl_rebal.excel import registry
from xl_rebal.excel.book_inputs import COSTS, HOLDINGS, Asked, Inputs
from xl_rebal.excel.changes import Column, Page
from xl_rebal.excel.functions.measure import DRIFT_COLUMNS, drift_rows, status_words
from xl_rebal.excel.ranges import Grid
from xl_rebal.excel.workbook import Workbook, find_sheet, find_table
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.styles import Look, number
from xl_rebal.workbooks.template_engine import SHEETS

DRIFT_SHEET, DRIFT_TABLE = "Drift check", "tblDriftCheck"
FLOW = "FlowAmount"
_FORMATS = {
    "value": styles.MONEY,
    "cost": styles.MONEY,
    "price": styles.PRICE,
    "quantity": styles.GENERAL,
    "drift": styles.DRIFT,
    "relative_drift": styles.DRIFT,
    **dict.fromkeys(("weight", "target", "lower", "upper"), styles.PERCENT),
}
_WIDTHS = {"account": 18, "asset_class": 26, "reason": 80, "value": 16, "symbol": 12}


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueTable:
    """One function whose table is written as values.

    columns  of its table, known before it is called: an error has none.
    """

    sheet: str
    words: str
    function: str
    arguments: tuple[str, ...]
    columns: tuple[str, ...]


_TRADES = ("account", "symbol", "action", "quantity", "price", "value", "cost", "reason")
_COLUMNS = {
    "REBAL_DRIFT": DRIFT_COLUMNS,
    "REBAL_TRADES": _TRADES,
    "REBAL_CASHFLOW": _TRADES,
    "REBAL_WEIGHTS": ("account", "symbol", "asset_class", "value", "weight"),
}
TABLES = (
    *(
        ValueTable(
            sheet=each.title,
            words=each.words,
            function=each.call.function,
            arguments=each.call.arguments,
            columns=_COLUMNS[each.call.function],
        )
        for each in SHEETS
    ),
    ValueTable(
        sheet="REBAL bands",
        words="The band of every target class: lower and upper edge as weights.",
        function="REBAL_BANDS",
        arguments=("tblTargets[#All]", "tblPolicy[#All]"),
        columns=("asset_class", "target", "lower", "upper"),
    ),
)


def drift_page(inputs: Inputs, asked: Asked) -> tuple[Page, str, list[dict[str, Any]]]:
    """The sheet of Check Drift, its status in one line, and its rows."""
    book, debts = weighable(asked.book)
    rows = drift_rows(check(book, asked.request.policy), book)
    status = status_words(rows)
    if debts:
        status += f"; NOT MEASURED: {'; '.join(map(str, debts.values()))}"
    date = inputs.as_of.isoformat() if inputs.as_of else "unknown"
    page = Page(
        sheet=DRIFT_SHEET,
        title="Drift check",
        subtitle="Static values, made by Check Drift; they do not follow the inputs.",
        lines=(
            ("Status", status),
            ("Policy", asked.request.policy.in_words()),
            ("As of", date),
            (
                "Inputs",
                f"{len(inputs.tables[HOLDINGS]) - 1} rows of {HOLDINGS}, fingerprint "
                f"{inputs.fingerprint[:12]}",
            ),
        ),
        table=DRIFT_TABLE,
        columns=_columns(DRIFT_COLUMNS),
        rows=[[row[name] for name in DRIFT_COLUMNS] for row in rows],
    )
    return page, status, rows


def value_pages(book: Workbook, inputs: Inputs) -> list[Page]:
    """What the functions show, as values: on the sheet of that name, or beside it where formulas stand."""
    date = inputs.as_of.isoformat() if inputs.as_of else "unknown"
    made = []
    for each in TABLES:
        table = f"tbl{each.sheet.title().replace(' ', '')}Values"
        sheet = each.sheet
        if find_sheet(book, sheet) is not None and not _ours(book, sheet, table):
            sheet = f"{each.sheet} values"
        result = registry.call(each.function, [_argument(book, inputs, a) for a in each.arguments])
        failed = not isinstance(result, list)
        rows: list[Any] = [] if failed else list(result)[1:]  # type: ignore[arg-type]  # a table
        lines = (
            ("Function", f"{each.function}, computed from the input tables"),
            ("As of", date),
            ("Result", str(result) if failed else f"{len(rows)} rows"),
            ("Inputs", f"fingerprint {inputs.fingerprint[:12]}"),
        )
        made.append(
            Page(
                sheet=sheet,
                title=sheet,
                subtitle=f"{each.words} Static values, made by Write Tables.",
                lines=lines,
                table=table,
                columns=_columns(each.columns),
                rows=rows,
            )
        )
    return made


def _ours(book: Workbook, sheet: str, name: str) -> bool:
    table = find_table(book, name)
    return table is not None and table.area.sheet.casefold() == sheet.casefold()


def _argument(book: Workbook, inputs: Inputs, text: str) -> Any:
    if text == FLOW:
        area = book.named_area(FLOW)
        return None if area is None else book.values(area)[0][0]
    if text == "CostText":
        grid: Grid = inputs.tables.get(COSTS, [])
        return grid[1:] or None
    return inputs.tables.get(text.removesuffix("[#All]")) if text else None


def _columns(names: Sequence[str]) -> tuple[Column, ...]:
    return tuple(
        Column(header=name, look=_look(name), width=_WIDTHS.get(name, 12)) for name in names
    )


def _look(name: str) -> Look:
    if name in _FORMATS:
        return number(_FORMATS[name])
    if name in {"status", "action"}:
        return styles.BODY_STATUS
    return styles.BODY_WRAP if name == "reason" else styles.BODY_TEXT
