"""What rebalancing did in the falls of one asset: worse at the trough, better at the recovery (S141)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from xl_rebal.backtest.metrics import Drawdown, never
from xl_rebal.backtest.prices import Market, Matrix
from xl_rebal.backtest.settings import Settings
from xl_rebal.backtest.simulator import simulate
from xl_rebal.errors import TableError
from xl_rebal.portfolio.policies import Policy

_NOTHING = 1e-12
DEPTH = 0.15  # a fall of the asset at least so deep is an episode


def falls(value: Matrix, depth: float = DEPTH) -> Iterator[Drawdown]:
    """Every fall from a peak by `depth` or more, in their order; the last may not have recovered."""
    top = np.maximum.accumulate(value)
    peaks = np.flatnonzero(value >= top)
    bounds = np.append(peaks, len(value))
    for peak, following in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if following - peak < 2:
            continue
        trough = peak + int(np.argmin(value[peak:following]))
        fall = float(value[trough] / value[peak] - 1)
        if fall <= -depth:
            recovery = following if following < len(value) else None
            yield Drawdown(depth=fall, peak=peak, trough=trough, recovery=recovery)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A fall of the asset, and a policy against never rebalancing, both at target at the peak.

    gain  (n,) value under the policy over value left alone, less 1, from the peak to the end.
    """

    market: Market
    fall: Drawdown
    gain: Matrix

    def row(self) -> dict[str, Any]:
        """The figures: gains at trough and recovery, the worst between, when it was made good."""
        market, fall = self.market, self.fall
        until = fall.recovery if fall.recovery is not None else len(market.dates) - 1
        between = self.gain[: until - fall.peak + 1]
        worst = int(np.argmin(between))
        good = np.flatnonzero(self.gain[worst:] >= 0)
        back = fall.peak + worst + int(good[0]) if len(good) else None
        return {
            "peak": market.day(fall.peak).isoformat(),
            "trough": market.day(fall.trough).isoformat(),
            "recovery": None if fall.recovery is None else market.day(fall.recovery).isoformat(),
            "asset_fall": fall.depth,
            "gain_at_trough": float(self.gain[fall.trough - fall.peak]),
            "gain_at_recovery": None
            if fall.recovery is None
            else float(self.gain[fall.recovery - fall.peak]),
            "worst_gain": float(between[worst]),
            "worst_gain_on": market.day(fall.peak + worst).isoformat(),
            "made_good_on": None if back is None else market.day(back).isoformat(),
        }


def drawdown_study(
    market: Market,
    policy: Policy,
    asset: str,
    settings: Settings | None = None,
    *,
    depth: float = DEPTH,
) -> list[Episode]:
    """Each fall of an asset by `depth` or more: both portfolios buy the target at the asset's peak.

    Rebalancing buys what falls, so it loses more until the trough and gains until the recovery.
    """
    names = [name.casefold() for name in market.names]
    if asset.casefold() not in names:
        raise TableError.of(
            where="drawdown study",
            what=f"{asset!r} is no class of the targets",
            remedy=f"name one of {', '.join(market.names)}",
        )
    episodes = []
    for fall in falls(market.price[names.index(asset.casefold())], depth):
        later = market.since(fall.peak)
        run = simulate(later, policy, settings)
        gain = run.growth / never(run) - 1
        gain[np.abs(gain) < _NOTHING] = 0.0  # the same units, added up in another order
        episodes.append(Episode(market=market, fall=fall, gain=gain))
    return episodes
