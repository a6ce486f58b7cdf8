"""Export Orders: a verified plan as order files, one set per custodian, and its entry in the ledger."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from xl_rebal.custodians.orders import (
    LEDGER,
    Consent,
    LedgerState,
    OrderFiles,
    OrderFormats,
    Sending,
    by_positions,
    load_formats,
    orders_of_plans,
    read_ledger,
    record_done,
    record_export,
    record_release,
    write_orders,
)
from xl_rebal.custodians.orders.formats import GENERIC
from xl_rebal.custodians.orders.writing import in_one_account
from xl_rebal.errors import Fault, FaultList, PlanError, RebalError, TableError
from xl_rebal.excel import plan_store, ranges
from xl_rebal.excel.book_inputs import Asked
from xl_rebal.excel.plan_store import StoredPlan
from xl_rebal.excel.workbook import Workbook, find_table
from xl_rebal.files import check_target, write_atomically
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.tables import Column, TableSpec
from xl_rebal.rebalance import Rebalancing, Refused
from xl_rebal.trading.price_moves import ShortOfCash, shortages
from xl_rebal.workbooks import template_example

FORMATS_TABLE = "tblOrderFormats"
FORMATS_FOLDER = "order-formats"  # beside the plans: the user's own formats
_FORMATS = TableSpec(
    name="order formats",
    may_be_empty=True,
    columns=(
        Column(name="custodian", required=True),
        Column(name="format", required=True, synonyms=("order format", "file format")),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What an export comes to, before anything is written.

    paths     where each of its files goes.
    again     accounts whose orders of this very plan were exported before.
    short     accounts that a rise of prices would overdraw.
    ledger    where the export is noted.
    """

    plan_id: str
    made: OrderFiles
    paths: Mapping[str, Path]
    again: tuple[str, ...]
    short: tuple[ShortOfCash, ...]
    ledger: Path

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user has to know of it."""
        repeated = tuple(
            f"account {name}: the orders of plan {self.plan_id} were exported before; who sends both files "
            "trades twice"
            for name in self.again
        )
        rises = tuple(
            f"{each.in_words()}; keep a reserve for it, or send limit orders" for each in self.short
        )
        return (*repeated, *rises, *in_one_account(self.made.unsendable), *self.made.warnings)


def ledger_of(plans: Path | None) -> Path:
    """The ledger that belongs to a folder of plans."""
    return plan_store.folder(plans) / LEDGER


def require_no_open_orders(plans: Path | None, accounts: Iterable[str]) -> None:
    """Raise PlanError naming the accounts whose exported orders are not reconciled."""
    state = read_ledger(ledger_of(plans))
    faults = FaultList()
    for account in dict.fromkeys(accounts):
        faults.extend(_refusal(state, account))
    faults.raise_as(PlanError)


def without_waiting(result: Rebalancing, plans: Path | None) -> Rebalancing:
    """The same plans, but none for an account whose exported orders are not reconciled: it is refused."""
    state = read_ledger(ledger_of(plans))
    waiting = [
        Refused(account=account, error=PlanError(*faults))
        for account in result.book.holdings.accounts()
        if (faults := _refusal(state, account))
    ]
    if not waiting:
        return result
    names = {each.account for each in waiting}
    place = {name: index for index, name in enumerate(result.book.holdings.accounts())}
    refused = [each for each in result.refused if each.account not in names] + waiting
    return replace(
        result,
        plans=tuple(plan for plan in result.plans if plan.account not in names),
        refused=tuple(sorted(refused, key=lambda each: place[each.account])),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What new positions say of exported orders."""

    lines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def reconcile_positions(plans: Path | None, holdings: Holdings) -> Seen:
    """Note what new positions show of the orders that are open."""
    ledger = ledger_of(plans)
    before = read_ledger(ledger)
    made = by_positions(before, holdings)
    after = record_done(ledger, made.done, "") if made.done else before
    free = [name for name in before.accounts() if not after.of(name)]
    named = set(holdings.accounts())
    waiting = [name for name in after.accounts() if name in named]
    lines = [f"the exported orders of account {name} are done" for name in free]
    lines += [after.refusal(name) for name in waiting]
    return Seen(lines=tuple(lines), warnings=made.warnings)


def formats_of(book: Workbook, plans: Path | None) -> OrderFormats:
    """The user's formats and the shipped ones, and which the workbook's table gives each custodian."""
    own = plan_store.folder(plans) / FORMATS_FOLDER
    formats = load_formats([own] if own.is_dir() else [])
    table = find_table(book, FORMATS_TABLE)
    grid = ranges.grid(book.values(table.area)) if table is not None else []
    if len(grid) < 2:
        return formats
    faults = FaultList()
    for row in ranges.table(grid, _FORMATS, FORMATS_TABLE):
        found = formats.of(row["format"])
        if found is None:
            faults.add(
                where=f"{FORMATS_TABLE} row {row['row']}",
                what=f"there is no order format {row['format']!r}",
                remedy=f"use one of {', '.join(formats.names())}",
            )
            continue
        chosen = replace(found, custodians=(*found.custodians, row["custodian"]))
        others = tuple(each for each in formats.formats if each.name != found.name)
        formats = OrderFormats(formats=(chosen, *others))
    faults.raise_as(TableError)
    return formats


def prepare(
    stored: StoredPlan,
    plan_id: str,
    what: Asked,
    formats: OrderFormats,
    target: Path,
    plans: Path | None,
) -> Export:
    """The order files of a plan, which the verifier checks once more; nothing is written yet.

    Accounts that name no custodian go into the plain list of orders.

    Raises PlanError where there is nothing to send, or nothing can be sent.
    """
    _require_orders(stored, plan_id)
    sending = Sending(consent=Consent.GIVEN, no_custodian=GENERIC)
    verified = orders_of_plans(what.book, what.request, stored.plans, plan_id=plan_id)
    made = write_orders([verified], formats, sending)
    if not made.sent:
        raise PlanError(*(_fault(line) for line in in_one_account(made.unsendable)))
    ledger = ledger_of(plans)
    state = read_ledger(ledger)
    accounts = dict.fromkeys(each.order.account for each in made.sent)
    return Export(
        plan_id=plan_id,
        made=made,
        paths=_paths(made, target),
        again=tuple(name for name in accounts if (plan_id, name) in state.exports),
        short=shortages(stored.plans),
        ledger=ledger,
    )


def write(export: Export, *, overwrite: bool) -> None:
    """Note the export, then write its files: all of them, or none, and then nothing is noted."""
    for path in export.paths.values():
        check_target(path, overwrite=overwrite)
    sent = [replace(each, file=export.paths[each.file].name) for each in export.made.sent]
    waiting = set(read_ledger(export.ledger).accounts())
    record_export(export.ledger, sent, export.plan_id)
    written: list[Path] = []
    try:
        for name, path in export.paths.items():
            there = path.exists()
            write_atomically(path, export.made.files[name], overwrite=overwrite)
            if not there:
                written.append(path)
    except RebalError:
        for path in written:
            with contextlib.suppress(OSError):
                path.unlink()
        accounts = dict.fromkeys(each.order.account for each in sent)
        new = [name for name in accounts if name not in waiting]
        if new:
            record_release(export.ledger, new)
        raise


def _paths(made: OrderFiles, target: Path) -> dict[str, Path]:
    """The file that was asked for when there is one plain list; else files named after it."""
    plain = f"{GENERIC}-orders.csv"
    if list(made.files) == [plain]:
        return {plain: target}
    return {
        name: target.with_name(f"{target.stem}-{name.replace('-orders', '', 1)}")
        for name in made.files
    }


def _require_orders(stored: StoredPlan, plan_id: str) -> None:
    accounts = dict.fromkeys(t.account for t in stored.trades())
    if not accounts:
        raise PlanError.of(
            where=f"plan {plan_id}",
            what="has no trades, so there is nothing to send",
            remedy="an empty order file is not written",
        )
    if template_example.ACCOUNT in accounts:
        raise PlanError.of(
            where=f"account {template_example.ACCOUNT}",
            what="is the invented account of the template",
            remedy="import or paste the client's positions",
        )


def _refusal(state: LedgerState, account: str) -> list[Fault]:
    text = state.refusal(account)
    return [_fault(text)] if text else []


def _fault(line: str) -> Fault:
    where, _, rest = line.partition(": ")
    what, _, remedy = rest.partition("; ")
    return Fault(where=where, what=what, remedy=remedy)
