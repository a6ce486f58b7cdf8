"""The client report: a macro-free workbook in which every number of a plan can be followed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xl_rebal.alternatives import Alternative
from xl_rebal.files import write_atomically
from xl_rebal.rebalance import Rebalancing
from xl_rebal.risk.asked import NO_RISK, RiskAsked
from xl_rebal.workbooks import package
from xl_rebal.workbooks.assumptions_sheet import write_assumptions
from xl_rebal.workbooks.bands_sheet import write_bands
from xl_rebal.workbooks.benefit_sheet import write_benefit
from xl_rebal.workbooks.cash_sheet import write_cash
from xl_rebal.workbooks.cells import Canvas, require_rows
from xl_rebal.workbooks.choices_sheet import write_choices
from xl_rebal.workbooks.drift_sheet import write_drift
from xl_rebal.workbooks.engine_figures import figures_of
from xl_rebal.workbooks.holdings_sheet import write_holdings
from xl_rebal.workbooks.lint import require_clean
from xl_rebal.workbooks.refused_sheet import write_refused
from xl_rebal.workbooks.shock_sheet import write_shock
from xl_rebal.workbooks.source import ReportSource
from xl_rebal.workbooks.summary_sheet import write_summary
from xl_rebal.workbooks.trades_sheet import write_trades

__all__ = ["ReportSource", "build_report", "write_report"]

TITLE = "Portfolio rebalancing report"


def build_report(
    result: Rebalancing,
    source: ReportSource,
    *,
    version: str,
    choices: Sequence[Alternative] = (),
    risk: RiskAsked = NO_RISK,
) -> bytes:
    """The report as .xlsx bytes, the same for the same input and version.

    Raises RebalError where Excel could not hold it: too many rows or accounts, names that Excel would
    take for one.
    """
    figures = figures_of(result)
    canvas = Canvas()
    write_summary(canvas, figures, source)
    if result.refused:
        write_refused(canvas, figures)
    write_holdings(canvas, figures)
    write_drift(canvas, figures)
    write_trades(canvas, figures)
    write_cash(canvas, figures)
    if choices:
        write_choices(canvas, choices)
    if risk.covariance is not None and result.plans:
        write_benefit(canvas, figures, risk.covariance, risk.investor)
        write_bands(canvas, figures, risk.covariance)
    if risk.returns:
        write_shock(canvas, figures, risk.returns)
    write_assumptions(canvas, figures, source, version)
    canvas.styles.close(canvas.workbook)
    for sheet in canvas.workbook.worksheets:
        require_rows(sheet)
    canvas.workbook.active = 0
    canvas.workbook.worksheets[0].sheet_view.tabSelected = True
    data = package.save(canvas.workbook, canvas.values, title=TITLE)
    require_clean(data)
    return data


def write_report(
    result: Rebalancing,
    source: ReportSource,
    path: Path | str,
    *,
    version: str,
    overwrite: bool = False,
    choices: Sequence[Alternative] = (),
    risk: RiskAsked = NO_RISK,
) -> None:
    """Build the report and put it at `path`, whole or not at all.

    choices  plans side by side, for a sheet of their own.
    risk     covariances for sheets Benefit and Bands, a shock for sheet Shock.
    """
    data = build_report(result, source, version=version, choices=choices, risk=risk)
    write_atomically(path, data, overwrite=overwrite)
