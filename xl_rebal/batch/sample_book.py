"""An invented book of any size: households with accounts, lots, models, restrictions and flows.

Households are drawn in blocks, each from a generator of its own made of the seed and the block's
number: a book of 200 is the beginning of a book of 20,000, memory does not grow with the size, and
the same seed gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from xl_rebal import __version__
from xl_rebal.batch import sample_faults
from xl_rebal.batch.formats import BookFormat
from xl_rebal.batch.sample_files import TableWriter, table_writer
from xl_rebal.batch.sample_households import BLOCK, Households, households_of, positions_of
from xl_rebal.batch.sample_market import SampleMarket, sample_market
from xl_rebal.batch.sample_tables import (
    COLUMNS,
    Tables,
    household_tables,
    market_tables,
    of_households,
)
from xl_rebal.errors import FileError, TableError

AS_OF = dt.date(2026, 11, 25)
MANIFEST = "manifest.json"
_INVENTED = (
    "Every household, amount, price and model in this book is invented; nothing here is advice."
)

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRequest:
    """What book to invent.

    dirty  True plants faulty rows, one of each kind in every 512 households.
    """

    households: int
    seed: int = 1
    kind: BookFormat = BookFormat.CSV
    dirty: bool = False
    as_of: dt.date = AS_OF

    def __post_init__(self) -> None:
        least = sample_faults.HOUSEHOLDS_NEEDED if self.dirty else 1
        if not least <= self.households <= 1_000_000:
            raise TableError.of(
                where="--households",
                what=f"{self.households:,} is not from {least} to 1,000,000"
                + (" (faults are planted among that many)" if self.dirty else ""),
                remedy="choose another number",
            )
        if self.seed < 0:
            raise TableError.of(where="--seed", what="is negative", remedy="enter zero or more")


@dataclass(slots=True)
class _Counts:
    """What the manifest counts."""

    rows: Counter[str] = field(default_factory=Counter)
    accounts: int = 0
    model: Counter[str] = field(default_factory=Counter)
    accounts_by_model: Counter[str] = field(default_factory=Counter)
    custodian: Counter[str] = field(default_factory=Counter)
    type: Counter[str] = field(default_factory=Counter)
    restricted: Counter[str] = field(default_factory=Counter)
    held_away: int = 0
    faults: list[sample_faults.PlantedFault] = field(default_factory=list)

    def count(self, people: Households, market: SampleMarket) -> None:
        """Add a block of households."""
        self.accounts += len(people.account)
        self.held_away += int(people.held_away.sum())
        names = np.array(market.names, dtype=object)[people.model]
        self.model.update(names.tolist())
        self.accounts_by_model.update(names[people.home].tolist())
        self.custodian.update(people.custodian.tolist())
        self.type.update(people.type.tolist())
        for word in ("jones", "smith", "esg", "legacy", "careful"):
            self.restricted[_RESTRICTION[word]] += int(getattr(people, word).sum())


_RESTRICTION = {
    "jones": "no defence",
    "smith": "municipal for corporate bonds in taxable accounts",
    "esg": "no tobacco, fossil, gambling",
    "legacy": "AAPL is kept",
    "careful": "no more VWO",
}


def write_sample_book(
    request: SampleRequest, out: Path, *, overwrite: bool = False, progress: Progress | None = None
) -> dict[str, Any]:
    """Write the book into a folder, whole or not at all, and return its manifest.

    progress  is called with the number of households written. Raises FileError.
    """
    check_folder(out, overwrite=overwrite)
    work = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name[:40]}-", suffix=".tmp"))
    try:
        market, counts = sample_market(), _Counts()
        texts = sample_faults.TOUCHED if request.dirty else {}
        with table_writer(request.kind, work, COLUMNS, texts) as writer:
            _write_tables(writer, market_tables(market), counts)
            for first in range(0, request.households, BLOCK):
                _write_block(writer, request, market, first, counts)
                if progress is not None:
                    progress(min(BLOCK, request.households - first))
        manifest = _manifest(request, counts, work)
        (work / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        _put(work, out)
    except OSError as error:
        raise FileError.of(
            where=out.name,
            what=f"cannot be written ({error.strerror or 'the system refused'})",
            remedy="free some space or choose another place",
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return manifest


def check_folder(out: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds something, or that could not be made; raises FileError."""
    try:
        is_file, parent = out.exists() and not out.is_dir(), out.parent.is_dir()
        taken = out.is_dir() and any(out.iterdir())
    except (OSError, ValueError) as error:
        raise FileError.of(
            where=out.name[:80] or "--out",
            what="is not a usable folder",
            remedy="choose another name",
        ) from error
    if is_file or not parent or not out.name:
        what = "is a file" if is_file else f"cannot be made: there is no folder {out.parent.name!r}"
        raise FileError.of(where=out.name or "--out", what=what, remedy="choose another place")
    if taken and not overwrite:
        raise FileError.of(
            where=out.name,
            what="is there already and not empty",
            remedy="choose another name, or allow it with --overwrite",
        )


def _write_block(
    writer: TableWriter, request: SampleRequest, market: SampleMarket, first: int, counts: _Counts
) -> None:
    rng = np.random.default_rng([request.seed, first // BLOCK])
    people = households_of(
        rng,
        first=first,
        accounts_before=counts.accounts,
        as_of=request.as_of,
        models=len(market.names),
    )
    held = positions_of(rng, people, market, first=first)
    tables = household_tables(rng, people, held, market, request.as_of)
    count = min(BLOCK, request.households - first)
    if count < BLOCK:  # the last block is drawn whole and cut
        people = people.first(count)
        tables = of_households(tables, people)
    if request.dirty:
        counts.faults += sample_faults.plant(tables, counts.rows, households=count)
    counts.count(people, market)
    _write_tables(writer, tables, counts)


def _write_tables(writer: TableWriter, tables: Tables, counts: _Counts) -> None:
    for name, frame in tables.items():
        writer.write(name, frame[list(COLUMNS[name])])
        counts.rows[name] += len(frame)


def _manifest(request: SampleRequest, counts: _Counts, folder: Path) -> dict[str, Any]:
    return {
        "made_by": f"xl-rebal {__version__} sample-book",
        "note": _INVENTED,
        "seed": request.seed,
        "as_of": request.as_of.isoformat(),
        "format": request.kind.value,
        "households": request.households,
        "accounts": counts.accounts,
        "held_away": counts.held_away,
        "households_by_model": dict(sorted(counts.model.items())),
        "accounts_by_model": dict(sorted(counts.accounts_by_model.items())),
        "accounts_by_custodian": dict(sorted(counts.custodian.items())),
        "accounts_by_type": dict(sorted(counts.type.items())),
        "restricted_households": dict(counts.restricted),
        "rows": {name: counts.rows[name] for name in COLUMNS},
        "dirty": [fault.as_dict() for fault in counts.faults],
        "files": {file.name: _digest(file) for file in sorted(folder.iterdir())},
    }


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _put(work: Path, out: Path) -> None:
    """Move the finished folder, or its files one by one over those of a folder that is there."""
    work.chmod(0o755)
    if not out.exists():
        work.rename(out)
        return
    for file in sorted(work.iterdir()):
        file.replace(out / file.name)
