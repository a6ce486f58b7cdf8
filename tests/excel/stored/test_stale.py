"""Which formulas lose their saved values when a macro changes a table."""

from __future__ import annotations

import pytest

from xl_rebal.excel.stored.stale import Place, stale

TABLES = {"tblHoldings": "Holdings", "tblTrades": "Trades"}


def found(
    *formulas: str, names: dict[str, str] | None = None, changed: str = "tblHoldings"
) -> set[int]:
    """The rows of sheet Other whose formulas are taken to depend on the changed table."""
    places = [Place("Other", row, 1, text) for row, text in enumerate(formulas, start=1)]
    lost = stale(places, names or {}, TABLES, changed_tables=[changed], changed_sheets=[])
    return {place.row for place in lost}


@pytest.mark.parametrize(
    "formula",
    [
        "SUM(tblHoldings[Price])",
        "sum(TBLHOLDINGS[Price])",
        "REBAL_DRIFT()",  # reads the workbook's tables without naming them
        '_xlfn.REBAL_TRADES(,,"5pp")',
        'INDIRECT("tblHol"&"dings[Price]")',
        "SUM(Prices)",
        "SUM(First:Last!A1)",
    ],
)
def test_a_formula_that_may_read_the_table_is_stale(formula: str) -> None:
    assert found(formula, names={"Prices": "tblHoldings[Price]"}) == {1}


@pytest.mark.parametrize("formula", ["1+1", "SUM(B1:B9)", 'IF(A1="tblHoldings",1,2)', "LEN(A2)"])
def test_a_formula_that_reads_something_else_keeps_its_value(formula: str) -> None:
    assert found(formula) == set()


def test_a_table_that_is_no_input_leaves_the_functions_alone() -> None:
    assert found("REBAL_DRIFT()", changed="tblTrades") == set()
    assert found("SUM(tblTrades[Value])", changed="tblTrades") == {1}


def test_what_reads_a_stale_sheet_is_stale() -> None:
    places = [Place("Sums", 1, 1, "SUM(tblHoldings[Price])"), Place("Other", 1, 1, "Sums!A1*2")]
    lost = stale(places, {}, TABLES, changed_tables=["tblHoldings"], changed_sheets=[])
    assert {place.sheet for place in lost} == {"Sums", "Other"}
