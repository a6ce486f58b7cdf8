"""Bands that differ by class, from how much a class moves against the rest of the portfolio.

Two opposite rules are in use, and each is right for its own aim (S034, S035, S038):
equal frequency gives the wild classes wider bands, so that all reach theirs equally often;
equal risk gives them narrower bands, so that a band's edge costs each the same tracking error
(Masters 2003, "Rebalancing", J. Portfolio Management; CFA curriculum).
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

import numpy as np

from xl_rebal.backtest.prices import Market
from xl_rebal.errors import TableError
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.targets import Targets


class Aim(StrEnum):
    """What the bands are to have in common."""

    FREQUENCY = "equal frequency"
    RISK = "equal risk"


def relative_volatility(market: Market) -> dict[str, float]:
    """Annual volatility of each class's return less that of the rest at target weights."""
    returns, weight = market.returns, market.target
    whole = weight @ returns
    found = {}
    for k, name in enumerate(market.names[:-1]):
        if weight[k] >= 1:
            continue
        rest = (whole - weight[k] * returns[k]) / (1 - weight[k])
        spread = np.std(returns[k] - rest, ddof=1) if len(whole) > 1 else 0.0
        found[name] = float(spread * np.sqrt(market.periods))
    return found


def volatility_bands(market: Market, average: float, aim: Aim) -> dict[str, float]:
    """A band for each class with a target, whose mean is `average`.

    equal frequency  width ~ w (1 - w) x sd(r - r of the rest): the size of a day's drift.
    equal risk       width ~ 1 / sd(r - r of the rest).
    With two classes both drift by the same amount, so unequal bands act as the narrower one.
    """
    if not 0 < average < 1:
        raise TableError.of(
            where="average band",
            what=f"{average:g} is not between 0 and 1",
            remedy="enter a fraction such as 0.05",
        )
    spread = relative_volatility(market)
    weight = dict(zip(market.names, market.target.tolist(), strict=True))
    size = {}
    for name, sd in spread.items():
        w = weight[name]
        if w <= 0 or sd <= 0:
            continue
        size[name] = w * (1 - w) * sd if aim is Aim.FREQUENCY else 1 / sd
    if not size:
        raise TableError.of(
            where="prices",
            what="no class moves against the others",
            remedy="give a history with two classes that move",
        )
    mean = sum(size.values()) / len(size)
    return {name: average * value / mean for name, value in size.items()}


def with_bands(targets: Targets, bands: dict[str, float]) -> Targets:
    """The targets with these bands as each class's own, for a policy of `own bands`."""
    return Targets(
        tuple(
            item
            if classes.is_cash(item.asset_class) or item.asset_class not in bands
            else replace(item, band_abs=bands[item.asset_class], band_rel=None)
            for item in targets.items
        ),
        targets.name,
    )
