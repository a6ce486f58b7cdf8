"""The VBA of the worksheet functions: one wrapper each, and their help in Excel's function wizard.

VBA source is text in the machine's code page with CRLF line ends, so it is kept to ASCII. The parts
that are the same for every set of functions stand in `templates/`.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files

from xl_rebal.excel.generate.help_texts import argument_help, function_help, note
from xl_rebal.excel.registry import CATEGORY, PREFIX, Function

HOST = "xl_rebal.excel.hosts.desktop"
_CONTINUATIONS = 24  # VBA takes no more in one statement
_LONGEST_LINE = 1023
# Names that a wrapper uses; VBA does not tell upper from lower case.
_USED = frozenset("array err rebalhost failed rebalargument rebalfailure rebalinwizard".split())


def wrappers(functions: Iterable[Function]) -> str:
    """`RebalFunctions.bas`: what Excel finds when a cell says `=REBAL_DRIFT(...)`."""
    blocks = [template("RebalFunctions.bas"), *(_wrapper(function) for function in functions)]
    return module("\n".join(blocks))


def help_texts(functions: Iterable[Function]) -> str:
    """`RebalHelp.bas`: category, description and argument help of every function."""
    calls = "\n".join(_described(function) for function in functions)
    return module(template("RebalHelp.bas").replace("    ' CALLS", calls))


def literal(text: str) -> str:
    """A VBA expression for a text: quotes doubled, other than printable ASCII by its number."""
    parts: list[str] = []
    for character in text:
        if character.isascii() and character.isprintable():
            if not parts or not parts[-1].startswith('"'):
                parts.append('"')
            parts[-1] += '""' if character == '"' else character
        else:
            units = character.encode("utf-16-le")
            numbers = [int.from_bytes(units[i : i + 2], "little") for i in range(0, len(units), 2)]
            parts += [f"ChrW({number})" for number in numbers]
    return " & ".join(p + '"' if p.startswith('"') else p for p in parts) or '""'


def _wrapper(function: Function) -> str:
    """Every argument may be left out: Python says what is missing, in the words of all hosts."""
    names = [argument.name for argument in function.arguments]
    if taken := {name.casefold() for name in names} & _USED:
        raise ValueError(f"{function.name}: {sorted(taken)} would hide what its VBA wrapper uses")
    given = [
        f"RebalArgument({literal(a.name)}, {literal(a.table)}, {not a.optional}, {a.name})"
        for a in function.arguments
    ]
    return "\n".join(
        [
            _continued(
                f"Public Function {function.name}(",
                [f"Optional {name} As Variant" for name in names],
                ") As Variant",
            ),
            f"    ' {_ascii(function.summary)}",
            "    If RebalInWizard() Then Exit Function",
            "    On Error GoTo failed",
            _continued(
                f'    {function.name} = RebalHost.Python.CallUDF("{HOST}", "{function.python_name}", Array(',
                given,
                "))",
            ),
            "    Exit Function",
            "failed:",
            f"    {function.name} = RebalFailure(Err.Description)",
            "End Function",
            "",
        ]
    )


def _described(function: Function) -> str:
    helps = [literal(argument_help(argument)) for argument in function.arguments]
    about = f"{literal(function.name)}, {literal(function_help(function))}"
    return _continued(f"    RebalDescribe {about}, Array(", helps, ")")


def _continued(start: str, items: list[str], end: str) -> str:
    """One statement, an item a line; refused where VBA would not take it."""
    if not items:
        return start + end
    if len(items) > _CONTINUATIONS:
        raise ValueError(f"{start.strip()}: VBA takes {_CONTINUATIONS} lines in a statement")
    lines = [
        f"{start} _",
        *(f"        {item}, _" for item in items[:-1]),
        f"        {items[-1]}{end}",
    ]
    return "\n".join(lines)


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode("ascii")


def template(name: str) -> str:
    """A module's fixed text, its places for note, prefix and category filled."""
    text = files("xl_rebal.excel.generate").joinpath("templates", name).read_text("utf-8")
    return (
        text.replace("' NOTE", f"' {note(name)}")
        .replace('"PREFIX"', literal(PREFIX))
        .replace('"CATEGORY"', literal(CATEGORY))
    )


def module(text: str) -> str:
    """Text as VBA takes it: CRLF, ASCII, no line too long."""
    lines = text.rstrip("\n").split("\n")
    for line in lines:
        if len(line) > _LONGEST_LINE or not line.isascii():
            raise ValueError(f"VBA does not take this line: {line[:120]}")
    return "\r\n".join(lines) + "\r\n"
