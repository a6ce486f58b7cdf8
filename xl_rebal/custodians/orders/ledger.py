"""The ledger of orders that were exported and not reconciled yet: a text file, one JSON line an entry.

An account with open orders is not planned again, since its holdings no longer are what the file says.
Entries are only ever added. They are added in one write before the order files appear: what was cut
short by a crash is no entry, and then no file was written either.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from xl_rebal.custodians.orders.documents import order_document, order_of_document
from xl_rebal.custodians.orders.writing import Sent
from xl_rebal.errors import Fault, FaultList, FileError, PlanError, ReadError
from xl_rebal.trading.order import Order

LEDGER = "orders.jsonl"
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """An order that was exported.

    export   the name of the export: a plan's id, or a run's.
    file     the order file that it stands in.
    filled   units that are known to be done.
    """

    order: Order
    export: str
    file: str
    filled: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal:
        """Units that are not known to be done."""
        return self.order.quantity - self.filled


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """What the entries come to.

    orders   the orders of accounts that wait, by account and by symbol in lower case; those that are done
             stand there too until the last one is.
    exports  (export, account) that were ever recorded.
    runs     (run, account) of the runs that recorded them.
    traded   (export, account) of which something is known to be done.
    sources  sums of the files of fills that were applied.
    """

    orders: Mapping[str, Mapping[str, OpenOrder]] = field(default_factory=dict)
    exports: frozenset[tuple[str, str]] = frozenset()
    runs: frozenset[tuple[str, str]] = frozenset()
    traded: frozenset[tuple[str, str]] = frozenset()
    sources: frozenset[str] = frozenset()

    def of(self, account: str) -> tuple[OpenOrder, ...]:
        """The orders of an account, done or not, while any of them is open."""
        return tuple(self.orders.get(account, {}).values())

    def order(self, account: str, symbol: str) -> OpenOrder | None:
        """The order of a security in an account that waits."""
        return self.orders.get(account, {}).get(symbol.casefold())

    def all(self) -> Iterator[OpenOrder]:
        """The orders of all accounts that wait."""
        return (each for orders in self.orders.values() for each in orders.values())

    def accounts(self) -> tuple[str, ...]:
        """The accounts that are not planned."""
        return tuple(self.orders)

    def exported(self, account: str) -> str:
        """The export that the account waits for; empty for none."""
        found = self.of(account)
        return found[0].export if found else ""

    def refusal(self, account: str) -> str:
        """Why an account is not planned, with the remedy; empty when it may be."""
        found = self.fault(account)
        return "" if found is None else str(found)

    def faults_of_run(self, export: str, run: str) -> dict[str, Fault]:
        """Account -> why a run must not plan it; what the run itself recorded before it was interrupted
        stands in no way.

        Besides orders that are open: the same export, so the same book, whose orders were done. To plan
        it once more would trade twice.
        """
        found = {
            account: fault
            for account in self.orders
            if (run, account) not in self.runs and (fault := self.fault(account)) is not None
        }
        for name, account in sorted(self.traded):
            if name == export and account not in self.orders and (run, account) not in self.runs:
                found[account] = Fault(
                    where=f"account {account}",
                    what=f"orders of export {export} were done, and the book is still the one that they "
                    "were planned from",
                    remedy="bring the positions of the book up to date",
                )
        return found

    def fault(self, account: str) -> Fault | None:
        """Why an account is not planned; None when it may be."""
        found = self.of(account)
        if not found:
            return None
        waiting = [each for each in found if each.left > 0]
        words = ", ".join(
            f"{each.order.action} {each.left:f} {each.order.symbol}" for each in waiting[:_SHOWN]
        )
        more = f" and {len(waiting) - _SHOWN} more" if len(waiting) > _SHOWN else ""
        return Fault(
            where=f"account {account}",
            what=f"orders of export {found[0].export} are not reconciled ({words}{more})",
            remedy="xl-rebal reconcile FILLS, or --holdings with new positions; if they were not sent or "
            f"lapsed: xl-rebal reconcile --release {account}",
        )


def read_ledger(path: Path | str) -> LedgerState:
    """What a ledger says; an empty state where there is no file. Raises FileError or ReadError."""
    target = Path(path)
    try:
        data = target.read_bytes()
    except FileNotFoundError:
        return LedgerState()
    except OSError as error:
        raise _unusable(target, error) from None
    return _replayed(data, target.name)


def require_free(state: LedgerState, accounts: Iterable[str]) -> None:
    """Raise PlanError naming every account that has orders which are not reconciled."""
    faults = FaultList()
    for account in accounts:
        if (fault := state.fault(account)) is not None:
            faults.extend([fault])
    faults.raise_as(PlanError)


def record_export(path: Path | str, sent: Iterable[Sent], export: str, *, run: str = "") -> None:
    """Note orders as exported, before their files are written.

    run  name of the run that exports, which stays its own when it is interrupted and goes on: what it
         noted before is not noted twice. Without it the same holds for an export of the same name.

    Raises PlanError where an account waits for other orders; nothing is noted then.
    """
    accounts: dict[str, list[Sent]] = {}
    for each in sent:
        accounts.setdefault(each.order.account, []).append(each)
    with _opened(Path(path)) as (stream, state):
        new = [
            account
            for account in accounts
            if ((run, account) not in state.runs if run else state.exported(account) != export)
        ]
        require_free(state, new)
        _append(
            stream,
            [
                {
                    "entry": "export",
                    "export": export,
                    "run": run,
                    "account": account,
                    "orders": [
                        {**order_document(each.order), "file": each.file}
                        for each in accounts[account]
                    ],
                }
                for account in new
            ],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What is known to be done of an open order: units in all, and where that is known from."""

    account: str
    symbol: str
    filled: Decimal
    price: Decimal | None = None


def record_done(path: Path | str, done: Sequence[Done], source: str) -> LedgerState:
    """Note what was done of open orders; returns the new state.

    source  the sum of the file that says so, so that it is not counted twice; empty for positions.
    """
    with _opened(Path(path)) as (stream, state):
        require_new(state, source)
        entry = {
            "entry": "done",
            "source": source,
            "orders": [
                {
                    "account": each.account,
                    "symbol": each.symbol,
                    "filled": f"{each.filled:f}",
                    "price": None if each.price is None else f"{each.price:f}",
                }
                for each in done
            ],
        }
        _append(stream, [entry])
        stream.seek(0)
        return _replayed(stream.read(), Path(path).name)


def require_new(state: LedgerState, source: str) -> None:
    """Raise PlanError for a file of fills that was applied already."""
    if source and source in state.sources:
        raise PlanError.of(
            where="fills",
            what="this file was applied already",
            remedy="nothing is left to do; a file with more fills must hold the new ones only",
        )


def record_release(path: Path | str, accounts: Sequence[str]) -> LedgerState:
    """Note that what is left of accounts' orders will not be done; returns the new state.

    Raises PlanError naming the accounts that have no open orders.
    """
    with _opened(Path(path)) as (stream, state):
        faults = FaultList()
        for account in accounts:
            if not state.of(account):
                faults.add(
                    where=f"account {account}",
                    what="has no open orders",
                    remedy=f"accounts that have: {', '.join(state.accounts()[:_SHOWN]) or 'none'}",
                )
        faults.raise_as(PlanError)
        _append(stream, [{"entry": "release", "account": account} for account in accounts])
        stream.seek(0)
        return _replayed(stream.read(), Path(path).name)


def _replayed(data: bytes, where: str) -> LedgerState:
    orders: dict[str, dict[str, OpenOrder]] = {}
    exports: set[tuple[str, str]] = set()
    sources: set[str] = set()
    runs: set[tuple[str, str]] = set()
    traded: set[tuple[str, str]] = set()
    whole = data[: data.rfind(b"\n") + 1]  # what follows was cut short
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            entry = json.loads(line)
            kind = entry["entry"]
            if kind == "export":
                exports.add((entry["export"], entry["account"]))
                if entry.get("run"):
                    runs.add((entry["run"], entry["account"]))
                for each in entry["orders"]:
                    _add(orders, each, entry["export"])
            elif kind == "done":
                sources |= {entry["source"]} - {""}
                for each in entry["orders"]:
                    traded |= _fill(orders, each)
            elif kind == "release":
                orders.pop(entry["account"], None)
                runs = {each for each in runs if each[1] != entry["account"]}
            else:
                raise ValueError(kind)
        except (ValueError, KeyError, TypeError, ArithmeticError) as error:
            raise ReadError.of(
                where=f"{where} line {number}",
                what=f"is no entry of the ledger ({type(error).__name__})",
                remedy="put back the line as it was; entries are never edited",
            ) from None
    return LedgerState(
        orders=orders,
        exports=frozenset(exports),
        runs=frozenset(runs),
        traded=frozenset(traded),
        sources=frozenset(sources),
    )


def _add(orders: dict[str, dict[str, OpenOrder]], document: Mapping[str, Any], export: str) -> None:
    order = order_of_document({n: v for n, v in document.items() if n != "file"})
    orders.setdefault(order.account, {})[order.symbol.casefold()] = OpenOrder(
        order=order, export=export, file=document["file"]
    )


def _fill(
    orders: dict[str, dict[str, OpenOrder]], document: Mapping[str, Any]
) -> set[tuple[str, str]]:
    """Count what was done; returns the (export, account) that it belongs to."""
    account, symbol = document["account"], document["symbol"].casefold()
    known = orders.get(account, {}).get(symbol)
    if known is None:
        return set()  # released since
    filled = min(Decimal(document["filled"]), known.order.quantity)
    orders[account][symbol] = replace(known, filled=filled)
    if all(each.left == 0 for each in orders[account].values()):
        del orders[account]
    return {(known.export, account)} if filled > 0 else set()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], LedgerState]]:
    """The ledger, alone with it, at its end; a line that was cut short is removed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    except OSError as error:
        raise _unusable(path, error) from None
    with os.fdopen(new, "r+b") as stream, _locked(stream, path):
        data = stream.read()
        state = _replayed(data, path.name)
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            stream.truncate(whole)
        stream.seek(whole)
        yield stream, state


def _append(stream: IO[bytes], entries: Sequence[Mapping[str, Any]]) -> None:
    """All entries in one write, on the disk when this returns; none of them where it fails."""
    if not entries:
        return
    start = stream.tell()
    text = "".join(f"{json.dumps(each, ensure_ascii=True, sort_keys=True)}\n" for each in entries)
    try:
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())
    except OSError as error:
        with contextlib.suppress(OSError):
            os.ftruncate(stream.fileno(), start)
        raise FileError.of(
            where="the ledger of orders",
            what=f"cannot be written ({error.strerror or 'the system refused'})",
            remedy="free some space; no order file was written",
        ) from None


@contextlib.contextmanager
def _locked(stream: IO[bytes], path: Path) -> Iterator[None]:
    """Two programs write one after the other; the lock goes with the program that holds it."""
    try:
        lock, unlock = _lock_calls()
        lock(stream.fileno())
    except OSError as error:
        raise _unusable(path, error) from None
    try:
        yield
    finally:
        unlock(stream.fileno())


def _lock_calls() -> tuple[Any, Any]:
    if os.name == "nt":
        import msvcrt

        far = 1 << 30  # a byte past the file, so that others may read it

        def call(descriptor: int, mode: int) -> None:
            place = os.lseek(descriptor, 0, os.SEEK_CUR)
            os.lseek(descriptor, far, os.SEEK_SET)
            try:
                msvcrt.locking(descriptor, mode, 1)  # type: ignore[attr-defined]  # Windows alone has it
            finally:
                os.lseek(descriptor, place, os.SEEK_SET)

        return (
            lambda descriptor: call(descriptor, msvcrt.LK_LOCK),  # type: ignore[attr-defined]  # as above
            lambda descriptor: call(descriptor, msvcrt.LK_UNLCK),  # type: ignore[attr-defined]  # as above
        )
    import fcntl

    return (
        lambda descriptor: fcntl.flock(descriptor, fcntl.LOCK_EX),
        lambda descriptor: fcntl.flock(descriptor, fcntl.LOCK_UN),
    )


def _unusable(path: Path, error: OSError) -> FileError:
    return FileError.of(
        where=f"the ledger of orders, {path.name}",
        what=f"cannot be used ({error.strerror or 'the system refused'})",
        remedy="name another file with --ledger, or close it elsewhere",
    )
