"""The tables of sheet Assumptions: targets, settings, plans, and the checks behind the plan's status."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.drift import TOLERANCE
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content, Formula, lines_needed
from xl_rebal.workbooks.figures import AccountFigures, Figures
from xl_rebal.workbooks.holdings_sheet import EDITED_ROWS
from xl_rebal.workbooks.pages import flag_words
from xl_rebal.workbooks.refused_sheet import NAME as REFUSED
from xl_rebal.workbooks.styles import given_text, number
from xl_rebal.workbooks.tables import Column, Placed, group_columns, planned, write_table
from xl_rebal.workbooks.trades_sheet import EDITED_CASH, EDITED_TRADES

FIRST = 2  # column B
NO_LIMIT = 1e15  # an infinite commission cap; its number format shows `none`

_GIVEN_PERCENT = number(styles.PERCENT, given=True)
TARGET_COLUMNS = (
    Column(header="Asset class", look=given_text()),
    Column(header="Model", look=given_text()),
    Column(header="Target", look=_GIVEN_PERCENT),
    Column(header="Band down", look=_GIVEN_PERCENT),
    Column(header="Band up", look=_GIVEN_PERCENT),
    Column(header="Band comes from", look=styles.BODY_TEXT),
    planned("Plan asset class", styles.BODY_TEXT),
    planned("Plan target", number(styles.PERCENT)),
    planned("Plan band down", number(styles.PERCENT)),
    planned("Plan band up", number(styles.PERCENT)),
    planned("Plan row"),
)
# Blank and 0 are equal in Excel; a band that is taken away is not a band of zero.
_EDITED_TARGETS = (
    "SUMPRODUCT(1-EXACT(tblTargets[Asset class],tblTargets[Plan asset class])"
    "*(tblTargets[Target]=tblTargets[Plan target])"
    + "".join(
        f"*(tblTargets[{name}]=tblTargets[Plan {name.lower()}])"
        f"*(ISNUMBER(tblTargets[{name}])=ISNUMBER(tblTargets[Plan {name.lower()}]))"
        for name in ("Band down", "Band up")
    )
    + ")"
)
_EDITED_SETTINGS = (
    "SUMPRODUCT(1-(tblSettings[Value]=tblSettings[Planned])*ISNUMBER(tblSettings[Value]))"
)
PLAN_COLUMNS = (
    Column(header="Account", look=styles.BODY_TEXT),
    Column(header="Model", look=styles.BODY_TEXT),
    Column(header="Trades asked for", look=styles.BODY_STATUS),
    Column(header="Turnover", look=number(styles.PERCENT)),
    Column(header="Smallest deposit", look=number(styles.MONEY)),
    Column(header="Why", look=styles.BODY_WRAP),
)
CHECK_COLUMNS = (
    Column(header="Check", look=styles.BODY_TEXT),
    Column(header="Found", look=number(styles.COUNT)),
    Column(header="Expected", look=number(styles.COUNT)),
    Column(
        header="Result",
        look=styles.BODY_STATUS,
        formula='IF(IFERROR([@Found]=[@Expected],FALSE),"ok","CHANGED")',
    ),
)


def write_assumption_tables(canvas: Canvas, sheet: Worksheet, figures: Figures, row: int) -> int:
    """Write the tables from `row` on; the last row is returned."""
    targets = _table(
        canvas, sheet, row, "Targets and bands", "tblTargets", TARGET_COLUMNS, _target_rows(figures)
    )
    group_columns(sheet, targets.column("Plan asset class"), targets.last_column)
    settings = _settings(canvas, sheet, figures, targets.last_row + 2)
    plans = _table(
        canvas,
        sheet,
        settings.last_row + 2,
        "Plans (smallest deposit: what would restore every target by buying only)",
        "tblPlans",
        PLAN_COLUMNS,
        [_plan_row(account) for account in figures.accounts],
    )
    why_width = float(sheet.column_dimensions["G"].width)
    for index, account in enumerate(figures.accounts):
        words = account.plan.why if account.plan is not None else account.refused
        height = 13.5 * lines_needed(words, why_width) + 2
        sheet.row_dimensions[plans.first_row + index].height = min(max(height, 15), 400)
    checks = _table(
        canvas,
        sheet,
        plans.last_row + 2,
        "Is the plan current? It is while every check is ok",
        "tblChecks",
        CHECK_COLUMNS,
        [
            [check, Formula(found, expected), expected, "ok"]
            for check, found, expected in _checks(figures)
        ],
    )
    flag_words(sheet, checks.cells("Result"), ["CHANGED"])
    return checks.last_row


def _table(
    canvas: Canvas,
    sheet: Worksheet,
    row: int,
    heading: str,
    name: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Content]],
) -> Placed:
    canvas.put(sheet, row, FIRST, heading, styles.HEADING)
    sheet.row_dimensions[row].height = 20
    return write_table(
        canvas,
        sheet,
        name=name,
        columns=columns,
        rows=rows,
        row=row + 1,
        column=FIRST,
        header_height=18,
        filters=name == "tblPlans",
    )


def _target_rows(figures: Figures) -> list[list[Content]]:
    return [
        [
            each.asset_class,
            each.model,
            each.target,
            each.down,
            each.up,
            each.origin,
            each.asset_class,
            each.target,
            each.down,
            each.up,
            index,
        ]
        for index, each in enumerate(figures.targets, start=1)
    ]


def _settings(canvas: Canvas, sheet: Worksheet, figures: Figures, row: int) -> Placed:
    costs = figures.costs
    cap = costs.max_commission if math.isfinite(costs.max_commission) else NO_LIMIT
    settings = [
        ("Half-spread, share of value", "HalfSpread", costs.half_spread, "0.0000%"),
        ("Commission a trade", "CommissionPerTrade", costs.commission, styles.MONEY),
        ("Commission a share", "CommissionPerShare", costs.per_share, styles.PRICE),
        ("Commission at least", "CommissionAtLeast", costs.min_commission, styles.MONEY),
        ("Commission at most", "CommissionAtMost", cap, styles.LIMIT),
        ("Impact at a day's volume, share of value", "ImpactRate", costs.impact, "0.0000%"),
        (
            "Breach only beyond the edge (1 yes, 0 no)",
            "BeyondOnly",
            int(figures.result.request.policy.beyond),
            styles.COUNT,
        ),
        ("Tolerance of comparisons", "Tolerance", TOLERANCE, "0E+00"),
    ]
    columns = (
        Column(header="Setting", look=styles.BODY_TEXT),
        Column(header="Value", look=number(styles.GENERAL, given=True)),
        planned("Planned"),
    )
    placed = _table(
        canvas,
        sheet,
        row,
        "Settings that the formulas use",
        "tblSettings",
        columns,
        [[label, value, value] for label, _, value, _ in settings],
    )
    for index, (label, name, value, format_) in enumerate(settings):
        here = placed.first_row + index
        canvas.put(sheet, here, FIRST + 1, value, number(format_, given=True))
        canvas.put(sheet, here, FIRST + 2, value, planned("", number(format_)).look)
        # By the setting's words, not by its place: the table may be sorted.
        formula = f'SUMPRODUCT(--(tblSettings[Setting]="{label}"),tblSettings[Value])'
        canvas.workbook.defined_names[name] = DefinedName(name, attr_text=formula)
    return placed


def _plan_row(account: AccountFigures) -> list[Content]:
    plan = account.plan
    if plan is None:
        return [
            account.account,
            account.model,
            "refused" if account.refused else "no",
            0,
            "none",
            account.refused or "the account holds nothing to weigh",
        ]
    deposit = plan.deposit_to_restore
    return [
        account.account,
        account.model,
        "yes" if plan.triggered else "no",
        plan.turnover,
        "none does" if deposit is None else deposit,
        plan.why,
    ]


def _checks(figures: Figures) -> Iterable[tuple[str, str, int]]:
    """Each check in words, the formula of what is found, and what is found while nothing changes."""
    yield "Holdings rows edited since the plan", EDITED_ROWS, 0
    yield from _same_rows("Holdings", "tblHoldings", len(figures.holdings))
    yield (
        "Holdings rows that no account and class count",
        'SUMPRODUCT(--(tblHoldings[Counted]="NOT COUNTED"))',
        0,
    )
    yield (
        "Holdings rows without a value",
        'SUMPRODUCT((tblHoldings[Kind]<>"pending")*ISNUMBER(tblHoldings[Quantity])'
        "*(1-ISNUMBER(tblHoldings[Value])))",
        0,
    )
    yield "Targets or bands edited", _EDITED_TARGETS, 0
    yield from _same_rows("Targets", "tblTargets", len(figures.targets))
    yield (
        "Targets of all accounts, in %",
        "ROUND(100*SUM(tblDrift[Target]),6)",
        100 * len(figures.accounts),
    )
    yield "Costs or other settings edited", _EDITED_SETTINGS, 0
    yield "Flows or reserves edited", EDITED_CASH, 0
    yield "Accounts on sheet Trades", "ROWS(tblCash[Account])", len(figures.accounts)
    if refused := figures.result.refused:
        yield "Accounts that could not be planned", f"ROWS({REFUSED}[Account])", len(refused)
    yield "Trades edited", EDITED_TRADES, 0
    yield from _same_rows("Trades", "tblTrades", len(figures.trade_rows))


def _same_rows(what: str, table: str, count: int) -> Iterable[tuple[str, str, int]]:
    """Count, sum and sum of squares of the row numbers: none missing, none added, none twice."""
    numbers = range(1, count + 1)
    ids = f"{table}[Plan row]"
    yield f"{what}: rows of the plan", f"COUNT({ids})", count
    yield f"{what}: sum of row numbers", f"SUM({ids})", sum(numbers)
    yield f"{what}: sum of their squares", f"SUMSQ({ids})", sum(n * n for n in numbers)
