"""A call from Calc: its values to arguments, the registry, and the result to Calc's values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xl_rebal
from xl_rebal.excel import registry
from xl_rebal.excel.hosts.calc import arguments
from xl_rebal.excel.registry import PREFIX, Argument, Cell, Grid, Returns

Shown = float | str
Answer = Shown | tuple[tuple[Shown, ...], ...]


def serve(name: str, values: Sequence[Any], document: Any = None) -> Answer:
    """What a cell shows. Numbers and texts only: of other types Calc makes zeros and #VALUE!.

    values    as Calc handed them over, see `arguments`
    document  the calling document, which knows its number formats and its first date
    """
    try:
        function = registry.function(name)
    except KeyError:
        return _table(
            f"{PREFIX}{name} is not part of xl_rebal {xl_rebal.__version__}; "
            "run xl-rebal install calc, then restart LibreOffice"
        )
    try:
        given = [
            _argument(argument, value, document)
            for argument, value in zip(function.arguments, values, strict=False)
        ]
        result = registry.call(name, given)
    except Exception as error:  # Calc would lose the text and show #VALUE!
        result = registry.own_fault(name, error)
    return _table(result) if function.returns is Returns.TABLE else _cell(result)


def _argument(argument: Argument, value: Any, document: Any) -> Any:
    """One argument. Calc passes a single blank cell as the number 0 where it passes values.

    So 0 counts as left out, where a number is no answer (a text or a table) or may be left out.
    """
    if value == 0.0 and (argument.optional or argument.table):
        return None
    return arguments.read(value, document)


def _cell(result: Grid | Cell) -> Shown:
    cell = result[0][0] if isinstance(result, list) else result
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else float(cell)


def _table(result: Grid | Cell) -> tuple[tuple[Shown, ...], ...]:
    """Rows of one length; a single cell is a table of one."""
    if not isinstance(result, list):
        return ((_cell(result),),)
    width = max((len(row) for row in result), default=0)
    rows = tuple(tuple(map(_cell, row)) + ("",) * (width - len(row)) for row in result)
    return rows if width else (("",),)
