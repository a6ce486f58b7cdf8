"""Sheet Benefit: what each plan is worth after its costs, from covariances that stand on the sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence

from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.alternatives import benefit_of
from xl_rebal.risk.covariance import Covariance
from xl_rebal.risk.net_benefit import Investor, NetBenefit
from xl_rebal.trading.plan import Plan
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Canvas, Content
from xl_rebal.workbooks.figures import AccountFigures, Figures
from xl_rebal.workbooks.pages import break_before, flag_negative, set_up_print, write_title
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import Column, Placed, fit_columns, write_table

BENEFITS, DRIFTS, COVARIANCES, SETTINGS = (
    "tblBenefit",
    "tblDriftRisk",
    "tblCovariances",
    "tblRiskSettings",
)
HEADER_ROW = 6
WORDS = "0.5 × risk aversion × (variance before − variance after) × value × years − costs"
NOTE = (
    "A mean-variance equivalent of the tracking variance that the plan removes (Grinold and Kahn 1999, "
    "chapter 4); no forecast of return. Blue cells may be changed, and the benefit follows."
)
_PAGE = 30  # so many rows above the covariances leave room for them on the first page

_MONEY, _DRIFT, _VARIANCE = number(styles.MONEY), number(styles.DRIFT), number("0.00000000")
_OF_ACCOUNT = "[Account]=[@Account]"


def _sum(table: str, column: str) -> str:
    return f"SUMPRODUCT(--({table}{_OF_ACCOUNT}),{table}[{column}])"


BENEFIT_COLUMNS = (
    Column(header="Account", look=styles.BODY_TEXT),
    Column(
        header="Value",
        look=_MONEY,
        formula=f"{_sum('tblDrift', 'Value')}+{_sum('tblCash', 'Flow')}",
    ),
    Column(
        header="Variance before", look=_VARIANCE, formula=f"MAX(0,{_sum(DRIFTS, 'Part before')})"
    ),
    Column(header="Variance after", look=_VARIANCE, formula=f"MAX(0,{_sum(DRIFTS, 'Part after')})"),
    Column(
        header="Tracking error before",
        look=number(styles.RATE),
        formula="SQRT([@[Variance before]])",
    ),
    Column(
        header="Tracking error after", look=number(styles.RATE), formula="SQRT([@[Variance after]])"
    ),
    Column(
        header="Gross benefit",
        look=_MONEY,
        formula="0.5*RiskAversion*([@[Variance before]]-[@[Variance after]])*[@Value]*BenefitYears",
    ),
    Column(header="Costs", look=_MONEY, formula=_sum("tblCash", "Costs")),
    Column(header="Net benefit", look=_MONEY, formula="[@[Gross benefit]]-[@Costs]"),
)
SETTING_COLUMNS = (
    Column(header="Setting", look=styles.BODY_TEXT),
    Column(header="Value", look=number(styles.GENERAL, given=True)),
)
_LABELS = (
    ("Risk aversion (a choice)", "RiskAversion"),
    ("Years (a choice)", "BenefitYears"),
)


def numbers(count: int) -> str:
    """`{1,2,3}`: the numbers of the classes, as a row."""
    return "{" + ",".join(str(n) for n in range(1, count + 1)) + "}"


def row_of(count: int, place: str) -> str:
    """The covariances of the class whose number stands in `place`, as a row."""
    return f"INDEX({COVARIANCES}[[With 1]:[With {count}]],MATCH({place},{COVARIANCES}[No],0),0)"


def _covariance_columns(count: int) -> tuple[Column, ...]:
    here = f"{COVARIANCES}[[#This Row],[With 1]:[With {count}]]"
    return (
        Column(header="Asset class", look=styles.BODY_TEXT),
        Column(header="No", look=number(styles.COUNT)),
        Column(
            header="Volatility",
            look=number(styles.PERCENT),
            formula=f"SQRT(SUMPRODUCT(([@No]={numbers(count)})*{here}))",
        ),
        *(
            Column(header=f"With {n}", look=number("0.000000", given=True))
            for n in range(1, count + 1)
        ),
    )


def _drift_columns(count: int) -> tuple[Column, ...]:
    mine = "(tblDrift[Account]=[@Account])"
    this = f"{mine}*(tblDrift[Asset class]=[@[Asset class]])"
    value = _sum(BENEFITS, "Value")
    flow = f'SUMPRODUCT({this}*(tblDrift[Role]="cash"))*{_sum("tblCash", "Flow")}'

    def part(of: str) -> str:
        return (
            f"[@[{of}]]*SUMPRODUCT(({DRIFTS}{_OF_ACCOUNT})*({DRIFTS}[No]={numbers(count)})"
            f"*{DRIFTS}[{of}]*{row_of(count, '[@No]')})"
        )

    return (
        Column(header="Account", look=styles.BODY_TEXT),
        Column(header="Asset class", look=styles.BODY_TEXT),
        Column(header="No", look=number(styles.COUNT)),
        Column(
            header="Drift before",
            look=_DRIFT,
            formula=f"IF({value}>0.005,(SUMPRODUCT({this},tblDrift[Value])+{flow})/{value}"
            f"-SUMPRODUCT({this},tblDrift[Target]),0)",
        ),
        Column(
            header="Drift after", look=_DRIFT, formula=f"SUMPRODUCT({this},tblDrift[Drift after])"
        ),
        Column(header="Part before", look=_VARIANCE, formula=part("Drift before")),
        Column(header="Part after", look=_VARIANCE, formula=part("Drift after")),
    )


def write_benefit(
    canvas: Canvas, figures: Figures, covariance: Covariance, investor: Investor
) -> Worksheet:
    """Write the sheet."""
    sheet = canvas.sheet("Benefit", styles.ACCENT_LIGHT)
    write_title(
        canvas,
        sheet,
        "What the plan is worth after its costs",
        f"Net benefit = {WORDS}",
    )
    canvas.put(sheet, 3, 1, NOTE, styles.NOTE)
    count = len(covariance.classes)
    planned = [each for each in figures.accounts if each.plan is not None]
    worth = {
        each.account: benefit_of(each.plan, covariance, investor)
        for each in planned
        if each.plan is not None
    }
    benefits = _section(
        canvas,
        sheet,
        HEADER_ROW - 1,
        "Net benefit",
        BENEFITS,
        BENEFIT_COLUMNS,
        [_benefit_row(name, each) for name, each in worth.items()],
    )
    settings = _section(
        canvas,
        sheet,
        benefits.last_row + 2,
        "For whom",
        SETTINGS,
        SETTING_COLUMNS,
        [
            [label, value]
            for (label, _), value in zip(
                _LABELS, (investor.risk_aversion, investor.horizon), strict=True
            )
        ],
    )
    for label, name in _LABELS:
        formula = f'SUMPRODUCT(--({SETTINGS}[Setting]="{label}"),{SETTINGS}[Value])'
        canvas.workbook.defined_names[name] = DefinedName(name, attr_text=formula)
    row = settings.last_row + 2
    drifts = _section(
        canvas,
        sheet,
        row,
        "Variance by class: each drift × the covariances of its class with all drifts of the account",
        DRIFTS,
        _drift_columns(count),
        [line for each in planned for line in _drift_rows(each, covariance)],
    )
    row = drifts.last_row + 2
    if row + count > _PAGE:
        break_before(sheet, row)
    given = _section(
        canvas,
        sheet,
        row,
        f"Annual covariances: {covariance.words}",
        COVARIANCES,
        _covariance_columns(count),
        _covariance_rows(covariance),
    )
    fit_columns(sheet, [benefits, drifts, given, settings], {})
    flag_negative(sheet, benefits.cells("Net benefit"))
    sheet.freeze_panes = "A4"
    set_up_print(
        sheet,
        last_column=max(benefits.last_column, given.last_column),
        last_row=given.last_row,
    )
    return sheet


def _section(
    canvas: Canvas,
    sheet: Worksheet,
    row: int,
    heading: str,
    name: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Content]],
) -> Placed:
    canvas.put(sheet, row, 1, heading, styles.HEADING)
    return write_table(
        canvas, sheet, name=name, columns=columns, rows=rows, row=row + 1, filters=False
    )


def _benefit_row(name: str, each: NetBenefit) -> list[Content]:
    return [
        name,
        each.value,
        each.variance_before,
        each.variance_after,
        math.sqrt(each.variance_before),
        math.sqrt(each.variance_after),
        each.gross,
        each.costs,
        each.net,
    ]


def _drift_rows(account: AccountFigures, covariance: Covariance) -> list[list[Content]]:
    """The classes of an account that the covariances know, with what each adds to the variance."""
    plan = account.plan
    assert plan is not None  # only planned accounts are worth something
    before, after = _drifts(plan, covariance), _drifts(plan, covariance, after=True)
    known = {row.asset_class for row in plan.classes}
    rows: list[list[Content]] = []
    for index, name in enumerate(covariance.classes):
        if name not in known:
            continue
        parts = [
            drift[index] * math.fsum(s * d for s, d in zip(row, drift, strict=True))
            for drift, row in ((d, covariance.matrix[index].tolist()) for d in (before, after))
        ]
        rows.append([account.account, name, index + 1, before[index], after[index], *parts])
    return rows


def _drifts(plan: Plan, covariance: Covariance, *, after: bool = False) -> list[float]:
    of = {row.asset_class: row.drift_after if after else row.drift_before for row in plan.classes}
    return [of.get(name, 0.0) for name in covariance.classes]


def _covariance_rows(covariance: Covariance) -> list[list[Content]]:
    matrix = covariance.matrix.tolist()
    return [
        [name, index + 1, math.sqrt(matrix[index][index]), *matrix[index]]
        for index, name in enumerate(covariance.classes)
    ]
