"""Sheet Shock: weights, drift and bands of every account after given returns of the classes (S002)."""

from __future__ import annotations

from collections.abc import Mapping

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.shock_table import Shocked, shock_drifts
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content
from xl_rebal.workbooks.drift_sheet import status_formula
from xl_rebal.workbooks.engine_figures import status_of
from xl_rebal.workbooks.figures import CENT_DUST, ClassFigures, Figures
from xl_rebal.workbooks.pages import flag_words, set_up_print, write_title
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import Column, Placed, fit_columns, group_columns, write_table

NAME, RETURNS = "tblShock", "tblReturns"
HEADER_ROW = 5

_MONEY, _PERCENT, _DRIFT = (number(f) for f in (styles.MONEY, styles.PERCENT, styles.DRIFT))
_THIS = "(tblDrift[Account]=[@Account])*(tblDrift[Asset class]=[@[Asset class]])"
_TOTAL = f"SUMPRODUCT(--({NAME}[Account]=[@Account]),{NAME}[Value after])"


def _of_drift(column: str) -> str:
    return f"SUMPRODUCT({_THIS},tblDrift[{column}])"


def _band(edge: str) -> str:
    cells = f"tblDrift[Band {edge}]"
    return f'IF(SUMPRODUCT({_THIS}*ISNUMBER({cells}))=0,"",SUMPRODUCT({_THIS},{cells}))'


RETURN_COLUMNS = (
    Column(header="Class", look=styles.BODY_TEXT),
    Column(header="Return", look=number(styles.PERCENT, given=True)),
)
COLUMNS = (
    Column(header="Account", look=styles.BODY_TEXT),
    Column(header="Asset class", look=styles.BODY_TEXT),
    Column(header="Value", look=_MONEY, formula=_of_drift("Value")),
    Column(header="Weight", look=_PERCENT, formula=_of_drift("Weight")),
    Column(
        header="Return",
        look=_PERCENT,
        formula=f"SUMPRODUCT(--({RETURNS}[Class]=[@[Asset class]]),{RETURNS}[Return])",
    ),
    Column(header="Value after", look=_MONEY, formula="[@Value]*(1+[@Return])"),
    Column(
        header="Weight after",
        look=_PERCENT,
        formula=f"IF({_TOTAL}>0.005,[@[Value after]]/{_TOTAL},0)",
    ),
    Column(header="Target", look=_PERCENT, formula=_of_drift("Target")),
    Column(
        header="Drift after",
        look=_DRIFT,
        formula=f"IF({_TOTAL}>0.005,[@[Weight after]]-[@Target],0)",
    ),
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
    Column(
        header="Status after", look=styles.BODY_STATUS, formula=status_formula("[@[Drift after]]")
    ),
    Column(header="Band down", look=_PERCENT, formula=_band("down")),
    Column(header="Band up", look=_PERCENT, formula=_band("up")),
)


def write_shock(
    canvas: Canvas, figures: Figures, given: Mapping[str, float]
) -> tuple[Worksheet, Placed]:
    """Write the sheet. Raises TableError for a class that is not there, or nothing that is left."""
    result = figures.result
    shocked = shock_drifts(result.book, result.drifts, result.request.policy, given)
    sheet = canvas.sheet("Shock", styles.ACCENT_LIGHT)
    words = ", ".join(f"{name} {value * 100:+g}%" for name, value in given.items())
    write_title(
        canvas,
        sheet,
        "After a shock",
        f"What {words} would make of the holdings as they stand, before any trade; classes that are not "
        "named stay flat. Change the returns (blue) and the table follows.",
    )
    canvas.put(sheet, HEADER_ROW - 1, 1, "Weights after the returns below", styles.HEADING)
    placed = write_table(
        canvas,
        sheet,
        name=NAME,
        columns=COLUMNS,
        rows=_rows(figures, shocked),
        row=HEADER_ROW,
        filters=len(figures.accounts) > 1,
    )
    row = placed.last_row + 2
    canvas.put(sheet, row, 1, "Returns", styles.HEADING)
    returns = write_table(
        canvas,
        sheet,
        name=RETURNS,
        columns=RETURN_COLUMNS,
        rows=[[name, value] for name, value in _returns(shocked).items()],
        row=row + 1,
        filters=False,
    )
    fit_columns(sheet, [placed, returns], {})
    group_columns(sheet, placed.column("Band down"), placed.last_column)
    flag_words(sheet, placed.cells("Status after"), ["above", "below"])
    sheet.freeze_panes = "A4"
    set_up_print(
        sheet,
        last_column=placed.column("Status after"),
        last_row=returns.last_row,
        repeat=placed.header_row,
    )
    return sheet, placed


def _returns(shocked: list[Shocked]) -> dict[str, float]:
    """Every class of every model with its return; 0 for those that stay flat."""
    return {
        name: value
        for each in shocked
        for name, value in zip(each.before.drift.classes, each.returns.tolist(), strict=True)
    }


def _rows(figures: Figures, shocked: list[Shocked]) -> list[list[Content]]:
    beyond = figures.result.request.policy.beyond
    returned = _returns(shocked)
    after: dict[tuple[str, str], tuple[float, float, float]] = {}
    for each in shocked:
        drift = each.after.drift
        for a, account in enumerate(drift.accounts):
            held = drift.base[a] > CENT_DUST
            for k, name in enumerate(drift.classes):
                value = float(drift.value[a, k])
                weight = float(drift.weight[a, k]) if held else 0.0
                after[account, name] = value, weight, float(drift.drift[a, k]) if held else 0.0
    return [
        _row(row, returned[row.asset_class], after[row.account, row.asset_class], beyond=beyond)
        for row in figures.drift_rows
    ]


def _row(
    row: ClassFigures, returned: float, after: tuple[float, float, float], *, beyond: bool
) -> list[Content]:
    value, weight, drift = after
    return [
        row.account,
        row.asset_class,
        row.value,
        row.weight,
        returned,
        value,
        weight,
        row.target,
        drift,
        row.lower,
        row.upper,
        status_of(drift, row.down, row.up, beyond=beyond),
        row.down,
        row.up,
    ]
