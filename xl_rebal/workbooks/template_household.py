"""The template household_tax.xltx: a household's accounts and lots in, plan, taxes and a letter out."""

from __future__ import annotations

from typing import Any

from xl_rebal.portfolio import classes
from xl_rebal.workbooks import household_example, package, styles
from xl_rebal.workbooks.cells import Canvas, Content
from xl_rebal.workbooks.dynamic_arrays import spill_findings, with_spills
from xl_rebal.workbooks.household_calls import (
    CALLS,
    CLASSES,
    HARVEST,
    NOTES,
    PLAN,
    PLAN_FIGURES,
    ROW,
    SHEETS,
    TAX,
    WASH_SALES,
    write_spill_sheet,
)
from xl_rebal.workbooks.household_calls import GAINS as LOT_GAINS
from xl_rebal.workbooks.household_checks import write_household_checks
from xl_rebal.workbooks.household_data import KINDS, Held, HouseholdData, Owned
from xl_rebal.workbooks.household_inputs import write_household_inputs
from xl_rebal.workbooks.household_letter import Room, write_letter
from xl_rebal.workbooks.household_location import write_location
from xl_rebal.workbooks.household_names import ACCOUNT_FORMULAS, CLASS_FORMULA, SOURCES
from xl_rebal.workbooks.household_start import TITLE, write_household_start
from xl_rebal.workbooks.household_taxes import More, write_taxes
from xl_rebal.workbooks.household_workings import write_workings
from xl_rebal.workbooks.lint import findings
from xl_rebal.workbooks.styles import number
from xl_rebal.workbooks.tables import Column, write_table
from xl_rebal.workbooks.template_engine import Results
from xl_rebal.workbooks.template_inputs import define

__all__ = ["CALLS", "build_household_template", "household_findings"]

FUNCTIONS = frozenset(
    "ISERROR LEFT LEN MATCH MID ROUND SUBSTITUTE TRIM UPPER YEAR "
    "REBAL_HOUSEHOLD REBAL_GAINS REBAL_HARVEST REBAL_WASHSALES REBAL_TAX REBAL_VERSION".split()
)
_GAIN_CELLS = (
    ("short", "GainShort", "gain_short"),
    ("long", "GainLong", "gain_long"),
    ("collectible", "GainCollectible", "gain_collectible"),
)


def build_household_template(results: Results) -> bytes:
    """The template as bytes, the same for the same results."""
    data = _data(results)
    canvas = Canvas()
    spills = write_household_start(canvas, data)
    write_household_inputs(canvas)
    plan, *others = SHEETS
    spills += write_spill_sheet(canvas, plan, results)
    write_taxes(canvas, data, more=_more(results))
    write_location(
        canvas,
        data,
        SOURCES,
        kinds=KINDS,
        class_formula=CLASS_FORMULA,
        account_formulas=ACCOUNT_FORMULAS,
    )
    write_letter(canvas, data, Room())
    for each in others:
        spills += write_spill_sheet(canvas, each, results)
    _gains(canvas, data)
    write_workings(canvas, data, SOURCES)
    write_household_checks(canvas)
    define(canvas, "PlanWhy", "INDEX(FigureValue,1)")
    define(canvas, "PlanHead", f"{PLAN}!$A${ROW}")
    canvas.styles.close(canvas.workbook)
    canvas.workbook.active = 0
    canvas.workbook.worksheets[0].sheet_view.tabSelected = True
    canvas.workbook.template = True
    written = package.save(canvas.workbook, canvas.values, title=TITLE)
    return with_spills(written, canvas.workbook.sheetnames, spills)


def household_findings(data: bytes) -> list[str]:
    """Everything that is wrong with a template, in words."""
    return findings(data, functions=FUNCTIONS) + spill_findings(data)


def _rows(results: Results, sheet: str) -> list[list[Any]]:
    """The rows of a sheet's first formula, without their header."""
    call = next(each.blocks[0].call for each in SHEETS if each.title == sheet)
    return [list(row) for row in results[call.formula][1:]]


def _data(results: Results) -> HouseholdData:
    call = next(s for s in SHEETS if s.title == PLAN_FIGURES).blocks[1].call
    targets = [row[0] for row in household_example.TARGETS[1:]]
    paths = {row[0]: row[1] for row in household_example.SECURITIES[1:]}
    covering = {
        symbol: next(target for target in targets if classes.covers(target, path))
        for symbol, path in paths.items()
    }
    prices = {row[0]: row[2] for row in household_example.SECURITIES[1:]}
    paths["CASH"] = covering["CASH"] = "Cash"
    prices["CASH"] = 1.0
    return HouseholdData(
        client=household_example.CLIENT,
        adviser=household_example.ADVISER,
        as_of=household_example.AS_OF,
        trades=_rows(results, PLAN),
        figures={row[0]: row[1] for row in _rows(results, PLAN_FIGURES)},
        ways=[list(row) for row in results[call.formula][1:]],
        notes=_rows(results, NOTES),
        changes=_rows(results, CLASSES),
        accounts=tuple(
            Owned(account=row[0], type=row[1], reserve=row[5] or 0.0)
            for row in household_example.ACCOUNTS[1:]
        ),
        held=tuple(
            Held(
                account=row[0],
                symbol=row[1],
                klass=covering[row[1]],
                value=row[3] * prices[row[1]],
                path=paths[row[1]],
            )
            for row in household_example.LOTS[1:]
        ),
        classes=(*targets, "Cash"),
        paths=paths,
        covering=covering,
    )


def _more(results: Results) -> list[More]:
    """What stands unrealised, what could be harvested, what was washed: from the other functions."""
    gains = _rows(results, LOT_GAINS)
    losses = _rows(results, HARVEST)
    washed = _rows(results, WASH_SALES)
    by_term = {term: sum(row[7] for row in gains if row[8] == term) for term in ("short", "long")}

    def at(words: str, formula: str, value: float) -> More:
        return More(words=words, formula=formula, value=value)

    return [
        at(
            "Unrealised short-term gain, taxable accounts",
            'SUMPRODUCT(--EXACT(LotTerm,"short"),LotGain)',
            by_term["short"],
        ),
        at(
            "Unrealised long-term gain, taxable accounts",
            'SUMPRODUCT(--EXACT(LotTerm,"long"),LotGain)',
            by_term["long"],
        ),
        at(
            "Losses that could be taken now",
            'SUMPRODUCT(--EXACT(HarvestVerdict,"harvest"),HarvestLoss)',
            sum(row[6] for row in losses if row[11] == "harvest"),
        ),
        at(
            "Losses that must wait (wash sales)",
            'SUMPRODUCT(--EXACT(HarvestVerdict,"wait"),HarvestLoss)',
            sum(row[6] for row in losses if row[11] == "wait"),
        ),
        at(
            "Losses that wash sales disallowed",
            "SUM(WashDisallowed)",
            sum(row[5] for row in washed),
        ),
    ]


def _gains(canvas: Canvas, data: HouseholdData) -> None:
    """The plan's gains as REBAL_TAX takes them: native formulas, a row for each kind."""
    sheet = canvas.workbook[PLAN_FIGURES]
    row, column = TAX.row - 1, TAX.column + 3
    canvas.put(sheet, row, column, "Gains that REBAL_TAX is given", styles.HEADING)
    rows: list[list[Content]] = [[term, data.figure(figure)] for term, _, figure in _GAIN_CELLS]
    short, long, collectible = (name for _, name, _ in _GAIN_CELLS)
    formula = f'IF([@Term]="short",{short},IF([@Term]="long",{long},{collectible}))'
    write_table(
        canvas,
        sheet,
        name="tblGains",
        columns=[
            Column(header="Term", look=styles.BODY_TEXT),
            Column(header="Gain", look=number(styles.MONEY), formula=formula),
        ],
        rows=rows,
        row=row + 1,
        column=column,
        filters=False,
        header_height=18,
    )
