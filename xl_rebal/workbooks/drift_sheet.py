"""Sheet Drift: every class of every account against its target and band, before and after trades."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.bands import move_to
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content, lines_needed
from xl_rebal.workbooks.figures import ClassFigures, Figures
from xl_rebal.workbooks.pages import flag_negative, flag_words, set_up_print, write_title
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import Column, Placed, fit_columns, group_columns, write_table

NAME = "tblDrift"
HEADER_ROW = 4
CAUSE_WIDTH = 44

_MINE = "--(tblDrift[Account]=[@Account])"
_TARGET = "(tblTargets[Model]=[@Model])*(tblTargets[Asset class]=[@[Asset class]])"
_RESERVE = "SUMPRODUCT(--(tblCash[Account]=[@Account]),tblCash[Reserve])"
_FLOW = "SUMPRODUCT(--(tblCash[Account]=[@Account]),tblCash[Flow])"
_BASE = f"SUMPRODUCT({_MINE},tblDrift[Value])"
_BASE_AFTER = f"SUMPRODUCT({_MINE},tblDrift[Value after])"
_EFFECTS = "SUMPRODUCT(--(tblTrades[Account]=[@Account]),tblTrades[Cash effect])"
# What is bought less what is sold, in money without costs.
_TRADES = (
    "SUMPRODUCT((tblTrades[Account]=[@Account])*(tblTrades[Target class]=[@[Asset class]])"
    '*((tblTrades[Action]="BUY")-(tblTrades[Action]="SELL")),tblTrades[Value])'
)
_HOLDINGS = (
    "SUMPRODUCT((tblHoldings[Account]=[@Account])*(tblHoldings[Target class]=[@[Asset class]])"
    '*(tblHoldings[Kind]<>"pending")*(tblHoldings[Target class]<>"Excluded"),tblHoldings[Value])'
)


def _band(edge: str) -> str:
    cells = f"tblTargets[Band {edge}]"
    return f'IF(SUMPRODUCT({_TARGET}*ISNUMBER({cells}))=0,"",SUMPRODUCT({_TARGET},{cells}))'


def status_formula(drift: str) -> str:
    """`above` or `below` where the band is reached (or, with BeyondOnly, passed), else `within`."""
    up = _reached(drift, "[@[Band up]]")
    down = _reached(f"-{drift}", "[@[Band down]]")
    return (
        f'IF(AND(ISNUMBER([@[Band up]]),{drift}>Tolerance,{up}),"above",'
        f'IF(AND(ISNUMBER([@[Band down]]),{drift}<-Tolerance,{down}),"below","within"))'
    )


def _reached(drift: str, band: str) -> str:
    # N() because AND looks at all its arguments, also where the band is blank.
    return f"IF(BeyondOnly=1,{drift}>N({band})+Tolerance,{drift}>=N({band})-Tolerance)"


def _move(edge: str, band: str) -> str:
    """The return of the class alone that takes its weight to an edge, as `bands.move_to` has it."""
    possible = f"AND([@Weight]>0,[@Weight]<1,{edge}>=0,{edge}<1)"
    reached = f'IF({possible},({edge}-[@Weight])/([@Weight]*(1-({edge}))),"")'
    return f'IF(ISNUMBER({band}),{reached},"")'


_MONEY, _PERCENT, _DRIFT = (number(f) for f in (styles.MONEY, styles.PERCENT, styles.DRIFT))
COLUMNS = (
    Column(header="Account", look=styles.BODY_TEXT),
    Column(header="Asset class", look=styles.BODY_TEXT),
    Column(header="Value", look=_MONEY, formula=f'{_HOLDINGS}-IF([@Role]="cash",{_RESERVE},0)'),
    Column(header="Weight", look=_PERCENT, formula=f"IF({_BASE}>0.005,[@Value]/{_BASE},0)"),
    Column(header="Target", look=_PERCENT, formula=f"SUMPRODUCT({_TARGET},tblTargets[Target])"),
    Column(header="Drift", look=_DRIFT, formula=f"IF({_BASE}>0.005,[@Weight]-[@Target],0)"),
    Column(header="Relative drift", look=_DRIFT, formula='IF([@Target]>0,[@Drift]/[@Target],"")'),
    Column(
        header="Lower",
        look=_PERCENT,
        formula='IF(ISNUMBER([@[Band down]]),MAX([@Target]-[@[Band down]],0),"")',
    ),
    Column(
        header="Upper",
        look=_PERCENT,
        formula='IF(ISNUMBER([@[Band up]]),MIN([@Target]+[@[Band up]],1),"")',
    ),
    Column(header="Status", look=styles.BODY_STATUS, formula=status_formula("[@Drift]")),
    Column(
        header="Move to lower",
        look=_DRIFT,
        formula=_move("[@Target]-[@[Band down]]", "[@[Band down]]"),
    ),
    Column(
        header="Move to upper",
        look=_DRIFT,
        formula=_move("[@Target]+[@[Band up]]", "[@[Band up]]"),
    ),
    Column(header="Traded", look=_MONEY, formula=f'{_TRADES}+IF([@Role]="cash",{_EFFECTS},0)'),
    Column(
        header="Value after",
        look=_MONEY,
        formula=f'[@Value]+[@Traded]+IF([@Role]="cash",{_FLOW},0)',
    ),
    Column(
        header="Weight after",
        look=_PERCENT,
        formula=f"IF({_BASE_AFTER}>0.005,[@[Value after]]/{_BASE_AFTER},0)",
    ),
    Column(
        header="Drift after",
        look=_DRIFT,
        formula=f"IF({_BASE_AFTER}>0.005,[@[Weight after]]-[@Target],0)",
    ),
    Column(
        header="Status after", look=styles.BODY_STATUS, formula=status_formula("[@[Drift after]]")
    ),
    Column(header="Cause", look=styles.BODY_WRAP),
    Column(header="Order", look=styles.BODY_PLANNED),
    Column(header="Role", look=styles.BODY_PLANNED),
    Column(header="Model", look=styles.BODY_PLANNED),
    Column(header="Band down", look=_PERCENT, formula=_band("down")),
    Column(header="Band up", look=_PERCENT, formula=_band("up")),
)


def write_drift(canvas: Canvas, figures: Figures) -> tuple[Worksheet, Placed]:
    """Write the sheet."""
    sheet = canvas.sheet("Drift", styles.ACCENT_LIGHT)
    beyond = figures.result.request.policy.beyond
    flows = any(account.flow for account in figures.accounts)
    write_title(
        canvas,
        sheet,
        "Drift",
        "Drift = weight − target, in percentage points of the weight base (positions + cash, less "
        "reserve and excluded holdings). A band is breached "
        + ("beyond its edge." if beyond else "at its edge.")
        + " Move = the return of the class alone that takes it to that edge."
        + " After = with the trades, their costs and any flow."
        + (" The reasons on sheet Trades already count the flow." if flows else ""),
    )
    placed = write_table(
        canvas,
        sheet,
        name=NAME,
        columns=COLUMNS,
        rows=[_row(row) for row in figures.drift_rows],
        row=HEADER_ROW,
    )
    for number_, row in enumerate(figures.drift_rows, start=placed.first_row):
        lines = lines_needed(row.cause, CAUSE_WIDTH)
        if lines > 1:
            sheet.row_dimensions[number_].height = 13.5 * lines + 2
    fit_columns(sheet, [placed], {"Cause": CAUSE_WIDTH})
    group_columns(sheet, placed.column("Order"), placed.last_column)
    for header in ("Status", "Status after"):
        flag_words(sheet, placed.cells(header), ["above", "below"])
    flag_negative(sheet, placed.cells("Value after"))
    sheet.freeze_panes = f"C{placed.first_row}"
    set_up_print(
        sheet, last_column=placed.column("Cause"), last_row=placed.last_row, repeat=HEADER_ROW
    )
    return sheet, placed


def _row(row: ClassFigures) -> list[Content]:
    return [
        row.account,
        row.asset_class,
        row.value,
        row.weight,
        row.target,
        row.drift,
        row.relative,
        row.lower,
        row.upper,
        row.status,
        None if row.down is None else move_to(row.weight, row.target - row.down),
        None if row.up is None else move_to(row.weight, row.target + row.up),
        row.traded,
        row.value_after,
        row.weight_after,
        row.drift_after,
        row.status_after,
        row.cause,
        row.order,
        "cash" if row.is_cash else "class",
        row.model,
        row.down,
        row.up,
    ]
