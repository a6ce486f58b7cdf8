"""Sheet Lots of a client: open lots with gain, term and the day on which they turn long-term."""

from __future__ import annotations

import datetime as dt
import math

from xl_rebal.portfolio.lots import Term
from xl_rebal.tax.holding_period import is_long_term, long_term_from
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Content
from xl_rebal.workbooks.client_columns import money_width, serial, text_width
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

_NUMBER, _OPTIONAL, _TEXT = Holds.NUMBER, Holds.OPTIONAL, Holds.TEXT
_MONEY, _DATE = number(styles.MONEY), number(styles.DATE)

LOTS = Block(
    name="tblLots",
    fields=(
        Field(header="Account", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Symbol", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Lot", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Acquired", look=_DATE, holds=_OPTIONAL),
        Field(header="Quantity", look=number(styles.QUANTITY), holds=_OPTIONAL),
        Field(header="Unit cost", look=number(styles.PRICE), holds=_OPTIONAL),
        Field(header="Unit value", look=number(styles.PRICE), holds=_OPTIONAL),
        Field(
            header="Cost",
            look=_MONEY,
            holds=_OPTIONAL,
            formula='IF(ISNUMBER([@[Unit cost]]),[@Quantity]*[@[Unit cost]],"")',
        ),
        Field(
            header="Value",
            look=_MONEY,
            holds=_OPTIONAL,
            formula='IF(ISNUMBER([@[Unit value]]),[@Quantity]*[@[Unit value]],"")',
        ),
        Field(
            header="Gain",
            look=_MONEY,
            holds=_OPTIONAL,
            formula='IF(COUNT([@Cost],[@Value])=2,[@Value]-[@Cost],"")',
        ),
        Field(
            header="Gain in percent",
            look=number(styles.DRIFT),
            holds=_OPTIONAL,
            formula='IF(ISNUMBER([@Gain]),IF([@Cost]<>0,[@Gain]/[@Cost],""),"")',
        ),
        Field(header="Term", look=styles.BODY_STATUS, holds=_TEXT),
        Field(header="Long-term from", look=_DATE, holds=_OPTIONAL),
        Field(
            header="Days to long-term",
            look=number(styles.COUNT),
            holds=_OPTIONAL,
            formula='IF([@Term]="long",0,IF(COUNT(PlanDay,[@[Long-term from]])=2,'
            'MAX([@[Long-term from]]-PlanDay,0),""))',
        ),
        Field(header="Sold by the plan", look=number(styles.QUANTITY), holds=_OPTIONAL),
        aside("Taxed", _NUMBER),
        aside(
            "Gain left",
            _NUMBER,
            _MONEY,
            "IF(ISNUMBER([@Gain]),[@Taxed]*[@Gain]*(1-N([@[Sold by the plan]])/[@Quantity]),0)",
        ),
    ),
    words={"Term": ("short",)},
    negative=("Gain",),
    whole=("Quantity", "Sold by the plan"),
)
LAYOUT = SheetLayout(
    title="Lots",
    tab_colour=styles.ACCENT_LIGHT,
    items=(
        Line(spots=(Spot(column=1, look=styles.TITLE, content="Lots"),), height=28),
        Line(
            spots=(
                Spot(
                    column=1,
                    look=styles.SUBTITLE,
                    content="Gain = quantity × (unit value − unit cost). A sale is long-term when the "
                    "lot was held more than one year, counted from the day after it was acquired.",
                ),
            ),
            height=16,
        ),
        Line(
            spots=(
                Spot(column=1, look=styles.LABEL, content="Day of the plan"),
                Spot(column=2, look=styles.DAY, slot="day"),
                Spot(column=3, look=styles.NOTE, slot="note"),
            ),
            height=16,
        ),
        LOTS,
    ),
    frozen=(2, 4),
    last_column=LOTS.column_of("Sold by the plan"),
    repeat=4,
    folded=(LOTS.column_of("Taxed"), LOTS.last_column),
    names={"day": "PlanDay"},
)


def contents(figures: ClientFigures) -> SheetContents:
    """What the sheet holds."""
    pages = figures.pages
    slots: dict[str, Content] = {
        "day": serial(pages.as_of) if pages.as_of is not None else "unknown",
        "note": ""
        if len(pages.lots)
        else "No lots are known: gains, terms and taxes cannot be worked out.",
    }
    table = _table(figures) if len(pages.lots) else blank_row(LOTS, {})
    accounts, symbols = ([str(value) for value in table.columns[index]] for index in (0, 1))
    values = [value for value in table.columns[8] if isinstance(value, (int, float))]
    money = money_width(values)
    widths = (
        text_width(accounts, 16, 30),
        text_width(symbols, 12, 26),
        *(
            14.0,
            12.0,
            12.0,
            12.0,
            12.0,
            money,
            money,
            money,
            10.0,
            9.0,
            12.0,
            11.0,
            12.0,
            12.0,
            money,
        ),
    )
    return SheetContents(slots=slots, tables=(table,), widths=widths)


def _table(figures: ClientFigures) -> TableContents:
    pages, lots = figures.pages, figures.pages.lots
    accounts, symbols = lots.account.tolist(), lots.symbol.tolist()
    acquired = lots.acquired.tolist()
    quantity = lots.quantity.tolist()
    found = [figures.unit_values.get(key) for key in zip(accounts, symbols, strict=True)]
    unit_value = [None if each is None else each[0] for each in found]
    unit_cost = [
        cost * (1.0 if each is None else each[1]) if math.isfinite(cost) else None
        for cost, each in zip(lots.unit_cost.tolist(), found, strict=True)
    ]
    long_from = [None if day is None else long_term_from(day) for day in acquired]
    terms = [
        _term(day, stated, pages.as_of)
        for day, stated in zip(acquired, lots.term.tolist(), strict=True)
    ]
    sold: dict[int, float] = {}
    for sale in pages.lot_sales:
        sold[sale.row] = sold.get(sale.row, 0.0) + sale.quantity
    cost = [None if c is None else q * c for q, c in zip(quantity, unit_cost, strict=True)]
    value = [None if v is None else q * v for q, v in zip(quantity, unit_value, strict=True)]
    gain = [None if c is None or v is None else v - c for c, v in zip(cost, value, strict=True)]
    taxed = [figures.is_taxed(account) for account in accounts]
    return table_of(
        LOTS,
        {
            "Account": accounts,
            "Symbol": symbols,
            "Lot": lots.lot_id.tolist(),
            "Acquired": list(map(serial, acquired)),
            "Quantity": quantity,
            "Unit cost": unit_cost,
            "Unit value": unit_value,
            "Cost": cost,
            "Value": value,
            "Gain": gain,
            "Gain in percent": [
                g / c if g is not None and c else None for g, c in zip(gain, cost, strict=True)
            ],
            "Term": terms,
            "Long-term from": list(map(serial, long_from)),
            "Days to long-term": [
                0
                if term == Term.LONG.value
                else None
                if pages.as_of is None or day is None
                else max((day - pages.as_of).days, 0)
                for term, day in zip(terms, long_from, strict=True)
            ],
            "Sold by the plan": [sold.get(row) for row in range(len(lots))],
            "Taxed": [int(each) for each in taxed],
            "Gain left": [
                0.0 if g is None or not t or not q else g * (1 - sold.get(row, 0.0) / q)
                for row, (g, t, q) in enumerate(zip(gain, taxed, quantity, strict=True))
            ],
        },
    )


def _term(acquired: dt.date | None, stated: str, as_of: dt.date | None) -> str:
    if stated == Term.LONG.value:
        return stated
    if acquired is None or as_of is None:
        return ""
    return Term.LONG.value if is_long_term(acquired, as_of) else Term.SHORT.value
