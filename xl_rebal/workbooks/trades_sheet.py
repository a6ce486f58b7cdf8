"""Sheet Trades: cash of every account before and after, and the trades with their costs and reasons."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content, Formula, lines_needed
from xl_rebal.workbooks.figures import AccountFigures, Figures, TradeFigures
from xl_rebal.workbooks.pages import (
    flag_negative,
    flag_words,
    set_up_print,
    show_whole,
    write_title,
)
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import (
    Column,
    Placed,
    fit_columns,
    group_columns,
    planned,
    write_table,
)

NAME, CASH_NAME = "tblTrades", "tblCash"
CASH_HEADER_ROW = 5
REASON_WIDTH = 48

_QUANTITY = "N([@Quantity])"
_GROSS = f"{_QUANTITY}*N([@[Unit value]])"
HALF_SPREAD = "IF(ISNUMBER([@[Own half-spread]]),[@[Own half-spread]],HalfSpread)"
COMMISSION = (
    f"IF({_QUANTITY}=0,0,IF(ISNUMBER([@[Own commission]]),[@[Own commission]],"
    f"MIN(MAX(CommissionPerTrade+CommissionPerShare*{_QUANTITY},CommissionAtLeast),"
    "CommissionAtMost)))"
)
IMPACT = (
    "IF(ISNUMBER([@[Own impact]]),[@[Own impact]],IF(N([@ADV])>0,"
    f"ImpactRate*SQRT({_QUANTITY}/N([@ADV]))*{_GROSS},0))"
)
EDITED_TRADES = (
    "SUMPRODUCT(1-"
    + "*".join(
        f"EXACT({NAME}[{name}],{NAME}[Plan {name.lower()}])"
        for name in ("Account", "Action", "Symbol", "Target class")
    )
    + "*"
    + "*".join(
        f"({NAME}[{name}]={NAME}[Plan {name.lower()}])" for name in ("Quantity", "Unit value")
    )
    + ")"
)
EDITED_CASH = (
    f"SUMPRODUCT(1-({CASH_NAME}[Flow]={CASH_NAME}[Planned flow])"
    f"*({CASH_NAME}[Reserve]={CASH_NAME}[Planned reserve]))"
)

_MONEY = number(styles.MONEY)
COLUMNS = (
    Column(header="Account", look=styles.BODY_TEXT),
    Column(header="Action", look=styles.BODY_STATUS),
    Column(header="Symbol", look=styles.BODY_TEXT),
    Column(header="Target class", look=styles.BODY_TEXT),
    Column(header="Quantity", look=number(styles.QUANTITY)),
    Column(header="Price", look=number(styles.PRICE)),
    Column(header="Unit value", look=number(styles.PRICE)),
    Column(header="Value", look=_MONEY, formula="ROUND([@Quantity]*[@[Unit value]],2)"),
    Column(header="Half-spread", look=number(styles.RATE), formula=HALF_SPREAD),
    Column(header="Commission", look=_MONEY, formula=COMMISSION),
    Column(header="Impact", look=_MONEY, formula=IMPACT),
    Column(
        header="Cost",
        look=_MONEY,
        formula=f"ROUND({_GROSS}*[@[Half-spread]]+[@Commission]+[@Impact]+N([@[Redemption fee]]),2)",
    ),
    Column(
        header="Cash effect",
        look=_MONEY,
        formula='([@Action]="SELL")*[@Value]-([@Action]="BUY")*[@Value]-[@Cost]',
    ),
    Column(header="Reason", look=styles.BODY_WRAP),
    Column(header="Settles", look=styles.BODY_TEXT),
    Column(header="Order", look=styles.BODY_STATUS),
    Column(header="Limit price", look=number(styles.PRICE)),
    Column(header="In force", look=styles.BODY_STATUS),
    Column(header="Redemption fee", look=_MONEY),
    planned("Own half-spread"),
    planned("Own commission"),
    planned("Own impact"),
    planned("ADV"),
    planned("Plan row"),
    planned("Plan account", styles.BODY_TEXT),
    planned("Plan action", styles.BODY_TEXT),
    planned("Plan symbol", styles.BODY_TEXT),
    planned("Plan target class", styles.BODY_TEXT),
    planned("Plan quantity"),
    planned("Plan unit value"),
)


def _sum(table: str, column: str, condition: str = "") -> str:
    return f"SUMPRODUCT(({table}[Account]=[@Account])*1{condition},{table}[{column}])"


CASH_COLUMNS = (
    Column(header="Account", look=styles.BODY_TEXT),
    Column(
        header="Cash before",
        look=_MONEY,
        formula=_sum("tblHoldings", "Value", '*(tblHoldings[Kind]="cash")'),
    ),
    Column(header="Flow", look=number(styles.MONEY, given=True)),
    Column(header="Sells", look=_MONEY, formula=_sum(NAME, "Value", f'*({NAME}[Action]="SELL")')),
    Column(header="Buys", look=_MONEY, formula=_sum(NAME, "Value", f'*({NAME}[Action]="BUY")')),
    Column(header="Costs", look=_MONEY, formula=_sum(NAME, "Cost")),
    Column(
        header="Cash after",
        look=_MONEY,
        formula="[@[Cash before]]+[@Flow]+[@Sells]-[@Buys]-[@Costs]",
    ),
    Column(header="Reserve", look=number(styles.MONEY, given=True)),
    Column(
        header="Check",
        look=styles.BODY_STATUS,
        formula='IF([@[Cash after]]-[@Reserve]<-0.005,"OVERDRAWN","ok")',
    ),
    planned("Planned flow", number(styles.MONEY)),
    planned("Planned reserve", number(styles.MONEY)),
)


def write_trades(canvas: Canvas, figures: Figures) -> tuple[Worksheet, Placed]:
    """Write the sheet."""
    sheet = canvas.sheet("Trades", styles.ACCENT_LIGHT)
    write_title(
        canvas,
        sheet,
        "Trades",
        "Value = quantity × unit value (price × multiplier × FX), to the cent. Cost = half-spread × "
        "value + commission + impact + redemption fee. Cash stays inside its account. Reserve includes known "
        "withdrawals.",
    )
    canvas.put(sheet, CASH_HEADER_ROW - 1, 1, "Cash", styles.HEADING)
    cash = write_table(
        canvas,
        sheet,
        name=CASH_NAME,
        columns=CASH_COLUMNS,
        rows=[_cash_row(account) for account in figures.accounts],
        row=CASH_HEADER_ROW,
        filters=False,
    )
    row = cash.last_row + 2
    canvas.put(sheet, row, 1, "Trade list", styles.HEADING)
    canvas.put(sheet, row, 3, _headline(figures), styles.NOTE)
    trades = figures.trade_rows
    reasons = [each.trade.reason for each in trades] or [why_no_trades(figures)]
    rows = [_row(index, each, figures) for index, each in enumerate(trades, start=1)]
    placed = write_table(
        canvas,
        sheet,
        name=NAME,
        columns=COLUMNS,
        rows=rows or [_no_trades(figures, reasons[0])],
        row=row + 1,
    )
    for number_, reason in enumerate(reasons, start=placed.first_row):
        lines = lines_needed(reason, REASON_WIDTH)
        if lines > 1:
            sheet.row_dimensions[number_].height = 13.5 * lines + 2
    fit_columns(sheet, [cash, placed], {"Reason": REASON_WIDTH})
    sheet.column_dimensions["N"].width = REASON_WIDTH
    show_whole(sheet, placed.cells("Quantity"))
    group_columns(sheet, placed.column("Own half-spread"), placed.last_column)
    for header in ("Cash after", "Cash before"):
        flag_negative(sheet, cash.cells(header))
    flag_words(sheet, cash.cells("Check"), ["OVERDRAWN"])
    single = len(figures.accounts) == 1
    sheet.freeze_panes = f"A{placed.first_row if single else 4}"
    set_up_print(
        sheet,
        last_column=placed.column("Reason"),
        last_row=placed.last_row,
        repeat=placed.header_row,
    )
    return sheet, placed


def why_no_trades(figures: Figures) -> str:
    """Why the trade list is empty, in one sentence."""
    if not any(account.breaches for account in figures.accounts):
        if any(account.banded for account in figures.accounts):
            return "No trades: every class is within its band."
        return "No trades: the policy asks for none now."
    return "No trades: the plan could make none; sheet Assumptions says why."


def _headline(figures: Figures) -> Formula:
    count = len(figures.trade_rows)
    words = "no trades" if count == 0 else "1 trade" if count == 1 else f"{count} trades"
    counted = f"SUMPRODUCT(--({NAME}[Plan row]>0),--({NAME}[Quantity]>0))"
    return Formula(
        f'IF({counted}=0,"no trades",IF({counted}=1,"1 trade",{counted}&" trades"))', words
    )


def _cash_row(account: AccountFigures) -> list[Content]:
    return [
        account.account,
        account.cash_before,
        account.flow,
        account.sells,
        account.buys,
        account.costs,
        account.cash_after,
        account.reserve,
        "OVERDRAWN" if account.overdrawn else "ok",
        account.flow,
        account.reserve,
    ]


def _row(index: int, row: TradeFigures, figures: Figures) -> list[Content]:
    trade = row.trade
    names: list[Content] = [trade.account, trade.action.value, trade.symbol, trade.asset_class]
    return [
        *names,
        trade.quantity,
        trade.price,
        trade.unit_value,
        trade.value,
        trade.half_spread,
        trade.commission,
        trade.impact,
        trade.cost,
        trade.cash_effect,
        trade.reason,
        trade.settles,
        trade.order_type.value,
        trade.limit_price,
        trade.time_in_force.value,
        trade.redemption or None,
        row.own_half_spread,
        row.own_commission,
        row.own_impact,
        row.adv,
        index,
        *names,
        trade.quantity,
        trade.unit_value,
    ]


def _no_trades(figures: Figures, words: str) -> list[Content]:
    """The one row of an empty trade list: a table needs a row, and this one says why."""
    contents: list[Content] = [None] * len(COLUMNS)
    headers = [column.header for column in COLUMNS]
    for header in ("Value", "Commission", "Impact", "Cost", "Cash effect"):
        contents[headers.index(header)] = 0
    contents[headers.index("Half-spread")] = figures.costs.half_spread
    contents[headers.index("Reason")] = words
    return contents
