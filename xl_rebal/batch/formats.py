"""How a book is kept."""

from __future__ import annotations

from enum import StrEnum


class BookFormat(StrEnum):
    """A folder of CSV or Parquet files, or one workbook."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
