"""The template adviser_book.xltx: a whole book in one workbook, which a batch reads as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xl_rebal.workbooks import book_example, package
from xl_rebal.workbooks.book_checks import write_book_checks
from xl_rebal.workbooks.book_inputs import write_book_inputs
from xl_rebal.workbooks.book_pages import BOOK, CALLS, write_blocks, write_book, write_trades
from xl_rebal.workbooks.book_start import TITLE, write_book_start
from xl_rebal.workbooks.book_summary import write_summary
from xl_rebal.workbooks.cells import Canvas
from xl_rebal.workbooks.dynamic_arrays import spill_findings, with_spills
from xl_rebal.workbooks.lint import findings
from xl_rebal.workbooks.template_engine import Results

__all__ = ["CALLS", "book_findings", "build_book_template"]

FUNCTIONS = frozenset(
    "COUNTIFS ISERROR LEFT LEN SMALL SUBSTITUTE SUMIFS TRIM UPPER "
    "REBAL_BOOK REBAL_BLOCKS REBAL_VERSION".split()
)


def build_book_template(results: Results, trades: Sequence[Sequence[Any]]) -> bytes:
    """The template as bytes, the same for the same results and trades of its example."""
    clients = next(results[call.formula][1:] for call in CALLS if call.sheet == BOOK)
    models = list(dict.fromkeys(str(row[0]) for row in book_example.MODELS[1:]))
    canvas = Canvas()
    spills = write_book_start(canvas, clients, trades)
    write_book_inputs(canvas)
    spills += write_book(canvas, results)
    write_summary(canvas, clients, models)
    write_trades(canvas, trades)
    spills += write_blocks(canvas, results)
    write_book_checks(canvas)
    canvas.styles.close(canvas.workbook)
    canvas.workbook.active = 0
    canvas.workbook.worksheets[0].sheet_view.tabSelected = True
    canvas.workbook.template = True
    written = package.save(canvas.workbook, canvas.values, title=TITLE)
    return with_spills(written, canvas.workbook.sheetnames, spills)


def book_findings(data: bytes) -> list[str]:
    """Everything that is wrong with a template, in words."""
    return findings(data, functions=FUNCTIONS) + spill_findings(data)
