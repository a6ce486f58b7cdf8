"""What is made when all clients are done: lists, blocks, order files, dashboard; streamed from the notes."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from xl_rebal.batch.folder import OutFile, RunFolder
from xl_rebal.batch.records import Record
from xl_rebal.batch.settings import BatchSettings, Outside
from xl_rebal.custodians.holdings_csv import cell_text
from xl_rebal.custodians.orders import (
    Consent,
    OrderWriter,
    Sending,
    Sent,
    Unsendable,
    blocks_csv,
    read_line,
    record_export,
    unsendable_csv,
)
from xl_rebal.trading.blocks import BlockBuilder

TRADES, FAILED, CLIENTS = "trades.csv", "failed.csv", "clients.csv"
ORDERS = "orders"
_SHOWN = 20
_TRADE_COLUMNS = (
    "household", "account", "custodian", "symbol", "action", "quantity", "price", "value", "cost",
    "order_type", "limit_price", "time_in_force", "settles", "reason",
)  # fmt: skip
_CLIENT_COLUMNS = (
    "household", "name", "model", "mode", "policy", "base", "cash", "worst_class", "worst_drift",
    "breaches", "trades", "buys", "sells", "cost", "tax", "tax_saved", "why", "file",
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
    failed: list[Record] = field(default_factory=list)
    files: list[OutFile] = field(default_factory=list)

    def count(self, client: Record) -> None:
        """Take a client in."""
        self.accounts += len(client["accounts"])
        self.workbooks += bool(client["file"])
        self.trades += client["trades"]
        self.buys += client["buys"]
        self.sells += client["sells"]
        needs = bool(client["asking"]) or client["trades"] > 0
        self.needing_trades += needs
        self.accounts_needing_trades += len(client["asking"])
        model = " + ".join(client["models"])
        self.by_model[model] += 1
        self.needing_by_model[model] += needs

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
    folder: RunFolder, households: int, settings: BatchSettings, outside: Outside
) -> Totals:
    """Write the files about the whole book from the notes of its chunks; returns what they add up to.

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
    _orders(folder, totals, settings, outside)
    return totals


def _lists(folder: RunFolder, totals: Totals) -> None:
    clients = map(_client_row, _records(folder, "clients"))
    totals.files.append(folder.stream(CLIENTS, _csv(_CLIENT_COLUMNS, clients)))
    totals.files.append(folder.stream(TRADES, _csv(_TRADE_COLUMNS, _records(folder, "trades"))))
    totals.files.append(folder.stream(FAILED, _csv(_FAILED_COLUMNS, _failed_rows(totals.failed))))
    short = [each["what"] for each in _records(folder, "short")]
    totals.warnings += [
        f"a rise of prices by the buffer would overdraw {each}" for each in short[:_SHOWN]
    ]
    if len(short) > _SHOWN:
        totals.warnings.append(f"and {len(short) - _SHOWN} accounts more like these")


def _orders(folder: RunFolder, totals: Totals, settings: BatchSettings, outside: Outside) -> None:
    """Blocks, each custodian's files, and what stands in none."""
    consent = Consent.GIVEN if settings.consent else Consent.HOLD
    writer = OrderWriter(outside.formats, Sending(consent=consent))
    builder = BlockBuilder()
    sent: list[Sent] = []
    unsendable: list[Unsendable] = []
    for number, line in enumerate(_records(folder, "orders"), start=1):
        verified = read_line(line, f"orders of the run, line {number}")
        placed = writer.add(verified)
        builder.add(each.order for each in placed.sent)
        unsendable += placed.unsendable
        if outside.ledger is not None:
            sent += placed.sent
    blocks = builder.blocks().blocks
    if outside.ledger is not None:
        record_export(outside.ledger, sent, settings.export)
    elif blocks:
        totals.warnings.append(
            "no ledger was named (--ledger), so nothing keeps these orders from being planned and sent twice"
        )
    for name, data in writer.files().items():
        totals.files.append(folder.write(f"{ORDERS}/{name}", data))
    totals.files.append(folder.write(f"{ORDERS}/blocks.csv", blocks_csv(blocks)))
    totals.files.append(folder.write(f"{ORDERS}/unsendable.csv", unsendable_csv(unsendable)))
    totals.blocks, totals.unsendable = len(blocks), len(unsendable)
    totals.warnings += writer.warnings()


def _notes(folder: RunFolder) -> Iterator[dict[str, Any]]:
    return (note for _, note in folder.chunks_on_disk())


def _records(folder: RunFolder, kind: str) -> Iterator[Any]:
    return (record for note in _notes(folder) for record in note["records"][kind])


def _client_row(client: Record) -> Record:
    worst = max(client["classes"], key=lambda row: abs(row["drift"]), default=None)
    return {
        **client,
        "model": " + ".join(client["models"]),
        "worst_class": worst["asset_class"] if worst else "",
        "worst_drift": worst["drift"] if worst else 0.0,
        "breaches": len(client["breaches"]),
    }


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
