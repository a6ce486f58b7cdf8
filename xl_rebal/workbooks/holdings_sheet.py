"""Sheet Holdings: every row of the source, what counts of it, and what the plan was made from."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content, lines_needed
from xl_rebal.workbooks.figures import Figures, HoldingFigures
from xl_rebal.workbooks.pages import (
    flag_words,
    set_up_print,
    show_whole,
    write_title,
)
from xl_rebal.workbooks.styles import given_text, number
from xl_rebal.workbooks.tables import (
    Column,
    Placed,
    fit_columns,
    group_columns,
    planned,
    write_table,
)

NAME = "tblHoldings"
HEADER_ROW = 4

# A position or cash without a number must not pass as zero; a blank or pending row may.
VALUE = (
    "IF(COUNT([@Quantity],[@Price],[@Multiplier],[@FX])=4,"
    "[@Quantity]*[@Price]*[@Multiplier]*[@FX],"
    'IF(OR([@Kind]="position",[@Kind]="cash"),NA(),""))'
)
COUNTED = (
    'IF([@Account]&[@Symbol]="","",IF([@Kind]="pending","pending",'
    'IF([@[Target class]]="Excluded","excluded",'
    "IF(SUMPRODUCT((tblDrift[Account]=[@Account])*(tblDrift[Asset class]=[@[Target class]]))=1,"
    '"yes","NOT COUNTED"))))'
)
# The account's base (value of all its classes); half a cent or less has no weights.
_BASE = "SUMPRODUCT(--(tblDrift[Account]=[@Account]),tblDrift[Value])"
WEIGHT = f'IF([@Counted]="yes",IF({_BASE}>0.005,[@Value]/{_BASE},0),"")'
_TEXTS = ("Account", "Symbol", "Kind", "Asset class", "Target class")
_NUMBERS = ("Quantity", "Price", "Multiplier", "FX")
CHANGED = (
    "IF(AND("
    + ",".join(f"EXACT([@[{name}]],[@[Plan {name.lower()}]])" for name in _TEXTS)
    + ","
    + ",".join(f"[@[{name}]]=[@[Plan {name.lower()}]]" for name in _NUMBERS)
    + '),"no","changed")'
)
# The same for the whole table at once, so that rows whose formulas were lost are seen as well.
EDITED_ROWS = (
    "SUMPRODUCT(1-"
    + "*".join(f"EXACT({NAME}[{name}],{NAME}[Plan {name.lower()}])" for name in _TEXTS)
    + "*"
    + "*".join(f"({NAME}[{name}]={NAME}[Plan {name.lower()}])" for name in _NUMBERS)
    + ")"
)

COLUMNS = (
    Column(header="Account", look=given_text()),
    Column(header="Symbol", look=given_text()),
    Column(header="Description", look=given_text(styles.BODY_WRAP)),
    Column(header="Kind", look=given_text()),
    Column(header="Asset class", look=given_text()),
    Column(header="Target class", look=given_text()),
    Column(header="Quantity", look=number(styles.QUANTITY, given=True)),
    Column(header="Price", look=number(styles.PRICE, given=True)),
    Column(header="Multiplier", look=number(styles.QUANTITY, given=True)),
    Column(header="FX", look=number(styles.PRICE, given=True)),
    Column(header="Value", look=number(styles.MONEY), formula=VALUE),
    Column(header="Stated value", look=number(styles.MONEY, given=True)),
    Column(header="Weight", look=number(styles.PERCENT), formula=WEIGHT),
    Column(header="Counted", look=styles.BODY_STATUS, formula=COUNTED),
    Column(header="Changed since plan", look=styles.BODY_STATUS, formula=CHANGED),
    planned("Plan row"),
    *(planned(f"Plan {name.lower()}", styles.BODY_TEXT) for name in _TEXTS),
    *(planned(f"Plan {name.lower()}") for name in _NUMBERS),
)
DESCRIPTION_WIDTH = 34


def write_holdings(canvas: Canvas, figures: Figures) -> tuple[Worksheet, Placed]:
    """Write the sheet."""
    sheet = canvas.sheet("Holdings", styles.ACCENT_LIGHT)
    write_title(
        canvas,
        sheet,
        "Holdings",
        "Value = quantity × price × multiplier × FX. Blue cells are inputs; pending and excluded rows "
        "are listed and not counted. The folded columns on the right hold what the plan was made from.",
    )
    rows = [_row(index, row) for index, row in enumerate(figures.holdings, start=1)]
    placed = write_table(canvas, sheet, name=NAME, columns=COLUMNS, rows=rows, row=HEADER_ROW)
    fit_columns(sheet, [placed], {"Description": DESCRIPTION_WIDTH})
    group_columns(sheet, placed.column("Plan row"), placed.last_column)
    flag_words(sheet, placed.cells("Counted"), ["NOT COUNTED"])
    flag_words(sheet, placed.cells("Changed since plan"), ["changed"])
    for header in ("Quantity", "Multiplier"):
        show_whole(sheet, placed.cells(header))
    for number_, row in enumerate(figures.holdings, start=placed.first_row):
        lines = lines_needed(row.description, DESCRIPTION_WIDTH)
        if lines > 1:
            sheet.row_dimensions[number_].height = min(13.5 * lines + 2, 56)
    sheet.freeze_panes = f"C{placed.first_row}"
    set_up_print(
        sheet,
        last_column=placed.column("Changed since plan"),
        last_row=placed.last_row,
        repeat=HEADER_ROW,
    )
    return sheet, placed


def _row(index: int, row: HoldingFigures) -> list[Content]:
    texts: list[Content] = [row.account, row.symbol, row.kind, row.asset_class, row.target_class]
    numbers: list[Content] = [row.quantity, row.price, row.multiplier, row.fx]
    # Without all four numbers the formula is blank, whatever the engine makes of the rest.
    value = None if None in numbers else row.value
    return [
        row.account,
        row.symbol,
        row.description,
        row.kind,
        row.asset_class,
        row.target_class,
        *numbers,
        value,
        row.stated_value,
        row.weight,
        row.counted,
        "no",
        index,
        *texts,
        *numbers,
    ]
