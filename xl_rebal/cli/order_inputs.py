"""What the command `reconcile` is given and finds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from xl_rebal.cli.inputs import read_map
from xl_rebal.custodians import Told, read_positions
from xl_rebal.custodians.input_tables import read_table
from xl_rebal.custodians.orders.block_files import allocations_csv
from xl_rebal.custodians.orders.ledger import (
    LEDGER,
    LedgerState,
    read_ledger,
    record_done,
    record_release,
    require_new,
)
from xl_rebal.custodians.orders.reconciling import FILLS, Reconciled, by_fills, by_positions
from xl_rebal.errors import FileError
from xl_rebal.excel import plan_store
from xl_rebal.files import check_target, write_atomically
from xl_rebal.trading.allocation import Allocation

_SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileOptions:
    """The options of `reconcile`, as they were typed."""

    fills: Path | None = None
    holdings: Path | None = None
    account_map: Path | None = None
    release: tuple[str, ...] = ()
    ledger: Path | None = None
    out: Path | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The ledger before and after, and what was allocated."""

    before: LedgerState
    after: LedgerState
    released: tuple[str, ...]
    allocations: tuple[Allocation, ...]
    warnings: tuple[str, ...]

    @property
    def free(self) -> tuple[str, ...]:
        """Accounts that were waiting and may be planned again."""
        waiting = set(self.after.accounts())
        return tuple(name for name in self.before.accounts() if name not in waiting)


def reconcile(options: ReconcileOptions) -> Found:
    """Note fills, new positions and releases in the ledger, in this order; raises RebalError."""
    path = options.ledger if options.ledger is not None else plan_store.folder() / LEDGER
    if options.ledger is not None and not path.is_file():
        raise FileError.of(
            where=path.name, what="is no ledger that is there", remedy="name the file orders.jsonl"
        )
    if options.out is not None:
        check_target(options.out, overwrite=options.overwrite)
    before = state = read_ledger(path)
    allocations: tuple[Allocation, ...] = ()
    warnings: list[str] = []
    if options.fills is not None:
        rows = read_table(options.fills, FILLS)
        source = hashlib.sha256(options.fills.read_bytes()).hexdigest()[:16]
        require_new(state, source)
        made = by_fills(state, rows)
        allocations = made.allocations
        if options.out is not None:
            write_atomically(options.out, allocations_csv(allocations), overwrite=options.overwrite)
        state = _noted(path, state, made, source)
        warnings += made.warnings
    if options.holdings is not None:
        known = read_map(options.account_map)
        statement = read_positions(options.holdings, told=Told(account_map=known))
        made = by_positions(state, statement.holdings)
        state = _noted(path, state, made, "")
        warnings += [*statement.warnings, *made.warnings]
    released: tuple[str, ...] = ()
    if options.release:
        released = _accounts(state, options.release)
        state = record_release(path, released)
    return Found(
        before=before,
        after=state,
        released=released,
        allocations=allocations,
        warnings=tuple(warnings),
    )


def _accounts(state: LedgerState, names: Sequence[str]) -> tuple[str, ...]:
    """Accounts, and those that wait for an export that is named."""
    found: dict[str, None] = {}
    for name in names:
        waiting = (
            [] if state.of(name) else [a for a in state.accounts() if state.exported(a) == name]
        )
        found.update(dict.fromkeys(waiting or [name]))
    return tuple(found)


def _noted(path: Path, state: LedgerState, made: Reconciled, source: str) -> LedgerState:
    return record_done(path, made.done, source) if made.done else state


def document(found: Found) -> dict[str, Any]:
    """The JSON document."""
    return {
        "open": [
            {
                "account": each.order.account,
                "symbol": each.order.symbol,
                "action": each.order.action.value,
                "ordered": float(each.order.quantity),
                "filled": float(each.filled),
                "left": float(each.left),
                "export": each.export,
                "file": each.file,
            }
            for each in found.after.all()
        ],
        "free": list(found.free),
        "released": list(found.released),
        "allocations": [
            {
                "account": each.account,
                "symbol": each.symbol,
                "action": each.action.value,
                "ordered": float(each.ordered),
                "quantity": float(each.quantity),
                "price": float(each.price),
                "amount": float(each.amount),
            }
            for each in found.allocations
        ],
        "warnings": list(found.warnings),
    }


def in_words(found: Found) -> list[str]:
    """What a person is shown."""
    lines = [
        f"account {each.account}: {each.action} {each.quantity:f} of {each.ordered:f} {each.symbol} at "
        f"{each.price:f}, {each.amount:,.2f}"
        for each in found.allocations[:_SHOWN]
    ]
    if len(found.allocations) > _SHOWN:
        lines.append(f"and {len(found.allocations) - _SHOWN} allocations more (--out, --json)")
    if found.free:
        shown = ", ".join(found.free[:_SHOWN])
        more = f" and {len(found.free) - _SHOWN} more" if len(found.free) > _SHOWN else ""
        lines.append(f"reconciled, and may be planned again: account {shown}{more}")
    waiting = found.after.accounts()
    for account in waiting[:_SHOWN]:
        orders = [each for each in found.after.of(account) if each.left > Decimal(0)]
        words = ", ".join(f"{o.order.action} {o.left:f} {o.order.symbol}" for o in orders)
        lines.append(f"account {account} waits for export {found.after.exported(account)}: {words}")
    if len(waiting) > _SHOWN:
        lines.append(f"and {len(waiting) - _SHOWN} accounts more that wait (--json)")
    return lines or ["no exported orders are open"]
