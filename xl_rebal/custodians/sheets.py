"""A file as sheets of raw cells, each row with its line number: CSV, workbooks, Parquet."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import itertools
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xl_rebal.custodians import columns, plain_csv
from xl_rebal.custodians.archives import check_archive
from xl_rebal.custodians.filetypes import FileType, file_type
from xl_rebal.custodians.grid import Grid
from xl_rebal.custodians.numbers import Cell
from xl_rebal.errors import FileError, ReadError

if TYPE_CHECKING:
    import python_calamine

Progress = Callable[[str, float], None]
_DELIMITERS = (",", ";", "\t", "|")
LARGEST_FIELD = 1_000_000
OPEN_QUOTE_LINES = 50  # a cell over more lines than this has lost its closing quotation mark
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_STRIPPED = re.compile(r"'(?=[=+\-@'\t\r])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table-like sheet: `rows` of raw cells (ragged), `lines` (n,) their line or row numbers."""

    name: str
    rows: Sequence[Sequence[Cell]]
    lines: NDArray[np.int64]
    tables: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def line(self, row: int) -> int:
        """The line in the file of a row of this sheet."""
        return int(self.lines[row])


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file that was opened.

    head  the start of a text file, empty for workbooks.
    text  all of a markup file (OFX, XML), whose one sheet has no rows; else empty.
    """

    name: str
    type: FileType
    sheets: tuple[Sheet, ...]
    head: str = ""
    delimiter: str = ""
    text: str = ""

    def where(self, sheet: Sheet, row: int) -> str:
        """The words for a row in messages: `positions.csv line 7`, `book.xlsx sheet A row 7`."""
        if self.type is FileType.TEXT:
            return f"{self.name} line {sheet.line(row)}"
        return f"{self.name} sheet {sheet.name!r} row {sheet.line(row)}"


def as_text(cell: Cell) -> str:
    """A cell as text: `00123` stays, 123.0 becomes `123`, the apostrophe before `=` goes."""
    if type(cell) is str:
        text = cell.strip()
        return text[1:] if text[:1] == "'" and _STRIPPED.match(text) else text
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        if cell != cell:  # NaN, a blank cell of Parquet
            return ""
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    return str(cell).strip()


def texts(row: Sequence[Cell]) -> list[str]:
    """All cells of a row as text."""
    return [as_text(cell) for cell in row]


def filled(row: Sequence[Cell]) -> list[str]:
    """The cells of a row that hold something, as text."""
    return [text for text in texts(row) if text]


def open_document(
    path: Path, *, delimiter: str | None = None, progress: Progress | None = None
) -> Document:
    """The file's sheets; raises FileError when it is none that we can read."""
    kind = file_type(path)
    if kind is FileType.TEXT:
        return _open_text(path, delimiter, progress)
    if kind is FileType.PARQUET:
        return _open_parquet(path)
    return _open_workbook(path, kind, progress)


# -- text -----------------------------------------------------------------------------------------


def decode(data: bytes) -> str:
    """Text by its byte order mark, else UTF-8, else Windows-1252."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    head = data[:4096]
    if b"\x00" in head:
        odd, even = head[1::2].count(0), head[0::2].count(0)
        return data.decode("utf-16-le" if odd > even else "utf-16-be", errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _open_text(path: Path, delimiter: str | None, progress: Progress | None) -> Document:
    try:
        text = decode(path.read_bytes())
    except OSError as error:
        raise FileError.of(
            where=path.name, what="cannot be read", remedy="check the disk or the connection"
        ) from error
    if not text.strip():
        raise FileError.of(where=path.name, what="holds only blanks", remedy="export it again")
    head = text[:65536]
    skip = 0
    if named := re.match(r"sep=(.)\r?\n", text):
        delimiter = delimiter or named[1]
        skip = 1
    if head.lstrip().startswith("<") or head.lstrip().startswith("OFXHEADER"):
        nothing = Sheet(name="", rows=(), lines=np.zeros(0, dtype=np.int64))
        return Document(name=path.name, type=FileType.TEXT, sheets=(nothing,), head=head, text=text)
    chosen = delimiter or sniff(head)
    grid = plain_csv.read_columns(text, chosen, longest=LARGEST_FIELD) if not skip else None
    if grid is not None:
        sheet = Sheet(name="", rows=grid, lines=np.arange(1, len(grid) + 1, dtype=np.int64))
    else:
        rows, lines = _parse(path.name, text, chosen, progress)
        sheet = Sheet(name="", rows=rows[skip:], lines=np.array(lines[skip:], dtype=np.int64))
    return Document(
        name=path.name, type=FileType.TEXT, sheets=(sheet,), head=head, delimiter=chosen
    )


def sniff(head: str) -> str:
    """The delimiter under which the file's start shows the best holdings header, or most columns."""
    sample = "\n".join(head.splitlines()[:200])
    best, score = ",", (-1, -1)
    for delimiter in _DELIMITERS:
        try:
            rows = list(csv.reader(io.StringIO(sample), delimiter=delimiter))
        except csv.Error:
            continue
        header = columns.find_header(rows)
        widths = Counter(len(row) for row in rows if any(row))
        common = widths.most_common(1)[0] if widths else (0, 0)
        points = (len(header.index) if header else 0, common[0] * common[1] if common[0] > 1 else 0)
        if points > score:
            best, score = delimiter, points
    return best


def _parse(
    name: str, text: str, delimiter: str, progress: Progress | None
) -> tuple[list[list[str]], list[int]]:
    """Rows and the line on which each starts."""
    csv.field_size_limit(LARGEST_FIELD)
    total = max(1, text.count("\n"))
    rows: list[list[str]] = []
    try:
        # newline="" leaves line ends inside quoted cells alone; lone CRs end lines too.
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        while piece := list(itertools.islice(reader, 65536)):
            rows += piece
            if progress is not None:
                progress("reading", min(1.0, reader.line_num / total))
        if reader.line_num == len(rows):
            return rows, list(range(1, len(rows) + 1))
    except csv.Error:
        pass  # the slow pass below says where
    return _parse_by_line(name, text, delimiter)


def _parse_by_line(name: str, text: str, delimiter: str) -> tuple[list[list[str]], list[int]]:
    """The same for files whose cells run over several lines, or whose quotation marks are broken."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    lines: list[int] = []
    before = 0
    try:
        for row in reader:
            rows.append(row)
            lines.append(before + 1)
            if reader.line_num - before > OPEN_QUOTE_LINES:
                raise csv.Error("a quotation mark is opened and not closed")
            before = reader.line_num
    except csv.Error as error:
        raise ReadError.of(
            where=f"{name} line {before + 1}",
            what=f"the line cannot be split into cells ({error})",
            remedy="look for a quotation mark without its partner",
        ) from error
    return rows, lines


# -- workbooks ------------------------------------------------------------------------------------


def _open_workbook(path: Path, kind: FileType, progress: Progress | None) -> Document:
    import python_calamine  # loaded here: most runs read CSV

    def report(done: float) -> None:
        if progress is not None:
            progress("checking the workbook", done)

    if kind is FileType.WORKBOOK:
        check_archive(path, report)
    sheets: list[Sheet] = []
    try:
        with _calamine(path) as book:
            visible = python_calamine.SheetTypeEnum.WorkSheet
            wanted = [s.name for s in book.sheets_metadata if s.typ == visible]
            tables = _tables(book)
            for number, sheet_name in enumerate(wanted):
                if progress is not None:
                    progress(f"reading sheet {sheet_name}", number / len(wanted))
                # With the empty area kept, row i of the list is row i + 1 of the sheet.
                cells = book.get_sheet_by_name(sheet_name).to_python(skip_empty_area=False)
                rows = Grid(list(zip(*cells, strict=True)))
                lines = np.arange(1, len(rows) + 1, dtype=np.int64)
                sheets.append(
                    Sheet(
                        name=sheet_name, rows=rows, lines=lines, tables=tables.get(sheet_name, {})
                    )
                )
    except (FileError, ReadError):
        raise
    except python_calamine.PasswordError as error:
        raise FileError.of(
            where=path.name, what="is locked with a password", remedy="save it without one"
        ) from error
    except BaseException as error:
        # calamine's panics derive from BaseException; let a person's interrupt through
        if isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        raise FileError.of(
            where=path.name,
            what=f"is a damaged workbook ({str(error).splitlines()[0] if str(error) else 'unreadable'})",
            remedy="open it in Excel and save it again",
        ) from error
    if not sheets:
        raise FileError.of(
            where=path.name, what="has no worksheet", remedy="name a workbook with a table in it"
        )
    return Document(name=path.name, type=kind, sheets=tuple(sheets))


def _calamine(path: Path) -> python_calamine.CalamineWorkbook:
    import python_calamine

    try:
        return python_calamine.load_workbook(str(path), load_tables=True)
    except python_calamine.TablesNotSupported:
        return python_calamine.load_workbook(str(path))


def _tables(book: python_calamine.CalamineWorkbook) -> dict[str, dict[str, tuple[int, int]]]:
    """Sheet -> defined table -> (its header's row, one past its last row), counted from 0."""
    import python_calamine

    found: dict[str, dict[str, tuple[int, int]]] = {}
    try:
        names = book.table_names
    except python_calamine.CalamineError:  # .ods and .xls have none
        return found
    for name in names or []:
        table = book.get_table_by_name(name)
        first, last = table.start, table.end
        if first is None or last is None:
            continue
        # calamine counts from the first data row; the header stands above it.
        found.setdefault(table.sheet, {})[table.name] = (max(0, first[0] - 1), last[0] + 1)
    return found


# -- Parquet --------------------------------------------------------------------------------------


def _open_parquet(path: Path) -> Document:
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    except ImportError as error:
        raise FileError.of(
            where=path.name,
            what="is a Parquet file and the package 'pyarrow' is not installed",
            remedy="pip install 'xl-rebal[parquet]', or save the table as CSV",
        ) from error
    except Exception as error:
        raise FileError.of(
            where=path.name, what="is a damaged Parquet file", remedy="write it again"
        ) from error
    cells: list[list[Cell]] = [
        column.astype(object).where(column.notna(), None).tolist() for _, column in frame.items()
    ]
    rows = Grid([[str(name), *column] for name, column in zip(frame.columns, cells, strict=True)])
    lines = np.arange(len(rows), dtype=np.int64)  # row 1 is the first record, the header is row 0
    sheet = Sheet(name=path.stem, rows=rows, lines=lines)
    return Document(name=path.name, type=FileType.PARQUET, sheets=(sheet,))
