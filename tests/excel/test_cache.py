"""Kept results: found again only for the very same inputs, bounded, never a fault of ours."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.excel.fake_windows import Call, run
from tests.excel.matrix import HOLDINGS, TARGETS
from xl_rebal.errors import TableError
from xl_rebal.excel import cache, registry
from xl_rebal.excel.cache import Results, fingerprint
from xl_rebal.excel.ranges import CellError
from xl_rebal.excel.registry import Argument, Example, Function, Returns

# Inputs that must never be taken for each other.
DIFFERENT: list[Any] = [
    None,
    "",
    " ",
    0.0,
    False,
    True,
    "TRUE",
    1.0,
    "1",
    "1.0",
    "None",
    CellError("#N/A"),
    "#N/A",
    CellError("#REF!"),
    dt.datetime(2026, 1, 1),
    "2026-01-01T00:00:00",
    46023.0,
    [],
    [[]],
    [[None]],
    [None],
    [[1.0], [2.0]],
    [[1.0, 2.0]],
    [1.0, 2.0],
    [["1", "2"]],
    [["12"]],
    [["1", None, "2"]],
]


@pytest.fixture
def counted() -> Iterator[tuple[Function, list[Any]]]:
    """An expensive function that notes each time it is really computed."""
    computed: list[Any] = []

    @registry.worksheet_function(
        "REBAL_COUNTED",
        arguments=(Argument(name="value", help="Anything."),),
        returns=Returns.TABLE,
        description="For this test.",
        example=Example(formula="=REBAL_COUNTED(1)", result="1"),
        expensive=True,
    )
    def rebal_counted(value: Any) -> list[list[Any]]:
        """Counts."""
        computed.append(value)
        if value == "wrong":
            raise TableError.of(where="value", what="is wrong", remedy="give another")
        if value == "fault":
            raise ZeroDivisionError("ours")
        return [["value"], [float(len(computed))]]

    yield registry.function("REBAL_COUNTED"), computed
    del registry._FUNCTIONS["REBAL_COUNTED"]


def test_the_same_inputs_are_computed_once(counted: tuple[Function, list[Any]]) -> None:
    function, computed = counted
    kept = Results()
    first = kept.shown(function, ([["a", 1.0]],))
    assert kept.shown(function, ([["a", 1.0]],)) == first == [["value"], [1.0]]
    assert len(computed) == 1
    assert isinstance(first, list)
    first[1][0] = "spoilt by the host"
    assert kept.shown(function, ([["a", 1.0]],)) == [["value"], [1.0]]


def test_inputs_of_other_types_are_other_inputs(counted: tuple[Function, list[Any]]) -> None:
    function, computed = counted
    kept = Results()
    for value in DIFFERENT * 2:
        kept.shown(function, (value,))
    assert len(computed) == len(DIFFERENT) == len(kept)
    for one, other in itertools.combinations(DIFFERENT, 2):
        assert fingerprint("F", [one]) != fingerprint("F", [other]), (one, other)


def test_the_function_and_its_version_belong_to_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint("REBAL_TRADES", [1.0])
    assert before != fingerprint("REBAL_CASHFLOW", [1.0])
    monkeypatch.setattr(cache, "__version__", "99.0")
    assert before != fingerprint("REBAL_TRADES", [1.0])


_CELLS = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=4)


@given(st.lists(st.lists(_CELLS, max_size=3), max_size=3), st.lists(st.lists(_CELLS, max_size=3)))
def test_equal_keys_mean_equal_inputs(one: list[list[Any]], other: list[list[Any]]) -> None:
    def typed(rows: list[list[Any]]) -> list[list[tuple[str, str]]]:
        return [[(type(cell).__name__, repr(cell)) for cell in row] for row in rows]

    same = typed(one) == typed(other)
    assert (fingerprint("F", [one]) == fingerprint("F", [other])) is same


def test_an_error_of_the_user_is_kept_and_a_fault_of_ours_is_not(
    counted: tuple[Function, list[Any]],
) -> None:
    function, computed = counted
    kept = Results()
    for _ in range(2):
        assert str(kept.shown(function, ("wrong",))).startswith("#REBAL! value: is wrong")
    assert len(computed) == 1
    for _ in range(2):
        assert "fault of its own" in str(kept.shown(function, ("fault",)))
    assert len(computed) == 3


def test_a_value_of_an_unknown_kind_is_computed_and_not_kept(
    counted: tuple[Function, list[Any]],
) -> None:
    function, computed = counted
    kept = Results()
    for _ in range(2):
        kept.shown(function, (object(),))
    assert len(computed) == 2
    assert len(kept) == 0


def test_the_oldest_leaves_when_there_are_too_many(counted: tuple[Function, list[Any]]) -> None:
    function, computed = counted
    kept = Results(most_results=3)
    for value in (1.0, 2.0, 3.0, 1.0, 4.0):  # 2 is now the one not asked for longest
        kept.shown(function, (value,))
    assert len(kept) == 3
    computed.clear()
    for value in (1.0, 3.0, 4.0):
        kept.shown(function, (value,))
    assert computed == []
    kept.shown(function, (2.0,))
    assert computed == [2.0]


def test_results_are_bounded_by_their_cells_too(counted: tuple[Function, list[Any]]) -> None:
    function, _ = counted
    kept = Results(most_cells=5)  # a result has two
    for value in (1.0, 2.0, 3.0):
        kept.shown(function, (value,))
    assert len(kept) == 2
    tiny = Results(most_cells=1)
    tiny.shown(function, (1.0,))
    assert len(tiny) == 0


def test_threads_may_share_it(counted: tuple[Function, list[Any]]) -> None:
    function, _ = counted
    kept = Results(most_results=4)
    wrong: list[Any] = []

    def ask(start: int) -> None:
        for step in range(200):
            shown = kept.shown(function, (float((start + step) % 7),))
            if not (isinstance(shown, list) and shown[0] == ["value"]):
                wrong.append(shown)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(kept) == 4


def test_the_desktop_host_keeps_what_is_expensive_and_only_that() -> None:
    """Through xlwings' own conversions: a second call computes nothing, a changed cell does."""
    expensive = {function.name for function in registry.functions() if function.expensive}
    words = "TRADES CASHFLOW NETBENEFIT BACKTEST COMPARE OPTIMAL_BAND HOUSEHOLD BOOK"
    assert expensive == {f"REBAL_{word}" for word in words.split()}
    changed = [row[:] for row in HOLDINGS]
    changed[1][1] += 1
    calls = [
        Call("REBAL_TRADES", (HOLDINGS, TARGETS)),
        Call("REBAL_TRADES", (HOLDINGS, TARGETS), as_ranges=False),
        Call("REBAL_TRADES", (changed, TARGETS)),
        Call("REBAL_WEIGHTS", (HOLDINGS,)),
    ]
    printed = run(
        "from tests.excel import fake_windows as f; f.install()\n"
        "import sys, pickle, xl_rebal.excel.registry as r\n"
        "from xl_rebal.excel.hosts import desktop\n"
        "asked, real = [], r.answer\n"
        "def noting(name, given): asked.append(name); return real(name, given)\n"
        "r.answer = noting\n"
        "shown = [f.call_udf(c) for c in pickle.loads(bytes.fromhex(sys.argv[1]))]\n"
        "print(asked, shown[0] == shown[1], shown[0] == shown[2], len(desktop._KEPT))\n",
        _pickled(calls),
    )
    assert printed.strip() == ("['REBAL_TRADES', 'REBAL_TRADES', 'REBAL_WEIGHTS'] True False 2")


def _pickled(calls: list[Call]) -> str:
    import pickle

    return pickle.dumps(calls).hex()
