"""Mending formulas against a second, plain implementation, for formulas that nobody thought of."""

from __future__ import annotations

import re
from functools import lru_cache

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.excel.vba_excel import project
from tests.excel.vba_run import Project

_PARTS = [
    r"'C:\Users\bob\xl_rebal.xlam'!REBAL_DRIFT(",
    r"'C:\o''neil\XL_Rebal.xlam'!rebal_cost(",
    "'https://x.com/a b/xl_rebal.xlam'!REBAL_TRADES(",
    "xl_rebal.xlam!REBAL_VERSION()",
    "my_xl_rebal.xlam!REBAL_VERSION()",
    r"'C:\a\xl_rebal.xlam'!OTHER(",
    r"'C:\a\[xl_rebal.xlam]conf'!A1",
    "'My sheet'!A1",
    '"xl_rebal.xlam!REBAL_"',
    '"it""s"',
    "''''",
    "REBAL_DRIFT(",
    "tblHoldings[#All]",
    *"+-*/^&=<>(),;{}! ",
    "'",
    '"',
    "A1",
    "1.5",
    "é",
]
_TOKENS = re.compile(
    r""""(?:[^"]|"")*(?:"|\Z)            # a text
    |'(?:[^']|'')*(?:'|\Z)               # a quoted name or path
    |[^ +\-*/^&=<>(),;:{}!@#%"'\[\]]+    # a word
    |.                                   # a sign""",
    re.VERBOSE | re.DOTALL,
)


def _mended(formula: str) -> str:
    """The same by tokens: drop a token that names our add-in, and its "!", before one of our functions."""
    tokens = _TOKENS.findall(formula)
    kept: list[str] = []
    skip = False
    for place, token in enumerate(tokens):
        if skip:
            skip = False
            continue
        rest = "".join(tokens[place + 1 :]).upper()
        name = token
        if token.startswith("'"):
            name = re.split(r"[\\/:]", token[1:-1].replace("''", "'"))[-1]
        if name.lower() == "xl_rebal.xlam" and rest.startswith("!REBAL_"):
            skip = True
            continue
        kept.append(token)
    return "".join(kept)


@lru_cache(maxsize=1)
def _project() -> Project:
    return project()


@settings(max_examples=60)
@given(st.lists(st.sampled_from(_PARTS), max_size=8).map("".join))
def test_mending_is_what_a_second_implementation_does(formula: str) -> None:
    assert _project().run("RebalWithoutPath", formula) == _mended(formula)


@settings(max_examples=60)
@given(
    st.text(alphabet=st.characters(max_codepoint=0x7FFF, exclude_categories=["Cs"]), max_size=12)
)
def test_hexadecimal_spells_the_text(text: str) -> None:
    """Up to U+7FFF; the interpreter has no AscW above. LibreOffice shows the rest (test_addin_compiles)."""
    assert bytes.fromhex(_project().run("RebalHex", text)).decode("utf-16-be") == text
