"""Sheet Summary: the state of the book, one account in charts, all accounts in a table."""

from __future__ import annotations

from dataclasses import replace

from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.account_view import write_account_view
from xl_rebal.workbooks.cells import Canvas, Content, Formula, address, lines_needed, set_widths
from xl_rebal.workbooks.figures import AccountFigures, Figures
from xl_rebal.workbooks.pages import (
    break_before,
    flag_negative,
    flag_words,
    set_up_print,
    write_title,
)
from xl_rebal.workbooks.refused_sheet import IS_REFUSED
from xl_rebal.workbooks.refused_sheet import NAME as REFUSED
from xl_rebal.workbooks.source import ReportSource
from xl_rebal.workbooks.styles import Look, number
from xl_rebal.workbooks.tables import Column, write_table

ACCOUNTS = "tblAccounts"
LAST = 11  # column K
FIRST_PAGE = 7  # so many accounts and classes together fit on the first printed page
WIDTHS = [5, 26, 15, 12, 13, 15, 15, 13, 15, 15, 22, 10]
WORDS_WIDTH = sum(WIDTHS[2:LAST])

_MINE = "[Account]=[@Account])"
_MONEY = number(styles.MONEY)
_COUNT = number(styles.COUNT)


def _cash(column: str) -> str:
    return f"SUMPRODUCT(--(tblCash{_MINE},tblCash[{column}])"


_OUTSIDE = f'SUMPRODUCT((tblDrift{_MINE}*(tblDrift[Status]<>"within"))'
_OUTSIDE_AFTER = f'SUMPRODUCT((tblDrift{_MINE}*(tblDrift[Status after]<>"within"))'
_STATE = (
    'IF([@[Outside band]]=0,"within bands",[@[Outside band]]&" outside, "'
    f'&{_OUTSIDE_AFTER}&" after")'
)
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
    Column(header="State", look=styles.BODY_STATUS, formula=_STATE),
)

PLAN_STATUS = (
    'IF(IFERROR(SUMPRODUCT(--(tblChecks[Result]<>"ok")),1)=0,"Plan is current","PLAN OUT OF DATE")'
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
    names = [a.account for a in figures.accounts] + [r.asset_class for r in figures.drift_rows]
    widest = max(WIDTHS[1], min(42, 3 + max(len(name) for name in names)))
    set_widths(sheet, [WIDTHS[0], widest, *WIDTHS[2:]])
    row = _facts(canvas, sheet, figures, source, 4)
    row = _cards(canvas, sheet, figures, row + 1)
    row = write_account_view(canvas, sheet, figures, row + 1)
    canvas.put(sheet, row, 2, "Accounts", styles.HEADING)
    placed = write_table(
        canvas,
        sheet,
        name=ACCOUNTS,
        columns=_columns(figures),
        rows=[_account_row(account) for account in figures.accounts],
        row=row + 1,
        column=2,
        header_height=18,
    )
    for offset, width in enumerate(placed.widths[1:], start=3):
        letter = get_column_letter(offset)
        sheet.column_dimensions[letter].width = max(WIDTHS[offset - 1], width)
    for header in ("Cash before", "Cash after"):
        flag_negative(sheet, placed.cells(header))
    canvas.workbook.defined_names["AccountNames"] = DefinedName(
        "AccountNames", attr_text=f"{ACCOUNTS}[Account]"
    )
    sheet.freeze_panes = "A4"
    classes = max(len(account.classes) for account in figures.accounts)
    if len(figures.accounts) + classes > FIRST_PAGE:
        break_before(sheet, placed.header_row - 1)
    # On the first page the table of accounts is one line under the charts; it may go on for pages.
    set_up_print(sheet, last_column=LAST, last_row=placed.last_row, repeat=placed.header_row)
    return sheet


def _columns(figures: Figures) -> tuple[Column, ...]:
    """The columns of the accounts; State asks for refusals only where there are any."""
    if not figures.result.refused:
        return ACCOUNT_COLUMNS
    *others, state = ACCOUNT_COLUMNS
    return (*others, replace(state, formula=f'IF({IS_REFUSED},"REFUSED",{_STATE})'))


_ALARM = replace(styles.STRONG, colour=styles.BAD[0])


def _refused(figures: Figures) -> list[tuple[str, Content, Look]]:
    """`2 of 12 accounts could not be planned: see sheet Refused`."""
    count, many = len(figures.result.refused), len(figures.accounts)
    if not count:
        return []
    words = "could not be planned: see sheet Refused"
    formula = f'ROWS({REFUSED}[Account])&" of "&ROWS({ACCOUNTS}[Account])&" accounts {words}"'
    return [("Refused", Formula(formula, f"{count} of {many} accounts {words}"), _ALARM)]


def _facts(
    canvas: Canvas, sheet: Worksheet, figures: Figures, source: ReportSource, row: int
) -> int:
    policy = figures.result.request.policy
    facts: list[tuple[str, Content, Look]] = [
        ("Source", f"{source.file_name} ({source.custodian})", styles.WORDS),
        ("Valuation date", source.as_of_text or "unknown", styles.WORDS),
        ("Policy", policy.in_words(), styles.WORDS),
        ("Status", _status(figures), styles.STRONG),
        ("Plan", Formula(PLAN_STATUS, "Plan is current"), styles.STRONG),
        *_refused(figures),
    ]
    for label, content, look in facts:
        top = isinstance(content, str)
        canvas.put(sheet, row, 2, label, styles.LABEL_TOP if top else styles.LABEL)
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
    tail = (
        f'&" in "&{_ACCOUNTS_OUTSIDE}&" of "&ROWS({ACCOUNTS}[Account])&" accounts"' if many else ""
    )
    formula = (
        f'IF({_BANDED}=0,"The policy has no bands",IF({_ALL_OUTSIDE}=0,'
        f'"Every class is within its band",{_ALL_OUTSIDE}&" of "&{_BANDED}&" classes outside "'
        f'&IF({_ALL_OUTSIDE}=1,"its band","their bands"){tail}))'
    )
    outside = sum(account.breaches for account in figures.accounts)
    banded = sum(account.banded for account in figures.accounts)
    if not banded:
        words = "The policy has no bands"
    elif not outside:
        words = "Every class is within its band"
    else:
        words = (
            f"{outside} of {banded} classes outside {'its band' if outside == 1 else 'their bands'}"
        )
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


def _account_row(account: AccountFigures) -> list[Content]:
    outside = account.breaches
    state = f"{outside} outside, {account.breaches_after} after" if outside else "within bands"
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
        "REFUSED" if account.refused else state,
    ]
