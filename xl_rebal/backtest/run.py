"""What a backtest did: units held day by day, every rebalancing with its reason, trades and cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xl_rebal.backtest.prices import Market, Matrix
from xl_rebal.backtest.rules import Edges, Joined, Node, Rule, fires
from xl_rebal.backtest.settings import Settings
from xl_rebal.portfolio.policies import Policy, trigger_in_words

_NOTHING = 1e-9  # of the total: a smaller change of a class is no trade


@dataclass(frozen=True, kw_only=True)  # not slotted: cached properties live in __dict__
class Run:
    """One policy on one market. Classes are the market's names, cash last; K + 1 of them.

    day, fired     (E,) rows of the rebalancings, and on which the rule fired (earlier with a delay).
    before, after  (E, K + 1) units before and after each.
    cost           (E,) money.
    start, units   (S,), (S, K + 1) the units held from the close of a row on.
    flow           (T,) money that came in at the close of each row.
    flow_cost      money that investing and raising the flows cost, beside the rebalancings.
    """

    market: Market
    policy: Policy
    settings: Settings
    rule: Rule
    rules: tuple[tuple[int, Rule], ...]
    day: NDArray[np.int64]
    fired: NDArray[np.int64]
    before: Matrix
    after: Matrix
    cost: Matrix
    start: NDArray[np.int64]
    units: Matrix
    flow: Matrix
    flow_cost: float

    @cached_property
    def holding(self) -> NDArray[np.int64]:
        """(T,) index into `units` of what is held at the close of each row, trades done."""
        result: NDArray[np.int64] = (
            np.searchsorted(self.start, np.arange(len(self.market.dates)), side="right") - 1
        )
        return result

    @cached_property
    def values(self) -> Matrix:
        """(K + 1, T) money in each class at the close, trades done."""
        result: Matrix = self.market.price * self.units.T[:, self.holding]
        return result

    @cached_property
    def value(self) -> Matrix:
        """(T,) money at the close, trades and their costs done."""
        result: Matrix = np.add.reduce(self.values, axis=0)
        return result

    @cached_property
    def weights(self) -> Matrix:
        """(K + 1, T) weights at the close, trades done."""
        result: Matrix = self.values / self.value
        return result

    @cached_property
    def opening(self) -> Matrix:
        """(K + 1, T) weights at the close before the trades and flows of the day."""
        result = self.weights.copy()
        days = self.start[1:]
        if len(days):
            held = self.units[self.holding[days - 1]].T
            values = self.market.price[:, days] * held
            result[:, days] = values / np.add.reduce(values, axis=0)
        return result

    @cached_property
    def target(self) -> Matrix:
        """(K + 1, T) target weights, or (K + 1, 1) where they never change."""
        return self._by_day([rule.target for _, rule in self.rules])

    def _by_day(self, rows: list[Matrix]) -> Matrix:
        if len(rows) == 1:
            return rows[0][:, None]
        begins = [day for day, _ in self.rules]
        index = np.searchsorted(begins, np.arange(len(self.market.dates)), side="right") - 1
        result: Matrix = np.array(rows).T[:, index]
        return result

    @cached_property
    def returns(self) -> Matrix:
        """(T - 1,) time-weighted returns: flows move after the close and earn nothing that day."""
        result: Matrix = (self.value[1:] - self.flow[1:]) / self.value[:-1] - 1
        return result

    @cached_property
    def growth(self) -> Matrix:
        """(T,) value of 1 invested on the first day, flows taken out."""
        result: Matrix = self.value / self.value[0]
        if self.flow.any():
            result = np.concatenate([[1.0], np.cumprod(1 + self.returns)])
        return result

    @cached_property
    def traded(self) -> Matrix:
        """(E, K + 1) money bought (+) or sold (-) at each rebalancing; cash is what remains."""
        result: Matrix = (self.after - self.before) * self.market.price[:, self.day].T
        return result

    @cached_property
    def turnover(self) -> Matrix:
        """(E,) one-way turnover: half of what was bought and sold, as a share of the total before."""
        moved = np.abs(self.traded[:, :-1]).sum(axis=1) / 2
        result: Matrix = moved / self.total_before
        return result

    @cached_property
    def total_before(self) -> Matrix:
        """(E,) value just before each rebalancing."""
        result: Matrix = (self.before * self.market.price[:, self.day].T).sum(axis=1)
        return result

    @cached_property
    def drift(self) -> Matrix:
        """(K + 1, T) drift at the close before the trades of the day."""
        result: Matrix = self.opening - self.target
        return result

    @property
    def common_band(self) -> float | None:
        """The band's half-width where all classes have the same, else None."""
        wide = np.concatenate([self.rule.up[:-1], self.rule.down[:-1]])
        same = np.isfinite(wide).all() and np.ptp(wide) < _NOTHING
        return float(wide[0]) if same else None

    @cached_property
    def furthest(self) -> Matrix:
        """(T,) largest drift of any class before the day's trades, without its sign."""
        result: Matrix = np.maximum.reduce(np.abs(self.drift), axis=0)
        return result

    @property
    def days_outside(self) -> int:
        """Rows that end with a class outside the policy's bands, trades done."""
        down = self._by_day([rule.down for _, rule in self.rules])
        up = self._by_day([rule.up for _, rule in self.rules])
        drift = self.weights - self.target
        slack = 1e-9 if self.policy.beyond else -1e-9
        outside = drift >= np.maximum(up + slack, 1e-9)
        outside |= drift <= -np.maximum(down + slack, 1e-9)
        return int(np.count_nonzero(np.logical_or.reduce(outside, axis=0)))

    def rebalances(self) -> list[dict[str, Any]]:
        """One row per rebalancing: date, what fired, drift before, trades, cost."""
        if not len(self.day):
            return []
        names = self.market.names
        price = self.market.price[:, self.day].T
        target = self.target[:, self.day].T if self.target.shape[1] > 1 else self.target.T
        drift = self.before * price / self.total_before[:, None] - target
        worst = np.abs(drift).argmax(axis=1).tolist()
        rows = []
        for e, (date, fired, total, cost, turnover, (rule, place)) in enumerate(
            zip(
                self.market.dates[self.day].astype(str).tolist(),
                self.market.dates[self.fired].astype(str).tolist(),
                self.total_before.tolist(),
                self.cost.tolist(),
                self.turnover.tolist(),
                self._reasons(),
                strict=True,
            )
        ):
            own = drift[e].tolist()
            shown = worst[e] if place is None else place
            rows.append(
                {
                    "date": date,
                    "fired": fired,
                    "rule": rule,
                    "asset_class": names[shown],
                    "drift_before": own[shown],
                    "max_drift": abs(own[worst[e]]),
                    "turnover": turnover,
                    "value": total,
                    "cost": cost,
                    "trades": self._trades(e, price[e], total),
                }
            )
        return rows

    def _trades(self, event: int, price: Matrix, total: float) -> list[dict[str, Any]]:
        least = _NOTHING * total
        quantities = (self.after[event] - self.before[event])[:-1].tolist()
        amounts = self.traded[event, :-1].tolist()
        return [
            {
                "symbol": name,
                "action": "BUY" if amount > 0 else "SELL",
                "quantity": abs(quantity),
                "price": each,
                "value": abs(amount),
            }
            for name, quantity, each, amount in zip(
                self.market.names, quantities, price.tolist(), amounts, strict=False
            )
            if abs(amount) > least
        ]

    def _reasons(self) -> list[tuple[str, int | None]]:
        """For each event the triggers that fired, in words, and the class furthest out of its band."""
        begins = [day for day, _ in self.rules]
        values = self.before * self.market.price[:, self.fired].T
        totals = values.sum(axis=1)
        last = 0
        result: list[tuple[str, int | None]] = []
        for e, day in enumerate(self.fired.tolist()):
            place = int(np.searchsorted(begins, day, side="right")) - 1 if len(begins) > 1 else 0
            rule = self.rules[place][1]
            words, worst = _why(rule.node, values[e], float(totals[e]), day, last, rule)
            result.append((" and ".join(dict.fromkeys(words)), worst))
            last = int(self.day[e])
        return result


def _why(
    node: Node, value: Matrix, total: float, day: int, last: int, rule: Rule
) -> tuple[list[str], int | None]:
    """Words of the leaves that fired on a day, and the class that stood furthest outside; none of
    either where the node did not fire.
    """
    if isinstance(node, Joined):
        words: list[str] = []
        place = None
        for part in node.parts:
            found, worst = _why(part, value, total, day, last, rule)
            if node.every and not found:
                return [], None
            words, place = words + found, worst if place is None else place
        return words, place
    if isinstance(node, Edges):
        drift = np.abs(value / total - rule.target) * node.outside_at(value, total)
        worst = int(drift.argmax())
        return ([trigger_in_words(node.leaf)], worst) if drift[worst] > 0 else ([], None)
    fired = fires(node, value[:, None], np.array([day]), last)[0]
    return ([trigger_in_words(node.leaf)] if fired else []), None
