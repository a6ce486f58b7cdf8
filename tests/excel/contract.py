"""One contract for all hosts: what a host shows is what the registry gives when it is called directly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from xl_rebal.excel import registry


def assert_same_as_direct(shown: Any, function: str, arguments: Sequence[Any]) -> None:
    """Texts equal, numbers to 1e-12, and the same shape; a blank may be None or an empty text."""
    expected = shape(registry.call(function, arguments))
    found = shape(shown)
    assert [len(row) for row in found] == [len(row) for row in expected]
    for row, (got, wanted) in enumerate(zip(found, expected, strict=True), start=1):
        for column, pair in enumerate(zip(got, wanted, strict=True), start=1):
            _assert_same_cell(*pair, where=f"{function}, result row {row}, column {column}")


def shape(result: Any) -> list[list[Any]]:
    """Rows of cells; hosts give one cell as a scalar and one row as a flat sequence."""
    if not isinstance(result, (list, tuple)):
        return [[result]]
    if result and not isinstance(result[0], (list, tuple)):
        return [list(result)]
    return [list(row) for row in result]


def _assert_same_cell(got: Any, wanted: Any, *, where: str) -> None:
    if isinstance(wanted, float):
        assert isinstance(got, (int, float)), f"{where}: {got!r} is no number"
        assert not isinstance(got, bool), f"{where}: {got!r} is no number"
        assert got == pytest.approx(wanted, rel=1e-12, abs=1e-12), where
    else:
        assert (got or "") == (wanted or ""), where
