"""Everything made from the registry: up to date, complete, and text that VBA and XML readers take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.excel import matrix
from xl_rebal.excel import generate, registry
from xl_rebal.excel.addin import build
from xl_rebal.excel.generate import intellisense, samples, vba
from xl_rebal.excel.registry import Argument, Example, Function, Returns

PROJECT = Path(__file__).resolve().parents[2]
MODULES = ("vba/RebalFunctions.bas", "vba/RebalHelp.bas")
RIBBON = {"vba/RebalRibbon.bas", "vba/customUI14.xml"}


@pytest.fixture
def declared() -> Iterator[Function]:
    """A function that is declared here: one declaration, one body."""

    @registry.worksheet_function(
        "REBAL_TWICE",
        arguments=(
            Argument(name="value", help='A number, "typed" or not – as it comes.'),
            Argument(
                name="times", help="How often; 2 when left out.", optional=True, table="tblTimes"
            ),
        ),
        returns=Returns.CELL,
        description="Shows that one declaration is enough. 100 €.",
        example=Example(formula="=REBAL_TWICE(4)", result="8"),
    )
    def rebal_twice(value: Any, times: Any) -> float:
        """A number times two."""
        return float(value or 0) * float(times or 2)

    yield registry.function("REBAL_TWICE")
    del registry._FUNCTIONS["REBAL_TWICE"]


def test_the_committed_files_are_up_to_date() -> None:
    stale = generate.write_all(PROJECT, check=True)
    assert not stale, (
        "made from the registry and out of date: run xl_rebal.excel.generate.write_all"
    )


def test_files_are_written_once_and_checking_writes_nothing(tmp_path: Path) -> None:
    names = sorted(generate.rendered())
    assert generate.write_all(tmp_path, check=True) == names
    assert list(tmp_path.iterdir()) == []
    assert generate.write_all(tmp_path, check=False) == names
    assert generate.write_all(tmp_path, check=False) == []
    (tmp_path / names[0]).write_text("changed by hand")
    assert generate.write_all(tmp_path, check=True) == names[:1]
    assert (tmp_path / names[0]).read_text() == "changed by hand"


def test_a_new_function_is_in_everything(declared: Function) -> None:
    files = {name: data.decode() for name, data in generate.rendered().items()}
    made = {*MODULES, "docs/function-reference.md", "vba/xl_rebal.intellisense.xml"}
    assert set(files) == made | RIBBON
    for name in made:
        assert "REBAL_TWICE" in files[name], name
    wrapper = files[MODULES[0]].replace("\r\n", "\n").partition("Public Function REBAL_TWICE(")[2]
    assert (
        'RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_twice", Array( _\n'
        in wrapper
    )
    assert 'RebalArgument("times", "tblTimes", False, times)))' in wrapper
    assert '"A number, ""typed"" or not " & ChrW(8211) & " as it comes."' in files[MODULES[1]]
    assert "## REBAL_TWICE\n\n`REBAL_TWICE(value, [times])`" in files["docs/function-reference.md"]
    assert "`=REBAL_TWICE(4)` shows\n\n> 8\n" in files["docs/function-reference.md"]
    assert_vba_is_sound(files[MODULES[0]])
    assert_vba_is_sound(files[MODULES[1]])
    argument = _parse(files["vba/xl_rebal.intellisense.xml"])["REBAL_TWICE"][0]
    assert argument == ("value", 'A number, "typed" or not – as it comes.')


def test_the_function_of_the_test_is_gone() -> None:
    assert "REBAL_TWICE" not in {function.name for function in registry.functions()}


@pytest.mark.parametrize("name", [f"vba/{name}.bas" for name in build.STANDARD_MODULES])
def test_the_vba_is_sound(name: str) -> None:
    data = (PROJECT / name).read_bytes()
    assert data.isascii()
    assert data.count(b"\n") == data.count(b"\r\n")
    assert data.endswith(b"\r\n")
    assert_vba_is_sound(data.decode("ascii"))


def assert_vba_is_sound(text: str) -> None:
    """What a compiler would refuse first: VBA cannot be compiled where Excel is not."""
    lines = text.split("\r\n")
    assert lines[0].startswith("Attribute VB_Name = ")
    assert "Option Explicit" in lines
    assert max(map(len, lines)) <= 1023
    opened: list[str] = []
    continued = 0
    for line in lines:
        continued = continued + 1 if line.endswith(" _") else 0
        assert continued <= 24
        code = re.sub(r'"(?:[^"]|"")*"', '""', line).partition("'")[0].rstrip()
        assert code.count('"') % 2 == 0, line
        opened += re.findall(r"^(?:Public|Private) (Function|Sub)\b", code)
        if end := re.match(r"End (Function|Sub)$", code):
            assert opened.pop() == end[1], line
    assert not opened
    whole = re.sub(
        r'"(?:[^"]|"")*"', '""', "\n".join(x for x in lines if not x.lstrip().startswith("'"))
    )
    for statement in whole.replace(" _\n", " ").split("\n"):
        assert statement.count("(") == statement.count(")"), statement


def test_every_function_has_a_wrapper_that_leaves_no_error_uncaught() -> None:
    text = (PROJECT / MODULES[0]).read_text(encoding="ascii")
    wrappers = re.findall(
        r"^Public Function (\w+)\((.*?)^End Function", text, re.MULTILINE | re.DOTALL
    )
    assert [name for name, _ in wrappers] == [function.name for function in registry.functions()]
    for name, body in wrappers:
        lines = [line.strip() for line in body.splitlines()]
        order = [
            lines.index("If RebalInWizard() Then Exit Function"),
            lines.index("On Error GoTo failed"),
            next(
                i
                for i, line in enumerate(lines)
                if line.startswith(f"{name} = RebalHost.Python.CallUDF(")
            ),
            lines.index("Exit Function"),
            lines.index("failed:"),
            lines.index(f"{name} = RebalFailure(Err.Description)"),
        ]
        assert order == sorted(order)
    assert "ActiveWorkbook," not in text, "a workbook given to xlwings is searched for code"
    assert f'"{registry.PREFIX}"' in text


def test_help_fits_the_wizard() -> None:
    text = (PROJECT / MODULES[1]).read_text(encoding="ascii")
    texts = [match.replace('""', '"') for match in re.findall(r'"((?:[^"]|"")*)"', text)]
    assert max(map(len, texts)) <= 255
    for function in registry.functions():
        assert f'RebalDescribe "{function.name}", ' in text
        assert function.summary in text.replace('""', '"')
    entries = _parse((PROJECT / "vba/xl_rebal.intellisense.xml").read_text(encoding="utf-8"))
    assert list(entries) == [function.name for function in registry.functions()]
    assert all(len(help_text) <= 255 for listed in entries.values() for _, help_text in listed)


def _parse(text: str) -> dict[str, list[tuple[str, str]]]:
    space = {"i": intellisense.NAMESPACE}
    root = ET.fromstring(text)
    assert root.tag == f"{{{intellisense.NAMESPACE}}}IntelliSense"
    return {
        entry.attrib["Name"]: [
            (a.attrib["Name"], a.attrib["Description"]) for a in entry.findall("i:Argument", space)
        ]
        for entry in root.findall("i:FunctionInfo/i:Function", space)
    }


def test_a_name_that_the_wrapper_uses_is_refused(declared: Function) -> None:
    bad = Argument(name="err", help="x")
    function = Function(
        name="REBAL_BAD",
        arguments=(bad,),
        returns=Returns.CELL,
        summary="x",
        description="x",
        example=declared.example,
        body=declared.body,
    )
    with pytest.raises(ValueError, match="err"):
        vba.wrappers([function])


def test_vba_literals() -> None:
    assert vba.literal("") == '""'
    assert vba.literal('say "x"') == '"say ""x"""'
    assert vba.literal("€ 5\n") == 'ChrW(8364) & " 5" & ChrW(10)'
    assert vba.literal("\U0001f4c8") == "ChrW(55357) & ChrW(56520)"


def test_the_page_uses_the_tables_of_the_tests_and_its_examples_are_true() -> None:
    assert samples.TABLES == {
        "tblHoldings": matrix.HOLDINGS,
        "tblTargets": matrix.TARGETS,
        "tblTrades": matrix.TRADES,
        "tblVolatilities": matrix.VOLATILITIES,
        "tblPrices": matrix.HISTORY,
        "tblLots": matrix.LOTS,
        "tblSecurities": matrix.SECURITIES,
        "tblHistory": matrix.TRADE_HISTORY,
        "tblGains": matrix.GAINS,
        "tblTaxProfile": matrix.TAX_PROFILE,
        "tblAccounts": matrix.ACCOUNTS,
        "tblHouseholdLots": matrix.HOUSEHOLD_LOTS,
        "tblHouseholdSecurities": matrix.HOUSEHOLD_SECURITIES,
        "tblBookAccounts": matrix.BOOK_ACCOUNTS,
        "tblBookHoldings": matrix.BOOK_HOLDINGS,
        "tblModels": matrix.MODELS,
        "tblBookTrades": matrix.BOOK_TRADES,
    }
    page = (PROJECT / "docs/function-reference.md").read_text(encoding="utf-8")
    for function in registry.functions():
        section = page.partition(f"\n## {function.name}\n")[2].partition("\n## ")[0]
        assert f"`{function.signature}`" in section
        assert f"`{function.example.formula}`" in section
        assert function.example.result in section
        assert all(argument.help in section for argument in function.arguments)
    assert page.count(f"`{registry.PREFIX}") > 15, "error texts are shown"
