"""Sheet Letter: one page for the client, in plain words; every figure in it is a formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.household.plan_rows import WASH
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content, Formula, lines_needed, set_widths
from xl_rebal.workbooks.household_data import HouseholdData, serial
from xl_rebal.workbooks.household_workings import TOLD
from xl_rebal.workbooks.pages import set_up_print, show_whole
from xl_rebal.workbooks.styles import Look, number
from xl_rebal.workbooks.template_pages import protect, underline_used

NAME = "Letter"
LAST = 7  # column G
WIDTHS = [7, 23, 11, 13, 15, 16, 16]
WORDS_WIDTH = sum(WIDTHS)
LONG_DATE = "mmmm d, yyyy"

_TEXT = Look(wrap=True, vertical="top", align="left")
_LINE = Look(align="left")
_AMOUNT = "#,##0.00;-#,##0.00"
_MONEY = Look(format=_AMOUNT, align="right")
_UNITS = Look(format=styles.QUANTITY, align="right")
_PERCENT = Look(format=styles.PERCENT, align="right")
_SMALL = Look(size=8, colour=styles.MUTED, wrap=True, vertical="top", align="left")
_HEAD = Look(bold=True, size=9, colour=styles.MUTED, line=styles.GREY)

DEFERRAL = (
    "Put off is not saved: the gain stays in what you keep, and is taxed in the year in which that is "
    "sold. What is saved for good is tax that is never paid, because a loss lowers income that is taxed at "
    "a higher rate."
)
DISCLAIMERS = (
    "This letter is not tax advice, and no tax return should be made from it: ask your tax preparer, and "
    "go by the forms that your custodian sends. The tax is an estimate for the year of the date above, "
    "from the holdings, lots, prices and income that your custodian and you gave us; prices move until the "
    "orders are filled. A wash sale can also come from an account that we do not know of, from a spouse's "
    "account, or from a reinvested dividend."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many lines of each kind the page has; what does not fit is named with the sheet that has it.

    why  height of the words that say why, in points: a formula's text may grow to three lines.
    """

    orders: int = 10
    classes: int = 5
    dates: int = 3
    left: int = 3
    why: float = 39.0


def room_for(data: HouseholdData) -> Room:
    """A page with as many lines as a plan needs, and no more than fit."""
    dates = sum(note[0] == WASH for note in data.notes)
    left = sum(note[0] in TOLD for note in data.notes)
    return Room(
        orders=min(max(1, len(data.orders)), 14),
        classes=min(max(1, len(data.changes)), 8),
        dates=min(max(1, dates), 4),
        left=min(max(1, left), 4),
        why=13.0,
    )


@dataclass(slots=True)
class _Page:
    """Where the next row goes."""

    canvas: Canvas
    sheet: Worksheet
    row: int = 1

    def words(self, content: Content, look: Look = _TEXT, *, height: float = 0.0) -> None:
        """One text across the page, `height` points high or as much more as it needs."""
        self.canvas.merge(self.sheet, self.row, 1, LAST, look)
        self.canvas.put(self.sheet, self.row, 1, content, look)
        text = content.value if isinstance(content, Formula) else content
        lines = lines_needed(str(text), WORDS_WIDTH * (1.25 if look.size < 9 else 1.0))
        self.sheet.row_dimensions[self.row].height = max(height, 13 * lines)
        self.row += 1

    def heading(self, text: str) -> None:
        """A heading with a little air above."""
        self.sheet.row_dimensions[self.row].height = 7
        self.row += 1
        self.canvas.put(
            self.sheet, self.row, 1, text, Look(bold=True, size=11, colour=styles.ACCENT)
        )
        self.sheet.row_dimensions[self.row].height = 18
        self.row += 1

    def amount(
        self, label: Content, formula: str, value: float, *, indent: int = 1, strong: bool = False
    ) -> None:
        """A label and an amount at the right."""
        look = Look(align="left", indent=indent, bold=strong, line=styles.LINE)
        self.canvas.merge(self.sheet, self.row, 1, LAST - 1, look)
        self.canvas.put(self.sheet, self.row, 1, label, look)
        money = replace(number(_AMOUNT), bold=strong)
        self.canvas.put(self.sheet, self.row, LAST, Formula(formula, value), money)
        self.sheet.row_dimensions[self.row].height = 14
        self.row += 1


def write_letter(canvas: Canvas, data: HouseholdData, room: Room) -> None:
    """Write the sheet; it names nothing that the other sheets do not define."""
    sheet = canvas.sheet(NAME, styles.ACCENT)
    set_widths(sheet, WIDTHS)
    page = _Page(canvas, sheet)
    _head(page, data)
    page.heading("Why we act")
    page.words(Formula(_WHY, _why(data)), height=room.why)
    _classes(page, data, room.classes)
    page.heading("What we sell and buy")
    _orders(page, data, room.orders)
    page.heading("What it does to your taxes")
    _taxes(page, data)
    page.heading("Do not buy back before these days (wash sales)")
    dates = [str(note[3]) for note in data.notes if note[0] == WASH]
    nothing = "Nothing was sold at a loss in the last 30 days, or is sold at a loss now."
    _notes(page, dates, room.dates, "Date", nothing)
    page.heading("What we did not do, and why")
    left = [str(note[3]) for note in data.notes if note[0] in TOLD]
    _notes(page, left, room.left, "Told", "Nothing was left undone.")
    sheet.row_dimensions[page.row].height = 6
    page.row += 1
    page.words(DISCLAIMERS, _SMALL)
    _print(sheet, page.row - 1)
    protect(sheet)


_UNSENT = 'IF(InputFaults=0,"","NOT TO BE SENT: "&InputFaults&" checks fail")'


def _head(page: _Page, data: HouseholdData) -> None:
    canvas, sheet = page.canvas, page.sheet
    warning = Look(bold=True, size=9, colour=styles.BAD[0], align="left")
    page.words(Formula(_UNSENT, ""), warning, height=12)
    name = Look(bold=True, size=14, colour=styles.ACCENT, align="left")
    page.words(Formula('IFERROR(AdviserName&"","")', data.adviser), name, height=22)
    date = Look(format=LONG_DATE, align="left")
    for content, look in (
        (Formula("AsOf", serial(data.as_of)), date),
        (Formula('IFERROR(ClientName&"","")', data.client), _LINE),
    ):
        canvas.merge(sheet, page.row, 1, LAST, look)
        canvas.put(sheet, page.row, 1, content, look)
        sheet.row_dimensions[page.row].height = 15
        page.row += 1
    title = Look(bold=True, size=12, align="left")
    page.words("Rebalancing your accounts, and what it means for your taxes", title, height=26)
    page.words(
        "This is what we plan to do in your accounts, why, and what it does to your taxes of this year and "
        "of later ones. The shares below are of all your accounts together.",
        height=28,
    )


_PLAIN = 'SUBSTITUTE(PlanWhy&""," pp "," percentage points ")'
_WHY = f'IFERROR(UPPER(LEFT({_PLAIN},1))&MID({_PLAIN},2,2000)&".","")'


def _why(data: HouseholdData) -> str:
    words = str(data.figures["why"]).replace(" pp ", " percentage points ")
    return f"{words[:1].upper()}{words[1:]}."


def _cells(page: _Page, values: list[tuple[int, int, Content, Look]], height: float = 15) -> None:
    """One row of cells: first and last column, content, look."""
    for first, last, content, look in values:
        if last > first:
            page.canvas.merge(page.sheet, page.row, first, last, look)
        page.canvas.put(page.sheet, page.row, first, content, look)
    page.sheet.row_dimensions[page.row].height = height
    page.row += 1


def _classes(page: _Page, data: HouseholdData, most: int) -> None:
    right, left = replace(_HEAD, align="right"), replace(_HEAD, align="left")
    _cells(
        page,
        [
            (1, 4, "Share of all your accounts, less cash that is taken out", left),
            (5, 5, "Today", right),
            (6, 6, "After", right),
            (7, 7, "Target", right),
        ],
    )
    first = page.row
    for place in range(1, most + 1):
        row = data.changes[place - 1] if place <= len(data.changes) else None

        def share(name: str, place: int = place) -> str:
            named = f'IFERROR(INDEX(ClassName,{place})&"","")=""'
            return f'IF({named},"",N(INDEX({name},{place})))'

        _cells(
            page,
            [
                (
                    1,
                    4,
                    Formula(f'IFERROR(INDEX(ClassName,{place})&"","")', row[0] if row else ""),
                    replace(_LINE, indent=1),
                ),
                (5, 5, Formula(share("ClassBefore"), row[3] if row else ""), _PERCENT),
                (6, 6, Formula(share("ClassAfter"), row[6] if row else ""), _PERCENT),
                (7, 7, Formula(share("ClassTarget"), row[1] if row else ""), _PERCENT),
            ],
            height=14,
        )
    underline_used(page.sheet, f"A{first}:G{page.row - 1}", f'$A{first}<>""')


def _orders(page: _Page, data: HouseholdData, most: int) -> None:
    right, left = replace(_HEAD, align="right"), replace(_HEAD, align="left")
    _cells(
        page,
        [
            (1, 1, "", left),
            (2, 2, "Account", left),
            (3, 3, "Security", left),
            (4, 4, "Units", right),
            (5, 5, "About", right),
            (6, 7, "Gain (− loss), taxable accounts", right),
        ],
    )
    first = page.row
    orders = data.orders
    for place in range(1, most + 1):
        order = orders[place - 1] if place <= len(orders) else None

        def of(header: str, place: int = place) -> str:
            used = f"IFERROR(N(INDEX(tblOrders[Line],{place})),0)=0"
            return f'IF({used},"",INDEX(tblOrders[{header}],{place}))'

        def shown(value: Callable[[], float | str], order: object = order) -> float | str:
            return value() if order is not None else ""

        side = f'IF({of("Action")}="SELL","Sell",IF({of("Action")}="BUY","Buy",""))'
        gain = f'IF(N({of("Gain")})=0,"",{of("Gain")})'
        _cells(
            page,
            [
                (1, 1, Formula(side, order.action.capitalize() if order else ""), _LINE),
                (2, 2, Formula(of("Account"), order.account if order else ""), _LINE),
                (3, 3, Formula(of("Symbol"), order.symbol if order else ""), replace(_LINE, bold=True)),
                (4, 4, Formula(of("Quantity"), order.quantity if order else ""), _UNITS),
                (5, 5, Formula(of("Value"), order.value if order else ""), _MONEY),
                (6, 7, Formula(gain, (order.gain or "") if order else ""), _MONEY),
            ],
            height=14,
        )  # fmt: skip
    cells = f"A{first}:G{page.row - 1}"
    underline_used(page.sheet, cells, f'$A{first}<>""')
    show_whole(page.sheet, f"D{first}:D{page.row - 1}")
    count = data.figure("orders")
    more = (
        f'IF(OrderCount>{most},(OrderCount-{most})&" more orders stand on sheet Plan.",'
        'IF(OrderCount=0,"There is nothing to sell or buy.",""))'
    )
    value = (
        f"{count - most:g} more orders stand on sheet Plan."
        if count > most
        else "There is nothing to sell or buy."
        if count == 0
        else ""
    )
    page.words(Formula(more, value), _LINE, height=14)


def _taxes(page: _Page, data: HouseholdData) -> None:
    figure = data.figure
    realised = figure("gain_short"), figure("gain_long") + figure("gain_collectible")
    page.amount("Net short-term gain that is realised (− loss)", "GainShort", realised[0])
    page.amount(
        "Net long-term gain that is realised (− loss)", "GainLong+GainCollectible", realised[1]
    )
    year = data.as_of.year
    added = figure("tax_added")
    page.amount(
        Formula(
            'IF(TaxAdded<0,"Estimated tax for "&YEAR(AsOf)&" that this takes away",'
            '"Estimated tax for "&YEAR(AsOf)&" that this adds")',
            f"Estimated tax for {year} that this {'takes away' if added < 0 else 'adds'}",
        ),
        "ABS(TaxAdded)",
        abs(added),
        strong=True,
    )
    page.amount(
        "Less than if we had sold in the taxable accounts first, oldest lots first",
        "TaxLess",
        figure("less_tax"),
    )
    page.amount("of it put off to a later year", "TaxDeferred", figure("tax_deferred"), indent=3)
    page.amount("of it saved for good", "TaxSaved", figure("tax_saved_for_good"), indent=3)
    page.amount(
        "Net gain in your taxable accounts that stays untaxed for now",
        "GainDeferred",
        figure("gain_deferred"),
    )
    page.amount(
        "Losses that this carries to later years, to set off against gains",
        "LossCarried",
        figure("loss_carried"),
    )
    page.words(DEFERRAL, Look(size=9, italic=True, colour=styles.MUTED, wrap=True, align="left"))


def _notes(page: _Page, texts: list[str], most: int, counter: str, nothing: str) -> None:
    count = f"MAX(tblNotes[{counter}])"
    for place in range(1, most + 1):
        at = f"MATCH({place},tblNotes[{counter}],0)"
        text = f"INDEX(tblNotes[Words],{at})"
        words = f'"• "&UPPER(LEFT({text},1))&MID({text},2,2000)'
        more = f"({count}-{most - 1})"
        if place == 1:
            formula = f'IF({count}=0,"{nothing}",{words})'
        elif place == most:
            rest = f'"• "&{more}&" more on sheet Plan notes"'
            formula = f'IF({count}<{place},"",IF({count}={place},{words},{rest}))'
        else:
            formula = f'IF({count}<{place},"",{words})'
        if place == 1 and not texts:
            value = nothing
        elif place > len(texts):
            value = ""
        elif place == most and len(texts) > most:
            value = f"• {len(texts) - most + 1} more on sheet Plan notes"
        else:
            value = f"• {texts[place - 1][:1].upper()}{texts[place - 1][1:]}"
        page.words(Formula(formula, value), height=26)


def _print(sheet: Worksheet, last_row: int) -> None:
    set_up_print(sheet, last_column=LAST, last_row=last_row)
    sheet.page_setup.orientation = "portrait"
    sheet.page_setup.fitToHeight = 1
    sheet.print_options.horizontalCentered = True
    margins = sheet.page_margins
    margins.left = margins.right = 0.7
    margins.top, margins.bottom = 0.5, 0.5
