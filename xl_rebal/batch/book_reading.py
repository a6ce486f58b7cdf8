"""TEMPORARY: replaced by the track `book`."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xl_rebal.custodians.book_tables import BookTables, read_book
from xl_rebal.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    households: tuple[str, ...]
    tables: BookTables
    faults: Mapping[str, tuple[Fault, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchBook:
    name: str
    as_of: dt.date | None
    digest: str
    households: tuple[str, ...]
    tables: BookTables
    warnings: tuple[str, ...] = ()

    def chunks(self, size: int = 64) -> Iterator[Chunk]:
        t = self.tables
        hh = {}
        for n in t.holdings.accounts():
            a = t.accounts.get(n)
            hh.setdefault(a.household if a and a.household else n, []).append(n)
        for i in range(0, len(self.households), size):
            part = self.households[i : i + size]
            names = [n for h in part for n in hh[h]]
            yield Chunk(
                households=part,
                faults={},
                tables=replace(
                    t,
                    holdings=t.holdings.take(np.isin(t.holdings.account.astype(str), names)),
                    lots=t.lots.take(np.isin(t.lots.account.astype(str), names)),
                    accounts={n: t.accounts[n] for n in names if n in t.accounts},
                    flows=tuple(f for f in t.flows if f.account in names),
                    history=tuple(f for f in t.history if f.account in names),
                ),
            )


def open_batch_book(path: Path, scratch: Path) -> BatchBook:
    t = read_book(path)
    d = hashlib.sha256()
    for f in sorted(path.iterdir()):
        d.update(f.read_bytes())
    hh = dict.fromkeys(
        (t.accounts[n].household if n in t.accounts and t.accounts[n].household else n)
        for n in t.holdings.accounts()
    )
    return BatchBook(
        name=path.name, as_of=t.as_of, digest=d.hexdigest(), households=tuple(hh), tables=t
    )
