"""The registry and every function, called directly: what every host must repeat."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.excel.matrix import ALL, BAD, GOOD, HOLDINGS, TARGETS, Case
from xl_rebal.excel import registry
from xl_rebal.excel.generate import samples
from xl_rebal.excel.registry import PREFIX, Argument, Example, Returns, call, functions


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_good_arguments_give_a_result(case: Case) -> None:
    result = call(case.function, case.arguments)
    first = result[0][0] if isinstance(result, list) else result
    assert not str(first).startswith(PREFIX), first
    if isinstance(result, list):
        assert len({len(row) for row in result}) == 1


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_bad_arguments_give_one_text_with_place_and_remedy(case: Case) -> None:
    result = call(case.function, case.arguments)
    assert isinstance(result, str)
    assert result.startswith(PREFIX)
    assert case.error in result
    assert "; " in result, "an error names its remedy"
    assert "\n" not in result


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_arguments_stay_as_they_are(case: Case) -> None:
    before = copy.deepcopy(case.arguments)
    call(case.function, case.arguments)
    assert case.arguments == before


def test_an_account_that_cannot_be_planned_has_a_row_with_its_reason() -> None:
    header = ["account", "symbol", "quantity", "price", "asset_class"]
    held = [["A", "VTI", 700, 100, None], ["A", "BND", 300, 100, None],
            ["Debt", "VTI", 10, 100, None], ["Debt", "CASH", -9000, 1, "Cash"]]  # fmt: skip
    found = call("REBAL_TRADES", ([header, *held], "60% stocks, 40% bonds"))
    assert isinstance(found, list)
    assert [row[0] for row in found[1:]] == ["A", "A", "Debt"]
    assert found[-1][1:-1] == [None] * 6
    assert str(found[-1][-1]).startswith("refused: account Debt: its value less the reserve")
    # The row costs nothing, and does not stop the sum of the others.
    cost = call("REBAL_COST", (found, "half-spread 5bp"))
    assert cost == call("REBAL_COST", (found[:-1], "half-spread 5bp"))
    assert isinstance(cost, float)
    assert cost > 0
    alone = call("REBAL_TRADES", ([header, *held[2:]], "60% stocks, 40% bonds"))
    assert str(alone).startswith(f"{PREFIX}account Debt: its value")
    prices = [["asset_class", "volatility"], ["Stocks", 0.15], ["Bonds", 0.05]]
    worth = call(
        "REBAL_NETBENEFIT", ([header, *held], "60% stocks, 40% bonds", "5pp", None, 4, prices)
    )
    assert isinstance(worth, list)
    assert [row[0] for row in worth[1:]] == ["A", "Debt"]
    assert str(worth[-1][-1]).startswith("refused: ")


def test_every_function_is_in_the_matrix() -> None:
    assert {case.function for case in GOOD} == {f.name for f in functions()}


SAMPLES: dict[str, Any] = samples.TABLES


@pytest.mark.parametrize("function", functions(), ids=lambda f: f.name)
def test_the_example_of_the_reference_page_is_true(function: registry.Function) -> None:
    arguments = parse_arguments(function.example.formula)
    result = call(function.name, arguments)
    shown: Any = result
    if isinstance(result, list) and function.example.column:
        shown = result[1][result[0].index(function.example.column)]
    if isinstance(shown, float):
        assert shown == pytest.approx(float(function.example.result), abs=5e-7)
    else:
        assert shown == function.example.result


def parse_arguments(formula: str) -> list[Any]:
    """Arguments of an example: sample tables by name, texts in quotation marks, numbers."""
    inside = formula[formula.index("(") + 1 : formula.rindex(")")]
    words = [w.strip() for w in inside.split(", ")] if inside else []
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].count('"') % 2:
            joined[-1] += ", " + word
        else:
            joined.append(word)
    return [
        SAMPLES[w] if w in SAMPLES else w.strip('"') if w.startswith('"') else float(w)
        for w in joined
    ]


def test_a_hundred_thousand_rows_and_a_whole_column() -> None:
    header, *rows = HOLDINGS
    many = [header, *(rows * 25_000)]
    result = call("REBAL_STATUS", (many, TARGETS, "5pp"))
    assert result == "1 of 3 classes outside its band: Real Estate -5.53 pp"
    column = [["VTI"], *([None] for _ in range(1_048_575))]
    assert call("REBAL_ASSETCLASS", (column,)) == "Stocks/US"


def test_only_floats_texts_and_blanks_leave() -> None:
    for case in GOOD:
        result = call(case.function, case.arguments)
        cells = [c for row in result for c in row] if isinstance(result, list) else [result]
        assert {type(cell) for cell in cells} <= {float, str, type(None)}


def test_a_declaration_that_hosts_could_not_carry_is_refused() -> None:
    def declare(**changes: Any) -> None:
        parts: dict[str, Any] = {
            "arguments": (Argument(name="value", help="x"),),
            "returns": Returns.CELL,
            "description": "x",
            "example": Example(formula="=REBAL_X(1)", result="1"),
        } | changes

        def body(value: Any) -> Any:
            """One line."""
            return value

        registry.worksheet_function("REBAL_X", **parts)(body)

    for arguments in (
        (Argument(name="date", help="x"),),
        (Argument(name="value", help="x" * 256),),
        (Argument(name="value", help="x"), Argument(name="more", help="x")),
    ):
        with pytest.raises(ValueError, match="REBAL_X"):
            declare(arguments=arguments)
