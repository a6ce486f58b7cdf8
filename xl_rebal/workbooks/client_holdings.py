"""Sheet Holdings of a client: every row of the source, what it is worth and where it counts."""

from __future__ import annotations

from xl_rebal.workbooks import styles
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
    aside,
    table_of,
)
from xl_rebal.workbooks.styles import given_text, number

DESCRIPTION_WIDTH = 34
_VALUE = (
    "IF(COUNT([@Quantity],[@Price],[@Multiplier],[@FX])=4,"
    '[@Quantity]*[@Price]*[@Multiplier]*[@FX],"")'
)
_WEIGHT = (
    'IF([@[Drift row]]>0,[@Value]/SUMPRODUCT((tblDrift[Row]=[@[Drift row]])*1,tblDrift[Base]),"")'
)
_TEXT, _NUMBER, _OPTIONAL = Holds.TEXT, Holds.NUMBER, Holds.OPTIONAL

HOLDINGS = Block(
    name="tblHoldings",
    fields=(
        Field(header="Account", look=given_text(), holds=_TEXT),
        Field(header="Symbol", look=given_text(), holds=_TEXT),
        Field(header="Description", look=given_text(styles.BODY_WRAP), holds=_TEXT),
        Field(header="Kind", look=given_text(), holds=_TEXT),
        Field(header="Asset class", look=given_text(), holds=_TEXT),
        Field(header="Target class", look=given_text(), holds=_TEXT),
        Field(header="Quantity", look=number(styles.QUANTITY, given=True), holds=_OPTIONAL),
        Field(header="Price", look=number(styles.PRICE, given=True), holds=_OPTIONAL),
        Field(header="Multiplier", look=number(styles.QUANTITY, given=True), holds=_OPTIONAL),
        Field(header="FX", look=number(styles.PRICE, given=True), holds=_OPTIONAL),
        Field(header="Value", look=number(styles.MONEY), holds=_OPTIONAL, formula=_VALUE),
        Field(
            header="Weight",
            look=number(styles.PERCENT),
            holds=_OPTIONAL,
            formula=_WEIGHT,
        ),
        Field(header="Counted", look=styles.BODY_STATUS, holds=_TEXT),
        aside("Drift row", Holds.NUMBER),
        aside("Account no", Holds.NUMBER),
    ),
    words={"Counted": ("no",)},
    whole=("Quantity", "Multiplier"),
)
LAYOUT = SheetLayout(
    title="Holdings",
    tab_colour=styles.ACCENT_LIGHT,
    items=(
        Line(spots=(Spot(column=1, look=styles.TITLE, content="Holdings"),), height=28),
        Line(
            spots=(
                Spot(
                    column=1,
                    look=styles.SUBTITLE,
                    content="Value = quantity × price × multiplier × FX; weight = share of the portfolio "
                    "that the holding counts in. Pending and excluded rows are listed and not counted.",
                ),
            ),
            height=16,
        ),
        Line(),
        HOLDINGS,
    ),
    frozen=(2, 4),
    last_column=HOLDINGS.column_of("Counted"),
    repeat=4,
    folded=(HOLDINGS.column_of("Drift row"), HOLDINGS.last_column),
)


def contents(figures: ClientFigures) -> SheetContents:
    """What the sheet holds."""
    held = figures.holdings
    values = [
        None if None in row else value
        for value, *row in zip(
            held.value, held.quantity, held.price, held.multiplier, held.fx, strict=True
        )
    ]
    table = table_of(
        HOLDINGS,
        {
            "Account": held.account,
            "Symbol": held.symbol,
            "Description": held.description,
            "Kind": held.kind,
            "Asset class": held.asset_class,
            "Target class": held.target_class,
            "Quantity": held.quantity,
            "Price": held.price,
            "Multiplier": held.multiplier,
            "FX": held.fx,
            "Value": values,
            "Weight": held.weight,
            "Counted": held.counted,
            "Drift row": held.drift_row,
            "Account no": held.account_no,
        },
        heights((held.description, DESCRIPTION_WIDTH)),
    )
    widths = (
        text_width(held.account, 14, 30),
        text_width(held.symbol, 12, 26),
        DESCRIPTION_WIDTH,
        12,
        text_width(held.asset_class, 16, 30),
        text_width(held.target_class, 16, 30),
        money_width(held.quantity, 12),
        money_width(held.price, 13),
        13,
        11,
        money_width(held.value),
        11,
        12,
        12,
        12,
    )
    return SheetContents(slots={}, tables=(table,), widths=widths)
