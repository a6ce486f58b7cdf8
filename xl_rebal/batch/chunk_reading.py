"""A few households at a time: their rows read, and each household's faults found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from xl_rebal.batch.headings import Heading
from xl_rebal.batch.partition import Partition
from xl_rebal.batch.row_faults import blamed, read_apart
from xl_rebal.batch.shared_tables import SharedTables
from xl_rebal.custodians.book_tables import HOLDINGS, BookTables
from xl_rebal.custodians.row_streams import Lined
from xl_rebal.errors import ClassificationError, Fault, RebalError, TaxError
from xl_rebal.portfolio.book import Book, assign_classes, classify
from xl_rebal.portfolio.flows import Flow, flows_from_rows
from xl_rebal.portfolio.history import History, history_from_rows
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.lots import Lots, lots_from_table
from xl_rebal.tax.gains import require_sound
from xl_rebal.tax.taxpayers import TAXABLE

_OF_LOTS = re.compile(r"lots of (?P<symbol>.+) in (?P<account>.+)")
_ROWS_SHOWN = 8

T = TypeVar("T")
Reader = Callable[[Sequence[Lined]], T]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some households of a book.

    households  all of them, in the book's order.
    tables      of those without a fault: their own rows, and the tables that everybody shares.
                Every holding has its asset class.
    faults      by household, all that stops it.
    clients     by household, what people call it, where its accounts say.
    """

    households: tuple[str, ...]
    tables: BookTables
    faults: Mapping[str, tuple[Fault, ...]]
    clients: Mapping[str, str] = field(default_factory=dict)

    def client(self, household: str) -> str:
        """What people call a household; its own name where its accounts do not say."""
        return self.clients.get(household, household)


@dataclass(slots=True)
class _Rows:
    """What the households of a chunk say, with the place of the household of each row (n,)."""

    holdings: Holdings
    lots: Lots
    flows: tuple[Flow, ...]
    history: History
    warnings: list[str] = field(default_factory=list)
    home_of_holding: NDArray[np.int64] = field(init=False)
    home_of_lot: NDArray[np.int64] = field(init=False)

    def find_homes(self, place: Mapping[str, int]) -> None:
        """Look up whose each row is."""
        self.home_of_holding = _places(self.holdings.account.tolist(), place)
        self.home_of_lot = _places(self.lots.account.tolist(), place)


def _places(accounts: Sequence[str], place: Mapping[str, int]) -> NDArray[np.int64]:
    return np.array([place.get(name, -1) for name in accounts], dtype=np.int64)


class ChunkReader:
    """Reads households from the rows that were set aside."""

    def __init__(self, name: str, *, shared: SharedTables, partition: Partition) -> None:
        self._name, self._shared, self._partition = name, shared, partition
        self._accounts_of: dict[int, list[str]] = {}
        for account, home in partition.place.items():
            self._accounts_of.setdefault(home, []).append(account)
        self._place = {name: home for home, name in enumerate(partition.households)}
        self._profiles: dict[str, list[tuple[str, int]]] = {}
        for key in shared.tax_profiles:
            self._profiles.setdefault(key[0], []).append(key)

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The households in their order, at most `size` at a time."""
        count, bucket_size = len(self._partition.households), self._partition.scratch.size
        for first in range(0, count, bucket_size):
            end = min(first + bucket_size, count)
            aside = {
                name: self._set_aside(name, first // bucket_size)
                for name in (HOLDINGS, *self._partition.headings)
            }
            for start in range(first, end, size):
                yield self._chunk(range(start, min(start + size, end)), aside)

    def _set_aside(self, name: str, bucket: int) -> dict[int, list[Lined]]:
        found: dict[int, list[Lined]] = {}
        for home, line, cells in self._partition.scratch.rows(name, bucket):
            found.setdefault(home, []).append((line, cells))
        return found

    def _chunk(self, homes: range, aside: Mapping[str, Mapping[int, list[Lined]]]) -> Chunk:
        names = self._partition.households
        faults: dict[int, list[Fault]] = {
            home: list(self._partition.faults[names[home]])
            for home in homes
            if names[home] in self._partition.faults
        }
        mine = {
            table: {home: rows[home] for home in homes if home in rows}
            for table, rows in aside.items()
        }
        rows = self._read(homes, mine, faults)
        sound = [names[home] for home in homes if home not in faults]
        for name, found in blamed(sound, self._check(rows)).items():
            faults[self._place[name]] = list(found)
        sound_homes = [home for home in homes if home not in faults]
        return Chunk(
            households=tuple(names[home] for home in homes),
            tables=self._tables(rows, sound_homes),
            faults={names[home]: tuple(faults[home]) for home in homes if home in faults},
            clients={
                names[home]: self._shared.clients[names[home]]
                for home in homes
                if names[home] in self._shared.clients
            },
        )

    def _read(
        self,
        homes: range,
        mine: Mapping[str, Mapping[int, list[Lined]]],
        faults: dict[int, list[Fault]],
    ) -> _Rows:
        positions, headings = self._partition.positions, self._partition.headings
        as_of = self._partition.as_of
        exported = self._partition.holdings.of(homes.start, homes.stop)
        exported_lots = self._partition.lots.of(homes.start, homes.stop)
        statements = (
            _read_table(mine[HOLDINGS], positions.read, faults) if positions is not None else []
        )
        held = [each for each in statements if each is not None]
        lots = (
            _read_table(mine["lots"], lambda r: lots_from_table(headings["lots"].table(r)), faults)
            if "lots" in headings
            else []
        )
        flows = _typed(headings, mine, "flows", flows_from_rows, faults)
        history = _typed(
            headings, mine, "history", lambda r: history_from_rows(r, as_of=as_of), faults
        )
        rows = _Rows(
            holdings=Holdings.concat([*(each.holdings for each in held), exported]),
            lots=Lots.concat([*lots, exported_lots]),
            flows=tuple(flow for part in flows for flow in part),
            history=tuple(event for part in history for event in part),
            warnings=[text for each in held for text in each.warnings],
        )
        rows.holdings, _ = assign_classes(rows.holdings, securities=self._shared.securities)
        rows.find_homes(self._partition.place)
        return rows

    def _tables(self, rows: _Rows, homes: Sequence[int]) -> BookTables:
        """The tables of some households."""
        partition, shared = self._partition, self._shared
        names = [account for home in homes for account in self._accounts_of[home]]
        accounts = {name: partition.accounts[name] for name in names if name in partition.accounts}
        profiles = {account.tax_profile for account in accounts.values()}
        return BookTables(
            name=self._name,
            holdings=rows.holdings.take(np.isin(rows.home_of_holding, homes)),
            lots=rows.lots.take(np.isin(rows.home_of_lot, homes)),
            accounts=accounts,
            securities=shared.securities,
            models=shared.models,
            restrictions=shared.restrictions_of(accounts.values()),
            flows=tuple(flow for flow in rows.flows if flow.account in accounts),
            history=tuple(event for event in rows.history if event.account in accounts),
            tax_profiles={
                key: shared.tax_profiles[key]
                for name in sorted(profiles)
                for key in self._profiles.get(name, ())
            },
            fund_rules=shared.fund_rules,
            as_of=partition.as_of,
            present=partition.present,
            warnings=tuple(rows.warnings),
        )

    def _check(self, rows: _Rows) -> Callable[[Sequence[str]], None]:
        """Refuses households whose positions have no class or target, or whose lots do not add up."""

        def check(names: Sequence[str]) -> None:
            found = self._tables(rows, [self._place[name] for name in names])
            book_of(found)
            sheltered = {
                name for name, a in found.accounts.items() if a.type.casefold() not in ("", TAXABLE)
            }
            taxed = np.array([a not in sheltered for a in found.lots.account.tolist()], np.bool_)
            heading = self._partition.headings.get("lots")
            lots = found.lots.take(taxed)
            try:
                require_sound(lots, found.holdings, found.as_of)
            except TaxError as error:
                where = heading.where if heading is not None else "lots"
                raise TaxError(*(_placed(fault, lots, where) for fault in error.faults)) from error

        return check


def _placed(fault: Fault, lots: Lots, where: str) -> Fault:
    """The same fault with the file and the rows of the lots that do not add up."""
    told = _OF_LOTS.fullmatch(fault.where)
    if told is None:
        return fault
    symbol, account = told["symbol"], told["account"]
    mine = (lots.symbol == symbol) & (lots.account == account) & (lots.line > 0)
    lines = lots.line[mine].tolist()
    rows = ", ".join(map(str, lines[:_ROWS_SHOWN])) + (" …" if len(lines) > _ROWS_SHOWN else "")
    place = f"{where} row{'s' if len(lines) > 1 else ''} {rows}" if lines else where
    return replace(fault, where=f"{place}, column quantity ({symbol} in {account})")


def book_of(found: BookTables) -> Book:
    """The book that the engine works on; raises RebalError for what it cannot."""
    return Book(
        holdings=_classified(found),
        models=found.models,
        securities=found.securities,
        accounts=found.accounts,
        restrictions=found.restrictions,
        flows=found.flows,
        fund_rules=found.fund_rules,
        lots=found.lots if len(found.lots) else None,
    )


def _classified(found: BookTables) -> Holdings:
    """The holdings with their classes; a symbol without one is mended in the book."""
    try:
        return classify(
            found.holdings, securities=found.securities, targets=tuple(found.models.values())
        )
    except ClassificationError as error:
        remedy = "give them a class in the table securities (columns symbol, asset_class)"
        raise ClassificationError(*(replace(f, remedy=remedy) for f in error.faults)) from error


def _typed(
    headings: Mapping[str, Heading],
    mine: Mapping[str, Mapping[int, list[Lined]]],
    name: str,
    build: Callable[[list[dict[str, Any]]], T],
    faults: dict[int, list[Fault]],
) -> list[T]:
    heading = headings.get(name)
    if heading is None:
        return []
    return _read_table(mine[name], lambda rows: build(heading.records(rows)), faults)


def _read_table(
    mine: Mapping[int, list[Lined]], read: Reader[T], faults: dict[int, list[Fault]]
) -> list[T]:
    """What the rows of the households read as, the rows in the order of their table; a bad row stops
    the household that it belongs to, and so does what only the rows of one household say.
    """
    home_of = {line: home for home, rows in mine.items() for line, _ in rows}
    rows = sorted((row for each in mine.values() for row in each), key=itemgetter(0))

    def taken(wanted: Sequence[Lined]) -> list[T]:
        found, bad = read_apart(wanted, read)
        for line, said in bad.items():
            faults.setdefault(home_of[line], []).extend(said)
        return [found]

    try:
        return taken(rows)
    except RebalError:
        pass  # no row is named: the households are asked one by one
    result: list[T] = []
    for home, own in mine.items():
        try:
            result += taken(own)
        except RebalError as error:
            faults.setdefault(home, []).extend(error.faults)
    return result
