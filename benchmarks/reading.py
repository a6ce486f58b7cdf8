"""Reading 300,000 invented positions: .xlsx against openpyxl read-only, CSV against pandas.

    python -m benchmarks --only reading

The workbook comes twice: its texts inside the cells, as openpyxl writes it, and in a shared table, as Excel
saves it. Each file is written once to a temporary folder; every way of reading it is timed in this one run
(processor time, best of three, openpyxl once: it takes the longest). `import path` is what `xl-rebal
import` does: the archive checked, the sheet parsed, every row turned into a checked holding, totals and
warnings; with isal, which the extra `fast` brings, if it is installed, and without. `bare parse` is
python-calamine alone. The book is a folder of as many holdings in accounts of 30,
as many lots, and a row for each account, read by `read_book`.
"""

from __future__ import annotations

import csv
import datetime as dt
import random
import re
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import openpyxl
import pandas as pd
import python_calamine

from benchmarks.measuring import Result, Section, table
from xl_rebal.custodians import read_book, read_positions

HEADER = ("Account", "Symbol", "Description", "Quantity", "Price", "Value", "Asset class")
_SHARED = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml",
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings",
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
)
CLASSES = ("Stocks/US", "Bonds", "Real Estate")


def positions(rows: int) -> Iterator[tuple[Any, ...]]:
    """Invented rows: 20 of 200 funds in each account."""
    rng = random.Random(1)
    for i in range(rows):
        fund = rng.randrange(200)
        quantity, price = rng.randrange(1, 100_000) / 10, rng.randrange(100, 50_000) / 100
        value = round(quantity * price, 2)
        yield (f"A{i // 20:06d}", f"S{fund:03d}", f"Fund number {fund}", quantity, price, value,
               CLASSES[fund % 3])  # fmt: skip


def write(folder: Path, rows: int) -> tuple[Path, Path]:
    """The same rows as workbook and as CSV."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Holdings")
    table = folder / "positions.csv"
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        for row in (HEADER, *positions(rows)):
            sheet.append(row)
            writer.writerow(row)
    workbook = folder / "positions.xlsx"
    book.save(workbook)
    return workbook, table


def write_book(folder: Path, rows: int) -> Path:
    """A folder of tables: 30 holdings and 30 lots in each account."""
    book = folder / "book"
    book.mkdir()
    rng = random.Random(2)
    headers = {
        "holdings": "account,symbol,quantity,price,value,asset_class,as_of",
        "lots": "account,symbol,acquired,quantity,unit_cost,lot_id",
        "accounts": "account,household,type,model,cash_reserve",
    }
    with ExitStack() as stack:
        files = {
            name: stack.enter_context((book / f"{name}.csv").open("w", encoding="utf-8"))
            for name in headers
        }
        for name, header in headers.items():
            files[name].write(header + "\n")
        for i in range(rows):
            account, fund = f"A{i // 30:06d}", f"S{(i * 7) % 200:03d}"
            quantity, price = rng.randrange(1, 100_000) / 10, rng.randrange(100, 50_000) / 100
            day = dt.date(2020, 1, 1) + dt.timedelta(days=rng.randrange(2_000))
            value = round(quantity * price, 2)
            files["holdings"].write(
                f"{account},{fund},{quantity},{price},{value},{CLASSES[i % 3]},2026-11-24\n"
            )
            files["lots"].write(f"{account},{fund},{day},{quantity},{price},L{i}\n")
            if i % 30 == 0:
                files["accounts"].write(f"{account},H{i // 60},taxable,60/40,250\n")
    return book


def with_shared_strings(source: Path) -> Path:
    """The workbook with its texts in a table of their own, as Excel saves it."""
    table: dict[str, int] = {}

    def share(found: re.Match[str]) -> str:
        return f't="s"><v>{table.setdefault(found[1], len(table))}</v></c>'

    target = source.with_name("shared.xlsx")
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name).decode()
            if name.startswith("xl/worksheets/"):
                text = re.sub(r't="inlineStr"><is><t>([^<]*)</t></is></c>', share, text)
            elif name == "[Content_Types].xml":
                part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_SHARED[0]}"/>'
                text = text.replace("</Types>", f"{part}</Types>")
            elif name == "xl/_rels/workbook.xml.rels":
                tie = f'<Relationship Id="rId99" Type="{_SHARED[1]}" Target="sharedStrings.xml"/>'
                text = text.replace("</Relationships>", f"{tie}</Relationships>")
            new.writestr(name, text)
        items = "".join(f"<si><t>{text}</t></si>" for text in table)
        new.writestr(
            "xl/sharedStrings.xml", f'<?xml version="1.0"?><sst xmlns="{_SHARED[2]}">{items}</sst>'
        )
    return target


def seconds(work: Callable[[], Any], runs: int = 3) -> float:
    """Least processor time of some runs."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def through_openpyxl(path: Path) -> int:
    """Every cell's value, as its documentation says for large files."""
    book = openpyxl.load_workbook(path, read_only=True)
    return sum(len(row) for row in book["Holdings"].iter_rows(values_only=True))


def through_calamine(path: Path) -> int:
    """Every cell's value."""
    with python_calamine.load_workbook(str(path)) as book:
        return len(book.get_sheet_by_name("Holdings").to_python())


def measure(*, quick: bool) -> Section:
    """Both workbooks and the CSV, each read in every way."""
    rows = 10_000 if quick else 300_000
    with tempfile.TemporaryDirectory() as folder:
        workbook, text_file = write(Path(folder), rows)
        read_positions(text_file)  # modules are loaded before anything is timed
        books = []
        for words, path in (
            ("texts in cells", workbook),
            ("shared texts", with_shared_strings(workbook)),
        ):
            slow = seconds(partial(through_openpyxl, path), 1)
            bare = seconds(partial(through_calamine, path))
            ours = seconds(partial(read_positions, path))
            with patch.dict(sys.modules, isal=None):
                plain = seconds(partial(read_positions, path))
            books.append((words, slow, bare, ours, plain))
        frame = seconds(lambda: pd.read_csv(text_file))
        text = seconds(lambda: read_positions(text_file))
        whole = write_book(Path(folder), rows)
        book = seconds(lambda: read_book(whole))
    lines = []
    for words, slow, bare, ours, plain in books:
        lines += [
            [f".xlsx ({words}), openpyxl read-only, values only", f"{slow:.2f}", "1"],
            [f".xlsx ({words}), python-calamine, bare parse", f"{bare:.2f}", f"{slow / bare:.1f}"],
            [f".xlsx ({words}), whole import path", f"{ours:.2f}", f"{slow / ours:.1f}"],
            [f".xlsx ({words}), the same without isal", f"{plain:.2f}", f"{slow / plain:.1f}"],
        ]
    lines += [
        ["CSV, pandas.read_csv, nothing checked", f"{frame:.2f}", "1"],
        ["CSV, whole import path", f"{text:.2f}", f"{frame / text:.2f}"],
        [f"a book of CSV files: as many lots, {rows // 30:,} accounts", f"{book:.2f}", ""],
    ]
    head = (
        f"{rows:,} invented rows of 7 columns, processor time, best of three runs (openpyxl once). The "
        "whole path checks the archive before anything opens it and turns every row into a checked "
        "holding.\n\n"
    )
    return Section(
        title="Reading files",
        results=[
            Result(
                work=f"reading {rows:,} rows of .xlsx ({words}), whole path, against openpyxl read-only",
                measured=f"{slow / ours:.1f}×",
                budget="≥10×",
                met=None if quick else slow / ours >= 10,
            )
            for words, slow, _, ours, _ in books
        ],
        text=head + table(["", "s", "times as fast"], lines),
    )
