"""What is made when all clients are done: lists, blocks, order files, dashboard; streamed from the notes."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from xl_rebal.batch.folder import OutFile, RunFolder
from xl_rebal.batch.pages import DASHBOARD
from xl_rebal.batch.records import Record
from xl_rebal.batch.settings import BatchSettings, Outside
from xl_rebal.custodians.holdings_csv import cell_text
from xl_rebal.custodians.orders import (
    Consent,
    OrderWriter,
    Sending,
    Sent,
    Unsendable,
    Why,
    blocks_csv,
    read_line,
    record_export,
    unsendable_csv,
)
from xl_rebal.trading.blocks import Block, BlockBuilder, Blocks
from xl_rebal.trading.order import decimal_text
from xl_rebal.trading.plan import Action
from xl_rebal.workbooks.dashboard import Firm, build_dashboard
from xl_rebal.workbooks.dashboard_lines import BlockLine, ClientLine, FailedLine, UnsendableLine

TRADES, FAILED, CLIENTS = "trades.csv", "failed.csv", "clients.csv"
ORDERS = "orders"
_NOT_YET = (Why.CONSENT, Why.HELD_AWAY, Why.MASKED)  # not to be traded; the others may go by hand
_ALLOCATION_COLUMNS = ("block", "account", "symbol", "action", "quantity")
_SHOWN = 20
_TRADE_COLUMNS = (
    "household", "account", "custodian", "symbol", "action", "quantity", "price", "value", "cost",
    "order_type", "limit_price", "time_in_force", "settles", "block", "file",
    "reason",
)  # fmt: skip
_CLIENT_COLUMNS = (
    "household", "name", "model", "mode", "policy", "accounts", "value", "cash", "worst_class",
    "worst_drift", "breaches", "breaches_after", "trades", "buys", "sells", "cost", "tax", "tax_saved",
    "why", "file",
)  # fmt: skip
_FAILED_COLUMNS = ("household", "name", "where", "what", "remedy")


@dataclass(slots=True, kw_only=True)
class Totals:
    """What a run came to, counted while its notes are read."""

    households: int = 0
    accounts: int = 0
    needing_trades: int = 0
    accounts_needing_trades: int = 0
    workbooks: int = 0
    trades: int = 0
    buys: float = 0.0
    sells: float = 0.0
    blocks: int = 0
    unsendable: int = 0
    warnings: list[str] = field(default_factory=list)
    by_model: Counter[str] = field(default_factory=Counter)
    needing_by_model: Counter[str] = field(default_factory=Counter)
    classes: dict[str, None] = field(default_factory=dict)
    failed: list[Record] = field(default_factory=list)
    files: list[OutFile] = field(default_factory=list)

    def count(self, client: Record) -> None:
        """Take a client in."""
        line = client["line"]
        self.accounts += len(client["accounts"])
        self.workbooks += bool(line["file"])
        self.trades += line["trades"]
        self.buys += line["buys"]
        self.sells += line["sells"]
        needs = bool(client["asking"]) or line["trades"] > 0
        self.needing_trades += needs
        self.accounts_needing_trades += len(client["asking"])
        self.by_model[line["model"]] += 1
        self.needing_by_model[line["model"]] += needs
        self.classes.update(dict.fromkeys(line["drifts"]))

    def document(self) -> dict[str, Any]:
        """As the manifest has it."""
        return {
            "households": self.households,
            "accounts": self.accounts,
            "needing_trades": self.needing_trades,
            "accounts_needing_trades": self.accounts_needing_trades,
            "workbooks": self.workbooks,
            "trades": self.trades,
            "buys": round(self.buys, 2),
            "sells": round(self.sells, 2),
            "blocks": self.blocks,
            "unsendable": self.unsendable,
            "warnings": self.warnings,
            "by_model": dict(sorted(self.by_model.items())),
            "needing_by_model": dict(sorted(self.needing_by_model.items())),
            "failed": [
                {"household": each["household"], "reason": each["reason"]} for each in self.failed
            ],
            "files": [each.document() for each in sorted(self.files, key=lambda file: file.path)],
        }


def close_run(
    folder: RunFolder, households: int, settings: BatchSettings, outside: Outside, *, run: str
) -> Totals:
    """Write the files about the whole book from the notes of its chunks; returns what they add up to.

    run  the run's own name, by which the ledger knows what it noted before it was interrupted.

    Orders are noted in the ledger before their files appear. Raises FileError, or PlanError where an
    account of the run has come to wait for other orders meanwhile.
    """
    totals = Totals(households=households)
    for note in _notes(folder):
        totals.files.extend(OutFile(**entry) for entry in note["files"])
        for client in note["records"]["clients"]:
            totals.count(client)
        totals.failed.extend(note["records"]["failed"])
    _lists(folder, totals)
    ordered = _orders(folder, totals, settings, outside, run)
    trades = (_trade_row(each, ordered) for each in _records(folder, "trades"))
    totals.files.append(folder.stream(TRADES, _csv(_TRADE_COLUMNS, trades)))
    _dashboard(folder, totals, settings, ordered)
    return totals


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ordered:
    """What became of the orders.

    block  by account and symbol: the block that an order is part of; without one it must not be traded yet.
    file   by account and symbol: the order file that it stands in.
    files  by custodian and side: the same, the first of several.
    """

    blocks: tuple[Block, ...]
    unsendable: tuple[Unsendable, ...]
    block: Mapping[tuple[str, str], str]
    file: Mapping[tuple[str, str], str]
    files: Mapping[tuple[str, Action], str]


def _lists(folder: RunFolder, totals: Totals) -> None:
    clients = map(_client_row, _records(folder, "clients"))
    totals.files.append(folder.stream(CLIENTS, _csv(_CLIENT_COLUMNS, clients)))
    totals.files.append(folder.stream(FAILED, _csv(_FAILED_COLUMNS, _failed_rows(totals.failed))))
    short = [each["what"] for each in _records(folder, "short")]
    totals.warnings += [
        f"a rise of prices by the buffer would overdraw {each}" for each in short[:_SHOWN]
    ]
    if len(short) > _SHOWN:
        totals.warnings.append(f"and {len(short) - _SHOWN} accounts more like these")


def _orders(
    folder: RunFolder, totals: Totals, settings: BatchSettings, outside: Outside, run: str
) -> _Ordered:
    """Blocks, each custodian's files, and what stands in none."""
    consent = Consent.GIVEN if settings.consent else Consent.HOLD
    writer = OrderWriter(outside.formats, Sending(consent=consent))
    builder = BlockBuilder()
    sent: list[Sent] = []
    unsendable: list[Unsendable] = []
    file: dict[tuple[str, str], str] = {}
    files: dict[tuple[str, Action], str] = {}
    for number, line in enumerate(_records(folder, "orders"), start=1):
        verified = read_line(line, f"orders of the run, line {number}")
        placed = writer.add(verified)
        builder.add(each.order for each in placed.sent)
        builder.add(each.order for each in placed.unsendable if each.why not in _NOT_YET)
        unsendable += placed.unsendable
        for each in placed.sent if settings.orders else ():
            file[each.order.key] = each.file
            files.setdefault((each.order.custodian, each.order.action), each.file)
        if outside.ledger is not None and settings.orders:
            sent += placed.sent
    made = builder.blocks()
    blocks = made.blocks
    if not settings.orders:
        pass  # looked at only: nothing can be sent twice
    elif outside.ledger is not None:
        record_export(outside.ledger, sent, settings.export, run=run)
    elif blocks:
        totals.warnings.append(
            "no ledger was named (--ledger), so nothing keeps these orders from being planned and sent twice"
        )
    for name, data in writer.files().items() if settings.orders else ():
        totals.files.append(folder.write(f"{ORDERS}/{name}", data))
    totals.files.append(folder.write(f"{ORDERS}/blocks.csv", blocks_csv(blocks)))
    totals.files.append(
        folder.stream(f"{ORDERS}/allocations.csv", _csv(_ALLOCATION_COLUMNS, _allocations(made)))
    )
    totals.files.append(folder.write(f"{ORDERS}/unsendable.csv", unsendable_csv(unsendable)))
    totals.blocks, totals.unsendable = len(blocks), len(unsendable)
    if settings.orders:
        totals.warnings += writer.warnings()
    return _Ordered(
        blocks=blocks,
        unsendable=tuple(unsendable),
        block={
            (account, block.symbol): block.block
            for block in blocks
            for account, _ in made.orders_of(block.block)
        },
        file=file,
        files=files,
    )


def _allocations(blocks: Blocks) -> Iterator[Record]:
    """What each account gets of a block that is filled whole; `reconcile` gives out partial fills."""
    for block in blocks.blocks:
        for account, quantity in blocks.orders_of(block.block):
            yield {
                "block": block.block,
                "account": account,
                "symbol": block.symbol,
                "action": block.action.value,
                "quantity": decimal_text(quantity),
            }


def _trade_row(trade: Record, ordered: _Ordered) -> Record:
    key = (trade["account"], trade["symbol"])
    return {
        **trade,
        "quantity": decimal_text(Decimal(repr(trade["quantity"]))),
        "block": ordered.block.get(key, ""),
        "file": ordered.file.get(key, ""),
    }


def _dashboard(
    folder: RunFolder, totals: Totals, settings: BatchSettings, ordered: _Ordered
) -> None:
    """All clients in one workbook, those that need attention most first."""
    lines = sorted(
        (ClientLine(**client["line"]) for client in _records(folder, "clients")),
        key=lambda line: (line.breaches == 0, -abs(line.worst_drift)),
    )
    firm = Firm(
        as_of=settings.as_of,
        settings=f"{settings.policy}, {settings.mode.value.replace('_', ' ')}, for clients without "
        f"their own; costs: {settings.costs or 'none, trading is taken to be free'}",
        classes=tuple(totals.classes),
    )
    data = build_dashboard(
        firm,
        clients=lines,
        blocks=(_block_line(block, ordered.files) for block in ordered.blocks),
        unsendable=map(_unsendable_line, ordered.unsendable),
        failed=(FailedLine(**row) for row in _failed_rows(totals.failed)),
    )
    totals.files.append(folder.write(DASHBOARD, data))


def _block_line(block: Block, files: Mapping[tuple[str, Action], str]) -> BlockLine:
    file = files.get((block.custodian, block.action), "")
    return BlockLine(
        custodian=block.custodian,
        action=block.action.value,
        symbol=block.symbol,
        quantity=float(block.quantity),
        price=float(block.price),
        value=float(block.value),
        accounts=block.orders,
        order=block.order_type.value,
        limit_price=None if block.limit_price is None else float(block.limit_price),
        in_force=block.time_in_force.value,
        wave=block.wave,
        file=f"{ORDERS}/{file}" if file else "",
    )


def _unsendable_line(each: Unsendable) -> UnsendableLine:
    order = each.order
    return UnsendableLine(
        client=order.client,
        account=order.account,
        custodian=order.custodian,
        action=order.action.value,
        symbol=order.symbol,
        quantity=float(order.quantity),
        value=order.value,
        reason=each.what,
        remedy=each.remedy,
    )


def _notes(folder: RunFolder) -> Iterator[dict[str, Any]]:
    return (note for _, note in folder.chunks_on_disk())


def _records(folder: RunFolder, kind: str) -> Iterator[Any]:
    return (record for note in _notes(folder) for record in note["records"][kind])


def _client_row(client: Record) -> Record:
    line: Record = client["line"]
    return {name: round(v, 10) if isinstance(v, float) else v for name, v in line.items()}


def _failed_rows(failed: Iterable[Record]) -> Iterator[Record]:
    """A line for each thing that is wrong, so that a list can be worked off."""
    for each in failed:
        for fault in each["faults"]:
            yield {"household": each["household"], "name": each["name"], **fault}


def _csv(columns: Sequence[str], rows: Iterable[Record]) -> Iterator[bytes]:
    """Lines of a CSV for people: text that a spreadsheet would take for a formula gets an apostrophe."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
        if stream.tell() > 1 << 16:
            yield stream.getvalue().encode()
            stream.seek(0)
            stream.truncate()
    yield stream.getvalue().encode()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return cell_text(value) if isinstance(value, str) else value
