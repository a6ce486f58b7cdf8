"""A plan in whole steps that can be changed a step at a time, and what each change is worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xl_rebal.household.columns import Places, Vector
from xl_rebal.household.model import LESS_GAIN
from xl_rebal.household.search import Relaxed, Search, lot_rates
from xl_rebal.household.tax_pieces import quick_tax
from xl_rebal.household.worth import Draft, penalties, penalty, without_dust
from xl_rebal.trading.problem import cash_effect

Mask = NDArray[np.bool_]
_NOTHING = 1e-9
_MARGIN = 50.0  # dollars of gain
_CENTS = 0.02  # dollars that an estimate of cash may be off


class Moves:
    """Units by pair, the class values and the cash that they leave.

    units  (P,) bought (+) and sold (-).
    most   (P,) units that may be sold: all, or whole steps of the lots that may be.
    value  (K,) and cash (A,) as the units leave them.
    """

    def __init__(self, search: Search, relaxed: Relaxed, raised: Vector) -> None:
        model = search.model
        problem = self.problem = model.problem
        self.pair, self._lot = problem.pair, problem.lot
        self._raised = raised
        self._may_buy = relaxed.upper[model.buy] > 0
        self._order, self._sizes = _order(search, relaxed)
        held = np.bincount(self._lot.pair, weights=self._sizes, minlength=len(problem.pairs))
        step = self.pair.step
        most = np.floor(held / step + 1e-9) * step
        self.most: Vector = np.where(held >= self.pair.held - 1e-9, self.pair.held, most)
        self._loses = (self._lot.gain_rate < 0) & (self._sizes > 0)
        self._ladders: dict[int, list[tuple[float, float, float, float, bool]]] = {}
        self._groups = int(self.pair.group.max(initial=-1)) + 1
        self._sure = problem.steps_count
        self._known: Vector | None = None
        self._last: Places = np.full(len(problem.pairs), -1)
        self._next: Places = np.full(len(problem.pairs), -1)
        self.units: Vector = np.zeros(len(problem.pairs))
        self.value: Vector = problem.value.copy()
        self.cash: Vector = problem.spendable_of - raised
        self.value[problem.cash_index] -= raised.sum()
        self._gains = [[r.start_short, r.start_long] for r in problem.returns]
        self._place = self.pair.account * self._groups + self.pair.group
        self._lost: Mask = np.zeros(len(problem.pairs), dtype=np.bool_)

    def start(self, units: Vector) -> None:
        """Begin with these signed units."""
        problem, pair = self.problem, self.pair
        self.units = units
        effect = pair.effects_of(units)
        self.cash += np.bincount(pair.account, effect, minlength=len(self.cash))
        self.value += np.bincount(pair.klass, units * pair.unit_value, minlength=len(self.value))
        self.value[problem.cash_index] += effect.sum()
        lot, sold = self._lot, self._sold()
        money = sold * pair.unit_value[lot.pair]
        for place, gains in enumerate(self._gains):
            mine = np.flatnonzero((problem.return_of_lot == place) & (money > 0))
            gains[0] += float(money[mine] @ lot.short[mine])
            gains[1] += float(money[mine] @ (lot.long + lot.collectible)[mine])
        self._lost[lot.pair[self._loses & (sold > 0)]] = True
        # Of repeated places the last assignment stands.
        taken = self._order[sold[self._order] > 0]
        self._last[lot.pair[taken]] = taken
        left = self._order[sold[self._order] < self._sizes[self._order]][::-1]
        self._next[lot.pair[left]] = left

    def draft(self) -> Draft:
        """The state as a draft."""
        return Draft(sold=self._sold(), bought=np.maximum(self.units, 0.0), raised=self._raised)

    def _sold(self) -> Vector:
        """(n,) units of each lot, in the order in which the lots of a pair are sold."""
        sold = np.zeros(len(self._sizes))
        order = self._order
        if len(order):
            sizes, of = self._sizes[order], self._lot.pair[order]
            before = np.cumsum(sizes) - sizes
            before -= before[np.searchsorted(of, of)]
            wanted = np.maximum(-self.units, 0.0)[of]
            sold[order] = np.clip(wanted - before, 0.0, sizes)
        return without_dust(sold)

    def _groups_of(self, pairs: Mask) -> Mask:
        """(A, groups) True where an account has one of these pairs of a group."""
        count = len(self.cash) * self._groups
        found = np.bincount(self._place[pairs], minlength=count) > 0
        return found.reshape(len(self.cash), self._groups)

    def apply(self, p: int, after: float) -> None:
        """Trade so many signed units of a pair; class values, cash and gains follow."""
        problem = self.problem
        pair, before = problem.pairs[p], float(self.units[p])
        effect = cash_effect(pair.line, after) - cash_effect(pair.line, before)
        place = problem.return_of[pair.account]
        if place >= 0:
            new, old = self._realised(p, -after), self._realised(p, -before)
            self._gains[place][0] += new[0] - old[0]
            self._gains[place][1] += new[1] - old[1]
            self._lost[p] = after < 0 and self._loses_at(p, -after)
            self._last[p], self._next[p] = self._margin(p, -after)
        self._known = None
        self.units[p] = after
        self.cash[pair.account] += effect
        self.value[pair.line.klass] += (after - before) * pair.line.unit_value
        self.value[problem.cash_index] += effect

    def is_worth(self, places: Places, after: Vector) -> Mask:
        """True for an order that is not below its minimum. Where a step by itself is not, nor are more."""
        pair = self.pair
        sure = self._sure[places] & (np.abs(after) >= pair.step[places])
        if sure.all():
            return sure
        signed = np.zeros(len(self.units))
        signed[places] = after
        return sure | pair.worth_trading(signed)[places]

    def effect(self, p: int, after: float) -> float:
        """Cash that trading `after` signed units of a pair brings beyond what is traded now, to the cent."""
        line = self.problem.pairs[p].line
        return cash_effect(line, after) - cash_effect(line, float(self.units[p]))

    def steps(self, accounts: Places, side: int) -> tuple[Places, Vector]:
        """(pairs, signed units) of one step more (side +1) or less of what the accounts hold."""
        pair, now = self.pair, self.units
        mine = np.zeros(len(self.cash), dtype=bool)
        mine[accounts] = True
        buys = (now > 0) | ((now == 0) & self._may_buy & (side > 0))
        sells = ~buys & (self.most > 0) & ((now < 0) | (side < 0))
        sells &= ~(pair.must_sell & (side > 0))
        places = np.flatnonzero(mine[pair.account] & (buys | sells))
        step, most, old = pair.step[places], self.most[places], now[places]
        after = np.maximum(old + side * step, -most)
        if side > 0:  # a sale in full comes back to whole steps
            back = -np.floor((most - step) / step + 1e-9) * step
            after = np.where((old == -most) & (old < 0), back, after)
        after = without_dust(after)
        fine = (after != old) & ~((old > 0) & (after < 0)) & ~((old < 0) & (after > 0))
        worth = self.is_worth(places, after)
        fine &= worth | (np.abs(after) < np.abs(old))
        after = np.where(worth, after, 0.0)
        fine &= after != old
        places, after = places[fine], after[fine]
        clean = ~self.washes(places, after)
        return places[clean], after[clean]

    def washes(self, places: Places, after: Vector) -> Mask:
        """True for a move that buys what is sold at a loss, or sells at a loss what is bought."""
        pair, now = self.pair, self.units[places]
        account, group = pair.account[places], pair.group[places]
        reach, result = self.problem.reach, np.zeros(len(places), dtype=np.bool_)
        if self._lost.any():
            lost = (reach @ self._groups_of(self._lost))[account, group]
            result = (after > np.maximum(now, 0.0)) & lost
        more = np.flatnonzero((after < np.minimum(now, 0.0)) & pair.taxable[places])
        if len(more):
            taken = (reach.T @ self._groups_of(self.units > 0))[account, group]
            for i in more.tolist():
                if taken[i]:
                    result[i] = self._loses_at(int(places[i]), -float(after[i]))
        return np.asarray(result)

    def weighed(self, places: Places, after: Vector) -> tuple[Vector, Vector]:
        """(how much dearer the whole becomes, negative: better; cash that comes in) by each move alone.

        Tax is taken at the rate of the next unit, costs without rounding: `change` is exact.
        """
        problem, pair = self.problem, self.pair
        before, value, klass = self.units[places], pair.unit_value[places], pair.klass[places]
        moved = (after - before) * value
        orders = (after != 0).astype(np.float64) - (before != 0)
        cost = pair.cost_rate[places] * (np.abs(after) - np.abs(before)) * value
        cost += pair.fixed_cost[places] * orders
        cost[pair.money_fund[places]] = 0.0
        effect = -moved - cost
        rank = pair.rank[places] * np.where(after > 0, 1.0, 0.1)
        result = cost + (pair.location[places] + rank) * moved
        result += problem.request.prices.ticket * orders
        cash = problem.cash_index
        in_cash = klass == cash
        result += self._dearer(klass, np.where(in_cash, 0.0, moved))
        result += self._dearer(np.full(len(places), cash), np.where(in_cash, -cost, effect))
        result += self._tax_of(places, before, after)
        return result, effect

    def swaps(
        self, lesses: Places, unders: Vector, ups: Places, overs: Vector
    ) -> NDArray[np.float64]:
        """(L, U) how much dearer the whole becomes by one move of each kind together, in one account;
        infinite where the cash does not pay for it.
        """
        problem, pair = self.problem, self.pair
        cash = problem.cash_index
        first, freed = self._apart(lesses, unders)
        second, effect = self._apart(ups, overs)
        spent = -effect
        left = self.value[cash] + freed[:, None] - spent[None, :]
        result = first[:, None] + second[None, :]
        k, m = pair.klass[lesses], pair.klass[ups]
        out = (unders - self.units[lesses]) * pair.unit_value[lesses]
        new = (overs - self.units[ups]) * pair.unit_value[ups]
        same = k[:, None] == m[None, :]
        one = np.broadcast_to(k[:, None], same.shape)
        both = penalties(problem, one, self.value[one] + out[:, None] + new[None, :])
        now = self._penalties
        alone = self._dearer(k, out)[:, None] + self._dearer(m, new)[None, :]
        result += np.where(same, both - now[k][:, None], alone)
        everywhere = np.full(result.shape, cash)
        result += penalties(problem, everywhere, left) - now[cash]
        account = pair.account[lesses[0]]
        paid = spent[None, :] <= self.cash[account] + freed[:, None] + _CENTS
        apart = lesses[:, None] != ups[None, :]
        by_fund = (k == cash)[:, None] | (m == cash)[None, :]
        return np.where(paid & apart & ~by_fund, result, np.inf)

    def _apart(self, places: Places, after: Vector) -> tuple[Vector, Vector]:
        """`weighed` without what the classes' values add."""
        change, effect = self.weighed(places, after)
        klass, cash = self.pair.klass[places], self.problem.cash_index
        moved = (after - self.units[places]) * self.pair.unit_value[places]
        in_cash = klass == cash
        change = change - self._dearer(klass, np.where(in_cash, 0.0, moved))
        by_cash = np.where(in_cash, moved + effect, effect)
        return change - self._dearer(np.full(len(places), cash), by_cash), effect

    def _dearer(self, klass: Places, by: Vector) -> Vector:
        """Penalty that classes get when their values change."""
        return penalties(self.problem, klass, self.value[klass] + by) - self._penalties[klass]

    @property
    def _penalties(self) -> Vector:
        """(K,) penalties as the classes stand."""
        if self._known is None:
            self._known = penalties(self.problem, np.arange(len(self.value)), self.value)
        return self._known

    def _tax_of(self, places: Places, before: Vector, after: Vector) -> Vector:
        """Tax of selling more or less of the lots at the margin, each by itself."""
        result = np.zeros(len(places))
        more = np.maximum(-after, 0.0) - np.maximum(-before, 0.0)
        lots = np.where(more > 0, self._next[places], self._last[places])
        sold = np.flatnonzero((more != 0) & (lots >= 0))
        if not len(sold) or not self._gains:
            return result
        mine, lot = lots[sold], self._lot
        money = more[sold] * self.pair.unit_value[places[sold]]
        short, long = money * lot.short[mine], money * (lot.long[mine] + lot.collectible[mine])
        rates = np.array([self._margins(place) for place in range(len(self._gains))])
        on = self.problem.return_of_lot[mine]
        tax = short * np.where(short > 0, rates[on, 0], rates[on, 1])
        tax += long * np.where(long > 0, rates[on, 2], rates[on, 3])
        tax += LESS_GAIN * money * np.maximum(lot.gain_rate[mine], 0.0)
        result[sold] = np.where(on >= 0, tax, 0.0)
        return result

    def _margins(self, place: int) -> tuple[float, float, float, float]:
        """Tax of a dollar more and less of short-term gain, and of long-term gain, as the return stands."""
        short, long = self._gains[place]
        pieces = self.problem.returns[place].pieces
        now, by = quick_tax(pieces, short, long), _MARGIN
        return (
            (quick_tax(pieces, short + by, long) - now) / by,
            (now - quick_tax(pieces, short - by, long)) / by,
            (quick_tax(pieces, short, long + by) - now) / by,
            (now - quick_tax(pieces, short, long - by)) / by,
        )

    def change(self, p: int, after: float) -> float:
        """How much dearer the whole becomes by a move, with the tax of the whole return."""
        problem = self.problem
        pair, before = problem.pairs[p], float(self.units[p])
        line, cost = pair.line, 0.0
        moved = (after - before) * line.unit_value
        orders = bool(after) - bool(before)
        if not line.money_fund:  # costs are not rounded to cents, which decides nothing here
            cost = pair.cost_rate * (abs(after) - abs(before)) * line.unit_value
            cost += pair.fixed_cost * orders
        change = cost + (pair.location + pair.rank * (1.0 if after > 0 else 0.1)) * moved
        change += problem.request.prices.ticket * orders
        if problem.return_of[pair.account] >= 0 and (before < 0 or after < 0):
            change += self._more_tax(p, before, after)
        k, cash = line.klass, problem.cash_index
        moves = ((cash, -cost),) if k == cash else ((k, moved), (cash, -moved - cost))
        for place, by in moves:
            now = float(self.value[place])
            change += penalty(problem, place, now + by) - penalty(problem, place, now)
        return change

    def _more_tax(self, p: int, before: float, after: float) -> float:
        """How much more tax a pair's return owes when it trades `after` signed units."""
        place = self.problem.return_of[int(self.pair.account[p])]
        old, new = self._realised(p, -before), self._realised(p, -after)
        short, long = self._gains[place]
        pieces = self.problem.returns[place].pieces
        now = quick_tax(pieces, short, long)
        then = quick_tax(pieces, short + new[0] - old[0], long + new[1] - old[1])
        return then - now + LESS_GAIN * (new[2] - old[2])

    def _ladder(self, p: int) -> list[tuple[float, float, float, float, bool]]:
        """(units, short, long, gain rates, loses) of a pair's lots in the order in which they are sold."""
        known = self._ladders.get(p)
        if known is None:
            lot = self._lot
            mine = self._lots(p)
            rate = lot.gain_rate[mine]
            columns = (
                self._sizes[mine].tolist(),
                lot.short[mine].tolist(),
                (lot.long + lot.collectible)[mine].tolist(),
                np.maximum(rate, 0.0).tolist(),
                (rate < 0).tolist(),
            )
            known = self._ladders[p] = list(zip(*columns, strict=True))
        return known

    def _realised(self, p: int, units: float) -> tuple[float, float, float]:
        """Short-term and long-term gain of selling so many units, and the gains among them."""
        short = long = gain = 0.0
        left = units
        value = float(self.pair.unit_value[p])
        for size, short_rate, long_rate, gain_rate, _ in self._ladder(p) if units > 0 else ():
            if left <= 0:
                break
            money = min(left, size) * value
            short += money * short_rate
            long += money * long_rate
            gain += money * gain_rate
            left -= size
        return short, long, gain

    def _margin(self, p: int, units: float) -> tuple[int, int]:
        """The lots of the last unit and of the next one when so many units of a pair are sold."""
        mine = self._lots(p).tolist()
        last, left = -1, units
        for j in mine:
            if left <= _NOTHING:
                return last, j
            last, left = j, left - float(self._sizes[j])
            if left < -_NOTHING:
                return last, j
        return last, -1

    def _lots(self, p: int) -> Places:
        """The lots of a pair in the order in which they are sold."""
        first, last = np.searchsorted(self._lot.pair[self._order], [p, p + 1])
        return self._order[first:last]

    def _loses_at(self, p: int, units: float) -> bool:
        """True when so many units of a pair are sold from a lot at a loss among others."""
        left = units
        for size, _, _, _, loses in self._ladder(p):
            if left <= _NOTHING:
                return False
            if loses:
                return True
            left -= size
        return False


def _order(search: Search, relaxed: Relaxed) -> tuple[Places, Vector]:
    """The lots in the order in which those of a pair are sold, and the units (n,) that may be: as the plan
    in fractions does, then least tax first; first in, first out where no lots can be named.
    """
    model = search.model
    problem, lot = model.problem, model.problem.lot
    rates = lot_rates(search, relaxed) + LESS_GAIN * np.maximum(lot.gain_rate, 0.0)
    sold, value = relaxed.optimum.x[model.sell], problem.lot_value
    share = np.where(value > 0, sold / np.maximum(value, _NOTHING), 0.0)
    sizes = np.where(relaxed.upper[model.sell] > 0, lot.quantity, 0.0)
    rank = np.empty(len(lot.pair), dtype=np.int64)
    rank[np.lexsort((rates, -share))] = np.arange(len(rank))
    for lots in search.ordered:
        rank[lots] = np.sort(rank[lots])
        barred = np.flatnonzero(sizes[lots] == 0)
        if len(barred):  # nothing is sold past a lot that must not be
            sizes[lots[barred[0] :]] = 0.0
    order = np.lexsort((rank, lot.pair))
    return order[sizes[order] > 0], sizes
