"""Which band? Every width on the same prices, what it costs and how far it strays, and the best one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xl_rebal.backtest.comparison import Progress, report
from xl_rebal.backtest.metrics import summary
from xl_rebal.backtest.prices import Market
from xl_rebal.backtest.settings import Settings
from xl_rebal.backtest.simulator import simulate
from xl_rebal.errors import PlanError, TableError
from xl_rebal.portfolio import cells
from xl_rebal.portfolio.policies import Band, Policy

WIDTHS = (
    0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.045, 0.05,
    0.06, 0.07, 0.08, 0.09, 0.10, 0.12, 0.15, 0.20,
)  # fmt: skip
# What a unit of squared tracking error is worth where no limit is set: half of it is charged.
RISK_AVERSION = 10.0
COLUMNS = (
    "band",
    "rebalances",
    "rebalances_per_year",
    "turnover",
    "cost_bps",
    "tracking_error",
    "max_drift",
    "average_drift",
    "cagr",
    "volatility",
    "sharpe",
    "charge_bps",
    "efficient",
    "best",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What the best band must keep: a largest tracking error, a largest drift, or neither.

    Within the limit the cheapest band is the best; without one the band with the least cost plus
    risk aversion / 2 x tracking error squared, a mean-variance investor's charge for straying.
    """

    tracking_error: float | None = None
    max_drift: float | None = None

    def __post_init__(self) -> None:
        for value in (self.tracking_error, self.max_drift):
            if value is not None and not 0 < value < 1:
                raise ValueError("a limit is a fraction above 0 and below 1")

    def keeps(self, row: dict[str, Any]) -> bool:
        """True where a band's figures are inside the limit."""
        te, drift = self.tracking_error, self.max_drift
        return (te is None or row["tracking_error"] <= te + 1e-12) and (
            drift is None or row["max_drift"] <= drift + 1e-9
        )

    def in_words(self) -> str:
        """`least cost with a tracking error of at most 0.5% a year`."""
        if self.tracking_error is not None:
            return f"least cost with a tracking error of at most {self.tracking_error * 100:.10g}% a year"
        if self.max_drift is not None:
            return f"least cost with a drift of at most {self.max_drift * 100:.10g} pp"
        return f"least cost + {RISK_AVERSION / 2:g} x tracking error squared"


def parse_limit(text: str) -> Limit:
    """A limit from `0.5%`, `TE 0.5%`, `drift 6pp`; blank for none."""
    body = " ".join(text.casefold().split())
    if not body:
        return Limit()
    match = re.fullmatch(r"(?:(te|tracking error|drift|max drift)\s*[:=<]*\s*)?(\S+ ?\S*)", body)
    try:
        if match is None:
            raise ValueError
        share = cells.fraction(match[2].replace(" ", ""))
        drift = match[1] is not None and "drift" in match[1]
        return Limit(max_drift=share) if drift else Limit(tracking_error=share)
    except ValueError:
        raise TableError.of(
            where="limit",
            what=f"{text!r} is not understood",
            remedy='write a tracking error such as 0.5%, or "drift 6pp"',
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class BandSearch:
    """Every band's figures and which is best; `rows` in the order of the widths."""

    market: Market
    limit: Limit
    rows: tuple[dict[str, Any], ...]

    @property
    def best(self) -> dict[str, Any]:
        """The row of the best band."""
        return next(row for row in self.rows if row["best"])

    def notes(self) -> list[str]:
        """The sample, its gaps, how many bands were tried, and what `best` means."""
        market, best = self.market, self.best
        found = [
            f"best: {best['band'] * 100:g} pp ({self.limit.in_words()})",
            f"{len(self.rows)} bands tried on {len(market.dates)} rows from {market.day(0)} to "
            f"{market.day(-1)}; it is the best of this sample, not of the next",
        ]
        if all(row["cost_bps"] == 0 for row in self.rows):
            found.append("trading is free here, so that only tracking error counts; give a cost")
        return [*found, *market.notes]


def search_bands(
    market: Market,
    settings: Settings | None = None,
    *,
    limit: Limit | None = None,
    widths: Sequence[float] = WIDTHS,
    progress: Progress | None = None,
) -> BandSearch:
    """Run an absolute band of every width, back to target, and mark the best and the efficient ones.

    Raises PlanError where no band keeps the limit, naming the one that comes nearest.
    """
    settings = Settings() if settings is None else settings
    limit = Limit() if limit is None else limit
    if not widths:
        raise TableError.of(where="bands", what="there are none", remedy="name a width")
    rows = []
    for number, width in enumerate(widths):
        report(progress, number / len(widths))
        figures = summary(simulate(market, Policy(trigger=Band(absolute=width)), settings))
        charge = figures["cost_bps"] + RISK_AVERSION / 2 * figures["tracking_error"] ** 2 * 1e4
        rows.append({"band": width, **figures, "charge_bps": charge})
    report(progress, 1.0)
    best = _best(rows, limit)
    return BandSearch(
        market=market,
        limit=limit,
        rows=tuple(
            {**row, "efficient": _is_efficient(row, rows), "best": row is best} for row in rows
        ),
    )


def _best(rows: Sequence[dict[str, Any]], limit: Limit) -> dict[str, Any]:
    kept = [row for row in rows if limit.keeps(row)]
    if not kept:
        key = "tracking_error" if limit.tracking_error is not None else "max_drift"
        nearest = min(rows, key=lambda row: row[key])
        raise PlanError.of(
            where="limit",
            what=f"no band keeps it; {nearest['band'] * 100:g} pp comes nearest with a "
            f"{key.replace('_', ' ')} of {nearest[key] * 100:.2f}%",
            remedy="allow more, or try narrower bands",
        )
    if limit == Limit():
        return min(kept, key=lambda row: (row["charge_bps"], row["rebalances"]))
    return min(kept, key=lambda row: (row["cost_bps"], row["rebalances"], row["tracking_error"]))


def _is_efficient(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> bool:
    """No other band both costs less and strays less: the cost against tracking-error frontier."""
    cost, te = row["cost_bps"], row["tracking_error"]
    return not any(
        other["cost_bps"] <= cost
        and other["tracking_error"] <= te
        and (other["cost_bps"] < cost or other["tracking_error"] < te)
        for other in rows
    )
