"""What a worker does: plan the clients of a chunk, make their workbooks, note what the run needs of them."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xl_rebal.batch.chunk_reading import Chunk
from xl_rebal.batch.chunks import Done, Task
from xl_rebal.batch.pages import pages_of
from xl_rebal.batch.planning import plan_client
from xl_rebal.batch.records import (
    client_record,
    failed_record,
    household_of,
    trade_records,
)
from xl_rebal.batch.settings import BatchSettings
from xl_rebal.custodians.book_tables import BookTables
from xl_rebal.errors import Fault, RebalError
from xl_rebal.workbooks.client_line import client_line
from xl_rebal.workbooks.client_names import client_file_name
from xl_rebal.workbooks.client_workbook import client_workbook

CLIENTS = "clients"
KINDS = ("clients", "trades", "orders", "short", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkTask:
    """A chunk of the book on its way to a worker.

    only  plan this household alone; empty for all of the chunk.
    """

    index: int
    chunk: Chunk
    settings: BatchSettings
    only: str = ""

    @property
    def households(self) -> tuple[str, ...]:
        """Whom it is about."""
        return (self.only,) if self.only else self.chunk.households

    def singles(self) -> Iterator[ChunkTask]:
        """The same work, client by client."""
        return (replace(self, only=name) for name in self.chunk.households)


def plan_chunk(task: Task) -> Done:
    """Plan every client of a chunk; what is wrong with one is noted and stops no other."""
    assert isinstance(task, ChunkTask)
    parts = []
    for name in task.households:
        faults = task.chunk.faults.get(name)
        if faults:
            parts.append(_failed(task, name, faults))
            continue
        try:
            parts.append(_planned(task, name))
        except RebalError as error:
            parts.append(_failed(task, name, error.faults))
        except (
            Exception
        ) as error:  # a bug that one client's data brings out must not stop the others
            parts.append(_failed(task, name, (_bug(error),)))
    return joined(task, parts)


def _planned(task: ChunkTask, household: str) -> Done:
    plan = plan_client(tables_of(task.chunk.tables, household), household, task.settings)
    pages = pages_of(plan, task.settings)
    files: dict[str, bytes] = {}
    path = ""
    if task.settings.workbooks:
        path = f"{CLIENTS}/{client_file_name(household, plan.name)}"
        files[path] = client_workbook(pages)
    return Done(
        index=task.index,
        households=(household,),
        files=files,
        records={
            "clients": [client_record(plan, client_line(pages, file=path))],
            "trades": trade_records(plan),
            "orders": [plan.orders.line()] if plan.orders.orders else [],
            "short": [{"household": household, "what": words} for words in plan.short],
            "failed": [],
        },
    )


def tables_of(tables: BookTables, household: str) -> BookTables:
    """The tables with the rows of one household, and those that all share."""
    holdings = tables.holdings
    names = [
        name
        for name in holdings.accounts()
        if household_of(tables.accounts.get(name), name) == household
    ]
    held = np.isin(holdings.account.astype(str), names)
    lots = np.isin(tables.lots.account.astype(str), names)
    accounts = {
        name: each
        for name, each in tables.accounts.items()
        if household_of(each, name) == household
    }
    known = {*names, *accounts}
    profiles = {each.tax_profile for each in accounts.values()}
    return replace(
        tables,
        holdings=holdings.take(held),
        lots=tables.lots.take(lots),
        accounts=accounts,
        tax_profiles={key: each for key, each in tables.tax_profiles.items() if key[0] in profiles},
        flows=tuple(flow for flow in tables.flows if flow.account in known),
        history=tuple(each for each in tables.history if each.account in known),
    )


def without_waiting(chunk: Chunk, waiting: Mapping[str, Fault]) -> Chunk:
    """The chunk; households fail whose accounts wait for orders that nobody has reconciled."""
    if not waiting:
        return chunk
    faults = dict(chunk.faults)
    for name in chunk.tables.holdings.accounts():
        if name not in waiting:
            continue
        household = household_of(chunk.tables.accounts.get(name), name)
        faults[household] = (*faults.get(household, ()), waiting[name])
    return replace(chunk, faults=faults)


def failed_alone(task: ChunkTask, household: str, reason: str) -> Done:
    """A client whose planning ended its process."""
    fault = Fault(
        where=f"household {household}",
        what=f"could not be planned: {reason}",
        remedy="plan it alone on a machine with more memory, or report this as a bug",
    )
    return _failed(task, household, (fault,))


def joined(task: ChunkTask, parts: Sequence[Done]) -> Done:
    """The outcomes of a chunk's clients as one, in the order of the book."""
    files: dict[str, bytes] = {}
    records: dict[str, list[Any]] = {}
    for part in parts:
        files |= part.files
        for name, rows in part.records.items():
            records.setdefault(name, []).extend(rows)
    return Done(index=task.index, households=task.households, files=files, records=records)


def _failed(task: ChunkTask, household: str, faults: Sequence[Fault]) -> Done:
    record = failed_record(household, task.chunk.client(household), faults)
    empty: dict[str, list[Any]] = {name: [] for name in KINDS} | {"failed": [record]}
    return Done(index=task.index, households=(household,), records=empty)


def _bug(error: Exception) -> Fault:
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{last.name}, line {last.lineno}"
    return Fault(
        where="xl_rebal",
        what=f"planning failed unexpectedly ({type(error).__name__}: {error} in {place})",
        remedy="report this as a bug; the other clients are not affected",
    )
