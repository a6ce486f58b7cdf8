"""Sheet Summary: the state of the book, one account in charts, all accounts in a table."""

from __future__ import annotations

from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content, Formula, address, lines_needed, set_widths
from xl_rebal.workbooks.charts import Bars, bar_chart
from xl_rebal.workbooks.figures import AccountFigures, Figures
from xl_rebal.workbooks.pages import flag_negative, flag_words, set_up_print, write_title
from xl_rebal.workbooks.source import ReportSource
from xl_rebal.workbooks.styles import Look, number
from xl_rebal.workbooks.tables import Column, Placed, group_columns, write_table

VIEW, ACCOUNTS = "tblView", "tblAccounts"
LAST = 11  # column K
WIDTHS = [5, 26, 15, 12, 13, 15, 15, 13, 15, 15, 22, 10]
WORDS_WIDTH = sum(WIDTHS[2:LAST])
CHART_ROWS = 18

_LINE = (
    "SUMPRODUCT((tblDrift[Account]=PickedAccount)*(tblDrift[Order]=[@No])"
    "*(ROW(tblDrift[Order])-ROW(tblDrift[[#Headers],[Order]])))"
)


def _from_drift(header: str, source: str, look: Look) -> Column:
    formula = f'IF([@Position]=0,"",INDEX(tblDrift[{source}],[@Position]))'
    return Column(header=header, look=look, formula=formula)


_PERCENT, _DRIFT = number(styles.PERCENT), number(styles.DRIFT)
VIEW_COLUMNS = (
    Column(header="No", look=styles.BODY_PLANNED),
    _from_drift("Class", "Asset class", styles.BODY),
    _from_drift("Current", "Weight", _PERCENT),
    _from_drift("Target", "Target", _PERCENT),
    _from_drift("After trades", "Weight after", _PERCENT),
    _from_drift("Drift", "Drift", _DRIFT),
    _from_drift("Drift after", "Drift after", _DRIFT),
    _from_drift("Lower", "Lower", _PERCENT),
    _from_drift("Upper", "Upper", _PERCENT),
    _from_drift("Status", "Status", styles.BODY_STATUS),
    _from_drift("Status after", "Status after", styles.BODY_STATUS),
    Column(header="Position", look=styles.BODY_PLANNED, formula=_LINE),
)

_MINE = "[Account]=[@Account])"
_MONEY = number(styles.MONEY)
_COUNT = number(styles.COUNT)


def _cash(column: str) -> str:
    return f"SUMPRODUCT(--(tblCash{_MINE},tblCash[{column}])"


_OUTSIDE = f'SUMPRODUCT((tblDrift{_MINE}*(tblDrift[Status]<>"within"))'
_OUTSIDE_AFTER = f'SUMPRODUCT((tblDrift{_MINE}*(tblDrift[Status after]<>"within"))'
ACCOUNT_COLUMNS = (
    Column(header="Account", look=styles.BODY_TEXT),
    Column(
        header="Total value",
        look=_MONEY,
        formula=f'SUMPRODUCT((tblHoldings{_MINE}*(tblHoldings[Kind]<>"pending"),tblHoldings[Value])',
    ),
    Column(header="Outside band", look=_COUNT, formula=_OUTSIDE),
    Column(
        header="Trades",
        look=_COUNT,
        formula=f"SUMPRODUCT((tblTrades{_MINE}*(tblTrades[Quantity]>0))",
    ),
    Column(header="Sells", look=_MONEY, formula=_cash("Sells")),
    Column(header="Buys", look=_MONEY, formula=_cash("Buys")),
    Column(header="Costs", look=_MONEY, formula=_cash("Costs")),
    Column(header="Cash before", look=_MONEY, formula=_cash("Cash before")),
    Column(header="Cash after", look=_MONEY, formula=_cash("Cash after")),
    Column(
        header="State",
        look=styles.BODY_STATUS,
        formula='IF([@[Outside band]]=0,"within bands",[@[Outside band]]&" outside, "'
        f'&{_OUTSIDE_AFTER}&" after")',
    ),
)

PLAN_STATUS = (
    'IF(IFERROR(SUMPRODUCT(--(tblChecks[Result]<>"ok")),1)=0,'
    '"Plan is current","PLAN OUT OF DATE")'
)
_BANDED = "SUMPRODUCT(--(ISNUMBER(tblDrift[Band down])+ISNUMBER(tblDrift[Band up])>0))"
_ALL_OUTSIDE = f"SUM({ACCOUNTS}[Outside band])"
_ACCOUNTS_OUTSIDE = f"SUMPRODUCT(--({ACCOUNTS}[Outside band]>0))"


def write_summary(canvas: Canvas, figures: Figures, source: ReportSource) -> Worksheet:
    """Write the sheet."""
    sheet = canvas.sheet("Summary", styles.ACCENT)
    write_title(
        canvas,
        sheet,
        "Portfolio rebalancing report",
        "Drift, bands and trades. Every number is an Excel formula on the sheets of this file, so "
        "that it can be followed and recalculated; no macros, no links.",
    )
    set_widths(sheet, WIDTHS)
    row = _facts(canvas, sheet, figures, source, 4)
    row = _cards(canvas, sheet, figures, row + 1)
    row = _one_account(canvas, sheet, figures, row + 1)
    canvas.put(sheet, row, 2, "Accounts", styles.HEADING)
    placed = write_table(
        canvas,
        sheet,
        name=ACCOUNTS,
        columns=ACCOUNT_COLUMNS,
        rows=[_account_row(account) for account in figures.accounts],
        row=row + 1,
        column=2,
        header_height=18,
    )
    for header in ("Cash before", "Cash after"):
        flag_negative(sheet, placed.cells(header))
    canvas.workbook.defined_names["AccountNames"] = DefinedName(
        "AccountNames", attr_text=f"{ACCOUNTS}[Account]"
    )
    sheet.freeze_panes = "A4"
    set_up_print(sheet, last_column=LAST, last_row=placed.last_row)
    return sheet


def _facts(
    canvas: Canvas, sheet: Worksheet, figures: Figures, source: ReportSource, row: int
) -> int:
    policy = figures.result.request.policy
    facts: list[tuple[str, Content, Look]] = [
        ("Source", f"{source.name} ({source.custodian})", styles.WORDS),
        ("Valuation date", source.as_of_text or "unknown", styles.WORDS),
        ("Policy", policy.in_words(), styles.WORDS),
        ("Status", _status(figures), styles.STRONG),
        ("Plan", Formula(PLAN_STATUS, "Plan is current"), styles.STRONG),
    ]
    for label, content, look in facts:
        canvas.put(sheet, row, 2, label, styles.LABEL)
        canvas.merge(sheet, row, 3, LAST, look)
        canvas.put(sheet, row, 3, content, look)
        if isinstance(content, str):
            sheet.row_dimensions[row].height = 13.5 * lines_needed(content, WORDS_WIDTH) + 3
        else:
            sheet.row_dimensions[row].height = 18
        if label == "Plan":
            flag_words(sheet, f"C{row}", ["Plan is current", "PLAN OUT OF DATE"])
            canvas.workbook.defined_names["PlanStatus"] = DefinedName(
                "PlanStatus", attr_text=address(row, 3, sheet="Summary")
            )
        row += 1
    return row


def _status(figures: Figures) -> Formula:
    """`1 of 3 classes outside its band`."""
    many = len(figures.accounts) > 1
    tail = f'&" in "&{_ACCOUNTS_OUTSIDE}&" of "&ROWS({ACCOUNTS}[Account])&" accounts"' if many else ""
    formula = (
        f'IF({_BANDED}=0,"the policy has no bands",IF({_ALL_OUTSIDE}=0,'
        f'"every class is within its band",{_ALL_OUTSIDE}&" of "&{_BANDED}&" classes outside "'
        f'&IF({_ALL_OUTSIDE}=1,"its band","their bands"){tail}))'
    )
    outside = sum(account.breaches for account in figures.accounts)
    banded = sum(account.banded for account in figures.accounts)
    if not banded:
        words = "the policy has no bands"
    elif not outside:
        words = "every class is within its band"
    else:
        words = f"{outside} of {banded} classes outside {'its band' if outside == 1 else 'their bands'}"
        if many:
            hit = sum(1 for account in figures.accounts if account.breaches)
            words += f" in {hit} of {len(figures.accounts)} accounts"
    return Formula(formula, words)


def _cards(canvas: Canvas, sheet: Worksheet, figures: Figures, row: int) -> int:
    accounts = figures.accounts
    cards: list[tuple[int, int, str, str, float, str]] = [
        (
            2,
            2,
            "Total value",
            f"SUM({ACCOUNTS}[Total value])",
            sum(a.total for a in accounts),
            styles.MONEY,
        ),
        (
            3,
            4,
            "Classes outside band",
            _ALL_OUTSIDE,
            sum(a.breaches for a in accounts),
            styles.COUNT,
        ),
        (
            5,
            6,
            "Outside band after trades",
            'SUMPRODUCT(--(tblDrift[Status after]<>"within"))',
            sum(a.breaches_after for a in accounts),
            styles.COUNT,
        ),
        (7, 8, "Trades", f"SUM({ACCOUNTS}[Trades])", len(figures.trade_rows), styles.COUNT),
        (
            9,
            10,
            "Trading costs",
            f"SUM({ACCOUNTS}[Costs])",
            sum(a.costs for a in accounts),
            styles.MONEY,
        ),
        (
            11,
            11,
            "Cash after trades",
            f"SUM({ACCOUNTS}[Cash after])",
            sum(a.cash_after for a in accounts),
            styles.MONEY,
        ),
    ]
    for first, last, label, formula, value, format_ in cards:
        look = Look(
            format=format_,
            size=styles.CARD_VALUE.size,
            bold=True,
            colour=styles.ACCENT,
            fill=styles.PALE,
            align="center",
        )
        for offset, content, cell_look in (
            (0, label, styles.CARD_LABEL),
            (1, Formula(formula, value), look),
        ):
            if last > first:
                canvas.merge(sheet, row + offset, first, last, cell_look)
            canvas.put(sheet, row + offset, first, content, cell_look)
    sheet.row_dimensions[row].height = 16
    sheet.row_dimensions[row + 1].height = 24
    return row + 2


def _one_account(canvas: Canvas, sheet: Worksheet, figures: Figures, row: int) -> int:
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
        name=VIEW,
        columns=VIEW_COLUMNS,
        rows=rows,
        row=row + 2,
        header_height=18,
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


def _account_row(account: AccountFigures) -> list[Content]:
    outside = account.breaches
    return [
        account.account,
        account.total,
        outside,
        len(account.trades),
        account.sells,
        account.buys,
        account.costs,
        account.cash_before,
        account.cash_after,
        f"{outside} outside, {account.breaches_after} after" if outside else "within bands",
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
    for chart, column, width in ((weights, "A", 15.6), (drift, "G", 16.2)):
        chart.width, chart.height = width, 8.9
        sheet.add_chart(chart, f"{column}{top}")
