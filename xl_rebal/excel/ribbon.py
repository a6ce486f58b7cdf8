"""The ribbon tab *Rebalance*, declared once. Its XML, its VBA callbacks and its help are made from this.

A button whose feature is not there yet stands here with `available=False` and is not shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

TAB = "rebalTab"
LABEL = "Rebalance"
_LONGEST = 1024  # characters in a supertip


class Asks(StrEnum):
    """What a button asks the user for before its macro runs."""

    NOTHING = "nothing"
    FILE_TO_OPEN = "file to open"
    FILE_TO_SAVE = "file to save"
    REPORTS_TO_SAVE = "name of reports to save"


class Size(StrEnum):
    """How large a button is drawn."""

    LARGE = "large"
    NORMAL = "normal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One button.

    macro     its name for `xl_rebal.excel.hosts.desktop_macros.run`; "help" needs no Python.
    image     the name of one of Office's own icons (imageMso).
    tip       the first, bold line that shows when the mouse rests on it.
    more      what it does and refuses, in a sentence or two.
    available False while its feature does not exist.
    """

    macro: str
    label: str
    image: str
    tip: str
    more: str
    asks: Asks = Asks.NOTHING
    size: Size = Size.NORMAL
    available: bool = True

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z]+(_[a-z]+)*", self.macro):
            raise ValueError(f"{self.macro!r} is not the name of a macro")
        if not (self.label and self.image and self.tip and 0 < len(self.more) <= _LONGEST):
            raise ValueError(f"{self.macro}: needs a label, an icon, a tip and words of help")

    @property
    def id(self) -> str:
        """`rebalCheckDrift`: unique in the ribbon."""
        return f"rebal{self._camel}"

    @property
    def callback(self) -> str:
        """`PressCheckDrift`: the procedure in the module RebalRibbon."""
        return f"Press{self._camel}"

    @property
    def _camel(self) -> str:
        return "".join(word.capitalize() for word in self.macro.split("_"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Buttons that stand together."""

    id: str
    label: str
    buttons: tuple[Button, ...]


GROUPS = (
    Group(
        id="rebalGroupPortfolio",
        label="Portfolio",
        buttons=(
            Button(
                macro="import_positions",
                label="Import Positions",
                image="GetExternalDataFromText",
                tip="Read a custodian's file into tblHoldings",
                more="Asks for the export of a custodian and writes its positions into the table. "
                "Your own asset classes are kept; Undo brings the previous rows back.",
                asks=Asks.FILE_TO_OPEN,
                size=Size.LARGE,
            ),
            Button(
                macro="refresh_prices",
                label="Refresh Prices",
                image="RefreshAll",
                tip="Bring the prices in tblHoldings up to date",
                more="Writes the latest prices with their time beside them.",
                available=False,
            ),
            Button(
                macro="check_drift",
                label="Check Drift",
                image="ConditionalFormattingDataBarsGallery",
                tip="Weights against targets, as a table",
                more="Measures every account against tblTargets and tblPolicy, and says which "
                "classes are outside their bands. Nothing is traded.",
                size=Size.LARGE,
            ),
        ),
    ),
    Group(
        id="rebalGroupTrading",
        label="Trades",
        buttons=(
            Button(
                macro="generate_trades",
                label="Generate Trades",
                image="CalculateNow",
                tip="The trades that the policy asks for",
                more="Writes whole-share trades whose cash works out after costs, with a reason "
                "each, as plain values with the id of their plan.",
                size=Size.LARGE,
            ),
            Button(
                macro="verify_trades",
                label="Verify Trades",
                image="ReviewAcceptOrRejectChangeDialog",
                tip="Check the plan again after edits",
                more="Drop, resize, add or lock trades in the sheet, then press this: the "
                "independent verifier checks the edited plan and each edit is recorded.",
            ),
            Button(
                macro="export_orders",
                label="Export Orders",
                image="FileSaveAs",
                tip="Write the verified plan as order files",
                more="Writes the plan that was verified, never the cells: a file per custodian, or a plain "
                "list. Refused when the trades or their inputs were changed since. The accounts are not "
                "planned again until the orders are reconciled.",
                asks=Asks.FILE_TO_SAVE,
            ),
        ),
    ),
    Group(
        id="rebalGroupAnalysis",
        label="Analysis",
        buttons=(
            Button(
                macro="backtest",
                label="Backtest",
                image="ChartInsert",
                tip="The policy on past prices",
                more="Runs the policy of this workbook (tblPolicy, or the cell LabPolicy of the lab) on "
                "the prices of tblPrices, and writes figures and trades as values.",
            ),
            Button(
                macro="client_reports",
                label="Client Reports",
                image="TableExportMenu",
                tip="A workbook per client",
                more="Asks for a name and writes a workbook for every client beside it: households of "
                "tblAccountSettings, and accounts without one. In an adviser's book: into a folder of that "
                "name, with the dashboard; press it again to bring them up to date. A client that cannot be "
                "planned is named and stops no other.",
                asks=Asks.REPORTS_TO_SAVE,
            ),
        ),
    ),
    Group(
        id="rebalGroupWorkbook",
        label="Workbook",
        buttons=(
            Button(
                macro="write_tables",
                label="Write Tables",
                image="PasteValues",
                tip="The functions' tables, as plain values",
                more="For Excel on the Mac, where worksheet functions do not exist: writes what "
                "the REBAL_ functions would show.",
            ),
            Button(
                macro="undo_last",
                label="Undo",
                image="Undo",
                tip="Take back what the last button wrote",
                more="Restores the cells as they were before the last button of this tab.",
            ),
            Button(
                macro="prepare_for_sharing",
                label="Prepare for Sharing",
                image="FileDocumentInspect",
                tip="Remove what a recipient should not get",
                more="Deletes the values kept for Undo, plan ids and paths, and lists what it "
                "removed. Undo is not possible after it.",
            ),
        ),
    ),
    Group(
        id="rebalGroupHelp",
        label="Help",
        buttons=(
            Button(
                macro="doctor",
                label="Doctor",
                image="ErrorChecking",
                tip="Check the installation",
                more="Checks Python, xlwings, the add-in and the templates, and says how to mend "
                "each fault.",
            ),
            Button(
                macro="help",
                label="Help",
                image="Help",
                tip="What the buttons and functions do",
                more="Shows the version and a line for every button. Works without Python.",
            ),
        ),
    ),
)


def shown() -> tuple[Group, ...]:
    """The groups with the buttons whose feature exists; a group without any is left out."""
    kept = []
    for group in GROUPS:
        buttons = tuple(button for button in group.buttons if button.available)
        if buttons:
            kept.append(Group(id=group.id, label=group.label, buttons=buttons))
    return tuple(kept)
