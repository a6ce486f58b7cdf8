"""The template portfolio.xltx, from parts: inputs, native sheets, and the add-in's sheets."""

from __future__ import annotations

from xl_rebal.workbooks import package
from xl_rebal.workbooks.cells import Canvas
from xl_rebal.workbooks.dynamic_arrays import spill_findings, with_spills
from xl_rebal.workbooks.lint import findings
from xl_rebal.workbooks.template_checks import write_checks
from xl_rebal.workbooks.template_drift import write_drift
from xl_rebal.workbooks.template_engine import CALLS, Call, Results, write_engine_sheets
from xl_rebal.workbooks.template_inputs import write_inputs
from xl_rebal.workbooks.template_start import write_start
from xl_rebal.workbooks.template_weights import write_weights

__all__ = ["CALLS", "Call", "Results", "build_portfolio_template", "template_findings"]

TITLE = "Portfolio rebalancing"
# What the template's formulas may call besides what reports do; NUMBERVALUE is of Excel 2013.
FUNCTIONS = frozenset(
    "_XLFN.NUMBERVALUE COUNTA FIND ISBLANK ISERROR LEFT LEN LOWER MATCH MID RIGHT SMALL SUBSTITUTE TRIM "
    "REBAL_DRIFT REBAL_STATUS REBAL_POLICY REBAL_TRADES REBAL_CASHFLOW REBAL_WEIGHTS REBAL_ASSETCLASS "
    "REBAL_VERSION".split()
)


def build_portfolio_template(results: Results) -> bytes:
    """The template as bytes, the same for the same results.

    results  by formula of `CALLS`, the rows of values that it comes to with the example.
    """
    canvas = Canvas()
    spills = write_start(canvas, results)
    write_inputs(canvas)
    write_drift(canvas)
    write_weights(canvas)
    spills += write_engine_sheets(canvas, results)
    write_checks(canvas)
    canvas.styles.close(canvas.workbook)
    canvas.workbook.active = 0
    canvas.workbook.worksheets[0].sheet_view.tabSelected = True
    canvas.workbook.template = True
    data = package.save(canvas.workbook, canvas.values, title=TITLE)
    return with_spills(data, canvas.workbook.sheetnames, spills)


def template_findings(data: bytes) -> list[str]:
    """Everything that is wrong with a template, in words."""
    return findings(data, functions=FUNCTIONS) + spill_findings(data)
