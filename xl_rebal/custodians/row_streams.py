"""The rows of a large table one after the other, each with its line, without keeping the file in memory."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xl_rebal.custodians import sheets
from xl_rebal.custodians.filetypes import FileType, file_type
from xl_rebal.custodians.numbers import Cell
from xl_rebal.custodians.sheets import Document, Sheet
from xl_rebal.errors import FileError, ReadError

Lined = tuple[int, Sequence[Cell]]  # line in the file (row of the sheet), cells
_HEAD = 65536  # bytes of a text file that tell its encoding and delimiter
_BLOCK = 1 << 20
_BATCH = 65536  # rows of Parquet that are read together


@dataclass(frozen=True, slots=True, kw_only=True)
class RowStream:
    """A table that is read once, from its first row to its last.

    name   the file's name.
    sheet  the sheet of a workbook; of other files what their reader calls it.
    """

    name: str
    type: FileType
    rows: Iterator[Lined]
    sheet: str = ""

    @property
    def where(self) -> str:
        """The words for the table in messages: `lots.csv`, `book.xlsx sheet 'lots'`."""
        in_sheets = self.type in (FileType.WORKBOOK, FileType.OLD_WORKBOOK)
        return f"{self.name} sheet {self.sheet!r}" if in_sheets else self.name

    def document(self, rows: Sequence[Lined]) -> Document:
        """Some of the rows as a file that is open, their lines kept."""
        lines = np.array([line for line, _ in rows], dtype=np.int64)
        sheet = Sheet(name=self.sheet, rows=[cells for _, cells in rows], lines=lines)
        return Document(name=self.name, type=self.type, sheets=(sheet,))


def stream_file(path: Path) -> RowStream:
    """The rows of a text or Parquet file, or of the first sheet of a workbook.

    Raises FileError where the file cannot be read, ReadError (while it is read) for a broken line.
    """
    kind = file_type(path)
    if kind is FileType.TEXT:
        return RowStream(name=path.name, type=kind, rows=_text_rows(path))
    if kind is FileType.PARQUET:
        return RowStream(name=path.name, type=kind, rows=_parquet_rows(path), sheet=path.stem)
    document = sheets.open_document(path)
    return stream_sheet(document, document.sheets[0])


def stream_sheet(document: Document, sheet: Sheet) -> RowStream:
    """The rows of a sheet of a workbook that is open; of its defined table where it has a single one."""
    areas = list(sheet.tables.values())
    first, last = areas[0] if len(areas) == 1 else (0, len(sheet.rows))
    rows = zip(sheet.lines[first:last].tolist(), sheet.rows[first:last], strict=True)
    return RowStream(name=document.name, type=document.type, rows=rows, sheet=sheet.name)


def _text_rows(path: Path) -> Iterator[Lined]:
    with path.open("rb") as stream:
        head = sheets.decode(stream.read(_HEAD))
    with path.open(encoding=_encoding(path), errors="replace", newline="") as stream:
        delimiter, first = sheets.sniff(head), 0
        if head.startswith("sep=") and len(head) > 5 and head[5] in "\r\n":
            delimiter, first = head[4], 1
        yield from itertools.islice(_records(path.name, stream, delimiter), first, None)


def _records(name: str, stream: io.TextIOBase, delimiter: str) -> Iterator[Lined]:
    csv.field_size_limit(sheets.LARGEST_FIELD)
    reader = csv.reader(stream, delimiter=delimiter)
    before = 0
    try:
        for row in reader:
            yield before + 1, row
            after = reader.line_num
            if after - before > sheets.OPEN_QUOTE_LINES:
                raise csv.Error("a quotation mark is opened and not closed")
            before = after
    except csv.Error as error:
        raise ReadError.of(
            where=f"{name} line {before + 1}",
            what=f"the line cannot be split into cells ({error})",
            remedy="look for a quotation mark without its partner",
        ) from error


def _encoding(path: Path) -> str:
    """As `sheets.decode` decides it, a block at a time: by its mark, else UTF-8, else Windows-1252."""
    with path.open("rb") as stream:
        head = stream.read(4096)
        for mark, encoding in sheets.MARKS:
            if head.startswith(mark):
                return encoding
        if b"\x00" in head:
            return "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            decoder.decode(head)
            while block := stream.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _parquet_rows(path: Path) -> Iterator[Lined]:
    """The header as row 0, the first record as row 1."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise FileError.of(
            where=path.name,
            what="is a Parquet file and the package 'pyarrow' is not installed",
            remedy="pip install 'xl-rebal[parquet]', or save the table as CSV",
        ) from error
    try:
        with parquet.ParquetFile(path) as file:
            yield 0, [str(name) for name in file.schema_arrow.names]
            line = 1
            for batch in file.iter_batches(batch_size=_BATCH):
                columns = [[_plain(cell) for cell in each.to_pylist()] for each in batch.columns]
                for cells in zip(*columns, strict=True):
                    yield line, cells
                    line += 1
    except (ArrowException, OSError) as error:
        raise FileError.of(
            where=path.name, what="is a damaged Parquet file", remedy="write it again"
        ) from error


def _plain(cell: Cell) -> Cell:
    return None if isinstance(cell, float) and cell != cell else cell
