"""The workbook templates, built with what the worksheet functions come to on their examples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xl_rebal.errors import Fault, RebalError
from xl_rebal.excel import registry
from xl_rebal.files import write_atomically
from xl_rebal.workbooks import household_example, lab_example, template_example
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


def build_templates(out: Path, *, check: bool = False) -> list[str]:
    """Write every template into a folder and return their names.

    check  write nothing, and return the names of those that differ from what is there.
    """
    made = {PORTFOLIO: portfolio(), LAB: backtest_lab(), HOUSEHOLD: household_tax()}
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
