"""How the report looks: one accent colour, few fonts, one place for every number format."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.differential import DifferentialStyle

ACCENT = "1F3A5F"
ACCENT_LIGHT = "7FA3CC"
GREY = "A6A6A6"
LINE = "D9DEE5"
PALE = "EEF2F7"
MUTED = "6B7480"
INPUT = "1D4ED8"
GOOD = ("1B6E3C", "E3F3E8")
WARN = ("8A5A00", "FDF0D5")
BAD = ("A61B1B", "FBE3E3")
COLD, HOT = "7FA8E0", "F08A7A"  # the ends of the scale of drifts

MONEY = "#,##0.00;[Red]-#,##0.00"
PRICE = "#,##0.00####;-#,##0.00####"
QUANTITY = "#,##0.######;-#,##0.######"  # whole numbers: see pages.show_whole
PERCENT = "0.00%"
# A drift that rounds to nothing has no sign.
DRIFT = "[>=0.00005]+0.00%;[<=-0.00005]-0.00%;0.00%"
RATE = "0.000%"
COUNT = "#,##0"
GENERAL = "General"
TEXT = "@"
DATE = "yyyy-mm-dd"
FROM = '[>=9]"never";[<=-9]"never";0.00%'  # the drift from which a class is outside its band
LIMIT = '[>=1000000000000000]"none";#,##0.00'  # no upper bound is stored as 1E+15


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The format of a cell."""

    format: str = GENERAL
    size: float = 10
    bold: bool = False
    italic: bool = False
    colour: str = "1F2933"
    fill: str = ""
    align: str = ""
    vertical: str = "center"
    wrap: bool = False
    indent: int = 0
    line: str = ""  # colour of the bottom border
    text_prefix: bool = False  # Excel's quotePrefix: the cell stays text when it is edited


TITLE = Look(size=18, bold=True, colour=ACCENT)
SUBTITLE = Look(size=10, colour=MUTED)
HEADING = Look(size=12, bold=True, colour=ACCENT)
NOTE = Look(size=9, italic=True, colour=MUTED)
LABEL = Look(colour=MUTED)
LABEL_TOP = Look(colour=MUTED, vertical="top")
WORDS = Look(wrap=True, vertical="top", align="left")
WORD_LINE = Look(align="left")
DAY = Look(format=DATE, align="left")
LINK = Look(colour=INPUT, align="left")
STRONG = Look(bold=True, size=11, align="left")
CARD_LABEL = Look(size=9, colour=MUTED, fill=PALE, align="center")
CARD_VALUE = Look(size=14, bold=True, colour=ACCENT, fill=PALE, align="center")
CARD_MONEY = replace(CARD_VALUE, format=MONEY)
CARD_COUNT = replace(CARD_VALUE, format=COUNT)
HEADER = Look(bold=True, colour="FFFFFF", fill=ACCENT, align="center", wrap=True)
PICKER = Look(format=TEXT, bold=True, colour=INPUT, fill="FFF9E5", align="left", line="E0C766")

BODY = Look(line=LINE)
BODY_TEXT = replace(BODY, format=TEXT, align="left", indent=1)
BODY_WRAP = replace(BODY_TEXT, format=GENERAL, wrap=True)
BODY_LINK = replace(BODY, colour=INPUT, align="left", indent=1)
BODY_CHOICE = replace(BODY, align="center", colour=INPUT, fill="FFF9E5")
BODY_STATUS = replace(BODY, align="center")
BODY_PLANNED = replace(BODY, colour=MUTED, size=9)


def number(format_: str, *, given: bool = False) -> Look:
    """A table cell with a number; what the user gave (and may edit) is blue, what is computed is not."""
    return replace(BODY, format=format_, align="right", colour=INPUT if given else BODY.colour)


def given_text(look: Look = BODY_TEXT) -> Look:
    """A table cell with text that the user gave."""
    return replace(look, colour=INPUT)


class Styles:
    """The looks of one workbook, each registered once."""

    def __init__(self, workbook: Workbook) -> None:
        self._scratch = workbook.create_sheet("styles")
        self._made: dict[Look, Any] = {}

    def close(self, workbook: Workbook) -> None:
        """Remove the scratch sheet that looks are made on."""
        workbook.remove(self._scratch)

    def apply(self, cell: Any, look: Look) -> None:
        """Give a cell its look."""
        made = self._made.get(look)
        if made is None:
            made = self._made[look] = self._make(look)
        cell._style = copy(made)

    def place_of(self, look: Look) -> int:
        """The place of a look among the cell styles of the saved workbook."""
        cell: Any = self._scratch.cell(row=2, column=1)
        self.apply(cell, look)
        place: int = cell.style_id
        return place

    def _make(self, look: Look) -> Any:
        cell: Any = self._scratch.cell(row=1, column=len(self._made) + 1)
        cell.font = Font(
            name="Calibri", size=look.size, bold=look.bold, italic=look.italic, color=look.colour
        )
        cell.number_format = look.format
        if look.fill:
            cell.fill = PatternFill("solid", start_color=look.fill)
        if look.line:
            cell.border = Border(bottom=Side(style="thin", color=look.line))
        cell.alignment = Alignment(
            horizontal=look.align or None,
            vertical=look.vertical,
            wrap_text=look.wrap or None,
            indent=look.indent,
        )
        cell.quotePrefix = int(look.text_prefix)
        return cell._style


def signal(colours: tuple[str, str]) -> DifferentialStyle:
    """The look of a conditional format: text colour on a pale fill."""
    text, fill = colours
    return DifferentialStyle(
        font=Font(color=text, bold=True), fill=PatternFill(bgColor=fill, fill_type="solid")
    )
