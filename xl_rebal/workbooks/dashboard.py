"""The firm's dashboard: all clients in one workbook, with links to theirs, written in one pass."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import TypeVar

from xl_rebal.files import write_atomically
from xl_rebal.workbooks.cells import Content, Formula
from xl_rebal.workbooks.dashboard_layout import (
    BLOCKS,
    BUCKETS,
    CARD_SLOTS,
    FAILED,
    LISTS,
    MODELS,
    UNSENDABLE,
    WHY_WIDTH,
    class_headers,
    clients_block,
    dashboard_layouts,
)
from xl_rebal.workbooks.dashboard_lines import BlockLine, ClientLine, FailedLine, UnsendableLine
from xl_rebal.workbooks.layout import Block, SheetContents, TableContents, blank_row, table_of
from xl_rebal.workbooks.stamp import Stamp, Streamed

CHUNK = 500  # lines whose XML is held at a time
LINK_CHARACTERS = 255  # HYPERLINK takes no longer texts
_EDGES = (0.0, 0.01, 0.02, 0.03, 0.05, 0.10, 10.0)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """What the dashboard says of the run.

    classes  the classes that get a column of drift, in this order; a client's other classes have none.
    """

    name: str = "Rebalancing dashboard"
    as_of: dt.date | None = None
    settings: str = ""
    classes: Sequence[str] = ()


def write_dashboard(
    path: Path | str,
    firm: Firm,
    *,
    clients: Iterable[ClientLine],
    blocks: Iterable[BlockLine] = (),
    unsendable: Iterable[UnsendableLine] = (),
    failed: Iterable[FailedLine] = (),
    overwrite: bool = False,
) -> None:
    """Build the dashboard and put it at `path`, whole or not at all."""
    data = build_dashboard(
        firm, clients=clients, blocks=blocks, unsendable=unsendable, failed=failed
    )
    write_atomically(path, data, overwrite=overwrite)


def build_dashboard(
    firm: Firm,
    *,
    clients: Iterable[ClientLine],
    blocks: Iterable[BlockLine] = (),
    unsendable: Iterable[UnsendableLine] = (),
    failed: Iterable[FailedLine] = (),
) -> bytes:
    """The dashboard as .xlsx bytes. The lines are read once; only their compressed form is kept.

    Raises RebalError where there are more lines than a sheet has rows.
    """
    stamp = Stamp(dashboard_layouts(firm.classes))
    totals = _Totals()
    block = clients_block(firm.classes)
    headers = class_headers(firm.classes)

    def client_rows(lines: Sequence[ClientLine]) -> TableContents:
        numbers = [totals.count(line) for line in lines]
        return _client_rows(block, headers, firm.classes, lines, numbers)

    def block_rows(lines: Sequence[BlockLine]) -> TableContents:
        totals.add("blocks", len(lines))
        totals.add("block value", math.fsum(line.value for line in lines))
        return _block_rows(lines)

    def unsendable_rows(lines: Sequence[UnsendableLine]) -> TableContents:
        totals.add("unsendable", len(lines))
        totals.add("unsendable value", math.fsum(line.value for line in lines))
        return _unsendable_rows(lines)

    def failed_rows(lines: Sequence[FailedLine]) -> TableContents:
        totals.add("failed", len(lines))
        return _failed_rows(lines)

    sheets = (
        _streamed(clients, client_rows, block, _client_widths(len(headers))),
        _streamed(blocks, block_rows, BLOCKS, _BLOCK_WIDTHS),
        _streamed(unsendable, unsendable_rows, UNSENDABLE, _UNSENDABLE_WIDTHS),
        _streamed(failed, failed_rows, FAILED, _FAILED_WIDTHS),
    )
    return stamp.stream(sheets, lambda: _overview(firm, totals), title=firm.name)


def _streamed(
    lines: Iterable[T],
    rows: Callable[[Sequence[T]], TableContents],
    block: Block,
    widths: tuple[float, ...],
) -> Streamed:
    def chunks() -> Iterator[TableContents]:
        source, found = iter(lines), False
        while chunk := list(islice(source, CHUNK)):
            found = True
            yield rows(chunk)
        if not found:
            yield blank_row(block, {})

    return Streamed(contents=SheetContents(slots={}, tables=(), widths=widths), chunks=chunks())


@dataclass(slots=True)
class _Model:
    """What the clients of one model add up to, in the order of the columns."""

    sums: list[float] = field(default_factory=lambda: [0, 0, 0, 0, 0, 0.0])


@dataclass(slots=True)
class _Totals:
    """What the lines add up to, while they pass."""

    sums: dict[str, float] = field(default_factory=dict)
    models: dict[str, _Model] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(_EDGES) - 1))

    def add(self, slot: str, amount: float) -> None:
        """Add to a card."""
        self.sums[slot] = self.sums.get(slot, 0) + amount

    def count(self, line: ClientLine) -> int:
        """Take a client in; the number of its model."""
        for slot, amount in (
            ("clients", 1),
            ("accounts", line.accounts),
            ("value", line.value),
            ("cash", line.cash),
            ("outside", line.breaches > 0),
            ("outside after", line.breaches_after > 0),
            ("trading", line.trades > 0),
            ("trades", line.trades),
            ("sells", line.sells),
            ("buys", line.buys),
            ("costs", line.cost),
            ("tax", line.tax or 0.0),
            ("saved", line.tax_saved or 0.0),
        ):
            self.add(slot, amount)
        model = self.models.setdefault(line.model, _Model())
        number = self.numbers.setdefault(line.model, len(self.numbers) + 1)
        for k, amount in enumerate(
            (
                1,
                line.breaches > 0,
                line.trades > 0,
                line.breaches,
                line.breaches_after,
                line.value,
            )
        ):
            model.sums[k] += amount
        size = abs(line.worst_drift)
        for k, (low, high) in enumerate(pairwise(_EDGES)):
            self.buckets[k] += low <= size < high
        return number


def _client_rows(
    block: Block,
    headers: Sequence[str],
    classes: Sequence[str],
    lines: Sequence[ClientLine],
    model_numbers: Sequence[int],
) -> TableContents:
    names = [(line.name or line.household)[:LINK_CHARACTERS] for line in lines]
    columns: dict[str, Sequence[Content]] = {
        "Client": names,
        "Household": [line.household for line in lines],
        "Model": [line.model for line in lines],
        "Planned": [line.mode for line in lines],
        "Accounts": [line.accounts for line in lines],
        "Value": [line.value for line in lines],
        "Cash held": [line.cash for line in lines],
        "Cash share": [line.cash / line.value if line.value > 0.005 else 0.0 for line in lines],
        "Largest drift in": [line.worst_class for line in lines],
        "Largest drift": [line.worst_drift for line in lines],
        "Breaches": [line.breaches for line in lines],
        "Breaches after": [line.breaches_after for line in lines],
        "Trades": [line.trades for line in lines],
        "Sells": [line.sells for line in lines],
        "Buys": [line.buys for line in lines],
        "Costs": [line.cost for line in lines],
        "Tax added": [line.tax for line in lines],
        "Less tax": [line.tax_saved for line in lines],
        "Why": [line.why for line in lines],
        "Name": names,
        "File": [_link(line.file) for line in lines],
        "Model no": model_numbers,
        "Size": [abs(line.worst_drift) for line in lines],
    }
    for header, name in zip(headers, classes, strict=True):
        columns[header] = [line.drifts.get(name) for line in lines]
    return table_of(block, columns)


def _link(file: str) -> str:
    if len(file) > LINK_CHARACTERS:
        raise ValueError(f"the path {file!r} is too long for a link")
    return file


def _client_widths(classes: int) -> tuple[float, ...]:
    return (
        *(32, 18, 22, 18, 10, 17, 15, 10, 22, 10, 10, 10),
        *(12,) * classes,
        *(9, 16, 16, 12, 14, 14, WHY_WIDTH, 20, 20, 9, 9),
    )


_BLOCK_WIDTHS: tuple[float, ...] = (8, 16, 9, 16, 14, 13, 18, 11, 10, 13, 10, 40, 20)
_UNSENDABLE_WIDTHS: tuple[float, ...] = (18, 20, 16, 9, 16, 14, 18, 50, 50)
_FAILED_WIDTHS: tuple[float, ...] = (20, 32, 44, 60, 60)


def _block_rows(lines: Sequence[BlockLine]) -> TableContents:
    files = [_link(line.file) for line in lines]
    return table_of(
        BLOCKS,
        {
            "Wave": [line.wave for line in lines],
            "Custodian": [line.custodian for line in lines],
            "Action": [line.action for line in lines],
            "Symbol": [line.symbol for line in lines],
            "Quantity": [line.quantity for line in lines],
            "Price": [line.price for line in lines],
            "Value": [line.value for line in lines],
            "Accounts": [line.accounts for line in lines],
            "Order": [line.order for line in lines],
            "Limit price": [line.limit_price for line in lines],
            "In force": [line.in_force for line in lines],
            "Order file": files,
            "File": files,
        },
    )


def _unsendable_rows(lines: Sequence[UnsendableLine]) -> TableContents:
    return table_of(
        UNSENDABLE,
        {
            "Client": [line.client for line in lines],
            "Account": [line.account for line in lines],
            "Custodian": [line.custodian for line in lines],
            "Action": [line.action for line in lines],
            "Symbol": [line.symbol for line in lines],
            "Quantity": [line.quantity for line in lines],
            "Value": [line.value for line in lines],
            "Reason": [line.reason for line in lines],
            "Remedy": [line.remedy for line in lines],
        },
    )


def _failed_rows(lines: Sequence[FailedLine]) -> TableContents:
    return table_of(
        FAILED,
        {
            "Household": [line.household for line in lines],
            "Client": [line.name for line in lines],
            "Where": [line.where for line in lines],
            "What": [line.what for line in lines],
            "Remedy": [line.remedy for line in lines],
        },
    )


def _overview(firm: Firm, totals: _Totals) -> SheetContents:
    day = f"As of {firm.as_of}" if firm.as_of is not None else "Day unknown"
    slots: dict[str, Content] = {
        "title": firm.name,
        "subtitle": f"{day}. {firm.settings}".strip(),
        **{
            f"to {name}": Formula(f'HYPERLINK("#\'{name}\'!A1","{name} →")', f"{name} →")
            for name in LISTS
        },
        **_cards(totals.sums),
    }
    return SheetContents(
        slots=slots,
        tables=(_models(totals.models), _buckets(totals.buckets)),
        widths=(30.0, 22.0, 22.0, 22.0, 26.0, 26.0, 20.0),
    )


def _cards(sums: Mapping[str, float]) -> dict[str, Content]:
    return {slot: sums.get(slot, 0) for slot in CARD_SLOTS}


def _models(models: Mapping[str, _Model]) -> TableContents:
    if not models:
        return blank_row(MODELS, {})
    headers = MODELS.headers[1:]
    columns: dict[str, Sequence[Content]] = {"Model": [name or "(one model)" for name in models]}
    for k, header in enumerate(headers):
        columns[header] = [model.sums[k] for model in models.values()]
    return table_of(MODELS, columns)


def _buckets(counts: Sequence[int]) -> TableContents:
    labels = [
        f"{low * 100:g} to {high * 100:g} pp" if high < 1 else f"{low * 100:g} pp and more"
        for low, high in pairwise(_EDGES)
    ]
    return table_of(
        BUCKETS,
        {
            "Largest drift": labels,
            "From": list(_EDGES[:-1]),
            "Below": list(_EDGES[1:]),
            "Clients": list(counts),
        },
    )
