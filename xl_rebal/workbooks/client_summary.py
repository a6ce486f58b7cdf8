"""Sheet Summary of a client: whose it is, what it is worth, where it drifted, and what to do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from openpyxl.chart._chart import ChartBase
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor

from xl_rebal.trading.plan import Action
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Content, Formula
from xl_rebal.workbooks.charts import bar_chart
from xl_rebal.workbooks.client_charts import TableSource
from xl_rebal.workbooks.client_columns import heights, money_width, text_width
from xl_rebal.workbooks.client_figures import ClientFigures
from xl_rebal.workbooks.client_taxes import tax_state
from xl_rebal.workbooks.client_trades import why_no_trades
from xl_rebal.workbooks.layout import (
    Block,
    Field,
    Holds,
    Line,
    Place,
    SheetContents,
    SheetLayout,
    Spot,
    TableContents,
    aside,
    blank_row,
    table_of,
)
from xl_rebal.workbooks.styles import number

LAST = 13
CHART_ROWS = 15
WHY_WIDTH = 40
_NUMBER, _OPTIONAL, _TEXT = Holds.NUMBER, Holds.OPTIONAL, Holds.TEXT
_MONEY, _PERCENT, _DRIFT = (number(f) for f in (styles.MONEY, styles.PERCENT, styles.DRIFT))
_COUNT = number(styles.COUNT)


def _mine(table: str, column: str, condition: str = "") -> str:
    return f"SUMPRODUCT(({table}[Account no]=[@No])*1{condition},{table}[{column}])"


ACCOUNTS = Block(
    name="tblAccounts",
    fields=(
        Field(header="Account", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Type", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Model", look=styles.BODY_TEXT, holds=_TEXT),
        Field(
            header="Value",
            look=_MONEY,
            holds=_NUMBER,
            formula=_mine("tblHoldings", "Value", '*(tblHoldings[Kind]<>"pending")'),
        ),
        Field(
            header="Cash before",
            look=_MONEY,
            holds=_NUMBER,
            formula=_mine("tblHoldings", "Value", '*(tblHoldings[Kind]="cash")'),
        ),
        Field(header="Flow", look=_MONEY, holds=_NUMBER),
        Field(
            header="Sells",
            look=_MONEY,
            holds=_NUMBER,
            formula=_mine("tblTrades", "Value", '*(tblTrades[Action]="SELL")'),
        ),
        Field(
            header="Buys",
            look=_MONEY,
            holds=_NUMBER,
            formula=_mine("tblTrades", "Value", '*(tblTrades[Action]="BUY")'),
        ),
        Field(header="Costs", look=_MONEY, holds=_NUMBER, formula=_mine("tblTrades", "Cost")),
        Field(
            header="Cash after",
            look=_MONEY,
            holds=_NUMBER,
            formula="[@[Cash before]]+[@Flow]+[@Sells]-[@Buys]-[@Costs]",
        ),
        Field(header="Reserve", look=_MONEY, holds=_NUMBER),
        Field(
            header="Cash",
            look=styles.BODY_STATUS,
            holds=_TEXT,
            formula='IF([@[Cash after]]-[@Reserve]<-0.005,"short","ok")',
        ),
        Field(header="Why", look=styles.BODY_WRAP, holds=_TEXT),
        aside("No", _NUMBER),
    ),
    filters=False,
    words={"Cash": ("short",)},
    negative=("Cash before", "Cash after"),
)
# The class by its place in the table: names that differ only in case are one name to Excel.
_IN_CLASS = "(tblDrift[Class no]=ROW([@[Asset class]])-ROW(tblClasses[[#Headers],[Asset class]]))"
CLASSES = Block(
    name="tblClasses",
    fields=(
        Field(header="Asset class", look=styles.BODY_TEXT, holds=_TEXT),
        Field(
            header="Value",
            look=_MONEY,
            holds=_NUMBER,
            formula=f"SUMPRODUCT({_IN_CLASS}*1,tblDrift[Value])",
        ),
        Field(
            header="Current",
            look=_PERCENT,
            holds=_NUMBER,
            formula="IF(SUM(tblClasses[Value])>0.005,[@Value]/SUM(tblClasses[Value]),0)",
        ),
        Field(
            header="Target",
            look=_PERCENT,
            holds=_NUMBER,
            formula=f"IF(SUM(tblDrift[Value])>0.005,SUMPRODUCT({_IN_CLASS}*tblDrift[Target],"
            "tblDrift[Base])/SUM(tblDrift[Value]),0)",
        ),
        Field(
            header="After trades",
            look=_PERCENT,
            holds=_NUMBER,
            formula=f"IF(SUM(tblDrift[Value after])>0.005,SUMPRODUCT({_IN_CLASS}*1,tblDrift[Value after])"
            "/SUM(tblDrift[Value after]),0)",
        ),
        Field(header="Drift", look=_DRIFT, holds=_NUMBER, formula="[@Current]-[@Target]"),
        Field(
            header="Drift after",
            look=_DRIFT,
            holds=_NUMBER,
            formula=f"[@[After trades]]-IF(SUM(tblDrift[Value after])>0.005,SUMPRODUCT({_IN_CLASS}"
            "*tblDrift[Target],tblDrift[Base after])/SUM(tblDrift[Value after]),0)",
        ),
        Field(
            header="Traded",
            look=_MONEY,
            holds=_NUMBER,
            formula=f"SUMPRODUCT({_IN_CLASS}*1,tblDrift[Traded])",
        ),
    ),
    filters=False,
    header_height=18,
)
_OUTSIDE = 'SUMPRODUCT(--(tblDrift[Status]<>"within"))'
_OUTSIDE_AFTER = 'SUMPRODUCT(--(tblDrift[Status after]<>"within"))'
_TRADED = "SUMPRODUCT(--(tblTrades[Value]>0))"
_CARDS = (
    (1, 2, "Total value", "total", "SUM(tblAccounts[Value])", styles.CARD_MONEY),
    (3, 4, "Classes outside their band", "outside", _OUTSIDE, styles.CARD_COUNT),
    (5, 6, "Outside after the trades", "outside after", _OUTSIDE_AFTER, styles.CARD_COUNT),
    (7, 8, "Trades", "trades", _TRADED, styles.CARD_COUNT),
    (9, 10, "Trading costs", "costs", "SUM(tblAccounts[Costs])", styles.CARD_MONEY),
    (11, 12, "Tax added this year", "tax", "SUM(tblReturns[Tax added])", styles.CARD_MONEY),
    (13, 13, "Cash after the trades", "cash", "SUM(tblAccounts[Cash after])", styles.CARD_MONEY),
)
_STATUS = (
    f'IF({_OUTSIDE}=0,"Every class is within its band or has none",{_OUTSIDE}&" of "&ROWS(tblDrift[Row])&'
    f'" classes outside their band, "&{_OUTSIDE_AFTER}&" after the trades")'
)
# Each of them is 0 when all is well.
_CHECKS = (
    (
        "Cash covers the reserve in every account",
        "check cash",
        "SUMPRODUCT(--(tblAccounts[Cash after]-tblAccounts[Reserve]<-0.005))",
    ),
    (
        "Holdings that count add up to the classes",
        "check value",
        'ROUND(SUMPRODUCT((tblHoldings[Counted]="yes")*1,tblHoldings[Value])+SUM(tblDrift[Aside])'
        "-SUM(tblDrift[Value]),2)",
    ),
    (
        "Trades, costs and cash agree",
        "check trades",
        "ROUND(SUM(tblAccounts[Cash after])-SUM(tblAccounts[Cash before])-SUM(tblAccounts[Flow])"
        "-SUM(tblTrades[Cash effect]),2)",
    ),
    (
        "Weights after the trades add up to 100% in every portfolio",
        "check weights",
        'ROUND(SUM(tblDrift[Weight after])-SUMPRODUCT((tblDrift[Role]="cash")'
        "*(tblDrift[Base after]>0.005)),6)",
    ),
)
_FACTS = (
    ("Client", "client"),
    ("Day of the plan", "day"),
    ("Policy", "policy"),
    ("Planned", "mode"),
)


def _fact(label: str, spot: Spot, height: float) -> Line:
    return Line(spots=(Spot(column=1, look=styles.LABEL_TOP, content=label), spot), height=height)


def _charts(places: Sequence[Place], contents: SheetContents) -> Sequence[ChartBase]:
    """Weights and drifts of all portfolios together, by class."""
    source = TableSource(sheet=LAYOUT.title, place=places[0], contents=contents.tables[0])
    chart: Any = bar_chart(
        title="Weights by class: now, target, after the trades",
        axis_title="Share of the weight base",
        axis_format="0%",
        categories_ref=source.ref("Asset class"),
        categories=source.texts("Asset class"),
        bars=[
            source.bars("Current", styles.ACCENT),
            source.bars("Target", styles.GREY),
            source.bars("After trades", styles.ACCENT_LIGHT),
        ],
        from_zero=False,
    )
    chart.anchor = TwoCellAnchor(
        editAs="oneCell",
        _from=AnchorMarker(col=0, row=_CHART_TOP),
        to=AnchorMarker(col=LAST - 1, colOff=1_500_000, row=_CHART_TOP + CHART_ROWS),
    )
    return [chart]


_HEAD: tuple[Line, ...] = (
    Line(spots=(Spot(column=1, look=styles.TITLE, slot="name"),), height=28),
    Line(
        spots=(
            Spot(
                column=1,
                look=styles.SUBTITLE,
                content="Rebalancing: where the portfolio stands, what to trade, what it costs. Every "
                "number is an Excel formula on the sheets of this file; no macros.",
            ),
        ),
        height=16,
    ),
    Line(),
    *(
        _fact(
            label,
            Spot(column=2, last=LAST, look=styles.WORDS, slot=slot),
            29 if slot == "policy" else 16,
        )
        for label, slot in _FACTS
    ),
    _fact(
        "Status",
        Spot(column=2, last=LAST, look=styles.STRONG, slot="status", formula=_STATUS),
        18,
    ),
    _fact("What to do", Spot(column=2, last=LAST, look=styles.STRONG, slot="to do"), 18),
    _fact("Taxes", Spot(column=2, last=LAST, look=styles.WORDS, slot="taxes"), 16),
    _fact("Firm", Spot(column=2, last=LAST, look=styles.LINK, slot="dashboard"), 16),
    Line(),
    Line(
        spots=tuple(
            Spot(column=a, last=b if b > a else 0, look=styles.CARD_LABEL, content=words)
            for a, b, words, _, _, _ in _CARDS
        ),
        height=16,
    ),
    Line(
        spots=tuple(
            Spot(column=a, last=b if b > a else 0, look=look, slot=slot, formula=formula)
            for a, b, _, slot, formula, look in _CARDS
        ),
        height=24,
    ),
    Line(),
)
_CHART_TOP = len(_HEAD)
LAYOUT = SheetLayout(
    title="Summary",
    tab_colour=styles.ACCENT,
    items=(
        *_HEAD,
        *(Line(),) * (CHART_ROWS + 1),
        Line(
            spots=(Spot(column=1, look=styles.HEADING, content="All portfolios by class"),),
            height=20,
        ),
        CLASSES,
        Line(),
        Line(spots=(Spot(column=1, look=styles.HEADING, content="Accounts"),), height=20),
        ACCOUNTS,
        Line(),
        Line(spots=(Spot(column=1, look=styles.HEADING, content="Checks"),), height=20),
        *(
            Line(
                spots=(
                    Spot(column=1, look=styles.WORD_LINE, content=words),
                    Spot(
                        column=5,
                        look=styles.BODY_STATUS,
                        slot=slot,
                        formula=f'IF({formula}=0,"ok","DIFFERS")',
                    ),
                )
            )
            for words, slot, formula in _CHECKS
        ),
    ),
    frozen=(0, 2),
    last_column=LAST,
    folded=(ACCOUNTS.last_column, ACCOUNTS.last_column),
    words={slot: ("ok", "DIFFERS") for _, slot, _ in _CHECKS},
    charts=_charts,
)


def contents(figures: ClientFigures) -> SheetContents:
    """What the sheet holds."""
    pages, accounts = figures.pages, figures.accounts
    total = math.fsum(line.value for line in accounts)
    slots: dict[str, Content] = {
        "name": pages.name or pages.household,
        "client": pages.household,
        "day": str(pages.as_of) if pages.as_of is not None else "unknown",
        "policy": pages.policy.in_words(),
        "mode": pages.mode or "account by account",
        "status": _status(figures),
        "to do": _to_do(figures),
        "taxes": tax_state(figures),
        "dashboard": _link(pages.dashboard),
        "total": total,
        "outside": figures.outside,
        "outside after": figures.outside_after,
        "trades": len(figures.trades),
        "costs": math.fsum(line.costs for line in accounts),
        "tax": math.fsum(each.added.total for each in pages.tax_returns),
        "cash": math.fsum(line.cash_after for line in accounts),
        "check cash": "DIFFERS" if any(line.is_short for line in accounts) else "ok",
        **{slot: "ok" for _, slot, _ in _CHECKS[1:]},
    }
    money = money_width([total])
    widths = (
        text_width((*figures.class_names, *(line.account.account for line in accounts)), 18, 34),
        max(money, 13.0),
        16,
        *(money,) * 8,
        max(money - 3, 11),
        WHY_WIDTH,
        6,
    )
    return SheetContents(slots=slots, tables=(_classes(figures), _accounts(figures)), widths=widths)


def _status(figures: ClientFigures) -> str:
    if not figures.outside:
        return "Every class is within its band or has none"
    return (
        f"{figures.outside} of {len(figures.classes)} classes outside their band, "
        f"{figures.outside_after} after the trades"
    )


def _to_do(figures: ClientFigures) -> str:
    """What the reader has to do, in one sentence."""
    trades = figures.trades
    if not trades:
        return why_no_trades(figures)
    sells = sum(trade.action is Action.SELL for trade in trades)
    buys = len(trades) - sells
    accounts = len({trade.account for trade in trades})
    parts = [
        f"{n} {word}{'' if n == 1 else 's'}"
        for n, word in ((sells, "sale"), (buys, "purchase"))
        if n
    ]
    where = "1 account" if accounts == 1 else f"{accounts} accounts"
    ask = [a.account.account for a in figures.accounts if a.trades and not a.account.discretionary]
    tail = f"; ask the client first for {', '.join(ask)}" if ask else ""
    return f"Send {' and '.join(parts)} in {where}: sheet Trades{tail}."


def _link(dashboard: str) -> Content:
    if not dashboard:
        return ""
    target = dashboard.replace('"', '""')
    return Formula(f'HYPERLINK("{target}","Dashboard of the firm")', "Dashboard of the firm")


def _classes(figures: ClientFigures) -> TableContents:
    totals = figures.class_totals()
    if not totals.name:
        return blank_row(CLASSES, {})
    return table_of(
        CLASSES,
        {
            "Asset class": totals.name,
            "Value": totals.value,
            "Current": totals.current,
            "Target": totals.target,
            "After trades": totals.after,
            "Drift": totals.drift,
            "Drift after": totals.drift_after,
            "Traded": totals.traded,
        },
    )


def _accounts(figures: ClientFigures) -> TableContents:
    lines = figures.accounts
    book = figures.pages.book
    why = [line.why for line in lines]
    return table_of(
        ACCOUNTS,
        {
            "Account": [line.account.account for line in lines],
            "Type": [line.account.type or "taxable" for line in lines],
            "Model": [book.targets_of(line.account.account).name for line in lines],
            "Value": [line.value for line in lines],
            "Cash before": [line.cash_before for line in lines],
            "Flow": [line.flow for line in lines],
            "Sells": [line.sells for line in lines],
            "Buys": [line.buys for line in lines],
            "Costs": [line.costs for line in lines],
            "Cash after": [line.cash_after for line in lines],
            "Reserve": [line.account.kept_back for line in lines],
            "Cash": ["short" if line.is_short else "ok" for line in lines],
            "Why": why,
            "No": list(range(1, len(lines) + 1)),
        },
        heights((why, WHY_WIDTH)),
    )
