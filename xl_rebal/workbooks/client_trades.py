"""Sheet Trades of a client: what to buy and sell, how it is sent, what it costs, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from xl_rebal.household.plan import LotSale
from xl_rebal.trading.plan import Action
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Content
from xl_rebal.workbooks.client_columns import heights, money_width, text_width
from xl_rebal.workbooks.client_figures import ClientFigures
from xl_rebal.workbooks.layout import (
    Block,
    Field,
    Holds,
    Line,
    SheetContents,
    SheetLayout,
    Spot,
    TableContents,
    aside,
    blank_row,
    table_of,
)
from xl_rebal.workbooks.styles import number

REASON_WIDTH, LOTS_WIDTH = 46, 30
_SHOWN_LOTS = 4
_NUMBER, _OPTIONAL, _TEXT = Holds.NUMBER, Holds.OPTIONAL, Holds.TEXT
_MONEY = number(styles.MONEY)
_GROSS = "[@Quantity]*[@[Unit value]]"

TRADES = Block(
    name="tblTrades",
    fields=(
        Field(header="Account", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Action", look=styles.BODY_STATUS, holds=_TEXT),
        Field(header="Symbol", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Asset class", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Quantity", look=number(styles.QUANTITY), holds=_OPTIONAL),
        Field(header="Price", look=number(styles.PRICE), holds=_OPTIONAL),
        Field(header="Unit value", look=number(styles.PRICE), holds=_OPTIONAL),
        Field(header="Value", look=_MONEY, holds=_NUMBER, formula=f"ROUND({_GROSS},2)"),
        Field(
            header="Cost",
            look=_MONEY,
            holds=_NUMBER,
            formula=f"ROUND({_GROSS}*[@[Half-spread]]+[@Commission]+[@Impact]+[@[Redemption fee]],2)",
        ),
        Field(
            header="Cash effect",
            look=_MONEY,
            holds=_NUMBER,
            formula="-[@[Bought less sold]]-[@Cost]",
        ),
        Field(header="Order", look=styles.BODY_STATUS, holds=_TEXT),
        Field(header="Limit price", look=number(styles.PRICE), holds=_OPTIONAL),
        Field(header="In force", look=styles.BODY_STATUS, holds=_TEXT),
        Field(header="Settles", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Lots", look=styles.BODY_WRAP, holds=_TEXT),
        Field(header="Reason", look=styles.BODY_WRAP, holds=_TEXT),
        Field(header="Approved", look=styles.BODY_CHOICE, holds=_TEXT),
        aside("Half-spread", _OPTIONAL, number(styles.RATE)),
        aside("Commission", _OPTIONAL, _MONEY),
        aside("Impact", _OPTIONAL, _MONEY),
        aside("Redemption fee", _OPTIONAL, _MONEY),
        aside(
            "Bought less sold",
            _NUMBER,
            _MONEY,
            '([@Action]="BUY")*[@Value]-([@Action]="SELL")*[@Value]',
        ),
        aside("Drift row", _NUMBER),
        aside("Portfolio no", _NUMBER),
        aside("Account no", _NUMBER),
    ),
    words={"Action": ("SELL", "BUY")},
    whole=("Quantity",),
    choices={"Approved": ("yes", "no")},
)
_TOTALS = (
    (2, 3, "Sold", "sold", 'SUMPRODUCT((tblTrades[Action]="SELL")*1,tblTrades[Value])'),
    (4, 4, "Bought", "bought", 'SUMPRODUCT((tblTrades[Action]="BUY")*1,tblTrades[Value])'),
    (5, 6, "Costs", "costs", "SUM(tblTrades[Cost])"),
    (7, 8, "Change of cash", "change", "SUM(tblTrades[Cash effect])"),
)
LAYOUT = SheetLayout(
    title="Trades",
    tab_colour=styles.ACCENT_LIGHT,
    items=(
        Line(spots=(Spot(column=1, look=styles.TITLE, content="Trades"),), height=28),
        Line(
            spots=(
                Spot(
                    column=1,
                    look=styles.SUBTITLE,
                    content="Value = quantity × unit value (price × multiplier × FX), to the cent. Cost = "
                    "half-spread × value + commission + impact + redemption fee. Cash stays in its account.",
                ),
            ),
            height=16,
        ),
        Line(),
        Line(
            spots=tuple(
                Spot(
                    column=first,
                    last=last if last > first else 0,
                    look=styles.CARD_LABEL,
                    content=words,
                )
                for first, last, words, _, _ in _TOTALS
            ),
            height=16,
        ),
        Line(
            spots=tuple(
                Spot(
                    column=first,
                    last=last if last > first else 0,
                    look=styles.CARD_MONEY,
                    slot=slot,
                    formula=formula,
                )
                for first, last, _, slot, formula in _TOTALS
            ),
            height=24,
        ),
        Line(),
        TRADES,
    ),
    frozen=(3, 7),
    last_column=TRADES.column_of("Approved"),
    repeat=7,
    folded=(TRADES.column_of("Half-spread"), TRADES.last_column),
)


def contents(figures: ClientFigures) -> SheetContents:
    """What the sheet holds."""
    trades = figures.trades
    sold = math.fsum(t.value for t in trades if t.action is Action.SELL)
    bought = math.fsum(t.value for t in trades if t.action is Action.BUY)
    costs = math.fsum(t.cost for t in trades)
    slots: dict[str, Content] = {
        "sold": sold,
        "bought": bought,
        "costs": costs,
        "change": sold - bought - costs,
    }
    money = money_width([sold, bought])
    widths = (
        text_width([t.account for t in trades], 14, 30),
        10,
        text_width([t.symbol for t in trades], 12, 26),
        max(text_width([t.asset_class for t in trades], 16, 30), money),
        money_width([t.quantity for t in trades], 12),
        13,
        13,
        money,
        12,
        money,
        10,
        12,
        9,
        12,
        LOTS_WIDTH,
        REASON_WIDTH,
        11,
        *(12.0,) * 8,
    )
    table = _table(figures) if trades else _no_trades(figures)
    return SheetContents(slots=slots, tables=(table,), widths=widths)


def _table(figures: ClientFigures) -> TableContents:
    trades = figures.trades
    lots = _lots_in_words(figures.pages.lot_sales)
    lot_words = [
        lots.get((t.account, t.symbol), "") if t.action is Action.SELL else "" for t in trades
    ]
    reasons = [t.reason for t in trades]
    portfolio = {line.account.account: line.portfolio for line in figures.accounts}
    numbers = {line.account.account: no for no, line in enumerate(figures.accounts, start=1)}
    signed = [t.value if t.action is Action.BUY else -t.value for t in trades]
    return table_of(
        TRADES,
        {
            "Account": [t.account for t in trades],
            "Action": [t.action.value for t in trades],
            "Symbol": [t.symbol for t in trades],
            "Asset class": [t.asset_class for t in trades],
            "Quantity": [t.quantity for t in trades],
            "Price": [t.price for t in trades],
            "Unit value": [t.unit_value for t in trades],
            "Value": [t.value for t in trades],
            "Cost": [t.cost for t in trades],
            "Cash effect": [t.cash_effect for t in trades],
            "Order": [t.order_type.value for t in trades],
            "Limit price": [t.limit_price for t in trades],
            "In force": [t.time_in_force.value for t in trades],
            "Settles": [t.settles for t in trades],
            "Lots": lot_words,
            "Reason": reasons,
            "Approved": [_approved(figures, t.account) for t in trades],
            "Half-spread": [t.half_spread for t in trades],
            "Commission": [t.commission for t in trades],
            "Impact": [t.impact for t in trades],
            "Redemption fee": [t.redemption for t in trades],
            "Bought less sold": signed,
            "Drift row": list(figures.trade_rows),
            "Portfolio no": [portfolio[t.account] for t in trades],
            "Account no": [numbers[t.account] for t in trades],
        },
        heights((lot_words, LOTS_WIDTH), (reasons, REASON_WIDTH)),
    )


def _approved(figures: ClientFigures, account: str) -> str:
    """Discretionary accounts need no word of the client; for the others the cell waits for it."""
    return "yes" if figures.pages.book.account(account).discretionary else ""


def _no_trades(figures: ClientFigures) -> TableContents:
    """The one row of an empty trade list: a table needs a row, and this one says why."""
    words = why_no_trades(figures)
    return blank_row(TRADES, {"Reason": words}, heights(([words], REASON_WIDTH)))


def why_no_trades(figures: ClientFigures) -> str:
    """Why the trade list is empty, in one sentence."""
    if figures.outside:
        return "No trades: the plan could make none; sheet Drift says why drift is left."
    if figures.banded:
        return "No trades: every class is within its band."
    return "No trades: the policy asks for none now."


def _lots_in_words(sales: Sequence[LotSale]) -> dict[tuple[str, str], str]:
    """`12 of 2021-03-04; 30 of 2024-01-15`, by account and symbol."""
    result = {}
    by_position = sorted(sales, key=lambda s: (s.account, s.symbol))
    for key, group in groupby(by_position, key=lambda s: (s.account, s.symbol)):
        found = list(group)
        shown = [f"{s.quantity:,.6g} of {s.acquired}" for s in found[:_SHOWN_LOTS]]
        if len(found) > _SHOWN_LOTS:
            shown.append(f"and {len(found) - _SHOWN_LOTS} more on sheet Taxes")
        result[key] = "; ".join(shown)
    return result
