"""A workbook file as macros see it: only the parts that they write change, and it is saved whole."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH

from xl_rebal.custodians.archives import check_archive
from xl_rebal.errors import FileError
from xl_rebal.excel.stored.looks import StylesXml
from xl_rebal.excel.stored.package import STRINGS, STYLES, StoredPackage
from xl_rebal.excel.stored.sheet import Reader, SheetXml, rich_text, shared_numbers
from xl_rebal.excel.stored.stale import Place, refers, stale
from xl_rebal.excel.workbook import (
    Area,
    Content,
    Rows,
    TableAt,
    Visibility,
    WorkbookError,
)
from xl_rebal.files import check_target, write_atomically
from xl_rebal.workbooks.styles import Look

_SUFFIXES = {".xlsx": ".xlsx", ".xlsm": ".xlsm", ".xltx": ".xlsx", ".xltm": ".xlsm"}
_PLACE = re.compile(
    r"^=?(?:'((?:[^']|'')+)'|([^'!]+))!\$?([A-Z]+)\$?(\d+)(?::\$?([A-Z]+)\$?(\d+))?$"
)
_NO_TEXT = "<si><t/></si>"
_SI = re.compile(r"<si\b[^>]*?(?:/>|>(.*?)</si>)", re.DOTALL)


class FileWorkbook:
    """A .xlsx or .xlsm file, or a new one made from a template.

    out     where it is saved; the file itself when left out.
    answer  what `ask` answers: nobody is there to be asked.

    `saved` says whether anything was written, `stale` how many saved values were taken away because
    what they were computed from has changed.
    """

    def __init__(
        self,
        path: Path,
        *,
        out: Path | None = None,
        overwrite: bool = False,
        answer: bool = False,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self._path, self._answer, self._report = path, answer, report
        self._out, self._overwrite = _target(path, out, overwrite=overwrite)
        self._source = _read(path)
        self.saved = False
        self.stale = 0
        self._open()

    def _open(self) -> None:
        self._package = StoredPackage(self._source, self._path.name)
        self._sheets: dict[str, SheetXml] = {}
        self._widths: dict[str, dict[int, float]] = {}
        self._shared: list[str] | None = None
        self._styles_xml: StylesXml | None = None
        self._epoch = MAC_EPOCH if self._package.counts_from_1904 else WINDOWS_EPOCH

    # Reading

    @property
    def name(self) -> str:
        return self._path.name

    def compute(self) -> None:
        """Nothing here computes: a formula without a saved value reads as NOT_COMPUTED."""

    def sheet_names(self) -> list[str]:
        return list(self._package.sheet_parts())

    def visibility(self, sheet: str) -> Visibility:
        return self._package.visibility(sheet)

    def is_protected(self, sheet: str) -> bool:
        text = self._part(sheet)
        found = re.search(r"<sheetProtection\b[^>]*>", text)
        return found is not None and bool(re.search(r'\bsheet="(?:1|true)"', found[0]))

    def tables(self) -> list[TableAt]:
        return [table for table, _ in self._package.tables()]

    def named_area(self, name: str) -> Area | None:
        found = {n.casefold(): text for n, text in self._package.names().items()}
        match = _PLACE.match(found.get(name.casefold(), ""))
        if match is None:
            return None
        sheet = (match[1] or match[2]).replace("''", "'")
        if sheet not in self.sheet_names():
            return None
        return _area(sheet, f"{match[3]}{match[4]}:{match[5] or match[3]}{match[6] or match[4]}")

    def used(self, sheet: str) -> Area:
        return self._sheet(sheet).used()

    def values(self, area: Area) -> list[list[Content]]:
        sheet = self._sheet(area.sheet)
        return [[sheet.value(row, column) for column in _columns(area)] for row in _rows(area)]

    def contents(self, area: Area) -> list[list[Content]]:
        sheet = self._sheet(area.sheet)
        return [[sheet.content(row, column) for column in _columns(area)] for row in _rows(area)]

    def column_width(self, sheet: str, column: int) -> float | None:
        pending = self._widths.get(sheet, {}).get(column)
        if pending is not None:
            return pending
        for match in re.finditer(r"<col\b([^>]*?)/>", self._part(sheet)):
            found = dict(re.findall(r'(\w+)="([^"]*)"', match[1]))
            if int(found["min"]) <= column <= int(found["max"]) and "width" in found:
                return float(found["width"])
        return None

    # Writing

    def add_sheet(self, name: str) -> None:
        if self._package.structure_is_protected:
            raise WorkbookError.of(
                where=self.name,
                what="has a protected structure, so no sheet can be added",
                remedy="unprotect it (Review > Protect Workbook) and run the macro again",
            )
        self._package.add_sheet(name)

    def delete_sheet(self, name: str) -> None:
        self._refuse_references(name)
        if self._sheets.pop(name, None) is not None or self._has_formulas(name):
            self._package.drop_calculation_chain()
        self._widths.pop(name, None)
        self._package.delete_sheet(name)

    def _refuse_references(self, name: str) -> None:
        """Excel would take a formula to a sheet that is gone for damage, and remove it from the file."""
        tables = [table.name for table in self.tables() if table.area.sheet == name]
        for sheet in self.sheet_names():
            if sheet == name or not self._has_formulas(sheet):
                continue
            for row, column, text, _ in self._sheet(sheet).formulas():
                if refers(text, name, tables):
                    raise _referred(name, f"{sheet}!{get_column_letter(column)}{row}")
        for title, text in self._package.names().items():
            if refers(text, name, tables):
                raise _referred(name, f"the name {title}")

    def rename_sheet(self, name: str, new: str) -> None:
        self._flush(name)
        self._package.rename(name, new)

    def show(self, sheet: str, visibility: Visibility) -> None:
        self._package.show(sheet, visibility)

    def write(self, sheet: str, row: int, column: int, rows: Rows) -> None:
        xml = self._sheet(sheet)
        for down, line in enumerate(rows):
            for right, content in enumerate(line):
                xml.set_content(row + down, column + right, content)

    def clear(self, area: Area) -> None:
        xml = self._sheet(area.sheet)
        for row in _rows(area):
            for column in _columns(area):
                xml.remove(row, column)

    def copy_formats(self, source: Area, target: Area) -> None:
        one, two = self._sheet(source.sheet), self._sheet(target.sheet)
        for row in range(target.rows):
            for column in range(target.columns):
                from_row = source.row + (row if source.rows > 1 else 0)
                from_column = source.column + (column if source.columns > 1 else 0)
                style = one.style(from_row, from_column)
                place = target.row + row, target.column + column
                if style or two.style(*place):
                    two.set_style(*place, style)

    def format(self, area: Area, look: Look) -> None:
        number, xml = self._styles().number_of(look), self._sheet(area.sheet)
        for row in _rows(area):
            for column in _columns(area):
                xml.set_style(row, column, number)

    def set_column_width(self, sheet: str, column: int, width: float) -> None:
        self._widths.setdefault(sheet, {})[column] = width

    def add_table(self, name: str, area: Area) -> None:
        headers = [str(cell) for cell in self.values(area.with_rows(1))[0]]
        self._flush(area.sheet)
        self._package.add_table(name, area, headers)

    def resize_table(self, name: str, area: Area) -> None:
        for ref in re.findall(r'<mergeCell\b[^>]*?\bref="([^"]+)"', self._part(area.sheet)):
            if _area(area.sheet, ref).overlaps(area):
                raise WorkbookError.of(
                    where=f"sheet {area.sheet}, table {name}",
                    what=f"would take in merged cells ({ref}), which no table can hold",
                    remedy="unmerge them (Home > Merge & Center), or move them elsewhere",
                )
        self._package.resize_table(name, area)

    def note_changed(self, tables: Sequence[str], sheets: Sequence[str]) -> None:
        """Take the saved values of what depends on the change, and let Excel compute on opening."""
        formulas, spills = [], {}
        for sheet in self.sheet_names():
            if not self._has_formulas(sheet):
                continue
            for row, column, text, area in self._sheet(sheet).formulas():
                formulas.append(Place(sheet, row, column, text))
                if area:
                    spills[sheet, row, column] = area
        found = stale(
            formulas,
            self._package.names(),
            {table.name: table.area.sheet for table in self.tables()},
            changed_tables=tables,
            changed_sheets=sheets,
        )
        for place in found:
            xml = self._sheet(place.sheet)
            ref = spills.get((place.sheet, place.row, place.column))
            if ref is None:
                xml.drop_value(place.row, place.column)
                continue
            left, top, right, bottom = (int(edge or 0) for edge in range_boundaries(ref))
            for row in range(top, bottom + 1):
                for column in range(left, right + 1):
                    xml.drop_value(row, column)
        self.stale += len(found)
        if found:
            self._package.compute_on_opening()

    def forget_traces(self) -> list[str]:
        return self._package.forget_traces()

    def forget_leftovers(self) -> list[str]:
        """Empty the shared texts that no cell shows any more; the others keep their numbers."""
        used: set[int] = set()
        for name in self.sheet_names():
            self._flush(name)
            used |= shared_numbers(self._part(name))
        text = self._package.parts.get(STRINGS, b"").decode()
        numbers, gone = itertools.count(), 0

        def kept(match: re.Match[str]) -> str:
            nonlocal gone
            if next(numbers) in used or match[0] == _NO_TEXT:
                return match[0]
            gone += 1
            return _NO_TEXT

        text = _SI.sub(kept, text)
        if not gone:
            return []
        self._package.parts[STRINGS], self._shared = text.encode(), None
        return ["texts of cells that are gone"]

    @contextmanager
    def writing(self) -> Iterator[None]:
        yield

    def commit(self) -> None:
        for name in list(self._sheets):
            self._flush(name)
        if self._styles_xml is not None and self._styles_xml.changed:
            self._package.parts[STYLES] = self._styles_xml.text.encode()
        if self._path.suffix.casefold() != self._out.suffix.casefold():
            self._package.become_workbook()
        data = self._package.data()
        # Last, so that what another run saved is lost only within the moment of the rename.
        if self._path == self._out and _read(self._path) != self._source:
            raise FileError.of(
                where=self._path.name,
                what="was saved by another program while the macro ran",
                remedy="run the macro again; nothing was written",
            )
        write_atomically(self._out, data, overwrite=self._overwrite)
        self._source, self._path, self._overwrite = data, self._out, True
        self.saved = True
        self._open()

    def discard(self) -> bool:
        self._open()
        return True

    def ask(self, question: str) -> bool:
        del question
        return self._answer

    def progress(self, text: str) -> None:
        if self._report is not None and text:
            self._report(text)

    # Parts

    def _part(self, sheet: str) -> str:
        return self._package.parts[self._package.sheet_parts()[sheet]].decode()

    def _has_formulas(self, sheet: str) -> bool:
        part = self._package.sheet_parts()[sheet]
        return sheet in self._sheets or b"<f" in self._package.parts[part]

    def _sheet(self, name: str) -> SheetXml:
        if name not in self._sheets:
            reader = Reader(shared=self._texts, is_date=self._is_date, epoch=self._epoch)
            self._sheets[name] = SheetXml(name, self._part(name), reader)
        return self._sheets[name]

    def _flush(self, name: str) -> None:
        """Put what was written to a sheet into its part."""
        xml = self._sheets.pop(name, None)
        part = self._package.sheet_parts()[name]
        if xml is not None and xml.changed:
            self._package.parts[part] = xml.text.encode()
            if xml.lost_formulas:
                self._package.drop_calculation_chain()
        widths = self._widths.pop(name, None)
        if widths:
            text = _with_widths(self._package.parts[part].decode(), widths)
            self._package.parts[part] = text.encode()

    def _texts(self) -> list[str]:
        if self._shared is None:
            text = self._package.parts.get(STRINGS, b"").decode()
            self._shared = [rich_text(match[1] or "") for match in _SI.finditer(text)]
        return self._shared

    def _is_date(self, style: int) -> bool:
        return self._styles().is_date(style)

    def _styles(self) -> StylesXml:
        if self._styles_xml is None:
            if STYLES not in self._package.parts:
                raise WorkbookError.of(
                    where=self.name,
                    what="has no styles part",
                    remedy="open it in Excel or LibreOffice, save it, and try again",
                )
            self._styles_xml = StylesXml(self._package.parts[STYLES].decode())
        return self._styles_xml


def _area(sheet: str, ref: str) -> Area:
    left, top, right, bottom = (int(edge or 0) for edge in range_boundaries(ref))
    return Area(sheet=sheet, row=top, column=left, rows=bottom - top + 1, columns=right - left + 1)


def _referred(sheet: str, place: str) -> WorkbookError:
    return WorkbookError.of(
        where=place,
        what=f"refers to sheet {sheet}, which would be removed",
        remedy="clear or change it first; nothing was changed",
    )


def _rows(area: Area) -> range:
    return range(area.row, area.last_row + 1)


def _columns(area: Area) -> range:
    return range(area.column, area.last_column + 1)


def _with_widths(text: str, widths: dict[int, float]) -> str:
    """Column widths set, each column of its own; ranges of columns are split where needed."""
    known: dict[int, dict[str, str]] = {}
    later: list[str] = []
    for match in re.finditer(r"<col\b([^>]*?)/>", text):
        found = dict(re.findall(r'([\w:]+)="([^"]*)"', match[1]))
        first, last = int(found.pop("min")), int(found.pop("max"))
        if last > max(widths) and first <= max(widths):
            rest = " ".join(f'{k}="{v}"' for k, v in found.items())
            later.append(f'<col min="{max(widths) + 1}" max="{last}" {rest}/>')
            last = max(widths)
        if first > max(widths):
            later.append(match[0])
            continue
        for column in range(first, last + 1):
            known[column] = dict(found)
    for column, width in widths.items():
        known.setdefault(column, {}).update(width=f"{width:.10g}", customWidth="1")
    made = [
        f'<col min="{c}" max="{c}" ' + " ".join(f'{k}="{v}"' for k, v in known[c].items()) + "/>"
        for c in sorted(known)
    ]
    block = f"<cols>{''.join([*made, *later])}</cols>"
    if "<cols>" in text:
        return re.sub(r"<cols>.*?</cols>", lambda _: block, text, count=1, flags=re.DOTALL)
    return text.replace("<sheetData", f"{block}<sheetData", 1)


def _read(path: Path) -> bytes:
    suffix = path.suffix.casefold()
    if suffix not in _SUFFIXES:
        raise FileError.of(
            where=path.name,
            what="is no workbook that macros can edit",
            remedy="save it as .xlsx or .xlsm",
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError.of(
            where=path.name,
            what=f"cannot be read ({error.strerror or 'the system refused'})",
            remedy="check the name and that you may open it",
        ) from None
    check_archive(path)
    return data


def _target(path: Path, out: Path | None, *, overwrite: bool) -> tuple[Path, bool]:
    """Where the workbook is saved, and whether what is there is replaced."""
    suffix = path.suffix.casefold()
    if out is None:
        if suffix in {".xltx", ".xltm"}:
            raise FileError.of(
                where=path.name,
                what="is a template; it stays as it is",
                remedy=f"name the workbook to make with --out client{_SUFFIXES[suffix]}",
            )
        lock = path.with_name(f"~${path.name}")
        if lock.exists() or path.with_name(f".~lock.{path.name}#").exists():
            raise FileError.of(
                where=path.name,
                what="is open in Excel or LibreOffice, which would not see the change",
                remedy="close it there, or write a copy with --out",
            )
        return path, True
    if suffix in _SUFFIXES and out.suffix.casefold() != _SUFFIXES[suffix]:
        raise FileError.of(
            where=out.name,
            what=f"is no name for a workbook made from {path.name}",
            remedy=f"end it in {_SUFFIXES[suffix]}",
        )
    check_target(out, overwrite=overwrite)
    return out, overwrite
