"""Every module of the built add-in compiled by LibreOffice, as Windows sees it and as the Mac does.

LibreOffice compiles a whole module before it runs any of it, so a module is sound when a function that was
added at its end answers. Conditional compilation is resolved first (LibreOffice has none), and
IRibbonControl is an Object (it knows no ribbon). The procedures that read files run here for real.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests import libreoffice
from tests.excel import built
from tests.excel.vba_run import compiled_for, module_sources, procedures

# Document modules, of which LibreOffice makes its own; and Tim Hall's class, which it does not compile and
# the build takes over byte for byte (its hash is pinned in xlwings_code.py).
_SKIPPED = {"ThisWorkbook", "Sheet2", "Dictionary"}
_SENTINEL = 42


def _code(source: str) -> str:
    """A module without its comments and texts."""
    lines = (re.sub(r'"(?:[^"]|"")*"', '""', line) for line in source.split("\n"))
    return "\n".join(line.partition("'")[0] for line in lines)


def test_every_name_of_ours_exists_once() -> None:
    """What Excel's compiler finds and LibreOffice does not: names unknown, twice, or a module's."""
    sources = module_sources(built.addin())
    defined: dict[str, list[str]] = {}
    public: list[str] = []
    for module, source in sources.items():
        for name in procedures(source) + re.findall(r"Const (\w+) As", source):
            defined.setdefault(name.casefold(), []).append(module)
        if not _is_class(source):
            public += re.findall(r"^(?:Public )?(?:Function|Sub) (\w+)", source, flags=re.MULTILINE)
            public += re.findall(r"^Public Const (\w+)", source, flags=re.MULTILINE)
    modules = {name.casefold() for name in sources}
    assert not modules & set(defined), "a procedure may not be called as a module"
    seen = [name.casefold() for name in public]
    assert sorted(name for name in seen if seen.count(name) > 1) == []
    for module, source in sources.items():
        used = {n.casefold() for n in re.findall(r"\bRebal\w+", _code(source))}
        assert sorted(used - set(defined) - modules) == [], module
        own = {n for n, places in defined.items() if module in places}
        private = {
            n.casefold()
            for other, text in sources.items()
            if other != module
            for n in re.findall(r"^Private (?:Function|Sub|Const) (\w+)", text, flags=re.MULTILINE)
        }
        reachable = {n.casefold() for n in public} | own | modules
        assert sorted((used & private) - reachable) == [], (
            f"{module} uses what is private elsewhere"
        )


def _standing_alone(source: str, *, mac: bool) -> str:
    body = "\n".join(
        line for line in compiled_for(source, mac=mac).split("\n") if "Attribute " not in line[:10]
    )
    kind = "Option ClassModule\n" if _is_class(source) else ""
    return f"Option VBASupport 1\n{kind}{body.replace('IRibbonControl', 'Object')}"


def _is_class(source: str) -> bool:
    return "Attribute VB_Base" in source


def _document(name: str, source: str, *, mac: bool, broken: bool = False) -> dict[str, Any]:
    more = f"Public Function Sentinel{name}() As Long\n    Sentinel{name} = {_SENTINEL}\nEnd Function\n"
    if broken:
        more = "Public Sub Broken()\n    If Then\nEnd Sub\n" + more
    alone = re.sub(r'(?<!")\boutput\b(?!")', "output_", _standing_alone(source, mac=mac))
    modules = {name: f"{alone}\n{more}"}  # `output` is a word of LibreOffice's own Basic only
    made = f"Set made = New {name}\n    Asked = made.Sentinel{name}()"
    call = made if _is_class(source) else f"Asked = Sentinel{name}()"
    modules["Asking"] = (
        "Option VBASupport 1\nPublic Function Asked() As Long\n    Dim made As Object\n"
        f"    {call}\nEnd Function\n"
    )
    return {"cells": [], "modules": modules, "calls": ["Asking.Asked"]}


def _asked(soffice: str, folder: Path, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    asked = folder / "asked.json"
    asked.write_text(json.dumps(documents), encoding="utf-8")
    worker = Path(__file__).with_name("basic_worker.py")
    python = libreoffice.find_uno_python()
    command = [python, str(worker), soffice, str(folder / "profile"), str(asked)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_every_module_compiles(soffice: str, tmp_path: Path) -> None:
    sources = {n: s for n, s in module_sources(built.addin()).items() if n not in _SKIPPED}
    cases = [(name, mac) for name in sources for mac in (False, True)]
    documents = [_document(name, sources[name], mac=mac) for name, mac in cases]
    documents += [_document(name, sources[name], mac=False, broken=True) for name in sources]
    found = [each["Asking.Asked"] for each in _asked(soffice, tmp_path, documents)]
    failed = [case for case, got in zip(cases, found, strict=False) if got != _SENTINEL]
    assert failed == []
    fooled = [
        name for name, got in zip(sources, found[len(cases) :], strict=True) if got == _SENTINEL
    ]
    assert fooled == [], "a module with a fault in it must not answer"


def test_the_files_of_settings_and_the_log_are_read(soffice: str, tmp_path: Path) -> None:
    settings, log = tmp_path / "xl_rebal.conf", tmp_path / "log.txt"
    settings.write_text(
        '"INTERPRETER_WIN","C:\\a b\\python.exe"\n"PYTHONPATH","C:\\x;D:\\y"\n"Show Console","True"\n'
    )
    log.write_text("Traceback\nValueError\n")
    source = module_sources(built.addin())["RebalXlwings"]
    asking = f"""Option VBASupport 1
Public Function Settings() As String
    Dim made As Object, key As Variant, found As String
    Set made = New RebalXlwings
    For Each key In Array("INTERPRETER_WIN", "PYTHONPATH", "SHOW CONSOLE", "OTHER")
        found = "-"
        If made.GetConfigFromFile("{settings}", CStr(key), found) Then Settings = Settings & "+"
        Settings = Settings & found & "|"
    Next key
End Function
Public Function Folder() As String
    Dim made As Object
    Set made = New RebalXlwings
    Folder = made.ParentFolder("C:\\py\\python.exe") & "|"
    Folder = Folder & made.FileExists("{log}") & made.FileExists("{log}x")
End Function
"""
    document = {
        "cells": [],
        "modules": {"RebalXlwings": _standing_alone(source, mac=False), "Asking": asking},
        "calls": ["Asking.Settings", "Asking.Folder"],
    }
    (found,) = _asked(soffice, tmp_path, [document])
    assert found["Asking.Settings"] == "+C:\\a b\\python.exe|+C:\\x;D:\\y|+True|-|"
    assert found["Asking.Folder"] == "C:\\py|TrueFalse"


def test_any_letter_becomes_hexadecimal(soffice: str, tmp_path: Path) -> None:
    """The code units above U+7FFF, which AscW gives as negative numbers, and pairs of them."""
    text = "aé€日本￥\ufffd😀"
    units = text.encode("utf-16-be")
    spelt = " & ".join(
        f"ChrW({int.from_bytes(units[i : i + 2], 'big')})" for i in range(0, len(units), 2)
    )
    source = module_sources(built.addin())["RebalText"]
    document = {
        "cells": [],
        "modules": {
            "RebalText": _standing_alone(source, mac=False),
            "Asking": "Option VBASupport 1\nPublic Function Spelt() As String\n"
            f"    Spelt = RebalHex({spelt})\nEnd Function\n",
        },
        "calls": ["Asking.Spelt"],
    }
    (found,) = _asked(soffice, tmp_path, [document])
    assert found["Asking.Spelt"] == units.hex().upper()
