"""From fractions to orders that can be sent: whole steps, minimums, cash that works out in each account."""

from __future__ import annotations

import math

import numpy as np

from xl_rebal.household.model import LESS_GAIN, Model
from xl_rebal.household.problem import HouseholdProblem, Vector
from xl_rebal.household.search import Relaxed, Search
from xl_rebal.household.tax_pieces import quick_tax
from xl_rebal.household.worth import Draft, penalty, worth
from xl_rebal.trading.problem import CENT, HALF_CENT, cash_effect, worth_trading

_DUST = 0.005  # dollars
_ROUNDS = 400
_NEAR = 2.5e-6  # of the value


def raised_in_cents(problem: HouseholdProblem, wanted: Vector) -> Vector:
    """The cash need in whole cents by account; what is left over comes from the largest."""
    result: Vector = np.floor(np.maximum(wanted, 0.0) * 100 + 1e-6) / 100
    if problem.request.cash_need and len(result):
        largest = int(np.argmax(result))
        result[largest] = round(result[largest] + problem.request.cash_need - result.sum(), 2)
    return result


def rounded(search: Search, relaxed: Relaxed) -> Draft:
    """A draft in whole steps near a plan in fractions."""
    return Rounding(search, relaxed).run()


class Rounding:
    """Units by pair, the class values and the cash that they leave, and moves that mend or better them."""

    def __init__(self, search: Search, relaxed: Relaxed) -> None:
        model, washed = search.model, search.washed
        problem = self.problem = model.problem
        self.x = relaxed.optimum.x
        self.bound = relaxed.bound
        self.sold_money = self.x[model.sell]
        self.bought_money = self.x[model.buy]
        self.may_buy = relaxed.upper[model.buy] > 0
        self.most_sold = relaxed.upper[model.sell]
        wanted = np.array([self.x[c] if c >= 0 else 0.0 for c in model.raised.tolist()])
        self.raised = raised_in_cents(problem, wanted)
        self.rates = _tax_rates(model, relaxed)
        self.taxes = [tax.pieces for tax in model.taxes]
        self.gains = [
            [r.profile.ytd_short - r.profile.carry_short, r.profile.ytd_long - r.profile.carry_long]
            for r in problem.returns
        ]
        self.lots: dict[int, list[int]] = {}
        for j, lot in enumerate(problem.lots):
            self.lots.setdefault(lot.pair, []).append(j)
        for p in self.lots:
            self.lots[p] = self._order(p)
        # For each pair: the pairs whose losses buying it washes, and those whose purchases wash its own.
        self.washes: dict[int, set[int]] = {}
        self.washed_by: dict[int, set[int]] = {}
        for losing, buys in washed:
            for p in buys.tolist():
                for j in losing.tolist():
                    q = problem.lots[j].pair
                    self.washes.setdefault(p, set()).add(q)
                    self.washed_by.setdefault(q, set()).add(p)
        self.sell = dict.fromkeys(self.lots, 0.0)
        self.buy: dict[int, float] = {}
        self.value = problem.value.copy()
        self.cash = np.array([problem.spendable(a) for a in range(len(problem.accounts))])
        self.cash -= self.raised
        self.value[problem.cash_index] -= self.raised.sum()

    def run(self) -> Draft:
        """Round, mend cash, spend what is left, then swap steps while that helps."""
        for p in self.lots:
            self._set(p, self._whole_sale(p))
        for p in np.flatnonzero(self.bought_money > _DUST).tolist():
            line = self.problem.pairs[p].line
            units = math.floor(self.bought_money[p] / line.step_value + 1e-6) * line.step
            self._set(p, units if units > 0 and worth_trading(line, units) else 0.0)
        for a in range(len(self.problem.accounts)):
            self._mend(a)
            self._spend(a)
        rounded_first = self.draft()
        if self._is_near(rounded_first):
            return rounded_first
        self._swap()
        return self.draft()

    def _is_near(self, draft: Draft) -> bool:
        """True when no plan can be better by more than a fortieth of a basis point."""
        found = worth(self.problem, draft, tuple(self.taxes)).total
        return found - self.bound <= _NEAR * self.problem.base

    def draft(self) -> Draft:
        """The state as a draft."""
        problem = self.problem
        sold, bought = np.zeros(len(problem.lots)), np.zeros(len(problem.pairs))
        for p, units in self.sell.items():
            left = units
            for j in self.lots[p]:
                take = min(left, problem.lots[j].quantity)
                sold[j] = take
                left = float(f"{left - take:.12g}")
                if left <= 0:
                    break
        for p, units in self.buy.items():
            bought[p] = units
        return Draft(sold=sold, bought=bought, raised=self.raised)

    def _order(self, p: int) -> list[int]:
        """The lots of a pair as they are sold: as the plan in fractions does, then least tax first."""
        problem = self.problem
        account = problem.accounts[problem.pairs[p].account]
        if not account.lot_instructions or account.account in problem.request.no_lots_sent:
            first = problem.request.as_of
            return sorted(self.lots[p], key=lambda j: (problem.lots[j].acquired or first, j))
        value = problem.pairs[p].line.unit_value
        share = {
            j: self.sold_money[j] / max(problem.lots[j].quantity * value, CENT)
            for j in self.lots[p]
        }
        return sorted(
            (j for j in self.lots[p] if self.most_sold[j] > 0),
            key=lambda j: (-share[j], self._tax_rate(j), j),
        )

    def _tax_rate(self, j: int) -> float:
        lot = self.problem.lots[j]
        place = self.problem.return_of[self.problem.pairs[lot.pair].account]
        if place < 0:
            return 0.0
        less = LESS_GAIN * max(lot.gain_rate, 0.0)
        short, long, coin = self.rates[place]
        return (
            less + lot.short * short + (lot.long + lot.collectible) * long + lot.collectible * coin
        )

    def _most(self, p: int) -> float:
        """Units of a pair that may be sold: all, or whole steps of the lots that may be."""
        line = self.problem.pairs[p].line
        able = math.fsum(self.problem.lots[j].quantity for j in self.lots.get(p, ()))
        if able >= line.quantity - 1e-9:
            return line.quantity
        return math.floor(able / line.step + 1e-9) * line.step

    def _whole_sale(self, p: int) -> float:
        line = self.problem.pairs[p].line
        most = self._most(p)
        money = math.fsum(float(self.sold_money[j]) for j in self.lots[p])
        if money <= _DUST or most <= 0:
            return 0.0
        units = money / line.unit_value
        if units >= most - line.step / 2 or line.must_sell:
            return most
        units = round(units / line.step) * line.step
        return units if units > 0 and worth_trading(line, -units) else 0.0

    def _set(self, p: int, units: float, *, selling: bool | None = None) -> None:
        """Trade so many units of a pair; class values and cash follow."""
        problem = self.problem
        pair = problem.pairs[p]
        sells = p in self.lots and self.bought_money[p] <= _DUST if selling is None else selling
        before = self._signed(p)
        units = float(f"{units:.12g}")
        if sells:
            self.sell[p] = units
        else:
            self.buy[p] = units
        after = self._signed(p)
        place = problem.return_of[pair.account]
        if place >= 0:
            new, old = self._realised(p, -after), self._realised(p, -before)
            self.gains[place][0] += new[0] - old[0]
            self.gains[place][1] += new[1] - old[1]
        effect = cash_effect(pair.line, after) - cash_effect(pair.line, before)
        self.cash[pair.account] += effect
        self.value[pair.line.klass] += (after - before) * pair.line.unit_value
        self.value[problem.cash_index] += effect

    def _signed(self, p: int) -> float:
        return self.buy.get(p, 0.0) - self.sell.get(p, 0.0)

    def _gain_from(self, p: int, after: float) -> float:
        """How much dearer (negative: better) the whole becomes when a pair trades `after` signed units."""
        problem = self.problem
        pair = problem.pairs[p]
        line, before = pair.line, self._signed(p)
        if after == before:
            return 0.0
        moved = (after - before) * line.unit_value
        cost = 0.0  # without rounding to cents, which decides nothing here
        if not line.money_fund:
            cost = pair.cost_rate * (abs(after) - abs(before)) * line.unit_value
            cost += pair.fixed_cost * (bool(after) - bool(before))
        effect = -moved - cost
        k, cash = line.klass, problem.cash_index
        change = cost + (pair.location + pair.rank * (1.0 if after > 0 else 0.1)) * moved
        change += self._more_tax(p, before, after)
        change += problem.request.prices.ticket * (bool(after) - bool(before))
        if k == cash:
            now = float(self.value[cash])
            return change + penalty(problem, k, now + moved + effect) - penalty(problem, k, now)
        for place, by in ((k, moved), (cash, effect)):
            now = float(self.value[place])
            change += penalty(problem, place, now + by) - penalty(problem, place, now)
        return change

    def _more_tax(self, p: int, before: float, after: float) -> float:
        """How much more tax a pair's return owes when it trades `after` signed units."""
        place = self.problem.return_of[self.problem.pairs[p].account]
        if place < 0 or (before >= 0 and after >= 0):
            return 0.0
        old, new = self._realised(p, -before), self._realised(p, -after)
        short, long = self.gains[place]
        less = LESS_GAIN * (new[2] - old[2])
        now = quick_tax(self.taxes[place], short, long)
        then = quick_tax(self.taxes[place], short + new[0] - old[0], long + new[1] - old[1])
        return then - now + less

    def _realised(self, p: int, units: float) -> tuple[float, float, float]:
        """Short-term and long-term gain of selling so many units, and the gains among them."""
        short = long = gain = 0.0
        left = units
        value = self.problem.pairs[p].line.unit_value
        for j in self.lots.get(p, ()):
            if left <= 0:
                break
            lot = self.problem.lots[j]
            money = min(left, lot.quantity) * value
            short += money * lot.short
            long += money * (lot.long + lot.collectible)
            gain += money * max(lot.gain_rate, 0.0)
            left -= lot.quantity
        return short, long, gain

    def _moves(self, a: int, side: int) -> list[tuple[int, float]]:
        """(pair, signed units) of one step more (side +1) or less of what account `a` holds of it."""
        result = []
        for p, pair in enumerate(self.problem.pairs):
            if pair.account != a:
                continue
            now, step = self._signed(p), pair.line.step
            if now > 0 or (now == 0 and side > 0 and self.may_buy[p]):
                after = now + side * step
            elif p in self.lots and self._most(p) > 0 and (now < 0 or side < 0):
                most = self._most(p)
                if pair.line.must_sell and side > 0:
                    continue
                after = now + side * step
                if -after > most:
                    after = -most
                elif now == -most and side > 0:
                    after = -math.floor((most - step) / step + 1e-9) * step
            else:
                continue
            after = float(f"{after:.12g}")
            if after == now or now > 0 > after or now < 0 < after:
                continue
            if after and not worth_trading(pair.line, after):
                if not abs(after) < abs(now):
                    continue
                after = 0.0
            if self._would_wash(p, now, after):
                continue
            result.append((p, after))
        return result

    def _would_wash(self, p: int, now: float, after: float) -> bool:
        """True when the move buys what is sold at a loss, or sells at a loss what is bought."""
        if after > max(now, 0.0):
            return any(self._loses(q, self.sell.get(q, 0.0)) for q in self.washes.get(p, ()))
        if after < min(now, 0.0) and self._loses(p, -after):
            return any(self.buy.get(q, 0.0) > 0 for q in self.washed_by.get(p, ()))
        return False

    def _loses(self, p: int, units: float) -> bool:
        """True when so many units of a pair are sold from a lot at a loss among others."""
        left = units
        for j in self.lots.get(p, ()):
            if left <= 1e-9:
                return False
            if self.problem.lots[j].gain_rate < 0:
                return True
            left -= self.problem.lots[j].quantity
        return False

    def _apply(self, p: int, after: float) -> None:
        selling = after < 0 or (after == 0 and self.sell.get(p, 0.0) > 0)
        self._set(p, abs(after), selling=selling)

    def _mend(self, a: int) -> None:
        """Sell more or buy less until the account's cash is not short."""
        for _ in range(_ROUNDS):
            short = -float(self.cash[a])
            if short <= HALF_CENT:
                return
            best: tuple[float, int, float] | None = None
            for p, after in self._moves(a, -1):
                after = self._enough(p, after, short)
                line = self.problem.pairs[p].line
                freed = cash_effect(line, after) - cash_effect(line, self._signed(p))
                if freed <= HALF_CENT:
                    continue
                price = self._gain_from(p, after) / min(freed, short)
                # Without a trade yet, selling opens a ticket: only where nothing else is left.
                price += 0.0 if self._signed(p) else 0.001
                if best is None or (price, p) < best[:2]:
                    best = (price, p, after)
            if best is None:
                return
            self._apply(best[1], best[2])

    def _enough(self, p: int, after: float, money: float) -> float:
        """As many steps further on as the money is worth, where steps are small."""
        line = self.problem.pairs[p].line
        now = self._signed(p)
        steps = math.ceil(money / line.step_value - 1e-9)
        if steps <= 1 or abs(after - now) > line.step * 1.0001:
            return after
        wanted = now - steps * line.step
        if now > 0:
            wanted = max(wanted, 0.0)
        else:
            most = self._most(p)
            wanted = -most if -wanted >= most else wanted
        wanted = float(f"{wanted:.12g}")
        return wanted if not wanted or worth_trading(line, wanted) else after

    def _spend(self, a: int) -> None:
        """Buy more (or sell less) with the account's spare cash while that is worth it."""
        for _ in range(_ROUNDS):
            best: tuple[float, int, float] | None = None
            for p, after in self._moves(a, 1):
                for target in self._steps_up(p, after, float(self.cash[a])):
                    line = self.problem.pairs[p].line
                    spent = cash_effect(line, self._signed(p)) - cash_effect(line, target)
                    if spent > self.cash[a] + HALF_CENT:
                        continue
                    gain = self._gain_from(p, target)
                    if gain < -1e-6 and (best is None or (gain, p) < best[:2]):
                        best = (gain, p, target)
            if best is None:
                return
            self._apply(best[1], best[2])

    def _steps_up(self, p: int, after: float, money: float) -> list[float]:
        """One step, and as many as the cash or the class can take."""
        line = self.problem.pairs[p].line
        now = self._signed(p)
        wanted = float(self.problem.aims.inner_low[line.klass] - self.value[line.klass])
        result = [after]
        for amount in (money / (1 + line.costs.half_spread), wanted):
            steps = math.floor(amount / line.step_value + 1e-9)
            if steps > 1 and now >= 0:
                result.append(float(f"{now + steps * line.step:.12g}"))
        return result

    def _swap(self) -> None:
        """One step less of one security for one more of another in the same account, while it helps."""
        for a in range(len(self.problem.accounts)):
            for _ in range(8):
                if not self._swap_once(a):
                    break

    def _swap_once(self, a: int) -> bool:
        ups = self._moves(a, 1)
        for less, under in self._moves(a, -1):
            before = self._signed(less)
            if not before:
                continue
            first = self._gain_from(less, under)
            self._apply(less, under)
            best: tuple[float, int, float] | None = None
            for more, over in ups:
                if more == less or self._would_wash(more, self._signed(more), over):
                    continue
                line = self.problem.pairs[more].line
                spent = cash_effect(line, self._signed(more)) - cash_effect(line, over)
                if spent > self.cash[a] + HALF_CENT:
                    continue
                gain = first + self._gain_from(more, over)
                if gain < -0.01 and (best is None or (gain, more) < best[:2]):
                    best = (gain, more, over)
            if best is not None:
                self._apply(best[1], best[2])
                return True
            if first < -0.01:
                return True
            self._set(less, abs(before), selling=before < 0)
        return False


def _tax_rates(model: Model, relaxed: Relaxed) -> list[tuple[float, float, float]]:
    """What a dollar of short gain, long gain, and of collectibles beyond that, costs each return."""
    dual = relaxed.optimum.row_dual
    return [
        (
            float(dual[t.short_row]),
            float(dual[t.long_row]),
            float(dual[t.coin_row]) if t.coin_row >= 0 else 0.0,
        )
        for t in model.taxes
    ]
