"""The workbook templates, built with what the worksheet functions come to on their examples."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xl_rebal.batch.book_sources import SheetTable, sources_of_tables
from xl_rebal.batch.local_engine import LocalEngine
from xl_rebal.batch.run import run_batch
from xl_rebal.batch.settings import BatchSettings
from xl_rebal.custodians.book_tables import table_name
from xl_rebal.errors import Fault, RebalError
from xl_rebal.excel import registry
from xl_rebal.excel.book_reports import sendable_trades, trade_rows
from xl_rebal.files import write_atomically
from xl_rebal.portfolio.accounts import PlanMode
from xl_rebal.workbooks import book_example, household_example, lab_example, template_example
from xl_rebal.workbooks.template_book import CALLS as BOOK_CALLS
from xl_rebal.workbooks.template_book import book_findings, build_book_template
from xl_rebal.workbooks.template_household import CALLS as HOUSEHOLD_CALLS
from xl_rebal.workbooks.template_household import build_household_template, household_findings
from xl_rebal.workbooks.template_lab import CALLS as LAB_CALLS
from xl_rebal.workbooks.template_lab import build_lab_template, lab_findings
from xl_rebal.workbooks.template_portfolio import (
    CALLS,
    Call,
    build_portfolio_template,
    template_findings,
)

PORTFOLIO, LAB, HOUSEHOLD = "portfolio.xltx", "backtest_lab.xltx", "household_tax.xltx"
BOOK = "adviser_book.xltx"


def build_templates(out: Path, *, check: bool = False) -> list[str]:
    """Write every template into a folder and return their names.

    check  write nothing, and return the names of those that differ from what is there.
    """
    made = {
        PORTFOLIO: portfolio(),
        LAB: backtest_lab(),
        HOUSEHOLD: household_tax(),
        BOOK: adviser_book(),
    }
    if check:
        return [name for name, data in made.items() if not _same(out / name, data)]
    out.mkdir(parents=True, exist_ok=True)
    for name, data in made.items():
        write_atomically(out / name, data, overwrite=True)
    return list(made)


def portfolio() -> bytes:
    """portfolio.xltx; raises RebalError where a formula fails or the file would not be sound."""
    data = build_portfolio_template({call.formula: _result(call) for call in CALLS})
    found = template_findings(data)
    if found:
        raise RebalError(
            *(Fault(where=PORTFOLIO, what=each, remedy="report this as a bug") for each in found)
        )
    return data


def backtest_lab() -> bytes:
    """backtest_lab.xltx; raises RebalError where a formula fails or the file would not be sound."""
    given = {
        "": None,
        "tblPrices[#All]": lab_example.prices(),
        "tblTargets[#All]": lab_example.TARGETS,
        "tblPolicies[#All]": lab_example.POLICIES,
        "LabPolicy": lab_example.POLICY,
        "LabCost": lab_example.COST_BPS,
        "LabLimit": None,
    }
    data = build_lab_template(
        {
            call.formula: _rounded(
                _rows(LAB, call, [given.get(text, text.strip('"')) for text in call.arguments])
            )
            for call in LAB_CALLS
        }
    )
    found = lab_findings(data)
    if found:
        raise RebalError(
            *(Fault(where=LAB, what=each, remedy="report this as a bug") for each in found)
        )
    return data


def household_tax() -> bytes:
    """household_tax.xltx; raises RebalError where a formula fails or the file would not be sound."""
    tables: dict[str, Any] = {
        f"{name}[#All]": rows for name, rows in household_example.TABLES.items()
    }
    day = household_example.serial(household_example.AS_OF.isoformat())
    results: dict[str, list[list[Any]]] = {}
    for call in HOUSEHOLD_CALLS:
        given = {"": None, "AsOf": day, "tblGains[#All]": _realised(results), **tables}
        arguments = [given[text] if text in given else text.strip('"') for text in call.arguments]
        results[call.formula] = _rounded(_rows(HOUSEHOLD, call, arguments))
    data = build_household_template(results)
    found = household_findings(data)
    if found:
        raise RebalError(
            *(Fault(where=HOUSEHOLD, what=each, remedy="report this as a bug") for each in found)
        )
    return data


def adviser_book() -> bytes:
    """adviser_book.xltx; raises RebalError where a formula fails or the file would not be sound."""
    trades = _book_trades()
    given: dict[str, Any] = {
        "BookPolicy": book_example.POLICY,
        "BookDay": household_example.serial(book_example.AS_OF.isoformat()),
        "BookMode": book_example.MODE,
        "tblTrades[#All]": [list(book_example.TRADE_COLUMNS), *trades],
        **{f"{name}[#All]": rows for name, rows in book_example.TABLES.items()},
    }
    results = {
        call.formula: _rounded(
            _rows(BOOK, call, [given.get(text, text.strip('"')) for text in call.arguments])
        )
        for call in BOOK_CALLS
    }
    data = build_book_template(results, trades)
    found = book_findings(data)
    if found:
        raise RebalError(
            *(Fault(where=BOOK, what=each, remedy="report this as a bug") for each in found)
        )
    return data


def _book_trades() -> list[list[Any]]:
    """What a run of the example book plans and may be sent, as Client Reports writes it to sheet Trades."""
    found = {
        table_name(name): SheetTable(sheet=name, row=1, rows=book_example.cells_as_read(rows))
        for name, rows in book_example.TABLES.items()
    }
    settings = BatchSettings(
        policy=book_example.POLICY,
        mode=PlanMode(book_example.MODE),
        costs=book_example.COSTS,
        as_of=book_example.AS_OF,
        min_trade=book_example.SMALLEST_TRADE,
        price_move=book_example.RISE,
        workbooks=False,
        orders=False,
    )
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "run")
        manifest = run_batch(sources_of_tables(BOOK, found), out, settings, LocalEngine(workers=1))
        if manifest["failed"]:
            raise RebalError.of(
                where=BOOK, what=str(manifest["failed"]), remedy="correct the example"
            )
        return trade_rows(book_example.TRADE_COLUMNS, sendable_trades(out)[0])


def _realised(results: dict[str, list[list[Any]]]) -> list[list[Any]]:
    """What `tblGains` of the template holds, once the plan's figures are known."""
    for rows in results.values():
        if rows[0] == ["figure", "value"]:
            figures = {row[0]: row[1] for row in rows}
            kinds = ("short", "long", "collectible")
            return [["Term", "Gain"], *([kind, figures[f"gain_{kind}"]] for kind in kinds)]
    return []


def _rounded(rows: list[list[Any]]) -> list[list[Any]]:
    """Ten digits: processors differ in the last bits of long sums, and the file must not."""
    return [
        [float(f"{cell:.10g}") if isinstance(cell, float) else cell for cell in row] for row in rows
    ]


def _same(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def _result(call: Call) -> list[list[Any]]:
    return _rows(PORTFOLIO, call, [_argument(text) for text in call.arguments])


def _rows(template: str, call: Call, arguments: Sequence[Any]) -> list[list[Any]]:
    result = registry.call(call.function, arguments)
    if isinstance(result, str) and result.startswith(registry.PREFIX):
        raise RebalError.of(
            where=f"{template}, {call.formula}", what=result, remedy="correct the example"
        )
    return result if isinstance(result, list) else [[result]]


def _argument(text: str) -> Any:
    if text == "":
        return None
    if text == "FlowAmount":
        return template_example.FLOW
    if text == "CostText":
        return template_example.COSTS[1:]
    if text.startswith("INDEX(HoldingSymbol,"):
        return template_example.HOLDINGS[int(text.partition(",")[2].rstrip(")"))][1]
    return template_example.TABLES[text.removesuffix("[#All]")]
