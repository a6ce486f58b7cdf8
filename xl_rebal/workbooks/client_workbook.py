"""The workbook of one client: six sheets, stamped."""

from __future__ import annotations

from functools import cache

from xl_rebal.workbooks import (
    client_drift,
    client_holdings,
    client_lots,
    client_summary,
    client_taxes,
    client_trades,
    layout_writer,
)
from xl_rebal.workbooks.client_figures import client_figures
from xl_rebal.workbooks.client_pages import ClientPages
from xl_rebal.workbooks.layout import SheetContents
from xl_rebal.workbooks.stamp import Stamp

__all__ = ["ClientPages", "client_workbook", "client_workbook_by_openpyxl"]

LAYOUTS = (
    client_summary.LAYOUT,
    client_holdings.LAYOUT,
    client_drift.LAYOUT,
    client_trades.LAYOUT,
    client_lots.LAYOUT,
    client_taxes.LAYOUT,
)


def client_workbook(pages: ClientPages) -> bytes:
    """The workbook as .xlsx bytes, the same for the same client and the same `zipped.COMPRESSOR`."""
    return stamp().fill(client_contents(pages), title=_title(pages))


def client_workbook_by_openpyxl(pages: ClientPages) -> bytes:
    """The same workbook written cell by cell: slower, and the proof of the stamp."""
    return layout_writer.build(LAYOUTS, client_contents(pages), title=_title(pages))


def client_contents(pages: ClientPages) -> tuple[SheetContents, ...]:
    """What the sheets hold."""
    figures = client_figures(pages)
    return (
        client_summary.contents(figures),
        client_holdings.contents(figures),
        client_drift.contents(figures),
        client_trades.contents(figures),
        client_lots.contents(figures),
        client_taxes.contents(figures),
    )


@cache
def stamp() -> Stamp:
    return Stamp(LAYOUTS)


def _title(pages: ClientPages) -> str:
    return f"Rebalancing: {pages.name or pages.household}"
