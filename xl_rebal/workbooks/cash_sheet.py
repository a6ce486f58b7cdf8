"""Sheet Cash: settled cash of every account day by day, what was not done with its cost in drift, and how
good each plan is known to be.
"""

from __future__ import annotations

from collections.abc import Iterator

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content
from xl_rebal.workbooks.figures import AccountFigures, Figures
from xl_rebal.workbooks.pages import flag_negative, set_up_print, write_title
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import (
    Column,
    Placed,
    fit_columns,
    group_columns,
    planned,
    write_table,
)

DAYS, CAUSES, PROOFS = "tblCashDays", "tblNotDone", "tblProofs"
HEADER_ROW = 5
WORDS_WIDTH = 14  # the words run on over the empty cells beside them

_MONEY = number(styles.MONEY)
_BEFORE = f"({DAYS}[Account]=[@Account])*({DAYS}[Day]<[@Day])"
_MOVED = "+".join(f"{DAYS}[{name}]" for name in ("Arriving", "Sells", "Flows"))
_SPENT = "-".join(f"{DAYS}[{name}]" for name in ("Buys", "Fees"))


def _traded(column: str, action: str = "") -> str:
    """What the trades of the account that settle on the day sum to."""
    side = f'*(tblTrades[Action]="{action}")' if action else ""
    return (
        f"SUMPRODUCT((tblTrades[Account]=[@Account])*(tblTrades[Settles]=[@Date]){side},"
        f"tblTrades[{column}])"
    )


DAY_COLUMNS = (
    Column(header="Account", look=styles.BODY_TEXT),
    Column(header="Date", look=styles.BODY_TEXT),
    Column(
        header="Opening",
        look=_MONEY,
        formula=f"[@Start]+SUMPRODUCT({_BEFORE},{_MOVED}-{_SPENT})",
    ),
    Column(header="Arriving", look=_MONEY),
    Column(header="Sells", look=_MONEY, formula=_traded("Value", "SELL")),
    Column(header="Buys", look=_MONEY, formula=_traded("Value", "BUY")),
    Column(header="Fees", look=_MONEY, formula=_traded("Cost")),
    Column(header="Flows", look=_MONEY),
    Column(
        header="Closing",
        look=_MONEY,
        formula="ROUND([@Opening]+[@Arriving]+[@Sells]-[@Buys]-[@Fees]+[@Flows],6)",
    ),
    planned("Day"),
    planned("Start", number(styles.MONEY)),
)
CAUSE_COLUMNS = (
    Column(header="Account", look=styles.BODY_TEXT),
    Column(header="Cause", look=styles.BODY_TEXT),
    Column(header="Asset class", look=styles.BODY_TEXT),
    Column(header="Symbol", look=styles.BODY_TEXT),
    Column(header="Drift left, pp", look=number("0.00")),
    Column(header="What was not done", look=styles.BODY_TEXT),
)


PROOF_COLUMNS = (
    Column(header="Account", look=styles.BODY_TEXT),
    Column(header="Proof", look=styles.BODY_TEXT),
)


def write_cash(canvas: Canvas, figures: Figures) -> Worksheet:
    """Write the sheet."""
    sheet = canvas.sheet("Cash", styles.ACCENT_LIGHT)
    write_title(
        canvas,
        sheet,
        "Cash by day, and what was not done",
        "A trade moves cash on the day on which it settles; T+1 is one trading day after it where no trade "
        "date is known. Known withdrawals are kept back until they leave.",
    )
    canvas.put(sheet, HEADER_ROW - 1, 1, "Cash by day", styles.HEADING)
    days = write_table(
        canvas,
        sheet,
        name=DAYS,
        columns=DAY_COLUMNS,
        rows=list(_day_rows(figures)) or [_no_days()],
        row=HEADER_ROW,
        filters=len(figures.accounts) > 1,
    )
    row = days.last_row + 2
    canvas.put(sheet, row, 1, "Drift that is left, by cause", styles.HEADING)
    note = (
        "pp of the sum of |drift| over the classes, cash counted: what re-planning without each cause "
        "would save, one after the other; the causes of an account sum to what is left of its drift."
    )
    canvas.put(sheet, row + 1, 1, note, styles.NOTE)
    causes = write_table(
        canvas,
        sheet,
        name=CAUSES,
        columns=CAUSE_COLUMNS,
        rows=list(_cause_rows(figures)) or [["", "none", "", "", 0, "nothing was left undone"]],
        row=row + 2,
        filters=len(figures.accounts) > 1,
    )
    proofs = _write_proofs(canvas, sheet, figures, causes.last_row + 2)
    _fit(sheet, days, causes)
    flag_negative(sheet, days.cells("Closing"))
    sheet.freeze_panes = "A4"
    set_up_print(
        sheet,
        last_column=days.column("Closing"),
        last_row=proofs.last_row,
        repeat=days.header_row,
    )
    return sheet


def _write_proofs(canvas: Canvas, sheet: Worksheet, figures: Figures, row: int) -> Placed:
    """How good each account's plan is known to be, in the order of a good plan."""
    canvas.put(sheet, row, 1, "How good each plan is known to be", styles.HEADING)
    plans = [account.plan for account in figures.accounts if account.plan is not None]
    return write_table(
        canvas,
        sheet,
        name=PROOFS,
        columns=PROOF_COLUMNS,
        rows=[[plan.account, plan.proof.words] for plan in plans] or [["", "no plan"]],
        row=row + 1,
        filters=False,
    )


def _fit(sheet: Worksheet, days: Placed, causes: Placed) -> None:
    fit_columns(sheet, [days, causes], {"What was not done": WORDS_WIDTH})
    group_columns(sheet, days.column("Day"), days.last_column)


def _day_rows(figures: Figures) -> Iterator[list[Content]]:
    for account in figures.accounts:
        if account.plan is None:
            continue
        for number_, day in enumerate(account.plan.cash_days, start=1):
            yield [
                account.account,
                day.when,
                day.opening,
                day.arriving,
                day.sells,
                day.buys,
                day.fees,
                day.flows,
                day.closing,
                number_,
                account.plan.cash_days[0].opening,
            ]


def _no_days() -> list[Content]:
    return ["", "no account is planned", *[0.0] * 7, 1, 0.0]


def _cause_rows(figures: Figures) -> Iterator[list[Content]]:
    for account in figures.accounts:
        yield from _not_done(account)


def _not_done(account: AccountFigures) -> list[list[Content]]:
    plan = account.plan
    if plan is None:
        return []
    return [
        [
            row.account,
            row.cause.value,
            row.asset_class,
            row.symbol,
            row.drift_pp,
            row.what[:1].upper() + row.what[1:],
        ]
        for row in plan.not_done
    ]
