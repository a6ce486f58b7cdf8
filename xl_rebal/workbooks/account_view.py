"""The part of sheet Summary that shows one account: a picker, the block that follows it, two charts."""

from __future__ import annotations

from dataclasses import replace

from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content, address
from xl_rebal.workbooks.charts import Bars, bar_chart
from xl_rebal.workbooks.figures import AccountFigures, Figures
from xl_rebal.workbooks.pages import flag_words
from xl_rebal.workbooks.styles import Look, number
from xl_rebal.workbooks.tables import Column, Placed, group_columns, write_table

NAME = "tblView"
CHART_ROWS = 16
# (first column, last column from 0, how far into the last one in EMU) of each chart.
CHART_PLACES = ((0, 5, 900_000), (6, 10, 1_450_000))

_ROW = "(tblDrift[Account]=PickedAccount)*(tblDrift[Order]=[@No])"
_LINE = f"SUMPRODUCT({_ROW}*(ROW(tblDrift[Order])-ROW(tblDrift[[#Headers],[Order]])))"


def _number(header: str, source: str, look: Look) -> Column:
    cells = f"tblDrift[{source}]"
    formula = f'IF(SUMPRODUCT({_ROW}*ISNUMBER({cells}))=0,"",SUMPRODUCT({_ROW},{cells}))'
    return Column(header=header, look=look, formula=formula)


def _words(header: str, source: str, look: Look) -> Column:
    # T() takes the cell that INDEX finds as it is; without it Excel would show @INDEX.
    formula = f'IF([@Position]=0,"",T(INDEX(tblDrift[{source}],[@Position])))'
    return Column(header=header, look=look, formula=formula)


_PERCENT, _DRIFT = number(styles.PERCENT), number(styles.DRIFT)
VIEW_COLUMNS = (
    Column(header="No", look=styles.BODY_PLANNED),
    _words("Class", "Asset class", replace(styles.BODY_TEXT, format=styles.GENERAL)),
    _number("Current", "Weight", _PERCENT),
    _number("Target", "Target", _PERCENT),
    _number("After trades", "Weight after", _PERCENT),
    _number("Drift", "Drift", _DRIFT),
    _number("Drift after", "Drift after", _DRIFT),
    _number("Lower", "Lower", _PERCENT),
    _number("Upper", "Upper", _PERCENT),
    _words("Status", "Status", styles.BODY_STATUS),
    _words("Status after", "Status after", styles.BODY_STATUS),
    Column(header="Position", look=styles.BODY_PLANNED, formula=_LINE),
)


def write_account_view(canvas: Canvas, sheet: Worksheet, figures: Figures, row: int) -> int:
    """The picker, the block that follows it, and the charts on the block."""
    shown = next((a for a in figures.accounts if a.breaches), figures.accounts[0])
    canvas.put(sheet, row, 2, "Account shown", styles.HEADING)
    canvas.merge(sheet, row, 3, 5, styles.PICKER)
    canvas.put(sheet, row, 3, shown.account, styles.PICKER)
    canvas.workbook.defined_names["PickedAccount"] = DefinedName(
        "PickedAccount", attr_text=address(row, 3, sheet="Summary")
    )
    choice = DataValidation(
        type="list",
        formula1="AccountNames",
        allow_blank=False,
        showErrorMessage=True,
        errorTitle="Account",
        error="Choose one of the accounts of this report.",
    )
    choice.add(f"C{row}")
    sheet.add_data_validation(choice)
    if len(figures.accounts) > 1:
        canvas.put(sheet, row, 6, "◄ choose an account here; the charts follow", styles.NOTE)
    sheet.row_dimensions[row].height = 20
    count = max(len(account.classes) for account in figures.accounts)
    rows = [_view_row(shown, index) for index in range(count)]
    offset = 0
    for account in figures.accounts:
        if account is shown:
            break
        offset += len(account.classes)
    for index, contents in enumerate(rows):
        contents[-1] = offset + index + 1 if index < len(shown.classes) else 0
    placed = write_table(
        canvas,
        sheet,
        name=NAME,
        columns=VIEW_COLUMNS,
        rows=rows,
        row=row + 2,
        header_height=18,
        filters=False,
    )
    group_columns(sheet, placed.last_column, placed.last_column)
    for header in ("Status", "Status after"):
        flag_words(sheet, placed.cells(header), ["above", "below"])
    _charts(sheet, placed, rows)
    return placed.last_row + CHART_ROWS + 3


def _view_row(account: AccountFigures, index: int) -> list[Content]:
    if index >= len(account.classes):
        return [index + 1, *[""] * 10, 0]
    row = account.classes[index]
    return [
        index + 1,
        row.asset_class,
        row.weight,
        row.target,
        row.weight_after,
        row.drift,
        row.drift_after,
        row.lower,
        row.upper,
        row.status,
        row.status_after,
        0,
    ]


def _charts(sheet: Worksheet, placed: Placed, rows: list[list[Content]]) -> None:
    headers = [column.header for column in placed.columns]
    names = [str(row[headers.index("Class")]) for row in rows]

    def ref(header: str) -> str:
        column = placed.column(header)
        first = address(placed.first_row, column)
        return f"Summary!{first}:{address(placed.last_row, column)}"

    def bars(header: str, colour: str) -> Bars:
        values = [row[headers.index(header)] for row in rows]
        return Bars(
            label_ref=address(placed.header_row, placed.column(header), sheet="Summary"),
            label=header,
            ref=ref(header),
            values=[v if isinstance(v, (int, float)) else "" for v in values],
            colour=colour,
        )

    weights = bar_chart(
        title="Current and target weights",
        axis_title="Share of the weight base",
        axis_format="0%",
        categories_ref=ref("Class"),
        categories=names,
        bars=[
            bars("Current", styles.ACCENT),
            bars("Target", styles.GREY),
            bars("After trades", styles.ACCENT_LIGHT),
        ],
        from_zero=False,
    )
    drift = bar_chart(
        title="Drift from target, before and after the trades",
        axis_title="Percentage points",
        axis_format="+0.0%;-0.0%;0%",
        categories_ref=ref("Class"),
        categories=names,
        bars=[bars("Drift", styles.ACCENT), bars("Drift after", styles.ACCENT_LIGHT)],
        from_zero=False,
    )
    top = placed.last_row + 2
    for chart, (first, last, inside) in zip((weights, drift), CHART_PLACES, strict=True):
        chart.anchor = TwoCellAnchor(  # type: ignore[assignment]  # the stubs know only text
            editAs="oneCell",
            _from=AnchorMarker(col=first, row=top - 1),
            to=AnchorMarker(col=last, colOff=inside, row=top - 1 + CHART_ROWS),
        )
        sheet.add_chart(chart)
