"""Drives one headless LibreOffice for the tests. Run by the Python that has `uno`, not by ours.

Reads one JSON request a line from standard input, {"command": ..., arguments...}, and answers each
with one line on standard output, {"ok": result} or {"failed": text}. Ends LibreOffice when the
input ends. Only the standard library and `uno` may be imported here: Debian's Python runs it.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.table import TableSortField

# com.sun.star.sheet.CellFlags and FormulaResult
NUMBERS, DATES, TEXTS, FORMULAS = 1, 2, 4, 16
ERRORS = 4
MACROS_ALLOWED = 4


def properties(**values):
    return tuple(PropertyValue(Name=name, Value=value) for name, value in values.items())


class Office:
    """One LibreOffice process with a profile of its own and the documents opened in it."""

    def __init__(self, soffice, profile, start_limit, *more):
        pipe = f"xl_rebal_{os.getpid()}"
        self.process = subprocess.Popen(
            [
                soffice,
                "--headless",
                "--norestore",
                "--nologo",
                "--nodefault",
                "--nofirststartwizard",
                f"-env:UserInstallation={uno.systemPathToFileUrl(profile)}",
                *more,
                f"--accept=pipe,name={pipe};urp;",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a leftover process holding our output hangs the caller
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        local = uno.getComponentContext()
        resolver = local.ServiceManager.createInstanceWithContext(
            "com.sun.star.bridge.UnoUrlResolver", local
        )
        deadline = time.monotonic() + start_limit
        while True:
            try:
                context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
                break
            except NoConnectException:
                if self.process.poll() not in (None, 0) or time.monotonic() > deadline:
                    self.kill()
                    raise
                time.sleep(0.05)
        self.desktop = context.ServiceManager.createInstanceWithContext(
            "com.sun.star.frame.Desktop", context
        )
        self.documents = {}
        self.opened = 0

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def quit(self):
        try:
            self.desktop.terminate()
            self.process.wait(10)
        except Exception:  # it may be gone or hang; either way it has to end
            pass
        self.kill()

    # -- requests ----------------------------------------------------------------------------

    def sheet(self, document, sheet):
        sheets = self.documents[document].Sheets
        if not sheets.hasByName(sheet):
            raise KeyError(f"no sheet {sheet!r}; there are {', '.join(sheets.ElementNames)}")
        return sheets.getByName(sheet)

    def cells(self, document, sheet, range):
        return self.sheet(document, sheet).getCellRangeByName(range)

    def open(self, path):
        url = uno.systemPathToFileUrl(path)
        # Hidden=False: a hidden document updates less; there is no screen in any case.
        load = properties(Hidden=False, MacroExecutionMode=MACROS_ALLOWED)
        document = self.desktop.loadComponentFromURL(url, "_blank", 0, load)
        if document is None or not hasattr(document, "Sheets"):
            raise ValueError(f"LibreOffice cannot open {path} as a workbook")
        self.opened += 1
        self.documents[self.opened] = document
        return self.opened

    def close(self, document):
        self.documents.pop(document).close(True)

    def sheet_names(self, document):
        return list(self.documents[document].Sheets.ElementNames)

    def used_range(self, document, sheet):
        cursor = self.sheet(document, sheet).createCursor()
        cursor.gotoEndOfUsedArea(False)
        return "A1:" + cursor.AbsoluteName.rsplit(".", 1)[1].replace("$", "")

    def recalculate(self, document):
        self.documents[document].calculateAll()

    def read(self, document, sheet, range):
        cells = self.cells(document, sheet, range)
        top, left = cells.RangeAddress.StartRow, cells.RangeAddress.StartColumn
        rows = [
            [[value, 0, formula, "empty"] for value, formula in zip(values, formulas, strict=True)]
            for values, formulas in zip(cells.DataArray, cells.FormulaArray, strict=True)
        ]

        def each(found):
            for block in found.RangeAddresses:
                for row in _span(block.StartRow, block.EndRow, top):
                    for column in _span(block.StartColumn, block.EndColumn, left):
                        yield row, column

        kinds = (("number", NUMBERS | DATES), ("text", TEXTS), ("formula", FORMULAS))
        for kind, flags in kinds:
            for row, column in each(cells.queryContentCells(flags)):
                rows[row][column][3] = kind
        for row, column in each(cells.queryFormulaCells(ERRORS)):
            rows[row][column][0] = None
            rows[row][column][1] = cells.getCellByPosition(column, row).getError()
        for row in rows:
            for cell in row:
                if cell[3] == "empty":
                    cell[0] = None
        return rows

    def set_value(self, document, sheet, cell, value):
        self.cells(document, sheet, cell).getCellByPosition(0, 0).setValue(value)

    def set_text(self, document, sheet, cell, text):
        self.cells(document, sheet, cell).getCellByPosition(0, 0).setString(text)

    def set_formula(self, document, sheet, cell, formula):
        self.cells(document, sheet, cell).getCellByPosition(0, 0).setFormula(formula)

    def insert_rows(self, document, sheet, row, count):
        self.sheet(document, sheet).Rows.insertByIndex(row - 1, count)

    def delete_rows(self, document, sheet, row, count):
        self.sheet(document, sheet).Rows.removeByIndex(row - 1, count)

    def sort(self, document, sheet, range, column, ascending, header):
        cells = self.cells(document, sheet, range)
        wanted = self.cells(document, sheet, f"{column}1").RangeAddress.StartColumn
        field = TableSortField()
        field.Field = wanted - cells.RangeAddress.StartColumn
        field.IsAscending = ascending
        fields = uno.Any("[]com.sun.star.table.TableSortField", (field,))
        cells.sort(properties(SortFields=fields, ContainsHeader=header, IsSortColumns=False))

    def copy(self, document, sheet, range, to_sheet, to_cell):
        source = self.cells(document, sheet, range).RangeAddress
        target = self.cells(document, to_sheet, to_cell).getCellByPosition(0, 0).CellAddress
        self.sheet(document, sheet).copyRange(target, source)

    def to_pdf(self, document, path):
        url = uno.systemPathToFileUrl(path)
        self.documents[document].storeToURL(url, properties(FilterName="calc_pdf_Export"))


def _span(start, end, offset):
    return range(start - offset, end - offset + 1)


def main():
    soffice, profile, start_limit, *more = sys.argv[1:]
    office = Office(soffice, profile, float(start_limit), *more)
    try:
        _answer({"ok": office.process.pid})
        for line in sys.stdin:
            request = json.loads(line)
            command = request.pop("command")
            try:
                _answer({"ok": getattr(office, command)(**request)})
            except Exception as error:  # whatever went wrong belongs to the test that asked
                _answer({"failed": f"{command}: {type(error).__name__}: {error}"})
    finally:
        office.quit()


def _answer(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
