"""How the firm's dashboard is laid out: an overview, and a sheet for each long list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from openpyxl.chart._chart import ChartBase
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.charts import bar_chart
from xl_rebal.workbooks.client_charts import TableSource
from xl_rebal.workbooks.layout import (
    Block,
    Field,
    Holds,
    Line,
    Place,
    SheetContents,
    SheetLayout,
    Spot,
    aside,
)
from xl_rebal.workbooks.styles import Look, number

CHART_ROWS = 14
WHY_WIDTH = 60
_NUMBER, _OPTIONAL, _TEXT = Holds.NUMBER, Holds.OPTIONAL, Holds.TEXT
_MONEY, _PERCENT, _DRIFT = (number(f) for f in (styles.MONEY, styles.PERCENT, styles.DRIFT))
_COUNT = number(styles.COUNT)
_EDGE = replace(_PERCENT, colour=styles.MUTED, size=9)

# A model by its place in the table: names that differ only in case are one name to Excel.
_OF_MODEL = "(tblClients[Model no]=ROW([@Model])-ROW(tblModels[[#Headers],[Model]]))"


def _count(header: str, condition: str, look: Look = _COUNT) -> Field:
    formula = f"SUMPRODUCT({_OF_MODEL}{condition})"
    return Field(header=header, look=look, holds=_NUMBER, formula=formula)


MODELS = Block(
    name="tblModels",
    fields=(
        Field(header="Model", look=styles.BODY_TEXT, holds=_TEXT),
        _count("Clients", "*1"),
        _count("Outside a band", "*(tblClients[Breaches]>0)"),
        _count("With trades", "*(tblClients[Trades]>0)"),
        _count("Classes outside", "*1,tblClients[Breaches]"),
        _count("Still outside", "*1,tblClients[Breaches after]"),
        _count("Value", "*1,tblClients[Value]", _MONEY),
    ),
    filters=False,
    header_height=18,
)
BUCKETS = Block(
    name="tblBuckets",
    fields=(
        Field(header="Largest drift", look=styles.BODY_TEXT, holds=_TEXT),
        Field(
            header="Clients",
            look=_COUNT,
            holds=_NUMBER,
            formula="SUMPRODUCT((tblClients[Accounts]>0)*(tblClients[Size]>=[@From])"
            "*(tblClients[Size]<[@Below]))",
        ),
        Field(header="From", look=_EDGE, holds=_NUMBER),
        Field(header="Below", look=_EDGE, holds=_NUMBER),
    ),
    filters=False,
    header_height=18,
)
# Columns, words, slot, formula, look; three rows of cards.
_Card = tuple[str, str, str, Look]
_CARDS: tuple[tuple[_Card, ...], ...] = (
    (
        (
            "Clients with a plan",
            "clients",
            "SUMPRODUCT(--(tblClients[Accounts]>0))",
            styles.CARD_COUNT,
        ),
        ("Accounts", "accounts", "SUM(tblClients[Accounts])", styles.CARD_COUNT),
        ("Value", "value", "SUM(tblClients[Value])", styles.CARD_MONEY),
        ("Cash", "cash", "SUM(tblClients[Cash held])", styles.CARD_MONEY),
        (
            "Clients outside a band",
            "outside",
            "SUMPRODUCT(--(tblClients[Breaches]>0))",
            styles.CARD_COUNT,
        ),
        ("With trades", "trading", "SUMPRODUCT(--(tblClients[Trades]>0))", styles.CARD_COUNT),
    ),
    (
        ("Trades", "trades", "SUM(tblClients[Trades])", styles.CARD_COUNT),
        ("Sold", "sells", "SUM(tblClients[Sells])", styles.CARD_MONEY),
        ("Bought", "buys", "SUM(tblClients[Buys])", styles.CARD_MONEY),
        ("Trading costs", "costs", "SUM(tblClients[Costs])", styles.CARD_MONEY),
        ("Tax added this year", "tax", "SUM(tblClients[Tax added])", styles.CARD_MONEY),
        (
            "Less tax than the naive way",
            "saved",
            "SUM(tblClients[Less tax])",
            styles.CARD_MONEY,
        ),
    ),
    (
        ("Block orders", "blocks", "SUMPRODUCT(--(tblBlocks[Quantity]>0))", styles.CARD_COUNT),
        ("Value of blocks", "block value", "SUM(tblBlocks[Value])", styles.CARD_MONEY),
        (
            "Orders that cannot be sent",
            "unsendable",
            "SUMPRODUCT(--(tblUnsendable[Quantity]>0))",
            styles.CARD_COUNT,
        ),
        ("Their value", "unsendable value", "SUM(tblUnsendable[Value])", styles.CARD_MONEY),
        (
            "Clients without a plan",
            "failed",
            'SUMPRODUCT(--(tblFailed[What]<>""))',
            styles.CARD_COUNT,
        ),
        (
            "Still outside after the trades",
            "outside after",
            "SUMPRODUCT(--(tblClients[Breaches after]>0))",
            styles.CARD_COUNT,
        ),
    ),
)
CARD_SLOTS = tuple(slot for row in _CARDS for _, slot, _, _ in row)
LISTS = ("Clients", "Blocks", "Unsendable", "Failed")


def _cards(cards: tuple[_Card, ...]) -> tuple[Line, ...]:
    return (
        Line(
            spots=tuple(
                Spot(column=column, look=styles.CARD_LABEL, content=words)
                for column, (words, _, _, _) in enumerate(cards, start=1)
            ),
            height=16,
        ),
        Line(
            spots=tuple(
                Spot(column=column, look=look, slot=slot, formula=formula)
                for column, (_, slot, formula, look) in enumerate(cards, start=1)
            ),
            height=24,
        ),
        Line(height=6, spots=(Spot(column=1, look=styles.NOTE),)),
    )


def _title(title: str, subtitle: str) -> tuple[Line, ...]:
    return (
        Line(spots=(Spot(column=1, look=styles.TITLE, content=title),), height=28),
        Line(spots=(Spot(column=1, look=styles.SUBTITLE, content=subtitle),), height=16),
        Line(),
    )


def _charts(places: Sequence[Place], contents: SheetContents) -> Sequence[ChartBase]:
    made = []
    for (place, table), title, axis, category, bars, columns in zip(
        zip(places, contents.tables, strict=True),
        ("Clients by model", "Clients by their largest drift"),
        ("Model", "Largest drift, percentage points"),
        ("Model", "Largest drift"),
        (("Clients", "Outside a band", "With trades"), ("Clients",)),
        ((0, 3), (3, 6)),
        strict=True,
    ):
        source = TableSource(sheet="Dashboard", place=place, contents=table)
        colours = (styles.ACCENT, styles.WARN[0], styles.ACCENT_LIGHT)
        chart: Any = bar_chart(
            title=title,
            axis_title="Clients",
            axis_format="#,##0",
            categories_ref=source.ref(category),
            categories=source.texts(category),
            bars=[source.bars(each, colour) for each, colour in zip(bars, colours, strict=False)],
            from_zero=True,
            category_title=axis,
        )
        chart.anchor = TwoCellAnchor(
            editAs="oneCell",
            _from=AnchorMarker(col=columns[0], row=_CHART_TOP),
            to=AnchorMarker(col=columns[1], row=_CHART_TOP + CHART_ROWS),
        )
        made.append(chart)
    return made


_HEAD: tuple[Line, ...] = (
    Line(spots=(Spot(column=1, look=styles.TITLE, slot="title"),), height=28),
    Line(spots=(Spot(column=1, look=styles.SUBTITLE, slot="subtitle"),), height=16),
    Line(
        spots=tuple(
            Spot(column=column, look=styles.LINK, slot=f"to {name}")
            for column, name in enumerate(LISTS, start=1)
        ),
        height=18,
    ),
    Line(),
    *(line for row in _CARDS for line in _cards(row)),
)
_CHART_TOP = len(_HEAD)
OVERVIEW = SheetLayout(
    title="Dashboard",
    tab_colour=styles.ACCENT,
    items=(
        *_HEAD,
        *(Line(),) * (CHART_ROWS + 1),
        Line(spots=(Spot(column=1, look=styles.HEADING, content="By model"),), height=20),
        MODELS,
        Line(),
        Line(spots=(Spot(column=1, look=styles.HEADING, content="By largest drift"),), height=20),
        BUCKETS,
    ),
    frozen=(0, 2),
    last_column=7,
    charts=_charts,
)


def clients_block(classes: Sequence[str]) -> Block:
    """The table of clients, with a column of drift for each class."""
    heat = tuple(
        Field(header=header, look=_DRIFT, holds=_OPTIONAL) for header in class_headers(classes)
    )
    return Block(
        name="tblClients",
        fields=(
            Field(
                header="Client",
                look=styles.BODY_LINK,
                holds=_TEXT,
                formula='IF([@File]="",[@Name],HYPERLINK([@File],[@Name]))',
            ),
            Field(header="Household", look=styles.BODY_TEXT, holds=_TEXT),
            Field(header="Model", look=styles.BODY_TEXT, holds=_TEXT),
            Field(header="Planned", look=styles.BODY_TEXT, holds=_TEXT),
            Field(header="Accounts", look=_COUNT, holds=_NUMBER),
            Field(header="Value", look=_MONEY, holds=_NUMBER),
            Field(header="Cash held", look=_MONEY, holds=_NUMBER),
            Field(
                header="Cash share",
                look=_PERCENT,
                holds=_NUMBER,
                formula="IF([@Value]>0.005,[@[Cash held]]/[@Value],0)",
            ),
            Field(header="Largest drift in", look=styles.BODY_TEXT, holds=_TEXT),
            Field(header="Largest drift", look=_DRIFT, holds=_NUMBER),
            Field(header="Breaches", look=_COUNT, holds=_NUMBER),
            Field(header="Breaches after", look=_COUNT, holds=_NUMBER),
            *heat,
            Field(header="Trades", look=_COUNT, holds=_NUMBER),
            Field(header="Sells", look=_MONEY, holds=_NUMBER),
            Field(header="Buys", look=_MONEY, holds=_NUMBER),
            Field(header="Costs", look=_MONEY, holds=_NUMBER),
            Field(header="Tax added", look=_MONEY, holds=_OPTIONAL),
            Field(header="Less tax", look=_MONEY, holds=_OPTIONAL),
            Field(header="Why", look=styles.BODY_TEXT, holds=_TEXT),
            aside("Name", _TEXT, styles.BODY_TEXT),
            aside("File", _TEXT, styles.BODY_TEXT),
            aside("Model no", _NUMBER),
            aside("Size", _NUMBER, _PERCENT),
        ),
        scaled=("Largest drift", *(each.header for each in heat)),
        above_zero=("Breaches", "Breaches after"),
    )


def class_headers(classes: Sequence[str]) -> list[str]:
    """A header for each class: one line, of a length that fits, and no two alike."""
    taken = {each.casefold() for each in RESERVED}
    result = []
    for name in classes:
        words = " ".join(name.split())[:60] or "(unnamed)"
        header, number_ = words, 1
        while header.casefold() in taken:
            number_ += 1
            header = f"{words} ({number_})"
        taken.add(header.casefold())
        result.append(header)
    return result


RESERVED = (
    *("Client", "Household", "Model", "Planned", "Accounts", "Value", "Cash held", "Cash share"),
    *("Largest drift in", "Largest drift", "Breaches", "Breaches after"),
    *("Trades", "Sells", "Buys", "Costs", "Tax added", "Less tax", "Why"),
    *("Name", "File", "Model no", "Size"),
)
BLOCKS = Block(
    name="tblBlocks",
    fields=(
        Field(header="Wave", look=_COUNT, holds=_NUMBER),
        Field(header="Custodian", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Action", look=styles.BODY_STATUS, holds=_TEXT),
        Field(header="Symbol", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Quantity", look=number(styles.QUANTITY), holds=_NUMBER),
        Field(header="Price", look=number(styles.PRICE), holds=_OPTIONAL),
        Field(header="Value", look=_MONEY, holds=_NUMBER),
        Field(header="Accounts", look=_COUNT, holds=_NUMBER),
        Field(header="Order", look=styles.BODY_STATUS, holds=_TEXT),
        Field(header="Limit price", look=number(styles.PRICE), holds=_OPTIONAL),
        Field(header="In force", look=styles.BODY_STATUS, holds=_TEXT),
        Field(
            header="Order file",
            look=styles.BODY_LINK,
            holds=_TEXT,
            formula='IF([@File]="","",HYPERLINK([@File],[@File]))',
        ),
        aside("File", _TEXT, styles.BODY_TEXT),
    ),
    words={"Action": ("SELL", "BUY")},
    whole=("Quantity",),
)
UNSENDABLE = Block(
    name="tblUnsendable",
    fields=(
        Field(header="Client", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Account", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Custodian", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Action", look=styles.BODY_STATUS, holds=_TEXT),
        Field(header="Symbol", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Quantity", look=number(styles.QUANTITY), holds=_NUMBER),
        Field(header="Value", look=_MONEY, holds=_NUMBER),
        Field(header="Reason", look=styles.BODY_WRAP, holds=_TEXT),
        Field(header="Remedy", look=styles.BODY_WRAP, holds=_TEXT),
    ),
    words={"Action": ("SELL", "BUY")},
    whole=("Quantity",),
)
FAILED = Block(
    name="tblFailed",
    fields=(
        Field(header="Household", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Client", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Where", look=styles.BODY_WRAP, holds=_TEXT),
        Field(header="What", look=styles.BODY_WRAP, holds=_TEXT),
        Field(header="Remedy", look=styles.BODY_WRAP, holds=_TEXT),
    ),
)


def _list(
    title: str, subtitle: str, block: Block, columns: int, *, folded: int = 0, printed: str = ""
) -> SheetLayout:
    last = block.last_column - folded
    return SheetLayout(
        title=title,
        tab_colour=styles.ACCENT_LIGHT,
        items=(*_title(title, subtitle), block),
        frozen=(columns, 4),
        last_column=block.column_of(printed) if printed else last,
        repeat=4,
        folded=(last + 1, block.last_column) if folded else None,
    )


def dashboard_layouts(classes: Sequence[str]) -> tuple[SheetLayout, ...]:
    """The sheets of a dashboard whose clients drift in these classes."""
    return (
        OVERVIEW,
        _list(
            "Clients",
            "Every client with a plan. Click a name to open its workbook. Drift = weight − target, all "
            "portfolios of a client together; red is above its target, blue below.",
            clients_block(classes),
            1,
            folded=4,
            printed="Trades",
        ),
        _list(
            "Blocks",
            "One order for each security, side and custodian; sells go in the first wave.",
            BLOCKS,
            4,
            folded=1,
        ),
        _list("Unsendable", "Orders that stand in no order file, and why.", UNSENDABLE, 2),
        _list("Failed", "Clients without a plan. One client's failure stops no other.", FAILED, 2),
    )
