"""Client Reports of an adviser's book: the run of a batch on the tables of the open workbook.

It plans every client as `xl-rebal batch` does, and writes a workbook for each and the dashboard into a folder
of its own. It writes no order files: `xl-rebal batch --ledger` does, and notes what was exported.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from xl_rebal.batch.book_sources import SheetTable, Sources, sources_of_tables
from xl_rebal.batch.closing import TRADES
from xl_rebal.batch.folder import RunFolder
from xl_rebal.batch.local_engine import LocalEngine
from xl_rebal.batch.pages import DASHBOARD
from xl_rebal.batch.run import BatchOptions, run_batch
from xl_rebal.batch.settings import BatchSettings, Outside
from xl_rebal.costs import parse_costs
from xl_rebal.custodians.book_tables import HOLDINGS, TABLES, defined_name
from xl_rebal.custodians.sheets import as_text
from xl_rebal.errors import FaultList, PlanError, RebalError, TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.book_inputs import refuse_row_below
from xl_rebal.excel.changes import Body, Change
from xl_rebal.excel.macro import MacroError, Outcome, Settings
from xl_rebal.excel.order_file import ledger_of
from xl_rebal.excel.ranges import CellError
from xl_rebal.excel.workbook import Content, Workbook, find_table
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.accounts import PlanMode, plan_mode
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.trading.price_moves import PRICE_MOVE

T = TypeVar("T")
NEEDED = ("accounts", HOLDINGS, "models")
TRADES_TABLE = "tblTrades"
_FAILED = 10  # clients that the message names
_NUMBERS = frozenset({"quantity", "price", "value", "cost", "limitprice"})


def is_book(book: Workbook) -> bool:
    """True for a workbook with the tables of a whole book."""
    return all(find_table(book, defined_name(name)) is not None for name in NEEDED)


def book_reports(book: Workbook, settings: Settings) -> Outcome:
    """Run the book; the folder is named as the file that was chosen, without its ending."""
    assert settings.file is not None
    sources, asked = book_sources(book), asked_of(book)
    out = settings.file.with_suffix("")
    again = RunFolder(path=out).holds_a_run() if out.is_dir() else False
    if (
        again
        and not settings.overwrite
        and not book.ask(f"{out.name} holds the reports of an earlier run. Replace them?")
    ):
        raise MacroError.of(
            where=out.name,
            what="holds the reports of an earlier run, which were kept",
            remedy="press the button again and choose another name, or replace them",
        )

    def told(done: int, of: int) -> None:
        book.progress(f"Client Reports {done} of {of} …")

    manifest = run_batch(
        sources,
        out,
        asked,
        LocalEngine(workers=1),
        BatchOptions(overwrite=again),
        Outside(ledger=ledger_of(settings.plans)),
        told=told,
    )
    if manifest["failed"] and len(manifest["failed"]) == manifest["households"]:
        raise PlanError.of(
            where="Client Reports",
            what="no client could be planned: "
            + " | ".join(_failed(each) for each in manifest["failed"][:_FAILED]),
            remedy=f"mend these and press the button again; {out.name} holds the list",
        )
    return _outcome(book, out, manifest)


def book_sources(book: Workbook) -> Sources:
    """The tables of the workbook; every cell that shows an error is refused, all together."""
    faults = FaultList()
    found: dict[str, SheetTable] = {}
    for name in (HOLDINGS, *TABLES):
        table = find_table(book, defined_name(name))
        if table is None:
            continue
        area = table.area.with_rows(table.area.rows - int(table.totals))
        rows = book.values(area)
        for down, row in enumerate(rows):
            for index, cell in enumerate(row):
                if isinstance(cell, CellError):
                    faults.add(
                        where=f"{table.name} row {down + 1}, {cells.text(rows[0][index])}",
                        what=f"shows {cell}",
                        remedy="correct it, or clear the cell",
                    )
        refuse_row_below(book, table, table.name, faults)
        found[name] = SheetTable(
            sheet=area.sheet, row=area.row, rows=[[_cell(cell) for cell in row] for row in rows]
        )
    faults.raise_as(TableError)
    return sources_of_tables(book.name, found)


def _cell(cell: Content) -> Any:
    return "" if cell is None else cell


def asked_of(book: Workbook) -> BatchSettings:
    """The switches of the run: named cells of sheet Start; a blank or absent one means the usual."""
    faults = FaultList()
    at = _Switches(book=book, faults=faults)
    asked = BatchSettings(
        policy=at.read("BookPolicy", _policy, "5pp"),
        mode=at.read("BookMode", lambda cell: plan_mode(cells.text(cell)), PlanMode.RULES),
        costs=at.read("BookCosts", _costs, None),
        min_trade=at.read("BookSmallestTrade", _money, 0.0),
        max_turnover=at.read("BookTurnover", _share, None),
        price_move=at.read("BookRise", _share, PRICE_MOVE),
        orders=False,
    )
    faults.raise_as(TableError)
    return asked


@dataclass(frozen=True, slots=True, kw_only=True)
class _Switches:
    book: Workbook
    faults: FaultList

    def read(self, name: str, read: Callable[[Any], T], usual: T) -> T:
        """What a named cell says."""
        area = self.book.named_area(name)
        cell = self.book.values(area.with_rows(1))[0][0] if area is not None else None
        if area is None or cells.is_blank(cell):
            return usual
        where = f"{name} ({area.sheet}!{area.ref.partition(':')[0]})"
        try:
            ranges.refuse_error(cell, where)
            return read(cell)
        except RebalError as error:
            for fault in error.faults:
                self.faults.add(where=where, what=fault.what, remedy=fault.remedy)
        except ValueError as error:
            what, _, remedy = str(error).partition("; ")
            self.faults.add(where=where, what=what, remedy=remedy)
        return usual


def _policy(cell: Any) -> str:
    text = ranges.policy_text([[cell]])
    parse_policy(text)
    return text


def _costs(cell: Any) -> str:
    text = cells.text(cell)
    parse_costs(text)
    return text


def _money(cell: Any) -> float:
    number = cells.number(cell)
    if number < 0:
        raise ValueError(f"{number:,.10g} is negative; enter zero or more")
    return number


def _share(cell: Any) -> float:
    share = cells.fraction(cell)
    if not 0 <= share < 1:
        raise ValueError(f"{share:g} is no share; enter a percentage such as 1%")
    return share


def _outcome(book: Workbook, out: Path, manifest: Mapping[str, Any]) -> Outcome:
    failed = manifest["failed"]
    trades, held_back = sendable_trades(out)
    table = find_table(book, TRADES_TABLE)
    changes: tuple[Change, ...] = ()
    lines = [
        f"{manifest['workbooks']} of {manifest['households']} clients have a workbook in folder {out.name}; "
        f"{manifest['needing_trades']} need trades",
        f"{out.name}/{DASHBOARD} shows them all; press Client Reports again to bring it up to date",
    ]
    warnings = list(manifest["warnings"])
    if table is not None:
        columns = [cells.text(cell) for cell in book.values(table.header)[0]]
        changes = (Body(table=table, rows=trade_rows(columns, trades)),)
        lines.append(f"{len(trades)} trades written to sheet {table.area.sheet}")
    if held_back:
        lines.append(
            f"{held_back} more must not be sent yet (held away, masked, or the client's word is missing): "
            f"{out.name}/orders/unsendable.csv"
        )
    lines.append("order files: xl-rebal batch with --ledger")
    warnings += [f"not planned: {_failed(each)}" for each in failed[:_FAILED]]
    if len(failed) > _FAILED:
        warnings.append(f"and {len(failed) - _FAILED} more: {out.name}/failed.csv")
    return Outcome(
        lines=tuple(lines),
        warnings=tuple(warnings),
        changes=changes,
        document={
            "folder": out.name,
            "reports": [e["path"] for e in manifest["files"] if e["path"].endswith(".xlsx")],
            "failed": [{"client": e["household"], "reason": e["reason"]} for e in failed],
            "households": manifest["households"],
            "needing_trades": manifest["needing_trades"],
            "trades": len(trades),
        },
    )


def _failed(each: Mapping[str, Any]) -> str:
    return f"{each['household']}: {each['reason']}"


def sendable_trades(out: Path) -> tuple[list[dict[str, str]], int]:
    """The run's trades that stand in a block, and how many stand in none."""
    with (out / TRADES).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    sendable = [row for row in rows if row["block"]]
    return sendable, len(rows) - len(sendable)


def trade_rows(columns: Sequence[str], trades: Sequence[Mapping[str, str]]) -> list[list[Any]]:
    """Rows of a table of trades; columns that a trade does not have stay blank."""
    header = [tables.header_key(name) for name in columns]
    found: list[list[Any]] = []
    for trade in trades:
        by_key = {tables.header_key(name): text for name, text in trade.items()}
        found.append([_content(key, by_key.get(key, "")) for key in header])
    return found or [[None] * len(header)]


def _content(key: str, text: str) -> Content:
    if not text:
        return None
    return float(text) if key in _NUMBERS else as_text(text)
