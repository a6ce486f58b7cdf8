"""Help as the function wizard and IntelliSense show it: 255 characters at most, whole sentences."""

from __future__ import annotations

import re

from xl_rebal.excel.registry import Argument, Function

LONGEST = 255
_NOTE = "Made from xl_rebal/excel/{source}.py by xl_rebal.excel.generate; changes here are lost."


def note(name: str) -> str:
    """The line that says what a generated file was made from."""
    ribbon = name in {"RebalRibbon.bas", "customUI14.xml"}
    return _NOTE.format(source="ribbon" if ribbon else "registry")


def function_help(function: Function) -> str:
    """The summary and as many sentences of the description as fit."""
    return _fitting([function.summary, *_sentences(function.description)])


def argument_help(argument: Argument) -> str:
    """The argument's help, that it is optional, and which table stands in for it."""
    text = argument.help
    if argument.optional and len(text) + len("Optional. ") <= LONGEST:
        text = f"Optional. {text}"
    if not argument.table:
        return text
    when = "if there is one" if argument.optional else "when left out"
    return _fitting([text, f"{argument.table} of the workbook stands in {when}."])


def argument_label(argument: Argument) -> str:
    """`[policy]` for an optional argument, as in the signature."""
    return f"[{argument.name}]" if argument.optional else argument.name


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?]) +", " ".join(text.split()))


def _fitting(sentences: list[str]) -> str:
    """The first sentence, and those after it for as long as they fit."""
    text = " ".join(sentences[0].split())
    for sentence in sentences[1:]:
        longer = f"{text} {sentence}"
        if len(longer) > LONGEST:
            break
        text = longer
    return text
