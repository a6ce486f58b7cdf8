"""The files of a book: tables written block by block as CSV, Parquet or one workbook."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO

import pandas as pd

from xl_rebal.batch.formats import BookFormat
from xl_rebal.custodians.book_tables import defined_name
from xl_rebal.errors import FileError

if TYPE_CHECKING:
    from openpyxl.worksheet.table import Table

_SHEET_ROWS = 1_048_576  # of a worksheet, the header included
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_STAMPED = "docProps/core.xml"  # openpyxl puts the clock into it
_CORE = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>xl_rebal</dc:creator></cp:coreProperties>'
)


class TableWriter(Protocol):
    """Takes the rows of tables, some at a time, each table's in order."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def write(self, name: str, rows: pd.DataFrame) -> None:
        """Add rows to a table."""
        ...


def table_writer(
    kind: BookFormat,
    folder: Path,
    columns: Mapping[str, Sequence[str]],
    texts: Mapping[str, Sequence[str]],
) -> TableWriter:
    """The writer of a format. `texts` are columns that Parquet keeps as text whatever stands in them."""
    if kind is BookFormat.CSV:
        return _CsvFiles(folder, columns)
    if kind is BookFormat.PARQUET:
        return _ParquetFiles(folder, texts)
    return _Workbook(folder / "book.xlsx", columns)


class _CsvFiles:
    def __init__(self, folder: Path, columns: Mapping[str, Sequence[str]]) -> None:
        self._folder, self._columns = folder, columns
        self._files: dict[str, TextIO] = {}

    def __enter__(self) -> Self:
        for name, columns in self._columns.items():
            path = self._folder / f"{name}.csv"
            self._files[name] = path.open("w", encoding="utf-8", newline="")
            self._files[name].write(",".join(columns) + "\n")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files.values():
            file.close()

    def write(self, name: str, rows: pd.DataFrame) -> None:
        rows.to_csv(self._files[name], index=False, header=False, lineterminator="\n")


class _ParquetFiles:
    def __init__(self, folder: Path, texts: Mapping[str, Sequence[str]]) -> None:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise FileError.of(
                where="--format parquet",
                what="needs the package 'pyarrow', which is not installed",
                remedy="pip install 'xl-rebal[parquet]', or take --format csv",
            ) from error
        self._arrow, self._parquet = pa, parquet
        self._folder, self._texts = folder, texts
        self._files: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files.values():
            file.close()

    def write(self, name: str, rows: pd.DataFrame) -> None:
        for column in self._texts.get(name, ()):
            rows = rows.assign(**{column: rows[column].map(str)})
        if name not in self._files:
            fields = [
                (
                    column,
                    self._arrow.float64()
                    if rows[column].dtype.kind in "if"
                    else self._arrow.string(),
                )
                for column in rows.columns
            ]
            schema = self._arrow.schema(fields)
            self._files[name] = self._parquet.ParquetWriter(
                self._folder / f"{name}.parquet", schema
            )
        table = self._arrow.Table.from_pandas(rows, self._files[name].schema, preserve_index=False)
        self._files[name].write_table(table)


class _Workbook:
    def __init__(self, path: Path, columns: Mapping[str, Sequence[str]]) -> None:
        from openpyxl import Workbook

        self._path, self._rows, self._columns = path, dict.fromkeys(columns, 1), columns
        self._book = Workbook(write_only=True)
        for name, headers in columns.items():
            self._book.create_sheet(name).append(list(headers))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            return
        for number, (name, columns) in enumerate(self._columns.items(), start=1):
            if self._rows[name] > 1:  # a table needs a row
                table = _defined_table(number, name, columns, self._rows[name])
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # that columns have to be given, which they are
                    self._book[name].add_table(table)
        saved = io.BytesIO()
        self._book.save(saved)
        with zipfile.ZipFile(saved) as source, zipfile.ZipFile(self._path, "w") as target:
            for name in source.namelist():
                entry = zipfile.ZipInfo(name, date_time=_ZIP_TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o600 << 16
                target.writestr(entry, _CORE if name == _STAMPED else source.read(name))

    def write(self, name: str, rows: pd.DataFrame) -> None:
        self._rows[name] += len(rows)
        if self._rows[name] > _SHEET_ROWS:
            raise FileError.of(
                where="--format xlsx",
                what=f"table {name} has more rows than a sheet of Excel holds ({_SHEET_ROWS:,})",
                remedy="take --format csv or parquet, or fewer households",
            )
        sheet = self._book[name]
        for row in rows.itertuples(index=False, name=None):
            sheet.append([None if cell == "" else cell for cell in row])


def _defined_table(number: int, name: str, columns: Sequence[str], rows: int) -> Table:
    """The Excel table of a sheet, named as macros look for it: `tblTaxProfiles` of `tax_profiles`."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.filters import AutoFilter
    from openpyxl.worksheet.table import Table, TableColumn

    ref = f"A1:{get_column_letter(len(columns))}{rows}"
    title = defined_name(name)
    return Table(
        id=number,
        name=title,
        displayName=title,
        ref=ref,
        tableColumns=[TableColumn(id=i, name=column) for i, column in enumerate(columns, start=1)],
        autoFilter=AutoFilter(ref=ref),
    )
