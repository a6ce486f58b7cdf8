"""Screening 10,000 accounts of 30 holdings against what one would write with pandas or polars.

All start from a table in memory whose accounts and classes are numbers already, sorted by account,
and compute the same: drift of every class, which accounts fire under 5/25, and whole shares per
holding. Every account holds every class, so that the peers need no outer join. The results are
compared before anything is timed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from benchmarks import books
from benchmarks.measuring import Result, Section, interleaved, table
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.screening import screen

ACCOUNTS, HOLDINGS = 10_000, 30
_DUST = 1e-9


@dataclass(frozen=True)
class Found:
    """drift (A, K) by account and class, fires (A,), units (n,) by row."""

    drift: NDArray[np.float64]
    fires: NDArray[np.bool_]
    units: NDArray[np.float64]


@dataclass(frozen=True)
class Peer:
    """A way to compute it: the timed work, and how its result reads."""

    run: Callable[[], object]
    read: Callable[[object], Found]


def _table(book: Book) -> tuple[pd.DataFrame, pd.DataFrame]:
    (group,) = book.groups
    width = len(group.targets.columns)
    rows = pd.DataFrame(
        {
            "account": group.account.astype(np.int32),
            "asset_class": (group.cell % width).astype(np.int32),
            "quantity": book.holdings.quantity,
            "price": book.holdings.price,
        }
    )
    target = np.append(group.targets.weights, 0.0)
    model = pd.DataFrame(
        {
            "asset_class": np.arange(width, dtype=np.int32),
            "target": target,
            "width": np.where(np.arange(width) == width - 1, np.inf, np.minimum(0.05, target / 4)),
            "trades": np.where(np.arange(width) == width - 1, 0.0, 1.0),
        }
    )
    return rows, model


def ours(book: Book) -> Peer:
    """The product: `screen` on a validated book."""
    policy = parse_policy(books.POLICY)

    def read(found: object) -> Found:
        (one,) = found  # type: ignore[misc]  # one screen, of the one model
        return Found(one.check.drift.drift, one.fires, one.units)

    return Peer(lambda: screen(book, policy), read)


def groupby_loop(rows: pd.DataFrame, model: pd.DataFrame) -> Peer:
    """pandas, account by account: `for account, rows in table.groupby("account")`."""
    by_class = model.set_index("asset_class")

    def run() -> object:
        drifts, fires, units = [], [], []
        for _, own in rows.groupby("account"):
            value = own["quantity"] * own["price"]
            held = value.groupby(own["asset_class"]).sum()
            base = held.sum()
            drift = held / base - by_class["target"]
            fire = bool((drift.abs() >= by_class["width"] - _DUST).any())
            gap = (by_class["target"] * base - held) * by_class["trades"] * fire
            exact = own["quantity"] * own["asset_class"].map(gap / held)
            drifts.append(drift.to_numpy())
            fires.append(fire)
            units.append(np.trunc(exact + np.sign(exact) * _DUST).to_numpy())
        return np.array(drifts), np.array(fires), np.concatenate(units)

    return Peer(run, lambda found: Found(*found))  # type: ignore[misc]  # the three arrays above


def groupby_transform(rows: pd.DataFrame, model: pd.DataFrame) -> Peer:
    """pandas, columns: merge the model, `groupby(...).transform("sum")`."""

    def run() -> pd.DataFrame:
        t = rows.merge(model, on="asset_class", how="left", sort=False)
        t["value"] = t["quantity"] * t["price"]
        t["held"] = t.groupby(["account", "asset_class"], sort=False)["value"].transform("sum")
        t["base"] = t.groupby("account", sort=False)["value"].transform("sum")
        t["drift"] = t["held"] / t["base"] - t["target"]
        breach = t["drift"].abs() >= t["width"] - _DUST
        t["fires"] = breach.groupby(t["account"], sort=False).transform("any")
        gap = (t["target"] * t["base"] - t["held"]) * t["trades"] * t["fires"]
        exact = t["quantity"] * gap / t["held"]
        t["units"] = np.trunc(exact + np.sign(exact) * _DUST)
        return t

    return Peer(run, _from_rows)


def polars_windows(rows: pd.DataFrame, model: pd.DataFrame) -> Peer:
    """polars, lazily, with `over`: the fastest of three ways that were tried."""
    t = pl.DataFrame({name: _plain(rows[name]) for name in rows}).with_columns(
        pl.col("account").set_sorted()
    )
    m = pl.DataFrame({name: _plain(model[name]) for name in model})

    def run() -> pl.DataFrame:
        value = pl.col("quantity") * pl.col("price")
        exact = pl.col("quantity") * pl.col("gap") / pl.col("held")
        return (
            t.lazy()
            .with_columns(value=value)
            .with_columns(
                held=pl.col("value").sum().over("account", "asset_class"),
                base=pl.col("value").sum().over("account"),
            )
            .join(m.lazy(), on="asset_class", how="left", maintain_order="left")
            .with_columns(drift=pl.col("held") / pl.col("base") - pl.col("target"))
            .with_columns(
                fires=(pl.col("drift").abs() >= pl.col("width") - _DUST).any().over("account")
            )
            .with_columns(
                gap=(pl.col("target") * pl.col("base") - pl.col("held"))
                * pl.col("trades")
                * pl.col("fires")
            )
            .with_columns(units=(exact + exact.sign() * _DUST).cast(pl.Int64))
            .collect()
        )

    return Peer(run, _from_rows)


def _plain(column: pd.Series) -> object:
    """Numbers as an array, text as a list."""
    return column.to_numpy() if column.dtype.kind in "if" else column.tolist()


def _from_rows(found: object) -> Found:
    drift, fires, units, account, asset_class = (
        np.asarray(found[name])  # type: ignore[index]  # a table of pandas or polars
        for name in ("drift", "fires", "units", "account", "asset_class")
    )
    accounts, width = int(account.max()) + 1, int(asset_class.max()) + 1
    matrix, fired = np.zeros((accounts, width)), np.zeros(accounts, dtype=np.bool_)
    matrix[account, asset_class] = drift
    fired[account] = fires
    return Found(matrix, fired, units.astype(np.float64))


def _as_text(
    book: Book, rows: pd.DataFrame, model: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same tables with names in place of numbers."""
    names = np.array([*books.CLASSES, "Cash"], dtype=object)
    return (
        rows.assign(account=book.holdings.account, asset_class=book.holdings.asset_class),
        model.assign(asset_class=names),
    )


def require_equal(one: Found, other: Found, name: str) -> None:
    """Refuse to time what does not compute the same."""
    same = (
        np.allclose(one.drift, other.drift, rtol=0.0, atol=1e-12)
        and np.array_equal(one.fires, other.fires)
        and np.array_equal(one.units, other.units)
    )
    if not same:
        raise AssertionError(f"{name} does not compute what the screening computes")


def measure(*, quick: bool) -> Section:
    """Compare, then time."""
    accounts = 1_000 if quick else ACCOUNTS
    book = books.book(accounts, HOLDINGS)
    rows, model = _table(book)
    peers = {
        "xl_rebal": ours(book),
        "groupby loop": groupby_loop(rows, model),
        "groupby.transform": groupby_transform(rows, model),
        "polars": polars_windows(rows, model),
    }
    reference = peers["xl_rebal"].read(peers["xl_rebal"].run())
    for name, peer in peers.items():
        require_equal(reference, peer.read(peer.run()), name)
    runs = {"xl_rebal": 21, "groupby loop": 3, "groupby.transform": 11, "polars": 21}
    seconds = interleaved({name: peer.run for name, peer in peers.items()}, runs)
    mine = seconds["xl_rebal"]
    ratio = {name: each / mine for name, each in seconds.items()}
    text_peer = polars_windows(*_as_text(book, rows, model))
    from_text = interleaved(
        {
            "xl_rebal": lambda: screen(
                Book(holdings=book.holdings, models={"": books.targets()}),
                parse_policy(books.POLICY),
            ),
            "polars": text_peer.run,
        },
        {"xl_rebal": 9, "polars": 9},
    )
    size = f"{accounts:,} accounts × {HOLDINGS}"
    text = (
        f"{size}, {int(reference.fires.sum()):,} accounts fire; medians of interleaved runs.\n\n"
        + table(
            ["", "ms", "times xl_rebal", "runs"],
            [
                [name, f"{seconds[name] * 1e3:,.1f}", f"{ratio[name]:,.1f}", str(runs[name])]
                for name in peers
            ],
        )
        + f"\n\nAll start from ids that are numbers; polars uses {pl.thread_pool_size()} threads, the "
        "others one. From columns of text to the result the product takes "
        f"{from_text['xl_rebal'] * 1e3:,.0f} ms (making the book, with all its checks, included) and "
        f"polars {from_text['polars'] * 1e3:,.0f} ms (grouping by text, nothing checked)."
    )
    return Section(
        title="Screening",
        results=[
            Result(
                work=f"screening {size} against a groupby loop",
                measured=f"{ratio['groupby loop']:,.0f}×",
                budget="≥900×",
                met=None if quick else ratio["groupby loop"] >= 900,
            ),
            Result(
                work=f"screening {size} against `groupby.transform`",
                measured=f"{ratio['groupby.transform']:,.1f}×",
            ),
            Result(
                work=f"screening {size} against polars",
                measured=f"{ratio['polars']:,.1f}×",
                budget="≥2×",
                met=None if quick else ratio["polars"] >= 2,
            ),
        ],
        text=text,
    )
