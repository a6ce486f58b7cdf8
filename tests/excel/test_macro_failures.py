"""Whatever fails while a macro writes, the workbook is as it was: every step is made to fail once."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from tests.excel.fake_xlwings import Excel, K, com_error
from tests.excel.macro_books import POSITIONS, client, in_excel, ran, settings
from xl_rebal.errors import FileError
from xl_rebal.excel.file_workbook import FileWorkbook
from xl_rebal.excel.hosts import desktop_macros
from xl_rebal.excel.hosts.desktop_workbook import DesktopWorkbook

STEPS = (
    *("add_sheet", "delete_sheet", "rename_sheet", "show", "write", "clear", "copy_formats"),
    *("format", "set_column_width", "add_table", "resize_table", "note_changed", "commit"),
    "forget_traces",
)
SMALL = (
    "account,symbol,quantity,price\n70001111,VTI,10,220\n70001111,BND,10,75\n70001111,VNQ,1,85\n"
)


@pytest.fixture(autouse=True)
def _appscript(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "appscript", types.SimpleNamespace(k=K))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workbook with a plan in it, so that sheets are replaced and not only added."""
    folder = tmp_path_factory.mktemp("prepared")
    path = client(folder)
    for name in ("check_drift", "generate_trades"):
        ran(name, FileWorkbook(path), folder)
    return path


class FailingFile(FileWorkbook):
    """A file workbook whose n-th write raises."""

    def fail_at(self, number: int) -> None:
        count = 0

        def wrap(method: Any) -> Any:
            def step(*given: Any, **named: Any) -> Any:
                nonlocal count
                count += 1
                if count == number:
                    raise OSError(28, "No space left on device")
                return method(*given, **named)

            return step

        for name in STEPS:
            setattr(self, name, wrap(getattr(self, name)))


MACROS = ("import_positions", "generate_trades", "undo_last", "prepare_for_sharing")


@pytest.mark.parametrize("name", MACROS)
def test_a_file_is_written_whole_or_not_at_all(name: str, prepared: Path, tmp_path: Path) -> None:
    before = prepared.read_bytes()
    path = tmp_path / "client.xlsx"
    file = tmp_path / "new.csv"
    file.write_text(SMALL, encoding="utf-8")
    number, failed = 1, 0
    while True:
        path.write_bytes(before)
        book = FailingFile(path)
        book.fail_at(number)
        try:
            ran(name, book, prepared.parent, file=file)
        except OSError:
            assert path.read_bytes() == before, f"step {number}"
            assert [each.name for each in tmp_path.iterdir()].count("client.xlsx") == 1
            failed += 1
            number += 1 if number < 12 else 9  # the first steps one by one, then a sample
            continue
        break
    assert failed > 4
    assert path.read_bytes() != before


def test_a_disk_that_is_full_leaves_the_file(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "client.xlsx"
    path.write_bytes(prepared.read_bytes())

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    book = FileWorkbook(path)
    plans = settings(prepared.parent).plans
    assert plans is not None
    monkeypatch.setattr("xl_rebal.files.os.fsync", full)
    with pytest.raises(FileError, match="cannot be written"):
        ran("check_drift", book, prepared.parent)
    assert path.read_bytes() == prepared.read_bytes()
    assert [each.name for each in tmp_path.iterdir()] == ["client.xlsx"]


def test_a_file_that_changed_meanwhile_is_not_overwritten(prepared: Path, tmp_path: Path) -> None:
    path = tmp_path / "client.xlsx"
    path.write_bytes(prepared.read_bytes())
    book, other = FileWorkbook(path), FileWorkbook(path)
    ran("check_drift", other, prepared.parent)
    saved = path.read_bytes()
    with pytest.raises(FileError, match="saved by another program"):
        ran("generate_trades", book, prepared.parent)
    assert path.read_bytes() == saved


@pytest.mark.parametrize("host", ["windows", "mac"])
@pytest.mark.parametrize("name", MACROS)
def test_excel_is_put_back_whatever_step_fails(
    name: str, host: str, prepared: Path, tmp_path: Path
) -> None:
    platform = {"windows": "win32", "mac": "darwin"}[host]
    file = tmp_path / "new.csv"
    file.write_text(POSITIONS.replace("5000,220", "4000,230"), encoding="utf-8")
    excel = Excel(platform=platform)
    first = in_excel(prepared, excel)
    book = DesktopWorkbook(first, platform=platform)
    before = first.state()
    ran(name, book, prepared.parent, file=file)
    steps = excel.writes
    assert first.state() != before
    assert first.app.settings["calculation"] == "automatic"
    assert first.app.settings["screen_updating"] is True
    failed = 0
    for number in _some(steps, host):
        excel = Excel(platform=platform)
        fake = in_excel(prepared, excel)
        excel.fail_at = number
        try:
            ran(name, DesktopWorkbook(fake, platform=platform), prepared.parent, file=file)
        except com_error:
            failed += 1
            assert _difference(fake.state(), before) == [], (
                f"step {number}: {excel.calls[number - 1]}"
            )
        else:  # a step that does not matter: a setting that is tried again, a sheet that is left
            assert fake.app.settings == first.app.settings
    assert failed > 5


def _difference(now: Any, before: Any) -> list[str]:
    """What differs, in few words."""
    (sheets, app), (old, old_app) = now, before
    found = [f"app {app}"] if app != old_app else []
    names, old_names = ([s[0] for s in each if s[1] == "k.visible"] for each in (sheets, old))
    if names != old_names or {s[0] for s in sheets} != {s[0] for s in old}:
        found.append(f"sheets {names}, before {old_names}")
    for one, two in zip(sorted(sheets, key=_name), sorted(old, key=_name), strict=False):
        for what, a, b in zip(
            ("name", "state", "cells", "tables", "widths"), one, two, strict=True
        ):
            if a != b and isinstance(a, dict):
                keys = [k for k in {*a, *b} if a.get(k) != b.get(k)][:3]
                found += [f"{one[0]} {what} {k}: {a.get(k)}, before {b.get(k)}" for k in keys]
            elif a != b:
                found.append(f"{one[0]} {what}: {a}, before {b}")
    return found


def _name(state: Any) -> str:
    return str(state[0])


def _some(steps: int, host: str) -> list[int]:
    """Every step near the beginning and the end, and a sample between."""
    edge, stride = (20, 19) if host == "windows" else (8, 41)
    return sorted(
        {*range(1, edge), *range(1, steps, stride), *range(max(1, steps - edge), steps + 1)}
    )


def test_the_user_gets_one_message_and_no_traceback(prepared: Path, tmp_path: Path) -> None:
    excel = Excel()
    fake = in_excel(prepared, excel)
    excel.fail_at = excel.writes + 60
    book = DesktopWorkbook(fake, platform="win32")
    assert not desktop_macros.press("check_drift", book, settings=settings(prepared.parent))
    (message,) = excel.alerts
    assert message.startswith("Check Drift: Excel refused a step, and the workbook was put back")


def test_a_fault_of_our_own_says_so_and_tells_nothing(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    excel = Excel()
    book = DesktopWorkbook(in_excel(prepared, excel), platform="win32")

    def broken(*_given: object) -> None:
        raise KeyError("account 70001111")

    monkeypatch.setattr("xl_rebal.excel.macros.drift_page", broken)
    assert not desktop_macros.press("check_drift", book, settings=settings(prepared.parent))
    (message,) = excel.alerts
    assert "fault of its own (KeyError)" in message
    assert "70001111" not in message
    assert "Traceback" not in message


def test_a_protected_sheet_is_refused_before_anything_is_written(
    prepared: Path, tmp_path: Path
) -> None:
    excel = Excel()
    fake = in_excel(prepared, excel)
    fake.sheets["Holdings"].protected = True
    before = fake.state()
    file = tmp_path / "new.csv"
    file.write_text(SMALL, encoding="utf-8")
    book = DesktopWorkbook(fake, platform="win32")
    given = settings(prepared.parent, file=file)
    assert not desktop_macros.press("import_positions", book, settings=given)
    assert "sheet Holdings: is protected" in excel.alerts[0]
    assert fake.state() == before
    assert not [call for call in excel.calls if not call.startswith("app.status_bar")]
