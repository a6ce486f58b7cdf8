"""Faults planted in the invented book, each of which stops one client and is named in the manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from xl_rebal.batch.sample_tables import Tables

FIRST_HOUSEHOLD = 8  # of each block; the households before it are left as they are
HOUSEHOLDS_NEEDED = 32
# Columns whose cells may become text: a Parquet column has one type, so there they are text as a whole.
TOUCHED = {"holdings": ("quantity", "price"), "lots": ("quantity", "acquired")}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedFault:
    """One bad row. `row` is the line of the CSV file (the header is line 1) and the row of the sheet; Parquet
    has no header, and its rows count from 1.
    """

    kind: str
    table: str
    row: int
    column: str
    account: str
    household: str

    def as_dict(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A kind of fault: the cell that it spoils, and what it makes of it."""

    name: str
    table: str
    column: str
    spoil: Callable[[Any], Any]


KINDS = (
    _Kind(
        name="unknown model", table="accounts", column="model", spoil=lambda _: "60/40 of last year"
    ),
    _Kind(name="lots that do not add up", table="lots", column="quantity", spoil=lambda q: q + 7),
    _Kind(name="negative price", table="holdings", column="price", spoil=lambda price: -price),
    _Kind(name="blank account type", table="accounts", column="type", spoil=lambda _: ""),
    _Kind(name="bad date", table="lots", column="acquired", spoil=lambda _: "2019-02-30"),
    _Kind(name="text in a number", table="holdings", column="quantity", spoil=lambda _: "twelve"),
)


def plant(
    tables: Tables, rows_before: Mapping[str, int], *, households: int
) -> Iterator[PlantedFault]:
    """Spoil one row of each kind in a block's tables, each in another household that has lots."""
    if households < HOUSEHOLDS_NEEDED:
        return
    accounts = tables["accounts"]
    home_of = dict(zip(accounts["account"], accounts["household"], strict=True))
    homes = accounts["household"].drop_duplicates().to_numpy()
    with_lots = dict.fromkeys(tables["lots"]["account"].map(home_of))
    chosen = [home for home in homes[FIRST_HOUSEHOLD:].tolist() if home in with_lots]
    for kind, home in zip(KINDS, chosen, strict=False):
        frame = tables[kind.table]
        owner = frame["account"].map(home_of).to_numpy()
        position = frame["kind"].to_numpy() == "position" if kind.table == "holdings" else True
        place = int(np.flatnonzero((owner == home) & position)[0])
        column = frame[kind.column].astype(object).to_numpy(copy=True)
        column[place] = kind.spoil(column[place])
        tables[kind.table] = frame.assign(**{kind.column: pd.Series(column, dtype=object)})
        yield PlantedFault(
            kind=kind.name,
            table=kind.table,
            row=rows_before[kind.table] + place + 2,
            column=kind.column,
            account=str(frame["account"].iloc[place]),
            household=str(home),
        )
