"""The backtest against bt, vectorbt and a pandas loop, in one run; how time grows; the grid.

    python -m benchmarks --only backtest

The peers are in an environment of their own, build/bench (benchmarks/requirements-backtest.txt), which
`make bench` makes and in which this module runs itself: `build/bench/bin/python -m benchmarks.backtest
[--quick] [--json]`. docs/backtest.md holds tables that were measured earlier. Prices are invented (seeded
random paths). The results of the peers are compared with ours before anything is timed. Times are
processor time, the least of several runs.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import Result, Section
from xl_rebal.backtest.metrics import summary
from xl_rebal.backtest.prices import Market, Prices, align
from xl_rebal.backtest.settings import Settings
from xl_rebal.backtest.simulated_prices import Assumptions, random_paths
from xl_rebal.backtest.simulator import simulate
from xl_rebal.costs import CostModel
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.targets import Target, Targets

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "build" / "bench" / "bin" / "python"
NAMES = ("STOCKS", "FOREIGN", "BONDS", "ESTATE", "GOLD", "BILLS", "SMALL", "VALUE")
WEIGHTS = (0.4, 0.2, 0.3, 0.1)
RATE = 0.0005
POLICY = "20%rel beyond"  # what bt's RunIfOutOfBounds(0.2) means: relative, past the edge


def paths(count: int, days: int, assets: int = 4, seed: int = 1) -> np.ndarray:
    """(count, assets, days) random prices."""
    correlation = np.full((assets, assets), 0.3)
    np.fill_diagonal(correlation, 1.0)
    volatility = np.resize([0.16, 0.18, 0.05, 0.2], assets)
    assumed = Assumptions(
        mean=np.full(assets, 0.06), volatility=volatility, correlation=correlation
    )
    return random_paths(assumed, paths=count, days=days, seed=seed)


def model(days: int, assets: int = 4) -> tuple[Prices, Targets]:
    """Prices of business days and targets, as a reader hands them over."""
    weight = np.array(WEIGHTS) if assets == 4 else np.full(assets, 1 / assets)
    dates = np.busday_offset(np.datetime64("2015-01-01"), np.arange(days), roll="forward")
    prices = Prices(dates=dates, symbols=NAMES[:assets], values=100 * paths(1, days, assets)[0].T)
    items = tuple(
        Target(asset_class=n, target=float(w)) for n, w in zip(NAMES, weight, strict=False)
    )
    return prices, Targets(items)


def market(days: int, assets: int = 4) -> Market:
    """A market of business days."""
    return align(*model(days, assets))


def seconds(
    work: Callable[[], Any], runs: int, *, clock: Callable[[], float] | None = None
) -> float:
    """The least processor time of `runs` warm calls: on a shared machine the one disturbed least.

    clock  wall time for work on several threads.
    """
    now = clock or time.process_time
    work()
    gc.collect()  # once: between short calls it would empty the processor's caches
    times = []
    for _ in range(runs):
        start = now()
        work()
        times.append(now() - start)
    return min(times)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


# -- one backtest ---------------------------------------------------------------------------------


def ours(found: Market) -> Any:
    """Everything that `xl-rebal backtest --json` shows, from prices in memory."""
    run = simulate(found, parse_policy(POLICY), Settings(costs=CostModel(half_spread=RATE)))
    return run.value, summary(run), run.rebalances()


def ours_from_prices(prices: Prices, targets: Targets) -> Any:
    """The same from the table of prices: gaps, splits and impossible prices are looked for, too."""
    return ours(align(prices, targets))


def bt_run(found: Market) -> Any:
    """The same with bt: fractional positions, the proportional cost as a commission, its statistics."""
    import bt
    import pandas as pd

    frame = pd.DataFrame(
        found.price[:-1].T, index=pd.DatetimeIndex(found.dates.astype("datetime64[ns]")),
        columns=list(found.names[:-1]),
    )  # fmt: skip
    weights = dict(zip(found.names[:-1], found.target.tolist(), strict=False))
    strategy = bt.Strategy(
        "bands",
        [
            bt.algos.SelectAll(),
            bt.algos.WeighSpecified(**weights),
            bt.algos.Or([bt.algos.RunOnce(), bt.algos.RunIfOutOfBounds(0.2)]),
            bt.algos.Rebalance(),
        ],
    )
    test = bt.Backtest(
        strategy,
        frame,
        initial_capital=1e6,
        commissions=lambda quantity, price: abs(quantity) * price * RATE,
        integer_positions=False,
        progress_bar=False,
    )
    result = bt.run(test, progress_bar=False)
    return result.prices.iloc[:, 0].to_numpy(), result.stats, result.get_transactions()


def pandas_loop(found: Market) -> Any:
    """What one writes first: a loop over the rows of a DataFrame."""
    import pandas as pd

    frame = pd.DataFrame(found.price[:-1].T, index=found.dates, columns=list(found.names[:-1]))
    target = pd.Series(found.target[:-1], index=frame.columns)
    units = target * 1e6 / frame.iloc[0]
    values = []
    for i, (_, row) in enumerate(frame.iterrows()):
        held = units * row
        total = held.sum()
        if i and ((held / total - target).abs() > 0.2 * target).any():
            after = total
            for _ in range(50):
                after = total - RATE * (target * after - held).abs().sum()
            units = target * after / row
            total = after
        values.append(total)
    return pd.Series(values, index=frame.index)


def fresh(code: str, runs: int) -> float:
    """The least processor time of a program in a new process, start of Python included."""
    times = []
    for _ in range(runs):
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT)
        done = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(done.ru_utime + done.ru_stime - start.ru_utime - start.ru_stime)
    return min(times)


_IMPORT = "import benchmarks.backtest as b; "
_PREPARE = _IMPORT + "m = b.market(1260); "


def one_backtest(quick: bool, results: list[Result]) -> str:
    found = market(1260)
    value, figures, _ = ours(found)
    peer = bt_run(found)[0][1:]  # bt adds a day before the first
    # bt takes the first purchase's commission too, and sizes trades before it: near, not equal.
    loop = pandas_loop(found).to_numpy()
    assert np.allclose(value, loop, rtol=1e-9)
    gap = np.abs(peer / peer[0] / (value / value[0]) - 1).max()
    assert gap < 5e-4, gap
    given = model(1260)
    times = {
        "xl_rebal, on prices at hand": seconds(lambda: ours(found), 5 if quick else 101),
        "xl_rebal": seconds(lambda: ours_from_prices(*given), 5 if quick else 101),
        "bt": seconds(lambda: bt_run(found), 1 if quick else 5),
        "pandas loop": seconds(lambda: pandas_loop(found), 1 if quick else 3),
    }
    runs = 1 if quick else 7
    cold = {
        "xl_rebal": fresh(
            _IMPORT + "b.ours_from_prices(*b.model(1260))",
            runs,
        ),
        "bt": fresh(_PREPARE + "b.bt_run(m)", runs),
        "pandas loop": fresh(_PREPARE + "b.pandas_loop(m)", runs),
    }
    rows = [
        [
            name,
            f"{times[name] * 1e3:,.3f}",
            f"{times['bt'] / times[name]:,.1f}",
            f"{cold[name]:.2f}" if name in cold else "",
            f"{cold['bt'] / cold[name]:.1f}" if name in cold else "",
        ]
        for name in times
    ]
    results += [
        _ratio("one daily backtest against bt", times["bt"] / times["xl_rebal"], 1_000, quick),
        _ratio(
            "first backtest, fresh process, against bt", cold["bt"] / cold["xl_rebal"], 15, quick
        ),
    ]
    head = (
        f"One daily backtest, 4 assets, 1,260 days, `{POLICY}`, {figures['rebalances']} rebalancings, "
        "all figures and trades:\n\n"
    )
    return head + table(
        ["", "warm, ms", "x faster than bt", "fresh process, s", "x faster than bt"], rows
    )


def _ratio(work: str, times: float, budget: float, quick: bool) -> Result:
    return Result(
        work=work,
        measured=f"{times:,.1f}×",
        budget=f"≥{budget:,g}×",
        met=None if quick else times >= budget,
    )


# -- the grid -------------------------------------------------------------------------------------


def grid_task(count: int, days: int = 1260) -> Any:
    from xl_rebal.backtest.grid import GridTask, absolute_edges

    target = np.array(WEIGHTS)
    high, low = absolute_edges(target, [0.01 + 0.005 * i for i in range(20)])
    return GridTask(
        price=paths(count, days), target=target, high=high, low=low, rate=np.full(4, RATE)
    )


def vectorbt_seconds(task: Any) -> float:
    """vectorbt's simulation of 20 bands: its orders are ours, so that only its simulation is timed."""
    import pandas as pd
    import vectorbt as vbt

    count, assets, days = task.price.shape
    columns, sizes = [], []
    for n in range(count):
        for b in range(len(task.high)):
            size = np.full((days, assets), np.nan)
            units = task.target / task.price[n, :, 0]
            size[0] = task.target
            for day in range(1, days):
                value = units * task.price[n, :, day]
                total = value.sum()
                if np.any(value >= task.high[b] * total) or np.any(value <= task.low[b] * total):
                    size[day] = task.target
                    units = task.target * total / task.price[n, :, day]
            columns.append(task.price[n].T)
            sizes.append(size)
    close = pd.DataFrame(np.concatenate(columns, axis=1))
    size = pd.DataFrame(np.concatenate(sizes, axis=1))
    groups = np.repeat(np.arange(count * len(task.high)), assets)

    def run() -> Any:
        return vbt.Portfolio.from_orders(
            close, size, size_type="targetpercent", group_by=groups, cash_sharing=True,
            call_seq="auto", fees=RATE, freq="1D",
        )  # fmt: skip

    return seconds(run, 3)


def grid(quick: bool, results: list[Result]) -> str:
    from xl_rebal.backtest.grid import run_grid

    count = 100 if quick else 1000
    task = grid_task(count)
    cells = count * 20 * 1260 * 4
    plain = run_grid(task, use_numba=False)
    compiled = run_grid(task, use_numba=True, workers=2)
    for name in ("events", "turnover", "cost", "final"):
        assert np.array_equal(getattr(plain, name), getattr(compiled, name)), name
    few = 5 if quick else 20
    small = grid_task(few)
    peer = vectorbt_seconds(small) / (few * 20 * 1260 * 4)
    rows = []
    for words, options in (
        ("NumPy, one thread", {"use_numba": False}),
        ("Numba, one thread", {"use_numba": True, "workers": 1}),
        ("Numba, two threads (wall time)", {"use_numba": True, "workers": 2}),
    ):
        runs = 1 if quick else 25 if options["use_numba"] else 3
        clock = time.perf_counter if options.get("workers") == 2 else None
        took = seconds(lambda options=options: run_grid(task, **options), runs, clock=clock)
        each = took / cells
        rows.append([words, f"{took:.3f}", f"{each * 1e9:.2f}", f"{peer / each:,.0f}"])
        if words == "Numba, one thread":
            results.append(_ratio("grid of bands against vectorbt", peer / each, 300, quick))
            met = None if quick else each <= 1e-9
            work, measured = "grid of bands, per asset-day and core", f"{each * 1e9:.2f} ns"
            results.append(Result(work=work, measured=measured, budget="≤1 ns", met=met))
    rows.append([f"vectorbt, from_orders, {few} paths", "", f"{peer * 1e9:,.1f}", "1"])
    head = (
        f"Grid of 20 bands (1 to 10.5 pp) x {count:,} paths x 1,260 days x 4 assets; the results of NumPy "
        "and Numba are equal to the last bit. vectorbt is given the orders and simulates them only:\n\n"
    )
    return head + table(["", "s", "ns per asset-day", "x vectorbt"], rows)


# -- growth ---------------------------------------------------------------------------------------


def growth(quick: bool, _: list[Result]) -> str:
    from xl_rebal.backtest.grid import run_grid

    runs = 3 if quick else 15
    rows = []

    def line(words: str, sizes: Sequence[int], work: Callable[[int], Callable[[], Any]]) -> None:
        times = [seconds(work(size), runs) for size in sizes]
        slope = math.log(times[-1] / times[0]) / math.log(sizes[-1] / sizes[0])
        shown = ", ".join(f"{s:,}: {t * 1e3:,.2f}" for s, t in zip(sizes, times, strict=True))
        rows.append([words, shown, f"{slope:.2f}"])

    by_days = {days: market(days) for days in (1260, 5040, 20160)}
    line("days", list(by_days), lambda days: lambda: ours(by_days[days]))
    by_assets = {assets: market(2520, assets) for assets in (2, 4, 8)}
    line("assets", list(by_assets), lambda assets: lambda: ours(by_assets[assets]))
    found = market(1260)
    line("policies", [1, 10, 100], lambda many: lambda: [ours(found) for _ in range(many)])
    tasks = {count: grid_task(count, 252) for count in (50, 200, 800)}
    line(
        "paths of a grid of 20 bands, 252 days, NumPy",
        list(tasks),
        lambda count: lambda: run_grid(tasks[count], use_numba=False),
    )
    return table(["growing", "ms by size", "exponent"], rows)


def measure(*, quick: bool) -> Section:
    """What a run of this module in the environment of the peers finds."""
    if not PEERS.exists():
        text = "Not measured: `make bench` makes the environment of the peers, build/bench."
        return Section(title="Backtests", results=[], text=text)
    command = [str(PEERS), "-m", "benchmarks.backtest", "--json", *(["--quick"] if quick else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(done.stderr)
    found = json.loads(done.stdout)
    results = [Result(**each) for each in found["results"]]
    return Section(title="Backtests", results=results, text=found["text"])


def main() -> None:
    """Measure here, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: does everything run?")
    parser.add_argument("--json", action="store_true", help="one JSON document for `measure`")
    asked = parser.parse_args()
    versions = ", ".join(
        f"{n} {version(n)}" for n in ("numpy", "pandas", "bt", "vectorbt", "numba")
    )
    results: list[Result] = []
    head = f"{versions}; load {os.getloadavg()[0]:.1f} at the start. Processor time, least of several runs."
    parts = [head, *(part(asked.quick, results) for part in (one_backtest, grid, growth))]
    text = "\n\n".join(part.strip() for part in parts)
    if asked.json:
        print(json.dumps({"results": [vars_of(each) for each in results], "text": text}))
    else:
        print(text)


def vars_of(result: Result) -> dict[str, Any]:
    """The fields of a result."""
    return {name: getattr(result, name) for name in ("work", "measured", "budget", "met")}


if __name__ == "__main__":
    main()
