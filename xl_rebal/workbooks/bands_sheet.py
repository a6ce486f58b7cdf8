"""Sheet Bands: the bands of each model, and those that follow volatility in two modes (S035)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.band_table import band_rows
from xl_rebal.risk.adjusted_bands import relative_volatility
from xl_rebal.risk.covariance import Covariance
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.benefit_sheet import numbers, row_of
from xl_rebal.workbooks.cells import Canvas, Content
from xl_rebal.workbooks.figures import Figures, TargetFigures
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import Column, Placed, fit_columns, group_columns, write_table

NAME = "tblAdjustedBands"
HEADER_ROW = 7
NOTES = (
    "Equal frequency: width ~ w (1 − w) σ: every class reaches its edge about as often; volatile classes "
    "get wider bands.",
    "Equal risk: width ~ 1 / σ: every class at its edge has the same tracking error; volatile classes get "
    "tighter bands.",
    "σ = annual volatility of the class less the others at target (column Volatility). Both modes keep the "
    "average width.",
)

_PERCENT, _PLAIN = number(styles.PERCENT), number("0.00000000")
_MODEL = f"({NAME}[Model]=[@Model])"
_TARGET = "(tblTargets[Model]=[@Model])*(tblTargets[Asset class]=[@[Asset class]])"
_MOVES = "N([@Volatility])>0.000000000001"


def _band(edge: str) -> str:
    cells = f"tblTargets[Band {edge}]"
    return f'IF(SUMPRODUCT({_TARGET}*ISNUMBER({cells}))=0,"",SUMPRODUCT({_TARGET},{cells}))'


def _counts(edge: str) -> str:
    return f"IF(AND(ISNUMBER([@[Band {edge}]]),N([@[Band {edge}]])>0,{_MOVES}),1,0)"


def _width(edge: str, shape: str) -> str:
    """The width of a mode: its shape, scaled so that the widths that it changes keep their sum."""
    mine = f"{_MODEL}*{NAME}[Counts {edge}]"
    shapes = f"SUMPRODUCT({mine},{NAME}[{shape}])"
    total = f"SUMPRODUCT({mine},{NAME}[Band {edge}])"
    return (
        f"IF(AND([@[Counts {edge}]]=1,SUMPRODUCT({mine})>1),[@[{shape}]]*{total}/{shapes},"
        f"[@[Band {edge}]])"
    )


def _edges(name: str, shape: str) -> tuple[Column, Column]:
    lower = f'IF(ISNUMBER([@[Band down]]),MAX([@Target]-({_width("down", shape)}),0),"")'
    upper = f'IF(ISNUMBER([@[Band up]]),MIN([@Target]+({_width("up", shape)}),1),"")'
    return (
        Column(header=f"{name} lower", look=_PERCENT, formula=lower),
        Column(header=f"{name} upper", look=_PERCENT, formula=upper),
    )


def _columns(count: int) -> tuple[Column, ...]:
    with_all = f"SUMPRODUCT({_MODEL}*({NAME}[No]={numbers(count)})*{NAME}[Target]*{row_of(count, '[@No]')})"
    own = f"SUMPRODUCT(([@No]={numbers(count)})*{row_of(count, '[@No]')})"
    return (
        Column(header="Model", look=styles.BODY_TEXT),
        Column(header="Asset class", look=styles.BODY_TEXT),
        Column(
            header="Target",
            look=_PERCENT,
            formula=f"SUMPRODUCT({_TARGET},tblTargets[Target])",
        ),
        Column(
            header="Volatility",
            look=_PERCENT,
            formula="IF(AND([@Target]>0,[@Target]<1),SQRT(MAX(0,[@[Own variance]]"
            '-2*[@[With the portfolio]]+[@[Of the portfolio]]))/(1-[@Target]),"")',
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
        *_edges("Equal frequency", "Frequency shape"),
        *_edges("Equal risk", "Risk shape"),
        Column(header="No", look=styles.BODY_PLANNED),
        Column(header="Band down", look=_PERCENT, formula=_band("down")),
        Column(header="Band up", look=_PERCENT, formula=_band("up")),
        Column(header="Own variance", look=_PLAIN, formula=own),
        Column(header="With the portfolio", look=_PLAIN, formula=with_all),
        Column(
            header="Of the portfolio",
            look=_PLAIN,
            formula=f"SUMPRODUCT({_MODEL}*{NAME}[Target],{NAME}[With the portfolio])",
        ),
        Column(
            header="Frequency shape",
            look=_PLAIN,
            formula="[@Target]*(1-[@Target])*N([@Volatility])",
        ),
        Column(header="Risk shape", look=_PLAIN, formula=f"IF({_MOVES},1/N([@Volatility]),0)"),
        Column(header="Counts down", look=styles.BODY_PLANNED, formula=_counts("down")),
        Column(header="Counts up", look=styles.BODY_PLANNED, formula=_counts("up")),
    )


def write_bands(
    canvas: Canvas, figures: Figures, covariance: Covariance
) -> tuple[Worksheet, Placed]:
    """Write the sheet; the covariances stand on sheet Benefit."""
    sheet = canvas.sheet("Bands", styles.ACCENT_LIGHT)
    write_title(
        canvas,
        sheet,
        "Bands that follow volatility",
        "For comparison with the bands of the policy, which the plan keeps to. The two modes want different "
        "things and contradict each other.",
    )
    for row, note in enumerate(NOTES, start=HEADER_ROW - len(NOTES) - 1):
        canvas.put(sheet, row, 1, note, styles.NOTE)
    placed = write_table(
        canvas,
        sheet,
        name=NAME,
        columns=_columns(len(covariance.classes)),
        rows=list(_rows(figures, covariance)),
        row=HEADER_ROW,
        header_height=44,
        filters=False,
    )
    fit_columns(sheet, [placed], {})
    group_columns(sheet, placed.column("No"), placed.last_column)
    sheet.freeze_panes = f"C{placed.first_row}"
    set_up_print(
        sheet,
        last_column=placed.column("Equal risk upper"),
        last_row=placed.last_row,
        repeat=placed.header_row,
    )
    return sheet, placed


def _rows(figures: Figures, covariance: Covariance) -> Iterator[list[Content]]:
    policy = figures.result.request.policy
    of_model: dict[str, list[TargetFigures]] = {}
    for each in figures.targets:
        of_model.setdefault(each.model, []).append(each)
    for drift, mine in zip(figures.result.drifts, of_model.values(), strict=True):
        model = drift.targets
        own = covariance.of(model.classes)
        edges = {row["asset_class"]: row for row in band_rows(model, policy, own)}
        weights = own.weights_of({each.asset_class: each.target for each in mine})
        moves = dict(zip(own.classes, relative_volatility(own, weights).tolist(), strict=True))
        with_all = dict(zip(own.classes, (own.matrix @ weights).tolist(), strict=True))
        whole = own.variance(weights)
        for each in mine:
            place = covariance.classes.index(each.asset_class)
            yield _row(
                each,
                edges[each.asset_class],
                moves[each.asset_class],
                [
                    place + 1,
                    each.down,
                    each.up,
                    float(covariance.matrix[place, place]),
                    with_all[each.asset_class],
                    whole,
                ],
            )


def _row(
    each: TargetFigures, edges: Mapping[str, float | None], moves: float, parts: list[Content]
) -> list[Content]:
    moving = math.isfinite(moves) and moves > 1e-12
    shown = moves if math.isfinite(moves) else None
    shapes: list[Content] = [
        each.target * (1 - each.target) * moves if math.isfinite(moves) else 0.0,
        1 / moves if moving else 0.0,
    ]
    counts: list[Content] = [
        int(width is not None and width > 0 and moving) for width in (each.down, each.up)
    ]
    names = ("", "equal_frequency_", "equal_risk_")
    pairs = [edges[f"{name}{side}"] for name in names for side in ("lower", "upper")]
    return [
        each.model,
        each.asset_class,
        each.target,
        shown,
        *pairs,
        *parts,
        *shapes,
        *counts,
    ]
