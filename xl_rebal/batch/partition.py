"""The rows of holdings, lots, flows and history set aside by household, and what they say as a whole."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from xl_rebal.batch.book_sources import Sources
from xl_rebal.batch.headings import Heading, holdings_heading, is_blank, table_heading
from xl_rebal.batch.positions_context import PositionsContext, PositionsSurvey
from xl_rebal.batch.scratch import Scratch
from xl_rebal.batch.shared_tables import SharedTables
from xl_rebal.custodians.book_tables import HOLDINGS, TABLES
from xl_rebal.custodians.numbers import Cell
from xl_rebal.custodians.row_streams import Lined, RowStream
from xl_rebal.custodians.sheets import as_text
from xl_rebal.errors import Fault, ReadError
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.lots import Lots

OF_ACCOUNTS = ("lots", "flows", "history")
_MOST_BUCKETS = 64
_SMALLEST_BUCKET = 64
_BLOCK = 65_536
_SHOWN = 20  # strangers that are named one by one
_MOST_ORPHANS = 10_000

C = TypeVar("C", Holdings, Lots)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHome(Generic[C]):
    """Columns (n,) sorted by the place of their household (n,), to take those of a few at once."""

    rows: C
    homes: NDArray[np.int64]

    def of(self, first: int, end: int) -> C:
        """The rows of the households from `first` up to `end`."""
        low, high = np.searchsorted(self.homes, (first, end)).tolist()
        return self.rows.take(np.arange(low, high))


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """Where the rows of each household are.

    place       of each account, the place of its household among `households`.
    accounts    by account, each with its household.
    positions   how the holdings table is read; None where all holdings come from exports.
    headings    of the other tables that were set aside.
    holdings, lots  of custodians' files.
    as_of       the latest day that the holdings state.
    present     names of the tables that are there.
    faults      by household; `stops` is what nobody can be blamed for.
    """

    scratch: Scratch
    households: tuple[str, ...]
    place: dict[str, int]
    accounts: dict[str, Account]
    positions: PositionsContext | None
    headings: dict[str, Heading]
    holdings: ByHome[Holdings]
    lots: ByHome[Lots]
    as_of: dt.date | None
    present: frozenset[str]
    faults: dict[str, tuple[Fault, ...]]
    stops: tuple[Fault, ...]
    warnings: tuple[str, ...]


def set_aside(sources: Sources, shared: SharedTables, folder: Path) -> Partition:
    """Go through the tables once; every fault is kept, and none raised but that of a full disk."""
    homes = _Homes.of(shared)
    scratch = Scratch(folder, size=max(_SMALLEST_BUCKET, -(-len(homes.places) // _MOST_BUCKETS)))
    walk = _Walk(shared=shared, homes=homes, scratch=scratch)
    positions: PositionsContext | None = None
    if HOLDINGS in sources.tables:
        with shared.stops.collecting():
            positions = walk.positions(sources.tables[HOLDINGS]())
    in_table = set(homes.seen)
    for statement in sources.exports:
        homes.see_all(statement.holdings.account.tolist(), statement.source, shared, in_table)
    headings: dict[str, Heading] = {}
    for name in OF_ACCOUNTS:
        if name in sources.tables:
            with shared.stops.collecting():
                headings[name] = walk.table(name, sources.tables[name]())
    scratch.flush()
    homes.require_models(shared)
    days = [positions.as_of] if positions is not None else []
    days += [statement.as_of for statement in sources.exports if len(statement.holdings)]
    stated = {day for day in days if day is not None}
    parts = [
        _priced(s.holdings, s.as_of) if len(stated) > 1 else s.holdings for s in sources.exports
    ]
    exported = Holdings.concat(parts)
    lots = Lots.concat([s.lots for s in sources.exports])
    present = {*sources.tables, HOLDINGS, *(["lots"] if len(lots) else [])}
    said = [w for s in sources.exports for w in s.warnings]
    said += [*(positions.warnings if positions is not None else ()), *walk.warnings()]
    return Partition(
        scratch=scratch,
        households=tuple(homes.places),
        place=homes.of_account,
        accounts=homes.accounts,
        positions=positions,
        headings=headings,
        holdings=_by_home(exported, exported.account.tolist(), homes),
        lots=_by_home(lots, lots.account.tolist(), homes),
        as_of=max(stated) if stated else None,
        present=frozenset(present),
        faults={home: tuple(shared.faults[home]) for home in homes.places if home in shared.faults},
        stops=tuple(shared.stops),
        warnings=tuple(said),
    )


@dataclass(slots=True)
class _Homes:
    """Households and accounts by their place, in the order in which they are named.

    seen  accounts that hold something, and the table or file that says so.
    """

    places: dict[str, int]
    of_account: dict[str, int]
    accounts: dict[str, Account]
    seen: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, shared: SharedTables) -> _Homes:
        places: dict[str, int] = {}
        for home in (*shared.home.values(), *shared.faults):  # a bad row may name a household only
            places.setdefault(home, len(places))
        of_account = {account: places[home] for account, home in shared.home.items()}
        return cls(places=places, of_account=of_account, accounts=dict(shared.accounts))

    def see(self, account: str, source: str) -> int:
        """The place of the household of an account that holds something; a new one if need be."""
        self.seen.setdefault(account, source)
        place = self.of_account.get(account)
        if place is None:
            place = self.places.setdefault(account, len(self.places))
            self.of_account[account] = place
            self.accounts[account] = Account(account=account, household=account)
        return place

    def see_all(
        self, accounts: Sequence[str], source: str, shared: SharedTables, in_table: set[str]
    ) -> None:
        """Take the accounts of a custodian's file; one that stands elsewhere as well is a fault."""
        names = list(self.places)
        for account in dict.fromkeys(accounts):
            before = self.seen.get(account)
            place = self.see(account, source)
            if before is None:
                continue
            names = names if place < len(names) else list(self.places)
            other = f"table {HOLDINGS}" if account in in_table else before
            shared.blame(
                names[place],
                Fault(
                    where=f"{source}, account {account}",
                    what=f"stands in the {other} as well, so its positions would count twice",
                    remedy="keep one of them",
                ),
            )

    def require_models(self, shared: SharedTables) -> None:
        """An account without a row in the accounts table follows the only model, where there is one."""
        if len(shared.models) == 1:
            return
        for account, source in self.seen.items():
            if account not in shared.home:
                shared.blame(
                    account,
                    Fault(
                        where=f"{source}, account {account}",
                        what="has no row in the table accounts, and there are several models",
                        remedy=f"add a row with its model: {', '.join(filter(None, shared.models))}",
                    ),
                )


@dataclass(slots=True)
class _Walk:
    """Sets the rows of one table after the other aside."""

    shared: SharedTables
    homes: _Homes
    scratch: Scratch
    _strangers: dict[str, dict[str, int]] = field(default_factory=dict)

    def positions(self, stream: RowStream) -> PositionsContext:
        """The holdings table."""
        heading, rows = holdings_heading(stream)
        survey = PositionsSurvey(heading)
        orphans: list[Lined] = []
        place_of: dict[Cell, int | None] = {}  # by the cell as it stands
        for block in _blocks(rows):
            survey.look(block)
            for line, cells in block:
                cell = cells[heading.account] if heading.account < len(cells) else ""
                if cell not in place_of:
                    account = as_text(cell)
                    place_of[cell] = self.homes.see(account, heading.where) if account else None
                place = place_of[cell]
                if place is not None:
                    self.scratch.add(HOLDINGS, place, line, cells)
                elif not is_blank(cells):
                    orphans.append((line, cells))
        self.scratch.flush()
        context = survey.context(
            lambda: (
                [(line, cells) for _, line, cells in self.scratch.rows(HOLDINGS, bucket)]
                for bucket in self.scratch.buckets(HOLDINGS)
            )
        )
        self._adopt(orphans[:_MOST_ORPHANS], context)
        return context

    def _adopt(self, orphans: Sequence[Lined], context: PositionsContext) -> None:
        """Rows without an account: totals and remarks are nobody's, holdings stop the run."""
        if not orphans:
            return
        try:
            statement = context.read(orphans)
        except ReadError as error:
            held = [fault for fault in error.faults if "no rows below it" not in fault.what]
            self.shared.stops.extend(held)
            return
        label = context.heading.names[context.heading.account]
        for line in statement.holdings.line.tolist() if statement is not None else ():
            self.shared.stops.add(
                where=f"{context.heading.where} row {line}, column {label}",
                what="is blank",
                remedy="name the row's account",
            )

    def table(self, name: str, stream: RowStream) -> Heading:
        """A table whose rows each name an account."""
        heading, rows = table_heading(stream, TABLES[name])
        known, strangers = self.homes.of_account, self._strangers.setdefault(heading.where, {})
        for line, cells in rows:
            cell = cells[heading.account] if heading.account < len(cells) else ""
            place = known.get(cell) if type(cell) is str else None
            if place is None:
                place = known.get(as_text(cell))
            if place is not None:
                self.scratch.add(name, place, line, cells)
            elif account := as_text(cell):
                strangers.setdefault(account, line)
            elif not is_blank(cells):
                self.shared.stops.add(
                    where=f"{heading.where} row {line}, column account",
                    what="is blank",
                    remedy="fill it in",
                )
        return heading

    def warnings(self) -> Iterator[str]:
        """Rows that name accounts which hold nothing and are in no table."""
        for where, strangers in self._strangers.items():
            for account, line in itertools.islice(strangers.items(), _SHOWN):
                yield f"{where} row {line}: account {account} is not in the book; its rows bind nothing"
            if len(strangers) > _SHOWN:
                yield f"{where}: {len(strangers) - _SHOWN:,} more accounts are not in the book"


def _blocks(rows: Iterator[Lined]) -> Iterator[list[Lined]]:
    while block := list(itertools.islice(rows, _BLOCK)):
        yield block


def _priced(holdings: Holdings, as_of: dt.date | None) -> Holdings:
    """The day of a file where its rows name none: other files are of other days."""
    if as_of is None:
        return holdings
    day = np.datetime64(as_of, "D")
    return replace(holdings, priced=np.where(np.isnat(holdings.priced), day, holdings.priced))


def _by_home(rows: C, accounts: Sequence[str], homes: _Homes) -> ByHome[C]:
    places = np.array([homes.of_account.get(name, -1) for name in accounts], dtype=np.int64)
    order = np.argsort(places, kind="stable")
    return ByHome(rows=rows.take(order), homes=places[order])
