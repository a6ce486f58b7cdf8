"""Where the tables of a book are: files of a folder, sheets of a workbook, custodians' exports."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xl_rebal.custodians import columns
from xl_rebal.custodians.account_map import read_account_map
from xl_rebal.custodians.book_tables import ENDINGS, HOLDINGS, TABLES, table_name
from xl_rebal.custodians.filetypes import FileType
from xl_rebal.custodians.numbers import Cell
from xl_rebal.custodians.registry import read_export
from xl_rebal.custodians.row_streams import RowStream, stream_file, stream_sheet
from xl_rebal.custodians.sheets import Document, open_document
from xl_rebal.custodians.statement import Statement
from xl_rebal.custodians.told import Told
from xl_rebal.errors import FaultList, FileError, ReadError, RebalError
from xl_rebal.portfolio import cells, tables

_ACCOUNT_MAP = "accountmap"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a book is read from.

    name     the folder's or workbook's name.
    tables   how to open each table, by its name.
    exports  custodians' files that holdings and lots are joined from.
    files    every file that has a say, in the order of their names.
    warnings files that were left out.
    content  what stands for the files where there are none: the tables of an open workbook.
    """

    name: str
    tables: Mapping[str, Callable[[], RowStream]]
    exports: tuple[Statement, ...]
    files: tuple[Path, ...]
    warnings: tuple[str, ...] = ()
    content: bytes = b""

    def digest(self) -> str:
        """SHA-256 over the names and bytes of all files."""
        total = hashlib.sha256(self.content)
        for file in self.files:
            with file.open("rb") as stream:
                inner = hashlib.file_digest(stream, "sha256").hexdigest()
            total.update(f"{file.name}\0{inner}\n".encode())
        return total.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetTable:
    """A table of an open workbook: the sheet's row of its header, and its rows, the header first."""

    sheet: str
    row: int
    rows: Sequence[Sequence[Cell]]


def sources_of_tables(name: str, found: Mapping[str, SheetTable]) -> Sources:
    """The tables of a workbook that is open elsewhere, by what they are; `name` is the workbook's."""

    def opener(table: SheetTable) -> Callable[[], RowStream]:
        rows = list(enumerate(table.rows, start=table.row))
        return lambda: RowStream(
            name=name, type=FileType.WORKBOOK, rows=iter(rows), sheet=table.sheet
        )

    said = {key: [table.row, [list(row) for row in table.rows]] for key, table in found.items()}
    return Sources(
        name=name,
        tables={key: opener(table) for key, table in found.items()},
        exports=(),
        files=(),
        content=json.dumps(said, default=str, sort_keys=True).encode(),
    )


def find_sources(path: Path) -> Sources:
    """The tables of a folder or workbook. Raises FileError or ReadError, all faults together."""
    if path.is_dir():
        return _of_folder(path)
    return _of_workbook(path)


def _of_folder(folder: Path) -> Sources:
    try:
        files = sorted(file for file in folder.iterdir() if _may_hold_a_table(file))
    except OSError as error:
        raise FileError.of(
            where=folder.name, what="cannot be read", remedy="check the folder's permissions"
        ) from error
    faults = FaultList()
    found: dict[str, Path] = {}
    others: list[Path] = []
    for file in files:
        name = table_name(file.stem)
        if not name:
            others.append(file)
        elif name in found:
            what = f"{found[name].name} and {file.name} are both the table {name}"
            faults.add(where=folder.name, what=what, remedy="keep one of them")
        else:
            found[name] = file
    if not found and len(others) == 1 and (inside := _sheets_of(others[0])):
        return _workbook_sources(others[0], inside)
    statements: list[Statement] = []
    taken: list[Path] = []
    warnings: list[str] = []
    told = Told()
    for file in [*others]:
        if tables.header_key(file.stem) == _ACCOUNT_MAP:
            others.remove(file)
            taken.append(file)
            with faults.collecting():
                told = Told(account_map=read_account_map(file))
    for file in others:
        with faults.collecting():
            statement = _export(file, told)
            if statement is None:
                warnings.append(f"{file.name}: no table of a book and no export; it was not read")
                continue
            taken.append(file)
            statements.append(statement)
    faults.raise_as(ReadError)
    if not found and not statements:
        raise FileError.of(
            where=folder.name,
            what="holds none of the tables of a book",
            remedy=f"name files {HOLDINGS}.csv, {', '.join(f'{name}.csv' for name in TABLES)}",
        )
    return Sources(
        name=folder.name,
        tables={name: _opener(file) for name, file in found.items()},
        exports=tuple(statements),
        files=tuple(sorted([*found.values(), *taken])),
        warnings=tuple(warnings),
    )


def _may_hold_a_table(file: Path) -> bool:
    hidden = file.name.startswith((".", "~$"))
    return file.suffix.casefold() in ENDINGS and not hidden and file.is_file()


def _opener(file: Path) -> Callable[[], RowStream]:
    return lambda: stream_file(file)


def _export(file: Path, told: Told) -> Statement | None:
    """A custodian's file, or any positions table; None for a file that is neither.

    A file that is one and has a fault raises it: nobody can say whose row is missing.
    """
    try:
        return read_export(file, told=told)
    except RebalError:
        if _looks_like_positions(file):
            raise
        return None


def _looks_like_positions(file: Path) -> bool:
    try:
        document = open_document(file)
    except RebalError:
        return False
    return any(columns.find_header(sheet.rows[:200]) is not None for sheet in document.sheets)


def _of_workbook(path: Path) -> Sources:
    document = open_document(path)
    inside = _named_sheets(document)
    if not inside:
        raise FileError.of(
            where=path.name,
            what="holds none of the tables of a book",
            remedy=f"name sheets {HOLDINGS}, {', '.join(TABLES)}",
        )
    return replace(_workbook_sources(path, inside), warnings=_rows_below(document))


def _rows_below(document: Document) -> tuple[str, ...]:
    """Rows right below the defined table of a sheet, which are not read: a row of totals, or one that was
    typed where tables do not grow by themselves.
    """
    found = []
    for sheet in document.sheets:
        ends = [last for _, last in sheet.tables.values()]
        if not table_name(sheet.name) or len(ends) != 1:
            continue
        below = sheet.rows[ends[0]] if ends[0] < len(sheet.rows) else ()
        if not all(cells.is_blank(cell) for cell in below):
            found.append(
                f"{document.where(sheet, ends[0])}: stands right below the table and was not read; "
                "drag the table's corner over it if it belongs there"
            )
    return tuple(found)


def _sheets_of(path: Path) -> dict[str, RowStream]:
    try:
        return _named_sheets(open_document(path))
    except FileError:
        return {}


def _named_sheets(document: Document) -> dict[str, RowStream]:
    """Table -> its sheet; two sheets for one table are refused."""
    faults = FaultList()
    found: dict[str, RowStream] = {}
    for sheet in document.sheets:
        name = table_name(sheet.name)
        if not name or not sheet.rows:
            continue
        if name in found:
            what = f"two sheets are the table {name} (one is {sheet.name!r})"
            faults.add(where=document.name, what=what, remedy="keep one of them")
        found[name] = stream_sheet(document, sheet)
    faults.raise_as(ReadError)
    return found


def _workbook_sources(path: Path, inside: Mapping[str, RowStream]) -> Sources:
    def opener(stream: RowStream) -> Callable[[], RowStream]:
        return lambda: stream

    return Sources(
        name=path.name,
        tables={name: opener(stream) for name, stream in inside.items()},
        exports=(),
        files=(path,),
    )
