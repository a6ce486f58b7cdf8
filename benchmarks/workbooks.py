"""Client workbooks a second: stamped, against openpyxl and XlsxWriter that write the same cells anew.

    benchmarks/.venv/bin/python -m benchmarks.workbooks [--quick] [--dashboard N …]

All three get the same contents, worked out beforehand, and give .xlsx bytes in memory. The peers write
cells, formats, widths, heights, tables, rules, charts and how it is printed, by the shortest way of their
library (XlsxWriter fewer rules); before anything is timed the cells of all three are read back and compared.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import time
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import numpy as np
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.table import Table, TableColumn, TableStyleInfo

from benchmarks.measuring import Result, Section, fresh, interleaved, table
from xl_rebal.household.realised import realised
from xl_rebal.household.request import HouseholdBook
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.lots import Lots
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.securities import Security
from xl_rebal.portfolio.targets import parse_targets
from xl_rebal.rebalance import Request, rebalance
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.workbooks import zipped
from xl_rebal.workbooks.client_pages import ClientPages
from xl_rebal.workbooks.client_workbook import LAYOUTS, client_contents, client_workbook, stamp
from xl_rebal.workbooks.layout import Block, Line, Place, SheetContents, SheetLayout
from xl_rebal.workbooks.pages import flag_negative, flag_words, offer, set_up_print, show_whole
from xl_rebal.workbooks.styles import Look
from xl_rebal.workbooks.tables import Column, group_columns, header_look, in_file_form

DAY = dt.date(2026, 11, 25)
CLASSES = ("Stocks/US", "Stocks/International", "Bonds/US", "Real Estate")
TARGETS = "40% Stocks/US, 20% Stocks/International, 30% Bonds/US, 10% Real Estate"
RUNS = 200  # clients of a run


def client(seed: int, accounts: int = 3, securities: int = 8, lots: int = 3) -> ClientPages:
    """An invented client: accounts planned one by one, lots of every position, the tax of its sales."""
    random = np.random.default_rng(seed)
    price = np.round(random.uniform(20, 400, securities), 2).tolist()
    names = [f"SYM{k}" for k in range(securities)]
    known = {
        name: Security(symbol=name, asset_class=CLASSES[k % 4], price=price[k])
        for k, name in enumerate(names)
    }
    rows, owned = [], []
    for a in range(accounts):
        account = f"{seed:05d}-{a}"
        rows.append(
            {"account": account, "symbol": "CASH", "kind": "cash", "price": 1.0, "asset_class": "Cash",
             "quantity": round(float(random.uniform(500, 9000)), 2), "description": "Cash"}
        )  # fmt: skip
        for k, name in enumerate(names):
            parts = random.integers(20, 400, lots).astype(float).tolist()
            rows.append(
                {"account": account, "symbol": name, "quantity": sum(parts), "price": price[k],
                 "asset_class": CLASSES[k % 4], "description": f"Invented fund number {k}"}
            )  # fmt: skip
            if a == 0:
                owned += [
                    {"account": account, "symbol": name, "quantity": units, "lot_id": f"{k}-{n}",
                     "acquired": DAY - dt.timedelta(days=int(random.integers(40, 3000))),
                     "unit_cost": round(price[k] * float(random.uniform(0.5, 1.2)), 2)}
                    for n, units in enumerate(parts)
                ]  # fmt: skip
    book = Book(
        holdings=Holdings.from_rows(rows),
        models={"": parse_targets(TARGETS)},
        securities=known,
        accounts={
            f"{seed:05d}-{a}": Account(
                account=f"{seed:05d}-{a}",
                household=f"H{seed}",
                type="roth" if a else "taxable",
                tax_return="r",
                tax_profile="p",
            )
            for a in range(accounts)
        },
    )
    policy = parse_policy("2pp")
    result = rebalance(book, Request(policy=policy, as_of=DAY))
    profile = TaxProfile(tax_profile="p", year=2026, ordinary=0.35, long_term=0.15, niit=0.038)
    source = HouseholdBook(book=book, lots=Lots.from_rows(owned), profiles={"p": profile})
    trades = [trade for plan in result.plans for trade in plan.trades]
    found = realised(source, trades, as_of=DAY)
    return ClientPages(
        household=f"H{seed}",
        name=f"Invented Client {seed}",
        book=result.book,
        policy=policy,
        plans=result.plans,
        mode="pro rata",
        as_of=DAY,
        lots=source.lots,
        sales=found.sales,
        returns=found.returns,
        profiles=source.profiles,
        dashboard="../dashboard.xlsx",
    )


def _walk(
    layout: SheetLayout, contents: SheetContents
) -> tuple[list[tuple[int, int, Any, Look, str]], list[Place]]:
    """Cells as row, column, value, look and formula; and the tables."""
    cells: list[tuple[int, int, Any, Look, str]] = []
    places = []
    tables = iter(contents.tables)
    rows = layout.rows([each.count for each in contents.tables])
    for item, (row, place) in zip(layout.items, rows, strict=True):
        if isinstance(item, Line):
            for spot in item.spots:
                value = spot.content_of(contents.slots)
                formula = getattr(value, "text", "")
                cells.append((row, spot.column, getattr(value, "value", value), spot.look, formula))
            continue
        assert place is not None
        places.append(place)
        cells += _table_cells(item, next(tables).columns, place)
    return cells, places


def _table_cells(
    block: Block, columns: Sequence[Sequence[Any]], place: Place
) -> list[tuple[int, int, Any, Look, str]]:
    cells = []
    for k, (each, values) in enumerate(zip(block.fields, columns, strict=True), start=block.column):
        head = header_look(Column(header=each.header, look=each.look, planned=each.planned))
        cells.append((place.header_row, k, each.header, head, ""))
        formula = in_file_form(block.name, each.formula)
        cells += [
            (row, k, "" if formula and value is None else value, each.look, formula)
            for row, value in enumerate(values, start=place.first_row)
        ]
    return cells


Walked = list[tuple[SheetLayout, SheetContents, list[tuple[int, int, Any, Look, str]], list[Place]]]


def walked(contents: Sequence[SheetContents]) -> Walked:
    """What the peers write, laid out beforehand so that their time is their own."""
    return [(a, b, *_walk(a, b)) for a, b in zip(LAYOUTS, contents, strict=True)]


def by_openpyxl(sheets: Walked) -> bytes:
    """The workbook by openpyxl; formulas come without values, which it cannot save."""
    book = Workbook()
    scratch: Any = book.active
    made: dict[Look, Any] = {}
    for layout, contents, cells, places in sheets:
        sheet: Any = book.create_sheet(layout.title)
        for row, column, value, look, formula in cells:
            cell = sheet.cell(row=row, column=column)
            if formula:
                cell.value = "=" + formula
            elif isinstance(value, str):
                cell.value = value
                cell.data_type = "s"
            else:
                cell.value = value
            if look not in made:
                made[look] = _openpyxl_style(scratch.cell(row=1, column=len(made) + 1), look)
            cell._style = copy(made[look])
        for column, width in enumerate(contents.widths, start=1):
            sheet.column_dimensions[get_column_letter(column)].width = width
        for number, place in enumerate(places):
            block = place.block
            first, last = get_column_letter(block.column), get_column_letter(block.last_column)
            ref = f"{first}{place.header_row}:{last}{place.last_row}"
            columns = [TableColumn(id=n, name=h) for n, h in enumerate(block.headers, start=1)]
            sheet.add_table(
                Table(
                    id=100 * len(book.sheetnames) + number,
                    name=block.name,
                    displayName=block.name,
                    ref=ref,
                    tableColumns=columns,
                    autoFilter=AutoFilter(ref=ref) if block.filters else None,
                    tableStyleInfo=TableStyleInfo(name="TableStyleLight1"),
                )
            )
            _openpyxl_rules(sheet, place)
        if layout.charts is not None:
            for chart in layout.charts(places, contents):
                sheet.add_chart(chart)
        sheet.freeze_panes = f"{get_column_letter(layout.frozen[0] + 1)}{layout.frozen[1] + 1}"
        rows = [row for row, *_ in cells]
        set_up_print(
            sheet, last_column=layout.last_column, last_row=max(rows), repeat=layout.repeat
        )
        if layout.folded is not None:
            group_columns(sheet, *layout.folded)
        for row, height in _heights(layout, contents):
            sheet.row_dimensions[row].height = height
    book.remove(scratch)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _openpyxl_rules(sheet: Any, place: Place) -> None:
    block = place.block

    def cells(header: str) -> str:
        letter = get_column_letter(block.column_of(header))
        return f"{letter}{place.first_row}:{letter}{place.last_row}"

    for header, words in block.words.items():
        flag_words(sheet, cells(header), words)
    for header in block.negative:
        flag_negative(sheet, cells(header))
    for header in block.whole:
        show_whole(sheet, cells(header))
    for header, choices in block.choices.items():
        offer(sheet, cells(header), choices)


def _heights(layout: SheetLayout, contents: SheetContents) -> list[tuple[int, float]]:
    found = []
    tables = iter(contents.tables)
    for item, (row, place) in zip(
        layout.items, layout.rows([each.count for each in contents.tables]), strict=True
    ):
        if place is None:
            if item.height is not None:  # type: ignore[union-attr]
                found.append((row, item.height))  # type: ignore[union-attr]
            continue
        heights = next(tables).heights
        found += [(n, h) for n, h in enumerate(heights, start=place.first_row) if h is not None]
    return found


def _openpyxl_style(cell: Any, look: Look) -> Any:
    cell.font = Font(name="Calibri", size=look.size, bold=look.bold, color=look.colour)
    cell.number_format = look.format
    if look.fill:
        cell.fill = PatternFill("solid", start_color=look.fill)
    if look.line:
        cell.border = Border(bottom=Side(style="thin", color=look.line))
    cell.alignment = Alignment(horizontal=look.align or None, wrap_text=look.wrap or None)
    return cell._style


def by_xlsxwriter(sheets: Walked) -> bytes:
    """The workbook by XlsxWriter, in memory."""
    from xlsxwriter import Workbook as Writer

    out = io.BytesIO()
    book = Writer(out, {"in_memory": True})
    made: dict[Look, Any] = {}
    bold = book.add_format({"bold": True})
    for layout, contents, cells, places in sheets:
        sheet = book.add_worksheet(layout.title)
        for column, width in enumerate(contents.widths):
            sheet.set_column(column, column, width)
        for place in places:
            block = place.block
            sheet.add_table(
                place.header_row - 1,
                block.column - 1,
                place.last_row - 1,
                block.last_column - 1,
                {
                    "name": block.name,
                    "autofilter": block.filters,
                    "style": "Table Style Light 1",
                    "columns": [{"header": header} for header in block.headers],
                },
            )
            for header, words in block.words.items():
                column = block.column_of(header) - 1
                for word in words:
                    sheet.conditional_format(
                        *(place.first_row - 1, column, place.last_row - 1, column),
                        {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": bold},
                    )
        for row, column, value, look, formula in cells:
            if look not in made:
                made[look] = book.add_format(_xlsxwriter_format(look))
            format_ = made[look]
            if formula:
                sheet.write_formula(row - 1, column - 1, "=" + formula, format_, value)
            elif isinstance(value, str) and value:
                sheet.write_string(row - 1, column - 1, value, format_)
            elif value is None or value == "":
                sheet.write_blank(row - 1, column - 1, None, format_)
            else:
                sheet.write_number(row - 1, column - 1, value, format_)
        if layout.charts is not None:
            _xlsxwriter_chart(book, sheet, layout, places)
        sheet.freeze_panes(layout.frozen[1], layout.frozen[0])
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        for row, height in _heights(layout, contents):
            sheet.set_row(row - 1, height)
    book.close()
    return out.getvalue()


def _xlsxwriter_chart(book: Any, sheet: Any, layout: SheetLayout, places: Sequence[Place]) -> None:
    place = places[0]
    names = {
        "Summary": ("Asset class", ("Current", "Target", "After trades"), ()),
        "Drift": ("Label", ("Drift", "Drift after"), ("Lower edge", "Upper edge")),
    }
    category, bars, lines = names[layout.title]

    def cells(header: str) -> list[Any]:
        column = place.block.column_of(header) - 1
        return [layout.title, place.first_row - 1, column, place.last_row - 1, column]

    chart = book.add_chart({"type": "column"})
    for header in bars:
        chart.add_series({"name": header, "categories": cells(category), "values": cells(header)})
    if lines:
        edges = book.add_chart({"type": "line"})
        for header in lines:
            edges.add_series(
                {"name": header, "categories": cells(category), "values": cells(header)}
            )
        chart.combine(edges)
    sheet.insert_chart(place.last_row + 2, 0, chart)


def _xlsxwriter_format(look: Look) -> dict[str, Any]:
    found: dict[str, Any] = {
        "font_size": look.size,
        "bold": look.bold,
        "font_color": f"#{look.colour}",
        "num_format": look.format,
        "text_wrap": look.wrap,
    }
    if look.fill:
        found["bg_color"] = f"#{look.fill}"
    if look.line:
        found |= {"bottom": 1, "bottom_color": f"#{look.line}"}
    if look.align:
        found["align"] = look.align
    return found


def _read(data: bytes, *, values: bool) -> dict[tuple[str, str], object]:
    book = load_workbook(io.BytesIO(data), data_only=values)
    return {
        (sheet.title, cell.coordinate): f"{cell.value + 0.0:.14g}"
        if isinstance(cell.value, (int, float))
        else cell.value
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.value not in (None, "")
    }


def compare(contents: Sequence[SheetContents]) -> int:
    """The number of cells that hold something, after all three were found to hold the same."""
    mine = stamp().fill(contents, title="x")
    others = {"openpyxl": by_openpyxl, "XlsxWriter": by_xlsxwriter}
    formulas, values = _read(mine, values=False), _read(mine, values=True)
    for name, write in others.items():
        data = write(walked(contents))
        for found, wanted, what in (
            (_read(data, values=False), formulas, "formulas"),
            (_read(data, values=True), values, "values"),
        ):
            if name == "openpyxl" and what == "values":
                continue  # it saves none with formulas
            if found != wanted:
                odd = [key for key in wanted | found if wanted.get(key) != found.get(key)]
                raise RuntimeError(f"{name}: other {what} in {odd[:5]}")
    return len(formulas)


def measure(*, quick: bool) -> Section:
    """Workbooks a second of the three, and a run of clients."""
    pages = client(1)
    contents = client_contents(pages)
    cells = compare(contents)
    sheets = walked(contents)
    filler = stamp()
    times = 1 if quick else 20

    def fill() -> None:
        for _ in range(times):
            filler.fill(contents, title="x")

    works: dict[str, Callable[[], object]] = {
        "stamp": fill,
        "openpyxl": lambda: by_openpyxl(sheets),
        "XlsxWriter": lambda: by_xlsxwriter(sheets),
        "figures": lambda: client_contents(pages),
    }
    runs = 2 if quick else 15
    seconds = interleaved(works, dict.fromkeys(works, runs), time.process_time)
    seconds["stamp"] /= times
    clients = [client(seed) for seed in range(5 if quick else RUNS)]
    start = time.process_time()
    size = sum(len(client_workbook(each)) for each in clients)
    run = time.process_time() - start
    ratios = {name: seconds[name] / seconds["stamp"] for name in ("openpyxl", "XlsxWriter")}
    text = (
        f"One client's workbook, {len(LAYOUTS)} sheets, {cells:,} cells that hold something, 2 charts, "
        f"{sum(len(layout.blocks) for layout in LAYOUTS)} tables; contents worked out beforehand, bytes in "
        f"memory; compressed by {zipped.COMPRESSOR}; processor time, medians of {runs} interleaved runs. The "
        "cells of all three are read back and compared first.\n\n"
        + table(
            ["a client's workbook", "ms", "workbooks a second", "times the stamp"],
            [
                [name, f"{1e3 * s:.2f}", f"{1 / s:,.0f}", f"{s / seconds['stamp']:.1f}"]
                for name, s in seconds.items()
                if name != "figures"
            ],
        )
        + f"\n\nWorking out the contents from a plan takes {1e3 * seconds['figures']:.2f} ms more. "
        f"{len(clients)} workbooks of different clients, contents included: {run:.2f} s of processor time, "
        f"{size / len(clients) / 1024:.0f} KiB each."
    )
    return Section(
        title="Client workbooks",
        results=[
            Result(
                work=f"client workbook, {cells:,} cells, against {name}",
                measured=f"{ratios[name]:.0f}×",
                budget=f"≥{budget}×",
                met=None if quick else ratios[name] >= budget,
            )
            for name, budget in (("openpyxl", 100), ("XlsxWriter", 25))
        ],
        text=text,
    )


_DASHBOARD = """
import json, random, resource, sys, time
from xl_rebal.workbooks.dashboard import Firm, build_dashboard
from xl_rebal.workbooks.dashboard_lines import ClientLine
CLASSES = ("Stocks/US", "Stocks/International", "Bonds", "Real Estate", "Cash")
def lines(count):
    rng = random.Random(1)
    for n in range(count):
        drifts = {name: rng.gauss(0, 0.03) for name in CLASSES}
        yield ClientLine(
            household=f"H{n}", name=f"Client {n}", file=f"clients/Client-{n}.xlsx", model="60/40",
            value=1e6 * rng.random(), cash=1e4 * rng.random(), worst_class="Bonds", drifts=drifts,
            worst_drift=drifts["Bonds"], trades=3, buys=1e4, sells=9e3, cost=3.5, why="outside",
        )
start = time.process_time()
size = len(build_dashboard(Firm(classes=CLASSES), clients=lines(int(sys.argv[1]))))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([time.process_time() - start, size / 2**20, peak]))
"""


def dashboards(counts: Sequence[int]) -> str:
    """Dashboards of so many clients, each in a process of its own."""
    rows = []
    for count in counts:
        seconds, size, peak = fresh(_DASHBOARD, argv=[str(count)])
        rows.append([f"{count:,}", f"{seconds:.1f}", f"{size:.1f}", f"{peak:.0f}"])
    return table(["clients", "s", "MiB", "peak memory of the process, MiB"], rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workbooks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="check that it runs")
    parser.add_argument("--dashboard", nargs="+", type=int, metavar="N", help="of N clients")
    asked = parser.parse_args()
    if asked.dashboard:
        raise SystemExit(print(dashboards(asked.dashboard)))
    section = measure(quick=asked.quick)
    print(section.text)
    for result in section.results:
        print(f"{result.work}: {result.measured} (budget {result.budget})")
