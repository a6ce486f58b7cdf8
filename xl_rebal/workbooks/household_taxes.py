"""Sheet Taxes: what the plan does to this year's tax, what it only puts off, and other ways to do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content, Formula, address, set_widths
from xl_rebal.workbooks.charts import Bars, bar_chart
from xl_rebal.workbooks.household_cards import Card, write_cards
from xl_rebal.workbooks.household_data import HouseholdData
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import Column, Placed, write_table
from xl_rebal.workbooks.template_inputs import define
from xl_rebal.workbooks.template_pages import protect

NAME = "Taxes"
LAST = 7  # column G
CARDS_ROW = 4
CHART_TOP, CHART_ROWS = 7, 13
TABLE_ROW = CHART_TOP + CHART_ROWS + 2
WAYS = 4

# Figure of the plan -> the defined name of its cell on this sheet.
FIGURES = {
    "value": "PlanBase",
    "sold": "PlanSold",
    "bought": "PlanBought",
    "cost": "PlanCosts",
    "gain_short": "GainShort",
    "gain_long": "GainLong",
    "gain_collectible": "GainCollectible",
    "losses_taken": "LossesTaken",
    "income_tax": "TaxIncome",
    "niit": "TaxNIIT",
    "state": "TaxState",
    "tax_added": "TaxAdded",
    "tax_naive": "TaxNaive",
    "less_tax": "TaxLess",
    "tax_deferred": "TaxDeferred",
    "tax_saved_for_good": "TaxSaved",
    "gain_deferred": "GainDeferred",
    "loss_carried": "LossCarried",
    "drift_before": "DriftBefore",
    "drift_after": "DriftAfter",
    "orders": "OrderCount",
    "tax_returns": "ReturnCount",
}
_WORDS = {
    "value": "Value of the household",
    "sold": "Sold",
    "bought": "Bought",
    "cost": "Trading costs",
    "gain_short": "Net short-term gain realised (− loss)",
    "gain_long": "Net long-term gain realised (− loss)",
    "gain_collectible": "Collectibles' gain realised (− loss)",
    "losses_taken": "Losses among them",
    "income_tax": "Federal income tax added (− saved)",
    "niit": "Net investment income tax added (− saved)",
    "state": "State tax added (− saved)",
    "tax_added": "All tax added this year (− saved)",
    "tax_naive": "Tax that the naive way would add",
    "less_tax": "Less tax this year than the naive way",
    "tax_deferred": "of it put off: taxed when the gain is realised",
    "tax_saved_for_good": "of it saved for good",
    "gain_deferred": "Net gain in taxable accounts that stays untaxed",
    "loss_carried": "Losses carried to next year by this plan",
    "drift_before": "Drift before, half the sum over classes",
    "drift_after": "Drift after",
    "orders": "Orders",
    "tax_returns": "Tax returns",
}
_FORMATS = {
    "drift_before": styles.PERCENT,
    "drift_after": styles.PERCENT,
    "orders": styles.COUNT,
    "tax_returns": styles.COUNT,
}


def figure_formula(name: str, names: Sequence[str]) -> str:
    """A figure by its place, held against its name: MATCH finds no text among the results of an array
    formula in LibreOffice Calc.
    """
    place = list(names).index(name) + 1
    return f'IF(INDEX(FigureName,{place})&""="{name}",N(INDEX(FigureValue,{place})),NA())'


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """Further lines of the table of figures: words, formula, value, format, name."""

    words: str
    formula: str
    value: float
    format: str = styles.MONEY
    name: str = ""


_CARDS = tuple(
    Card(words=words, name=name, figure=figure, first=1 + 2 * place, last=min(2 + 2 * place, LAST))
    for place, (words, name, figure) in enumerate(
        (
            ("Tax added this year (− saved)", "TaxAdded", "tax_added"),
            ("Less than the naive way", "TaxLess", "less_tax"),
            ("… of it put off", "TaxDeferred", "tax_deferred"),
            ("… of it saved for good", "TaxSaved", "tax_saved_for_good"),
        )
    )
)


def write_taxes(canvas: Canvas, data: HouseholdData, *, more: Sequence[More] = ()) -> int:
    """Write the sheet and name its figures; the first row below them is returned."""
    sheet = canvas.sheet(NAME, styles.ACCENT)
    write_title(
        canvas,
        sheet,
        NAME,
        "An estimate for an adviser, not tax advice. Put off is not saved: a gain that is not realised now "
        "is taxed when it is.",
    )
    set_widths(sheet, [24, 18, 18, 17, 15, 14, 40])
    write_cards(canvas, sheet, data, _CARDS, CARDS_ROW)
    placed = _ways(canvas, sheet, data)
    _charts(sheet, placed, data)
    row = _figures(canvas, sheet, data, placed.last_row + 2, more)
    set_up_print(sheet, last_column=LAST, last_row=row - 1)
    sheet.page_setup.fitToHeight = 1
    protect(sheet)
    return row


_PLACE = "(ROW()-ROW(tblWays[[#Headers],[Way]]))"


def _way(column: str) -> str:
    return f'IF([@Way]="","",N(INDEX({column},{_PLACE})))'


_WAY_COLUMNS = (
    Column(
        header="Way",
        look=styles.BODY_TEXT,
        formula=f'IFERROR(TRIM(INDEX(WayName,{_PLACE})&""),"")',
    ),
    Column(header="Tax this year", look=number(styles.MONEY), formula=_way("WayTax")),
    Column(
        header="More than ours",
        look=number(styles.MONEY),
        formula='IF([@Way]="","",[@[Tax this year]]-TaxAdded)',
    ),
    Column(header="Gain put off", look=number(styles.MONEY), formula=_way("WayDeferred")),
    Column(header="Loss carried", look=number(styles.MONEY), formula=_way("WayCarried")),
    Column(header="Drift left", look=number(styles.PERCENT), formula=_way("WayDrift")),
    Column(
        header="What it does",
        look=styles.BODY_WRAP,
        formula=f'IFERROR(TRIM(INDEX(WayWords,{_PLACE})&""),"")',
    ),
)


def _ways(canvas: Canvas, sheet: Worksheet, data: HouseholdData) -> Placed:
    added = data.figure("tax_added")
    rows: list[list[Content]] = [
        [way[0], way[1], way[1] - added, way[2], way[3], way[4], way[6]] for way in data.ways
    ]
    rows += [[""] * 7 for _ in range(len(rows), WAYS)]
    placed = write_table(
        canvas,
        sheet,
        name="tblWays",
        columns=_WAY_COLUMNS,
        rows=rows,
        row=TABLE_ROW,
        header_height=18,
        filters=False,
    )
    for row in range(placed.first_row, placed.last_row + 1):
        sheet.row_dimensions[row].height = 28
    return placed


def _charts(sheet: Worksheet, placed: Placed, data: HouseholdData) -> None:
    names = [str(way[0]) for way in data.ways] + [""] * (WAYS - len(data.ways))

    def ref(header: str) -> str:
        column = placed.column(header)
        last = address(placed.last_row, column)
        return f"{NAME}!{address(placed.first_row, column)}:{last}"

    def bars(header: str, place: int, colour: str) -> Bars:
        values: list[float | str] = [way[place] for way in data.ways]
        return Bars(
            label_ref=address(placed.header_row, placed.column(header), sheet=NAME),
            label=header,
            ref=ref(header),
            values=values + [""] * (WAYS - len(values)),
            colour=colour,
        )

    for title, header, place, colour, (first, last) in (
        ("Tax added this year, by way", "Tax this year", 1, styles.ACCENT, (0, 3)),
        ("Gain that stays untaxed for now, by way", "Gain put off", 2, "2F7D5B", (3, 7)),
    ):
        chart = bar_chart(
            title=title,
            axis_title="Money",
            axis_format="#,##0",
            categories_ref=ref("Way"),
            categories=names,
            bars=[bars(header, place, colour)],
            from_zero=False,
            category_title="Way to rebalance",
        )
        chart.legend = None
        chart.anchor = TwoCellAnchor(  # type: ignore[assignment]  # the stubs know only text
            editAs="oneCell",
            _from=AnchorMarker(col=first, row=CHART_TOP - 1, colOff=100_000 if first else 0),
            to=AnchorMarker(col=last, row=CHART_TOP - 1 + CHART_ROWS),
        )
        sheet.add_chart(chart)


def _figures(
    canvas: Canvas, sheet: Worksheet, data: HouseholdData, row: int, more: Sequence[More]
) -> int:
    canvas.put(sheet, row, 1, "Figures of the plan", styles.HEADING)
    names = list(data.figures)
    lines = [
        More(
            words=_WORDS[figure],
            formula=figure_formula(figure, names),
            value=data.figure(figure),
            format=_FORMATS.get(figure, styles.MONEY),
            name=name,
        )
        for figure, name in FIGURES.items()
    ]
    lines += more
    half = (len(lines) + 1) // 2
    while half < len(lines) and lines[half].words.startswith("of it"):
        half += 1  # a part stays below what it is a part of
    for place, line in enumerate(lines):
        at = row + 1 + place % half
        first, last = (1, 2) if place < half else (4, 6)
        words = replace(styles.BODY_TEXT, indent=2 if line.words.startswith("of it") else 1)
        canvas.merge(sheet, at, first, last, words)
        canvas.put(sheet, at, first, line.words, words)
        canvas.put(sheet, at, last + 1, Formula(line.formula, line.value), number(line.format))
        if line.name:
            define(canvas, line.name, address(at, last + 1, sheet=NAME))
    return row + 1 + half
