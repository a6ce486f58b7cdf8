"""What the command `batch` is given, read into settings, an engine and a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xl_rebal.batch.dask_engine import DaskEngine
from xl_rebal.batch.local_engine import LocalEngine
from xl_rebal.batch.run import BatchOptions, Engine, run_batch
from xl_rebal.batch.settings import BatchSettings, Outside
from xl_rebal.cli import amounts
from xl_rebal.cli.planning_inputs import order_style
from xl_rebal.cli.tax_inputs import read_day
from xl_rebal.costs import parse_costs
from xl_rebal.custodians.orders import load_formats
from xl_rebal.errors import FileError, TableError
from xl_rebal.portfolio.accounts import PlanMode
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.trading.limits import OrderType, TimeInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRun:
    """A run that is ready to be carried out."""

    book: Path
    out: Path
    settings: BatchSettings
    engine: Engine
    outside: Outside
    resume: bool
    overwrite: bool

    def carry_out(self, told: Callable[[int, int], None]) -> dict[str, Any]:
        """Do it; returns the manifest."""
        if self.resume and self.overwrite:
            raise FileError.of(
                where="--resume, --overwrite",
                what="contradict each other",
                remedy="go on with the run that stands there, or start afresh",
            )
        options = BatchOptions(resume=self.resume, overwrite=self.overwrite)
        return run_batch(
            self.book, self.out, self.settings, self.engine, options, self.outside, told=told
        )


def settings_of(
    *,
    policy: str,
    mode: PlanMode,
    costs: str | None,
    as_of: str | None,
    min_trade: float,
    max_turnover: str | None,
    order_type: OrderType | None,
    limit: str | None,
    time_in_force: TimeInForce,
    workbooks: bool,
    price_move: str,
    idle_cash: str,
    consent: bool,
) -> BatchSettings:
    """The settings that options mean; raises RebalError for what cannot be understood."""
    parse_policy(policy)
    if costs is not None:
        parse_costs(costs)
    style = order_style(order_type, limit, time_in_force)
    return BatchSettings(
        policy=policy,
        mode=mode,
        costs=costs,
        as_of=read_day(as_of),
        min_trade=amounts.money(min_trade, "--min-trade"),
        max_turnover=amounts.optional_share(max_turnover, "--max-turnover", most=1.0),
        order_type=style.order_type.value,
        limit=style.limit,
        time_in_force=style.time_in_force.value,
        workbooks=workbooks,
        price_move=_rise(price_move),
        idle_cash=amounts.share(idle_cash, "--idle-cash", most=1.0),
        consent=consent,
    )


def _rise(text: str) -> float:
    rise = amounts.share(text, "--price-move")
    if rise >= 1:
        raise TableError.of(
            where="--price-move", what=f"{text} is no rise to plan for", remedy="write it as 1%"
        )
    return rise


def outside_of(*, formats: Sequence[Path], ledger: Path | None) -> Outside:
    """The order formats (the user's own first) and the ledger of a run."""
    return Outside(formats=load_formats(formats), ledger=ledger)


def engine_of(*, dask: bool, workers: int | None, scheduler: str | None) -> Engine:
    """Who does the work; as many processes as this one may use cores when nobody says."""
    if scheduler is not None and not dask:
        raise FileError.of(
            where="--scheduler",
            what="is the address of a Dask scheduler, and the engine is local",
            remedy="add --engine dask",
        )
    count = workers or _cores()
    return (
        DaskEngine(workers=count, address=scheduler or "") if dask else LocalEngine(workers=count)
    )


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
