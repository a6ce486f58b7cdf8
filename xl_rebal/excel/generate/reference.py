"""The reference page of the worksheet functions. Its results and error texts are computed here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from xl_rebal.excel import registry
from xl_rebal.excel.generate import samples
from xl_rebal.excel.generate.help_texts import note
from xl_rebal.excel.registry import PREFIX, Argument, Function, Returns

_ROWS = 8  # of a result
_ERRORS = 3

_INTRODUCTION = """\
# Worksheet functions

The same functions, values and error texts in LibreOffice Calc (the extension `xl_rebal.oxt`, see
[calc.md](calc.md) for what Calc cannot pass on) and in desktop Excel (the add-in `xl_rebal.xlam`, see
[addin.md](addin.md); what only a person with Excel can see is listed in
[excel-checklist.md](excel-checklist.md)). All examples on this page use the tables below; their numbers
are invented.

## What holds for all of them

- **Tables in.** A table argument is a range with its headers in the first row. Headers may be in any
  order and in capitals or not; columns that no function knows are ignored, unless they look like a
  slip of the pen. Blank rows below are ignored, and a whole column is read as far as it is filled.
- **A table's name.** In Excel `tblHoldings` in a formula means the rows without the header; the add-in
  takes the header with it, and leaves a totals row out. `tblHoldings[#All]` does the same.
- **Tables out.** A table result spills with its headers; leave the cells below and to the right free,
  and do not put it inside a table. Numbers are numbers, weights and drifts are fractions.
- **Left-out arguments.** Where an argument says which table stands in, that table (or defined name) of
  the calling workbook is used in Excel when the argument is left out: `=REBAL_DRIFT()`. Such a cell is
  computed at every calculation, because Excel cannot see what it depends on; name the tables in large
  workbooks. Hosts that do not know the workbook take the default, or say what is blank.
- **Percent.** In a policy `5%`, `0.05` and `"5pp"` are all 5 percentage points of weight; `"20%rel"` is
  20% of the target. A bare `5` is refused: it has no unit. Targets may be `60%`, `0.6` or a column of
  whole percents that sums to 100.
- **Blank** means left out, never zero. A blank, or an error value such as `#N/A`, where a number is
  needed is an error that names the cell; so are text in a number, `TRUE` or a date as a ticker.
- **Errors** are one text that starts with `#REBAL! ` and says where, what and the remedy, all faults of
  a table at once. Row 1 of a table is its header. A text compares as greater than any number and sums
  as nothing, so guard formulas on results: `=IF(ISNUMBER(E5), E5 > 5%, NA())`.
"""


def page(functions: Iterable[Function]) -> str:
    """The page in Markdown."""
    functions = tuple(functions)
    parts = [
        f"<!-- {note('function-reference.md')} -->",
        _INTRODUCTION,
        "## The functions\n",
        _list(functions),
    ]
    parts.append("## The sample tables\n")
    parts += [f"`{name}`\n\n{_table(rows)}" for name, rows in samples.TABLES.items()]
    parts += [_section(function) for function in functions]
    return "\n".join(parts).rstrip("\n") + "\n"


def _list(functions: Sequence[Function]) -> str:
    rows = [["function", "gives"]]
    rows += [[f"[{f.name}](#{f.python_name})", f.summary] for f in functions]
    return _table(rows)


def _section(function: Function) -> str:
    parts = [
        f"## {function.name}\n",
        f"`{function.signature}`\n",
        f"{function.summary} {function.description}\n",
    ]
    if function.arguments:
        parts.append(
            _table([["argument", "what it is", "left out"], *map(_argument, function.arguments)])
        )
    parts.append(_example(function))
    errors = _errors(function)
    if errors:
        parts.append("Errors:\n")
        parts.append(_table([["when", "the cell shows"], *errors]))
    return "\n".join(parts)


def _argument(argument: Argument) -> list[str]:
    stands_in = f"`{argument.table}`" if argument.table else ""
    if argument.optional:
        left_out = f"{stands_in}, if there is one" if stands_in else "may be left out"
    else:
        left_out = f"{stands_in}, else an error" if stands_in else "an error"
    name = f"[{argument.name}]" if argument.optional else argument.name
    return [f"`{name}`", argument.help, left_out]


def _example(function: Function) -> str:
    """The formula, what it is known to show, and the whole result."""
    example = function.example
    result = registry.call(
        function.name, [samples.value(w) for w in samples.words(example.formula)]
    )
    text = f"`{example.formula}` "
    if not isinstance(result, list):
        return f"{text}shows\n\n> {_cell(result)}\n"
    shown = f"{text}gives"
    if example.column:
        shown += f" (`{example.column}` begins with {example.result})"
    left = len(result) - 1 - _ROWS
    more = f"\nand {left} more rows.\n" if left > 0 else ""
    spare = [] if function.returns is Returns.TABLE else [[""] * len(result[0])]
    return f"{shown}\n\n{_table([*spare, *result[: _ROWS + 1]])}{more}"


def _errors(function: Function) -> list[list[str]]:
    """Faulty calls made from the example, and what they show; at most three of different text."""
    found: dict[str, str] = {}
    for when, arguments in _faulty(function):
        shown = registry.call(function.name, arguments)
        if isinstance(shown, str) and shown.startswith(PREFIX):
            found.setdefault(shown, when)
    return [[when, f"`{text}`"] for text, when in list(found.items())[:_ERRORS]]


def _faulty(function: Function) -> Iterator[tuple[str, list[Any]]]:
    words = samples.words(function.example.formula)
    for index, word in enumerate(words):
        arguments = [samples.value(each) for each in words]
        if word in samples.TABLES:
            column = _column(arguments[index])
            header = arguments[index][0][column]
            row = min(2, len(arguments[index]) - 1)
            arguments[index][row][column] = "120 sh"
            yield f"row {row + 1} of `{word}` says `120 sh` for {header}", arguments
        elif word.startswith('"'):
            arguments[index] = "nonsense"
            typed = [*words[:index], '"nonsense"', *words[index + 1 :]]
            yield f"`={function.name}({', '.join(typed)})`", arguments
    if function.arguments and not function.arguments[0].optional:
        nothing: list[Any] = [None] * len(function.arguments)
        yield f"`={function.name}()`, and no table stands in", nothing


def _column(table: Sequence[Sequence[Any]]) -> int:
    """The first column that holds numbers, else the last."""
    found = (i for i, cell in enumerate(table[1]) if isinstance(cell, float))
    return next(found, len(table[0]) - 1)


def _table(rows: Sequence[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(_cell(c) for c in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]) + "\n"


def _cell(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.6f}".rstrip("0").rstrip(".") if abs(cell) < 1e15 else f"{cell:g}"
    return str(cell).replace("|", "\\|").replace("\n", " ")
