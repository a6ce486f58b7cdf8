"""One registry of worksheet functions. A host asks it for names, help and results, and adds nothing.

A function is declared once, with `worksheet_function`; the VBA wrappers, the wizard's help, the Calc
add-in and the reference page are generated from what stands here.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from xl_rebal.errors import RebalError
from xl_rebal.excel.functions import MODULES

PREFIX = "#REBAL! "
CATEGORY = "xl_rebal"
# Excel keeps at most 32,767 characters in a cell.
_LONGEST = 32_000

Cell = float | int | str | bool | None
Grid = list[list[Any]]
Body = Callable[..., Any]


class Returns(StrEnum):
    """What a function gives back: one cell, or a table that spills with its headers."""

    CELL = "cell"
    TABLE = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument.

    name      lower case, a letter first; not a word that VBA reserves.
    help      one sentence for the function wizard (255 characters at most).
    optional  may be left out or blank.
    table     the workbook's table that stands in when the argument is left out, or "".
    """

    name: str
    help: str
    optional: bool = False
    table: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A call that the reference page shows and a test evaluates.

    formula  as typed, with names from the page's sample tables.
    result   what its first cell (of a table: the first cell below the header of `column`) shows.
    """

    formula: str
    result: str
    column: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One worksheet function as every host sees it.

    expensive  takes long enough for a host to keep its results (see `xl_rebal.excel.cache`).
    """

    name: str
    arguments: tuple[Argument, ...]
    returns: Returns
    summary: str
    description: str
    example: Example
    body: Body
    expensive: bool = False

    @property
    def python_name(self) -> str:
        """`rebal_drift`."""
        return self.name.lower()

    @property
    def signature(self) -> str:
        """`REBAL_DRIFT(holdings, targets, [policy])`."""
        words = [f"[{a.name}]" if a.optional else a.name for a in self.arguments]
        return f"{self.name}({', '.join(words)})"


_FUNCTIONS: dict[str, Function] = {}


def worksheet_function(
    name: str,
    *,
    arguments: Sequence[Argument],
    returns: Returns,
    description: str,
    example: Example,
    expensive: bool = False,
) -> Callable[[Body], Body]:
    """Declare a worksheet function; the first line of the body's docstring is its summary."""

    def declare(body: Body) -> Body:
        function = Function(
            name=name,
            arguments=tuple(arguments),
            returns=returns,
            summary=(inspect.getdoc(body) or "").partition("\n")[0],
            description=description,
            example=example,
            body=body,
            expensive=expensive,
        )
        _check(function)
        _FUNCTIONS[name] = function
        return body

    return declare


# Names that cannot be a VBA parameter, or shadow what a wrapper uses.
_RESERVED = frozenset(
    "input open close write currency paramarray resume call erase name line lock seek width "
    "and array as boolean byref byte byval call case const date declare dim do double each else "
    "end error exit false for function get if in integer is let like long loop me mod name new "
    "next not nothing null object on optional or print private public put return select set "
    "single spc step stop string sub tab then time to true type until variant wend while with xor".split()
)


def _check(function: Function) -> None:
    problems = []
    if not function.name.startswith("REBAL_") or function.name in _FUNCTIONS:
        problems.append("needs a name of its own that starts with REBAL_")
    if not function.summary or len(function.summary) > 255:
        problems.append("needs a summary of 255 characters at most")
    names = [argument.name for argument in function.arguments]
    if names != list(inspect.signature(function.body).parameters):
        problems.append(f"declares {names}, its body takes others")
    if len(set(names)) != len(names) or set(names) & _RESERVED:
        problems.append("has an argument name that VBA cannot take")
    optional = [argument.optional for argument in function.arguments]
    if sorted(optional) != optional:
        problems.append("has a required argument after an optional one")
    problems += [f"help of {a.name} is too long" for a in function.arguments if len(a.help) > 255]
    if problems:
        raise ValueError(f"{function.name}: {'; '.join(problems)}")


def functions() -> tuple[Function, ...]:
    """All worksheet functions, in the order of `MODULES` and of their declaration."""
    modules = [importlib.import_module(f"xl_rebal.excel.functions.{m}").__name__ for m in MODULES]
    order = {name: place for place, name in enumerate(modules)}
    return tuple(
        sorted(_FUNCTIONS.values(), key=lambda f: order.get(f.body.__module__, len(order)))
    )


def function(name: str) -> Function:
    """The function of a name; raises KeyError for none."""
    functions()
    return _FUNCTIONS[name.upper()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a cell shows, and whether that is the text of a fault of ours."""

    shown: Grid | Cell
    own_fault: bool = False


def call(name: str, arguments: Sequence[Any]) -> Grid | Cell:
    """What a cell shows: the result, or one text that starts with `#REBAL! `; never an exception.

    arguments  raw values as a host received them, see `xl_rebal.excel.ranges`; omitted ones are None.
    """
    return answer(name, arguments).shown


def answer(name: str, arguments: Sequence[Any]) -> Answer:
    """As `call`, for a host that keeps results: a fault of ours is not worth keeping."""
    wanted = function(name)
    try:
        given = list(arguments) + [None] * (len(wanted.arguments) - len(arguments))
        return Answer(shown=_plain(wanted.body(*given[: len(wanted.arguments)])))
    except RebalError as error:
        return Answer(shown=error_text(error))
    except Exception as error:  # it must show in the cell, in the same words everywhere
        return Answer(shown=own_fault(name, error), own_fault=True)


def own_fault(name: str, error: Exception) -> str:
    """The text of a fault that is ours and not the user's; hosts use it for their conversions too."""
    return error_text(
        RebalError.of(
            where=name,
            what=f"stopped on a fault of its own ({type(error).__name__}: {error})",
            remedy="report it, with the cells that it was given",
        )
    )


def error_text(error: RebalError) -> str:
    """The text of an error in a cell: all faults, in one line."""
    text = PREFIX + " | ".join(str(fault) for fault in error.faults)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _plain(result: Any) -> Grid | Cell:
    """Only floats, texts and blanks leave: hosts treat other types each in its own way."""
    if isinstance(result, list):
        return [[_plain_cell(cell) for cell in row] for row in result]
    return _plain_cell(result)


def _plain_cell(cell: Any) -> Cell:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    number = float(cell)
    return number if number == number and abs(number) != float("inf") else None
