"""The household report: a macro-free workbook with a plan, its taxes, locations, and a letter for the client.

The sheets Taxes, Location, Letter and Workings are those of the template household_tax.xltx; here their
formulas follow tables of the plan's values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.errors import Fault, RebalError
from xl_rebal.files import write_atomically
from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.household.plan_rows import class_rows, figure_rows, note_rows, trade_rows, way_rows
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.book import target_of
from xl_rebal.workbooks import package, styles
from xl_rebal.workbooks.cells import Canvas, Content, lines_needed, require_rows, set_widths
from xl_rebal.workbooks.household_calls import (
    CLASS_NAMES,
    CLASSES,
    FIGURE_NAMES,
    NOTE_NAMES,
    NOTES,
    PLAN,
    PLAN_FIGURES,
    PLAN_NAMES,
    WAY_NAMES,
    WRAPPED,
    column_look,
    figure_look,
)
from xl_rebal.workbooks.household_data import CASH, KINDS, Held, HouseholdData, Owned
from xl_rebal.workbooks.household_letter import room_for, write_letter
from xl_rebal.workbooks.household_location import write_location
from xl_rebal.workbooks.household_summary import write_household_summary
from xl_rebal.workbooks.household_taxes import write_taxes
from xl_rebal.workbooks.household_workings import Sources, write_workings
from xl_rebal.workbooks.limits import REPORT_HOLDINGS
from xl_rebal.workbooks.lint import findings
from xl_rebal.workbooks.pages import set_up_print, show_whole, write_title
from xl_rebal.workbooks.source import ReportSource
from xl_rebal.workbooks.tables import Column, Placed, write_table
from xl_rebal.workbooks.template_inputs import define

TITLE = "Household plan and taxes"
FUNCTIONS = frozenset("ISERROR LEFT MATCH MID SUBSTITUTE TRIM UPPER YEAR".split())
TOP = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """Who the letter is for, and whose it is; both can be changed in the workbook."""

    client: str = ""
    adviser: str = ""


def build_household_report(
    plan: HouseholdPlan,
    book: HouseholdBook,
    request: HouseholdRequest,
    *,
    source: ReportSource,
    addressed: Addressed,
    version: str,
) -> bytes:
    """The report as .xlsx bytes, the same for the same plan and version."""
    data = household_data(plan, book, request, addressed)
    if len(data.held) > REPORT_HOLDINGS:
        raise RebalError.of(
            where="--out",
            what=f"{len(data.held):,} positions are too many for one workbook (at most {REPORT_HOLDINGS:,})",
            remedy="leave it out, and read the plan with --json",
        )
    canvas = Canvas()
    write_household_summary(canvas, data, plan, source, version)
    sources = Sources(
        lines=max(1, len(data.lines)),
        orders=max(1, len(data.orders)),
        held_rows=len(data.held),
        notes=max(1, len(data.notes)),
        classes=len(data.classes),
        accounts=len(data.accounts),
    )
    _plan(canvas, data, plan)
    write_taxes(canvas, data)
    kinds = [kind for kind in KINDS if any(a.kind == kind for a in data.accounts)]
    write_location(canvas, data, sources, kinds=kinds)
    write_letter(canvas, data, room_for(data))
    _figures(canvas, data, plan, request)
    _notes(canvas, plan)
    _classes(canvas, plan)
    write_workings(canvas, data, sources)
    define(canvas, "PlanWhy", "INDEX(FigureValue,1)")
    canvas.styles.close(canvas.workbook)
    for sheet in canvas.workbook.worksheets:
        require_rows(sheet)
    canvas.workbook.active = 0
    canvas.workbook.worksheets[0].sheet_view.tabSelected = True
    written = package.save(canvas.workbook, canvas.values, title=TITLE)
    found = findings(written, functions=FUNCTIONS)
    if found:
        remedy = "report this as a bug; nothing was written"
        raise RebalError(*(Fault(where="report", what=each, remedy=remedy) for each in found[:20]))
    return written


def write_household_report(path: Path | str, data: bytes, *, overwrite: bool = False) -> None:
    """Put a report at `path`, whole or not at all."""
    write_atomically(path, data, overwrite=overwrite)


def household_data(
    plan: HouseholdPlan, book: HouseholdBook, request: HouseholdRequest, addressed: Addressed
) -> HouseholdData:
    """What the sheets show of a plan and of the book that it was made from."""
    names = [each.account for each in plan.accounts]
    held = _held(plan, book, names)
    paths = {h.symbol: h.path for h in held}
    covering = {h.symbol: h.klass for h in held}
    for trade in plan.trades:
        covering[trade.symbol] = trade.asset_class
        paths.setdefault(trade.symbol, book.book.security(trade.symbol).asset_class)
    return HouseholdData(
        client=addressed.client or plan.household,
        adviser=addressed.adviser,
        as_of=request.as_of,
        trades=trade_rows(plan)[1:],
        figures=dict(map(tuple, figure_rows(plan, request)[1:])),
        ways=way_rows(plan)[1:],
        notes=note_rows(plan)[1:],
        changes=class_rows(plan)[1:],
        accounts=tuple(
            Owned(account=each.account, type=each.type, reserve=each.reserve)
            for each in plan.accounts
        ),
        held=held,
        classes=tuple(each.asset_class for each in plan.classes),
        paths=paths,
        covering=covering,
    )


def _held(plan: HouseholdPlan, book: HouseholdBook, names: Sequence[str]) -> tuple[Held, ...]:
    """Positions and cash that count, with flows among the cash; excluded and pending rows do not."""
    holdings = book.book.holdings
    cash_class = next(c.asset_class for c in plan.classes if classes.is_cash(c.asset_class))
    result = []
    for account, symbol, path, kind, value in zip(
        holdings.account.tolist(),
        holdings.symbol.tolist(),
        holdings.asset_class.tolist(),
        holdings.kind.tolist(),
        holdings.value.tolist(),
        strict=True,
    ):
        if account not in names or kind == "pending":
            continue
        klass = target_of(symbol, path, book.book.targets_of(account))
        if klass == classes.EXCLUDED:
            continue
        is_cash = kind == "cash"
        result.append(
            Held(
                account=account,
                symbol="CASH" if is_cash else symbol,
                klass=cash_class if klass in (None, CASH) else str(klass),
                value=value,
                path=path or CASH,
            )
        )
    result += [
        Held(account=a.account, symbol="CASH", klass=cash_class, value=a.flow, path=CASH)
        for a in plan.accounts
        if a.flow
    ]
    return tuple(result)


# -- the plan's tables of values -------------------------------------------------------------------


def _title_case(header: str) -> str:
    return header.replace("_", " ").capitalize()


def _table(
    canvas: Canvas,
    sheet: Worksheet,
    name: str,
    grid: Sequence[Sequence[Any]],
    names: Mapping[str, str],
    *,
    widths: Sequence[float],
    row: int = TOP,
    column: int = 1,
) -> Placed:
    """A table of values with the names of its columns; rows as high as their text needs."""
    headers = [str(cell) for cell in grid[0]]
    rows: list[list[Content]] = [list(line) for line in grid[1:]] or [[None] * len(headers)]
    placed = write_table(
        canvas,
        sheet,
        name=name,
        columns=[Column(header=_title_case(h), look=column_look(h)) for h in headers],
        rows=rows,
        row=row,
        column=column,
        header_height=18,
        filters=False,
    )
    for header, defined in names.items():
        define(canvas, defined, f"{name}[{_title_case(header)}]")
    if "quantity" in headers:
        show_whole(sheet, placed.cells("Quantity"), line=True)
    wrapped = [i for i, header in enumerate(headers) if header in WRAPPED]
    for at, line in enumerate(rows, start=placed.first_row):
        lines = max(
            (lines_needed(str(line[i] or ""), widths[column - 1 + i]) for i in wrapped), default=1
        )
        if lines > 1:
            sheet.row_dimensions[at].height = 13.5 * lines + 2
    return placed


def _sheet(canvas: Canvas, title: str, words: str, widths: Sequence[float]) -> Worksheet:
    sheet = canvas.sheet(title, styles.ACCENT_LIGHT)
    write_title(canvas, sheet, title, words)
    set_widths(sheet, widths)
    sheet.freeze_panes = f"A{TOP + 1}"
    return sheet


def _plan(canvas: Canvas, data: HouseholdData, plan: HouseholdPlan) -> None:
    widths = (20, 10, 9, 12, 11, 11, 15, 11, 15, 8, 13, 80)
    sheet = _sheet(
        canvas,
        PLAN,
        "The orders, lot by lot, each with its reason and the lots that were left alone. Values as planned "
        "and verified; whole shares, cash true in every account.",
        widths,
    )
    rows = trade_rows(plan)
    if not plan.trades:
        nothing = f"no trades: {data.figures['why']}"
        rows.append([*[None] * (len(rows[0]) - 1), nothing])
    placed = _table(canvas, sheet, "tblPlan", rows, PLAN_NAMES, widths=widths)
    set_up_print(sheet, last_column=placed.last_column, last_row=placed.last_row, repeat=TOP)


def _figures(
    canvas: Canvas, data: HouseholdData, plan: HouseholdPlan, request: HouseholdRequest
) -> None:
    widths = (22, 60, 3, 24, 15, 15, 15, 11, 12, 66)
    sheet = _sheet(
        canvas,
        PLAN_FIGURES,
        "What the plan comes to, and the other ways that it is compared with, as the planner worked them "
        "out.",
        widths,
    )
    rows = figure_rows(plan, request)
    placed = _table(canvas, sheet, "tblPlanFigures", rows, FIGURE_NAMES, widths=widths)
    for at, (name, value) in enumerate(rows[1:], start=placed.first_row):
        canvas.styles.apply(sheet.cell(row=at, column=2), figure_look(str(name), value))
        if isinstance(value, str):
            height = 13.5 * lines_needed(value, widths[1]) + 2
            sheet.row_dimensions[at].height = max(28, height)
    ways = _table(canvas, sheet, "tblPlanWays", way_rows(plan), WAY_NAMES, widths=widths, column=4)
    for at in range(placed.first_row, placed.first_row + 3):  # the texts at the left are as high
        sheet.row_dimensions[at].height = max(28, sheet.row_dimensions[at].height or 0)
    set_up_print(sheet, last_column=ways.last_column, last_row=placed.last_row)
    sheet.page_setup.fitToHeight = 1


def _notes(canvas: Canvas, plan: HouseholdPlan) -> None:
    widths = (13, 11, 13, 120)
    sheet = _sheet(
        canvas,
        NOTES,
        "Days before which nothing may be bought back, what the plan did not do and why, what limits cost.",
        widths,
    )
    placed = _table(canvas, sheet, "tblPlanNotes", note_rows(plan), NOTE_NAMES, widths=widths)
    set_up_print(sheet, last_column=4, last_row=placed.last_row, repeat=TOP)


def _classes(canvas: Canvas, plan: HouseholdPlan) -> None:
    widths = (24, 11, 17, 14, 13, 17, 12, 12, 12, 12, 11, 50)
    sheet = _sheet(canvas, CLASSES, "Every class before and after the plan.", widths)
    placed = _table(canvas, sheet, "tblPlanClasses", class_rows(plan), CLASS_NAMES, widths=widths)
    set_up_print(sheet, last_column=placed.last_column, last_row=placed.last_row, repeat=TOP)
