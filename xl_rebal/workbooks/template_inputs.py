"""The template's input sheets: tables that the user pastes into, and the names of their columns.

Other sheets find a column by its defined name, so that a renamed header or a moved table is harmless.
Input sheets are not protected: a table on a protected sheet cannot grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from openpyxl.formatting.rule import Rule
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import styles, template_example
from xl_rebal.workbooks.cells import Canvas, address, set_widths
from xl_rebal.workbooks.pages import set_up_print, show_whole, write_title
from xl_rebal.workbooks.styles import Look, given_text, number
from xl_rebal.workbooks.tables import Column, Placed, write_table

HOLDINGS, TARGETS, RULES = "Holdings", "Targets", "Rules"
HEADER_ROW = 5
LAST_INPUT_ROW = 2000  # validation and formats wait for the rows that a table grows into
INPUT_FILL = "FFF9E5"
DATE = "yyyy-mm-dd"

# (defined name, table, header)
COLUMN_NAMES = (
    ("HoldingAccount", "tblHoldings", "Account"),
    ("HoldingSymbol", "tblHoldings", "Symbol"),
    ("HoldingDescription", "tblHoldings", "Description"),
    ("HoldingKind", "tblHoldings", "Kind"),
    ("HoldingClass", "tblHoldings", "Asset class"),
    ("HoldingQuantity", "tblHoldings", "Quantity"),
    ("HoldingPrice", "tblHoldings", "Price"),
    ("HoldingMultiplier", "tblHoldings", "Multiplier"),
    ("HoldingFX", "tblHoldings", "FX"),
    ("TargetClass", "tblTargets", "Asset class"),
    ("TargetWeight", "tblTargets", "Target"),
    ("TargetBandAbs", "tblTargets", "Band abs"),
    ("TargetBandRel", "tblTargets", "Band rel"),
    ("PolicySetting", "tblPolicy", "Setting"),
    ("PolicyValue", "tblPolicy", "Value"),
    ("CostText", "tblCosts", "Costs"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A list to choose from in a column: a formula or the words themselves.

    strict  True where nothing else is understood.
    """

    formula: str
    strict: bool
    help: str


_TEXT = replace(given_text(), fill=INPUT_FILL)


def _numbers(format_: str) -> Look:
    return replace(number(format_, given=True), fill=INPUT_FILL)


_LOOKS = {
    "Quantity": _numbers(styles.QUANTITY),
    "Price": _numbers(styles.PRICE),
    "Multiplier": _numbers(styles.QUANTITY),
    "FX": _numbers(styles.PRICE),
    "Target": _numbers(styles.PERCENT),
    "Band abs": _numbers(styles.PERCENT),
    "Band rel": _numbers(styles.PERCENT),
}
_CHOICES = {
    ("tblHoldings", "Kind"): Choice(
        formula='"position,cash,pending"',
        strict=True,
        help="position, cash or pending. Pending rows are listed and not counted.",
    ),
    ("tblHoldings", "Asset class"): Choice(
        formula="AssetClasses",
        strict=False,
        help="A class of sheet Targets, or a path below one: Stocks/US counts in Stocks.",
    ),
    ("tblRestrictions", "Rule"): Choice(
        formula='"never_buy,never_sell,never_hold,substitute"',
        strict=True,
        help="never_buy, never_sell, never_hold or substitute (needs a replacement).",
    ),
    ("tblClasses", "Asset class"): Choice(formula="AssetClasses", strict=False, help=""),
}
# Choices of tblPolicy, by setting.
POLICY_CHOICES = {
    "Trigger": Choice(
        formula='"5pp,3pp,20%rel,5/25,own bands,quarterly or 5pp,annual and 5pp,never"',
        strict=False,
        help="Points of weight (5pp), of the target (20%rel), the smaller of both (5/25), own bands.",
    ),
    "Edge": Choice(
        formula='"reached,beyond"', strict=True, help="Is a class at its edge outside the band?"
    ),
    "Destination": Choice(
        formula='"to target,to halfway,to edge,to 50% of band"',
        strict=False,
        help="Where the trades take a class.",
    ),
    "Scope": Choice(
        formula='"all classes,breached only"', strict=True, help="Which classes are traded."
    ),
}
_HOLDING_WIDTHS = [17, 11, 36, 11, 24, 14, 13, 11, 11]


def write_inputs(canvas: Canvas) -> None:
    """Write the sheets Holdings, Targets and Rules, and the names of their columns."""
    _holdings(canvas)
    _targets(canvas)
    _rules(canvas)
    for name, table, header in COLUMN_NAMES:
        define(canvas, name, f"{table}[{header}]")
    define(canvas, "AssetClasses", "tblTargets[Asset class]")


def define(canvas: Canvas, name: str, formula: str) -> None:
    """Give a formula or a place a name for the whole workbook."""
    canvas.workbook.defined_names[name] = DefinedName(name, attr_text=formula)


def _input_sheet(canvas: Canvas, title: str, words: str, more: str) -> Worksheet:
    sheet = canvas.sheet(title, "E0C766")
    write_title(canvas, sheet, title, words)
    canvas.put(sheet, 3, 1, more, styles.NOTE)
    sheet.freeze_panes = f"A{HEADER_ROW + 1}"
    return sheet


def _table(canvas: Canvas, sheet: Worksheet, name: str, column: int = 1) -> Placed:
    grid = template_example.TABLES[name]
    placed = write_table(
        canvas,
        sheet,
        name=name,
        columns=[Column(header=h, look=_LOOKS.get(h, _TEXT)) for h in grid[0]],
        rows=grid[1:],
        row=HEADER_ROW,
        column=column,
        header_height=20,
        filters=name == "tblHoldings",
    )
    for header in grid[0]:
        choice = _CHOICES.get((name, header))
        if choice is not None:
            offer(sheet, below(placed, header), choice)
    return placed


def below(placed: Placed, header: str) -> str:
    """A column's cells and those that it may grow into."""
    first = address(placed.first_row, placed.column(header)).replace("$", "")
    last = address(LAST_INPUT_ROW, placed.column(header)).replace("$", "")
    return f"{first}:{last}"


def offer(sheet: Worksheet, cells: str, choice: Choice) -> None:
    """Offer a list to choose from."""
    rule = DataValidation(type="list", formula1=choice.formula, allow_blank=True)
    rule.showErrorMessage = choice.strict
    if choice.strict:
        rule.errorTitle, rule.error = "Not in the list", choice.help
    if choice.help:
        rule.showInputMessage, rule.prompt = True, choice.help
    rule.add(cells)
    sheet.add_data_validation(rule)


def flag_text(sheet: Worksheet, placed: Placed, headers: Sequence[str]) -> None:
    """Colour what is not a number in a column of numbers."""
    for header in headers:
        cells = below(placed, header)
        first = cells.partition(":")[0]
        rule: Any = Rule(
            type="expression",
            formula=[f"NOT(OR(ISBLANK({first}),ISNUMBER({first})))"],
            dxf=styles.signal(styles.BAD),
        )
        sheet.conditional_formatting.add(cells, rule)


def _holdings(canvas: Canvas) -> None:
    sheet = _input_sheet(
        canvas,
        HOLDINGS,
        "Paste your positions over the EXAMPLE rows; the table grows by itself. "
        "Value = quantity × price × multiplier × FX.",
        "Multiplier and FX may stay blank (1). Cash: kind cash, quantity = amount, price 1. "
        "Asset class is a path such as Stocks/US and counts in the target Stocks.",
    )
    placed = _table(canvas, sheet, "tblHoldings")
    set_widths(sheet, _HOLDING_WIDTHS)
    # From the table's first row to the sheet's end: what stands there and not in the table is not counted.
    top = address(placed.first_row, placed.column("Symbol"), sheet=HOLDINGS)
    define(canvas, "HoldingSheetSymbol", f"{top}:$B$1048576")
    flag_text(sheet, placed, ["Quantity", "Price", "Multiplier", "FX"])
    for header in ("Quantity", "Multiplier"):
        show_whole(sheet, below(placed, header))
    symbol = f"$B{placed.first_row}"
    missing: Any = Rule(
        type="expression",
        formula=[
            f'AND({symbol}<>"",$D{placed.first_row}="position",TRIM($E{placed.first_row})="")'
        ],
        dxf=styles.signal(styles.BAD),
    )
    sheet.conditional_formatting.add(below(placed, "Asset class"), missing)
    _print(sheet, len(_HOLDING_WIDTHS))


def _targets(canvas: Canvas) -> None:
    sheet = _input_sheet(
        canvas,
        TARGETS,
        "Target weights sum to 100%; at most 20 classes. Left: the model. Right: when to act.",
        "Band abs (5% = 5 percentage points) and Band rel (20% of the target) give a class a band of "
        "its own; the smaller one counts. Blank: the policy's band.",
    )
    placed = _table(canvas, sheet, "tblTargets")
    policy = _table(canvas, sheet, "tblPolicy", column=6)
    set_widths(sheet, [26, 12, 12, 12, 4, 16, 26])
    flag_text(sheet, placed, ["Target", "Band abs", "Band rel"])
    for index, row in enumerate(template_example.POLICY[1:]):
        cell = f"G{policy.first_row + index}"
        offer(sheet, cell, POLICY_CHOICES[row[0]])
    _print(sheet, 7)


def _rules(canvas: Canvas) -> None:
    sheet = _input_sheet(
        canvas,
        RULES,
        "What only the add-in uses: costs, a cash flow, a date, restrictions, your own classes for symbols, "
        "which account a masked id is.",
        "Costs: half-spread or spread in bp, commission, per share. Scope of a restriction: an account, "
        "or * for all. Classes: your own, before the shipped table of funds. Masked: an id as files show it "
        "(...632); Import Positions writes the account instead.",
    )
    _table(canvas, sheet, "tblCosts")
    canvas.put(sheet, HEADER_ROW, 3, "Cash flow", styles.HEADER)
    flow_look = replace(_numbers(styles.MONEY), bold=True)
    canvas.put(sheet, HEADER_ROW + 1, 3, template_example.FLOW, flow_look)
    define(canvas, "FlowAmount", address(HEADER_ROW + 1, 3, sheet=RULES))
    canvas.put(sheet, HEADER_ROW + 4, 3, "Valuation date", styles.HEADER)
    canvas.put(sheet, HEADER_ROW + 5, 3, None, replace(_numbers(DATE), align="center"))
    define(canvas, "AsOf", address(HEADER_ROW + 5, 3, sheet=RULES))
    _table(canvas, sheet, "tblRestrictions", column=5)
    _table(canvas, sheet, "tblClasses", column=10)
    _table(canvas, sheet, "tblAccountMap", column=13)
    set_widths(sheet, [26, 3, 16, 3, 16, 16, 13, 14, 3, 13, 24, 3, 14, 16, 20])
    canvas.put(sheet, HEADER_ROW + 2, 3, "+ pays in, − takes out", styles.NOTE)
    canvas.put(sheet, HEADER_ROW + 6, 3, "for calendar rules", styles.NOTE)
    _print(sheet, 15)


def _print(sheet: Worksheet, columns: int) -> None:
    set_up_print(sheet, last_column=columns, last_row=HEADER_ROW + 1, repeat=HEADER_ROW)
    sheet.print_area = None  # whatever the tables have grown to is printed
