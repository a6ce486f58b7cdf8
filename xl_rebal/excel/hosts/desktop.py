"""Desktop Excel on Windows: the module that xlwings serves, every function made from the registry.

The add-in's VBA (`vba/RebalFunctions.bas`, generated) calls `rebal_drift` and its sisters here by name.
Only the BSD part of xlwings is used. Elsewhere than on Windows the module imports, and xlwings' marks
do nothing.

What pywin32 delivers, and what `xl_rebal.excel.ranges` wants:

    Excel               pywin32                     ranges
    left out, blank     missing, None               None
    number, currency    float, Decimal              float
    date                pywintypes time, with zone  datetime without zone
    error value         int, 0x800A0000 + number    CellError
    array, range        tuple, or tuple of tuples   rows of cells
"""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import xlwings

from xl_rebal.excel import registry
from xl_rebal.excel.cache import Results
from xl_rebal.excel.ranges import CellError
from xl_rebal.excel.registry import Function

_ERROR_BASE = -0x7FF60000  # COM's number of an error value less Excel's own number, which follows
_ERRORS = {
    2000: "#NULL!",
    2007: "#DIV/0!",
    2015: "#VALUE!",
    2023: "#REF!",
    2029: "#NAME?",
    2036: "#NUM!",
    2042: "#N/A",
    2043: "#GETTING_DATA",
    2045: "#SPILL!",
    2046: "#CONNECT!",
    2047: "#BLOCKED!",
    2048: "#UNKNOWN!",
    2049: "#FIELD!",
    2050: "#CALC!",
    2051: "#BUSY!",
}
_ERROR_NUMBERS = range(2000, 2300)
_KEPT = Results()


class Cells:
    """How xlwings reads an argument of ours, named as its converter.

    xlwings' own reader makes blanks of error values it knows and leaves newer ones (#SPILL!, #CALC!)
    as large negative numbers, which then could be taken for a price.
    """

    @staticmethod
    def reader(options: Any) -> Callable[[Any], None]:
        """The one stage of the reading pipeline."""
        del options
        return _read


def _read(context: Any) -> None:
    """Replace the raw value of a conversion by rows of cells; None for nothing."""
    if context.range is not None:
        context.value = cells_of(context.range)
    else:
        raw = rows(context.value)
        context.value = [[cell(c) for c in row] for row in raw] if raw else None


def cells_of(source: Any) -> list[list[Any]] | None:
    """The cells of an xlwings range on Windows, as rows; None for one blank cell."""
    raw = rows(source.raw_value)
    if raw and any(type(c) is Decimal for row in raw for c in row):
        # In a cell with a currency format, Value is cut to four decimals; Value2 is not.
        exact = rows(source.api.Value2) or raw
        raw = [
            tuple(e if type(c) is Decimal else c for c, e in zip(*pair, strict=True))
            for pair in zip(raw, exact, strict=True)
        ]
    return [[cell(c) for c in row] for row in raw] if raw else None


def rows(raw: Any) -> list[tuple[Any, ...]] | None:
    """Raw rows of what came over COM: an array of one dimension is a row, as in `{1,2,3}`."""
    if raw is None:
        return None
    if not isinstance(raw, tuple):
        return [(raw,)]
    if raw and isinstance(raw[0], tuple):
        return list(raw)
    return [raw]


def cell(raw: Any) -> Any:
    """One cell as `xl_rebal.excel.ranges` wants it."""
    if raw is None or isinstance(raw, (float, str, bool)):
        return raw
    if isinstance(raw, dt.datetime):  # pywintypes' time is a child of datetime that says UTC
        return dt.datetime.combine(raw.date(), raw.time())
    if isinstance(raw, int):
        number = raw - _ERROR_BASE
        if number in _ERROR_NUMBERS:
            return CellError(_ERRORS.get(number, f"error {number}"))
    return float(raw)  # int and Decimal; numbers are floats in every host


def answer(function: Function, arguments: tuple[Any, ...]) -> Any:
    """What the cell shows; an expensive result comes from memory when its inputs came before.

    Excel asks again more often than inputs change: with every recalculation where a table stands in for
    an argument, with every row sorted or filtered, and once for each cell that holds the same formula.
    """
    if not function.expensive:
        return registry.call(function.name, arguments)
    return _KEPT.shown(function, arguments)


def served(function: Function) -> Callable[..., Any]:
    """The Python function behind a worksheet function, marked for xlwings.

    It carries a signature (xlwings reads one) and no annotations (xlwings takes those for converters).
    """

    def call(*arguments: Any) -> Any:
        return answer(function, arguments)

    call.__name__ = call.__qualname__ = function.python_name
    call.__doc__ = function.summary
    call.__annotations__ = {}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(a.name, kind, default=None) for a in function.arguments]
    vars(call)["__signature__"] = inspect.Signature(parameters)
    marked = xlwings.func(category=registry.CATEGORY, call_in_wizard=False)(call)
    for argument in function.arguments:
        marked = xlwings.arg(argument.name, convert=Cells, doc=argument.help)(marked)
    return marked


globals().update({each.python_name: served(each) for each in registry.functions()})
