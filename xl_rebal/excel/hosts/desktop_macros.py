"""What the ribbon calls: `RunPython "from xl_rebal.excel.hosts import desktop_macros; …"`.

The user gets one message and never a traceback. A file arrives as the UTF-16 code units of its path,
four hexadecimal digits each, so that no character of it can end the Python text in VBA.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import xlwings

from xl_rebal.errors import RebalError
from xl_rebal.excel import macros
from xl_rebal.excel.hosts.desktop_workbook import DesktopWorkbook
from xl_rebal.excel.macros import MacroError, Settings

_EXCEL_ERRORS = frozenset({"com_error", "CommandError", "XlwingsError"})
_LONGEST = 1000  # a message box shows 1,024 characters
_WRITES = "export_orders"


def run(name: str, file: str = "") -> None:
    """Run a macro on the workbook whose button was pressed, and tell how it went."""
    book = DesktopWorkbook(xlwings.Book.caller())
    press(name, book, file=file)


def press(
    name: str, book: DesktopWorkbook, *, file: str = "", settings: Settings | None = None
) -> bool:
    """Run a macro and show its message; True where it did what was asked."""
    title = name
    try:
        macro = macros.macro_named(name)
        title = macro.title
        given = settings if settings is not None else Settings()
        if file:
            given = replace(given, file=path_of(file))
        given = _with_consent(macro.name, book, given)
        outcome = macros.run(name, book, given)
    except RebalError as error:
        book.tell(_shortened([f"{title}: {fault}" for fault in error.faults]), wrong=True)
        return False
    except Exception as error:  # whatever it is, the user gets a message and no traceback
        book.tell(_refusal(title, error), wrong=True)
        return False
    lines = [*outcome.lines, *(f"warning: {text}" for text in outcome.warnings)]
    book.tell(_shortened(lines), wrong=False)
    return True


def path_of(file: str) -> Path:
    """The path that hexadecimal UTF-16 code units spell; raises MacroError where they spell none."""
    try:
        units = bytes.fromhex(file)
        text = units.decode("utf-16-be")
    except ValueError:
        text = ""
    if not text or "\0" in text:
        raise MacroError.of(
            where="the chosen file",
            what="its name did not arrive whole",
            remedy="choose it again; report this if it stays",
        )
    return Path(text)


def _with_consent(name: str, book: DesktopWorkbook, settings: Settings) -> Settings:
    """Ask before a file that is there is replaced."""
    path = settings.file
    if name != _WRITES or path is None or not path.is_file() or settings.overwrite:
        return settings
    if not book.ask(f"{path.name} exists already. Replace it?"):
        raise MacroError.of(
            where=path.name, what="exists already and was kept", remedy="choose another name"
        )
    return replace(settings, overwrite=True)


def _refusal(title: str, error: Exception) -> str:
    if type(error).__name__ in _EXCEL_ERRORS:
        return (
            f"{title}: Excel refused a step, and the workbook was put back as it was. Finish editing "
            "the cell, close open dialogs, unprotect the workbook's structure (Review > Protect "
            "Workbook), and press the button again."
        )
    return macros.own_fault(title, error)


def _shortened(lines: list[str]) -> str:
    text, shown = "", 0
    for line in lines:
        if len(text) + len(line) > _LONGEST and text:
            break
        text += f"{line[:_LONGEST]}\n"
        shown += 1
    more = len(lines) - shown
    return text + (f"… and {more} lines more" if more else "")
