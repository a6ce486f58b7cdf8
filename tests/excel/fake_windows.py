"""A Windows that is enough for xlwings' own conversions: pywin32 as stubs, values as Excel sends them.

`python -m tests.excel.fake_windows CALLS ANSWERS` runs the real `XLPython().CallUDF` of xlwings for a
pickled list of calls; stubs change the process they are put in, so tests start one (`answers`).
What stays unproven is COM itself: how pywin32 packs and unpacks values on a real Windows.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import importlib
import os
import pickle
import subprocess
import sys
import tempfile
import types
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from xl_rebal.excel.ranges import CellError

PROJECT = Path(__file__).resolve().parents[2]
MODULE = "xl_rebal.excel.hosts.desktop"
MISSING = -2147352572  # what pywin32 gives for an argument that VBA left out
RANGE_IID = "{00020846-0000-0000-C000-000000000046}"
ERROR_NUMBERS = {"#DIV/0!": 2007, "#N/A": 2042, "#VALUE!": 2015, "#REF!": 2023, "#CALC!": 2050}


@dataclass(frozen=True)
class Raw:
    """An argument that stays as it is on its way through COM; with `exact` it is a range's Value2."""

    value: Any
    exact: Any = None


@dataclass(frozen=True)
class Call:
    """A call of a wrapper. `as_ranges` sends references to ranges, as a formula does, else values."""

    function: str
    arguments: tuple[Any, ...]
    as_ranges: bool = True


def answers(calls: Sequence[Call]) -> list[Any]:
    """What VBA receives for each call, from a process with the stubs."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder, "calls"), Path(folder, "answers")
        asked.write_bytes(pickle.dumps(list(calls)))
        run("from tests.excel import fake_windows; fake_windows.main()", str(asked), str(answered))
        found: list[Any] = pickle.loads(answered.read_bytes())
    return found


def run(code: str, *arguments: str) -> str:
    """What a fresh Python prints; a failure of it fails the test with its words."""
    command = [sys.executable, "-B", "-c", code, *arguments]
    environment = {key: value for key, value in os.environ.items() if "XLWINGS" not in key}
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def main() -> None:
    install()
    asked, answered = map(Path, sys.argv[1:3])
    found = [call_udf(call) for call in pickle.loads(asked.read_bytes())]
    answered.write_bytes(pickle.dumps(found))


def call_udf(call: Call) -> Any:
    """The call as the wrapper in VBA makes it: every argument stands there, left out or not."""
    from xlwings.com_server import XLPython

    function = call.function.lower()
    module = importlib.import_module(MODULE)
    count = len(getattr(module, function).__xlfunc__["args"])
    given = [*call.arguments, *[None] * (count - len(call.arguments))]
    sent = tuple(as_excel(value, as_range=call.as_ranges) for value in given)
    return XLPython().CallUDF(MODULE, function, sent)


def as_excel(value: Any, *, as_range: bool) -> Any:
    """An argument of the matrix as it arrives in Python from Excel."""
    if isinstance(value, Raw):
        return value.value if value.exact is None else fake_range(value.value, value.exact)
    if value is None:
        return MISSING
    if isinstance(value, list):
        cells = tuple(tuple(map(_com_cell, row)) for row in value)
        if not as_range:
            return cells
        alone = len(cells) == 1 and len(cells[0]) == 1
        return fake_range(cells[0][0] if alone else cells)
    return _com_cell(value)


def _com_cell(value: Any) -> Any:
    if isinstance(value, CellError):
        return -2146828288 + ERROR_NUMBERS[value.text]
    if isinstance(value, dt.datetime):
        import pywintypes  # type: ignore[import-untyped, unused-ignore]  # the stub

        return pywintypes.TimeType(*value.timetuple()[:6], tzinfo=dt.timezone.utc)  # noqa: UP017 - as pywin32 spells it
    return value


def fake_range(value: Any, exact: Any = None) -> Any:
    """A COM object that xlwings takes for Excel's Range."""
    attributes = types.SimpleNamespace(iid=RANGE_IID)
    info = types.SimpleNamespace(GetTypeAttr=lambda: attributes)
    handle = types.SimpleNamespace(GetTypeInfo=lambda: info)
    tall, wide = (len(value), len(value[0])) if isinstance(value, tuple) else (1, 1)
    return types.SimpleNamespace(
        _oleobj_=handle,
        Value=value,
        Value2=value if exact is None else exact,
        Worksheet=MagicMock(),
        Row=1,
        Column=1,
        Rows=types.SimpleNamespace(Count=tall),
        Columns=types.SimpleNamespace(Count=wide),
    )


def install() -> None:
    """Put stubs for pywin32 into this process and import xlwings as on Windows."""
    import asyncio
    import multiprocessing

    import pandas as pd  # all of them before the platform changes its name

    del asyncio, multiprocessing, pd
    _stub_pywin32()
    platform, library = sys.platform, ctypes.PyDLL
    ctypes.PyDLL = MagicMock()  # type: ignore[misc]  # patched on purpose
    for name in ("oledll", "windll"):
        setattr(ctypes, name, MagicMock())
    sys.platform = "win32"
    try:
        import xlwings
    finally:
        sys.platform, ctypes.PyDLL = platform, library  # type: ignore[misc]  # patched on purpose
    assert xlwings.has_pywin32, "xlwings did not take the stubs"
    assert not xlwings.__pro__, "only the part of xlwings under the BSD licence is ours to use"


def _stub_pywin32() -> None:
    class TimeType(dt.datetime):
        """pywintypes' time: a datetime with a zone."""

    class ComError(Exception):
        pass

    def wrapped(_object: Any) -> Any:
        raise ComError("not an object of ours")

    nothing = type("Nothing", (), {})
    _module("pywintypes", TimeType=TimeType, com_error=ComError, error=ComError, IID=str)
    for name in ("win32api", "win32con", "win32gui", "win32event"):
        _module(name)
    _module("win32process", GetWindowThreadProcessId=lambda _window: (1, 1))
    utc = types.SimpleNamespace(utc=lambda: dt.timezone.utc)  # noqa: UP017 - as pywin32 spells it
    _module("win32timezone", TimeZoneInfo=utc)
    _module(
        "pythoncom",
        __file__="pythoncom.dll",
        CoInitialize=lambda: None,
        IID_IDispatch="IDispatch",
        TypeIIDs={"IDispatch": type("PyIDispatch", (), {})},
        com_error=ComError,
        ole_error=ComError,
    )
    client = _module(
        "win32com.client",
        CDispatch=nothing,
        DispatchBaseClass=nothing,
        CoClassBaseClass=nothing,
        Dispatch=lambda thing, **_: thing,
        DispatchEx=lambda thing, **_: thing,
        gencache=MagicMock(),
    )
    server = _module("win32com.server")
    for name in ("dispatcher", "policy", "util", "exception"):
        part = _module(f"win32com.server.{name}", DefaultPolicy=object, unwrap=wrapped)
        setattr(server, name, part)
    _module("win32com", client=client, server=server)


def _module(name: str, **contents: Any) -> types.ModuleType:
    module = types.ModuleType(name)
    vars(module).update(contents)
    sys.modules[name] = module
    return module
