"""Sheet Location: which class is held in which kind of account, before and after the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content, Formula, address, set_widths
from xl_rebal.workbooks.charts import Bars, bar_chart
from xl_rebal.workbooks.household_data import HouseholdData
from xl_rebal.workbooks.household_workings import Sources
from xl_rebal.workbooks.line_charts import PALETTE
from xl_rebal.workbooks.pages import flag_negative, set_up_print, write_title
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import Column, Placed, write_table
from xl_rebal.workbooks.template_pages import flag_word, protect, quiet, underline_used

NAME = "Location"
CHART_TOP, CHART_ROWS = 4, 17
TABLE_ROW = CHART_TOP + CHART_ROWS + 2
SERIES = 8  # classes that the chart shows
OVERDRAWN = "OVERDRAWN"
_COLOURS = (*PALETTE[:6], PALETTE[7], "A3ADB8")
_NAMED = '[@[Asset class]]=""'
_IN_CLASS = "--(tbl{0}[Class]=[@[Asset class]])"
_MONEY = quiet(number(styles.MONEY))


def _before(kind: str) -> str:
    return f'IF({_NAMED},"",SUMPRODUCT({_IN_CLASS.format("Held")},--(tblHeld[Kind]="{kind}"),tblHeld[Value]))'


def _after(kind: str) -> str:
    mine = f'--(tblLines[Kind]="{kind}")'
    moved = f"SUMPRODUCT({_IN_CLASS.format('Lines')},{mine},tblLines[Signed])"
    paid = f"SUMPRODUCT({mine},tblLines[Signed])+SUMPRODUCT({mine},tblLines[Cost])"
    return (
        f'IF({_NAMED},"",[@[{kind} before]]+{moved}'
        f'-IF(LEFT([@[Asset class]]&"/",5)="Cash/",{paid},0))'
    )


def _sum(kinds: Sequence[str], when: str) -> str:
    return f'IF({_NAMED},"",' + "+".join(f"[@[{kind} {when}]]" for kind in kinds) + ")"


def _columns(kinds: Sequence[str], class_formula: str) -> list[Column]:
    key = f'IF({_NAMED},"","■")'
    columns = [
        Column(header="Asset class", look=quiet(styles.BODY_TEXT), formula=class_formula),
        Column(header="Key", look=quiet(styles.BODY_STATUS), formula=key),
    ]
    for kind in kinds:
        columns.append(Column(header=f"{kind} before", look=_MONEY, formula=_before(kind)))
        columns.append(Column(header=f"{kind} after", look=_MONEY, formula=_after(kind)))
    columns.append(Column(header="All before", look=_MONEY, formula=_sum(kinds, "before")))
    columns.append(Column(header="All after", look=_MONEY, formula=_sum(kinds, "after")))
    return columns


CASH_HEADERS = (
    "Account",
    "Kind",
    "Cash before",
    "Sells",
    "Buys",
    "Costs",
    "Cash after",
    "Reserve",
    "Result",
)


def _cash(action: str, column: str) -> str:
    match = f'--(tblLines[Action]="{action}"),' if action else ""
    return f'IF([@Account]="","",SUMPRODUCT({match}--EXACT(tblLines[Account],[@Account]),tblLines[{column}]))'


def _cash_columns(account: str, kind: str, reserve: str) -> list[Column]:
    blank = 'IF([@Account]="","",'
    formulas = (
        account,
        kind,
        f'{blank}SUMPRODUCT(--EXACT(tblHeld[Account],[@Account]),--(LEFT(tblHeld[Symbol]&"/",5)="Cash/"),'
        "tblHeld[Value]))",
        _cash("SELL", "Value"),
        _cash("BUY", "Value"),
        _cash("", "Cost"),
        f"{blank}[@[Cash before]]+[@Sells]-[@Buys]-[@Costs])",
        reserve,
        f'{blank}IF([@[Cash after]]<MIN([@Reserve],[@[Cash before]])-0.005,"{OVERDRAWN}","ok"))',
    )
    looks = [quiet(styles.BODY_TEXT)] * 2 + [_MONEY] * 6 + [quiet(styles.BODY_STATUS)]
    return [
        Column(header=header, look=look, formula=formula)
        for header, look, formula in zip(CASH_HEADERS, looks, formulas, strict=True)
    ]


def write_location(
    canvas: Canvas,
    data: HouseholdData,
    sources: Sources,
    *,
    kinds: Sequence[str],
    class_formula: str = "",
    account_formulas: tuple[str, str, str] = ("", "", ""),
) -> None:
    """Write the sheet.

    kinds             of accounts, in the order of the chart's columns.
    class_formula     of a row's asset class; blank where classes are written as they are.
    account_formulas  of a row's account, its kind and its reserve; likewise.
    """
    sheet = canvas.sheet(NAME, styles.ACCENT)
    write_title(
        canvas,
        sheet,
        "Where each class is held",
        "Before and after the plan, by kind of account. Cash never moves from one account to another.",
    )
    columns = _columns(kinds, class_formula)
    rows = _rows(data, kinds, sources.classes)
    placed = write_table(
        canvas,
        sheet,
        name="tblLocation",
        columns=columns,
        rows=rows,
        row=TABLE_ROW,
        header_height=32,
        filters=False,
    )
    _totals(canvas, sheet, placed, rows)
    used = f'$A{placed.first_row}<>""'
    last = get_column_letter(placed.last_column)
    underline_used(sheet, f"A{placed.first_row}:{last}{placed.last_row}", used)
    row = placed.last_row + 3
    canvas.put(sheet, row, 1, "Cash, account by account", styles.HEADING)
    cash = write_table(
        canvas,
        sheet,
        name="tblCash",
        columns=_cash_columns(*account_formulas),
        rows=_cash_rows(data, sources.accounts),
        row=row + 1,
        header_height=18,
        filters=False,
    )
    underline_used(sheet, f"A{cash.first_row}:I{cash.last_row}", f'$A{cash.first_row}<>""')
    flag_negative(sheet, cash.cells("Cash after"))
    flag_word(sheet, cash.cells("Result"), OVERDRAWN, styles.BAD)
    set_widths(sheet, [24, 14, *[16] * max(8, len(columns) - 2)])
    _colour_keys(canvas, sheet, placed)
    _chart(sheet, placed, kinds, rows)
    set_up_print(sheet, last_column=max(9, placed.last_column), last_row=cash.last_row)
    sheet.page_setup.fitToHeight = 1
    protect(sheet)


def _rows(data: HouseholdData, kinds: Sequence[str], count: int) -> list[list[Content]]:
    result: list[list[Content]] = []
    for name in (*data.classes, *[""] * (count - len(data.classes))):
        if not name:
            result.append([""] * (4 + 2 * len(kinds)))
            continue
        pairs = [(data.before(name, kind), data.after(name, kind)) for kind in kinds]
        sums = [sum(p[0] for p in pairs), sum(p[1] for p in pairs)]
        result.append([name, "■", *(money for pair in pairs for money in pair), *sums])
    return result


def _colour_keys(canvas: Canvas, sheet: Worksheet, placed: Placed) -> None:
    """The chart's legend: rows of the table in the colours of its series."""
    for place, row in enumerate(range(placed.first_row, placed.last_row + 1)):
        colour = _COLOURS[place] if place < SERIES else "FFFFFF"
        look = replace(quiet(styles.BODY_STATUS), colour=colour, size=14)
        canvas.styles.apply(sheet.cell(row=row, column=placed.column("Key")), look)


def _totals(canvas: Canvas, sheet: Worksheet, placed: Placed, rows: list[list[Content]]) -> None:
    row = placed.last_row + 1
    look = replace(number(styles.MONEY), bold=True, line=styles.GREY)
    canvas.put(sheet, row, 1, "Total", replace(styles.BODY_TEXT, bold=True, line=styles.GREY))
    canvas.put(sheet, row, 2, None, look)
    for offset, column in enumerate(placed.columns[2:], start=2):
        total = sum(float(v) for each in rows if isinstance(v := each[offset], (int, float)))
        formula = Formula(f"SUM(tblLocation[{column.header}])", total)
        canvas.put(sheet, row, 1 + offset, formula, look)


def _cash_rows(data: HouseholdData, count: int) -> list[list[Content]]:
    rows: list[list[Content]] = []
    for owned in data.accounts:
        before, sold, bought, costs = data.cash(owned.account)
        after = before + sold - bought - costs
        short = after < min(owned.reserve, before) - 0.005
        rows.append(
            [
                owned.account,
                owned.kind,
                before,
                sold,
                bought,
                costs,
                after,
                owned.reserve,
                OVERDRAWN if short else "ok",
            ]
        )
    return rows + [[""] * len(CASH_HEADERS) for _ in range(len(rows), count)]


def _chart(
    sheet: Worksheet, placed: Placed, kinds: Sequence[str], rows: list[list[Content]]
) -> None:
    first, last = 3, 2 + 2 * len(kinds)
    head = placed.header_row
    bars = []
    for place, line in enumerate(rows[:SERIES]):
        row = placed.first_row + place
        values = line[first - 1 : last]
        bars.append(
            Bars(
                label_ref=address(row, 1, sheet=NAME),
                label=str(line[0]),
                ref=f"{address(row, first, sheet=NAME)}:{address(row, last)}",
                values=[v if isinstance(v, (int, float)) else "" for v in values],
                colour=_COLOURS[place],
            )
        )
    chart = bar_chart(
        title="Classes by kind of account, before and after",
        axis_title="Money",
        axis_format="#,##0",
        categories_ref=f"{address(head, first, sheet=NAME)}:{address(head, last)}",
        categories=[column.header for column in placed.columns[first - 1 : last]],
        bars=bars,
        from_zero=True,
        stacked=True,
        category_title="Kind of account",
    )
    chart.legend = None  # column Key of the table below: a class that is not there has no entry
    chart.anchor = TwoCellAnchor(  # type: ignore[assignment]  # the stubs know only text
        editAs="oneCell",
        _from=AnchorMarker(col=0, row=CHART_TOP - 1),
        to=AnchorMarker(col=max(9, placed.last_column), row=CHART_TOP - 1 + CHART_ROWS),
    )
    sheet.add_chart(chart)
