"""bt 1.4.1 on its documented example and on bands, where meanings agree.

bt is no dependency: its figures were recorded from our run of it on the same ETF file (SPY and AGG from
2010-01-01), with fractional positions and without commissions. In bt `RunMonthly` means the first day of
a month; `RunIfOutOfBounds(x)` is relative to the target and past the edge, and must stand after the
weights and before `Rebalance`. bt's first trade is the first purchase, which is not counted here.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.backtest import histories
from xl_rebal.backtest.simulator import simulate
from xl_rebal.portfolio.policy_text import parse_policy

# policy: growth of 1 to the end of the file, days with trades less the first
RECORDED = {
    "monthly on first day": (3.5745372484332574, 188),  # RunMonthly, the documented example
    "monthly": (3.541606102108365, 188),  # run_on_end_of_period
    "quarterly": (3.5793129624707776, 62),
    "5%rel beyond": (3.5584680603393877, 32),
    "10%rel beyond": (3.6266242582707475, 12),
    "20%rel beyond": (3.694546623607428, 4),
}


@pytest.mark.parametrize("text", RECORDED)
def test_the_same_growth_and_trading_days_as_bt(shared_data: Path, text: str) -> None:
    growth, trades = RECORDED[text]
    market = histories.etf(shared_data, "50% SPY, 50% AGG", start=dt.date(2010, 1, 1))
    run = simulate(market, parse_policy(text))
    assert run.value[-1] / run.value[0] == pytest.approx(growth, rel=1e-12)
    assert len(run.day) == trades
